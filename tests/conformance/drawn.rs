//! Models of drawn layers, arguments, losses, metrics and optimizers: read from their configurations, trained and
//! evaluated as in Keras.

use keras::config::Json;
use keras::prelude::*;
use keras::{DynamicModel, model_from_json};
use ndarray::ArrayD;
use serde_json::Value;

use super::fixture::{self, assert_close, number, tensor, tensors};

/// Sums of float32 in another order, through two epochs.
const RTOL: f32 = 2e-4;
const ATOL: f32 = 2e-5;

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().expect("a text")
}

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

fn replay(case: &Value) -> keras::Result<()> {
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
    Ok(())
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
    let failed = cases.iter().filter(|case| {
        let replayed = std::panic::catch_unwind(|| replay(case));
        if let Ok(Err(error)) = &replayed {
            eprintln!("{}: {error}", case["name"]);
        }
        !matches!(replayed, Ok(Ok(())))
    });
    assert_eq!(failed.count(), 0, "of {} models", cases.len());
}
