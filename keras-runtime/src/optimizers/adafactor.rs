//! With `q = g² + epsilon_1` and `b = 1 - t ^ beta_2_decay` in step t: `r = b r + (1 - b) mean(q)` along the
//! last axis and `c = b c + (1 - b) mean(q)` along the one before, `v = r cᵀ / mean(r)`; for vectors
//! `v = b v + (1 - b) q`. Then `u = g / √v`, `u' = u / max(1, rms(u) / clip_threshold)` and
//! `w -= max(epsilon_2, rms(w)) · min(learning_rate, 1/√t) · u'`.

use super::sgd::Descent;
use super::{Optimizer, Settings, Slot, Step, Variable, longest};
use crate::config::arguments;
use crate::device::{Device, FactoredMoments, Float, NormRule, UpdateRule};
use crate::schedules::LearningRate;
use crate::shape::Shape;

/// The mean squares of matrices are remembered by their rows and columns (Shazeer and Stern, 2018):
/// `keras.optimizers.Adafactor`.
#[derive(Clone, Debug)]
pub struct Adafactor {
    pub(super) settings: Settings,
    beta_2_decay: f32,
    epsilon_1: f32,
    epsilon_2: f32,
    clip_threshold: f32,
}

impl Adafactor {
    /// The optimizer with Keras' defaults. Keras' default learning rate is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            settings: Settings::new(learning_rate),
            beta_2_decay: -0.8,
            epsilon_1: 1e-30,
            epsilon_2: 1e-3,
            clip_threshold: 1.0,
        }
    }

    /// How the share of new squares falls with the steps; -0.8 by default.
    #[must_use]
    pub fn beta_2_decay(mut self, beta_2_decay: f32) -> Self {
        self.beta_2_decay = beta_2_decay;
        self
    }

    /// What keeps the divisor from 0; 1e-30 by default.
    #[must_use]
    pub fn epsilon_1(mut self, epsilon_1: f32) -> Self {
        self.epsilon_1 = epsilon_1;
        self
    }

    /// The least size of the weights that steps are measured by; 0.001 by default.
    #[must_use]
    pub fn epsilon_2(mut self, epsilon_2: f32) -> Self {
        self.epsilon_2 = epsilon_2;
        self
    }

    /// The root mean square that a step of a variable may have; 1 by default.
    #[must_use]
    pub fn clip_threshold(mut self, clip_threshold: f32) -> Self {
        self.clip_threshold = clip_threshold;
        self
    }

    /// Keras has this argument, in which a learning rate that is a number is at most `1/√t`. It is
    /// at most that in any case, so it changes nothing, there as here.
    #[must_use]
    pub fn relative_step(self, relative_step: bool) -> Self {
        let _ = relative_step;
        self
    }
}

/// The matrices in a variable: (outer, rows, columns); `None` if it is a vector or a number.
fn matrices(shape: &Shape) -> Option<[usize; 3]> {
    match shape.dims() {
        [outer @ .., rows, columns] => Some([outer.iter().product(), *rows, *columns]),
        _ => None,
    }
}

arguments!(Adafactor {
    "beta_2_decay": beta_2_decay,
    "epsilon_1": epsilon_1,
    "epsilon_2": epsilon_2,
    "clip_threshold": clip_threshold,
    "relative_step" = true,
});

impl<D: Device> Optimizer<D> for Adafactor {
    fn slots(&self) -> Vec<Slot> {
        vec![Slot::new(""), Slot::new(""), Slot::new("velocity")]
    }

    /// The means of the rows, those of the columns, and of every element.
    fn slot_shape(&self, slot: usize, variable: &Variable) -> Option<Shape> {
        let dims = variable.shape.dims();
        match (slot, dims) {
            (2, _) => Some(variable.shape),
            (0, [rows @ .., _columns]) if dims.len() > 1 => Some(Shape::new(rows)),
            (1, [outer @ .., _rows, columns]) => Some(Shape::new(&[outer, &[*columns]].concat())),
            // Keras has a number in their place that it does not use.
            _ => Some(Shape::SCALAR),
        }
    }

    fn is_elementwise(&self) -> bool {
        false
    }

    /// The gradient of a variable, and then its change.
    fn scratch(&self, variables: &[Variable]) -> usize {
        longest(variables)
    }

    fn update(&self, step: Step<'_, D>) {
        let (device, count) = (step.device, step.iteration as f32);
        let rule = FactoredMoments {
            keep: 1.0 - count.powf(self.beta_2_decay),
            epsilon: self.epsilon_1,
        };
        let rate = step.learning_rate.min(1.0 / count.sqrt());
        let [rows, columns, velocity] = step.slots else {
            return;
        };
        for (part, variable) in step.parts.iter().zip(step.variables) {
            let all = 0..part.range.len();
            let g = part.read::<D>(step.grads);
            device.update(
                part.decay(step.learning_rate),
                part.write::<D>(step.params),
                g,
                [],
            );
            let change = D::slice_mut(step.scratch, all.clone());
            match matrices(&variable.shape) {
                None => {
                    let rule = part.without_decay(Vector(rule), step.clip);
                    device.update(rule, change, g, [part.write::<D>(velocity)]);
                }
                Some(dims) => {
                    device.update(part.without_decay(Gradient, step.clip), change, g, []);
                    let change = D::slice_mut(step.scratch, all.clone());
                    let slots = [
                        part.write::<D>(rows),
                        part.write::<D>(columns),
                        part.write::<D>(velocity),
                    ];
                    device.factored(rule, dims, change, slots);
                }
            }
            let size = Size {
                len: part.range.len().max(1) as f32,
                least: self.epsilon_2,
                threshold: self.clip_threshold,
            };
            let weights = Some(part.read::<D>(step.params));
            let own = std::iter::once(all.clone());
            let factor = device.norm_factor(size, weights, 1.0, step.scratch, own);
            let rule = Descent {
                rate: factor * rate,
            };
            device.update(
                rule,
                part.write::<D>(step.params),
                D::slice(step.scratch, all),
                [],
            );
        }
    }
}

/// The size of a step: `max(ε₂, rms(w)) / max(1, rms(u) / threshold)`.
#[derive(Clone, Copy)]
struct Size {
    /// How many weights there are.
    len: f32,
    least: f32,
    threshold: f32,
}

impl NormRule for Size {
    fn factor<F: Float>(&self, of_weights: F, of_change: F) -> F {
        let rms = |squares: F| (squares / F::from_f32(self.len)).sqrt();
        let (least, threshold) = (F::from_f32(self.least), F::from_f32(self.threshold));
        rms(of_weights).max(least) / (rms(of_change) / threshold).max(F::one())
    }
}

/// Writes the gradient in the place of the parameter.
#[derive(Clone, Copy)]
struct Gradient;

impl UpdateRule<0> for Gradient {
    #[inline(always)]
    fn update<F: Float>(&self, _parameter: F, gradient: F, []: [F; 0]) -> (F, [F; 0]) {
        (gradient, [])
    }
}

/// Writes the gradient over the root of its mean square in the place of the parameter.
#[derive(Clone, Copy)]
struct Vector(FactoredMoments);

impl UpdateRule<1> for Vector {
    #[inline(always)]
    fn update<F: Float>(&self, _parameter: F, gradient: F, [velocity]: [F; 1]) -> (F, [F; 1]) {
        let (keep, epsilon) = (F::from_f32(self.0.keep), F::from_f32(self.0.epsilon));
        let square = gradient * gradient + epsilon;
        let velocity = keep * velocity + (F::one() - keep) * square;
        (gradient / velocity.sqrt(), [velocity])
    }
}
