//! Losses, metrics and layers of one's own in the files of whole models: registered by their names, here and in Python.

use keras::prelude::*;
use ndarray::ArrayD;
use serde_json::{Value, json};

use super::fixture::{self, assert_close, number, tensor, written};
use super::python;

/// `x sigmoid(beta x)`.
#[layer]
pub struct Swish {
    #[weight(ones)]
    beta: f32,
}

#[layer]
impl Swish {
    fn call(&self, x: Tensor) -> Tensor {
        x * sigmoid(self.beta * x)
    }
}

/// `factor x + shift`.
#[layer]
pub struct Scaled {
    factor: f32,
    #[default(0.0)]
    shift: f32,
}

#[layer]
impl Scaled {
    fn call(&self, x: Tensor) -> Tensor {
        self.factor * x + self.shift
    }
}

/// The fourth power of the error.
#[loss]
fn quartic(y_true: Tensor, y_pred: Tensor, #[default(1.0)] weight: f32) -> Tensor {
    weight * mean(square(square(y_true - y_pred)), axis = -1)
}

#[metric]
fn gap(y_true: Tensor, y_pred: Tensor) -> Tensor {
    mean(abs(y_true - y_pred), axis = -1)
}

#[model(
    keras = "tests/reference/fixtures/own.keras",
    custom_objects(Swish, Scaled(factor))
)]
struct FromOwn;

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/reference/fixtures/own.keras"
);

/// The names that Python's `register_keras_serializable(package="tests")` gives.
fn register() {
    keras::register_layer!(Swish, "tests>Swish");
    keras::register_layer!(Scaled, "tests>Scaled");
    keras::losses::register::<keras::device::AutoDevice, _>(
        &["tests>Quartic"],
        Quartic::from_config,
    );
    keras::metrics::register::<keras::device::AutoDevice, _>(&["tests>gap"], Gap::new);
}

fn case() -> Value {
    fixture::load("own")["cases"][0].clone()
}

/// The logs of an epoch.
fn epoch(model: &mut impl Model, x: &ArrayD<f32>, y: &ArrayD<f32>) -> keras::Result<[f32; 2]> {
    let fit = Fit::epochs(1).batch_size(4).shuffle(false).verbose(0);
    let history = model.fit((x, y), fit)?;
    Ok(["loss", "gap"].map(|log| history.get(log).expect("the log")[0]))
}

#[test]
fn they_go_on_here_and_in_keras() -> keras::Result<()> {
    register();
    let case = case();
    let (x, y, expected) = (
        tensor(&case["x"]),
        tensor(&case["y"]),
        tensor(&case["predictions"]),
    );
    let values = |array: &ArrayD<f32>| array.iter().copied().collect::<Vec<_>>();
    let mut dynamic = keras::load_model(FILE)?;
    let mut generated = FromOwn::new();
    let compile = Compile::new(Adam::new(0.01), Quartic::new().weight(0.5)).metric(Gap::new());
    generated.compile(compile)?;
    let predicted = dynamic.predict(&x, Predict::default())?;
    assert_close(
        "predictions",
        &values(&predicted),
        &values(&expected),
        0.0,
        1e-6,
    );
    assert_eq!(generated.predict(&x, Predict::default())?, predicted);
    let found = epoch(&mut dynamic, &x, &y)?;
    assert_close(
        "logs",
        &found,
        &[number(&case["loss"]), number(&case["gap"])],
        1e-4,
        0.0,
    );
    epoch(&mut generated, &x, &y)?;

    let directory = std::env::temp_dir().join(format!("keras-own-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join("own.keras");
    // The typed model is written as the dynamic one is.
    generated.save(&path)?;
    let generated = keras::load_model(&path)?;
    assert_eq!(
        generated.to_json()?.replace("from_own", "own"),
        dynamic.to_json()?
    );
    let of_loss = |json: &str| {
        Some(
            keras::config::Json::parse(json)
                .ok()?
                .get("loss")?
                .to_string(),
        )
    };
    let (loss, expected) = (generated.get_compile_config(), dynamic.get_compile_config());
    assert_eq!(of_loss(&loss.to_string()), of_loss(&expected.to_string()));
    assert!(
        loss.to_string()
            .contains(r#""weight": 0.5}, "registered_name": "tests>Quartic""#),
        "{loss}"
    );

    dynamic.save(&path)?;
    let mut again = keras::load_model(&path)?;
    let predictions = dynamic.predict(&x, Predict::default())?;
    assert_eq!(again.predict(&x, Predict::default())?, predictions);
    let [loss, gap] = epoch(&mut dynamic, &x, &y)?;
    assert_eq!(epoch(&mut again, &x, &y)?, [loss, gap]);
    let case = json!({"x": written(&x), "y": written(&y), "predictions": written(&predictions), "loss": loss, "gap": gap});
    std::fs::write(directory.join("own.json"), case.to_string()).expect("a file");
    python::run(
        "own.py",
        &directory,
        "no Keras loads a model with layers of its own",
    );
    std::fs::remove_dir_all(&directory).expect("the directory");
    Ok(())
}

/// What a file names and nobody has registered.
#[test]
fn unknown_names_say_how_to_register() -> keras::Result<()> {
    let of = |class: &str| {
        let json = format!(
            r#"{{"class_name": "Sequential", "config": {{"name": "net", "layers": [
                {{"class_name": "InputLayer", "config": {{"name": "x", "batch_shape": [null, 3]}}}},
                {{"class_name": "{class}", "module": null, "registered_name": "my>{class}", "config": {{"name": "it", "width": 2}}}}]}}}}"#
        );
        keras::model_from_json(&json)
            .map(|_| ())
            .expect_err("there is none")
            .to_string()
    };
    let error = of("Gadget");
    let expected = "it: layers of the class Gadget are not supported.";
    assert!(error.contains(expected), "{error}");
    let expected = "found once the program has called `keras::register_layer!(Gadget, \"Gadget\")`";
    assert!(error.contains(expected), "{error}");
    register();
    let error = of("Scaled");
    assert!(
        error.contains("it: Scaled: expected the argument `factor`. Received: none"),
        "{error}"
    );
    let error = of("Swish");
    assert!(
        error.contains("it: Swish got an unexpected keyword argument `width`"),
        "{error}"
    );
    let error = keras::losses::by_name::<Cpu>("reconstruction")
        .map(|_| ())
        .expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "Could not interpret loss identifier: reconstruction. A loss of your own is found by its name once the program has \
         called `keras::losses::register`."
    );
    Ok(())
}
