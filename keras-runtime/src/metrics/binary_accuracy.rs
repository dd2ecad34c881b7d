//! How often `(y_pred > threshold) = y_true`.

use super::{Direction, Metric, MetricInput, Own, row_mean};
use crate::device::{Arith, Device, Float, MeanOf, PairFunction};
use crate::error::Result;
use crate::losses::broadcast;
use crate::shape::Shape;

/// How often probabilities are on the side of the threshold where their targets, 0 or 1, are:
/// `keras.metrics.BinaryAccuracy`.
#[derive(Clone, Debug)]
pub struct BinaryAccuracy {
    pub(super) own: Own,
    threshold: f32,
}

impl BinaryAccuracy {
    /// The metric with a threshold of 0.5.
    pub const fn new() -> Self {
        Self {
            own: Own::new("binary_accuracy"),
            threshold: 0.5,
        }
    }

    /// Predictions above it count as 1.
    #[must_use]
    pub const fn threshold(mut self, threshold: f32) -> Self {
        self.threshold = threshold;
        self
    }
}

impl<D: Device> Metric<D> for BinaryAccuracy {
    fn name(&self) -> &str {
        self.own.name()
    }

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        broadcast(y_true, y_pred)
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn update(&self, input: MetricInput<'_, D>) {
        let hit = Hit {
            threshold: self.threshold,
        };
        row_mean(MeanOf(hit), input.elements(), input);
    }

    fn direction(&self) -> Direction {
        Direction::Up
    }
}

/// 1 if a prediction is on its target's side.
#[derive(Clone, Copy)]
struct Hit {
    threshold: f32,
}

impl PairFunction for Hit {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        let class = if y_pred > F::from_f32(self.threshold) {
            F::one()
        } else {
            F::zero()
        };
        if class == y_true { F::one() } else { F::zero() }
    }
}
