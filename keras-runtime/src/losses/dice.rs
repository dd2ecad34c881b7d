//! `1 - 2 Σ t p / (Σ t + Σ p + 1e-7)`, over all axes or some.

use super::binary_crossentropy::EPSILON;
use super::{Loss, LossInput, loss, options, same_shape};
use crate::device::{Axes, Device, Float, LineLoss};
use crate::error::Result;
use crate::shape::Shape;

loss! {
    /// How little two masks overlap: `keras.losses.Dice`.
    ///
    /// By default it is one number for the whole batch.
    Dice, "dice" {}
    into {
        /// The axis or the axes to sum over, the samples being axis 0: `-1`, `[1, 2, 3]`. By default
        /// all of them.
        axis: Axes = Axes::All,
    }
    config {
        "axis": axis,
    }
}

impl<D: Device> Loss<D> for Dice {
    options!();

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        same_shape(y_true, y_pred)?;
        self.axis.check(y_true, y_pred)
    }

    fn axes(&self) -> Axes {
        self.axis.clone()
    }

    fn compute(&self, input: LossInput<'_, D>) {
        input.line_loss(&Overlap, &self.axis, self.options.reduction);
    }
}

/// One minus the coefficient of Dice.
#[derive(Clone, Copy, Debug)]
struct Overlap;

impl<F: Float> LineLoss<F> for Overlap {
    fn line(&self, y_true: &[F], y_pred: &[F], gradient: Option<(&mut [F], F)>) -> F {
        let (mut both, mut sum) = (0.0, EPSILON);
        for (&t, &p) in y_true.iter().zip(y_pred) {
            let (t, p) = (t.to_f64(), p.to_f64());
            both += t * p;
            sum += t + p;
        }
        let overlap = 2.0 * both / sum;
        if let Some((gradient, factor)) = gradient {
            let (scale, overlap) = (factor / F::from_f64(sum), F::from_f64(overlap));
            for (d, &t) in gradient.iter_mut().zip(y_true) {
                *d = scale * (overlap - t - t);
            }
        }
        F::from_f64(1.0 - overlap)
    }
}
