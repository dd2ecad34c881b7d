//! With `e = y_pred - y_true`, along the last axis: the mean of `e² / 2` where `|e| <= delta`, and of
//! `delta |e| - delta² / 2` elsewhere.

use super::mean_absolute_error::sign;
use super::{Loss, LossInput, loss, options};
use crate::device::{Arith, Axes, Device, Float, MeanOf, PairFunction, PairLoss};

loss! {
    /// Half the squared difference, but linear where it is large: `keras.losses.Huber`.
    Huber, "huber_loss" {
        /// The difference from which on the loss is linear.
        delta: f32 = 1.0,
    }
    config {
        "delta" unless 1.0: delta,
    }
}

impl<D: Device> Loss<D> for Huber {
    options!();

    fn compute(&self, input: LossInput<'_, D>) {
        let error = MeanOf(HuberError { delta: self.delta });
        input.line_loss(&error, &Axes::LAST, self.options.reduction);
    }
}

/// Huber's function of the difference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HuberError {
    pub delta: f32,
}

impl PairFunction for HuberError {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        self.value_and_gradient::<F, A>(y_true, y_pred).0
    }
}

impl PairLoss for HuberError {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F) {
        let (delta, half) = (F::from_f32(self.delta), F::from_f32(0.5));
        let error = y_pred - y_true;
        if error.abs() <= delta {
            return (half * error * error, error);
        }
        let value = delta * error.abs() - half * delta * delta;
        (value, delta * sign(error))
    }
}
