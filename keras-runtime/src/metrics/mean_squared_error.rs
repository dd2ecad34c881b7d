//! The mean of `(y_true - y_pred)²`.

use super::{Direction, Metric, MetricInput, row_mean};
use crate::device::Device;
use crate::losses::SquaredError;

/// The mean of squared differences: `keras.metrics.MeanSquaredError`.
#[derive(Clone, Debug, Default)]
pub struct MeanSquaredError {}

impl MeanSquaredError {
    /// The metric.
    pub const fn new() -> Self {
        Self {}
    }
}

impl<D: Device> Metric<D> for MeanSquaredError {
    fn name(&self) -> &str {
        "mean_squared_error"
    }

    fn update(&self, input: MetricInput<'_, D>) {
        row_mean(SquaredError, input);
    }

    fn direction(&self) -> Direction {
        Direction::Down
    }
}
