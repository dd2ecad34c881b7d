//! Metrics on their own: the result after each update.

use keras::device::Cpu;
use keras::metrics::{
    self, Accuracy, BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy,
    CategoricalCrossentropy, Mean, MeanAbsoluteError, MeanSquaredError, Metric, MetricInput,
    RootMeanSquaredError, SparseCategoricalAccuracy, SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy, Sum, TopKCategoricalAccuracy,
};
use keras::shape::Shape;
use ndarray::ArrayD;
use serde_json::Value;

use crate::fixture::{assert_close, load, number, tensor};

/// Holds the result after each update against Keras'.
macro_rules! replay {
    ($case:ident, $metric:expr) => {
        replay!($case, $metric, |metric, update, weight| {
            metric.update_state(
                &tensor(&update["y_true"]),
                &tensor(&update["y_pred"]),
                weight,
            )
        })
    };
    ($case:ident, $metric:expr, |$m:ident, $update:ident, $weight:ident| $updated:expr) => {{
        let (mut $m, name) = ($metric, $case["name"].as_str().expect("a name"));
        let updates = $case["updates"].as_array().expect("updates");
        let results = $case["results"].as_array().expect("results");
        assert_eq!($m.result(), 0.0, "{name} before any update");
        // Twice, to see that nothing is left behind.
        for _ in 0..2 {
            for ($update, result) in updates.iter().zip(results) {
                let $weight = weight($update);
                let $weight = $weight.as_ref();
                $updated.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_close(name, &[$m.result()], &[number(result)], 1e-5, 1e-6);
            }
            $m.reset_state();
            assert_eq!($m.result(), 0.0, "{name} after reset_state");
        }
    }};
}

#[test]
fn metrics_are_those_of_keras() {
    let cases = load("metrics");
    let cases = cases["cases"].as_array().expect("cases");
    assert!(cases.len() > 100, "only {} cases", cases.len());
    for case in cases {
        let config = case["config"].as_object().expect("a configuration");
        let from_logits = config.get("from_logits").is_some_and(|value| value == true);
        let smoothing = config.get("label_smoothing").map_or(0.0, number);
        let threshold = config.get("threshold").map_or(0.5, number);
        let k = config
            .get("k")
            .map_or(5, |k| k.as_u64().expect("k") as usize);
        match case["class"].as_str().expect("a class") {
            "Accuracy" => replay!(case, Accuracy::new()),
            "BinaryAccuracy" => replay!(case, BinaryAccuracy::new().threshold(threshold)),
            "CategoricalAccuracy" => replay!(case, CategoricalAccuracy::new()),
            "SparseCategoricalAccuracy" => replay!(case, SparseCategoricalAccuracy::new()),
            "TopKCategoricalAccuracy" => replay!(case, TopKCategoricalAccuracy::new().k(k)),
            "SparseTopKCategoricalAccuracy" => {
                replay!(case, SparseTopKCategoricalAccuracy::new().k(k));
            }
            "MeanSquaredError" => replay!(case, MeanSquaredError::new()),
            "MeanAbsoluteError" => replay!(case, MeanAbsoluteError::new()),
            "RootMeanSquaredError" => replay!(case, RootMeanSquaredError::new()),
            "BinaryCrossentropy" => {
                let metric = BinaryCrossentropy::new().from_logits(from_logits);
                replay!(case, metric.label_smoothing(smoothing));
            }
            "CategoricalCrossentropy" => {
                let metric = CategoricalCrossentropy::new().from_logits(from_logits);
                replay!(case, metric.label_smoothing(smoothing));
            }
            "SparseCategoricalCrossentropy" => {
                let metric = SparseCategoricalCrossentropy::new();
                replay!(case, metric.from_logits(from_logits));
            }
            "Mean" => replay!(case, Mean::new(), |metric, update, weight| {
                metric.update_state(&tensor(&update["values"]), weight)
            }),
            "Sum" => replay!(case, Sum::new(), |metric, update, weight| {
                metric.update_state(&tensor(&update["values"]), weight)
            }),
            "accuracy_resolution" => resolves(case),
            other => panic!("a metric of Keras that is missing here: {other}"),
        }
    }
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
