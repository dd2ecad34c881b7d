//! Losses: the value of a batch and its gradient.

use keras::device::{Cpu, Memory};
use keras::losses::{
    self, BinaryCrossentropy, CategoricalCrossentropy, Loss, LossInput, MeanAbsoluteError,
    MeanSquaredError, Reduction, SparseCategoricalCrossentropy,
};
use keras::shape::Shape;
use ndarray::ArrayD;
use serde_json::Value;

use crate::fixture::{assert_close, load, number, tensor};

#[test]
fn losses_and_their_gradients_are_those_of_keras() {
    let cases = load("losses");
    let cases = cases["cases"].as_array().expect("cases");
    assert!(cases.len() > 100, "only {} cases", cases.len());
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let loss = loss(case);
        let (y_true, y_pred) = (tensor(&case["y_true"]), tensor(&case["y_pred"]));
        let weight = (!case["sample_weight"].is_null()).then(|| tensor(&case["sample_weight"]));
        let (value, gradient) = compute(&*loss, &y_true, &y_pred, weight.as_ref());
        assert_close(name, &[value], &[number(&case["value"])], 1e-5, 1e-6);
        let mut expected = tensor(&case["gradient"]);
        if case["class"] == "MeanAbsoluteError" && y_true.shape() == y_pred.shape() {
            // The derivative of |x| at 0 is 0 on TensorFlow and here; JAX, which made the fixtures,
            // has 1.
            let difference = &y_pred - &y_true;
            expected.zip_mut_with(&difference, |d, &difference| {
                if difference == 0.0 {
                    *d = 0.0;
                }
            });
        }
        assert_close(
            &format!("gradient of {name}"),
            &gradient,
            expected.as_slice().expect("contiguous"),
            1e-5,
            1e-6,
        );
    }
}

#[test]
fn the_value_alone_is_the_same_as_with_the_gradient() {
    for case in load("losses")["cases"].as_array().expect("cases") {
        let loss = loss(case);
        let (y_true, y_pred) = (tensor(&case["y_true"]), tensor(&case["y_pred"]));
        let (value, _) = compute(&*loss, &y_true, &y_pred, None);
        let mut alone = [0.0];
        loss.compute(LossInput {
            gradient: None,
            ..input(&y_true, &y_pred, None, &mut alone)
        });
        let alone = alone[0] / y_pred.shape()[0] as f32;
        assert_close(&case["name"].to_string(), &[alone], &[value], 1e-6, 1e-7);
    }
}

/// The loss of a batch and its gradient with regard to the predictions.
fn compute(
    loss: &dyn Loss<Cpu>,
    y_true: &ArrayD<f32>,
    y_pred: &ArrayD<f32>,
    weight: Option<&ArrayD<f32>>,
) -> (f32, Vec<f32>) {
    let (mut sums, mut gradient) = ([0.0], vec![f32::NAN; y_pred.len()]);
    let input = input(y_true, y_pred, weight, &mut sums);
    loss.check(&input.y_true_shape, &input.y_pred_shape)
        .expect("shapes that Keras takes");
    loss.compute(LossInput {
        gradient: Some(&mut gradient),
        ..input
    });
    (sums[0] / y_pred.shape()[0] as f32, gradient)
}

fn input<'a>(
    y_true: &'a ArrayD<f32>,
    y_pred: &'a ArrayD<f32>,
    weight: Option<&'a ArrayD<f32>>,
    sums: <Cpu as Memory>::SliceMut<'a>,
) -> LossInput<'a, Cpu> {
    static DEVICE: std::sync::LazyLock<Cpu> = std::sync::LazyLock::new(Cpu::default);
    let batch = y_pred.shape()[0];
    LossInput {
        device: &DEVICE,
        batch,
        y_true: y_true.as_slice().expect("contiguous"),
        y_true_shape: Shape::new(&y_true.shape()[1..]),
        y_pred: y_pred.as_slice().expect("contiguous"),
        y_pred_shape: Shape::new(&y_pred.shape()[1..]),
        logits: None,
        sample_weight: weight.map(|weight| weight.as_slice().expect("contiguous")),
        weights_per_sample: weight.map_or(1, |weight| weight.len() / batch),
        gradient: None,
        weight: 1.0,
        sums,
    }
}

/// The loss of a case, with every argument of its configuration.
fn loss(case: &Value) -> Box<dyn Loss<Cpu>> {
    let config = case["config"].as_object().expect("a configuration");
    let mut known = 0;
    let mut argument = |key: &str| {
        let value = config.get(key);
        known += usize::from(value.is_some());
        value
    };
    let from_logits = argument("from_logits").is_some_and(|value| value == true);
    let smoothing = argument("label_smoothing").map_or(0.0, number);
    let ignored = argument("ignore_class").map(|class| class.as_i64().expect("a class") as i32);
    let reduction = match argument("reduction").map(|value| value.as_str().expect("a word")) {
        None | Some("sum_over_batch_size") => Reduction::SumOverBatchSize,
        Some("sum") => Reduction::Sum,
        Some("mean_with_sample_weight") => Reduction::MeanWithSampleWeight,
        Some(other) => panic!("reduction {other}"),
    };
    assert_eq!(known, config.len(), "arguments of {}", case["name"]);
    match case["class"].as_str().expect("a class") {
        "MeanSquaredError" => Box::new(MeanSquaredError::new().reduction(reduction)),
        "MeanAbsoluteError" => Box::new(MeanAbsoluteError::new().reduction(reduction)),
        "BinaryCrossentropy" => Box::new(
            BinaryCrossentropy::new()
                .from_logits(from_logits)
                .label_smoothing(smoothing)
                .reduction(reduction),
        ),
        "CategoricalCrossentropy" => Box::new(
            CategoricalCrossentropy::new()
                .from_logits(from_logits)
                .label_smoothing(smoothing)
                .reduction(reduction),
        ),
        "SparseCategoricalCrossentropy" => {
            let loss = SparseCategoricalCrossentropy::new()
                .from_logits(from_logits)
                .reduction(reduction);
            Box::new(match ignored {
                Some(class) => loss.ignore_class(class),
                None => loss,
            })
        }
        other => panic!("a loss of Keras that is missing here: {other}"),
    }
}

#[test]
fn names_are_those_of_keras() {
    for (name, expected) in [
        ("mse", "mean_squared_error"),
        ("MAE", "mean_absolute_error"),
        ("bce", "binary_crossentropy"),
        ("CategoricalCrossentropy", "categorical_crossentropy"),
        (
            "sparse_categorical_crossentropy",
            "sparse_categorical_crossentropy",
        ),
    ] {
        let loss = losses::by_name::<Cpu>(name).expect("a known name");
        assert_eq!(loss.name(), expected);
    }
    let error = losses::by_name::<Cpu>("sparse_categorical_crossentrop").err();
    let expected = "Could not interpret loss identifier: sparse_categorical_crossentrop. Did you mean \
                    `sparse_categorical_crossentropy`?";
    assert_eq!(
        error.map(|error| error.to_string()).as_deref(),
        Some(expected)
    );
}
