//! `√mean((y_true - y_pred)²)`.

use super::metric::described;
use super::{Direction, Metric, MetricInput, Own, mean, metric};
use crate::config::arguments;
use crate::device::{Device, MeanOf};
use crate::error::Result;
use crate::losses::{SquaredError, broadcast};
use crate::shape::Shape;

/// The root of the mean of squared differences: `keras.metrics.RootMeanSquaredError`.
#[derive(Clone, Debug)]
pub struct RootMeanSquaredError {
    pub(super) own: Own,
}

impl RootMeanSquaredError {
    /// The metric.
    pub const fn new() -> Self {
        Self {
            own: Own::new("root_mean_squared_error"),
        }
    }
}

arguments!(RootMeanSquaredError: own {});

impl<D: Device> Metric<D> for RootMeanSquaredError {
    described!(RootMeanSquaredError);

    fn name(&self) -> &str {
        self.own.name()
    }

    fn validate(&self) -> Result<()> {
        self.own.validate()
    }

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        broadcast(y_true, y_pred)
    }

    fn values(&self, y_true: &Shape, y_pred: &Shape) -> Shape {
        metric::elements(y_true, y_pred)
    }

    fn update(&self, input: MetricInput<'_, D>) -> Result<()> {
        let elements = input.elements();
        input.row_mean(MeanOf(SquaredError), elements);
        Ok(())
    }

    fn result(&self, state: &[f32]) -> f32 {
        mean(state).sqrt()
    }

    fn direction(&self) -> Direction {
        Direction::Down
    }
}
