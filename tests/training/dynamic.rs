//! Models that are known only when the program runs do what generated ones do, bit for bit.

use keras::DynamicModel;
use keras::device::{Cpu, Cpu64};
use keras::prelude::*;
use ndarray::{Array, Array1, Array2, ArrayD, Dimension, ShapeBuilder};

use super::x as features;

/// The JSON of a model that real Keras wrote.
fn json(name: &str) -> String {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/reference/fixtures/models.json"
    );
    let text = std::fs::read_to_string(path).expect("the fixture is there");
    let fixture: serde_json::Value = serde_json::from_str(&text).expect("valid JSON");
    let cases = fixture["cases"].as_array().expect("a list");
    let case = cases.iter().find(|case| case["name"] == name);
    case.and_then(|case| case["json"].as_str())
        .expect("the case is there")
        .to_owned()
}

fn dynamic(name: &str, seed: u64) -> keras::Result<DynamicModel> {
    DynamicModel::from_json(&json(name), Cpu::default(), seed)
}

fn waves<D: Dimension>(shape: impl ShapeBuilder<Dim = D>) -> Array<f32, D> {
    let mut at = 0.0;
    Array::from_shape_simple_fn(shape, || {
        at += 0.37;
        f32::sin(at)
    })
}

fn bits(arrays: &[ArrayD<f32>]) -> Vec<u32> {
    arrays
        .iter()
        .flatten()
        .map(|value| value.to_bits())
        .collect()
}

/// Trains both models on the same data, and compares everything.
macro_rules! assert_same {
    ($generated:expr, $dynamic:expr, $compile:expr, $x:expr, $y:expr) => {{
        let (mut generated, mut dynamic) = ($generated, $dynamic);
        assert_eq!(dynamic.summary_string(), generated.summary_string());
        assert_eq!(bits(&dynamic.get_weights()), bits(&generated.get_weights()));
        generated.compile($compile)?;
        dynamic.compile($compile)?;
        let fit = || {
            Fit::epochs(3)
                .batch_size(8)
                .validation_split(0.2)
                .verbose(0)
        };
        let expected = generated.fit(($x, $y), fit())?;
        let found = dynamic.fit(($x, $y), fit())?;
        for name in expected.names() {
            assert_eq!(found.get(name), expected.get(name), "{name}");
        }
        assert_eq!(bits(&dynamic.get_weights()), bits(&generated.get_weights()));
        generated.load_on_batch(($x, $y), true)?;
        dynamic.load_on_batch(($x, $y), true)?;
        generated.forward(true)?;
        dynamic.forward(true)?;
        generated.compute_loss()?;
        dynamic.compute_loss()?;
        generated.backward()?;
        dynamic.backward()?;
        assert_eq!(bits(&dynamic.gradients()), bits(&generated.gradients()));
        let predict = || Predict::batch_size(7);
        let expected = generated.predict_all($x, predict())?;
        assert_eq!(bits(&dynamic.predict_all($x, predict())?), bits(&expected));
        let evaluate = || Evaluate::batch_size(9).verbose(0);
        let expected = generated.evaluate(($x, $y), evaluate())?;
        assert_eq!(dynamic.evaluate(($x, $y), evaluate())?, expected);
    }};
}

sequential! {
    Mlp<4>;
    Dense(5, activation = relu, kernel_initializer = he_normal.seed(7), kernel_regularizer = l2(1e-3), name = "hidden"),
    Dropout(0.5, name = "dropout"),
    Dense(3, activation = softmax, kernel_constraint = max_norm(2.0), name = "probabilities"),
}

#[test]
fn a_sequential_model() -> keras::Result<()> {
    let x = features(40);
    let y = Array1::from_shape_fn(40, |i| (i % 3) as u8);
    let compile = || Compile::new("adam", "sparse_categorical_crossentropy").metric("accuracy");
    assert_same!(Mlp::with_seed(3), dynamic("mlp", 3)?, compile(), &x, &y);
    Ok(())
}

sequential! {
    Convnet<8, 8, 2>;
    Rescaling(0.5, offset = -0.1, name = "rescaling"),
    Conv2D(4, 3, padding = same, use_bias = false, name = "conv"),
    BatchNormalization(momentum = 0.9, name = "norm"),
    Activation(relu_with(0.0, 6.0, 0.0), name = "relu"),
    MaxPooling2D(2, name = "pool"),
    Conv2D(6, (2, 3), strides = 2, groups = 2, activation = leaky_relu_with(0.1), name = "grouped"),
    AveragePooling2D((2, 1), strides = 1, padding = same, name = "average"),
    GlobalAveragePooling2D(name = "means"),
    Dense(2, name = "dense"),
    Activation(softmax, name = "softmax"),
}

#[test]
fn a_convolutional_network() -> keras::Result<()> {
    let x = waves((30, 8, 8, 2));
    let y = Array1::from_shape_fn(30, |i| (i % 2) as u8);
    let compile = || {
        Compile::new(
            SGD::new(0.1).momentum(0.9),
            "sparse_categorical_crossentropy",
        )
    };
    assert_same!(
        Convnet::with_seed(5),
        dynamic("convnet", 5)?,
        compile(),
        &x,
        &y
    );
    Ok(())
}

#[model]
fn merges(a: Input<2, 3>, b: Input<2, 3>) -> Merges {
    let add = Add(name = "add")([a, b, a]);
    let subtract = Subtract(name = "subtract")([a, b]);
    let multiply = Multiply(name = "multiply")([a, b]);
    let average = Average(name = "average")([a, b]);
    let maximum = Maximum(name = "maximum")([a, b]);
    let minimum = Minimum(name = "minimum")([a, b]);
    let join =
        Concatenate(axis = 1, name = "join")([add, subtract, multiply, average, maximum, minimum]);
    let gelu = Activation(gelu, name = "gelu")(Reshape((6, -1), name = "reshape")(join));
    Model((a, b), [gelu, multiply])
}

#[test]
fn merges_with_several_inputs_and_outputs() -> keras::Result<()> {
    let (mut generated, mut dynamic) = (Merges::with_seed(1), dynamic("merges", 1)?);
    assert_eq!(dynamic.summary_string(), generated.summary_string());
    let (a, b) = (waves((5, 2, 3)), waves((5, 2, 3)) * 0.7);
    let targets = [waves((5, 6, 6)).into_dyn(), waves((5, 2, 3)).into_dyn()];
    generated.watch_inputs(true);
    dynamic.watch_inputs(true);
    generated.compile(Compile::new("adam", "mse"))?;
    dynamic.compile(Compile::new("adam", "mse"))?;
    let data = || ((&a, &b), (&targets[0], &targets[1]));
    let expected = generated.train_on_batch(data())?;
    assert_eq!(dynamic.train_on_batch(data())?, expected);
    assert_eq!(
        bits(&dynamic.input_gradients()?),
        bits(&generated.input_gradients()?)
    );
    assert_eq!(bits(&dynamic.outputs()?), bits(&generated.outputs()?));
    Ok(())
}

sequential! {
    Words<3>;
    Embedding(10, 4, name = "embedding"),
    Flatten(name = "flatten"),
    Dense(2, activation = softmax, name = "dense"),
}

#[test]
fn a_model_of_indices_by_its_own_json() -> keras::Result<()> {
    let x = Array2::from_shape_fn((40, 3), |(i, j)| ((i * 3 + j * 7) % 10) as u8);
    let y = Array1::from_shape_fn(40, |i| (i % 2) as u8);
    let json = Words::new().to_json()?;
    let dynamic = DynamicModel::from_json(&json, Cpu::default(), 4)?;
    let compile = || Compile::new("adam", "sparse_categorical_crossentropy");
    assert_same!(Words::with_seed(4), dynamic, compile(), &x, &y);
    let mut dynamic = DynamicModel::from_json(&json, Cpu::default(), 4)?;
    let beyond = dynamic.predict(&(x + 1), Predict::default());
    let error = beyond.expect_err("10 is no index").to_string();
    assert!(error.contains("10"), "{error}");
    Ok(())
}

#[test]
fn what_cannot_be_expressed_is_listed_at_once() {
    let text = json("convnet")
        .replacen(
            "\"class_name\": \"AveragePooling2D\"",
            "\"class_name\": \"LSTM\"",
            1,
        )
        .replacen("channels_last", "channels_first", 1)
        .replacen("\"groups\": 2", "\"groups\": 4", 1)
        .replacen(
            "\"momentum\": 0.9",
            "\"momentum\": \"much\", \"renorm_rate\": 3",
            1,
        );
    let error = keras::model_from_json(&text)
        .map(|_| ())
        .expect_err("four parts");
    let error = error.to_string();
    let lines: Vec<&str> = error.lines().collect();
    for (line, expected) in lines.iter().zip([
        "Model 'convnet' cannot be loaded, because of 4 of its parts:",
        "  conv: Conv2D: `data_format` must be \"channels_last\" here. Received: data_format=\"channels_first\"",
        "  norm: BatchNormalization: Invalid value for argument `momentum`. Expected a number. Received: \
         momentum=\"much\"; the argument `renorm_rate` of BatchNormalization is not supported. Received: renorm_rate=3",
        "  grouped: Conv2D: The number of filters must be evenly divisible by the number of groups. Received: groups=4, \
         filters=6.",
        "  average: layers of the class LSTM are not supported. Supported classes: Activation, Add,",
    ]) {
        assert!(line.starts_with(expected), "{line}\n{expected}");
    }
    assert_eq!(lines.len(), 5, "{error}");
}

/// What a builder method refuses, a file is refused for.
#[test]
fn an_activation_that_changes_the_shape_is_a_layer_of_its_own() {
    let text = json("mlp").replacen(r#""activation": "relu""#, r#""activation": "glu""#, 1);
    let error = keras::model_from_json(&text).map(|_| ());
    let error = error.expect_err("glu in a dense layer").to_string();
    let expected = "hidden: Dense: glu halves the last axis and has to be a layer of its own, Activation(glu). \
                    Received: activation=glu";
    assert!(error.contains(expected), "{error}");
}

/// The way back that a model finds for itself when the program runs, against finite differences in `f64`.
#[test]
fn gradients_are_those_of_differences() -> keras::Result<()> {
    for name in ["mlp", "convnet", "two_inputs", "nested", "merges"] {
        let mut model = DynamicModel::from_json(&json(name), Cpu64, 6)?;
        keras::testing::check_model(&mut model);
    }
    Ok(())
}
