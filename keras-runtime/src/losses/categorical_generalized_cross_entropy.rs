//! `(1 - p[t]^q) / q` along the last axis, with the number t of the class.

use super::binary_crossentropy::EPSILON;
use super::check::class_numbers;
use super::{Loss, LossInput, classes, loss, options};
use crate::device::{Axes, Device, Float, LineLoss};
use crate::error::{Error, Result};
use crate::shape::Shape;

loss! {
    /// Between the cross-entropy and the absolute error, for labels of which some are wrong:
    /// `keras.losses.CategoricalGeneralizedCrossEntropy` (Zhang and Sabuncu, 2018). Targets are numbers
    /// of classes.
    CategoricalGeneralizedCrossEntropy, "categorical_generalized_cross_entropy" {
        /// Between 0, the cross-entropy, and 1, the absolute error.
        q: f32 = 0.5,
    }
    config {
        "q": q,
    }
}

impl<D: Device> Loss<D> for CategoricalGeneralizedCrossEntropy {
    options!();

    fn check_arguments(&self) -> Result<()> {
        if self.q > 0.0 && self.q < 1.0 {
            return Ok(());
        }
        Err(Error::value(format!(
            "q must be in the interval (0, 1). Received: q={}",
            self.q
        )))
    }

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        classes(y_true, y_pred)
    }

    fn check_targets(&self, values: &[f32], _y_true: &Shape, y_pred: &Shape) -> Result<()> {
        class_numbers(values, y_pred.last(), None)
    }

    fn compute(&self, input: LossInput<'_, D>) {
        let entropy = GeneralizedEntropy { q: self.q };
        input.line_loss(&entropy, &Axes::LAST, self.options.reduction);
    }
}

/// The generalized cross-entropy of a row of classes.
#[derive(Clone, Copy, Debug)]
struct GeneralizedEntropy {
    q: f32,
}

impl<F: Float> LineLoss<F> for GeneralizedEntropy {
    fn line(&self, y_true: &[F], y_pred: &[F], gradient: Option<(&mut [F], F)>) -> F {
        let q = F::from_f32(self.q);
        let class = y_true.first().and_then(|class| class.to_usize());
        let p = class.and_then(|class| y_pred.get(class).copied());
        if let Some((gradient, factor)) = gradient {
            gradient.fill(F::zero());
            if let (Some(class), Some(p)) = (class, p) {
                // At 0 the derivative is infinite; it is that of the least probability.
                let p = p.max(F::from_f64(EPSILON));
                gradient[class] = -factor * p.powf(q - F::one());
            }
        }
        (F::one() - p.unwrap_or(F::zero()).powf(q)) / q
    }
}
