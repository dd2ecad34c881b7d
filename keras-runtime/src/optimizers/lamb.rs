//! `m += (1 - beta_1)(g - m)`, `v += (1 - beta_2)(g² - v)`,
//! `u = m / (1 - beta_1ᵗ) / (√(v / (1 - beta_2ᵗ)) + epsilon)` in step t, and for each variable
//! `w -= learning_rate · |w| / |u| · u`.

use super::moments::{Moments, moment_arguments};
use super::sgd::Descent;
use super::{Optimizer, Settings, Slot, Step, Variable, longest, one_minus};
use crate::config::arguments;
use crate::device::{Device, Float, NormRule, UpdateRule};
use crate::schedules::LearningRate;

/// [`Adam`](super::Adam) with steps as long as the weights are large, for large batches (You et al.,
/// 2019): `keras.optimizers.Lamb`.
#[derive(Clone, Debug)]
pub struct Lamb {
    pub(super) settings: Settings,
    moments: Moments,
}

impl Lamb {
    /// The optimizer with Keras' defaults. Keras' default learning rate is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            settings: Settings::new(learning_rate),
            moments: Moments::DEFAULT,
        }
    }

    moment_arguments!(
        "How much of the mean of the gradients is kept in each step; 0.9 by default.",
        "How much of the mean of their squares is kept in each step; 0.999 by default.",
        "What keeps the divisor from 0, beside the root; 1e-7 by default."
    );
}

arguments!(Lamb {
    "beta_1": moments.beta_1,
    "beta_2": moments.beta_2,
    "epsilon": moments.epsilon,
});

impl<D: Device> Optimizer<D> for Lamb {
    fn slots(&self) -> Vec<Slot> {
        vec![Slot::new("momentum"), Slot::new("velocity")]
    }

    fn is_elementwise(&self) -> bool {
        false
    }

    /// The direction of a variable.
    fn scratch(&self, variables: &[Variable]) -> usize {
        longest(variables)
    }

    fn update(&self, step: Step<'_, D>) {
        let (device, count) = (step.device, step.iteration as f32);
        let rule = Direction {
            new_1: one_minus(self.moments.beta_1),
            new_2: one_minus(self.moments.beta_2),
            bias_1: 1.0 - self.moments.beta_1.powf(count),
            bias_2: 1.0 - self.moments.beta_2.powf(count),
            epsilon: self.moments.epsilon,
        };
        let [momentum, velocity] = step.slots else {
            return;
        };
        for part in step.parts {
            let all = 0..part.range.len();
            let g = part.read::<D>(step.grads);
            device.update(
                part.decay(step.learning_rate),
                part.write::<D>(step.params),
                g,
                [],
            );
            let direction = D::slice_mut(step.scratch, all.clone());
            let slots = [part.write::<D>(momentum), part.write::<D>(velocity)];
            device.update(part.without_decay(rule, step.clip), direction, g, slots);
            let weights = Some(part.read::<D>(step.params));
            let own = std::iter::once(all.clone());
            let ratio = device.norm_factor(TrustRatio, weights, 1.0, step.scratch, own);
            let rule = Descent {
                rate: ratio * step.learning_rate,
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

/// The norm of the weights over that of the direction, if both have one.
#[derive(Clone, Copy)]
struct TrustRatio;

impl NormRule for TrustRatio {
    fn factor<F: Float>(&self, of_weights: F, of_direction: F) -> F {
        if of_weights > F::zero() && of_direction > F::zero() {
            (of_weights / of_direction).sqrt()
        } else {
            F::one()
        }
    }
}

/// Writes the direction in the place of the parameter.
#[derive(Clone, Copy)]
struct Direction {
    new_1: f32,
    new_2: f32,
    bias_1: f32,
    bias_2: f32,
    epsilon: f32,
}

impl UpdateRule<2> for Direction {
    #[inline(always)]
    fn update<F: Float>(
        &self,
        _parameter: F,
        gradient: F,
        [momentum, velocity]: [F; 2],
    ) -> (F, [F; 2]) {
        let momentum = momentum + (gradient - momentum) * F::from_f32(self.new_1);
        let velocity = velocity + (gradient * gradient - velocity) * F::from_f32(self.new_2);
        let root = (velocity / F::from_f32(self.bias_2)).sqrt();
        let direction = momentum / F::from_f32(self.bias_1) / (root + F::from_f32(self.epsilon));
        (direction, [momentum, velocity])
    }
}
