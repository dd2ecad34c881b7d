//! With `p = -learning_rate_power`, `a' = a + g²` and `s = 2 · l2_shrinkage_regularization_strength`:
//! `z += g + s · w - (a'ᵖ - aᵖ) / learning_rate · w`,
//! `w = (clip(z, ±l1) - z) / (a'ᵖ / learning_rate + 2 · l2 + beta / learning_rate)`, `a = a'`.

use super::{Optimizer, Settings, Slot, SlotStart, Step};
use crate::config::arguments;
use crate::device::{Device, Float, UpdateRule};
use crate::error::{Error, Result};
use crate::schedules::LearningRate;

/// Follow the regularized leader, for large sparse models (McMahan et al., 2013):
/// `keras.optimizers.Ftrl`.
#[derive(Clone, Debug)]
pub struct Ftrl {
    pub(super) settings: Settings,
    learning_rate_power: f32,
    initial_accumulator_value: f32,
    l1_regularization_strength: f32,
    l2_regularization_strength: f32,
    l2_shrinkage_regularization_strength: f32,
    beta: f32,
}

impl Ftrl {
    /// The optimizer with Keras' defaults. Keras' default learning rate is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            settings: Settings::new(learning_rate),
            learning_rate_power: -0.5,
            initial_accumulator_value: 0.1,
            l1_regularization_strength: 0.0,
            l2_regularization_strength: 0.0,
            l2_shrinkage_regularization_strength: 0.0,
            beta: 0.0,
        }
    }

    /// How the learning rate falls with the sum of the squares: 0 or less, -0.5 by default; 0 keeps
    /// it as it is.
    #[must_use]
    pub fn learning_rate_power(mut self, power: f32) -> Self {
        self.learning_rate_power = power;
        self
    }

    /// What the sums of the squares begin with; 0.1 by default.
    #[must_use]
    pub fn initial_accumulator_value(mut self, value: f32) -> Self {
        self.initial_accumulator_value = value;
        self
    }

    /// The strength of the L1 regularization; 0 by default.
    #[must_use]
    pub fn l1_regularization_strength(mut self, strength: f32) -> Self {
        self.l1_regularization_strength = strength;
        self
    }

    /// The strength of the L2 regularization; 0 by default.
    #[must_use]
    pub fn l2_regularization_strength(mut self, strength: f32) -> Self {
        self.l2_regularization_strength = strength;
        self
    }

    /// The strength of an L2 regularization that acts on the size of the steps; 0 by default.
    #[must_use]
    pub fn l2_shrinkage_regularization_strength(mut self, strength: f32) -> Self {
        self.l2_shrinkage_regularization_strength = strength;
        self
    }

    /// The beta of the paper; 0 by default.
    #[must_use]
    pub fn beta(mut self, beta: f32) -> Self {
        self.beta = beta;
        self
    }
}

arguments!(Ftrl {
    "learning_rate_power": learning_rate_power,
    "initial_accumulator_value": initial_accumulator_value,
    "l1_regularization_strength": l1_regularization_strength,
    "l2_regularization_strength": l2_regularization_strength,
    "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
    "beta": beta,
});

impl<D: Device> Optimizer<D> for Ftrl {
    fn check(&self) -> Result<()> {
        let (l1, l2) = (
            self.l1_regularization_strength,
            self.l2_regularization_strength,
        );
        let positive = [
            ("initial_accumulator_value", self.initial_accumulator_value),
            ("l1_regularization_strength", l1),
            ("l2_regularization_strength", l2),
            (
                "l2_shrinkage_regularization_strength",
                self.l2_shrinkage_regularization_strength,
            ),
        ];
        if self.learning_rate_power > 0.0 {
            return Err(Error::value(format!(
                "`learning_rate_power` needs to be negative or zero. Received: \
                 learning_rate_power={}.",
                self.learning_rate_power
            )));
        }
        match positive.iter().find(|(_, value)| *value < 0.0) {
            None => Ok(()),
            Some((name, value)) => Err(Error::value(format!(
                "`{name}` needs to be positive or zero. Received: {name}={value}."
            ))),
        }
    }

    fn slots(&self) -> Vec<Slot> {
        let start = SlotStart::Constant(self.initial_accumulator_value);
        vec![Slot::new("accumulator").start(start), Slot::new("linear")]
    }

    fn update(&self, mut step: Step<'_, D>) {
        let l2 = self.l2_regularization_strength + self.beta / (2.0 * step.learning_rate);
        step.apply(Rule {
            rate: step.learning_rate,
            power: -self.learning_rate_power,
            l1: self.l1_regularization_strength,
            twice_l2: 2.0 * l2,
            shrinkage: 2.0 * self.l2_shrinkage_regularization_strength,
        });
    }
}

#[derive(Clone, Copy)]
struct Rule {
    rate: f32,
    power: f32,
    l1: f32,
    twice_l2: f32,
    shrinkage: f32,
}

impl UpdateRule<2> for Rule {
    #[inline(always)]
    fn update<F: Float>(&self, parameter: F, gradient: F, [sum, linear]: [F; 2]) -> (F, [F; 2]) {
        let (rate, l1) = (F::from_f32(self.rate), F::from_f32(self.l1));
        // The default power is a root.
        let power = |value: F| {
            if self.power == 0.5 {
                value.sqrt()
            } else {
                value.powf(F::from_f32(self.power))
            }
        };
        let new_sum = sum + gradient * gradient;
        let shrunk = gradient + F::from_f32(self.shrinkage) * parameter;
        let linear = linear + shrunk - (power(new_sum) - power(sum)) / rate * parameter;
        let quadratic = power(new_sum) / rate + F::from_f32(self.twice_l2);
        let upper = if linear > l1 { l1 } else { linear };
        let clipped = if upper < -l1 { -l1 } else { upper };
        ((clipped - linear) / quadratic, [new_sum, linear])
    }
}
