//! Losses and metrics: functions of a row of targets and a row of predictions.

use super::{Float, Memory};
use crate::shape::Shape;

/// What a metric or a loss computes of one row: a sample's target and prediction along the last
/// axis.
pub trait RowFunction: Copy + Send + Sync {
    /// The value of a row: y_true (true_width), y_pred (width).
    fn value<F: Float>(&self, y_true: &[F], y_pred: &[F]) -> F;
}

/// A [`RowFunction`] with its derivative.
pub trait RowLoss: RowFunction {
    /// The value of a row; `gradient` (width) becomes its derivative with regard to `y_pred`.
    fn value_and_gradient<F: Float>(&self, y_true: &[F], y_pred: &[F], gradient: &mut [F]) -> F;
}

/// How the rows of a batch lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The number of rows: the samples, times the axes between the batch and the last one.
    pub rows: usize,
    /// The length of a row of targets.
    pub true_width: usize,
    /// The length of a row of predictions.
    pub width: usize,
    /// How many rows share one sample weight.
    pub rows_per_weight: usize,
}

/// Sums of a function over rows. Sums run in a fixed order: the result does not depend on the
/// number of threads.
pub trait RowSums: Memory {
    /// `sums[0] += scale · Σ wᵢ f(row i)`, and where `gradient` is given, its row i becomes
    /// `gradient_scale · wᵢ · f'(row i)`. Without weights every wᵢ is 1.
    #[allow(clippy::too_many_arguments)]
    fn row_loss<L: RowLoss>(
        &self,
        loss: L,
        rows: Rows,
        y_true: Self::Slice<'_>,
        y_pred: Self::Slice<'_>,
        weights: Option<Self::Slice<'_>>,
        gradient: Option<(Self::SliceMut<'_>, f32)>,
        scale: f32,
        sums: Self::SliceMut<'_>,
    );
    /// `sums[0] += Σ wᵢ f(row i)`, `sums[1] += Σ wᵢ`.
    fn row_mean<M: RowFunction>(
        &self,
        function: M,
        rows: Rows,
        y_true: Self::Slice<'_>,
        y_pred: Self::Slice<'_>,
        weights: Option<Self::Slice<'_>>,
        sums: Self::SliceMut<'_>,
    );
}

impl Rows {
    /// The rows of a batch of samples, with `weights_per_sample` weights each.
    pub fn of(batch: usize, y_true: &Shape, y_pred: &Shape, weights_per_sample: usize) -> Self {
        let width = y_pred.last().max(1);
        let per_sample = y_pred.size() / width;
        Self {
            rows: batch * per_sample,
            true_width: y_true.size() / per_sample.max(1),
            width,
            rows_per_weight: per_sample / weights_per_sample.clamp(1, per_sample.max(1)),
        }
    }
}
