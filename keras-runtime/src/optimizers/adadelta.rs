//! `a = rho · a + (1 - rho) · g²`, `d = g · √(b + epsilon) / √(a + epsilon)`,
//! `b = rho · b + (1 - rho) · d²`, `w -= learning_rate · d`.

use super::{Optimizer, Settings, Slot, Step, one_minus};
use crate::config::arguments;
use crate::device::{Device, Float, UpdateRule};
use crate::schedules::LearningRate;

/// Gradients over their running root mean square, times that of the changes before them (Zeiler,
/// 2012): `keras.optimizers.Adadelta`. The original has a learning rate of 1.
#[derive(Clone, Debug)]
pub struct Adadelta {
    pub(super) settings: Settings,
    rho: f32,
    epsilon: f32,
}

impl Adadelta {
    /// The optimizer with Keras' defaults. Keras' default learning rate is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            settings: Settings::new(learning_rate),
            rho: 0.95,
            epsilon: 1e-7,
        }
    }

    /// How much of the running means is kept in each step; 0.95 by default.
    #[must_use]
    pub fn rho(mut self, rho: f32) -> Self {
        self.rho = rho;
        self
    }

    /// What keeps the divisor from 0, inside the roots; 1e-7 by default.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f32) -> Self {
        self.epsilon = epsilon;
        self
    }
}

arguments!(Adadelta {
    "rho": rho,
    "epsilon": epsilon,
});

impl<D: Device> Optimizer<D> for Adadelta {
    fn slots(&self) -> Vec<Slot> {
        vec![
            Slot::new("accumulated_grad"),
            Slot::new("accumulated_delta_var"),
        ]
    }

    fn update(&self, mut step: Step<'_, D>) {
        step.apply(Rule {
            rate: step.learning_rate,
            rho: self.rho,
            new: one_minus(self.rho),
            epsilon: self.epsilon,
        });
    }
}

#[derive(Clone, Copy)]
struct Rule {
    rate: f32,
    rho: f32,
    new: f32,
    epsilon: f32,
}

impl UpdateRule<2> for Rule {
    #[inline(always)]
    fn update<F: Float>(
        &self,
        parameter: F,
        gradient: F,
        [gradients, changes]: [F; 2],
    ) -> (F, [F; 2]) {
        let (rho, new) = (F::from_f32(self.rho), F::from_f32(self.new));
        let root = |mean: F| (mean + F::from_f32(self.epsilon)).sqrt();
        let gradients = rho * gradients + new * gradient * gradient;
        let change = root(changes) * gradient / root(gradients);
        let changes = rho * changes + new * change * change;
        (
            parameter - F::from_f32(self.rate) * change,
            [gradients, changes],
        )
    }
}
