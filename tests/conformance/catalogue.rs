//! Everything that has a configuration, in whole models: each is in a file of Keras that goes on here, and in one
//! written here that goes on in Keras. What there is, the catalogues themselves say, so that nothing is left out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keras::DynamicModel;
use keras::config::Json;
use keras::prelude::*;
use keras::testing::{self, Object};
use ndarray::{ArrayD, Axis, IxDyn, Slice};
use serde_json::{Map, Value, json};

use super::fixture::{self, assert_close, number, tensors};
use super::python;

/// Its kernel has three axes, and no layer here has such a weight.
const WITHOUT_LAYER: (&str, &str) = ("keras.initializers", "STFT");

/// One model, and what it is trained on.
struct Case {
    name: String,
    file: String,
    json: Value,
    x: Vec<ArrayD<f32>>,
    y: Vec<ArrayD<f32>>,
}

impl Case {
    fn all() -> Vec<Self> {
        let fixture = fixture::load("catalogue");
        let cases = fixture["cases"].as_array().expect("cases").iter();
        let text = |case: &Value, key: &str| case[key].as_str().expect("a text").to_owned();
        let case = |json: &Value| {
            let x = tensors(&json["x"]);
            let y = match &json["y"] {
                Value::Null => {
                    let zeros = |mut output: ArrayD<f32>| {
                        output.fill(0.0);
                        // The predictions of two samples, and of two more.
                        ndarray::concatenate![Axis(0), output, output]
                    };
                    tensors(&json["predictions"])
                        .into_iter()
                        .map(zeros)
                        .collect()
                }
                y => tensors(y),
            };
            Self {
                name: text(json, "name"),
                file: text(json, "file"),
                json: json.clone(),
                x,
                y,
            }
        };
        cases.map(case).collect()
    }

    /// Where Keras' file is.
    fn path(&self) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        folder
            .join("tests/reference/fixtures/catalogue")
            .join(&self.file)
    }

    /// The predictions of the first two samples.
    fn predictions(&self, model: &mut DynamicModel) -> Vec<ArrayD<f32>> {
        let first = |x: &ArrayD<f32>| x.slice_axis(Axis(0), Slice::from(..2)).to_owned();
        let x: Vec<_> = self.x.iter().map(first).collect();
        let predictions = model.predict_all(x, Predict::batch_size(2).verbose(0));
        predictions.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// The logs of an epoch, in order and in batches of 2.
    fn epoch(&self, model: &mut DynamicModel) -> Map<String, Value> {
        let fit = Fit::epochs(1).batch_size(2).shuffle(false).verbose(0);
        let history = model.fit((self.x.clone(), self.y.clone()), fit);
        let history = history.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        // What a dropout's output is compared with is drawn.
        let logs = history.names().filter(|log| !log.starts_with("dropout"));
        logs.map(|log| {
            (
                log.to_string(),
                history.get(log).expect("the log")[0].into(),
            )
        })
        .collect()
    }
}

/// The variables of a model's optimizer, each with the sum of its magnitudes, as a file has them.
fn variables(model: &DynamicModel, directory: &Path) -> Vec<(Vec<usize>, f64)> {
    let path = directory.join("variables.weights.h5");
    model.save_weights(&path).expect("the file can be written");
    let objects = testing::hdf5_objects(&path).expect("the file can be read");
    let of = |object: &Object| {
        let at = object
            .path
            .strip_prefix("optimizer/vars/")?
            .parse::<usize>()
            .ok()?;
        let values = object.values.iter();
        let sum = values.map(|value| f64::from(value.abs())).sum();
        Some((at, (object.shape.clone()?, sum)))
    };
    let mut variables: Vec<_> = objects.iter().filter_map(of).collect();
    variables.sort_by_key(|(at, _)| *at);
    variables
        .into_iter()
        .map(|(_, variable)| variable)
        .collect()
}

/// The classes with their modules that a configuration names, and its functions of activation.
fn names(json: &Json, into: &mut BTreeSet<(String, String)>) {
    match json {
        Json::Object(object) => {
            let text = |key: &str| object.get(key).and_then(Json::as_str);
            if let (Some(module), Some(class)) = (text("module"), text("class_name")) {
                into.insert((module.into(), class.into()));
            }
            if let Some(function) = text("activation") {
                into.insert(("keras.activations".into(), function.into()));
            }
            object.iter().for_each(|(_, value)| names(value, into));
        }
        Json::List(values) => values.iter().for_each(|value| names(value, into)),
        _ => {}
    }
}

/// What a model is and what it was compiled with; how Keras compiles it to machine code, it decides itself.
fn described(model: &DynamicModel) -> [String; 2] {
    let compile = model.get_compile_config().to_string();
    let json = model.to_json().expect("the model has shapes");
    [
        json,
        compile.replace(r#""jit_compile": "auto""#, r#""jit_compile": true"#),
    ]
}

#[test]
fn everything_goes_on_here_and_in_keras() {
    let directory = std::env::temp_dir().join(format!("keras-catalogue-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let mut covered = BTreeSet::new();
    let mut written = Vec::new();
    let mut models = Vec::new();
    for case in Case::all() {
        let name = &case.name;
        let model = keras::load_model(case.path());
        let mut model = model.unwrap_or_else(|error| panic!("{name}: {error}"));
        let predictions = case.predictions(&mut model);
        let expected = tensors(&case.json["predictions"]);
        assert_eq!(predictions.len(), expected.len(), "{name}");
        for (at, (found, expected)) in predictions.iter().zip(&expected).enumerate() {
            let values = |array: &ArrayD<f32>| array.iter().copied().collect::<Vec<_>>();
            assert_eq!(found.shape(), expected.shape(), "{name}: output {at}");
            let what = format!("{name}: output {at}");
            assert_close(&what, &values(found), &values(expected), 0.0, 1e-6);
        }
        let (logs, expected) = (case.epoch(&mut model), &case.json["logs"]);
        let expected = expected.as_object().expect("the logs");
        assert!(
            logs.keys().eq(expected.keys()),
            "{name}: {logs:?} {expected:?}"
        );
        for (log, value) in &logs {
            let what = format!("{name}: {log}");
            let value = value.as_f64().unwrap_or(f64::NAN) as f32;
            assert_close(&what, &[value], &[number(&expected[log])], 1e-4, 1e-6);
        }
        let (found, expected) = (variables(&model, &directory), &case.json["variables"]);
        let expected = expected.as_array().expect("the variables");
        assert_eq!(
            found.len(),
            expected.len(),
            "{name}: the optimizer's variables"
        );
        for (at, ((shape, sum), expected)) in found.iter().zip(expected).enumerate() {
            let what = format!("{name}: variable {at} of the optimizer");
            assert_eq!(json!(shape), expected[0], "{what}");
            assert_close(&what, &[*sum as f32], &[number(&expected[1])], 1e-4, 1e-6);
        }

        // And back: what is saved now, Keras goes on with.
        let path = directory.join(&case.file);
        model
            .save(&path)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let [json, compile] = described(&model);
        for text in [&json, &compile] {
            names(&Json::parse(text).expect("JSON"), &mut covered);
        }
        let list = |arrays: &[ArrayD<f32>]| arrays.iter().map(fixture::written).collect::<Vec<_>>();
        written.push(json!({
            "name": name,
            "file": case.file,
            "x": list(&case.x),
            "y": list(&case.y),
            "predictions": list(&case.predictions(&mut model)),
            "logs": case.epoch(&mut model),
            "variables": variables(&model, &directory),
        }));
        models.push((case, [json, compile]));
    }

    let catalogue = testing::catalogue().into_iter();
    let missing: Vec<_> = catalogue
        .filter(|&(module, name)| (module, name) != WITHOUT_LAYER)
        .filter(|(module, name)| !covered.contains(&(module.to_string(), name.to_string())))
        .collect();
    assert!(
        missing.is_empty(),
        "no model has {missing:?}: add them to tests/reference/configs.py and generate `configs` and `catalogue`"
    );

    let list = directory.join("catalogue.json");
    std::fs::write(&list, json!({"cases": written}).to_string()).expect("a file");
    let what = format!(
        "no Keras loads {} models with everything there is",
        models.len()
    );
    if python::run("catalogue.py", &directory, &what) {
        for (case, expected) in models {
            let again = keras::load_model(directory.join(format!("again_{}", case.file)));
            let again = again.unwrap_or_else(|error| panic!("{}: {error}", case.name));
            assert_eq!(described(&again), expected, "{}", case.name);
        }
    }
    std::fs::remove_dir_all(&directory).expect("the directory");
}

#[test]
fn zeros_have_the_shape_of_what_is_predicted() {
    let case = &Case::all()[0];
    assert_eq!(case.y[0].shape()[0], case.x[0].shape()[0]);
    assert_eq!(case.y[0], ArrayD::<f32>::zeros(IxDyn(case.y[0].shape())));
}
