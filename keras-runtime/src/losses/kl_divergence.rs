//! `Σ t ln(t / p)` along the last axis, of numbers kept between 1e-7 and 1.

use super::binary_crossentropy::EPSILON;
use super::{Loss, LossInput, loss, options, same_shape};
use crate::device::cpu::math;
use crate::device::cpu::simd::Separate;
use crate::device::{Axes, Device, Float, Line, LineRule};
use crate::error::Result;
use crate::shape::Shape;

loss! {
    /// The divergence of Kullback and Leibler, of predicted from true distributions:
    /// `keras.losses.KLDivergence`.
    KLDivergence, "kl_divergence" {}
}

impl<D: Device> Loss<D> for KLDivergence {
    options!();

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        same_shape(y_true, y_pred)
    }

    fn compute(&self, input: LossInput<'_, D>) {
        input.line_loss(&Divergence, &Axes::LAST, self.options.reduction);
    }
}

/// The divergence of a row; also the metric's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Divergence;

impl LineRule for Divergence {
    fn compute<F: Float>(&self, line: &mut Line<'_, F>) -> F {
        // NaN stays NaN.
        let least = F::from_f64(EPSILON);
        let clip = |x: F| match x {
            x if x < least => least,
            x if x > F::one() => F::one(),
            x => x,
        };
        line.gradient(|[t, p, _]| match p {
            p if p < least || p > F::one() => F::zero(),
            p => -clip(t) / p,
        });
        line.sum(|[t, p, _]| clip(t) * math::ln::<F, Separate>(clip(t) / clip(p)))
    }
}
