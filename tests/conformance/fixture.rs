//! Reading the fixtures, and comparing with them.

use std::path::PathBuf;

use ndarray::{ArrayD, IxDyn};
use serde_json::{Value, json};

/// The fixture `tests/reference/fixtures/{name}.json`.
pub fn load(name: &str) -> Value {
    let path: PathBuf = [
        env!("CARGO_MANIFEST_DIR"),
        "tests/reference/fixtures",
        &format!("{name}.json"),
    ]
    .iter()
    .collect();
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A tensor of a fixture: `{"shape": [..], "values": [..]}`.
pub fn tensor(value: &Value) -> ArrayD<f32> {
    let numbers = |key: &str| {
        value[key]
            .as_array()
            .unwrap_or_else(|| panic!("`{key}` is missing in {value}"))
    };
    let shape: Vec<usize> = numbers("shape")
        .iter()
        .filter_map(|dim| dim.as_u64().map(|dim| dim as usize))
        .collect();
    let values = numbers("values").iter().map(number).collect::<Vec<f32>>();
    ArrayD::from_shape_vec(IxDyn(&shape), values).expect("a fixture's shape fits its values")
}

/// A list of tensors.
pub fn tensors(value: &Value) -> Vec<ArrayD<f32>> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(tensor)
        .collect()
}

/// A tensor as fixtures have it.
pub fn written(array: &ArrayD<f32>) -> Value {
    json!({"shape": array.shape(), "values": array.iter().collect::<Vec<_>>()})
}

/// A text of a case.
pub fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().expect("a text")
}

/// A number; JSON has no NaN and no infinities, so these are strings.
pub fn number(value: &Value) -> f32 {
    match value.as_str() {
        Some("NaN") => f32::NAN,
        Some("Infinity") => f32::INFINITY,
        Some("-Infinity") => f32::NEG_INFINITY,
        _ => value.as_f64().expect("a number") as f32,
    }
}

/// Holds `found` against `expected`: |found - expected| <= atol + rtol |expected|, everywhere.
#[track_caller]
pub fn assert_close(what: &str, found: &[f32], expected: &[f32], rtol: f32, atol: f32) {
    assert_eq!(found.len(), expected.len(), "{what}: the number of values");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let same = found == expected || (found.is_nan() && expected.is_nan());
        assert!(
            same || (found - expected).abs() <= atol + rtol * expected.abs(),
            "{what}: value {at} is {found}, Keras has {expected}"
        );
    }
}
