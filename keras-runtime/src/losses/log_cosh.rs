//! `mean(ln(cosh(y_pred - y_true)))` along the last axis.

use super::{Loss, LossInput, loss, options};
use crate::device::cpu::math;
use crate::device::{Arith, Axes, Device, Float, MeanOf, PairFunction, PairLoss};

loss! {
    /// The logarithm of the hyperbolic cosine of the difference: about `e² / 2` where it is small and
    /// `|e| - ln 2` where it is large. `keras.losses.LogCosh`.
    LogCosh, "log_cosh" {}
}

impl<D: Device> Loss<D> for LogCosh {
    options!();

    fn compute(&self, input: LossInput<'_, D>) {
        let error = MeanOf(LogCoshError);
        input.line_loss(&error, &Axes::LAST, self.options.reduction);
    }
}

/// ln cosh of the difference; also the metric's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogCoshError;

impl PairFunction for LogCoshError {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        // ln((eˣ + e⁻ˣ) / 2), with the exponent that does not overflow.
        let size = (y_pred - y_true).abs();
        let e = math::exp::<F, A>(-(size + size));
        size + math::ln_1p::<F, A>(e) - F::from_f64(std::f64::consts::LN_2)
    }
}

impl PairLoss for LogCoshError {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F) {
        let value = self.value::<F, A>(y_true, y_pred);
        (value, math::tanh::<F, A>(y_pred - y_true))
    }
}
