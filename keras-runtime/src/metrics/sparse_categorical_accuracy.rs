//! How often `argmax(y_pred) = y_true`.

use super::categorical_accuracy::argmax;
use super::{Direction, Metric, MetricInput, Own, row_mean};
use crate::device::{Arith, Device, Float, RowFunction};
use crate::error::Result;
use crate::losses::classes;
use crate::shape::Shape;

/// How often the most probable class is the target, the number of a class:
/// `keras.metrics.SparseCategoricalAccuracy`.
#[derive(Clone, Debug)]
pub struct SparseCategoricalAccuracy {
    pub(super) own: Own,
}

impl SparseCategoricalAccuracy {
    /// The metric.
    pub const fn new() -> Self {
        Self {
            own: Own::new("sparse_categorical_accuracy"),
        }
    }
}

impl<D: Device> Metric<D> for SparseCategoricalAccuracy {
    fn name(&self) -> &str {
        self.own.name()
    }

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        classes(y_true, y_pred)
    }

    fn update(&self, input: MetricInput<'_, D>) {
        row_mean(IsClass, input.rows(), input);
    }

    fn direction(&self) -> Direction {
        Direction::Up
    }
}

/// 1 if the target is where the maximum is.
#[derive(Clone, Copy)]
struct IsClass;

impl RowFunction for IsClass {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: &[F], y_pred: &[F]) -> F {
        if y_true.first() == Some(&F::from_usize(argmax::<F, A>(y_pred))) {
            F::one()
        } else {
            F::zero()
        }
    }
}
