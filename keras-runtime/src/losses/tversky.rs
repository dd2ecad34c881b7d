//! `1 - I / (I + alpha Σ t (1 - p) + beta Σ p (1 - t) + 1e-7)` with `I = Σ t p`, over all axes or some.

use super::binary_crossentropy::EPSILON;
use super::{Loss, LossInput, loss, options, same_shape};
use crate::device::{Axes, Device, Float, LineLoss};
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

impl<F: Float> LineLoss<F> for WeightedOverlap {
    fn line(&self, y_true: &[F], y_pred: &[F], gradient: Option<(&mut [F], F)>) -> F {
        let (mut both, mut of_true, mut of_pred) = (0.0, 0.0, 0.0);
        for (&t, &p) in y_true.iter().zip(y_pred) {
            let (t, p) = (t.to_f64(), p.to_f64());
            both += t * p;
            of_true += t * (1.0 - p);
            of_pred += p * (1.0 - t);
        }
        let sum = both + self.alpha * of_true + self.beta * of_pred + EPSILON;
        let index = both / sum;
        if let Some((gradient, factor)) = gradient {
            // d/dp = -(t - index · (t - alpha t + beta (1 - t))) / sum.
            let scale = factor / F::from_f64(sum);
            let of_target = F::from_f64(1.0 - index * (1.0 - self.alpha - self.beta));
            let of_every = F::from_f64(index * self.beta);
            for (d, &t) in gradient.iter_mut().zip(y_true) {
                *d = scale * (of_every - t * of_target);
            }
        }
        F::from_f64(1.0 - index)
    }
}
