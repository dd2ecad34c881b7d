//! `mean((1 - pₜ)^gamma · bce)` along an axis, with the cross-entropy `bce = -(t ln p + (1 - t) ln(1 - p))`
//! and `pₜ = t p + (1 - t) (1 - p)`.

use super::{BinaryEntropy, Loss, LossInput, check, loss, options, same_shape};
use crate::device::cpu::math;
use crate::device::{Activation, Arith, Axes, Device, Float, MeanOf, PairFunction, PairLoss};
use crate::error::Result;
use crate::shape::Shape;

use super::binary_crossentropy::EPSILON;

loss! {
    /// The cross-entropy of yes-or-no targets, of which those count most that are predicted worst:
    /// `keras.losses.BinaryFocalCrossentropy` (Lin and others, 2018).
    ///
    /// After a last activation `sigmoid` it is computed from the activation's input, which stays exact
    /// where the probability rounds to 0 or 1.
    BinaryFocalCrossentropy, "binary_focal_crossentropy" {
        /// Whether the two classes have the weights `alpha` (for 1) and `1 - alpha` (for 0).
        apply_class_balancing: bool = false,
        /// The weight of class 1.
        alpha: f32 = 0.25,
        /// How little the well predicted ones count; 0 makes it the cross-entropy.
        gamma: f32 = 2.0,
        /// Whether predictions are logits; by default they are probabilities.
        from_logits: bool = false,
        /// Draws targets towards one half: 0.1 means 0.05 for 0 and 0.95 for 1.
        label_smoothing: f32 = 0.0,
        /// The axis of the mean.
        axis: isize = -1,
    }
    config {
        "from_logits": from_logits,
        "label_smoothing": label_smoothing,
        "axis": axis,
        "apply_class_balancing": apply_class_balancing,
        "alpha": alpha,
        "gamma": gamma,
    }
}

impl<D: Device> Loss<D> for BinaryFocalCrossentropy {
    options!();

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        same_shape(y_true, y_pred)?;
        Axes::One(self.axis).check(y_true, y_pred)
    }

    fn fuses(&self, activation: Activation, _y_true: &Shape, _y_pred: &Shape) -> bool {
        activation == Activation::Sigmoid && !self.from_logits
    }

    fn warning(&self, activation: Activation, _y_pred: &Shape) -> Option<String> {
        check::no_logits("binary_focal_crossentropy", self.from_logits, activation)
    }

    fn axes(&self) -> Axes {
        Axes::One(self.axis)
    }

    fn compute(&self, input: LossInput<'_, D>) {
        let entropy = MeanOf(FocalEntropy {
            entropy: BinaryEntropy {
                from_logits: self.from_logits || input.logits.is_some(),
                label_smoothing: self.label_smoothing,
            },
            alpha: self.apply_class_balancing.then_some(self.alpha),
            gamma: self.gamma,
        });
        input.line_loss(&entropy, &Axes::One(self.axis), self.options.reduction);
    }
}

/// The focal cross-entropy of one target and one prediction.
#[derive(Clone, Copy, Debug)]
struct FocalEntropy {
    entropy: BinaryEntropy,
    alpha: Option<f32>,
    gamma: f32,
}

impl PairFunction for FocalEntropy {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        self.value_and_gradient::<F, A>(y_true, y_pred).0
    }
}

impl PairLoss for FocalEntropy {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F) {
        let (t, one, gamma) = (
            self.entropy.smooth(y_true),
            F::one(),
            F::from_f32(self.gamma),
        );
        let (entropy, d_entropy) = self.entropy.value_and_gradient::<F, A>(y_true, y_pred);
        let (p, rest) = if self.entropy.from_logits {
            math::sigmoid_and_rest::<F, A>(y_pred)
        } else {
            (y_pred, one - y_pred)
        };
        // 1 - pₜ, in which nothing cancels for a target of 0 or 1.
        let missing = t * rest + (one - t) * p;
        let weight = match self.alpha {
            Some(alpha) => {
                let alpha = F::from_f32(alpha);
                t * alpha + (one - t) * (one - alpha)
            }
            None => one,
        };
        let factor = weight * missing.powf(gamma);
        let (_, d_factor) = power(missing, gamma);
        // d(1 - pₜ)/dp = 1 - 2 t, and dp/dz = p (1 - p).
        let d_missing = (one - t - t)
            * if self.entropy.from_logits {
                p * rest
            } else {
                one
            };
        let gradient = factor * d_entropy + weight * d_factor * d_missing * entropy;
        (factor * entropy, gradient)
    }
}

/// `x^gamma` and its derivative, which is finite at 0, too.
#[inline(always)]
pub(super) fn power<F: Float>(x: F, gamma: F) -> (F, F) {
    let base = if gamma < F::one() {
        x.max(F::from_f64(EPSILON))
    } else {
        x
    };
    (x.powf(gamma), gamma * base.powf(gamma - F::one()))
}
