//! The test of a model that `#[model(keras = "..")]` made: it predicts what Keras did.
//!
//! The predictions are a JSON beside the file, `model.predictions.json` beside `model.keras`: the inputs and the
//! outputs as nested lists, in the order of the model.
//!
//! ```text
//! {"inputs": [[[0.5, 1.0], [2.0, 3.0]]], "outputs": [[[0.25], [0.75]]]}
//! ```

use ndarray::{ArrayD, IxDyn};

use super::{Model, Predict};
use crate::config::Json;
use crate::error::{Error, Result};

/// How far a prediction may be from Keras', and from how far away.
const NEAR: f32 = 1e-5;

/// Predicts the inputs of a JSON, and compares with its outputs.
///
/// # Errors
/// If they differ, or it is no such JSON.
pub fn replay<M: Model>(model: &mut M, text: &str) -> Result<()> {
    let json = Json::parse(text).map_err(Error::Value)?;
    let (inputs, outputs) = (arrays(&json, "inputs")?, arrays(&json, "outputs")?);
    let inputs: Vec<&ArrayD<f32>> = inputs.iter().collect();
    let found = model.predict_all(inputs, Predict::default())?;
    if found.len() != outputs.len() {
        return Err(Error::value(format!(
            "The model has {} outputs, Keras' model had {}",
            found.len(),
            outputs.len()
        )));
    }
    for (at, (found, expected)) in found.iter().zip(&outputs).enumerate() {
        if found.shape() != expected.shape() {
            return Err(Error::value(format!(
                "Output {at} has the shape {:?}, Keras' had {:?}",
                found.shape(),
                expected.shape()
            )));
        }
        let pairs = found.iter().zip(expected);
        let differs = |(found, expected): &(&f32, &f32)| {
            let is_near = (**found - **expected).abs() <= NEAR * expected.abs().max(1.0);
            !(is_near || (found.is_nan() && expected.is_nan()))
        };
        if let Some((place, (found, expected))) = pairs.enumerate().find(|(_, pair)| differs(pair))
        {
            return Err(Error::value(format!(
                "Output {at} differs at its number {place}: {found}, Keras predicted {expected}"
            )));
        }
    }
    Ok(())
}

/// The arrays of a name.
fn arrays(json: &Json, name: &str) -> Result<Vec<ArrayD<f32>>> {
    let list = json.get(name).and_then(Json::as_list);
    let array = |json: &Json| {
        let mut shape = Vec::new();
        let mut first = json;
        while let Some(list) = first.as_list() {
            shape.push(list.len());
            match list.first() {
                Some(next) => first = next,
                None => break,
            }
        }
        let mut values = Vec::new();
        flatten(json, &mut values)?;
        ArrayD::from_shape_vec(IxDyn(&shape), values).ok()
    };
    let arrays = list.and_then(|list| list.iter().map(array).collect());
    arrays.ok_or_else(|| {
        Error::value(format!(
            "Expected {{\"inputs\": [..], \"outputs\": [..]}}, each array as nested lists of numbers. Received: another \
             `{name}`"
        ))
    })
}

fn flatten(json: &Json, values: &mut Vec<f32>) -> Option<()> {
    match json.as_list() {
        Some(list) => list.iter().try_for_each(|json| flatten(json, values)),
        None => {
            values.push(json.as_f64()? as f32);
            Some(())
        }
    }
}
