//! What the code of `#[metric]` calls.

use super::MetricInput;
use crate::device::{Device, Rows, StateFunction};

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
