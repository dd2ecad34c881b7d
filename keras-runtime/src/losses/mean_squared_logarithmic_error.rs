//! `mean((ln(y_true + 1) - ln(y_pred + 1))²)` along the last axis, of numbers that are 1e-7 at the
//! least.

use super::binary_crossentropy::EPSILON;
use super::{Loss, LossInput, loss, options};
use crate::device::cpu::math;
use crate::device::{Arith, Axes, Device, Float, MeanOf, PairFunction, PairLoss};

loss! {
    /// The mean of squared differences of logarithms: `keras.losses.MeanSquaredLogarithmicError`.
    MeanSquaredLogarithmicError, "mean_squared_logarithmic_error" {}
}

impl<D: Device> Loss<D> for MeanSquaredLogarithmicError {
    options!();

    fn compute(&self, input: LossInput<'_, D>) {
        let error = MeanOf(SquaredLogarithmicError);
        input.line_loss(&error, &Axes::LAST, self.options.reduction);
    }
}

/// The squared difference of the logarithms; also the metric's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SquaredLogarithmicError;

impl PairFunction for SquaredLogarithmicError {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        self.value_and_gradient::<F, A>(y_true, y_pred).0
    }
}

impl PairLoss for SquaredLogarithmicError {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F) {
        let least = F::from_f64(EPSILON);
        // A comparison with NaN is false: it stays NaN.
        let plus_one = |x: F| if x < least { least } else { x } + F::one();
        let of_pred = plus_one(y_pred);
        let difference = math::ln::<F, A>(of_pred) - math::ln::<F, A>(plus_one(y_true));
        let gradient = if y_pred < least {
            F::zero()
        } else {
            (difference + difference) / of_pred
        };
        (difference * difference, gradient)
    }
}
