//! `w -= learning_rate · g`, with momentum `v = momentum · v - learning_rate · g`, `w += v`.

use super::{Optimizer, Settings, Slot, Step};
use crate::config::arguments;
use crate::device::{Device, Float, UpdateRule};
use crate::error::{Error, Result};
use crate::schedules::LearningRate;

/// Gradient descent: `keras.optimizers.SGD`.
#[derive(Clone, Debug)]
pub struct SGD {
    pub(super) settings: Settings,
    momentum: f32,
    nesterov: bool,
}

impl SGD {
    /// Plain gradient descent. Keras' default learning rate is 0.01.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            settings: Settings::new(learning_rate),
            momentum: 0.0,
            nesterov: false,
        }
    }

    /// How much of the last step is taken again: 0 to 1, 0 by default.
    #[must_use]
    pub fn momentum(mut self, momentum: f32) -> Self {
        self.momentum = momentum;
        self
    }

    /// Whether the gradient is taken as if after the momentum's step (Nesterov, 1983).
    #[must_use]
    pub fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }
}

arguments!(SGD {
    "momentum": momentum,
    "nesterov": nesterov,
});

impl<D: Device> Optimizer<D> for SGD {
    fn check(&self) -> Result<()> {
        if (0.0..=1.0).contains(&self.momentum) {
            return Ok(());
        }
        Err(Error::value(format!(
            "`momentum` must be a float between [0, 1]. Received: momentum={}",
            self.momentum
        )))
    }

    fn slots(&self) -> Vec<Slot> {
        if self.momentum == 0.0 {
            return Vec::new();
        }
        vec![Slot::new("momentum")]
    }

    fn update(&self, mut step: Step<'_, D>) {
        let rate = step.learning_rate;
        if self.momentum == 0.0 {
            return step.apply(Descent { rate });
        }
        step.apply(Momentum {
            rate,
            momentum: self.momentum,
            nesterov: self.nesterov,
        });
    }
}

/// `w -= rate · g`.
#[derive(Clone, Copy)]
pub(super) struct Descent {
    pub rate: f32,
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
