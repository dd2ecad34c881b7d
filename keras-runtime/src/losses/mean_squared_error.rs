//! `mean((y_true - y_pred)²)` along the last axis.

use super::{Loss, LossInput, Reduction, row_loss};
use crate::device::{Device, Float, RowFunction, RowLoss};

/// The mean of squared differences: `keras.losses.MeanSquaredError`.
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanSquaredError {
    reduction: Reduction,
}

impl MeanSquaredError {
    /// The loss with Keras' defaults.
    pub const fn new() -> Self {
        Self {
            reduction: Reduction::SumOverBatchSize,
        }
    }

    /// How the rows of a batch become one number.
    #[must_use]
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }
}

impl<D: Device> Loss<D> for MeanSquaredError {
    fn name(&self) -> &str {
        "mean_squared_error"
    }

    fn compute(&self, input: LossInput<'_, D>) {
        row_loss(SquaredError, self.reduction, input);
    }
}

/// The mean squared difference of a row; also the metric's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SquaredError;

impl RowFunction for SquaredError {
    #[inline(always)]
    fn value<F: Float>(&self, y_true: &[F], y_pred: &[F]) -> F {
        let mut sum = F::zero();
        for (&t, &p) in y_true.iter().zip(y_pred) {
            sum += (p - t) * (p - t);
        }
        sum / F::from_usize(y_pred.len())
    }
}

impl RowLoss for SquaredError {
    #[inline(always)]
    fn value_and_gradient<F: Float>(&self, y_true: &[F], y_pred: &[F], gradient: &mut [F]) -> F {
        let scale = F::from_f32(2.0) / F::from_usize(y_pred.len());
        for ((d, &t), &p) in gradient.iter_mut().zip(y_true).zip(y_pred) {
            *d = scale * (p - t);
        }
        self.value(y_true, y_pred)
    }
}
