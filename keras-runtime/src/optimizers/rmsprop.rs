//! `v = rho · v + (1 - rho) · g²`, `w -= learning_rate · g / √(v + epsilon)`.

use super::{Optimizer, Settings, Slot, Step, one_minus};
use crate::config::arguments;
use crate::device::{Device, Float, UpdateRule};
use crate::schedules::LearningRate;

/// Gradients over the root of the running mean of their squares: `keras.optimizers.RMSprop`.
#[derive(Clone, Debug)]
pub struct RMSprop {
    pub(super) settings: Settings,
    rho: f32,
    momentum: f32,
    epsilon: f32,
    centered: bool,
}

impl RMSprop {
    /// The optimizer with Keras' defaults. Keras' default learning rate is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            settings: Settings::new(learning_rate),
            rho: 0.9,
            momentum: 0.0,
            epsilon: 1e-7,
            centered: false,
        }
    }

    /// How much of the running mean is kept in each step; 0.9 by default.
    #[must_use]
    pub fn rho(mut self, rho: f32) -> Self {
        self.rho = rho;
        self
    }

    /// How much of the last change is made again; 0 by default.
    #[must_use]
    pub fn momentum(mut self, momentum: f32) -> Self {
        self.momentum = momentum;
        self
    }

    /// What keeps the divisor from 0, inside the root; 1e-7 by default.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f32) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Whether gradients are divided by their running standard deviation, not by the root of the
    /// mean of their squares.
    #[must_use]
    pub fn centered(mut self, centered: bool) -> Self {
        self.centered = centered;
        self
    }
}

arguments!(RMSprop {
    "rho": rho,
    "momentum": momentum,
    "epsilon": epsilon,
    "centered": centered,
});

impl<D: Device> Optimizer<D> for RMSprop {
    fn slots(&self) -> Vec<Slot> {
        let momentum = (self.momentum > 0.0).then_some(Slot::new("momentum").block(1));
        let average = self
            .centered
            .then_some(Slot::new("average_gradient").block(2));
        [Some(Slot::new("velocity")), momentum, average]
            .into_iter()
            .flatten()
            .collect()
    }

    fn update(&self, mut step: Step<'_, D>) {
        let rule = Rule {
            rate: step.learning_rate,
            rho: self.rho,
            new: one_minus(self.rho),
            momentum: self.momentum,
            epsilon: self.epsilon,
            centered: self.centered,
        };
        match step.slots.len() {
            1 => step.apply::<1, _>(rule),
            2 => step.apply::<2, _>(rule),
            _ => step.apply::<3, _>(rule),
        }
    }
}

#[derive(Clone, Copy)]
struct Rule {
    rate: f32,
    rho: f32,
    new: f32,
    momentum: f32,
    epsilon: f32,
    centered: bool,
}

/// With all three slots; those that an optimizer does without are 0 and change nothing.
impl UpdateRule<3> for Rule {
    #[inline(always)]
    fn update<F: Float>(
        &self,
        parameter: F,
        gradient: F,
        [velocity, momentum, average]: [F; 3],
    ) -> (F, [F; 3]) {
        let (rho, new) = (F::from_f32(self.rho), F::from_f32(self.new));
        let velocity = rho * velocity + new * gradient * gradient;
        let average = rho * average + new * gradient;
        let variance = if self.centered {
            velocity - average * average
        } else {
            velocity
        };
        let divisor = (variance + F::from_f32(self.epsilon)).sqrt();
        let increment = F::from_f32(self.rate) * gradient / divisor;
        let momentum = F::from_f32(self.momentum) * momentum + increment;
        (parameter - momentum, [velocity, momentum, average])
    }
}

impl UpdateRule<2> for Rule {
    #[inline(always)]
    fn update<F: Float>(
        &self,
        parameter: F,
        gradient: F,
        [velocity, other]: [F; 2],
    ) -> (F, [F; 2]) {
        let slots = if self.centered {
            [velocity, F::zero(), other]
        } else {
            [velocity, other, F::zero()]
        };
        let (parameter, [velocity, momentum, average]) = self.update(parameter, gradient, slots);
        let other = if self.centered { average } else { momentum };
        (parameter, [velocity, other])
    }
}

impl UpdateRule<1> for Rule {
    #[inline(always)]
    fn update<F: Float>(&self, parameter: F, gradient: F, [velocity]: [F; 1]) -> (F, [F; 1]) {
        let slots = [velocity, F::zero(), F::zero()];
        let (parameter, [velocity, ..]) = self.update(parameter, gradient, slots);
        (parameter, [velocity])
    }
}
