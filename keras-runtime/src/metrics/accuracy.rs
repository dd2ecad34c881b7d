//! How often `y_pred = y_true`.

use super::{Direction, Metric, MetricInput, Own, row_mean};
use crate::device::{Arith, Device, Float, MeanOf, PairFunction};
use crate::error::Result;
use crate::losses::broadcast;
use crate::shape::Shape;

/// How often predictions equal targets: `keras.metrics.Accuracy`.
///
/// The name `accuracy` in `compile` is not always this one: see [`by_name`](super::by_name).
#[derive(Clone, Debug)]
pub struct Accuracy {
    pub(super) own: Own,
}

impl Accuracy {
    /// The metric.
    pub const fn new() -> Self {
        Self {
            own: Own::new("accuracy"),
        }
    }
}

impl<D: Device> Metric<D> for Accuracy {
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
        row_mean(MeanOf(Equal), input.elements(), input);
    }

    fn direction(&self) -> Direction {
        Direction::Up
    }
}

/// 1 if both are the same.
#[derive(Clone, Copy)]
struct Equal;

impl PairFunction for Equal {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        if y_true == y_pred {
            F::one()
        } else {
            F::zero()
        }
    }
}
