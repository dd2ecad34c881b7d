//! `max(max((1 - y_true) · y_pred) - Σ y_true · y_pred + 1, 0)` along the last axis.

use super::{Loss, LossInput, loss, options, same_shape};
use crate::device::{Axes, Device, Float, Line, LineRule};
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

impl LineRule for CategoricalMargin {
    fn compute<F: Float>(&self, line: &mut Line<'_, F>) -> F {
        let other = |[t, p, _]: [F; 3]| (F::one() - t) * p;
        let is_best = |element, best: F| match other(element) {
            other if other == best => F::one(),
            _ => F::zero(),
        };
        let chosen = line.sum(|[t, p, _]| t * p);
        let best = line.max(other);
        let missing = best - chosen + F::one();
        // The best ones share it. Exactly on the margin it is that of TensorFlow.
        let share = F::one() / line.sum(|element| is_best(element, best)).max(F::one());
        line.gradient(|element| match missing {
            missing if missing < F::zero() => F::zero(),
            missing if missing.is_nan() => missing,
            _ => {
                let [t, ..] = element;
                is_best(element, best) * share * (F::one() - t) - t
            }
        });
        if missing < F::zero() {
            F::zero()
        } else {
            missing
        }
    }
}
