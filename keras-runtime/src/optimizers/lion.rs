//! `w -= learning_rate · sign(beta_1 · m + (1 - beta_1) · g)`, `m = beta_2 · m + (1 - beta_2) · g`.

use super::{Optimizer, Settings, Slot, Step};
use crate::config::arguments;
use crate::device::{Device, Float, UpdateRule};
use crate::error::{Error, Result};
use crate::schedules::LearningRate;

/// Steps of one size in the direction of a running mean of the gradients (Chen et al., 2023):
/// `keras.optimizers.Lion`. Its learning rate is a third to a tenth of [`Adam`](super::Adam)'s.
#[derive(Clone, Debug)]
pub struct Lion {
    pub(super) settings: Settings,
    beta_1: f32,
    beta_2: f32,
}

impl Lion {
    /// The optimizer with Keras' defaults. Keras' default learning rate is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            settings: Settings::new(learning_rate),
            beta_1: 0.9,
            beta_2: 0.99,
        }
    }

    /// How much the running mean counts beside the gradient, above 0; 0.9 by default.
    #[must_use]
    pub fn beta_1(mut self, beta_1: f32) -> Self {
        self.beta_1 = beta_1;
        self
    }

    /// How much of the running mean is kept in each step; 0.99 by default.
    #[must_use]
    pub fn beta_2(mut self, beta_2: f32) -> Self {
        self.beta_2 = beta_2;
        self
    }
}

arguments!(Lion {
    "beta_1": beta_1,
    "beta_2": beta_2,
});

impl<D: Device> Optimizer<D> for Lion {
    fn check(&self) -> Result<()> {
        if self.beta_1 > 0.0 && self.beta_1 <= 1.0 {
            return Ok(());
        }
        Err(Error::value(format!(
            "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer degenerates to \
             SignSGD. Received: beta_1={}.",
            self.beta_1
        )))
    }

    fn slots(&self) -> Vec<Slot> {
        vec![Slot::new("momentum")]
    }

    fn update(&self, mut step: Step<'_, D>) {
        step.apply(Rule {
            rate: step.learning_rate,
            beta_1: self.beta_1,
            beta_2: self.beta_2,
        });
    }
}

#[derive(Clone, Copy)]
struct Rule {
    rate: f32,
    beta_1: f32,
    beta_2: f32,
}

impl UpdateRule<1> for Rule {
    #[inline(always)]
    fn update<F: Float>(&self, parameter: F, gradient: F, [momentum]: [F; 1]) -> (F, [F; 1]) {
        let mix = |kept: f32| momentum * F::from_f32(kept) + gradient * F::from_f32(1.0 - kept);
        let direction = mix(self.beta_1);
        let rate = F::from_f32(self.rate);
        // The sign of 0 is 0, that of what is no number is none.
        let change = if direction > F::zero() {
            rate
        } else if direction < F::zero() {
            -rate
        } else {
            direction
        };
        (parameter - change, [mix(self.beta_2)])
    }
}
