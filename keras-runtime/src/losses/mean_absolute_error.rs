//! `mean(|y_true - y_pred|)` along the last axis.

use super::{Loss, LossInput, loss, options, row_loss};
use crate::device::{Arith, Device, Float, MeanOf, PairFunction, PairLoss};

loss! {
    /// The mean of absolute differences: `keras.losses.MeanAbsoluteError`.
    MeanAbsoluteError, "mean_absolute_error" {}
}

impl<D: Device> Loss<D> for MeanAbsoluteError {
    options!();

    fn compute(&self, input: LossInput<'_, D>) {
        let error = MeanOf(AbsoluteError);
        row_loss(error, &error, -1, &self.options, input);
    }
}

/// The absolute difference; also the metric's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AbsoluteError;

impl PairFunction for AbsoluteError {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        (y_pred - y_true).abs()
    }
}

impl PairLoss for AbsoluteError {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F) {
        let difference = y_pred - y_true;
        (difference.abs(), sign(difference))
    }
}

/// -1, 0 or 1: the derivative of `|x|`. 0 and NaN stay what they are.
#[inline(always)]
pub(super) fn sign<F: Float>(x: F) -> F {
    if x > F::zero() {
        F::one()
    } else if x < F::zero() {
        -F::one()
    } else {
        x
    }
}
