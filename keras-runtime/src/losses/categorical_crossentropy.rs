//! `-Σ t ln p` along the last axis, over the classes.

use super::binary_crossentropy::clip;
use super::{Loss, LossInput, Options, row_loss, same_shape};
use crate::device::cpu::lanes::{self, Same};
use crate::device::cpu::math;
use crate::device::{Activation, Arith, Device, Float, RowFunction, RowLoss};
use crate::error::Result;
use crate::shape::Shape;

/// The cross-entropy of targets that are probabilities of classes, such as one-hot rows:
/// `keras.losses.CategoricalCrossentropy`.
///
/// After a last activation `softmax` it is computed from the activation's input, which stays exact
/// where a probability rounds to 0.
#[derive(Clone, Debug)]
pub struct CategoricalCrossentropy {
    pub(super) options: Options,
    entropy: CategoricalEntropy,
}

impl CategoricalCrossentropy {
    /// The loss with Keras' defaults.
    pub const fn new() -> Self {
        Self {
            options: Options::new("categorical_crossentropy"),
            entropy: CategoricalEntropy::new(),
        }
    }

    /// Whether predictions are logits; by default they are probabilities.
    #[must_use]
    pub const fn from_logits(mut self, from_logits: bool) -> Self {
        self.entropy.from_logits = from_logits;
        self
    }

    /// Draws targets towards equal probabilities: 0.1 means that a tenth is shared by all classes.
    #[must_use]
    pub const fn label_smoothing(mut self, label_smoothing: f32) -> Self {
        self.entropy.label_smoothing = label_smoothing;
        self
    }
}

impl<D: Device> Loss<D> for CategoricalCrossentropy {
    fn name(&self) -> &str {
        &self.options.name
    }

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        same_shape(y_true, y_pred)
    }

    fn fuses(&self, activation: Activation, _y_true: &Shape, _y_pred: &Shape) -> bool {
        activation == Activation::Softmax && !self.entropy.from_logits
    }

    fn compute(&self, input: LossInput<'_, D>) {
        let entropy = CategoricalEntropy {
            from_logits: self.entropy.from_logits || input.logits.is_some(),
            ..self.entropy
        };
        row_loss(entropy, &self.options, input);
    }
}

/// The cross-entropy of a row of classes; also the metric's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CategoricalEntropy {
    pub from_logits: bool,
    pub label_smoothing: f32,
}

impl CategoricalEntropy {
    pub const fn new() -> Self {
        Self {
            from_logits: false,
            label_smoothing: 0.0,
        }
    }

    /// What makes targets smooth in a row of `width` classes.
    #[inline(always)]
    fn smooth<F: Float>(&self, width: usize) -> impl Fn(F) -> F {
        let smoothing = F::from_f32(self.label_smoothing);
        let (keep, share) = (F::one() - smoothing, smoothing / F::from_usize(width));
        move |t| t * keep + share
    }
}

impl RowFunction for CategoricalEntropy {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: &[F], y_pred: &[F]) -> F {
        let smooth = self.smooth(y_pred.len());
        if self.from_logits {
            let max = lanes::max(y_pred);
            let [exps, targets, weighted] = lanes::sums(y_true, y_pred, |t, z| {
                let (t, z) = (smooth(t), z - max);
                [math::exp::<F, A>(z), t, t * z]
            });
            return targets * math::ln::<F, A>(exps) - weighted;
        }
        let [sum] = lanes::sums(Same(F::zero()), y_pred, |_, p| [p]);
        let [value] = lanes::sums(y_true, y_pred, |t, p| {
            [smooth(t) * math::ln::<F, A>(clip(p / sum).0)]
        });
        -value
    }
}

impl RowLoss for CategoricalEntropy {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(
        &self,
        y_true: &[F],
        y_pred: &[F],
        factor: F,
        gradient: &mut [F],
    ) -> F {
        let smooth = self.smooth(y_pred.len());
        if self.from_logits {
            // d/dz = softmax(z) Σt - t.
            let max = lanes::max(y_pred);
            let [exps, targets, weighted] =
                lanes::sums_and_map(y_true, y_pred, gradient, |t, z| {
                    let (t, z) = (smooth(t), z - max);
                    let e = math::exp::<F, A>(z);
                    ([e, t, t * z], e)
                });
            let scale = factor * targets / exps;
            for (d, &t) in gradient.iter_mut().zip(y_true) {
                *d = *d * scale - factor * smooth(t);
            }
            return targets * math::ln::<F, A>(exps) - weighted;
        }
        // With q = p / Σp: d/dpᵢ = (Σt - tᵢ / qᵢ) / Σp, both without what is clipped.
        let [sum] = lanes::sums(Same(F::zero()), y_pred, |_, p| [p]);
        let [value, targets] = lanes::sums_and_map(y_true, y_pred, gradient, |t, p| {
            let (t, (q, is_inside)) = (smooth(t), clip(p / sum));
            let inside = if is_inside { t } else { F::zero() };
            ([t * math::ln::<F, A>(q), inside], inside / q)
        });
        let factor = factor / sum;
        for d in gradient {
            *d = factor * (targets - *d);
        }
        -value
    }
}
