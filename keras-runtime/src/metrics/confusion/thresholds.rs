//! One threshold or several, as they are given to a metric and as they stand in a file.

use crate::config::{Json, Read, argument};
use crate::error::{Error, Result};

/// So many numbers from 0 to 1.
pub(super) fn even(count: usize) -> impl Iterator<Item = f32> {
    (0..count).map(move |i| i as f32 / (count - 1) as f32)
}

/// Whether thresholds are evenly spread from 0 to 1, as Keras finds out.
pub(super) fn is_even(thresholds: &[f32]) -> bool {
    let is_close =
        |(found, expected): (&f32, f32)| (found - expected).abs() <= 1e-7 + 1e-5 * expected;
    thresholds.len() > 2 && thresholds.iter().zip(even(thresholds.len())).all(is_close)
}

/// One threshold or several: what the builder methods take.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdList(pub(in crate::metrics) Vec<f32>);

argument! {
    ThresholdList, "a number or a list of numbers": |thresholds| match thresholds.0[..] {
        [threshold] => threshold.to_json(),
        _ => thresholds.0.to_json(),
    }, |json| match json.as_list() {
        Some(_) => Vec::from_json(json)?.map(Self),
        None => f32::from_json(json)?.map(|threshold| Self(vec![threshold])),
    };
}

/// How many thresholds a file may ask for.
const MOST: usize = 1 << 20;

/// A number of thresholds, as it stands in a file.
pub(in crate::metrics) fn read_count(name: &str, value: &Json) -> Result<usize> {
    let count = value.read(name)?;
    if count > MOST {
        return Err(Error::value(format!(
            "Expected at most {MOST} thresholds. Received: {name}={count}"
        )));
    }
    Ok(count)
}

impl From<f32> for ThresholdList {
    fn from(threshold: f32) -> Self {
        Self(vec![threshold])
    }
}

impl From<Vec<f32>> for ThresholdList {
    fn from(thresholds: Vec<f32>) -> Self {
        Self(thresholds)
    }
}

impl<const N: usize> From<[f32; N]> for ThresholdList {
    fn from(thresholds: [f32; N]) -> Self {
        Self(thresholds.into())
    }
}
