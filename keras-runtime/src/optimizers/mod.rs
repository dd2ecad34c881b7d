//! Optimizers: one file each, with its formula and its update rule.
//!
//! An optimizer is its arguments and a rule. Gradient clipping, accumulation, weight decay and moving
//! averages are the same for all of them: [`Settings`] has their arguments, [`State`] does them.

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod ftrl;
mod lamb;
mod lion;
mod loss_scale_optimizer;
mod moments;
mod multi_optimizer;
mod muon;
mod nadam;
mod pattern;
mod rmsprop;
mod schedule_free_adamw;
mod settings;
mod sgd;
mod state;
mod step;

pub use adadelta::Adadelta;
pub use adafactor::Adafactor;
pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use adamax::Adamax;
pub use ftrl::Ftrl;
pub use lamb::Lamb;
pub use lion::Lion;
pub use loss_scale_optimizer::LossScaleOptimizer;
pub use multi_optimizer::{MultiOptimizer, OptimizerMap};
pub use muon::Muon;
pub use nadam::Nadam;
pub use rmsprop::RMSprop;
pub use schedule_free_adamw::ScheduleFreeAdamW;
pub use settings::Settings;
pub use sgd::SGD;
pub(crate) use state::Held;
pub use state::{SlotVariable, State};
pub use step::{Step, Variable};

use settings::shared_arguments;
pub(crate) use step::Combine;
use step::{longest, one_minus};

use crate::config::{Arguments, Config, Object};
use crate::device::Device;
use crate::device::on_devices;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// A value that an optimizer remembers of each parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// Its name in Keras, such as `momentum`.
    pub name: &'static str,
    /// What it begins with.
    pub start: SlotStart,
    /// Slots of one block lie side by side for each variable in Keras' files; all of one block come
    /// before those of the next.
    pub block: usize,
}

impl Slot {
    /// A slot that begins with zeros, in the first block.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            start: SlotStart::Zeros,
            block: 0,
        }
    }

    /// The same with another beginning.
    #[must_use]
    pub const fn start(mut self, start: SlotStart) -> Self {
        self.start = start;
        self
    }

    /// The same in another block.
    #[must_use]
    pub const fn block(mut self, block: usize) -> Self {
        self.block = block;
        self
    }
}

/// What a [`Slot`] begins with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SlotStart {
    /// Zeros.
    Zeros,
    /// One number everywhere.
    Constant(f32),
    /// The weights.
    Weights,
}

/// What an optimizer remembers that wraps another one, beside what that one does: the first of its
/// [`scalars`](Optimizer::scalars).
#[derive(Clone, Copy, Debug)]
pub struct Wrapper<'a> {
    /// The name of the optimizer that it wraps.
    pub inner: &'a str,
    /// The names of those that count something.
    pub counts: &'static [&'static str],
    /// The names of the others, which come after them.
    pub scalars: &'static [&'static str],
}

/// The arguments that all optimizers have, of one of them. `catalogue!` implements it for the
/// optimizers of Keras.
pub trait Configured: Send + Sync {
    /// The name of its class, such as `RMSprop`.
    fn class(&self) -> &'static str;
    /// Its name: the one that it was given, or Keras' for the class, such as `rm_sprop`.
    fn name(&self) -> &str;
    /// Its class and the arguments of its constructor, as Keras' files have them. By default it is a
    /// class of the user's own with the shared arguments.
    fn config(&self) -> Config {
        described(Config::own(self.class()), self.name(), self.settings())
    }
    /// Its shared arguments.
    fn settings(&self) -> &Settings;
    /// The same, to change.
    fn settings_mut(&mut self) -> &mut Settings;
    /// Those of one of the optimizers that take its steps, to change.
    fn member_settings_mut(&mut self, at: usize) -> &mut Settings {
        let _ = at;
        self.settings_mut()
    }
}

/// How gradients change weights.
///
/// The values it remembers ("slots") live on the device and belong to the model, so that they can
/// be saved with it.
pub trait Optimizer<D: Device>: Configured {
    /// Whether its arguments are valid.
    ///
    /// # Errors
    /// With Keras' sentence, if they are not.
    fn check(&self) -> Result<()> {
        Ok(())
    }
    /// The values it remembers of each parameter.
    fn slots(&self) -> Vec<Slot> {
        Vec::new()
    }
    /// The shape that Keras gives a slot of a variable; `None` if the variable has none.
    fn slot_shape(&self, slot: usize, variable: &Variable) -> Option<Shape> {
        let _ = slot;
        Some(variable.shape)
    }
    /// What the numbers that it remembers of the whole model begin with.
    fn scalars(&self) -> Vec<f32> {
        Vec::new()
    }
    /// If it wraps another optimizer: what it remembers by itself.
    fn wrapper(&self) -> Option<Wrapper<'_>> {
        None
    }
    /// How much scratch memory a step needs, in numbers.
    fn scratch(&self, variables: &[Variable]) -> usize {
        let _ = variables;
        0
    }
    /// Whether every parameter changes without regard to others.
    fn is_elementwise(&self) -> bool {
        true
    }
    /// The weight decay of a variable.
    fn weight_decay(&self, variable: &Variable) -> f32 {
        let settings = self.settings();
        settings.weight_decay(settings.weight_decay, variable)
    }
    /// What the loss is multiplied with before its gradients are computed.
    fn loss_scale(&self, scalars: &[f32]) -> f32 {
        let _ = scalars;
        self.settings().loss_scale_factor.unwrap_or(1.0)
    }
    /// Looks at the gradients before anything is done with them: whether the step is taken.
    fn accepts(
        &self,
        device: &D,
        grads: &D::Buffer,
        variables: &[Variable],
        scalars: &mut [f32],
    ) -> bool {
        let _ = (device, grads, variables, scalars);
        true
    }
    /// How many optimizers take its steps: one, which is itself, unless it is a [`MultiOptimizer`].
    fn members(&self) -> usize {
        1
    }
    /// One of them, if it is not itself.
    fn member(&self, at: usize) -> Option<&dyn Optimizer<D>> {
        let _ = at;
        None
    }
    /// Which of them changes a variable.
    ///
    /// # Errors
    /// If it is more than one.
    fn member_of(&self, variable: &Variable) -> Result<usize> {
        let _ = variable;
        Ok(0)
    }
    /// Changes the weights by their gradients.
    fn update(&self, step: Step<'_, D>);
}

/// The optimizer that takes the steps of some variables.
pub(crate) fn member<D: Device>(optimizer: &dyn Optimizer<D>, at: usize) -> &dyn Optimizer<D> {
    optimizer.member(at).unwrap_or(optimizer)
}

/// All optimizers that take steps.
pub(crate) fn members<D: Device>(
    optimizer: &dyn Optimizer<D>,
) -> impl Iterator<Item = &dyn Optimizer<D>> {
    (0..optimizer.members()).map(move |at| member(optimizer, at))
}

/// A configuration with the shared arguments of an optimizer.
fn described(config: Config, name: &str, settings: &Settings) -> Config {
    config.arguments(settings).with("name", name.to_owned())
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
    /// If there is no optimizer of this name, or its arguments are not valid.
    fn into_optimizer(self) -> Result<Box<dyn Optimizer<D>>>;
}

impl<D: OptimizerCatalogue> IntoOptimizer<D> for &str {
    fn into_optimizer(self) -> Result<Box<dyn Optimizer<D>>> {
        by_name(self)
    }
}

impl<D: Device> IntoOptimizer<D> for Box<dyn Optimizer<D>> {
    fn into_optimizer(self) -> Result<Box<dyn Optimizer<D>>> {
        checked(self)
    }
}

impl<D: OptimizerCatalogue> IntoOptimizer<D> for Listed {
    fn into_optimizer(self) -> Result<Box<dyn Optimizer<D>>> {
        D::listed(self)
    }
}

impl<D: OptimizerCatalogue> IntoOptimizer<D> for LossScaleOptimizer {
    fn into_optimizer(self) -> Result<Box<dyn Optimizer<D>>> {
        D::listed(self.into())
    }
}

impl<D: OptimizerCatalogue> IntoOptimizer<D> for MultiOptimizer {
    fn into_optimizer(self) -> Result<Box<dyn Optimizer<D>>> {
        D::listed(self.into())
    }
}

/// An optimizer whose arguments are valid.
fn checked<D: Device>(optimizer: Box<dyn Optimizer<D>>) -> Result<Box<dyn Optimizer<D>>> {
    optimizer.settings().check()?;
    optimizer.check()?;
    Ok(optimizer)
}

/// The optimizers of a device. Implemented for each device and not for all at once, so that they are
/// compiled in this crate and not in every crate that names one.
pub trait OptimizerCatalogue: Device {
    /// See [`by_name`].
    ///
    /// # Errors
    /// If there is none; the message suggests the nearest.
    fn optimizer(name: &str) -> Result<Box<dyn Optimizer<Self>>>;
    /// An optimizer of Keras on this device.
    ///
    /// # Errors
    /// If its arguments are not valid.
    fn listed(optimizer: Listed) -> Result<Box<dyn Optimizer<Self>>>;
}

on_devices! {
    impl OptimizerCatalogue {
        fn optimizer(name: &str) -> Result<Box<dyn Optimizer<Self>>> {
            find(name)
        }

        fn listed(optimizer: Listed) -> Result<Box<dyn Optimizer<Self>>> {
            checked(optimizer.boxed())
        }
    }
}

/// The optimizer of a name with its defaults, as `keras.optimizers.get` finds it.
///
/// # Errors
/// If there is none; the message suggests the nearest.
pub fn by_name<D: OptimizerCatalogue>(name: &str) -> Result<Box<dyn Optimizer<D>>> {
    D::optimizer(name)
}

/// Sets the shared arguments of an optimizer; gives back the configuration without them.
fn read_shared(config: &Config, settings: &mut Settings) -> Result<Config> {
    let mut own = config.clone();
    own.config = Object::new();
    for (name, value) in config.config.iter() {
        if !settings.read(name, value)? {
            own.config.set(name, value.clone());
        }
    }
    Ok(own)
}

/// Lists the optimizers with the default of their learning rate and their names in Keras: the one to
/// find them by, and the one they have by default. Gives each the methods that all of them have.
macro_rules! catalogue {
    ($($ty:ident: $rate:literal, $identifier:literal, $name:literal;)*) => {
        $(
            impl $ty {
                shared_arguments!();
            }

            impl Default for $ty {
                fn default() -> Self {
                    Self::new($rate)
                }
            }

            impl Configured for $ty {
                fn class(&self) -> &'static str {
                    stringify!($ty)
                }

                fn name(&self) -> &str {
                    self.settings.name.as_deref().unwrap_or($name)
                }

                fn config(&self) -> Config {
                    let config = Config::keras("keras.optimizers", stringify!($ty));
                    described(config, Configured::name(self), &self.settings).arguments(self)
                }

                fn settings(&self) -> &Settings {
                    &self.settings
                }

                fn settings_mut(&mut self) -> &mut Settings {
                    &mut self.settings
                }
            }

            impl<D: OptimizerCatalogue> IntoOptimizer<D> for $ty {
                fn into_optimizer(self) -> Result<Box<dyn Optimizer<D>>> {
                    D::listed(Listed::$ty(self))
                }
            }
        )*

        /// The classes of Keras' optimizers that there are here.
        pub const CLASSES: &[&str] = &[$(stringify!($ty),)* "LossScaleOptimizer", "MultiOptimizer"];

        /// One of Keras' optimizers.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Listed {
            $(
                #[doc = concat!("See [`", stringify!($ty), "`].")]
                $ty($ty),
            )*
            /// See [`LossScaleOptimizer`].
            LossScaleOptimizer(LossScaleOptimizer),
            /// See [`MultiOptimizer`].
            MultiOptimizer(MultiOptimizer),
        }

        $(impl From<$ty> for Listed {
            fn from(optimizer: $ty) -> Self {
                Self::$ty(optimizer)
            }
        })*

        impl From<MultiOptimizer> for Listed {
            fn from(optimizer: MultiOptimizer) -> Self {
                Self::MultiOptimizer(optimizer)
            }
        }

        impl From<LossScaleOptimizer> for Listed {
            fn from(optimizer: LossScaleOptimizer) -> Self {
                Self::LossScaleOptimizer(optimizer)
            }
        }

        impl Listed {
            /// Its class and the arguments of its constructor, as Keras' files have them.
            pub fn config(&self) -> Config {
                self.configured().config()
            }

            fn boxed<D: Device>(self) -> Box<dyn Optimizer<D>> {
                match self {
                    $(Self::$ty(optimizer) => Box::new(optimizer),)*
                    Self::LossScaleOptimizer(optimizer) => Box::new(optimizer),
                    Self::MultiOptimizer(optimizer) => Box::new(optimizer),
                }
            }

            fn optimizer<D: Device>(&self) -> &dyn Optimizer<D> {
                match self {
                    $(Self::$ty(optimizer) => optimizer,)*
                    Self::LossScaleOptimizer(optimizer) => optimizer,
                    Self::MultiOptimizer(optimizer) => optimizer,
                }
            }

            fn configured(&self) -> &dyn Configured {
                match self {
                    $(Self::$ty(optimizer) => optimizer,)*
                    Self::LossScaleOptimizer(optimizer) => optimizer,
                    Self::MultiOptimizer(optimizer) => optimizer,
                }
            }

            fn configured_mut(&mut self) -> &mut dyn Configured {
                match self {
                    $(Self::$ty(optimizer) => optimizer,)*
                    Self::LossScaleOptimizer(optimizer) => optimizer,
                    Self::MultiOptimizer(optimizer) => optimizer,
                }
            }
        }

        /// The optimizer of a configuration, as `keras.optimizers.deserialize` finds it.
        ///
        /// # Errors
        /// If there is none, it has no such argument, or a value does not fit.
        pub fn from_config(config: &Config) -> Result<Listed> {
            match config.class_name.to_lowercase().as_str() {
                $($identifier => {
                    let mut optimizer = $ty::default();
                    read_shared(config, &mut optimizer.settings)?.read_into(&mut optimizer)?;
                    Ok(optimizer.into())
                })*
                "lossscaleoptimizer" => LossScaleOptimizer::from_config(config).map(Into::into),
                "multioptimizer" => MultiOptimizer::from_config(config).map(Into::into),
                _ => Err(Error::unknown("optimizer", &config.class_name, &[$($identifier),*])),
            }
        }

        fn find<D: Device>(name: &str) -> Result<Box<dyn Optimizer<D>>> {
            match name.to_lowercase().as_str() {
                $($identifier => Ok(Box::new($ty::default())),)*
                _ => Err(Error::unknown("optimizer", name, &[$($identifier),*])),
            }
        }
    };
}

catalogue! {
    SGD: 0.01, "sgd", "sgd";
    RMSprop: 0.001, "rmsprop", "rm_sprop";
    Adam: 0.001, "adam", "adam";
    AdamW: 0.001, "adamw", "adam_w";
    Adadelta: 0.001, "adadelta", "adadelta";
    Adafactor: 0.001, "adafactor", "adafactor";
    Adagrad: 0.001, "adagrad", "adagrad";
    Adamax: 0.001, "adamax", "adamax";
    Ftrl: 0.001, "ftrl", "ftrl";
    Lamb: 0.001, "lamb", "lamb";
    Lion: 0.001, "lion", "lion";
    Muon: 0.001, "muon", "muon";
    Nadam: 0.001, "nadam", "nadam";
    ScheduleFreeAdamW: 0.0025, "schedulefreeadamw", "schedule_free_adam_w";
}
