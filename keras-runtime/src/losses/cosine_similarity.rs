//! `-Σ t p / (|t| |p|)` along an axis: -1 for vectors of one direction, 1 for opposite ones.

use super::binary_crossentropy::EPSILON;
use super::{Loss, LossInput, loss, options, same_shape};
use crate::device::{Axes, Device, Float, LineLoss};
use crate::error::Result;
use crate::shape::Shape;

loss! {
    /// The negative cosine of the angle between targets and predictions:
    /// `keras.losses.CosineSimilarity`.
    CosineSimilarity, "cosine_similarity" {
        /// The axis along which vectors lie.
        axis: isize = -1,
    }
    config {
        "axis" unless (-1): axis,
    }
}

impl<D: Device> Loss<D> for CosineSimilarity {
    options!();

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        same_shape(y_true, y_pred)?;
        Axes::One(self.axis).check(y_true, y_pred)
    }

    fn axes(&self) -> Axes {
        Axes::One(self.axis)
    }

    fn compute(&self, input: LossInput<'_, D>) {
        let axes = Axes::One(self.axis);
        input.line_loss(&NegativeCosine, &axes, self.options.reduction);
    }
}

/// The negative cosine of the angle between two vectors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NegativeCosine;

impl<F: Float> LineLoss<F> for NegativeCosine {
    fn line(&self, y_true: &[F], y_pred: &[F], gradient: Option<(&mut [F], F)>) -> F {
        let dot = |a: &[F], b: &[F]| a.iter().zip(b).fold(F::zero(), |sum, (&a, &b)| sum + a * b);
        // A vector of (almost) no length is not made longer without end.
        let most = F::from_f64(1.0 / EPSILON);
        let inverse = |squares: F| squares.sqrt().recip().min(most);
        let (of_true, squares) = (inverse(dot(y_true, y_true)), dot(y_pred, y_pred));
        let of_pred = inverse(squares);
        let value = -(dot(y_true, y_pred) * of_true * of_pred);
        if let Some((gradient, factor)) = gradient {
            // With p̂ = p / |p|: -(t̂ - (t̂ · p̂) p̂) / |p|; a |p| that is clipped is a constant.
            let pull = if of_pred < most {
                value * of_pred * of_pred
            } else {
                F::zero()
            };
            for (d, (&t, &p)) in gradient.iter_mut().zip(y_true.iter().zip(y_pred)) {
                *d = -factor * (t * of_true * of_pred + p * pull);
            }
        }
        value
    }
}
