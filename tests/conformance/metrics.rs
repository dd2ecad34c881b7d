//! Metrics on their own: the results after each update, and what is said about wrong arguments.

use keras::device::Cpu;
use keras::metrics::{
    self, AUC, Accuracy, BinaryAccuracy, BinaryCrossentropy, BinaryIoU, CategoricalAccuracy,
    CategoricalCrossentropy, CategoricalHinge, ConcordanceCorrelation, CosineSimilarity, F1Score,
    FBetaScore, FalseNegatives, FalsePositives, Hinge, IoU, KLDivergence, LogCoshError, Mean,
    MeanAbsoluteError, MeanAbsolutePercentageError, MeanIoU, MeanMetricWrapper, MeanSquaredError,
    MeanSquaredLogarithmicError, Metric, MetricInput, OneHotIoU, OneHotMeanIoU, PearsonCorrelation,
    Poisson, Precision, PrecisionAtRecall, R2Score, Recall, RecallAtPrecision,
    RootMeanSquaredError, SensitivityAtSpecificity, SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy, SpecificityAtSensitivity,
    SquaredHinge, Sum, ThresholdList, TopKCategoricalAccuracy, TrueNegatives, TruePositives,
};
use keras::shape::Shape;
use ndarray::ArrayD;
use serde_json::{Map, Value};

use crate::fixture::{assert_close, load, number, tensor};

/// A metric of any class, for its use without a model.
trait Alone {
    fn update(&mut self, update: &Value) -> keras::Result<()>;
    fn results(&self) -> Vec<f32>;
    fn reset(&mut self);
    /// The same metric after these updates, counted in two parts and put together.
    fn merged(&self, updates: &[Value]) -> keras::Result<Vec<f32>>;
}

macro_rules! alone {
    ($($ty:ident),*) => {$(
        impl Alone for $ty {
            fn update(&mut self, update: &Value) -> keras::Result<()> {
                let weight = weight(update);
                self.update_state(&tensor(&update["y_true"]), &tensor(&update["y_pred"]), weight.as_ref())
            }

            fn results(&self) -> Vec<f32> {
                self.results()
            }

            fn reset(&mut self) {
                self.reset_state();
            }

            fn merged(&self, updates: &[Value]) -> keras::Result<Vec<f32>> {
                let [mut first, mut second] = [self.clone(), self.clone()];
                for (at, update) in updates.iter().enumerate() {
                    if at == 0 { &mut second } else { &mut first }.update(update)?;
                }
                first.merge_state(&second)?;
                Ok(first.results())
            }
        }
    )*};
}

macro_rules! alone_with_values {
    ($($ty:ident),*) => {$(
        impl Alone for $ty {
            fn update(&mut self, update: &Value) -> keras::Result<()> {
                self.update_state(&tensor(&update["values"]), weight(update).as_ref())
            }

            fn results(&self) -> Vec<f32> {
                vec![self.result()]
            }

            fn reset(&mut self) {
                self.reset_state();
            }

            fn merged(&self, updates: &[Value]) -> keras::Result<Vec<f32>> {
                let mut metric = self.clone();
                updates.iter().try_for_each(|update| metric.update(update))?;
                Ok(metric.results())
            }
        }
    )*};
}

alone_with_values!(Mean, Sum);

/// How arguments are read from a configuration.
mod read {
    use super::*;

    pub fn float(value: &Value) -> f32 {
        number(value)
    }

    pub fn count(value: &Value) -> usize {
        value.as_u64().expect("a count") as usize
    }

    pub fn class(value: &Value) -> i32 {
        value.as_i64().expect("a class") as i32
    }

    pub fn axis(value: &Value) -> isize {
        value.as_i64().expect("an axis") as isize
    }

    pub fn flag(value: &Value) -> bool {
        value.as_bool().expect("a flag")
    }

    pub fn text(value: &Value) -> &str {
        value.as_str().expect("a text")
    }

    pub fn choice(value: &Value) -> Option<&str> {
        value.as_str()
    }

    pub fn floats(value: &Value) -> Vec<f32> {
        value
            .as_array()
            .expect("a list")
            .iter()
            .map(number)
            .collect()
    }

    pub fn thresholds(value: &Value) -> ThresholdList {
        if value.is_array() {
            floats(value).into()
        } else {
            number(value).into()
        }
    }

    pub fn counts(value: &Value) -> Vec<usize> {
        value
            .as_array()
            .expect("a list")
            .iter()
            .map(count)
            .collect()
    }
}

/// Makes the metric of a class, with its required arguments and its other ones.
macro_rules! table {
    ($($ty:ident($($required:ident: $required_as:ident),*) { $($key:ident: $as:ident),* })*) => {
        alone!($($ty),*);

        fn build(class: &str, config: &Map<String, Value>) -> Box<dyn Alone> {
            match class {
                "Mean" => Box::new(Mean::new()),
                "Sum" => Box::new(Sum::new()),
                $(stringify!($ty) => {
                    let mut metric = $ty::new($(read::$required_as(&config[stringify!($required)])),*);
                    for (key, value) in config {
                        metric = match key.as_str() {
                            "dtype" => metric.dtype(read::text(value)),
                            $(stringify!($key) => metric.$key(read::$as(value)),)*
                            $(stringify!($required) => metric,)*
                            key => panic!("{class} has no argument `{key}` here"),
                        };
                    }
                    Box::new(metric)
                })*
                _ => panic!("a metric of Keras that is missing here: {class}"),
            }
        }
    };
}

table! {
    Accuracy() {}
    BinaryAccuracy() { threshold: float }
    CategoricalAccuracy() {}
    SparseCategoricalAccuracy() {}
    TopKCategoricalAccuracy() { k: count }
    SparseTopKCategoricalAccuracy() { k: count, from_sorted_ids: flag }
    MeanSquaredError() {}
    MeanAbsoluteError() {}
    MeanAbsolutePercentageError() {}
    MeanSquaredLogarithmicError() {}
    RootMeanSquaredError() {}
    LogCoshError() {}
    CosineSimilarity() { axis: axis }
    PearsonCorrelation() { axis: axis }
    ConcordanceCorrelation() { axis: axis }
    Hinge() {}
    SquaredHinge() {}
    CategoricalHinge() {}
    Poisson() {}
    KLDivergence() {}
    R2Score() { class_aggregation: choice, num_regressors: count }
    BinaryCrossentropy() { from_logits: flag, label_smoothing: float }
    CategoricalCrossentropy() { from_logits: flag, label_smoothing: float, axis: axis }
    SparseCategoricalCrossentropy() { from_logits: flag, ignore_class: class, axis: axis }
    AUC() {
        num_thresholds: count, thresholds: thresholds, curve: text, summation_method: text,
        multi_label: flag, num_labels: count, label_weights: floats, from_logits: flag
    }
    Precision() { thresholds: thresholds, top_k: count, class_id: count }
    Recall() { thresholds: thresholds, top_k: count, class_id: count }
    TruePositives() { thresholds: thresholds }
    TrueNegatives() { thresholds: thresholds }
    FalsePositives() { thresholds: thresholds }
    FalseNegatives() { thresholds: thresholds }
    SensitivityAtSpecificity(specificity: float) { num_thresholds: count, class_id: count }
    SpecificityAtSensitivity(sensitivity: float) { num_thresholds: count, class_id: count }
    PrecisionAtRecall(recall: float) { num_thresholds: count, class_id: count }
    RecallAtPrecision(precision: float) { num_thresholds: count, class_id: count }
    F1Score() { average: choice, threshold: float }
    FBetaScore() { average: choice, threshold: float, beta: float }
    IoU(num_classes: count, target_class_ids: counts) {
        ignore_class: class, sparse_y_true: flag, sparse_y_pred: flag
    }
    MeanIoU(num_classes: count) { ignore_class: class, sparse_y_true: flag, sparse_y_pred: flag }
    OneHotIoU(num_classes: count, target_class_ids: counts) { ignore_class: class, sparse_y_pred: flag }
    OneHotMeanIoU(num_classes: count) { ignore_class: class, sparse_y_pred: flag }
    BinaryIoU() { target_class_ids: counts, threshold: float }
}

/// The numbers of a result: one, or a list.
fn results(value: &Value) -> Vec<f32> {
    match value.as_array() {
        Some(values) => values.iter().map(number).collect(),
        None => vec![number(value)],
    }
}

/// Holds the results after each update against Keras'.
fn replay(case: &Value, metric: &mut dyn Alone) {
    let name = case["name"].as_str().expect("a name");
    let updates = case["updates"].as_array().expect("updates");
    let expected = case["results"].as_array().expect("results");
    let initial = match case.get("initial") {
        None => Some(vec![0.0]),
        Some(Value::Null) => None,
        Some(initial) => Some(results(initial)),
    };
    let close = |what: &str, found: &[f32], expected: &[f32]| {
        assert_close(&format!("{name} {what}"), found, expected, 1e-5, 1e-6);
    };
    // Twice, to see that nothing is left behind.
    for _ in 0..2 {
        if let Some(initial) = &initial {
            close("before any update", &metric.results(), initial);
        }
        for (update, expected) in updates.iter().zip(expected) {
            metric
                .update(update)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            close("after an update", &metric.results(), &results(expected));
        }
        metric.reset();
    }
    let merged = metric
        .merged(updates)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    close(
        "after a merge",
        &merged,
        &results(&expected[expected.len() - 1]),
    );
}

#[test]
fn metrics_are_those_of_keras() {
    let mut count = 0;
    for fixture in ["metrics", "scores"] {
        let fixture = load(fixture);
        for case in fixture["cases"].as_array().expect("cases") {
            count += 1;
            let class = case["class"].as_str().expect("a class");
            if class == "accuracy_resolution" {
                resolves(case);
                continue;
            }
            let mut metric = build(class, case["config"].as_object().expect("a configuration"));
            let Some(error) = case["error"].as_str() else {
                replay(case, &mut *metric);
                continue;
            };
            let update = serde_json::json!({
                "y_true": { "shape": [2, 1], "values": [0, 1] },
                "y_pred": { "shape": [2, 1], "values": [0, 1] },
            });
            let found = metric.update(&update).unwrap_err().to_string();
            assert_eq!(found, error, "{}", case["name"]);
        }
    }
    assert!(count > 400, "only {count} cases");
}

/// The weights of an update, if it has any.
fn weight(update: &Value) -> Option<ArrayD<f32>> {
    let weight = &update["sample_weight"];
    (!weight.is_null()).then(|| tensor(weight))
}

/// Holds what a name means for targets and predictions of these shapes against what Keras takes it
/// for: both count the same.
fn resolves(case: &Value) {
    let dims = |key: &str| -> Vec<usize> {
        let dims = case[key].as_array().expect("a shape").iter();
        dims.map(|dim| dim.as_u64().expect("a size") as usize)
            .collect()
    };
    let (y_true, y_pred) = (dims("y_true_shape"), dims("y_pred_shape"));
    let name = case["config"]["metric"].as_str().expect("a name");
    let shapes = (Shape::new(&y_true[1..]), Shape::new(&y_pred[1..]));
    let found = metrics::by_name::<Cpu>(name, &shapes.0, &shapes.1).expect("a known name");
    assert_eq!(Some(found.name()), case["resolved_name"].as_str());
    let expected = case["resolved"].as_str().expect("a class");
    let expected = metrics::by_name::<Cpu>(expected, &shapes.0, &shapes.1).expect("a known class");
    let count = |metric: &dyn Metric<Cpu>| {
        metric
            .check(&shapes.0, &shapes.1)
            .expect("shapes that Keras takes");
        let y_true: Vec<f32> = (0..y_true.iter().product())
            .map(|i| (i % 2) as f32)
            .collect();
        let size = y_pred.iter().product();
        let y_pred: Vec<f32> = (0..size).map(|i| ((i * 37 % 11) as f32) / 10.0).collect();
        let mut state = [0.0; 2];
        metric
            .update(MetricInput {
                device: &Cpu::default(),
                batch: 8,
                y_true: &y_true,
                y_true_shape: shapes.0,
                y_pred: &y_pred,
                y_pred_shape: shapes.1,
                sample_weight: None,
                weights_per_sample: 1,
                state: &mut state,
            })
            .expect("an update");
        state
    };
    assert_eq!(count(&*found), count(&*expected), "{}", case["name"]);
}

/// Without the number of a metric that is not the first of its class.
fn first(name: &str) -> &str {
    match name.rsplit_once('_') {
        Some((class, number)) if number.parse::<usize>().is_ok() => class,
        _ => name,
    }
}

#[test]
fn every_name_of_keras_makes_what_it_makes_there() {
    let fixture = load("metric_names");
    let cases = fixture["cases"].as_array().expect("cases");
    let (y_true, y_pred) = (Shape::new(&[10]), Shape::new(&[10]));
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let found = metrics::by_name::<Cpu>(name, &y_true, &y_pred);
        match (name, case["metric_name"].as_str()) {
            // In `compile` this is one of several: see `resolves`.
            ("accuracy" | "Accuracy", _) => assert!(found.is_ok(), "{name}"),
            // The base class, and what takes values: Keras makes them, and fails at the first batch.
            ("Metric" | "metric" | "Mean" | "mean" | "Sum" | "sum", _) | (_, None) => {
                assert!(found.is_err(), "{name}");
            }
            (_, Some(expected)) => {
                let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(first(found.name()), expected, "{name}");
            }
        }
    }
    assert!(cases.len() > 100, "only {} names", cases.len());
}

#[test]
fn metrics_of_a_class_are_numbered() {
    let metric = || MeanMetricWrapper::new(|_, y_pred| Ok(y_pred.clone()));
    let names = [(); 3].map(|()| Metric::<Cpu>::name(&metric()).to_owned());
    let expected = [
        "mean_metric_wrapper",
        "mean_metric_wrapper_1",
        "mean_metric_wrapper_2",
    ];
    assert_eq!(names, expected);
    // One with a name of its own takes no number.
    assert_eq!(Metric::<Cpu>::name(&metric().name("mine")), "mine");
    assert_eq!(Metric::<Cpu>::name(&metric()), "mean_metric_wrapper_3");
}

#[test]
fn what_makes_no_metric_says_why() {
    let shape = Shape::new(&[3]);
    let sentence = |name: &str| {
        let found = metrics::by_name::<Cpu>(name, &shape, &shape);
        found.map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(
        sentence("MeanIoU"),
        "The metric `MeanIoU` needs arguments, so its name alone is not enough. Expected MeanIoU::new(num_classes). \
         Received: MeanIoU"
    );
    assert_eq!(
        sentence("mean"),
        "The metric `mean` takes values, and not targets and predictions, so it cannot be one of those of `compile`. \
         Expected Mean::new() with `update_state(values)`, or `add_metric` in a model. Received: mean"
    );
}

#[test]
fn names_are_those_of_keras() {
    let (y_true, y_pred) = (Shape::new(&[1]), Shape::new(&[10]));
    let name =
        |name: &str| metrics::by_name::<Cpu>(name, &y_true, &y_pred).map(|m| m.name().to_owned());
    assert_eq!(name("mse").as_deref(), Ok("mean_squared_error"));
    assert_eq!(name("AcC").as_deref(), Ok("AcC"));
    let top_k = "sparse_top_k_categorical_accuracy";
    assert_eq!(name(top_k).as_deref(), Ok(top_k));
    let error = name("acuracy").unwrap_err().to_string();
    let expected = "Could not interpret metric identifier: acuracy. Did you mean `accuracy`?";
    assert_eq!(error, expected);
    assert_eq!(BinaryAccuracy::new().name("hits").reset_state(), ());
}

#[test]
fn directions_are_those_of_keras() {
    let fixture = load("directions");
    let cases = fixture["cases"].as_array().expect("cases");
    assert!(cases.len() > 30, "only {} cases", cases.len());
    let shape = Shape::new(&[3]);
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let metric = metrics::by_name::<Cpu>(name, &shape, &shape);
        let metric = metric.unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = match case["direction"].as_str() {
            Some("up") => metrics::Direction::Up,
            Some("down") => metrics::Direction::Down,
            _ => metrics::Direction::None,
        };
        assert_eq!(metric.direction(), expected, "{name}");
    }
}
