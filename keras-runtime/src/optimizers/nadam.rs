//! `m += (1 - beta_1)(g - m)`, `v += (1 - beta_2)(g² - v)`, and with
//! `uₜ = beta_1 (1 - 0.96ᵗ / 2)` and the product `U` of all of them
//! `w -= learning_rate (uₜ₊₁ m / (1 - U uₜ₊₁) + (1 - uₜ) g / (1 - U)) / (√(v / (1 - beta_2ᵗ)) + epsilon)`
//! in step t.

use super::moments::{Moments, moment_arguments};
use super::{Optimizer, Settings, Slot, Step};
use crate::config::arguments;
use crate::device::{Device, Float, UpdateRule};
use crate::schedules::LearningRate;

/// [`Adam`](super::Adam) with Nesterov's momentum (Dozat, 2015): `keras.optimizers.Nadam`.
#[derive(Clone, Debug)]
pub struct Nadam {
    pub(super) settings: Settings,
    moments: Moments,
}

impl Nadam {
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

arguments!(Nadam {
    "beta_1": moments.beta_1,
    "beta_2": moments.beta_2,
    "epsilon": moments.epsilon,
});

impl<D: Device> Optimizer<D> for Nadam {
    fn slots(&self) -> Vec<Slot> {
        vec![Slot::new("momentum"), Slot::new("velocity")]
    }

    /// The product of the momentums.
    fn scalars(&self) -> Vec<f32> {
        vec![1.0]
    }

    fn update(&self, mut step: Step<'_, D>) {
        let momentum = |step: u64| self.moments.beta_1 * (1.0 - 0.5 * 0.96_f32.powf(step as f32));
        let (now, next) = (momentum(step.iteration), momentum(step.iteration + 1));
        let [product] = step.scalars else { return };
        *product *= now;
        let product = *product;
        step.apply(Rule {
            rate: step.learning_rate,
            new_1: 1.0 - self.moments.beta_1,
            new_2: 1.0 - self.moments.beta_2,
            of_momentum: next / (1.0 - product * next),
            of_gradient: (1.0 - now) / (1.0 - product),
            bias: 1.0 - self.moments.beta_2.powf(step.iteration as f32),
            epsilon: self.moments.epsilon,
        });
    }
}

#[derive(Clone, Copy)]
struct Rule {
    rate: f32,
    new_1: f32,
    new_2: f32,
    of_momentum: f32,
    of_gradient: f32,
    bias: f32,
    epsilon: f32,
}

impl UpdateRule<2> for Rule {
    #[inline(always)]
    fn update<F: Float>(
        &self,
        parameter: F,
        gradient: F,
        [momentum, velocity]: [F; 2],
    ) -> (F, [F; 2]) {
        let momentum = momentum + (gradient - momentum) * F::from_f32(self.new_1);
        let velocity = velocity + (gradient * gradient - velocity) * F::from_f32(self.new_2);
        let ahead =
            F::from_f32(self.of_momentum) * momentum + F::from_f32(self.of_gradient) * gradient;
        let divisor = (velocity / F::from_f32(self.bias)).sqrt() + F::from_f32(self.epsilon);
        (
            parameter - ahead * F::from_f32(self.rate) / divisor,
            [momentum, velocity],
        )
    }
}
