//! What the code of `#[metric]` calls.

use super::{MetricInput, metric};
use crate::device::{Device, Rows, StateFunction};
use crate::shape::Shape;

/// The shape of the values of one sample where every element has one.
pub fn elements(y_true: &Shape, y_pred: &Shape) -> Shape {
    metric::elements(y_true, y_pred)
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
