//! `(1 - p[t]^q) / q` along the last axis, with the number t of the class.

use super::binary_crossentropy::EPSILON;
use super::check::class_numbers;
use super::{Loss, LossInput, classes, loss, options};
use crate::device::{Axes, Device, Float, Line, LineRule};
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

impl LineRule for GeneralizedEntropy {
    fn compute<F: Float>(&self, line: &mut Line<'_, F>) -> F {
        let q = F::from_f32(self.q);
        let of_class = |[t, _, at]: [F; 3], value: F| {
            if at == t.trunc() { value } else { F::zero() }
        };
        let p = line.sum(|element| of_class(element, element[1]));
        // At 0 the derivative is infinite; it is that of the least probability.
        let derivative = -p.max(F::from_f64(EPSILON)).powf(q - F::one());
        line.gradient(|element| of_class(element, derivative));
        (F::one() - p.powf(q)) / q
    }
}
