//! What the code of `#[metric]` calls.

use super::{MetricInput, metric};
use crate::device::{Device, Rows, StateFunction};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The shape of the values of one sample where every element has one.
pub fn elements(y_true: &Shape, y_pred: &Shape) -> Shape {
    metric::elements(y_true, y_pred)
}

/// Whether predictions have as many numbers along the last axis as a metric has weights for.
///
/// # Errors
/// If they have not.
pub fn check_width(name: &str, width: usize, y_pred: &Shape) -> Result<()> {
    if y_pred.last() == width {
        return Ok(());
    }
    Err(Error::value(format!(
        "The metric '{name}' has weights for {width} numbers along the last axis. Received: y_pred.shape={y_pred}"
    )))
}

/// Changes the state of a metric by a batch.
pub fn update_state<D: Device, S: StateFunction>(
    function: S,
    rows: Rows,
    input: MetricInput<'_, D>,
) {
    input.device.update_state(
        function,
        rows,
        input.y_true,
        input.y_pred,
        input.sample_weight,
        input.state,
    );
}
