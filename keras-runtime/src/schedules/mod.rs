//! Learning rates that change while training: one file each, with its formula.
//!
//! An optimizer takes a schedule where it takes a number, and asks it for each step:
//! `Adam::new(ExponentialDecay::new(0.01, 1000, 0.96))`. A schedule of your own is an implementation
//! of [`Schedule`], or a closure: `SGD::new(|step: u64| 0.1 / (1.0 + step as f32))`.

mod cosine_decay;
mod cosine_decay_restarts;
mod exponential_decay;
mod inverse_time_decay;
mod periods;
mod piecewise_constant_decay;
mod polynomial_decay;

pub use cosine_decay::CosineDecay;
pub use cosine_decay_restarts::CosineDecayRestarts;
pub use exponential_decay::ExponentialDecay;
pub use inverse_time_decay::InverseTimeDecay;
pub use piecewise_constant_decay::PiecewiseConstantDecay;
pub use polynomial_decay::PolynomialDecay;

use std::fmt;
use std::sync::Arc;

use crate::config::{Argument, Arguments, Config, Json};
use crate::error::{Error, Result};

/// A learning rate that depends on the step.
pub trait Schedule: Send + Sync {
    /// The learning rate after `step` steps: the first one is taken with that at 0.
    fn at(&self, step: u64) -> f32;

    /// Its class and the arguments of its constructor, as Keras' files have them. By default it is a
    /// class of the user's own without arguments.
    fn config(&self) -> Config {
        Config::of_type::<Self>()
    }

    /// Whether its arguments are valid.
    ///
    /// # Errors
    /// With Keras' sentence, if they are not.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// The configuration of a schedule of Keras'.
fn described(class: &str, schedule: &dyn Arguments) -> Config {
    Config::keras("keras.optimizers.schedules", class).arguments(schedule)
}

/// Finds the schedules of Keras' by their classes: each with arguments that the configuration replaces.
macro_rules! catalogue {
    ($($ty:ident($($first:expr),*);)*) => {
        /// The classes of Keras' schedules that there are here.
        pub const CLASSES: &[&str] = &[$(stringify!($ty)),*];

        /// The schedule of a configuration, as `keras.optimizers.schedules.deserialize` finds it.
        ///
        /// # Errors
        /// If there is none, it has no such argument, or a value does not fit.
        pub fn from_config(config: &Config) -> Result<Arc<dyn Schedule>> {
            match config.class_name.as_str() {
                $(stringify!($ty) => {
                    let mut schedule = $ty::new($($first),*);
                    for (name, value) in config.config.iter() {
                        // Its name means nothing to training.
                        if name != "name" && !schedule.read(name, value)? {
                            return Err(config.unexpected(name));
                        }
                    }
                    schedule.check()?;
                    Ok(Arc::new(schedule))
                })*
                class => Err(Error::unknown("learning rate schedule", class, CLASSES)),
            }
        }
    };
}

catalogue! {
    CosineDecay(0.0, 1);
    CosineDecayRestarts(0.0, 1);
    ExponentialDecay(0.0, 1, 1.0);
    InverseTimeDecay(0.0, 1, 1.0);
    PiecewiseConstantDecay([], []);
    PolynomialDecay(0.0, 1);
}

impl<F: Fn(u64) -> f32 + Send + Sync> Schedule for F {
    fn at(&self, step: u64) -> f32 {
        self(step)
    }
}

/// The learning rate of an optimizer: a number, or a schedule.
#[derive(Clone)]
pub enum LearningRate {
    /// The same in each step, until it is changed.
    Constant(f32),
    /// A function of the step.
    Schedule(Arc<dyn Schedule>),
}

impl LearningRate {
    /// The learning rate after `step` steps.
    pub fn at(&self, step: u64) -> f32 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Schedule(schedule) => schedule.at(step),
        }
    }

    /// Whether its arguments are valid.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Constant(_) => Ok(()),
            Self::Schedule(schedule) => schedule.check(),
        }
    }
}

impl Argument for LearningRate {
    const EXPECTED: &'static str = "a number or a schedule";

    /// Keras keeps the number as a variable of 32 bits, and writes all of its digits.
    fn to_json(&self) -> Json {
        match self {
            Self::Constant(rate) => Json::Float((*rate).into()),
            Self::Schedule(schedule) => schedule.config().to_json(),
        }
    }

    fn from_json(json: &Json) -> Result<Option<Self>> {
        match json {
            Json::Object(_) => {
                let config = Config::from_json(json)?;
                from_config(&config).map(|schedule| Some(Self::Schedule(schedule)))
            }
            _ => Ok(f32::from_json(json)?.map(Self::Constant)),
        }
    }
}

impl fmt::Debug for LearningRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(rate) => write!(f, "{rate}"),
            Self::Schedule(schedule) => write!(f, "{} at first", schedule.at(0)),
        }
    }
}

impl From<f32> for LearningRate {
    fn from(rate: f32) -> Self {
        Self::Constant(rate)
    }
}

impl From<f64> for LearningRate {
    fn from(rate: f64) -> Self {
        Self::Constant(rate as f32)
    }
}

impl<S: Schedule + 'static> From<S> for LearningRate {
    fn from(schedule: S) -> Self {
        Self::Schedule(Arc::new(schedule))
    }
}

/// Whether an argument that counts steps is above 0.
fn check_steps(name: &str, steps: u64) -> Result<()> {
    if steps > 0 {
        return Ok(());
    }
    Err(Error::value(format!(
        "Argument `{name}` must be > 0. Received: {name}={steps}"
    )))
}
