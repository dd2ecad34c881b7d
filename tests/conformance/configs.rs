//! Configurations: what Keras writes, written and read.

use keras::config::{Argument, Config, Json};
use keras::constraints::Constraint;
use keras::device::Cpu;
use keras::initializers::Initializer;
use keras::layers::{self, Layer};
use keras::regularizers::Regularizer;
use keras::words::*;
use keras::{losses, metrics, optimizers, schedules};
use serde_json::Value;

use super::fixture;

/// Calls `check` with the name, the text and the configuration of every case of a list.
fn for_each(kind: &str, mut check: impl FnMut(&str, &str, Config)) {
    let fixture = fixture::load("configs");
    let text = |case: &Value, key: &str| case[key].as_str().expect("a text").to_owned();
    for case in fixture[kind].as_array().expect("a list") {
        let (name, json) = (text(case, "name"), text(case, "json"));
        let config = Config::parse(&json).unwrap_or_else(|error| panic!("{name}: {error}"));
        check(&name, &json, config);
    }
}

/// What is read from Keras' text is written as the same text.
fn round_trip<T>(kind: &str, read: fn(&Config) -> keras::Result<T>, write: fn(&T) -> Json) {
    for_each(kind, |name, json, config| {
        let read = read(&config).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(write(&read).to_string(), json, "{name}");
    });
}

#[test]
fn losses() {
    round_trip("losses", losses::from_config::<Cpu>, |loss| {
        loss.config().to_json()
    });
}

#[test]
fn metrics() {
    round_trip("metrics", metrics::from_config::<Cpu>, |metric| {
        metric.config().to_json()
    });
}

#[test]
fn optimizers() {
    round_trip("optimizers", optimizers::from_config, |optimizer| {
        optimizer.config().to_json()
    });
}

#[test]
fn schedules() {
    round_trip("schedules", schedules::from_config, |schedule| {
        schedule.config().to_json()
    });
}

#[test]
fn what_layers_are_made_of() {
    round_trip("initializers", Initializer::from_config, Argument::to_json);
    round_trip("regularizers", Regularizer::from_config, Argument::to_json);
    round_trip("constraints", Constraint::from_config, Argument::to_json);
}

/// A layer of each case; its size arguments as the macros make them.
macro_rules! layer {
    ($name:expr; $($case:literal: $layer:expr;)*) => {
        match $name {
            $($case => $layer.config(),)*
            name => panic!("no layer for the case {name}"),
        }
    };
}

fn layer(name: &str) -> Config {
    use keras::arg::Size;
    let size = |values: &[isize]| Size::new(values);
    let one = |value: isize| Size::new(&[value]);
    layer! { name;
        "dense": layers::Dense::new(one(4));
        "dense_arguments": layers::Dense::new(one(3))
            .activation(relu)
            .use_bias(false)
            .kernel_initializer(he_normal.seed(7))
            .bias_initializer(constant(0.1))
            .kernel_regularizer(l2(1e-4))
            .bias_regularizer(l1(0.01))
            .activity_regularizer(l1_l2(0.1, 0.2))
            .kernel_constraint(max_norm(3.0))
            .bias_constraint(non_neg);
        "dense_leaky": layers::Dense::new(one(3)).activation(leaky_relu);
        "conv2d": layers::Conv2D::new(one(8), one(3));
        "conv2d_arguments": layers::Conv2D::new(one(8), size(&[3, 2]))
            .strides(one(2))
            .padding(same)
            .groups(one(2))
            .activation(gelu)
            .kernel_constraint(max_norm(2.0).axes(0, 2));
        "conv2d_dilated": layers::Conv2D::new(one(8), one(3)).dilation_rate(size(&[2, 1]));
        "max_pooling2d": layers::MaxPooling2D::new(one(2));
        "max_pooling2d_arguments": layers::MaxPooling2D::new(size(&[3, 2]))
            .strides(one(1))
            .padding(same);
        "average_pooling2d": layers::AveragePooling2D::new(one(3));
        "global_average_pooling2d": layers::GlobalAveragePooling2D::new();
        "global_max_pooling2d": layers::GlobalMaxPooling2D::new().keepdims(true);
        "batch_normalization": layers::BatchNormalization::new();
        "batch_normalization_arguments": layers::BatchNormalization::new()
            .axis(one(1))
            .momentum(0.9)
            .epsilon(1e-5)
            .center(false)
            .gamma_regularizer(l2(0.01))
            .gamma_constraint(unit_norm);
        "dropout": layers::Dropout::new(0.5);
        "dropout_seed": layers::Dropout::new(0.25).seed(one(3));
        "flatten": layers::Flatten::new();
        "reshape": layers::Reshape::new(size(&[2, -1]));
        "activation": layers::Activation::new(softmax);
        "rescaling": layers::Rescaling::new(0.25).offset(-0.5);
        "random_crop": layers::RandomCrop::new(one(8), one(9)).seed(one(5));
        "concatenate": layers::Concatenate::new().axis(one(1));
        "add": layers::Add::new();
        "subtract": layers::Subtract::new();
        "multiply": layers::Multiply::new();
        "average": layers::Average::new();
        "maximum": layers::Maximum::new();
        "minimum": layers::Minimum::new();
    }
}

/// The layer itself has everything but what every layer has: its name, whether it is trained, its type.
#[test]
fn layers_say_what_keras_says() {
    for_each("layers", |name, _, mut config| {
        let shared = ["name", "trainable", "dtype"];
        let arguments = config.config.iter();
        config.config = arguments
            .filter(|(name, _)| !shared.contains(name))
            .map(|(name, value)| (name, value.clone()))
            .collect();
        let expected = config.to_json().to_string();
        assert_eq!(layer(name).to_json().to_string(), expected, "{name}");
    });
}

/// An activation with arguments is a layer, where Keras has one.
#[test]
fn activations_with_arguments_are_layers() {
    let of = |activation| layers::Activation::new(activation).config();
    let activation = |json: &str| Json::parse(json).expect("JSON");
    for (function, json) in [
        (
            leaky_relu_with(0.1),
            r#"{"class_name": "LeakyReLU", "config": {"negative_slope": 0.1}}"#,
        ),
        (
            elu_with(0.5),
            r#"{"class_name": "ELU", "config": {"alpha": 0.5}}"#,
        ),
        (
            relu_with(0.0, 2.0, 0.5),
            r#"{"class_name": "ReLU", "config": {"max_value": 2.0, "threshold": 0.5}}"#,
        ),
        (
            gelu_with(true),
            r#"{"class_name": "gelu", "config": {"approximate": true}}"#,
        ),
        (silu, r#""swish""#),
        (linear, "null"),
    ] {
        let read = keras::device::Activation::from_json(&activation(json)).expect("an activation");
        assert_eq!(read, Some(function), "{json}");
        let written = of(function).config.get("activation").cloned();
        let again = keras::device::Activation::from_json(&written.expect("an argument"));
        assert_eq!(again.expect("an activation"), Some(function), "{json}");
    }
}

#[test]
fn tensors_are_numbers() {
    let tensor =
        r#"{"class_name": "__tensor__", "config": {"value": [0.25, 0.75], "dtype": "float32"}}"#;
    let json = format!(
        r#"{{"class_name": "AUC", "config": {{"label_weights": {tensor}, "name": "auc"}}}}"#
    );
    let config = Config::parse(&json).expect("a configuration");
    let metric = metrics::from_config::<Cpu>(&config).expect("a metric");
    let weights = metric.config().config.get("label_weights").cloned();
    assert_eq!(weights, Some(Json::from(vec![0.25, 0.75])));
}

#[test]
fn configurations_are_types_of_serde() {
    for_each("optimizers", |name, json, config| {
        let of_serde: Config = serde_json::from_str(json).expect("JSON");
        assert_eq!(of_serde, config, "{name}");
        let text = serde_json::to_string(&config).expect("JSON");
        let again = Config::parse(&text).expect("a configuration");
        assert_eq!(again, config, "{name}");
    });
}

#[test]
fn histories_are_types_of_serde() {
    let json = r#"{"epoch":[0,1],"history":{"loss":[0.5,0.25],"val_loss":[0.75]}}"#;
    let history: keras::model::History = serde_json::from_str(json).expect("JSON");
    assert_eq!(history.get("loss"), Some(&[0.5, 0.25][..]));
    assert_eq!(serde_json::to_string(&history).expect("JSON"), json);
}

#[test]
fn mistakes_are_said() {
    let error = |json: &str| {
        let config = Config::parse(json)?;
        optimizers::from_config(&config).map(|_| ())
    };
    for (json, expected) in [
        (
            "{}",
            "Expected an object with a `class_name` and a `config`. Received: {}",
        ),
        (
            r#"{"class_name": "Adma"}"#,
            "Could not interpret optimizer identifier: Adma. Did you mean `adam`?",
        ),
        (
            r#"{"class_name": "SGD", "config": {"speed": 1}}"#,
            "SGD got an unexpected keyword argument `speed`",
        ),
        (
            r#"{"class_name": "SGD", "config": {"momentum": "much"}}"#,
            "Invalid value for argument `momentum`. Expected a number. Received: momentum=\"much\"",
        ),
        (
            r#"{"class_name": "Adafactor", "config": {"relative_step": false}}"#,
            "`relative_step` must be true here. Received: relative_step=false",
        ),
        ("[1", "Expected `,` or `]`. Received: the end of the text"),
    ] {
        assert_eq!(error(json).unwrap_err().to_string(), expected);
    }
}
