//! Wrong arguments: each has one sentence, with what was expected and what was received, and a name that is
//! not known has its neighbour.

use keras::constraints::Constraint;
use keras::device::{Activation, Reduction};
use keras::initializers::Initializer;
use keras::prelude::*;
use keras::regularizers::Regularizer;
use keras::{losses, metrics, optimizers};
use ndarray::Axis;

use super::{Mlp, compiled, sentence, x, y};

#[model]
fn pair(left: Input<4>, right: Input<4>) -> Pair {
    let hidden = Dense(3)(left + right);
    let class = Dense(3, activation = softmax)(hidden);
    let score = Dense(1)(hidden);
    Model((left, right), Dict { class, score })
}

/// Holds sentences to what they begin with and how they end.
#[track_caller]
fn each(cases: impl IntoIterator<Item = (String, &'static str, &'static str)>) {
    for (found, begin, end) in cases {
        assert!(found.starts_with(begin) && found.ends_with(end), "{found}");
    }
}

#[test]
fn names_that_are_not_known_have_neighbours() -> keras::Result<()> {
    let shape = keras::shape::Shape::new(&[1]);
    let interpret = "Could not interpret ";
    each([
        (
            sentence(optimizers::by_name::<Cpu>("addam")),
            interpret,
            "addam. Did you mean `adam`?",
        ),
        (
            sentence(losses::by_name::<Cpu>("hubber")),
            interpret,
            "hubber. Did you mean `Huber`?",
        ),
        (
            sentence(metrics::by_name::<Cpu>(
                "mean_absolut_error",
                &shape,
                &shape,
            )),
            interpret,
            "Did you mean `mean_absolute_error`?",
        ),
        (
            sentence(Activation::by_name("rellu")),
            interpret,
            "rellu. Did you mean `relu`?",
        ),
        (
            sentence(Initializer::by_name("glorot_unifrom")),
            interpret,
            "Did you mean `glorot_uniform`?",
        ),
        (sentence(Regularizer::by_name("l3")), interpret, "?"),
        (
            sentence(Constraint::by_name("max_nrom")),
            interpret,
            "Did you mean `max_norm`?",
        ),
        (
            sentence(Reduction::by_name("summ")),
            "Invalid value for argument `reduction`.",
            "Received: reduction=summ",
        ),
    ]);

    let mut model = Pair::new();
    let losses = |names: [&str; 2]| Losses::by_output(names.map(|name| (name, "mse")));
    let of = |compile: Compile<Cpu>| sentence(Pair::new().compile(compile));
    let mse = || Compile::new("sgd", "mse");
    let x = x(4);
    each([
        (
            of(Compile::new("sgd", losses(["class", "skore"]))),
            "`loss` names the output 'skore'",
            "Did you mean `score`?",
        ),
        (
            of(mse().metric_for("klass", "mae")),
            "`metrics` names the output 'klass'",
            "Did you mean `class`?",
        ),
        (
            of(mse().loss_weights([("scor", 1.0)])),
            "`loss_weights` names the output 'scor'",
            "Did you mean `score`?",
        ),
        (
            of(mse().metric("acuracy")),
            interpret,
            "Did you mean `accuracy`?",
        ),
        (
            sentence(model.get_layer("dense_9").map(|_| ())),
            "No such layer: dense_9.",
            "Did you mean `dense_1`?",
        ),
        (
            sentence(model.set_trainable("dens", false)),
            "No such layer: dens.",
            "Did you mean `dense`?",
        ),
        (
            sentence(model.predict_all(
                [("left", &x), ("right", &x), ("rihgt", &x)],
                Predict::default(),
            )),
            "There is no input \"rihgt\".",
            "Did you mean `right`?",
        ),
        (
            sentence(
                model.build_by_name(&[("lefd", &[None, Some(4)]), ("right", &[None, Some(4)])]),
            ),
            "There is no input \"lefd\".",
            "Did you mean `left`?",
        ),
    ]);
    Ok(())
}

#[test]
fn arguments_of_fit_evaluate_and_predict_have_ranges() -> keras::Result<()> {
    let (x, mut model) = (x(8), compiled(1)?);
    let y = y(&x);
    let fit = || Fit::epochs(1).verbose(0);
    let batch = "`batch_size` expects a positive integer.";
    let zero = "Received: batch_size=0";
    let samples = "Training data contains 8 samples, which is not sufficient to split it";
    let data = |size: usize| Dataset::from_tensor_slices((&x, &y)).map(|data| data.batch(size));
    let mut fitted = |fit: Fit<'_>| sentence(model.fit((&x, &y), fit));
    each([
        (fitted(fit().batch_size(0)), batch, zero),
        (
            fitted(fit().validation((&x, &y)).validation_batch_size(0)),
            batch,
            zero,
        ),
        (
            fitted(fit().validation((&x, &y)).validation_freq(0)),
            "`validation_freq` expects a positive number of epochs.",
            "Received: validation_freq=0",
        ),
        (
            fitted(fit().validation_split(1.0)),
            samples,
            "for the `validation_split` argument.",
        ),
        (
            fitted(fit().validation_split(-0.5)),
            samples,
            "for the `validation_split` argument.",
        ),
        (
            fitted(fit().validation_split(f32::NAN)),
            samples,
            "for the `validation_split` argument.",
        ),
        (
            fitted(fit().shuffle("batches")),
            "`shuffle` expects true, false or \"batch\".",
            "Received: shuffle=\"batches\"",
        ),
        (
            fitted(fit().class_weight([(0, 2.0)]).sample_weight(&y)),
            "You cannot `class_weight` and `sample_weight` at the same time.",
            "",
        ),
        (
            fitted(fit().callback(EarlyStopping::new("val_loss"))),
            "A callback monitors `val_loss`, but there is no validation data.",
            "Received: monitor=\"val_loss\"",
        ),
    ]);
    let weights = "`sample_weight` must be broadcastable to the values of the loss, which have shape (None,).";
    let received = "Received: sample_weight.shape=(None, 4)";
    each([(fitted(fit().sample_weight(&x)), weights, received)]);
    // The first batch is right.
    let batches =
        [y.clone().insert_axis(Axis(1)), x.clone()].map(|weights| (x.clone(), y.clone(), weights));
    let stream = Dataset::from_batches(batches);
    each([(sentence(model.fit(&stream, fit())), weights, received)]);
    each([
        (sentence(model.fit(&data(0)?, fit())), batch, zero),
        (
            sentence(model.evaluate((&x, &y), Evaluate::batch_size(0).verbose(0))),
            batch,
            zero,
        ),
        (
            sentence(model.predict(&x, Predict::batch_size(0))),
            batch,
            zero,
        ),
        (
            sentence(model.compile(Compile::again().steps_per_execution(0))),
            "`steps_per_execution` expects a positive integer.",
            "Received: steps_per_execution=0",
        ),
        (
            sentence(Mlp::new().compile(Compile::again())),
            "The model keeps the optimizer of an earlier `compile()`.",
            "",
        ),
        (
            sentence(model.predict((&x, &x), Predict::default())),
            "Model 'mlp' expects 1 input(s)",
            "but it received 2 input tensors.",
        ),
    ]);
    Ok(())
}
