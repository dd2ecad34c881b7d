//! `initial_learning_rate · decay_rate ^ (step / decay_steps)`.

use super::{Schedule, check_steps, described};
use crate::config::{Config, arguments};
use crate::error::Result;

/// A learning rate that falls by a factor every so many steps:
/// `keras.optimizers.schedules.ExponentialDecay`.
#[derive(Clone, Copy, Debug)]
pub struct ExponentialDecay {
    initial_learning_rate: f32,
    decay_steps: u64,
    decay_rate: f32,
    staircase: bool,
}

impl ExponentialDecay {
    /// The first learning rate, and by which factor it falls in how many steps.
    pub const fn new(initial_learning_rate: f32, decay_steps: u64, decay_rate: f32) -> Self {
        Self {
            initial_learning_rate,
            decay_steps,
            decay_rate,
            staircase: false,
        }
    }

    /// Whether it falls once after every `decay_steps`, and not a little in each step.
    #[must_use]
    pub const fn staircase(mut self, staircase: bool) -> Self {
        self.staircase = staircase;
        self
    }
}

arguments!(ExponentialDecay {
    "initial_learning_rate": initial_learning_rate,
    "decay_steps": decay_steps,
    "decay_rate": decay_rate,
    "staircase": staircase,
    "name" = "ExponentialDecay",
});

impl Schedule for ExponentialDecay {
    fn config(&self) -> Config {
        described("ExponentialDecay", self)
    }

    fn at(&self, step: u64) -> f32 {
        let periods = step as f32 / self.decay_steps as f32;
        let periods = if self.staircase {
            periods.floor()
        } else {
            periods
        };
        self.initial_learning_rate * self.decay_rate.powf(periods)
    }

    fn check(&self) -> Result<()> {
        check_steps("decay_steps", self.decay_steps)
    }
}
