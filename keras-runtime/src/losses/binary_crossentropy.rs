//! `-mean(t ln p + (1 - t) ln(1 - p))` along the last axis.

use super::{Loss, LossInput, Options, check, loss_config, options, row_loss, same_shape};
use crate::device::cpu::math;
use crate::device::{Activation, Arith, Axes, Device, Float, MeanOf, PairFunction, PairLoss};
use crate::error::Result;
use crate::shape::Shape;

/// How far from 0 and 1 probabilities are kept: `keras.backend.epsilon()`.
pub(super) const EPSILON: f64 = 1e-7;

/// The cross-entropy of yes-or-no targets: `keras.losses.BinaryCrossentropy`.
///
/// After a last activation `sigmoid` it is computed from the activation's input, which stays exact
/// where the probability rounds to 0 or 1.
#[derive(Clone, Debug)]
pub struct BinaryCrossentropy {
    pub(super) options: Options,
    entropy: BinaryEntropy,
    axis: isize,
}

impl BinaryCrossentropy {
    /// The loss with Keras' defaults.
    pub const fn new() -> Self {
        Self {
            options: Options::new("binary_crossentropy"),
            entropy: BinaryEntropy::new(),
            axis: -1,
        }
    }

    /// Whether predictions are logits; by default they are probabilities.
    #[must_use]
    pub const fn from_logits(mut self, from_logits: bool) -> Self {
        self.entropy.from_logits = from_logits;
        self
    }

    /// Draws targets towards one half: 0.1 means 0.05 for 0 and 0.95 for 1.
    #[must_use]
    pub const fn label_smoothing(mut self, label_smoothing: f32) -> Self {
        self.entropy.label_smoothing = label_smoothing;
        self
    }

    /// The axis of the mean; by default the last one.
    #[must_use]
    pub const fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }
}

loss_config! { BinaryCrossentropy {
    "from_logits": entropy.from_logits,
    "label_smoothing": entropy.label_smoothing,
    "axis": axis,
} }

impl<D: Device> Loss<D> for BinaryCrossentropy {
    options!();

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        same_shape(y_true, y_pred)?;
        Axes::One(self.axis).check(y_true, y_pred)
    }

    fn fuses(&self, activation: Activation, _y_true: &Shape, _y_pred: &Shape) -> bool {
        activation == Activation::Sigmoid && !self.entropy.from_logits
    }

    fn warning(&self, activation: Activation, _y_pred: &Shape) -> Option<String> {
        check::no_logits("binary_crossentropy", self.entropy.from_logits, activation)
    }

    fn axes(&self) -> Axes {
        Axes::One(self.axis)
    }

    fn compute(&self, input: LossInput<'_, D>) {
        let entropy = BinaryEntropy {
            from_logits: self.entropy.from_logits || input.logits.is_some(),
            ..self.entropy
        };
        let mean = MeanOf(entropy);
        row_loss(mean, &mean, self.axis, &self.options, input);
    }
}

/// The cross-entropy of one target and one prediction; also the metric's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BinaryEntropy {
    pub from_logits: bool,
    pub label_smoothing: f32,
}

impl BinaryEntropy {
    pub const fn new() -> Self {
        Self {
            from_logits: false,
            label_smoothing: 0.0,
        }
    }

    #[inline(always)]
    pub(super) fn smooth<F: Float>(&self, y_true: F) -> F {
        let smoothing = F::from_f32(self.label_smoothing);
        y_true * (F::one() - smoothing) + F::from_f32(0.5) * smoothing
    }
}

impl PairFunction for BinaryEntropy {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        self.value_and_gradient::<F, A>(y_true, y_pred).0
    }
}

impl PairLoss for BinaryEntropy {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F) {
        let (t, one) = (self.smooth(y_true), F::one());
        if self.from_logits {
            // ln(1 + eᶻ) - t z, with the exponent of the sign that does not overflow.
            let z = y_pred;
            let e = math::exp::<F, A>(-z.abs());
            let positive = if z < F::zero() { F::zero() } else { z };
            let sigmoid = if z < F::zero() { e } else { one } / (one + e);
            return (positive - t * z + math::ln_1p::<F, A>(e), sigmoid - t);
        }
        let (p, is_inside) = clip(y_pred);
        let value = -(t * math::ln::<F, A>(p) + (one - t) * math::ln::<F, A>(one - p));
        let gradient = (one - t) / (one - p) - t / p;
        (value, if is_inside { gradient } else { F::zero() })
    }
}

/// A probability, kept away from 0 and 1, and whether it was. NaN stays NaN.
#[inline(always)]
pub(super) fn clip<F: Float>(p: F) -> (F, bool) {
    let (low, high) = (F::from_f64(EPSILON), F::from_f64(1.0 - EPSILON));
    let (is_low, is_high) = (p < low, p > high);
    let p = if is_low { low } else { p };
    (if is_high { high } else { p }, !(is_low || is_high))
}
