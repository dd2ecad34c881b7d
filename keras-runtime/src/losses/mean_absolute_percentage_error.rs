//! `100 · mean(|y_true - y_pred| / max(|y_true|, 1e-7))` along the last axis.

use super::binary_crossentropy::EPSILON;
use super::mean_absolute_error::sign;
use super::{Loss, LossInput, loss, options};
use crate::device::{Arith, Axes, Device, Float, MeanOf, PairFunction, PairLoss};

loss! {
    /// The mean of absolute differences in percent of the targets:
    /// `keras.losses.MeanAbsolutePercentageError`.
    MeanAbsolutePercentageError, "mean_absolute_percentage_error" {}
}

impl<D: Device> Loss<D> for MeanAbsolutePercentageError {
    options!();

    fn compute(&self, input: LossInput<'_, D>) {
        let error = MeanOf(AbsolutePercentageError);
        input.line_loss(&error, &Axes::LAST, self.options.reduction);
    }
}

/// The absolute difference in percent of the target; also the metric's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AbsolutePercentageError;

impl PairFunction for AbsolutePercentageError {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        self.value_and_gradient::<F, A>(y_true, y_pred).0
    }
}

impl PairLoss for AbsolutePercentageError {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F) {
        let percent = F::from_f32(100.0) / y_true.abs().max(F::from_f64(EPSILON));
        let difference = y_pred - y_true;
        (difference.abs() * percent, sign(difference) * percent)
    }
}
