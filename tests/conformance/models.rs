//! Models that real Keras wrote, read when this program runs and when it was compiled.

use std::path::{Path, PathBuf};

use keras::DynamicModel;
use keras::device::Cpu;
use keras::prelude::*;
use ndarray::ArrayD;
use serde_json::Value;

use super::fixture::{assert_close, load, tensors};
use super::python;

fn cases() -> Vec<Value> {
    load("models")["cases"].as_array().expect("a list").clone()
}

fn path(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.join("tests/reference/fixtures/models").join(name)
}

/// Whether a model has the weights of a case, and predicts what Keras did.
#[track_caller]
fn check(what: &str, model: &mut impl Model, case: &Value) -> keras::Result<()> {
    let values = |array: &ArrayD<f32>| array.iter().copied().collect::<Vec<f32>>();
    let (expected, found) = (tensors(&case["weights"]), model.get_weights());
    assert_eq!(found.len(), expected.len(), "{what}: the number of weights");
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "{what}: a weight");
    }
    let inputs = tensors(&case["inputs"]);
    let found = model.predict_all(inputs, Predict::default())?;
    let expected = tensors(&case["outputs"]);
    assert_eq!(found.len(), expected.len(), "{what}: the number of outputs");
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.shape(), expected.shape(), "{what}");
        assert_close(what, &values(found), &values(expected), 1e-5, 1e-6);
    }
    Ok(())
}

#[test]
fn models_are_made_of_their_json() -> keras::Result<()> {
    for case in cases() {
        let name = case["name"].as_str().expect("a name");
        let text = case["json"].as_str().expect("a text");
        let mut model = keras::model_from_json(text)?;
        model.set_weights(&tensors(&case["weights"]))?;
        check(name, &mut model, &case)?;
    }
    Ok(())
}

/// A file may say that a model is larger than any memory: an error, and the program goes on.
#[test]
fn a_model_that_fits_no_memory_is_not_built() -> keras::Result<()> {
    let inputs = 1usize << 38;
    let json = format!(
        r#"{{"class_name": "Sequential", "config": {{"layers": [
            {{"class_name": "InputLayer", "config": {{"name": "x", "batch_shape": [null, {inputs}]}}}},
            {{"class_name": "Dense", "config": {{"name": "dense", "units": 16777216}}}}]}}}}"#
    );
    let mut model = keras::model_from_json(&json)?;
    assert!(!model.is_built());
    let error = model.build(&[None, Some(inputs)]);
    assert!(matches!(error, Err(keras::Error::Device(_))), "{error:?}");
    Ok(())
}

#[test]
fn models_are_loaded_with_their_weights() -> keras::Result<()> {
    for case in cases() {
        let name = case["name"].as_str().expect("a name");
        for file in [format!("{name}.keras"), format!("{name}.h5")] {
            let path = path(&file);
            if path.exists() {
                check(&file, &mut keras::load_model(&path)?, &case)?;
            }
        }
    }
    Ok(())
}

#[model(keras = "tests/reference/fixtures/models/mlp.keras")]
struct FromMlp;

#[model(keras = "tests/reference/fixtures/models/convnet.keras")]
struct FromConvnet;

#[model(keras = "tests/reference/fixtures/models/two_inputs.keras")]
struct FromTwoInputs;

#[model(keras = "tests/reference/fixtures/models/nested.keras")]
struct FromNested;

#[model(keras = "tests/reference/fixtures/models/merges.keras")]
struct FromMerges;

/// A generated model and a dynamic one of the same file, with new weights of the same seed.
macro_rules! both {
    ($name:ident, $file:literal) => {{
        let case = cases().into_iter().find(|case| case["name"] == $file);
        let case = case.expect("the case is there");
        check($file, &mut $name::new(), &case)?;
        let text = case["json"].as_str().expect("a text");
        let dynamic = DynamicModel::from_json(text, Cpu::default(), 8)?;
        let generated = $name::with_seed(8);
        assert_eq!(dynamic.summary_string(), generated.summary_string());
        assert_eq!(dynamic.get_weights(), generated.get_weights());
        (generated, dynamic, case)
    }};
}

/// Three steps of both on half of what Keras predicted: the same numbers, bit for bit.
macro_rules! train_both {
    ($name:ident, $file:literal) => {{
        let (mut generated, mut dynamic, case) = both!($name, $file);
        let (x, mut y) = (tensors(&case["inputs"]), tensors(&case["outputs"]));
        y.iter_mut().for_each(|y| *y *= 0.5);
        generated.compile(Compile::new("adam", "mse"))?;
        dynamic.compile(Compile::new("adam", "mse"))?;
        for _ in 0..3 {
            let expected = generated.train_on_batch((x.clone(), y.clone()))?;
            assert_eq!(
                dynamic.train_on_batch((x.clone(), y.clone()))?,
                expected,
                $file
            );
        }
        assert_eq!(dynamic.get_weights(), generated.get_weights(), $file);
    }};
}

#[test]
fn models_are_compiled_with_their_weights() -> keras::Result<()> {
    train_both!(FromMlp, "mlp");
    train_both!(FromConvnet, "convnet");
    train_both!(FromTwoInputs, "two_inputs");
    train_both!(FromMerges, "merges");
    train_both!(FromNested, "nested");
    Ok(())
}

#[model(keras = "tests/reference/fixtures/catalogue/layers.keras")]
struct FromLayers;

#[model(keras = "tests/reference/fixtures/catalogue/parts.keras")]
struct FromParts;

#[model(keras = "tests/reference/fixtures/catalogue/activations.keras")]
struct FromActivations;

/// What the macro reads of every layer and of all that layers are made of is what `load_model` reads: each has a table of
/// its own. `catalogue.rs` sees to it that everything is in these files.
#[test]
fn the_macro_and_the_runtime_read_the_same_layers() -> keras::Result<()> {
    fn check(name: &str, generated: &impl Model) -> keras::Result<()> {
        let file = format!("../catalogue/{name}.keras");
        let dynamic = keras::load_model_with(path(&file), Load::new().compile(false))?;
        let own = format!("from_{name}");
        assert_eq!(generated.to_json()?.replace(&own, name), dynamic.to_json()?);
        assert_eq!(generated.get_weights(), dynamic.get_weights(), "{name}");
        Ok(())
    }
    check("layers", &FromLayers::new())?;
    check("parts", &FromParts::new())?;
    check("activations", &FromActivations::new())
}

#[test]
fn the_json_of_a_model_makes_the_same_model() -> keras::Result<()> {
    for case in cases() {
        let text = case["json"].as_str().expect("a text");
        let first = keras::model_from_json(text)?;
        let json = first.to_json()?;
        let mut second = keras::model_from_json(&json)?;
        assert_eq!(second.to_json()?, json);
        assert_eq!(second.summary_string(), first.summary_string());
        second.set_weights(&tensors(&case["weights"]))?;
        check("the model of its own JSON", &mut second, &case)?;
    }
    Ok(())
}

/// Where `KERAS_SOURCES` names a folder, the sources are written there: `tests/reference/fixtures/models`.
#[test]
fn models_are_written_in_python() -> keras::Result<()> {
    let folder = std::env::var_os("KERAS_SOURCES").map(PathBuf::from);
    for case in cases() {
        let name = format!("{}.py", case["name"].as_str().expect("a name"));
        let source = keras::model_from_json(case["json"].as_str().expect("a text"))?;
        let source = source.to_keras_python()?;
        if let Some(folder) = &folder {
            std::fs::write(folder.join(&name), &source).expect("the source can be written");
        }
        let expected = std::fs::read_to_string(path(&name)).expect("the source is there");
        assert_eq!(source, expected, "{name}");
    }
    python::run("sources.py", Path::new(""), "no Keras executes the sources");
    Ok(())
}

#[model(input = [3])]
struct Subclassed {
    #[layer(2)]
    dense: Dense,
}

#[model]
impl Subclassed {
    fn call(&self, x: Tensor) -> Tensor {
        self.dense(x)
    }
}

#[test]
fn python_has_no_source_of_a_subclassed_model() {
    let error = Subclassed::new()
        .to_keras_python()
        .expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "Only Sequential and Functional models can be written in Python: models of the class Subclassed are made by \
         Python code, which the file does not have. Supported models: Sequential, Functional"
    );
}
