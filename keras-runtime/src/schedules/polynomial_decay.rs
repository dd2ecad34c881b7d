//! `(initial_learning_rate - end_learning_rate) · (1 - step / decay_steps) ^ power +
//! end_learning_rate`, up to `decay_steps`.

use super::{Schedule, check_steps, described};
use crate::config::{Config, arguments};
use crate::error::Result;

/// A learning rate that falls to another one in a given number of steps:
/// `keras.optimizers.schedules.PolynomialDecay`.
#[derive(Clone, Copy, Debug)]
pub struct PolynomialDecay {
    initial_learning_rate: f32,
    decay_steps: u64,
    end_learning_rate: f32,
    power: f32,
    cycle: bool,
}

impl PolynomialDecay {
    /// The first learning rate, and the steps in which it falls.
    pub const fn new(initial_learning_rate: f32, decay_steps: u64) -> Self {
        Self {
            initial_learning_rate,
            decay_steps,
            end_learning_rate: 0.0001,
            power: 1.0,
            cycle: false,
        }
    }

    /// The last learning rate; 0.0001 by default.
    #[must_use]
    pub const fn end_learning_rate(mut self, end_learning_rate: f32) -> Self {
        self.end_learning_rate = end_learning_rate;
        self
    }

    /// The power of the polynomial; 1 by default, a straight line.
    #[must_use]
    pub const fn power(mut self, power: f32) -> Self {
        self.power = power;
        self
    }

    /// Whether it rises again after `decay_steps`, to fall in twice as many from the beginning, and
    /// so on.
    #[must_use]
    pub const fn cycle(mut self, cycle: bool) -> Self {
        self.cycle = cycle;
        self
    }
}

arguments!(PolynomialDecay {
    "initial_learning_rate": initial_learning_rate,
    "decay_steps": decay_steps,
    "end_learning_rate": end_learning_rate,
    "power": power,
    "cycle": cycle,
    "name" = "PolynomialDecay",
});

impl Schedule for PolynomialDecay {
    fn config(&self) -> Config {
        described("PolynomialDecay", self)
    }

    fn at(&self, step: u64) -> f32 {
        let (step, steps) = (step as f32, self.decay_steps as f32);
        let done = match (self.cycle, step == 0.0) {
            (false, _) => step.min(steps) / steps,
            (true, true) => 0.0,
            (true, false) => step / (steps * (step / steps).ceil()),
        };
        let range = self.initial_learning_rate - self.end_learning_rate;
        range * (1.0 - done).powf(self.power) + self.end_learning_rate
    }

    fn check(&self) -> Result<()> {
        check_steps("decay_steps", self.decay_steps)
    }
}
