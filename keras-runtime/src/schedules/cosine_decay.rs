//! `rate · ((1 - alpha) (1 + cos(π · step / decay_steps)) / 2 + alpha)`, up to `decay_steps`; with
//! `warmup_target` after `warmup_steps` in which the rate rises to it in a straight line.

use std::f32::consts::PI;

use super::{Schedule, check_steps, described};
use crate::config::{Config, arguments};
use crate::error::Result;

/// A learning rate that falls as a cosine does (Loshchilov and Hutter, 2016), after rising if it is
/// told to: `keras.optimizers.schedules.CosineDecay`.
#[derive(Clone, Copy, Debug)]
pub struct CosineDecay {
    initial_learning_rate: f32,
    decay_steps: u64,
    alpha: f32,
    warmup_target: Option<f32>,
    warmup_steps: u64,
}

impl CosineDecay {
    /// The first learning rate, and the steps in which it falls.
    pub const fn new(initial_learning_rate: f32, decay_steps: u64) -> Self {
        Self {
            initial_learning_rate,
            decay_steps,
            alpha: 0.0,
            warmup_target: None,
            warmup_steps: 0,
        }
    }

    /// The last learning rate, as a fraction of the one that it falls from; 0 by default.
    #[must_use]
    pub const fn alpha(mut self, alpha: f32) -> Self {
        self.alpha = alpha;
        self
    }

    /// The learning rate to rise to before it falls; by default it does not rise.
    #[must_use]
    pub const fn warmup_target(mut self, warmup_target: f32) -> Self {
        self.warmup_target = Some(warmup_target);
        self
    }

    /// The steps in which it rises to `warmup_target`.
    #[must_use]
    pub const fn warmup_steps(mut self, warmup_steps: u64) -> Self {
        self.warmup_steps = warmup_steps;
        self
    }
}

arguments!(CosineDecay {
    "initial_learning_rate": initial_learning_rate,
    "decay_steps": decay_steps,
    "alpha": alpha,
    "name" = "CosineDecay",
    "warmup_target": warmup_target,
    "warmup_steps": warmup_steps,
});

impl Schedule for CosineDecay {
    fn config(&self) -> Config {
        described("CosineDecay", self)
    }

    fn at(&self, step: u64) -> f32 {
        let first = self.initial_learning_rate;
        let (step, top) = match self.warmup_target {
            None => (step, first),
            Some(target) if step < self.warmup_steps => {
                let risen = step as f32 / self.warmup_steps as f32;
                return (target - first) * risen + first;
            }
            Some(target) => (step - self.warmup_steps, target),
        };
        let done = step.min(self.decay_steps) as f32 / self.decay_steps as f32;
        let cosine = 0.5 * (1.0 + (PI * done).cos());
        top * ((1.0 - self.alpha) * cosine + self.alpha)
    }

    fn check(&self) -> Result<()> {
        check_steps("decay_steps", self.decay_steps)
    }
}
