//! `a += g²`, `w -= learning_rate · g / √(a + epsilon)`.

use super::{Optimizer, Settings, Slot, SlotStart, Step};
use crate::config::arguments;
use crate::device::{Device, Float, UpdateRule};
use crate::schedules::LearningRate;

/// Gradients over the root of the sum of their squares, so that what changes often changes less
/// (Duchi et al., 2011): `keras.optimizers.Adagrad`.
#[derive(Clone, Debug)]
pub struct Adagrad {
    pub(super) settings: Settings,
    initial_accumulator_value: f32,
    epsilon: f32,
}

impl Adagrad {
    /// The optimizer with Keras' defaults. Keras' default learning rate is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            settings: Settings::new(learning_rate),
            initial_accumulator_value: 0.1,
            epsilon: 1e-7,
        }
    }

    /// What the sums begin with; 0.1 by default.
    #[must_use]
    pub fn initial_accumulator_value(mut self, value: f32) -> Self {
        self.initial_accumulator_value = value;
        self
    }

    /// What keeps the divisor from 0, inside the root; 1e-7 by default.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f32) -> Self {
        self.epsilon = epsilon;
        self
    }
}

arguments!(Adagrad {
    "initial_accumulator_value": initial_accumulator_value,
    "epsilon": epsilon,
});

impl<D: Device> Optimizer<D> for Adagrad {
    fn slots(&self) -> Vec<Slot> {
        let start = SlotStart::Constant(self.initial_accumulator_value);
        vec![Slot::new("accumulator").start(start)]
    }

    fn update(&self, mut step: Step<'_, D>) {
        step.apply(Rule {
            rate: step.learning_rate,
            epsilon: self.epsilon,
        });
    }
}

#[derive(Clone, Copy)]
struct Rule {
    rate: f32,
    epsilon: f32,
}

impl UpdateRule<1> for Rule {
    #[inline(always)]
    fn update<F: Float>(&self, parameter: F, gradient: F, [sum]: [F; 1]) -> (F, [F; 1]) {
        let sum = sum + gradient * gradient;
        let divisor = (sum + F::from_f32(self.epsilon)).sqrt();
        (
            parameter - F::from_f32(self.rate) * gradient / divisor,
            [sum],
        )
    }
}
