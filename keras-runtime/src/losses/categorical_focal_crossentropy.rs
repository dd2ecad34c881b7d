//! `-Σ alpha (1 - q)^gamma t ln q` along an axis, over the classes, with `q = p / Σ p`.

use super::binary_crossentropy::clip;
use super::binary_focal_crossentropy::power;
use super::{Loss, LossInput, check, loss, options};
use crate::config::{Argument, argument};
use crate::device::cpu::math;
use crate::device::cpu::simd::Separate;
use crate::device::{Activation, Axes, Device, Float, Line, LineRule};
use crate::error::{Error, Result};
use crate::shape::Shape;

loss! {
    /// The cross-entropy of targets that are probabilities of classes, of which those count most that
    /// are predicted worst: `keras.losses.CategoricalFocalCrossentropy` (Lin and others, 2018).
    CategoricalFocalCrossentropy, "categorical_focal_crossentropy" {
        /// How little the well predicted ones count; 0 makes it the cross-entropy, but for `alpha`.
        gamma: f32 = 2.0,
        /// Whether predictions are logits; by default they are probabilities.
        from_logits: bool = false,
        /// Draws targets towards equal probabilities: 0.1 means that a tenth is shared by all classes.
        label_smoothing: f32 = 0.0,
        /// The axis of the classes.
        axis: isize = -1,
    }
    into {
        /// The weight of every class, or one for each.
        alpha: Alpha = Alpha::One(0.25),
    }
    config {
        "from_logits": from_logits,
        "label_smoothing": label_smoothing,
        "axis": axis,
        "alpha": alpha,
        "gamma": gamma,
    }
}

/// The weights of classes.
#[derive(Clone, Debug, PartialEq)]
pub enum Alpha {
    /// One for all.
    One(f32),
    /// One for each.
    Each(Vec<f32>),
}

argument! {
    Alpha, "a number or a list of numbers": |alpha| match alpha {
        Alpha::One(alpha) => Argument::to_json(alpha),
        Alpha::Each(alphas) => Argument::to_json(alphas),
    }, |json| match json.as_list() {
        Some(_) => Vec::from_json(json)?.map(Self::Each),
        None => f32::from_json(json)?.map(Self::One),
    };
}

impl From<f32> for Alpha {
    fn from(alpha: f32) -> Self {
        Self::One(alpha)
    }
}

impl<const N: usize> From<[f32; N]> for Alpha {
    fn from(alphas: [f32; N]) -> Self {
        Self::Each(alphas.into())
    }
}

impl From<Vec<f32>> for Alpha {
    fn from(alphas: Vec<f32>) -> Self {
        Self::Each(alphas)
    }
}

impl<D: Device> Loss<D> for CategoricalFocalCrossentropy {
    options!();

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        check::one_hot(y_true, y_pred)?;
        let axes = Axes::One(self.axis);
        axes.check(y_true, y_pred)?;
        let classes = axes.width(y_true, y_pred);
        match (&self.alpha, classes) {
            (Alpha::Each(alphas), Some(classes)) if alphas.len() != classes => {
                Err(Error::value(format!(
                    "`alpha` must be one number, or one for each of the {classes} classes. Received: alpha={alphas:?}"
                )))
            }
            _ => Ok(()),
        }
    }

    fn warning(&self, activation: Activation, y_pred: &Shape) -> Option<String> {
        let name = "categorical_focal_crossentropy";
        let of_logits = check::no_logits(name, self.from_logits, activation);
        of_logits.or_else(|| check::one_class(name, y_pred))
    }

    fn axes(&self) -> Axes {
        Axes::One(self.axis)
    }

    fn compute(&self, input: LossInput<'_, D>) {
        input.line_loss(self, &Axes::One(self.axis), self.options.reduction);
    }
}

impl CategoricalFocalCrossentropy {
    /// The term of a class and its derivative, with regard to its share q of the probability.
    fn term<F: Float>(&self, alpha: F, t: F, q: F) -> [F; 2] {
        let (q, is_inside) = clip(q);
        let (factor, d_factor) = power(F::one() - q, F::from_f32(self.gamma));
        let ln = math::ln::<F, Separate>(q);
        let derivative = alpha * t * (d_factor * ln - factor / q);
        let derivative = if is_inside { derivative } else { F::zero() };
        [-alpha * t * factor * ln, derivative]
    }
}

impl LineRule for CategoricalFocalCrossentropy {
    fn compute<F: Float>(&self, line: &mut Line<'_, F>) -> F {
        let smoothing = F::from_f32(self.label_smoothing);
        let share = smoothing / line.width();
        let max = line.max(|[_, p, _]| p);
        let probability = |p: F| match self.from_logits {
            true => math::exp::<F, Separate>(p - max),
            false => p,
        };
        let sum = line.sum(|[_, p, _]| probability(p));
        let alpha = |class: F| match &self.alpha {
            Alpha::One(alpha) => F::from_f32(*alpha),
            Alpha::Each(alphas) => Line::one_of(alphas, class),
        };
        let share_and_term = |[t, p, class]: [F; 3]| {
            let q = probability(p) / sum;
            let t = t * (F::one() - smoothing) + share;
            (q, self.term(alpha(class), t, q))
        };
        // The derivatives with regard to the shares q, less their mean under q, are those with regard
        // to the probabilities times Σ p, or those with regard to the logits over q.
        let mean = line.sum(|element| {
            let (q, [_, derivative]) = share_and_term(element);
            q * derivative
        });
        line.gradient(|element| {
            let (q, [_, derivative]) = share_and_term(element);
            let inner = if self.from_logits { q } else { sum.recip() };
            (derivative - mean) * inner
        });
        line.sum(|element| {
            let (_, [value, _]) = share_and_term(element);
            value
        })
    }
}
