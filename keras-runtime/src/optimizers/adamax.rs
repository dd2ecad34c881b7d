//! `m += (1 - beta_1)(g - m)`, `u = max(beta_2 · u, |g|)`,
//! `w -= learning_rate · m / ((1 - beta_1ᵗ)(u + epsilon))` in step t.

use super::moments::{Moments, moment_arguments};
use super::{Optimizer, Settings, Slot, Step, one_minus};
use crate::config::arguments;
use crate::device::{Device, Float, UpdateRule};
use crate::schedules::LearningRate;

/// [`Adam`](super::Adam) with the largest gradient in the place of the root mean square (Kingma and
/// Ba, 2014, section 7): `keras.optimizers.Adamax`.
#[derive(Clone, Debug)]
pub struct Adamax {
    pub(super) settings: Settings,
    moments: Moments,
}

impl Adamax {
    /// The optimizer with Keras' defaults. Keras' default learning rate is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            settings: Settings::new(learning_rate),
            moments: Moments::DEFAULT,
        }
    }

    moment_arguments!(
        "How much of the mean of the gradients is kept in each step; 0.9 by default.",
        "How much of the largest gradient is kept in each step; 0.999 by default.",
        "What keeps the divisor from 0; 1e-7 by default."
    );
}

arguments!(Adamax {
    "beta_1": moments.beta_1,
    "beta_2": moments.beta_2,
    "epsilon": moments.epsilon,
});

impl<D: Device> Optimizer<D> for Adamax {
    fn slots(&self) -> Vec<Slot> {
        vec![Slot::new("momentum"), Slot::new("norm")]
    }

    fn update(&self, mut step: Step<'_, D>) {
        step.apply(Rule {
            rate: step.learning_rate,
            new: one_minus(self.moments.beta_1),
            beta_2: self.moments.beta_2,
            bias: 1.0 - self.moments.beta_1.powf(step.iteration as f32),
            epsilon: self.moments.epsilon,
        });
    }
}

#[derive(Clone, Copy)]
struct Rule {
    rate: f32,
    new: f32,
    beta_2: f32,
    bias: f32,
    epsilon: f32,
}

impl UpdateRule<2> for Rule {
    #[inline(always)]
    fn update<F: Float>(&self, parameter: F, gradient: F, [momentum, norm]: [F; 2]) -> (F, [F; 2]) {
        let momentum = momentum + (gradient - momentum) * F::from_f32(self.new);
        let (kept, size) = (F::from_f32(self.beta_2) * norm, gradient.abs());
        // A gradient that is no number is seen.
        let norm = if kept > size { kept } else { size };
        let divisor = F::from_f32(self.bias) * (norm + F::from_f32(self.epsilon));
        (
            parameter - F::from_f32(self.rate) * momentum / divisor,
            [momentum, norm],
        )
    }
}
