//! `w -= learning_rate · g`, with momentum `v = momentum · v - learning_rate · g`, `w += v`.

use super::{Optimizer, Settings, Step};
use crate::device::{Device, Float, UpdateRule};
use crate::error::{Error, Result};

/// Gradient descent: `keras.optimizers.SGD`.
#[derive(Clone, Debug)]
pub struct SGD {
    pub(super) settings: Settings,
    momentum: f32,
    nesterov: bool,
}

impl SGD {
    /// Plain gradient descent. Keras' default learning rate is 0.01.
    pub const fn new(learning_rate: f32) -> Self {
        Self {
            settings: Settings::new(learning_rate),
            momentum: 0.0,
            nesterov: false,
        }
    }

    /// How much of the last step is taken again: 0 to 1, 0 by default.
    #[must_use]
    pub const fn momentum(mut self, momentum: f32) -> Self {
        self.momentum = momentum;
        self
    }

    /// Whether the gradient is taken as if after the momentum's step (Nesterov, 1983).
    #[must_use]
    pub const fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }
}

impl<D: Device> Optimizer<D> for SGD {
    fn name(&self) -> &str {
        "sgd"
    }

    fn check(&self) -> Result<()> {
        if (0.0..=1.0).contains(&self.momentum) {
            return Ok(());
        }
        Err(Error::value(format!(
            "`momentum` must be a float between [0, 1]. Received: momentum={}",
            self.momentum
        )))
    }

    fn learning_rate(&self) -> f32 {
        self.settings.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f32) {
        self.settings.learning_rate = learning_rate;
    }

    fn slots(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }

    fn step(&self, step: Step<'_, D>) {
        let rate = self.settings.learning_rate;
        if self.momentum == 0.0 {
            return step.apply(&self.settings, Descent { rate });
        }
        let rule = Momentum {
            rate,
            momentum: self.momentum,
            nesterov: self.nesterov,
        };
        step.apply(&self.settings, rule);
    }
}

#[derive(Clone, Copy)]
struct Descent {
    rate: f32,
}

impl UpdateRule<0> for Descent {
    #[inline(always)]
    fn update<F: Float>(&self, parameter: F, gradient: F, []: [F; 0]) -> (F, [F; 0]) {
        (parameter - F::from_f32(self.rate) * gradient, [])
    }
}

#[derive(Clone, Copy)]
struct Momentum {
    rate: f32,
    momentum: f32,
    nesterov: bool,
}

impl UpdateRule<1> for Momentum {
    #[inline(always)]
    fn update<F: Float>(&self, parameter: F, gradient: F, [velocity]: [F; 1]) -> (F, [F; 1]) {
        let (rate, momentum) = (F::from_f32(self.rate), F::from_f32(self.momentum));
        let velocity = momentum * velocity - rate * gradient;
        let change = if self.nesterov {
            momentum * velocity - rate * gradient
        } else {
            velocity
        };
        (parameter + change, [velocity])
    }
}
