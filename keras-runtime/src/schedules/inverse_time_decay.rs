//! `initial_learning_rate / (1 + decay_rate · step / decay_steps)`.

use super::{Schedule, check_steps, described};
use crate::config::{Config, arguments};
use crate::error::Result;

/// A learning rate that falls with the inverse of the step:
/// `keras.optimizers.schedules.InverseTimeDecay`.
#[derive(Clone, Copy, Debug)]
pub struct InverseTimeDecay {
    initial_learning_rate: f32,
    decay_steps: u64,
    decay_rate: f32,
    staircase: bool,
}

impl InverseTimeDecay {
    /// The first learning rate, and by how much its inverse grows in how many steps.
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

arguments!(InverseTimeDecay {
    "initial_learning_rate": initial_learning_rate,
    "decay_steps": decay_steps,
    "decay_rate": decay_rate,
    "staircase": staircase,
    "name" = "InverseTimeDecay",
});

impl Schedule for InverseTimeDecay {
    fn config(&self) -> Config {
        described("InverseTimeDecay", self)
    }

    fn at(&self, step: u64) -> f32 {
        let periods = step as f32 / self.decay_steps as f32;
        let periods = if self.staircase {
            periods.floor()
        } else {
            periods
        };
        self.initial_learning_rate / (1.0 + self.decay_rate * periods)
    }

    fn check(&self) -> Result<()> {
        check_steps("decay_steps", self.decay_steps)
    }
}
