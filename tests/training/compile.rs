//! What `compile` takes, keeps and refuses.

use keras::losses::IntoLoss;
use keras::metrics::{Direction, Metric};
use keras::prelude::*;
use keras::testing::{Said, listen};
use ndarray::{Array1, Array2, Axis};

use super::{Mlp, compiled, sentence, x, y};

#[model]
fn shared_output(inputs: Input<4>) -> SharedOutput {
    let d = Dense(2, name = "out");
    Model(inputs, [d(inputs), d(inputs)])
}

#[model]
fn named(inputs: Input<4>) -> Named {
    let class = Dense(3, activation = softmax)(inputs);
    let score = Dense(1)(inputs);
    Model(inputs, Dict { class, score })
}

fn once() -> Fit<'static> {
    Fit::epochs(1).verbose(0)
}

/// The log names of the source document, without its `add_metric`.
#[test]
fn a_layer_that_is_two_outputs_has_two_names() -> keras::Result<()> {
    let mut model = SharedOutput::with_seed(1);
    model.compile(Compile::new("Adam", "mse").metrics(["mae", "acc"]))?;
    assert_eq!(model.metrics_names(), [""; 0]);
    let (x, y) = (x(6), Array2::<f32>::ones((6, 2)));
    model.fit((&x, (&y, &y)), once())?;
    let expected = [
        "loss",
        "out_loss",
        "out_1_loss",
        "out_mae",
        "out_acc",
        "out_1_mae",
        "out_1_acc",
    ];
    assert_eq!(model.metrics_names(), expected);
    Ok(())
}

#[test]
fn metrics_are_there_once_the_model_has_seen_targets() -> keras::Result<()> {
    let (x, mut model) = (x(8), compiled(1)?);
    let y = y(&x);
    assert!(model.metrics().is_empty());
    let logs = model.evaluate((&x, &y), Evaluate::default().verbose(0))?;
    let metrics = model.metrics();
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name()).collect();
    assert_eq!(names, ["loss", "mae"]);
    for metric in &metrics {
        assert_eq!(Some(metric.result()), logs.get(metric.name()));
    }
    Ok(())
}

#[test]
fn what_does_not_fit_the_outputs_is_found_by_compile() {
    type Made = Compile<AutoDevice>;
    let of = |losses: Losses<AutoDevice>| Made::new("sgd", losses);
    let list: [(Made, &str); 9] = [
        (
            of(Losses::by_output([("out", "mse")])),
            "Expected keys [\"out\", \"out_1\"] in loss dict, but found loss.keys()=[\"out\"]",
        ),
        (
            of(Losses::by_output([("out", "mse"), ("out_2", "mse")])),
            "`loss` names the output 'out_2'",
        ),
        (
            of(Losses::in_order(["mse", "mse", "mse"])),
            "has 2 output(s)",
        ),
        (
            of(Losses::in_order(["mse"]).and("out", "mse")),
            "Received: both",
        ),
        (
            Made::new("sgd", "mse").loss_weights([1.0]),
            "`loss_weights` must match the number of losses, got 2 losses and 1 weights.",
        ),
        (
            Made::new("sgd", "mse").loss_weights([("ot", 1.0)]),
            "Did you mean `out`?",
        ),
        (
            Made::new("sgd", "mse").metrics_in_order([["mae"]]),
            "Received: 1 lists",
        ),
        (
            Made::new("sgd", "mse").weighted_metric_for("out_3", "mae"),
            "`weighted_metrics` names the output 'out_3'",
        ),
        (
            Made::new("sgd", "mse").steps_per_execution(0),
            "steps_per_execution=0",
        ),
    ];
    for (compile, expected) in list {
        let error = sentence(SharedOutput::new().compile(compile));
        assert!(
            error.contains(expected),
            "{error}\ndoes not say: {expected}"
        );
    }
    let error = sentence(SharedOutput::new().compile(Compile::again().metric("mae")));
    assert!(error.contains("was not compiled before"), "{error}");
}

#[test]
fn an_output_with_a_name_of_its_own_may_have_no_loss() -> keras::Result<()> {
    let mut model = Named::with_seed(1);
    let losses = Losses::by_output([("score", "mse")]);
    model.compile(Compile::new("sgd", losses).metric_for("class", "acc"))?;
    let (x, labels) = (x(6), Array1::<i64>::zeros(6));
    let y = y(&x).into_dyn();
    let labels = labels.mapv(|label| label as f32).into_dyn();
    let history = model.fit((&x, [("class", &labels), ("score", &y)]), once())?;
    assert_eq!(history.names().collect::<Vec<_>>(), ["class_acc", "loss"]);
    Ok(())
}

#[test]
fn a_failed_compile_changes_nothing() -> keras::Result<()> {
    let (x, mut model) = (x(8), compiled(1)?);
    let y = y(&x);
    assert!(model.compile(Compile::new("sgd", "nope")).is_err());
    assert!(
        model
            .compile(Compile::with_optimizer("sgd").metric("nope"))
            .is_err()
    );
    let history = model.fit((&x, &y), once())?;
    assert_eq!(history.names().collect::<Vec<_>>(), ["loss", "mae"]);
    Ok(())
}

#[test]
fn an_empty_list_clears_the_metrics() -> keras::Result<()> {
    let (x, mut model) = (x(8), compiled(1)?);
    let y = y(&x);
    model.compile(Compile::with_optimizer("sgd"))?;
    let history = model.fit((&x, &y), once())?;
    assert_eq!(history.names().collect::<Vec<_>>(), ["loss", "mae"]);
    model.compile(Compile::with_optimizer("sgd").metrics([""; 0]))?;
    let history = model.fit((&x, &y), once())?;
    assert_eq!(history.names().collect::<Vec<_>>(), ["loss"]);
    Ok(())
}

#[test]
fn without_a_loss_there_is_nothing_to_train() -> keras::Result<()> {
    let (x, mut model) = (x(8), Mlp::with_seed(1));
    let y = y(&x);
    model.compile(Compile::with_optimizer("sgd"))?;
    assert_eq!(
        sentence(model.fit((&x, &y), once())),
        "No loss to compute. Provide a `loss` argument in `compile()`."
    );
    Ok(())
}

/// Keras numbers the metrics of some classes as they are made: that of a name, with the first batch.
#[test]
fn a_metric_of_a_name_takes_a_number_with_the_first_batch() -> keras::Result<()> {
    let next = || Metric::<Cpu>::name(&AUC::new()).to_owned();
    let mut model = Mlp::with_seed(1);
    model.compile(Compile::new("adam", "mse").metric("auc"))?;
    assert_eq!(next(), "auc");
    let x = x(8);
    model.fit((&x, &y(&x)), once())?;
    model.evaluate((&x, &y(&x)), Evaluate::batch_size(3).verbose(0))?;
    assert_eq!(next(), "auc_2");
    assert_eq!(model.metrics_names(), ["loss", "auc"]);
    Ok(())
}

/// What a model says while it trains on one batch.
fn warnings(
    model: &mut impl Model<Device = AutoDevice>,
    loss: impl IntoLoss<AutoDevice>,
    y: &Array2<f32>,
) -> Vec<Said> {
    let (ran, said) = listen(|| {
        model.compile(Compile::new("sgd", loss))?;
        model.train_on_batch((&x(y.nrows()), y))?;
        model.train_on_batch((&x(y.nrows()), y)).map(drop)
    });
    assert_eq!(ran, Ok(()));
    said
}

#[test]
fn doubtful_losses_are_warned_of_once() {
    let warned = |text: &str| vec![Said::Warned(text.to_owned())];
    let rows = 6;
    let one_hot = Array2::from_shape_fn((rows, 3), |(i, j)| f32::from(u8::from(i % 3 == j)));
    let mut softmax = sequential![Dense(3, activation = softmax)];
    let of_logits = CategoricalCrossentropy::new().from_logits(true);
    let expected = "`categorical_crossentropy` received `from_logits=True`, but the `output` argument was produced by \
                    a Softmax activation and thus does not represent logits. Was this intended?";
    assert_eq!(
        warnings(&mut softmax, of_logits.clone(), &one_hot),
        warned(expected)
    );
    let plain = CategoricalCrossentropy::new();
    assert_eq!(warnings(&mut softmax, plain.clone(), &one_hot), []);
    assert_eq!(
        warnings(&mut sequential![Dense(3)], of_logits, &one_hot),
        []
    );

    let column = Array2::ones((rows, 1));
    let mut sigmoid = sequential![Dense(1), Activation(sigmoid)];
    let of_logits = BinaryCrossentropy::new().from_logits(true);
    let expected = "`binary_crossentropy` received `from_logits=True`, but the `output` argument was produced by a \
                    Sigmoid activation and thus does not represent logits. Was this intended?";
    assert_eq!(warnings(&mut sigmoid, of_logits, &column), warned(expected));
    let expected = "In loss categorical_crossentropy, expected y_pred.shape to be (batch_size, num_classes) with \
                    num_classes > 1. Received: y_pred.shape=(None, 1). Consider using 'binary_crossentropy' if you \
                    only have 2 classes.";
    assert_eq!(warnings(&mut sigmoid, plain, &column), warned(expected));
}

const PATIENCE: usize = 2;

sequential! {
    #[model(
        compile(
            optimizer = SGD(0.1, momentum = 0.9),
            loss = SparseCategoricalCrossentropy(from_logits = true),
            metrics = [
                "accuracy",
                SparseTopKCategoricalAccuracy(name = "top"),
                MeanMetricWrapper(|_, y_pred| Ok(y_pred.clone()), "output", direction = Direction::Up),
            ],
        ),
        callbacks(
            EarlyStopping("val_top", patience = PATIENCE),
            TerminateOnNaN,
            LambdaCallback(on_epoch_end = |_, epoch, logs| {
                logs.insert("epoch", epoch as f32);
                Ok(())
            }),
        ),
    )]
    Declared<4>;
    Dense(3),
}

#[test]
fn a_model_may_declare_how_it_trains() -> keras::Result<()> {
    let (x, y) = (
        x(12),
        y(&x(12)).mapv(|y| if y > 0.0 { 1.0f32 } else { 0.0 }),
    );
    let mut declared = Declared::with_seed(3);
    declared.compile(Declared::compile_arguments())?;
    let fit = once().validation((&x, &y)).callback(Declared::callbacks());
    let history = declared.fit((&x, &y), fit)?;
    assert_eq!(
        history.names().collect::<Vec<_>>()[..4],
        ["accuracy", "loss", "output", "top"]
    );
    assert_eq!(history.get("epoch"), Some(&[0.0][..]));
    let mut model = Declared::with_seed(3);
    let loss = SparseCategoricalCrossentropy::new().from_logits(true);
    model.compile(Compile::new(SGD::new(0.1).momentum(0.9), loss))?;
    model.fit((&x, &y), once())?;
    assert_eq!(model.get_weights(), declared.get_weights());
    Ok(())
}

#[model(
    compile(
        optimizer = SGD(learning_rate = ExponentialDecay(0.1, decay_steps = 10, decay_rate = 0.5), momentum = 0.9),
        loss = Dict { class: SparseCategoricalCrossentropy(from_logits = true), score: Huber(2.0) },
        loss_weights = [("class", 1), ("score", 0.2)],
        metrics = Dict { class: ["acc"], score: "mae" },
        weighted_metrics = [[], ["mae"]],
        steps_per_execution = 2,
    ),
    callbacks(
        EarlyStopping(monitor = "score_weighted_mae", patience = 3, mode = "min"),
        EarlyStopping("class_acc", 0.0, 5),
        EarlyStopping(patience = 3),
        ReduceLROnPlateau(monitor = "val_class_loss", factor = 0.5),
    ),
)]
fn declared_by_output(inputs: Input<4>) -> DeclaredByOutput {
    let class = Dense(3, name = "class")(inputs);
    let score = Dense(1, name = "score")(inputs);
    Model(inputs, Dict { class, score })
}

#[model(compile(
    optimizer = Adam,
    loss = ["mse", None],
    loss_weights = [0.5, 1.0],
    metrics = [["mae"], ["mse"]],
))]
fn declared_in_order(inputs: Input<4>) -> DeclaredInOrder {
    Model(
        inputs,
        [Dense(1, name = "a")(inputs), Dense(1, name = "b")(inputs)],
    )
}

#[test]
fn losses_weights_and_metrics_may_be_declared_for_each_output() -> keras::Result<()> {
    let x = x(12);
    let score = y(&x).insert_axis(Axis(1));
    let class = score.mapv(|y| if y > 0.0 { 1.0f32 } else { 0.0 });
    let mut declared = DeclaredByOutput::with_seed(3);
    declared.compile(DeclaredByOutput::compile_arguments())?;
    let mut model = DeclaredByOutput::with_seed(3);
    let class_loss = SparseCategoricalCrossentropy::new().from_logits(true);
    let optimizer = SGD::new(ExponentialDecay::new(0.1, 10, 0.5)).momentum(0.9);
    model.compile(
        Compile::new(
            optimizer,
            Losses::new()
                .and("class", class_loss)
                .and("score", Huber::new().delta(2.0)),
        )
        .loss_weights([("class", 1.0), ("score", 0.2)])
        .metric_for("class", "acc")
        .metric_for("score", "mae")
        .weighted_metric_for("score", "mae")
        .steps_per_execution(2),
    )?;
    assert_eq!(declared.get_compile_config(), model.get_compile_config());
    let data = (&x, (&class, &score));
    let fit = once()
        .validation(data)
        .callback(DeclaredByOutput::callbacks());
    declared.fit(data, fit)?;
    model.fit(data, once())?;
    let names = [
        "loss",
        "class_loss",
        "score_loss",
        "class_acc",
        "score_mae",
        "score_weighted_mae",
    ];
    assert_eq!(declared.metrics_names(), names);
    assert_eq!(model.get_weights(), declared.get_weights());

    let mut in_order = DeclaredInOrder::with_seed(3);
    in_order.compile(DeclaredInOrder::compile_arguments())?;
    in_order.fit((&x, (&score, &score)), once())?;
    assert_eq!(in_order.metrics_names(), ["loss", "a_mae", "b_mse"]);
    assert_eq!(in_order.learning_rate()?, 0.001);
    Ok(())
}

/// A metric with a value for each class is logged as their mean.
#[test]
fn the_values_of_a_metric_can_be_read() -> keras::Result<()> {
    let x = x(9);
    let one_hot = Array2::from_shape_fn((9, 3), |(i, j)| f32::from(u8::from(i % 3 == j)));
    let mut model = sequential![Dense(3, activation = softmax)];
    model.compile(Compile::new("sgd", "categorical_crossentropy").metric(F1Score::new()))?;
    let logs = model.test_on_batch((&x, &one_hot))?;
    let metrics = model.metrics();
    let [loss, f1] = &metrics[..] else {
        return Err(keras::Error::value(format!("{metrics:?}")));
    };
    assert_eq!(loss.results(), [loss.result()]);
    assert_eq!(
        (f1.name(), Some(f1.result())),
        ("f1_score", logs.get("f1_score"))
    );
    let mut alone = F1Score::new();
    alone.update_state(&one_hot, &model.predict(&x, Predict::default())?, None)?;
    assert_eq!(f1.results(), alone.results());
    assert_eq!(f1.results().len(), 3);
    Ok(())
}
