//! `1 - I / (I + alpha Σ t (1 - p) + beta Σ p (1 - t) + 1e-7)` with `I = Σ t p`, over all axes or some.

use super::binary_crossentropy::EPSILON;
use super::{Loss, LossInput, loss, options, same_shape};
use crate::device::{Axes, Device, Float, Line, LineRule};
use crate::error::Result;
use crate::shape::Shape;

loss! {
    /// How little two masks overlap, with a weight for each kind of mistake: `keras.losses.Tversky`.
    ///
    /// By default it is one number for the whole batch. With both weights 0.5 it is
    /// [`Dice`](super::Dice).
    Tversky, "tversky" {
        /// The weight of what is in the targets only.
        alpha: f32 = 0.5,
        /// The weight of what is in the predictions only.
        beta: f32 = 0.5,
    }
    into {
        /// The axis or the axes to sum over, the samples being axis 0: `-1`, `[1, 2, 3]`. By default
        /// all of them.
        axis: Axes = Axes::All,
    }
    config {
        "alpha": alpha,
        "beta": beta,
        "axis": axis,
    }
}

impl<D: Device> Loss<D> for Tversky {
    options!();

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        same_shape(y_true, y_pred)?;
        self.axis.check(y_true, y_pred)
    }

    fn axes(&self) -> Axes {
        self.axis.clone()
    }

    fn compute(&self, input: LossInput<'_, D>) {
        let overlap = WeightedOverlap {
            alpha: f64::from(self.alpha),
            beta: f64::from(self.beta),
        };
        input.line_loss(&overlap, &self.axis, self.options.reduction);
    }
}

/// One minus the index of Tversky.
#[derive(Clone, Copy, Debug)]
struct WeightedOverlap {
    alpha: f64,
    beta: f64,
}

impl LineRule for WeightedOverlap {
    fn compute<F: Float>(&self, line: &mut Line<'_, F>) -> F {
        let (alpha, beta) = (F::from_f64(self.alpha), F::from_f64(self.beta));
        let both = line.sum(|[t, p, _]| t * p);
        let of_true = line.sum(|[t, p, _]| t * (F::one() - p));
        let of_pred = line.sum(|[t, p, _]| p * (F::one() - t));
        let sum = both + alpha * of_true + beta * of_pred + F::from_f64(EPSILON);
        let index = both / sum;
        // d/dp = -(t - index · (t - alpha t + beta (1 - t))) / sum.
        let of_target = F::one() - index * (F::one() - alpha - beta);
        line.gradient(|[t, _, _]| (index * beta - t * of_target) / sum);
        F::one() - index
    }
}
