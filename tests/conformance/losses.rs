//! Losses: the values of a batch, what they are reduced to, and its gradient.

use keras::config::{Config, Json};
use keras::device::{Cpu, Device, Emulated};
use keras::losses::{self, Loss, LossInput};
use keras::shape::Shape;
use ndarray::ArrayD;
use serde_json::Value;

use crate::fixture::{assert_close, load, number, tensor};

/// Calls `check` with every case of both fixtures.
fn for_each(check: impl Fn(&str, &Case)) {
    for (fixture, least) in [("losses", 100), ("more_losses", 380)] {
        let cases = load(fixture);
        let cases = cases["cases"].as_array().expect("cases");
        assert!(cases.len() > least, "only {} cases", cases.len());
        for case in cases {
            check(case["name"].as_str().expect("a name"), &Case::new(case));
        }
    }
}

/// A case of a fixture.
struct Case {
    class: String,
    loss: Box<dyn Loss<Cpu>>,
    on_gpu: Box<dyn Loss<Emulated>>,
    y_true: ArrayD<f32>,
    y_pred: ArrayD<f32>,
    weight: Option<ArrayD<f32>>,
    /// None without a reduction.
    value: Option<f32>,
    values: Option<ArrayD<f32>>,
    gradient: ArrayD<f32>,
}

impl Case {
    fn new(case: &Value) -> Self {
        let optional = |key: &str| (!case[key].is_null()).then(|| tensor(&case[key]));
        let class = case["class"].as_str().expect("a class");
        let json = Json::parse(&case["config"].to_string()).expect("JSON");
        let config = Config {
            config: json.as_object().expect("a configuration").clone(),
            ..Config::keras("keras.losses", class)
        };
        Self {
            class: class.into(),
            loss: losses::from_config(&config).expect("a loss of Keras"),
            on_gpu: losses::from_config(&config).expect("a loss of Keras"),
            y_true: tensor(&case["y_true"]),
            y_pred: tensor(&case["y_pred"]),
            weight: optional("sample_weight"),
            value: (!case["value"].is_null()).then(|| number(&case["value"])),
            values: optional("values"),
            gradient: tensor(&case["gradient"]),
        }
    }

    /// Whether Keras reads the arrays as one line, without an axis for samples.
    fn is_line(&self) -> bool {
        self.y_true.ndim() == 1 && self.y_pred.ndim() == 1
    }

    /// The loss of the batch as a model computes it, and its gradient with regard to the predictions
    /// if it is wanted.
    fn compute<D: Device>(&self, loss: &dyn Loss<D>, wants_gradient: bool) -> (f32, Vec<f32>) {
        let device = D::default();
        let memory = |values: &[f32]| {
            let mut buffer = device.alloc(values.len()).expect("memory");
            device.upload(values, D::slice_mut(&mut buffer, 0..values.len()));
            buffer
        };
        let of = |array: &ArrayD<f32>| memory(array.as_slice().expect("contiguous"));
        let (y_true, y_pred) = (of(&self.y_true), of(&self.y_pred));
        let weight = self.weight.as_ref().map(of);
        let mut gradient = memory(&vec![f32::NAN; self.y_pred.len()]);
        let mut sums = memory(&[0.0]);
        let batch = self.y_pred.shape()[0];
        let [y_true_shape, y_pred_shape] =
            [&self.y_true, &self.y_pred].map(|array| Shape::new(&array.shape()[1..]));
        loss.check(&y_true_shape, &y_pred_shape)
            .expect("shapes that Keras takes");
        loss.compute(LossInput {
            device: &device,
            batch,
            y_true: all::<D>(&y_true),
            y_true_shape,
            y_pred: all::<D>(&y_pred),
            y_pred_shape,
            logits: None,
            sample_weight: weight.as_ref().map(all::<D>),
            weights_per_sample: weight.as_ref().map_or(1, |weight| D::len(weight) / batch),
            gradient: wants_gradient.then(|| D::slice_mut(&mut gradient, 0..self.y_pred.len())),
            weight: 1.0,
            values: None,
            sums: D::slice_mut(&mut sums, 0..1),
        });
        let read = |buffer: &D::Buffer| {
            let mut values = vec![0.0; D::len(buffer)];
            device.download(all::<D>(buffer), &mut values);
            values
        };
        device.check().expect("a device that works");
        (read(&sums)[0] / batch as f32, read(&gradient))
    }
}

fn all<D: Device>(buffer: &D::Buffer) -> D::Slice<'_> {
    D::slice(buffer, 0..D::len(buffer))
}
#[test]
fn losses_and_their_gradients_are_those_of_keras() {
    for_each(|name, case| compare(name, case, &*case.loss));
}

#[test]
fn losses_of_the_emulated_gpu_are_those_of_keras() {
    if Emulated::is_available() {
        for_each(|name, case| compare(name, case, &*case.on_gpu));
    }
}

fn compare<D: Device>(name: &str, case: &Case, loss: &dyn Loss<D>) {
    // A line that is weighted is one value in Keras; a model never sees one.
    if case.is_line() && (case.weight.is_some() || case.values.is_some()) {
        return;
    }
    let (value, gradient) = case.compute(loss, true);
    if let Some(expected) = case.value {
        assert_close(name, &[value], &[expected], 1e-5, 1e-6);
    }
    let mut expected = case.gradient.clone();
    let same = case.y_true.shape() == case.y_pred.shape();
    if same && case.class == "MeanAbsoluteError" {
        // The derivative of |x| at 0 is 0 on TensorFlow and here; JAX, which made the fixtures,
        // has 1.
        let difference = &case.y_pred - &case.y_true;
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

#[test]
fn the_value_alone_is_the_same_as_with_the_gradient() {
    for_each(|name, case| {
        let (value, _) = case.compute(&*case.loss, true);
        let (alone, _) = case.compute(&*case.loss, false);
        assert_close(name, &[alone], &[value], 1e-6, 1e-7);
    });
}

#[test]
fn losses_are_called_with_arrays_as_in_keras() {
    for_each(|name, case| {
        let (y_true, y_pred) = (&case.y_true, &case.y_pred);
        let weight = case.weight.as_ref();
        if let Some(expected) = case.value {
            let value = losses::call(&*case.loss, y_true, y_pred, weight);
            let value = value.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_close(name, &[value], &[expected], 1e-5, 1e-6);
        }
        if let Some(expected) = &case.values {
            let values = losses::values(&*case.loss, y_true, y_pred);
            let values = values.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(values.shape(), expected.shape(), "{name}");
            assert_close(
                name,
                values.as_slice().expect("contiguous"),
                expected.as_slice().expect("contiguous"),
                1e-5,
                1e-6,
            );
        }
    });
}

#[test]
fn names_are_those_of_keras() {
    for (names, expected) in [
        (
            "MeanSquaredError mean_squared_error mse MSE",
            "mean_squared_error",
        ),
        (
            "MeanAbsoluteError mean_absolute_error mae MAE",
            "mean_absolute_error",
        ),
        (
            "MeanAbsolutePercentageError mean_absolute_percentage_error mape MAPE",
            "mean_absolute_percentage_error",
        ),
        (
            "MeanSquaredLogarithmicError mean_squared_logarithmic_error msle MSLE",
            "mean_squared_logarithmic_error",
        ),
        ("CosineSimilarity cosine_similarity", "cosine_similarity"),
        ("Huber huber", "huber_loss"),
        ("LogCosh log_cosh", "log_cosh"),
        ("Hinge hinge", "hinge"),
        ("SquaredHinge squared_hinge", "squared_hinge"),
        ("CategoricalHinge categorical_hinge", "categorical_hinge"),
        ("KLDivergence kl_divergence kld KLD", "kl_divergence"),
        ("Poisson poisson", "poisson"),
        (
            "BinaryCrossentropy binary_crossentropy bce BCE",
            "binary_crossentropy",
        ),
        (
            "BinaryFocalCrossentropy binary_focal_crossentropy",
            "binary_focal_crossentropy",
        ),
        (
            "CategoricalCrossentropy categorical_crossentropy",
            "categorical_crossentropy",
        ),
        (
            "CategoricalFocalCrossentropy categorical_focal_crossentropy",
            "categorical_focal_crossentropy",
        ),
        (
            "CategoricalGeneralizedCrossEntropy categorical_generalized_cross_entropy",
            "categorical_generalized_cross_entropy",
        ),
        (
            "SparseCategoricalCrossentropy sparse_categorical_crossentropy",
            "sparse_categorical_crossentropy",
        ),
        ("Dice dice", "dice"),
        ("Tversky tversky", "tversky"),
        ("Circle circle", "circle"),
        ("CTC ctc", "ctc"),
    ] {
        for name in names.split(' ') {
            let loss = losses::by_name::<Cpu>(name).expect("a known name");
            assert_eq!(loss.name(), expected);
        }
    }
    let error = |name: &str| {
        losses::by_name::<Cpu>(name)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    for (name, nearest) in [
        (
            "sparse_categorical_crossentrop",
            "sparse_categorical_crossentropy",
        ),
        ("hubber", "Huber"),
        ("logcosh", "LogCosh"),
        ("kl_divergance", "kl_divergence"),
        ("tversk", "Tversky"),
    ] {
        assert_eq!(
            error(name),
            format!("Could not interpret loss identifier: {name}. Did you mean `{nearest}`?")
        );
    }
    assert_eq!(
        error("reconstruction"),
        "Could not interpret loss identifier: reconstruction. A loss of your own is found by its name once the program has \
         called `keras::losses::register`."
    );
}
