//! `initial_learning_rate · ((1 - alpha) m_mulⁱ (1 + cos(π · done)) / 2 + alpha)` after i restarts: the
//! first period has `first_decay_steps`, each other one `t_mul` times as many as the one before, and
//! `done` is the part of the period that has passed.

use std::f32::consts::PI;

use super::{Schedule, check_steps, described};
use crate::config::{Config, arguments};
use crate::error::Result;

/// A learning rate that falls as a cosine does and begins anew (Loshchilov and Hutter, 2016):
/// `keras.optimizers.schedules.CosineDecayRestarts`.
#[derive(Clone, Copy, Debug)]
pub struct CosineDecayRestarts {
    initial_learning_rate: f32,
    first_decay_steps: u64,
    t_mul: f32,
    m_mul: f32,
    alpha: f32,
}

impl CosineDecayRestarts {
    /// The first learning rate, and the steps in which it falls for the first time.
    pub const fn new(initial_learning_rate: f32, first_decay_steps: u64) -> Self {
        Self {
            initial_learning_rate,
            first_decay_steps,
            t_mul: 2.0,
            m_mul: 1.0,
            alpha: 0.0,
        }
    }

    /// By which factor each period is longer than the one before; 2 by default.
    #[must_use]
    pub const fn t_mul(mut self, t_mul: f32) -> Self {
        self.t_mul = t_mul;
        self
    }

    /// By which factor each period begins lower than the one before; 1 by default.
    #[must_use]
    pub const fn m_mul(mut self, m_mul: f32) -> Self {
        self.m_mul = m_mul;
        self
    }

    /// The learning rate at the end of a period, as a fraction of the first; 0 by default.
    #[must_use]
    pub const fn alpha(mut self, alpha: f32) -> Self {
        self.alpha = alpha;
        self
    }
}

arguments!(CosineDecayRestarts {
    "initial_learning_rate": initial_learning_rate,
    "first_decay_steps": first_decay_steps,
    "t_mul": t_mul,
    "m_mul": m_mul,
    "alpha": alpha,
    "name" = "SGDRDecay",
});

impl Schedule for CosineDecayRestarts {
    fn config(&self) -> Config {
        described("CosineDecayRestarts", self)
    }

    fn at(&self, step: u64) -> f32 {
        let periods = step as f32 / self.first_decay_steps as f32;
        let (restarts, done) = if self.t_mul == 1.0 {
            (periods.floor(), periods - periods.floor())
        } else {
            let grown = 1.0 - periods * (1.0 - self.t_mul);
            let restarts = (grown.ln() / self.t_mul.ln()).floor();
            let length = self.t_mul.powf(restarts);
            let before = (1.0 - length) / (1.0 - self.t_mul);
            (restarts, (periods - before) / length)
        };
        let cosine = 0.5 * self.m_mul.powf(restarts) * (1.0 + (PI * done).cos());
        self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)
    }

    fn check(&self) -> Result<()> {
        check_steps("first_decay_steps", self.first_decay_steps)
    }
}
