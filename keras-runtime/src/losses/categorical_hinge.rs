//! `max(max((1 - y_true) · y_pred) - Σ y_true · y_pred + 1, 0)` along the last axis.

use super::{Loss, LossInput, loss, options, same_shape};
use crate::device::{Axes, Device, Float, LineLoss};
use crate::error::Result;
use crate::shape::Shape;

loss! {
    /// How far the class's prediction is from being 1 above the best other one:
    /// `keras.losses.CategoricalHinge`. Targets are one-hot rows.
    CategoricalHinge, "categorical_hinge" {}
}

impl<D: Device> Loss<D> for CategoricalHinge {
    options!();

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        same_shape(y_true, y_pred)
    }

    fn compute(&self, input: LossInput<'_, D>) {
        input.line_loss(&CategoricalMargin, &Axes::LAST, self.options.reduction);
    }
}

/// What is missing to the margin between the class and the best other one; also the metric's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CategoricalMargin;

impl<F: Float> LineLoss<F> for CategoricalMargin {
    fn line(&self, y_true: &[F], y_pred: &[F], gradient: Option<(&mut [F], F)>) -> F {
        let pairs = || y_true.iter().zip(y_pred);
        let chosen = pairs().fold(F::zero(), |sum, (&t, &p)| sum + t * p);
        let other = |(&t, &p): (&F, &F)| (F::one() - t) * p;
        // NaN is the largest.
        let larger = |a: F, b: F| if a > b || a.is_nan() { a } else { b };
        let best = pairs().map(other).fold(F::neg_infinity(), larger);
        let missing = best - chosen + F::one();
        if let Some((gradient, factor)) = gradient {
            // The best ones share it. Exactly on the margin it is that of TensorFlow.
            let ties = pairs().filter(|pair| other(*pair) == best).count();
            let share = factor / F::from_usize(ties.max(1));
            for (d, pair) in gradient.iter_mut().zip(pairs()) {
                let t = *pair.0;
                let of_best = if other(pair) == best {
                    share * (F::one() - t)
                } else {
                    F::zero()
                };
                *d = if missing < F::zero() {
                    F::zero()
                } else if missing.is_nan() {
                    missing
                } else {
                    of_best - factor * t
                };
            }
        }
        if missing < F::zero() {
            F::zero()
        } else {
            missing
        }
    }
}
