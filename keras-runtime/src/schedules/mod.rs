//! Learning rates that change while training: one file each, with its formula.
//!
//! An optimizer takes a schedule where it takes a number, and asks it for each step:
//! `Adam::new(ExponentialDecay::new(0.01, 1000, 0.96))`. A schedule of your own is an implementation
//! of [`Schedule`], or a closure: `SGD::new(|step: u64| 0.1 / (1.0 + step as f32))`.

mod cosine_decay;
mod cosine_decay_restarts;
mod exponential_decay;
mod inverse_time_decay;
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

use crate::error::{Error, Result};

/// A learning rate that depends on the step.
pub trait Schedule: Send + Sync {
    /// The learning rate after `step` steps: the first one is taken with that at 0.
    fn at(&self, step: u64) -> f32;

    /// Whether its arguments are valid.
    ///
    /// # Errors
    /// With Keras' sentence, if they are not.
    fn check(&self) -> Result<()> {
        Ok(())
    }
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
