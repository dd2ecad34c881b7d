//! `mean(max(1 - y_true · y_pred, 0)²)` along the last axis, of targets -1 and 1.

use super::hinge::{Margin, Margins};
use super::{Loss, LossInput, loss, options};
use crate::device::{Arith, Device, Float, PairFunction, PairLoss};

loss! {
    /// The square of [`Hinge`](super::Hinge)'s distances: `keras.losses.SquaredHinge`.
    ///
    /// If all targets of a batch are 0 or 1 they are read as -1 and 1.
    SquaredHinge, "squared_hinge" {}
}

impl<D: Device> Loss<D> for SquaredHinge {
    options!();

    fn compute(&self, input: LossInput<'_, D>) {
        input.batch_loss(&Margins(SquaredMargin), self.options.reduction);
    }
}

/// The square of what is missing to the margin, for targets -1 and 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SquaredMargin;

impl PairFunction for SquaredMargin {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        self.value_and_gradient::<F, A>(y_true, y_pred).0
    }
}

impl PairLoss for SquaredMargin {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F) {
        let (missing, gradient) = Margin.value_and_gradient::<F, A>(y_true, y_pred);
        (missing * missing, (missing + missing) * gradient)
    }
}
