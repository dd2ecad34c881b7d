//! `mean(|y_true - y_pred|)` along the last axis.

use super::{Loss, LossInput, Options, row_loss};
use crate::device::{Arith, Device, Float, MeanOf, PairFunction, PairLoss};

/// The mean of absolute differences: `keras.losses.MeanAbsoluteError`.
#[derive(Clone, Debug)]
pub struct MeanAbsoluteError {
    pub(super) options: Options,
}

impl MeanAbsoluteError {
    /// The loss with Keras' defaults.
    pub const fn new() -> Self {
        Self {
            options: Options::new("mean_absolute_error"),
        }
    }
}

impl<D: Device> Loss<D> for MeanAbsoluteError {
    fn name(&self) -> &str {
        &self.options.name
    }

    fn compute(&self, input: LossInput<'_, D>) {
        row_loss(MeanOf(AbsoluteError), &self.options, input);
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
    /// The derivative is the sign of the difference; 0 and NaN stay what they are.
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F) {
        let difference = y_pred - y_true;
        let sign = if difference > F::zero() {
            F::one()
        } else if difference < F::zero() {
            -F::one()
        } else {
            difference
        };
        (difference.abs(), sign)
    }
}
