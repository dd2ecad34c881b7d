//! The mean of `(y_true - y_pred)²`.

use super::{Direction, Metric, MetricInput, Own, row_mean};
use crate::device::{Device, MeanOf};
use crate::error::Result;
use crate::losses::{SquaredError, broadcast};
use crate::shape::Shape;

/// The mean of squared differences: `keras.metrics.MeanSquaredError`.
#[derive(Clone, Debug)]
pub struct MeanSquaredError {
    pub(super) own: Own,
}

impl MeanSquaredError {
    /// The metric.
    pub const fn new() -> Self {
        Self {
            own: Own::new("mean_squared_error"),
        }
    }
}

impl<D: Device> Metric<D> for MeanSquaredError {
    fn name(&self) -> &str {
        self.own.name()
    }

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        broadcast(y_true, y_pred)
    }

    fn update(&self, input: MetricInput<'_, D>) {
        row_mean(MeanOf(SquaredError), input.rows(), input);
    }

    fn direction(&self) -> Direction {
        Direction::Down
    }
}
