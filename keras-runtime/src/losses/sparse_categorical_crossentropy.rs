//! `-ln p[t]` along the last axis, with the number t of the class.

use super::binary_crossentropy::clip;
use super::check::class_numbers;
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

/// The cross-entropy of targets that are numbers of classes:
/// `keras.losses.SparseCategoricalCrossentropy`.
///
/// After a last activation `softmax` it is computed from the activation's input, which stays exact
/// where a probability rounds to 0.
#[derive(Clone, Debug)]
pub struct SparseCategoricalCrossentropy {
    pub(super) options: Options,
    entropy: SparseEntropy,
    axis: isize,
}

impl SparseCategoricalCrossentropy {
    /// The loss with Keras' defaults.
    pub const fn new() -> Self {
        Self {
            options: Options::new("sparse_categorical_crossentropy"),
            entropy: SparseEntropy::new(),
            axis: -1,
        }
    }

    /// Whether predictions are logits; by default they are probabilities.
    #[must_use]
    pub const fn from_logits(mut self, from_logits: bool) -> Self {
        self.entropy.from_logits = from_logits;
        self
    }

    /// Rows of this class are left out, such as -1 for pixels without a label.
    #[must_use]
    pub const fn ignore_class(mut self, class: i32) -> Self {
        self.entropy.ignore_class = Some(class);
        self
    }

    /// The axis of the classes; by default the last one.
    #[must_use]
    pub const fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }
}

loss_config! { SparseCategoricalCrossentropy {
    "from_logits": entropy.from_logits,
    "ignore_class": entropy.ignore_class,
    "axis" unless (-1): axis,
} }

impl<D: Device> Loss<D> for SparseCategoricalCrossentropy {
    options!();

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        check::sparse(self.axis, y_true, y_pred)
    }

    fn check_targets(&self, values: &[f32], y_true: &Shape, y_pred: &Shape) -> Result<()> {
        let count = Axes::One(self.axis).width(y_true, y_pred);
        class_numbers(values, count.unwrap_or_default(), self.entropy.ignored())
    }

    fn fuses(&self, activation: Activation, y_true: &Shape, y_pred: &Shape) -> bool {
        let is_last = Axes::One(self.axis).is_last(y_true, y_pred);
        activation == Activation::Softmax && !self.entropy.from_logits && is_last
    }

    fn warning(&self, activation: Activation, _y_pred: &Shape) -> Option<String> {
        check::no_logits(
            "sparse_categorical_crossentropy",
            self.entropy.from_logits,
            activation,
        )
    }

    fn axes(&self) -> Axes {
        Axes::One(self.axis)
    }

    fn compute(&self, input: LossInput<'_, D>) {
        if input.logits.is_some() {
            let targets = ClassTargets::Numbers {
                ignored: self.entropy.ignored(),
            };
            let of_logits = SparseEntropy {
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
pub(crate) struct SparseEntropy {
    pub from_logits: bool,
    pub ignore_class: Option<i32>,
}

impl SparseEntropy {
    pub const fn new() -> Self {
        Self {
            from_logits: false,
            ignore_class: None,
        }
    }

    fn ignored(&self) -> Option<f32> {
        self.ignore_class.map(|class| class as f32)
    }
}

impl RowFunction for SparseEntropy {
    fn ignored_target(&self) -> Option<f32> {
        self.ignored()
    }

    /// A number that no class has costs nothing, as a row of zeros would.
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: &[F], y_pred: &[F]) -> F {
        let Some((_, chosen)) = chosen(y_true, y_pred) else {
            return F::zero();
        };
        if self.from_logits {
            let max = lanes::max::<A, F>(y_pred);
            let [exps] = lanes::sums::<A, F, 1>(Same(max), y_pred, &Exponential);
            return math::ln::<F, A>(exps) - (chosen - max);
        }
        let [sum] = lanes::sums::<A, F, 1>(Same(F::zero()), y_pred, &Itself);
        -math::ln::<F, A>(clip(chosen / sum).0)
    }

    fn line<F: Float>(&self, line: &mut Line<'_, F>) -> Option<F> {
        let of_class = |[t, _, at]: [F; 3], value: F| {
            if at == t.trunc() { value } else { F::zero() }
        };
        let is_class = line.sum(|element| of_class(element, F::one()));
        let chosen = line.sum(|element| of_class(element, element[1]));
        if self.from_logits {
            let max = line.max(|[_, z, _]| z);
            let exp = |z: F| math::exp::<F, Separate>(z - max);
            let exps = line.sum(|[_, z, _]| exp(z));
            line.gradient(|element| {
                is_class * exp(element[1]) / exps - of_class(element, F::one())
            });
            return Some(is_class * (math::ln::<F, Separate>(exps) - (chosen - max)));
        }
        let sum = line.sum(|[_, p, _]| p);
        let (q, is_inside) = clip(chosen / sum);
        line.gradient(|element| {
            if is_inside && is_class == F::one() {
                sum.recip() - of_class(element, chosen.recip())
            } else {
                F::zero()
            }
        });
        Some(-is_class * math::ln::<F, Separate>(q))
    }
}

impl RowLoss for SparseEntropy {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(
        &self,
        y_true: &[F],
        y_pred: &[F],
        factor: F,
        gradient: &mut [F],
    ) -> F {
        let Some((class, chosen)) = chosen(y_true, y_pred) else {
            gradient.fill(F::zero());
            return F::zero();
        };
        if self.from_logits {
            // d/dz = softmax(z), less 1 for the class.
            let max = lanes::max::<A, F>(y_pred);
            let [exps] = lanes::sums_and_map::<A, F, 1>(Same(max), y_pred, gradient, &Exponential);
            let scale = factor / exps;
            for d in &mut *gradient {
                *d *= scale;
            }
            gradient[class] -= factor;
            return math::ln::<F, A>(exps) - (chosen - max);
        }
        // With q = p / Σp: d/dpᵢ = 1 / Σp, less 1 / p for the class; 0 if q is clipped.
        let [sum] = lanes::sums::<A, F, 1>(Same(F::zero()), y_pred, &Itself);
        let (q, is_inside) = clip(chosen / sum);
        if is_inside {
            gradient.fill(factor / sum);
            gradient[class] -= factor / chosen;
        } else {
            gradient.fill(F::zero());
        }
        -math::ln::<F, A>(q)
    }
}

impl<F: Float> LineLoss<F> for SparseEntropy {
    fn line(&self, y_true: &[F], y_pred: &[F], gradient: Option<(&mut [F], F)>) -> F {
        line_of_row(self, y_true, y_pred, gradient)
    }

    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn program(&self, with_gradient: bool) -> Option<Program> {
        Program::of_row(with_gradient, self)
    }

    fn ignored_target(&self) -> Option<f32> {
        self.ignored()
    }
}

/// e^z of logits less their maximum.
struct Exponential;

impl<F: Float> Each<F, 1> for Exponential {
    #[inline(always)]
    fn at<A: Arith>(&self, max: F, z: F) -> ([F; 1], F) {
        let e = math::exp::<F, A>(z - max);
        ([e], e)
    }
}

/// The class of a row, and its prediction.
#[inline(always)]
fn chosen<F: Float>(y_true: &[F], y_pred: &[F]) -> Option<(usize, F)> {
    let class = y_true.first()?.to_usize()?;
    Some((class, *y_pred.get(class)?))
}
