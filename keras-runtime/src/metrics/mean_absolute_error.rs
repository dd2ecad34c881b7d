//! The mean of `|y_true - y_pred|`.

use super::{Direction, Metric, MetricInput, Own, row_mean};
use crate::device::{Device, MeanOf};
use crate::error::Result;
use crate::losses::{AbsoluteError, broadcast};
use crate::shape::Shape;

/// The mean of absolute differences: `keras.metrics.MeanAbsoluteError`.
#[derive(Clone, Debug)]
pub struct MeanAbsoluteError {
    pub(super) own: Own,
}

impl MeanAbsoluteError {
    /// The metric.
    pub const fn new() -> Self {
        Self {
            own: Own::new("mean_absolute_error"),
        }
    }
}

impl<D: Device> Metric<D> for MeanAbsoluteError {
    fn name(&self) -> &str {
        self.own.name()
    }

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        broadcast(y_true, y_pred)
    }

    fn update(&self, input: MetricInput<'_, D>) {
        row_mean(MeanOf(AbsoluteError), input.rows(), input);
    }

    fn direction(&self) -> Direction {
        Direction::Down
    }
}
