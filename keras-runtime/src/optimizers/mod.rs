//! Optimizers: one file each, with its formula and its update rule.

mod sgd;

pub use sgd::SGD;

use std::ops::Range;

use crate::device::Device;
use crate::error::{Error, Result};

/// What an optimizer changes in one step.
pub struct Step<'a, D: Device> {
    /// The device.
    pub device: &'a D,
    /// All trained weights of the model.
    pub params: &'a mut D::Buffer,
    /// Their gradients.
    pub grads: &'a D::Buffer,
    /// One buffer as long as `params` for each value the optimizer remembers of a parameter.
    pub slots: &'a mut [D::Buffer],
    /// The parts of `params` that are trained: everything but frozen layers.
    pub ranges: &'a [Range<usize>],
    /// The number of this step, from 1.
    pub iteration: u64,
}

/// How gradients change weights.
///
/// The values it remembers ("slots") live on the device and belong to the model, so that they can
/// be saved with it.
pub trait Optimizer<D: Device>: Send + Sync {
    /// Its name, such as `sgd`.
    fn name(&self) -> &str;
    /// The step size.
    fn learning_rate(&self) -> f32;
    /// Changes the step size.
    fn set_learning_rate(&mut self, learning_rate: f32);
    /// How many values it remembers for each parameter.
    fn slots(&self) -> usize {
        0
    }
    /// Changes the weights by their gradients.
    fn step(&self, step: Step<'_, D>);
}

/// What [`Compile::new`](crate::model::Compile::new) takes as an optimizer: an object or a name.
pub trait IntoOptimizer<D: Device> {
    /// The optimizer.
    ///
    /// # Errors
    /// If there is no optimizer of this name.
    fn into_optimizer(self) -> Result<Box<dyn Optimizer<D>>>;
}

impl<D: Device> IntoOptimizer<D> for &str {
    fn into_optimizer(self) -> Result<Box<dyn Optimizer<D>>> {
        by_name(self)
    }
}

/// Lists the optimizers with the names Keras knows them by, in lower case.
macro_rules! catalogue {
    ($($ty:ident: $name:literal, $default:expr;)*) => {
        $(impl<D: Device> IntoOptimizer<D> for $ty {
            fn into_optimizer(self) -> Result<Box<dyn Optimizer<D>>> {
                Ok(Box::new(self))
            }
        })*

        /// The optimizer of a name with its defaults, as `keras.optimizers.get` finds it.
        ///
        /// # Errors
        /// If there is none; the message suggests the nearest.
        pub fn by_name<D: Device>(name: &str) -> Result<Box<dyn Optimizer<D>>> {
            match name.to_lowercase().as_str() {
                $($name => Ok(Box::new($default)),)*
                _ => Err(Error::unknown("optimizer", name, &[$($name),*])),
            }
        }
    };
}

catalogue! {
    SGD: "sgd", SGD::new(0.01);
}
