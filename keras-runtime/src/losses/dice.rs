//! `1 - 2 Σ t p / (Σ t + Σ p + 1e-7)`, over all axes or some.

use super::binary_crossentropy::EPSILON;
use super::{Loss, LossInput, loss, options, same_shape};
use crate::device::{Axes, Device, Float, Line, LineRule};
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

impl LineRule for Overlap {
    fn compute<F: Float>(&self, line: &mut Line<'_, F>) -> F {
        let both = line.sum(|[t, p, _]| t * p);
        let sum = line.sum(|[t, p, _]| t + p) + F::from_f64(EPSILON);
        let overlap = (both + both) / sum;
        line.gradient(|[t, _, _]| (overlap - t - t) / sum);
        F::one() - overlap
    }
}
