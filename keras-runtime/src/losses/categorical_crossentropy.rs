//! `-Σ t ln p` along the last axis, over the classes.

use super::binary_crossentropy::clip;
use super::{Loss, LossInput, Options, check, loss_config, options, row_loss, softmax_loss};
use crate::device::cpu::lanes::{self, Each, Itself, Same};
use crate::device::cpu::math;
use crate::device::cpu::simd::Separate;
#[cfg(any(feature = "cuda", feature = "testing", test))]
use crate::device::cuda::Program;
use crate::device::{
    Activation, Arith, Axes, ClassTargets, Device, Float, Line, LineLoss, RowFunction, RowLoss,
    line_of_row,
};
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
    axis: isize,
}

impl CategoricalCrossentropy {
    /// The loss with Keras' defaults.
    pub const fn new() -> Self {
        Self {
            options: Options::new("categorical_crossentropy"),
            entropy: CategoricalEntropy::new(),
            axis: -1,
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

    /// The axis of the classes; by default the last one.
    #[must_use]
    pub const fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }
}

loss_config! { CategoricalCrossentropy {
    "from_logits": entropy.from_logits,
    "label_smoothing": entropy.label_smoothing,
    "axis": axis,
} }

impl<D: Device> Loss<D> for CategoricalCrossentropy {
    options!();

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        check::one_hot(y_true, y_pred)?;
        Axes::One(self.axis).check(y_true, y_pred)
    }

    fn fuses(&self, activation: Activation, y_true: &Shape, y_pred: &Shape) -> bool {
        let is_last = Axes::One(self.axis).is_last(y_true, y_pred);
        activation == Activation::Softmax && !self.entropy.from_logits && is_last
    }

    fn warning(&self, activation: Activation, y_pred: &Shape) -> Option<String> {
        let name = "categorical_crossentropy";
        let of_logits = check::no_logits(name, self.entropy.from_logits, activation);
        of_logits.or_else(|| check::one_class(name, y_pred))
    }

    fn axes(&self) -> Axes {
        Axes::One(self.axis)
    }

    fn compute(&self, input: LossInput<'_, D>) {
        if input.logits.is_some() {
            let targets = ClassTargets::Probabilities {
                smoothing: self.entropy.label_smoothing,
            };
            let of_logits = CategoricalEntropy {
                from_logits: true,
                ..self.entropy
            };
            return softmax_loss(targets, &of_logits, &self.options, input);
        }
        row_loss(self.entropy, &self.entropy, self.axis, &self.options, input);
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
    fn smoothing<F: Float>(&self, width: usize) -> Smoothing<F> {
        let smoothing = F::from_f32(self.label_smoothing);
        Smoothing {
            keep: F::one() - smoothing,
            share: smoothing / F::from_usize(width),
        }
    }
}

impl RowFunction for CategoricalEntropy {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: &[F], y_pred: &[F]) -> F {
        let smoothing = self.smoothing(y_pred.len());
        if self.from_logits {
            let max = lanes::max::<A, F>(y_pred);
            let each = OfLogits { smoothing, max };
            let [exps, targets, weighted] = lanes::sums::<A, F, 3>(y_true, y_pred, &each);
            return targets * math::ln::<F, A>(exps) - weighted;
        }
        let [sum] = lanes::sums::<A, F, 1>(Same(F::zero()), y_pred, &Itself);
        let each = OfProbabilities { smoothing, sum };
        let [value, _] = lanes::sums::<A, F, 2>(y_true, y_pred, &each);
        -value
    }

    fn line<F: Float>(&self, line: &mut Line<'_, F>) -> Option<F> {
        let smoothing = F::from_f32(self.label_smoothing);
        let smoothing = Smoothing {
            keep: F::one() - smoothing,
            share: smoothing / line.width(),
        };
        if self.from_logits {
            let max = line.max(|[_, z, _]| z);
            let exp = |z: F| math::exp::<F, Separate>(z - max);
            let (exps, targets) = (
                line.sum(|[_, z, _]| exp(z)),
                line.sum(|[t, ..]| smoothing.of(t)),
            );
            let weighted = line.sum(|[t, z, _]| smoothing.of(t) * (z - max));
            line.gradient(|[t, z, _]| exp(z) * (targets / exps) - smoothing.of(t));
            return Some(targets * math::ln::<F, Separate>(exps) - weighted);
        }
        let sum = line.sum(|[_, p, _]| p);
        let inside = |[t, p, _]: [F; 3]| match clip(p / sum) {
            (_, true) => smoothing.of(t),
            _ => F::zero(),
        };
        let targets = line.sum(inside);
        line.gradient(|element| (targets - inside(element) / clip(element[1] / sum).0) / sum);
        let term = |[t, p, _]: [F; 3]| smoothing.of(t) * math::ln::<F, Separate>(clip(p / sum).0);
        Some(-line.sum(term))
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
        let smoothing = self.smoothing(y_pred.len());
        if self.from_logits {
            // d/dz = softmax(z) Σt - t.
            let max = lanes::max::<A, F>(y_pred);
            let each = OfLogits { smoothing, max };
            let [exps, targets, weighted] =
                lanes::sums_and_map::<A, F, 3>(y_true, y_pred, gradient, &each);
            let scale = factor * targets / exps;
            for (d, &t) in gradient.iter_mut().zip(y_true) {
                *d = *d * scale - factor * smoothing.of(t);
            }
            return targets * math::ln::<F, A>(exps) - weighted;
        }
        // With q = p / Σp: d/dpᵢ = (Σt - tᵢ / qᵢ) / Σp, both without what is clipped.
        let [sum] = lanes::sums::<A, F, 1>(Same(F::zero()), y_pred, &Itself);
        let each = OfProbabilities { smoothing, sum };
        let [value, targets] = lanes::sums_and_map::<A, F, 2>(y_true, y_pred, gradient, &each);
        let factor = factor / sum;
        for d in gradient {
            *d = factor * (targets - *d);
        }
        -value
    }
}

impl<F: Float> LineLoss<F> for CategoricalEntropy {
    fn line(&self, y_true: &[F], y_pred: &[F], gradient: Option<(&mut [F], F)>) -> F {
        line_of_row(self, y_true, y_pred, gradient)
    }

    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn program(&self, with_gradient: bool) -> Option<Program> {
        Program::of_row(with_gradient, self)
    }
}

/// Targets drawn towards equal probabilities.
#[derive(Clone, Copy)]
struct Smoothing<F> {
    keep: F,
    share: F,
}

impl<F: Float> Smoothing<F> {
    #[inline(always)]
    fn of(&self, target: F) -> F {
        target * self.keep + self.share
    }
}

/// Sums e^z, t and t z, and keeps e^z, with logits less their maximum.
struct OfLogits<F> {
    smoothing: Smoothing<F>,
    max: F,
}

impl<F: Float> Each<F, 3> for OfLogits<F> {
    #[inline(always)]
    fn at<A: Arith>(&self, t: F, z: F) -> ([F; 3], F) {
        let (t, z) = (self.smoothing.of(t), z - self.max);
        let e = math::exp::<F, A>(z);
        ([e, t, t * z], e)
    }
}

/// Sums t ln q, and the t whose q is not clipped; keeps t / q of these.
struct OfProbabilities<F> {
    smoothing: Smoothing<F>,
    sum: F,
}

impl<F: Float> Each<F, 2> for OfProbabilities<F> {
    #[inline(always)]
    fn at<A: Arith>(&self, t: F, p: F) -> ([F; 2], F) {
        let (t, (q, is_inside)) = (self.smoothing.of(t), clip(p / self.sum));
        let inside = if is_inside { t } else { F::zero() };
        ([t * math::ln::<F, A>(q), inside], inside / q)
    }
}
