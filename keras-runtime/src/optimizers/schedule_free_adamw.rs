//! With `rₜ = learning_rate · min(t / warmup_steps, 1)` in step t:
//! `v += (1 - beta_2)(g² - v)`, `z' = z - rₜ g / (√(v / (1 - beta_2ᵗ)) + epsilon)`,
//! `x = (w - (1 - beta_1) z) / beta_1`, `x' = (1 - 1/t) x + z' / t`,
//! `w = (1 - beta_1) z' + beta_1 x'`.

use super::moments::{Moments, moment_arguments};
use super::{Optimizer, Settings, Slot, SlotStart, Step};
use crate::config::arguments;
use crate::device::{Device, Float, UpdateRule};
use crate::schedules::LearningRate;

/// [`AdamW`](super::AdamW) whose weights are averaged so that no schedule has to be chosen (Defazio
/// et al., 2024): `keras.optimizers.ScheduleFreeAdamW`.
#[derive(Clone, Debug)]
pub struct ScheduleFreeAdamW {
    pub(super) settings: Settings,
    moments: Moments,
    warmup_steps: u64,
}

impl ScheduleFreeAdamW {
    /// The optimizer with Keras' defaults. Keras' default learning rate is 0.0025.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            settings: Settings::new(learning_rate),
            moments: Moments {
                epsilon: 1e-8,
                ..Moments::DEFAULT
            },
            warmup_steps: 0,
        }
    }

    moment_arguments!(
        "How much the weights are of the average, and not of the latest; 0.9 by default.",
        "How much of the mean of the squares is kept in each step; 0.999 by default.",
        "What keeps the divisor from 0, beside the root; 1e-8 by default."
    );

    /// The steps in which the learning rate rises; 0 by default.
    #[must_use]
    pub fn warmup_steps(mut self, steps: u64) -> Self {
        self.warmup_steps = steps;
        self
    }
}

arguments!(ScheduleFreeAdamW {
    "beta_1": moments.beta_1,
    "beta_2": moments.beta_2,
    "epsilon": moments.epsilon,
    "warmup_steps": warmup_steps,
});

impl<D: Device> Optimizer<D> for ScheduleFreeAdamW {
    fn slots(&self) -> Vec<Slot> {
        vec![
            Slot::new("momentum").start(SlotStart::Weights),
            Slot::new("velocity"),
        ]
    }

    fn update(&self, mut step: Step<'_, D>) {
        let count = step.iteration as f32;
        let warmup = match self.warmup_steps {
            0 => 1.0,
            steps => (count / steps as f32).min(1.0),
        };
        step.apply(Rule {
            rate: step.learning_rate * warmup,
            beta_1: self.moments.beta_1,
            new_2: 1.0 - self.moments.beta_2,
            bias: 1.0 - self.moments.beta_2.powf(count),
            epsilon: self.moments.epsilon,
            weight: 1.0 / count,
        });
    }
}

#[derive(Clone, Copy)]
struct Rule {
    rate: f32,
    beta_1: f32,
    new_2: f32,
    bias: f32,
    epsilon: f32,
    weight: f32,
}

impl UpdateRule<2> for Rule {
    #[inline(always)]
    fn update<F: Float>(
        &self,
        parameter: F,
        gradient: F,
        [latest, velocity]: [F; 2],
    ) -> (F, [F; 2]) {
        let beta_1 = F::from_f32(self.beta_1);
        let weight = F::from_f32(self.weight);
        let velocity = velocity + (gradient * gradient - velocity) * F::from_f32(self.new_2);
        let divisor = (velocity / F::from_f32(self.bias)).sqrt() + F::from_f32(self.epsilon);
        let average = (parameter - (F::one() - beta_1) * latest) / beta_1;
        let latest = latest - F::from_f32(self.rate) * gradient / divisor;
        let average = (F::one() - weight) * average + weight * latest;
        let parameter = (F::one() - beta_1) * latest + beta_1 * average;
        (parameter, [latest, velocity])
    }
}
