//! How often `y_true` is among the `k` largest of `y_pred`.

use super::top_k_categorical_accuracy::in_top_k;
use super::{Direction, Metric, MetricInput, Own, row_mean};
use crate::device::{Arith, Device, Float, RowFunction};
use crate::error::Result;
use crate::losses::classes;
use crate::shape::Shape;

/// How often the target, the number of a class, is among the `k` most probable:
/// `keras.metrics.SparseTopKCategoricalAccuracy`.
#[derive(Clone, Debug)]
pub struct SparseTopKCategoricalAccuracy {
    pub(super) own: Own,
    k: usize,
}

impl SparseTopKCategoricalAccuracy {
    /// The metric with `k = 5`.
    pub const fn new() -> Self {
        Self {
            own: Own::new("sparse_top_k_categorical_accuracy"),
            k: 5,
        }
    }

    /// How many classes are looked at.
    #[must_use]
    pub const fn k(mut self, k: usize) -> Self {
        self.k = k;
        self
    }
}

impl<D: Device> Metric<D> for SparseTopKCategoricalAccuracy {
    fn name(&self) -> &str {
        self.own.name()
    }

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        classes(y_true, y_pred)
    }

    fn update(&self, input: MetricInput<'_, D>) {
        row_mean(ClassInTopK { k: self.k }, input.rows(), input);
    }

    fn direction(&self) -> Direction {
        Direction::Up
    }
}

/// 1 if the target is one of the k largest.
#[derive(Clone, Copy)]
struct ClassInTopK {
    k: usize,
}

impl RowFunction for ClassInTopK {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: &[F], y_pred: &[F]) -> F {
        let class = y_true.first().and_then(|class| class.to_usize());
        class.map_or(F::zero(), |class| in_top_k::<F, A>(y_pred, class, self.k))
    }
}
