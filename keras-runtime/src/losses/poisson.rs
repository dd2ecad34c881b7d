//! `mean(y_pred - y_true · ln(y_pred + 1e-7))` along the last axis.

use super::binary_crossentropy::EPSILON;
use super::{Loss, LossInput, loss, options};
use crate::device::cpu::math;
use crate::device::{Arith, Axes, Device, Float, MeanOf, PairFunction, PairLoss};

loss! {
    /// The likelihood of counts whose expectation is predicted: `keras.losses.Poisson`.
    Poisson, "poisson" {}
}

impl<D: Device> Loss<D> for Poisson {
    options!();

    fn compute(&self, input: LossInput<'_, D>) {
        let likelihood = MeanOf(PoissonLikelihood);
        input.line_loss(&likelihood, &Axes::LAST, self.options.reduction);
    }
}

/// The negative logarithm of the likelihood of a count; also the metric's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoissonLikelihood;

impl PairFunction for PoissonLikelihood {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        self.value_and_gradient::<F, A>(y_true, y_pred).0
    }
}

impl PairLoss for PoissonLikelihood {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F) {
        let rate = y_pred + F::from_f64(EPSILON);
        let value = y_pred - y_true * math::ln::<F, A>(rate);
        (value, F::one() - y_true / rate)
    }
}
