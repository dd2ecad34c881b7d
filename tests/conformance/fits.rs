//! The arguments of `compile`, `fit`, `evaluate` and `predict`: the same histories, names, numbers of
//! steps and weights as Keras. Each function replays the one of its name in `tests/reference/fits.py`.

use std::ops::Range;

use keras::metrics;
use keras::prelude::*;
use ndarray::{Array, Array1, Array2, ArrayD, Axis, Slice};
use serde_json::Value;

use crate::fixture::{assert_close, load, number, tensors};

const RTOL: f32 = 1e-4;
const ATOL: f32 = 1e-5;

sequential! {
    Regression<3>;
    Dense(4, activation = tanh),
    Dense(1),
}

sequential! {
    Classifier<3>;
    Dense(4, activation = tanh),
    Dense(3, activation = softmax),
}

#[model]
fn two_outputs(inputs: Input<3>) -> TwoOutputs {
    let hidden = Dense(4, activation = tanh)(inputs);
    let a = Dense(1, name = "a")(hidden);
    let b = Dense(3, activation = softmax, name = "b")(hidden);
    Model(inputs, [a, b])
}

#[model]
fn two_named(inputs: Input<3>) -> TwoNamed {
    let hidden = Dense(4, activation = tanh)(inputs);
    let a = Dense(1)(hidden);
    let b = Dense(3, activation = softmax)(hidden);
    Model(inputs, Dict { a, b })
}

/// A case of the fixture, its model and its data.
struct Case<M> {
    fixture: Value,
    model: M,
    steps: Counter,
    x: ArrayD<f32>,
    number: ArrayD<f32>,
    label: ArrayD<f32>,
    w: ArrayD<f32>,
    v: ArrayD<f32>,
}

/// Counts the executions of each epoch.
#[derive(Default)]
struct Counter(Vec<u64>);

impl Callback for Counter {
    fn on_epoch_begin(&mut self, _: &mut CallbackContext, _: usize, _: &Logs) -> keras::Result<()> {
        self.0.push(0);
        Ok(())
    }
    fn on_train_batch_end(
        &mut self,
        _: &mut CallbackContext,
        _: usize,
        _: &Logs,
    ) -> keras::Result<()> {
        if let Some(steps) = self.0.last_mut() {
            *steps += 1;
        }
        Ok(())
    }
}

fn sgd(loss: &str) -> Compile<AutoDevice> {
    Compile::new(SGD::new(0.05), loss)
}

impl<M: Model<Device = AutoDevice>> Case<M> {
    fn new(name: &str, mut model: M) -> keras::Result<Self> {
        let fixture = load("fits");
        let cases = fixture["cases"].as_array().expect("cases");
        let case = cases.iter().find(|case| case["name"] == name);
        let fixture = case.expect("the case is there").clone();
        model.set_weights(&tensors(&fixture["initial_weights"]))?;
        let Ok([x, number, label, w, v]) = <[ArrayD<f32>; 5]>::try_from(tensors(&fixture["data"]))
        else {
            panic!("{name} has five arrays");
        };
        Ok(Self {
            fixture,
            model,
            steps: Counter::default(),
            x,
            number,
            label,
            w,
            v,
        })
    }

    fn one_hot(&self) -> Array2<f32> {
        Array::from_shape_fn((self.label.len(), 3), |(row, class)| {
            f32::from(u8::from(self.label[[row, 0]] as usize == class))
        })
    }

    /// The data for `fit`, with its history held against Keras'.
    fn fit<'a>(&'a mut self, data: impl IntoData<'a>, fit: Fit<'a>) -> keras::Result<()> {
        let history = self.model.fit(
            data,
            fit.shuffle(false).verbose(0).callback(&mut self.steps),
        )?;
        let expected = self.fixture["history"].as_object().expect("a history");
        let mut names: Vec<&str> = history.names().collect();
        names.sort_unstable();
        assert_eq!(
            names,
            expected.keys().collect::<Vec<_>>(),
            "the names of the history"
        );
        for (name, values) in expected {
            let values = values.as_array().expect("values").iter().map(number);
            let values: Vec<f32> = values.collect();
            let found = history.get(name).expect("the name is there");
            assert_close(name, found, &values, RTOL, ATOL);
        }
        assert_eq!(
            Value::from(history.epochs().to_vec()),
            self.fixture["epochs"]
        );
        Ok(())
    }

    /// Holds the steps and the weights at the end against Keras'.
    fn done(self) {
        if let Some(steps) = self.fixture["steps"].as_array() {
            assert_eq!(
                &Vec::from_iter(self.steps.0.into_iter().map(Value::from)),
                steps
            );
        }
        let weights = self.model.get_weights();
        for (found, expected) in weights.iter().zip(tensors(&self.fixture["final_weights"])) {
            let flat = |array: &ArrayD<f32>| array.iter().copied().collect::<Vec<f32>>();
            assert_close("a weight", &flat(found), &flat(&expected), RTOL, ATOL);
        }
    }
}

/// Holds logs against Keras'.
fn assert_logs(found: &Logs, expected: &Value) {
    let expected = expected.as_object().expect("logs");
    assert_eq!(
        found.names().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    for (name, value) in found.iter() {
        assert_close(name, &[value], &[number(&expected[name])], RTOL, ATOL);
    }
}

fn rows(array: &ArrayD<f32>, rows: Range<usize>) -> ArrayD<f32> {
    array.slice_axis(Axis(0), Slice::from(rows)).to_owned()
}

#[test]
fn plain() -> keras::Result<()> {
    let mut case = Case::new("plain", Regression::new())?;
    case.model.compile(sgd("mse").metric("mae"))?;
    let (x, y) = (case.x.clone(), case.number.clone());
    case.fit((&x, &y), Fit::epochs(2).batch_size(5))?;
    let logs = case
        .model
        .evaluate((&x, &y), Evaluate::batch_size(7).verbose(0))?;
    assert_logs(&logs, &case.fixture["evaluate"]);
    case.done();
    Ok(())
}

#[test]
fn targets_of_rank_one() -> keras::Result<()> {
    let mut case = Case::new("targets_of_rank_one", Regression::new())?;
    case.model.compile(sgd("mae").metric("mse"))?;
    let (x, y) = (
        case.x.clone(),
        Array1::from_iter(case.number.iter().copied()),
    );
    case.fit((&x, &y), Fit::epochs(2))?;
    case.done();
    Ok(())
}

/// A regression whose `fit` has arguments of its own.
fn regression(name: &str, metrics: &[&str], fit: Fit<'static>) -> keras::Result<()> {
    let mut case = Case::new(name, Regression::new())?;
    case.model
        .compile(sgd("mse").metrics(metrics.iter().copied()))?;
    let (x, y) = (case.x.clone(), case.number.clone());
    case.fit((x, y), fit)?;
    case.done();
    Ok(())
}

#[test]
fn initial_epoch() -> keras::Result<()> {
    let fit = Fit::epochs(3).initial_epoch(1).batch_size(4);
    regression("initial_epoch", &[], fit)
}

#[test]
fn nothing_to_do() -> keras::Result<()> {
    regression("nothing_to_do", &[], Fit::epochs(2).initial_epoch(2))
}

#[test]
fn steps_go_on() -> keras::Result<()> {
    let fit = Fit::epochs(4).batch_size(4).steps_per_epoch(3);
    regression("steps_go_on", &["mae"], fit)
}

#[test]
fn more_steps_than_batches() -> keras::Result<()> {
    let fit = Fit::epochs(2).batch_size(4).steps_per_epoch(8);
    regression("more_steps_than_batches", &[], fit)
}

#[test]
fn validation_in_some_epochs() -> keras::Result<()> {
    let fit = Fit::epochs(4).validation_split(0.3).validation_freq([1, 4]);
    regression("validation_in_some_epochs", &[], fit)
}

/// Seven batches of two samples, from an iterator.
fn iterated(name: &str, fit: Fit<'static>) -> keras::Result<()> {
    let mut case = Case::new(name, Regression::new())?;
    case.model.compile(sgd("mse"))?;
    let (x, y) = (case.x.clone(), case.number.clone());
    let batches = (0..7).map(move |at| {
        let of = 2 * at..2 * at + 2;
        (rows(&x, of.clone()), rows(&y, of))
    });
    case.fit(Dataset::from_batches(batches), fit)?;
    case.done();
    Ok(())
}

#[test]
fn an_iterator() -> keras::Result<()> {
    iterated("an_iterator", Fit::epochs(2))
}

#[test]
fn steps_of_an_iterator() -> keras::Result<()> {
    iterated("steps_of_an_iterator", Fit::epochs(4).steps_per_epoch(3))
}

#[test]
fn validation_steps() -> keras::Result<()> {
    let mut case = Case::new("validation_steps", Regression::new())?;
    case.model.compile(sgd("mse").metric("mae"))?;
    let (x, y) = (case.x.clone(), case.number.clone());
    let fit = Fit::epochs(3)
        .batch_size(4)
        .validation((rows(&x, 10..18), rows(&y, 10..18)))
        .validation_steps(2)
        .validation_batch_size(3);
    case.fit((rows(&x, 0..10), rows(&y, 0..10)), fit)?;
    case.done();
    Ok(())
}

#[test]
fn validation_freq() -> keras::Result<()> {
    let mut case = Case::new("validation_freq", Regression::new())?;
    case.model.compile(sgd("mse"))?;
    let (x, y, w) = (case.x.clone(), case.number.clone(), case.w.clone());
    let validation = (rows(&x, 10..18), rows(&y, 10..18), rows(&w, 10..18));
    let fit = Fit::epochs(4)
        .initial_epoch(1)
        .validation(validation)
        .validation_freq(2);
    case.fit((&x, &y), fit)?;
    case.done();
    Ok(())
}

#[test]
fn sample_weights() -> keras::Result<()> {
    let mut case = Case::new("sample_weights", Regression::new())?;
    let compile = sgd("mse").metric("mse").weighted_metrics(["mse", "mae"]);
    case.model.compile(compile)?;
    let (x, y, w, v) = (
        case.x.clone(),
        case.number.clone(),
        case.w.clone(),
        case.v.clone(),
    );
    let fit = Fit::epochs(2)
        .batch_size(4)
        .sample_weight(&w)
        .validation_split(0.25);
    case.fit((&x, &y), fit)?;
    let evaluate = Evaluate::batch_size(4).sample_weight(&v).steps(3);
    let logs = case.model.evaluate((&x, &y), evaluate.verbose(0))?;
    assert_logs(&logs, &case.fixture["evaluate"]);
    case.done();
    Ok(())
}

#[test]
fn class_weights_of_labels() -> keras::Result<()> {
    let mut case = Case::new("class_weights_of_labels", Classifier::new())?;
    let compile = sgd("sparse_categorical_crossentropy")
        .metric("accuracy")
        .weighted_metric("accuracy");
    case.model.compile(compile)?;
    let (x, y) = (case.x.clone(), case.label.clone());
    let fit = Fit::epochs(2)
        .batch_size(4)
        .class_weight([(0, 0.5), (2, 3.0)]);
    case.fit((&x, &y), fit)?;
    case.done();
    Ok(())
}

#[test]
fn class_weights_of_probabilities() -> keras::Result<()> {
    let mut case = Case::new("class_weights_of_probabilities", Classifier::new())?;
    case.model
        .compile(sgd("categorical_crossentropy").metric("acc"))?;
    let (x, y) = (case.x.clone(), case.one_hot());
    let fit = Fit::epochs(2)
        .batch_size(4)
        .class_weight([(0, 0.5), (1, 2.0)]);
    case.fit((&x, &y), fit)?;
    case.done();
    Ok(())
}

#[test]
fn names_of_metrics() -> keras::Result<()> {
    let mut case = Case::new("names_of_metrics", Regression::new())?;
    let compile = sgd("mse")
        .metrics(["mse", "mse", "MSE", "mean_squared_error"])
        .metric(metrics::MeanSquaredError::new());
    case.model.compile(compile)?;
    let (x, y) = (case.x.clone(), case.number.clone());
    case.fit((&x, &y), Fit::epochs(1))?;
    assert_eq!(
        case.model.metrics_names(),
        [
            "loss",
            "mse",
            "mse_1",
            "MSE",
            "mean_squared_error",
            "mean_squared_error_1"
        ]
    );
    case.done();
    Ok(())
}

#[test]
fn names_of_weighted_metrics() -> keras::Result<()> {
    let mut case = Case::new("names_of_weighted_metrics", TwoOutputs::new())?;
    let losses = Losses::in_order(["mse", "sparse_categorical_crossentropy"]);
    let compile = Compile::new(SGD::new(0.05), losses)
        .metrics_in_order([vec!["mse", "mse"], vec!["acc"]])
        .weighted_metrics_in_order([vec!["mse", "mse", "mae"], vec!["acc"]]);
    case.model.compile(compile)?;
    let (x, a, b) = (case.x.clone(), case.number.clone(), case.label.clone());
    let weights = (case.w.clone(), case.v.clone());
    case.fit((&x, (&a, &b)), Fit::epochs(1).sample_weight(weights))?;
    case.done();
    Ok(())
}

#[test]
fn metrics_of_every_kind() -> keras::Result<()> {
    let mut case = Case::new("metrics_of_every_kind", Regression::new())?;
    let compile = sgd("mse")
        .metric(MeanSquaredError::new())
        .metric(Huber::new().name("huber"))
        .metric(metrics::MeanSquaredError::new().name("per_sample"))
        .metrics([
            "log_cosh_error",
            "mape",
            "msle",
            "r2_score",
            "poisson",
            "hinge",
            "RootMeanSquaredError",
        ])
        .metric(PearsonCorrelation::new().axis(0))
        .metric(metrics::CosineSimilarity::new().axis(0));
    case.model.compile(compile)?;
    let (x, y) = (case.x.clone(), case.number.clone());
    case.fit((&x, &y), Fit::epochs(2).batch_size(4))?;
    let logs = case
        .model
        .evaluate((&x, &y), Evaluate::batch_size(7).verbose(0))?;
    assert_logs(&logs, &case.fixture["evaluate"]);
    case.done();
    Ok(())
}

#[test]
fn metrics_of_classes() -> keras::Result<()> {
    let mut case = Case::new("metrics_of_classes", Classifier::new())?;
    let names = [
        "kl_divergence",
        "categorical_hinge",
        "cosine_similarity",
        "pearson_correlation",
        "squared_hinge",
        "auc",
    ];
    let compile = sgd("categorical_crossentropy")
        .metrics(names)
        .metric(AUC::new().curve("PR").name("pr"))
        .metric(F1Score::new().average("macro"))
        .metric(OneHotMeanIoU::new(3).name("iou").dtype("float32"))
        .metric(Precision::new().top_k(1).name("precise"))
        .metric(RecallAtPrecision::new(0.4).name("recalled"))
        .weighted_metrics(names)
        .weighted_metric("precision");
    case.model.compile(compile)?;
    let (x, y, w, v) = (
        case.x.clone(),
        case.one_hot(),
        case.w.clone(),
        case.v.clone(),
    );
    case.fit((&x, &y), Fit::epochs(2).batch_size(4).sample_weight(&w))?;
    let evaluate = Evaluate::batch_size(7).verbose(0).sample_weight(&v);
    let logs = case.model.evaluate((&x, &y), evaluate)?;
    assert_logs(&logs, &case.fixture["evaluate"]);
    case.done();
    Ok(())
}

#[test]
fn losses_of_two_outputs() -> keras::Result<()> {
    let mut case = Case::new("losses_of_two_outputs", TwoOutputs::new())?;
    let losses = Losses::by_output([("b", "categorical_crossentropy"), ("a", "mae")]);
    let compile = Compile::new(SGD::new(0.05), losses)
        .loss_weights([("a", 2.0), ("b", 0.5)])
        .metric_for("a", "mae")
        .metrics_for("b", ["acc", "mse"])
        .weighted_metric_for("b", "mse");
    case.model.compile(compile)?;
    let (x, a, b, w) = (
        case.x.clone(),
        case.number.clone(),
        case.one_hot(),
        case.w.clone(),
    );
    case.fit(
        (&x, (&a, &b)),
        Fit::epochs(2).batch_size(4).sample_weight(&w),
    )?;
    let logs = case
        .model
        .evaluate((&x, (&a, &b)), Evaluate::batch_size(4).verbose(0))?;
    assert_logs(&logs, &case.fixture["evaluate"]);
    case.done();
    Ok(())
}

#[test]
fn weights_of_two_outputs() -> keras::Result<()> {
    let mut case = Case::new("weights_of_two_outputs", TwoOutputs::new())?;
    let losses = Losses::in_order(["mse", "categorical_crossentropy"]);
    let compile = Compile::new(SGD::new(0.05), losses).loss_weights([1.0, 3.0]);
    case.model.compile(compile)?;
    let (x, a, b) = (case.x.clone(), case.number.clone(), case.one_hot());
    let weights = (case.w.clone(), case.v.clone());
    let fit = Fit::epochs(2).batch_size(4).sample_weight(weights);
    case.fit((&x, (&a, &b)), fit)?;
    case.done();
    Ok(())
}

#[test]
fn one_loss_of_two() -> keras::Result<()> {
    let mut case = Case::new("one_loss_of_two", TwoNamed::new())?;
    let losses = Losses::by_output([("a", "mse")]);
    let compile = Compile::new(SGD::new(0.05), losses).metric_for("b", "mse");
    case.model.compile(compile)?;
    let (x, a, b) = (
        case.x.clone(),
        case.number.clone(),
        case.one_hot().into_dyn(),
    );
    let fit = Fit::epochs(2).batch_size(4);
    case.fit((&x, [("b", &b), ("a", &a)]), fit)?;
    case.done();
    Ok(())
}

#[test]
fn several_steps_in_one() -> keras::Result<()> {
    let mut case = Case::new("several_steps_in_one", Regression::new())?;
    case.model
        .compile(sgd("mse").metric("mae").steps_per_execution(3))?;
    let (x, y) = (case.x.clone(), case.number.clone());
    case.fit((&x, &y), Fit::epochs(2).batch_size(4))?;
    case.done();
    Ok(())
}

#[test]
fn compiled_again() -> keras::Result<()> {
    let mut case = Case::new("compiled_again", Regression::new())?;
    let (x, y) = (case.x.clone(), case.number.clone());
    let once = || Fit::epochs(1).verbose(0).shuffle(false);
    let momentum = |rate| SGD::new(rate).momentum(0.9);
    case.model
        .compile(Compile::new(momentum(0.05), "mse").metric("mae"))?;
    case.model.fit((&x, &y), once())?;
    case.model.compile(Compile::new(momentum(0.02), "mae"))?;
    let history = case.model.fit((&x, &y), once())?;
    assert!(history.get("mae").is_some(), "the old metrics are kept");
    case.model.compile(Compile::again().metric("mse"))?;
    case.fit((&x, &y), Fit::epochs(2).batch_size(5))?;
    case.done();
    Ok(())
}

#[test]
fn one_batch_at_a_time() -> keras::Result<()> {
    let mut case = Case::new("one_batch_at_a_time", Classifier::new())?;
    let compile = sgd("sparse_categorical_crossentropy")
        .metric("accuracy")
        .weighted_metric("accuracy");
    case.model.compile(compile)?;
    let Case {
        model,
        fixture,
        x,
        label,
        w,
        v,
        ..
    } = &mut case;
    let (x, label, w, v, values) = (&*x, &*label, &*w, &*v, &fixture["values"]);
    for (at, of) in [0..5, 5..12].into_iter().enumerate() {
        let part = |array| rows(array, of.clone());
        let logs = model.train_on_batch((part(x), part(label), part(w)))?;
        assert_logs(&logs, &values[at]);
    }
    let weighted = OnBatch::new().class_weight([(1, 2.5)]);
    let logs = model.train_on_batch_with((x, label), weighted)?;
    assert_logs(&logs, &values[2]);
    assert_logs(&model.test_on_batch((x, label, v))?, &values[3]);
    assert_logs(&model.test_on_batch((x, label))?, &values[4]);
    let running = || OnBatch::new().reset_metrics(false);
    let again = model.test_on_batch_with((x, label), running())?;
    assert_logs(&again, &values[4]);
    case.done();
    Ok(())
}

#[test]
fn predictions() -> keras::Result<()> {
    let mut case = Case::new("predictions", TwoOutputs::new())?;
    let found = case
        .model
        .predict_all(&case.x, Predict::batch_size(4).steps(2))?;
    let expected = tensors(&case.fixture["values"]);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.shape(), expected.shape());
        let flat = |array: &ArrayD<f32>| array.iter().copied().collect::<Vec<f32>>();
        assert_close("a prediction", &flat(found), &flat(expected), RTOL, ATOL);
    }
    case.done();
    Ok(())
}
