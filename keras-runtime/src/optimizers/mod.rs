//! Optimizers: one file each, with its formula and its update rule.

mod adam;
mod rmsprop;
mod sgd;

pub use adam::{Adam, AdamW};
pub use rmsprop::RMSprop;
pub use sgd::SGD;

use std::ops::Range;

use crate::device::on_hosts;
use crate::device::{Device, Float, UpdateRule};
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

impl<D: Device> Step<'_, D> {
    /// Takes away the decay of the weights and applies a rule, in one pass over what is trained.
    pub(crate) fn apply<const N: usize, R: UpdateRule<N>>(self, settings: &Settings, rule: R) {
        // The model has made as many slots as the optimizer asked for.
        let Ok(slots) = <&mut [D::Buffer; N]>::try_from(self.slots) else {
            return;
        };
        let rule = Decayed {
            rule,
            decay: settings.weight_decay,
            rate: settings.learning_rate,
        };
        for range in self.ranges {
            let slots = slots
                .each_mut()
                .map(|slot| D::slice_mut(slot, range.clone()));
            let params = D::slice_mut(self.params, range.clone());
            let grads = D::slice(self.grads, range.clone());
            self.device.update(rule, params, grads, slots);
        }
    }
}

/// What every optimizer can be told: its builder methods are made by [`catalogue!`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    learning_rate: f32,
    weight_decay: f32,
}

impl Settings {
    pub const fn new(learning_rate: f32) -> Self {
        Self {
            learning_rate,
            weight_decay: 0.0,
        }
    }
}

/// `1 - kept`, of the decimal number that was written: 1 - 0.999 is 0.001 in Keras, where Python
/// computes it, but 0.00099998713 in `f32`.
pub(crate) fn one_minus(kept: f32) -> f32 {
    let decimal = (f64::from(kept) * 1e7).round() / 1e7;
    (1.0 - decimal) as f32
}

/// `w -= w · weight_decay · learning_rate`, and then a rule.
#[derive(Clone, Copy)]
struct Decayed<R> {
    rule: R,
    decay: f32,
    rate: f32,
}

impl<const N: usize, R: UpdateRule<N>> UpdateRule<N> for Decayed<R> {
    #[inline(always)]
    fn update<F: Float>(&self, parameter: F, gradient: F, slots: [F; N]) -> (F, [F; N]) {
        let decayed = parameter - parameter * F::from_f32(self.decay) * F::from_f32(self.rate);
        self.rule.update(decayed, gradient, slots)
    }
}

/// How gradients change weights.
///
/// The values it remembers ("slots") live on the device and belong to the model, so that they can
/// be saved with it.
pub trait Optimizer<D: Device>: Send + Sync {
    /// Its name, such as `sgd`.
    fn name(&self) -> &str;
    /// Whether its arguments are valid.
    ///
    /// # Errors
    /// With Keras' sentence, if they are not.
    fn check(&self) -> Result<()> {
        Ok(())
    }
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an optimizer",
    label = "expected an optimizer such as `Adam::new(0.001)`, or its name in Keras"
)]
pub trait IntoOptimizer<D: Device> {
    /// The optimizer.
    ///
    /// # Errors
    /// If there is no optimizer of this name.
    fn into_optimizer(self) -> Result<Box<dyn Optimizer<D>>>;
}

impl<D: OptimizerCatalogue> IntoOptimizer<D> for &str {
    fn into_optimizer(self) -> Result<Box<dyn Optimizer<D>>> {
        by_name(self)
    }
}

/// The optimizers of a device by their names. Implemented for each device and not for all at once, so
/// that they are compiled in this crate and not in every crate that names one.
pub trait OptimizerCatalogue: Device {
    /// See [`by_name`].
    ///
    /// # Errors
    /// If there is none; the message suggests the nearest.
    fn optimizer(name: &str) -> Result<Box<dyn Optimizer<Self>>>;
}

on_hosts! {
    impl OptimizerCatalogue {
        fn optimizer(name: &str) -> Result<Box<dyn Optimizer<Self>>> {
            find(name)
        }
    }
}

/// Lists the optimizers with the names Keras knows them by, in lower case, and gives each the builder
/// methods that all optimizers have.
macro_rules! catalogue {
    ($($ty:ident: $name:literal, $default:expr;)*) => {
        $(impl $ty {
            /// How much of every weight, times the learning rate, is taken away in each step.
            #[must_use]
            pub const fn weight_decay(mut self, weight_decay: f32) -> Self {
                self.settings.weight_decay = weight_decay;
                self
            }
        }

        impl<D: Device> IntoOptimizer<D> for $ty {
            fn into_optimizer(self) -> Result<Box<dyn Optimizer<D>>> {
                Optimizer::<D>::check(&self)?;
                Ok(Box::new(self))
            }
        })*

        /// The optimizer of a name with its defaults, as `keras.optimizers.get` finds it.
        ///
        /// # Errors
        /// If there is none; the message suggests the nearest.
        pub fn by_name<D: OptimizerCatalogue>(name: &str) -> Result<Box<dyn Optimizer<D>>> {
            D::optimizer(name)
        }

        fn find<D: Device>(name: &str) -> Result<Box<dyn Optimizer<D>>> {
            match name.to_lowercase().as_str() {
                $($name => Ok(Box::new($default)),)*
                _ => Err(Error::unknown("optimizer", name, &[$($name),*])),
            }
        }
    };
}

catalogue! {
    SGD: "sgd", SGD::new(0.01);
    RMSprop: "rmsprop", RMSprop::new(0.001);
    Adam: "adam", Adam::new(0.001);
    AdamW: "adamw", AdamW::new(0.001);
}
