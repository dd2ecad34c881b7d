//! `mean((y_true - y_pred)²)` along the last axis.

use super::{Loss, LossInput, loss, options, row_loss};
use crate::device::{Arith, Device, Float, MeanOf, PairFunction, PairLoss};

loss! {
    /// The mean of squared differences: `keras.losses.MeanSquaredError`.
    MeanSquaredError, "mean_squared_error" {}
}

impl<D: Device> Loss<D> for MeanSquaredError {
    options!();

    fn compute(&self, input: LossInput<'_, D>) {
        let error = MeanOf(SquaredError);
        row_loss(error, &error, -1, &self.options, input);
    }
}

/// The squared difference; also the metric's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SquaredError;

impl PairFunction for SquaredError {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        let difference = y_pred - y_true;
        difference * difference
    }
}

impl PairLoss for SquaredError {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F) {
        let difference = y_pred - y_true;
        (difference * difference, difference + difference)
    }
}
