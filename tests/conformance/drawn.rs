//! Models of drawn layers, arguments, losses, metrics and optimizers: read from their configurations, trained,
//! evaluated and saved as in Keras, which goes on with the files.

use std::path::Path;

use keras::config::Json;
use keras::prelude::*;
use keras::{DynamicModel, load_model, model_from_json};
use ndarray::ArrayD;
use serde_json::{Value, json};

use super::fixture::{self, assert_close, number, tensor, tensors, text};
use super::python;

/// Sums of float32 in another order, through two epochs.
const RTOL: f32 = 1e-4;
const ATOL: f32 = 1e-5;

fn assert_same(what: &str, found: &[ArrayD<f32>], expected: &Value) {
    let expected = tensors(expected);
    assert_eq!(found.len(), expected.len(), "{what}: the number of arrays");
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found.shape(), expected.shape(), "{what}: shape {at}");
        let [found, expected] = [found, expected].map(|array| array.as_slice().expect("in order"));
        assert_close(&format!("{what} {at}"), found, expected, RTOL, ATOL);
    }
}

fn names(object: &Value) -> Vec<&str> {
    let object = object.as_object().expect("an object");
    let mut names: Vec<&str> = object.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The first rows of every array.
fn first(arrays: &[ArrayD<f32>], rows: usize) -> Vec<ArrayD<f32>> {
    let first = arrays.iter().map(|array| {
        let rows = ndarray::Slice::from(0..rows);
        array.slice_axis(ndarray::Axis(0), rows).to_owned()
    });
    first.collect()
}

fn replay(case: &Value) -> keras::Result<DynamicModel> {
    let name = text(case, "name");
    let mut model: DynamicModel = model_from_json(text(case, "model"))?;
    model.set_weights(&tensors(&case["weights"]))?;
    model.compile_from_config(&Json::parse(text(case, "compile")).expect("JSON"))?;
    let (x, y) = (tensors(&case["x"]), tensors(&case["y"]));
    let predict = || Predict::batch_size(32).verbose(0);
    let predictions = model.predict_all(x.clone(), predict())?;
    assert_same(
        &format!("{name}: prediction"),
        &predictions,
        &case["predictions"],
    );

    let fit = Fit::epochs(2).batch_size(4).shuffle(false).verbose(0);
    let evaluate = Evaluate::batch_size(5).verbose(0);
    let validation = (first(&x, 6), first(&y, 6));
    let (history, logs) = if case["sample_weight"].is_null() {
        let history = model.fit((x.clone(), y.clone()), fit.validation(validation))?;
        (history, model.evaluate((x.clone(), y), evaluate)?)
    } else {
        let weights = vec![tensor(&case["sample_weight"]); y.len()];
        let validation = (validation.0, validation.1, first(&weights, 6));
        let data = (x.clone(), y.clone(), weights.clone());
        let history = model.fit(data, fit.validation(validation))?;
        (history, model.evaluate((x.clone(), y, weights), evaluate)?)
    };
    let mut found: Vec<&str> = history.names().collect();
    found.sort_unstable();
    assert_eq!(found, names(&case["history"]), "{name}: history");
    for (key, expected) in case["history"].as_object().expect("an object") {
        let expected: Vec<f32> = expected
            .as_array()
            .expect("a list")
            .iter()
            .map(number)
            .collect();
        let found = history.get(key).expect("its name was found");
        assert_close(&format!("{name}: {key}"), found, &expected, RTOL, ATOL);
    }
    for (key, expected) in case["logs"].as_object().expect("an object") {
        let found = logs.get(key).unwrap_or(f32::NAN);
        assert_close(
            &format!("{name}: evaluated {key}"),
            &[found],
            &[number(expected)],
            RTOL,
            ATOL,
        );
    }
    assert_same(
        &format!("{name}: weight"),
        &model.get_weights(),
        &case["trained"],
    );
    let outputs = model.predict_all(x, predict())?;
    assert_same(&format!("{name}: output"), &outputs, &case["outputs"]);
    Ok(model)
}

/// Saves a trained model: as loaded it goes on bit for bit, whatever the order of its layers. Gives what Keras has to make of
/// the file.
fn saved(mut model: DynamicModel, case: &Value, directory: &Path) -> keras::Result<Value> {
    let name = text(case, "name");
    let file = format!("{name}.keras");
    model.save(directory.join(&file))?;
    let (x, y) = (tensors(&case["x"]), tensors(&case["y"]));
    let outputs = model.predict_all(x.clone(), Predict::batch_size(32).verbose(0))?;
    let mut again = load_model(directory.join(&file))?;
    let epoch = |model: &mut DynamicModel| {
        let fit = Fit::epochs(1).batch_size(4).shuffle(false).verbose(0);
        model.fit((x.clone(), y.clone()), fit)
    };
    let loss = |history: &History| history.get("loss").map_or(f32::NAN, |loss| loss[0]);
    let (history, same) = (epoch(&mut model)?, epoch(&mut again)?);
    assert_eq!(
        loss(&history).to_bits(),
        loss(&same).to_bits(),
        "{name}: as loaded"
    );
    Ok(json!({
        "name": name,
        "file": file,
        "x": case["x"],
        "y": case["y"],
        "outputs": outputs.iter().map(fixture::written).collect::<Vec<_>>(),
        "loss": loss(&history),
    }))
}

#[test]
fn drawn_models_do_what_they_do_in_keras() {
    let fixture = match std::env::var_os("KERAS_DRAWN") {
        Some(path) => {
            let text = std::fs::read_to_string(path).expect("the file that KERAS_DRAWN names");
            serde_json::from_str(&text).expect("JSON")
        }
        None => fixture::load("drawn"),
    };
    let cases = fixture["cases"].as_array().expect("cases");
    let directory = std::env::temp_dir().join(format!("keras-drawn-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let mut written = Vec::new();
    for case in cases {
        let replayed = std::panic::catch_unwind(|| {
            replay(case).and_then(|model| saved(model, case, &directory))
        });
        match replayed {
            Ok(Ok(case)) => written.push(case),
            Ok(Err(error)) => eprintln!("{}: {error}", case["name"]),
            // It has said what is wrong.
            Err(_) => {}
        }
    }
    assert_eq!(written.len(), cases.len(), "models that do the same");
    let text = json!({ "cases": written }).to_string();
    std::fs::write(directory.join("drawn.json"), text).expect("a file");
    python::run(
        "drawn.py",
        &directory,
        "no Keras loads the drawn models that are saved here",
    );
    std::fs::remove_dir_all(&directory).ok();
}
