//! `m += (1 - beta_1)(g - m)`, `v += (1 - beta_2)(g² - v)`, `w -= alpha · m / (√v + epsilon)` with
//! `alpha = learning_rate · √(1 - beta_2ᵗ) / (1 - beta_1ᵗ)` in step t.

use super::moments::{Moments, moment_arguments};
use super::{Optimizer, Settings, Slot, Step, one_minus};
use crate::config::arguments;
use crate::device::{Device, Float, UpdateRule};
use crate::schedules::LearningRate;

/// Defines an optimizer of this rule: they differ in their name and their default weight decay.
macro_rules! adam {
    ($(#[$meta:meta])* $ty:ident, $weight_decay:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $ty {
            pub(super) settings: Settings,
            moments: Moments,
            amsgrad: bool,
        }

        impl $ty {
            /// The optimizer with Keras' defaults. Keras' default learning rate is 0.001.
            pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
                Self {
                    settings: Settings {
                        weight_decay: $weight_decay,
                        ..Settings::new(learning_rate)
                    },
                    moments: Moments::DEFAULT,
                    amsgrad: false,
                }
            }

            moment_arguments!(
                "How much of the mean of the gradients is kept in each step; 0.9 by default.",
                "How much of the mean of their squares is kept in each step; 0.999 by default.",
                "What keeps the divisor from 0, beside the root and not corrected for the first steps; 1e-7 by default."
            );

            /// Whether the divisor is the largest so far (Reddi et al., 2018).
            #[must_use]
            pub fn amsgrad(mut self, amsgrad: bool) -> Self {
                self.amsgrad = amsgrad;
                self
            }
        }

        arguments!($ty {
            "beta_1": moments.beta_1,
            "beta_2": moments.beta_2,
            "epsilon": moments.epsilon,
            "amsgrad": amsgrad,
        });

        impl<D: Device> Optimizer<D> for $ty {
            fn slots(&self) -> Vec<Slot> {
                let mut slots = vec![Slot::new("momentum"), Slot::new("velocity")];
                if self.amsgrad {
                    slots.push(Slot::new("velocity_hat").block(1));
                }
                slots
            }

            fn update(&self, mut step: Step<'_, D>) {
                let rule = self.moments.rule(step.learning_rate, step.iteration);
                if self.amsgrad {
                    step.apply::<3, _>(rule);
                } else {
                    step.apply::<2, _>(rule);
                }
            }
        }
    };
}

adam! {
    /// Gradients' running mean over the root of the running mean of their squares (Kingma and Ba,
    /// 2014): `keras.optimizers.Adam`.
    Adam, None
}

adam! {
    /// [`Adam`] with a weight decay (Loshchilov and Hutter, 2019), 0.004 by default:
    /// `keras.optimizers.AdamW`.
    AdamW, Some(0.004)
}

impl Moments {
    /// The rule of a step. The powers lose digits in f32; Keras loses the same.
    pub fn rule(&self, learning_rate: f32, iteration: u64) -> Rule {
        let [bias_1, bias_2] =
            [self.beta_1, self.beta_2].map(|beta| 1.0 - beta.powf(iteration as f32));
        Rule {
            alpha: learning_rate * bias_2.sqrt() / bias_1,
            new_1: one_minus(self.beta_1),
            new_2: one_minus(self.beta_2),
            epsilon: self.epsilon,
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Rule {
    alpha: f32,
    new_1: f32,
    new_2: f32,
    epsilon: f32,
}

impl Rule {
    /// The moments after a gradient.
    #[inline(always)]
    fn moments<F: Float>(&self, gradient: F, momentum: F, velocity: F) -> (F, F) {
        let (new_1, new_2) = (F::from_f32(self.new_1), F::from_f32(self.new_2));
        (
            momentum + (gradient - momentum) * new_1,
            velocity + (gradient * gradient - velocity) * new_2,
        )
    }

    /// What is taken from a parameter.
    #[inline(always)]
    fn change<F: Float>(&self, momentum: F, velocity: F) -> F {
        momentum * F::from_f32(self.alpha) / (velocity.sqrt() + F::from_f32(self.epsilon))
    }
}

impl UpdateRule<2> for Rule {
    #[inline(always)]
    fn update<F: Float>(
        &self,
        parameter: F,
        gradient: F,
        [momentum, velocity]: [F; 2],
    ) -> (F, [F; 2]) {
        let (momentum, velocity) = self.moments(gradient, momentum, velocity);
        let parameter = parameter - self.change(momentum, velocity);
        (parameter, [momentum, velocity])
    }
}

/// With the largest velocity so far.
impl UpdateRule<3> for Rule {
    #[inline(always)]
    fn update<F: Float>(
        &self,
        parameter: F,
        gradient: F,
        [momentum, velocity, largest]: [F; 3],
    ) -> (F, [F; 3]) {
        let (momentum, velocity) = self.moments(gradient, momentum, velocity);
        let largest = if velocity > largest {
            velocity
        } else {
            largest
        };
        let parameter = parameter - self.change(momentum, largest);
        (parameter, [momentum, velocity, largest])
    }
}
