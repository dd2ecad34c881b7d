//! Schedules that depend on how many periods of `decay_steps` have passed: on whole ones, if they are
//! staircases.

/// Defines such a schedule: its documentation, that of `new`, and the learning rate after so many periods.
macro_rules! periodic {
    (
        $(#[$meta:meta])* $ty:ident;
        $(#[$new:meta])* new;
        |$initial:ident, $decay_rate:ident, $periods:ident| $rate:expr
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        pub struct $ty {
            initial_learning_rate: f32,
            decay_steps: u64,
            decay_rate: f32,
            staircase: bool,
        }

        impl $ty {
            $(#[$new])*
            pub const fn new(initial_learning_rate: f32, decay_steps: u64, decay_rate: f32) -> Self {
                Self {
                    initial_learning_rate,
                    decay_steps,
                    decay_rate,
                    staircase: false,
                }
            }

            /// Whether it falls once after every `decay_steps`, and not a little in each step.
            #[must_use]
            pub const fn staircase(mut self, staircase: bool) -> Self {
                self.staircase = staircase;
                self
            }
        }

        $crate::config::arguments!($ty {
            "initial_learning_rate": initial_learning_rate,
            "decay_steps": decay_steps,
            "decay_rate": decay_rate,
            "staircase": staircase,
            "name" = stringify!($ty),
        });

        impl $crate::schedules::Schedule for $ty {
            fn config(&self) -> $crate::config::Config {
                $crate::schedules::described(stringify!($ty), self)
            }

            fn at(&self, step: u64) -> f32 {
                let ($initial, $decay_rate) = (self.initial_learning_rate, self.decay_rate);
                let $periods = step as f32 / self.decay_steps as f32;
                let $periods = if self.staircase { $periods.floor() } else { $periods };
                $rate
            }

            fn check(&self) -> $crate::Result<()> {
                $crate::schedules::check_steps("decay_steps", self.decay_steps)
            }
        }
    };
}
pub(super) use periodic;
