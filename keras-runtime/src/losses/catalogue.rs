//! Every loss by its names in Keras, and what all of them have.

use std::borrow::Cow;

use ndarray::ArrayD;

use super::crossentropy::Crossentropy;
use super::registry::Make;
use super::{
    BinaryCrossentropy, BinaryFocalCrossentropy, CTC, CategoricalCrossentropy,
    CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy, CategoricalHinge, Circle,
    CosineSimilarity, Dice, Hinge, Huber, KLDivergence, LogCosh, MeanAbsoluteError,
    MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson,
    SparseCategoricalCrossentropy, SquaredHinge, Tversky,
};
use super::{IntoLoss, Loss, Options, standalone};
use crate::config::registry::{registered, registered_class};
use crate::config::{Arguments, Config};
use crate::device::{Device, Reduction, on_devices};
use crate::error::{Error, Result};
use crate::metrics::{self, IntoMetric, MetricArg, Values};

/// The losses of a device by their names. Implemented for each device and not for all at once, so
/// that they are compiled in this crate and not in every crate that names one.
pub trait LossCatalogue: Device {
    /// See [`from_config`].
    ///
    /// # Errors
    /// If there is none; the message suggests the nearest.
    fn loss(config: &Config) -> Result<Box<dyn Loss<Self>>>;
    /// A loss of Keras on this device.
    fn listed(loss: Listed) -> Box<dyn Loss<Self>>;
}

on_devices! {
    impl LossCatalogue {
        fn loss(config: &Config) -> Result<Box<dyn Loss<Self>>> {
            find(config)
        }

        fn listed(loss: Listed) -> Box<dyn Loss<Self>> {
            loss.boxed()
        }
    }
}

/// The loss of a name, as `keras.losses.get` finds it; `crossentropy` and `ce` are the one that fits
/// the shapes of the data. After Keras' names come those that were [`register`](super::register)ed.
///
/// # Errors
/// If there is none; the message suggests the nearest.
pub fn by_name<D: LossCatalogue>(name: &str) -> Result<Box<dyn Loss<D>>> {
    D::loss(&Config::keras("keras.losses", name)).or_else(|error| {
        let make = registered::<Make<D>>(name).ok_or(error)?;
        make(&Config::own(name))
    })
}

/// The loss of a configuration, as `keras.losses.deserialize` finds it; a class of the user's own is
/// one that was [`register`](super::register)ed under its name.
///
/// ```
/// use keras_runtime::config::Config;
/// use keras_runtime::device::Cpu;
/// use keras_runtime::losses::from_config;
///
/// let config = r#"{"class_name": "Huber", "config": {"delta": 2.0, "reduction": "sum"}}"#;
/// let loss = from_config::<Cpu>(&Config::parse(config)?)?;
/// assert_eq!(loss.name(), "huber_loss");
/// # Ok::<(), keras_runtime::Error>(())
/// ```
///
/// # Errors
/// If there is no loss of this name, it has no such argument, or the value is not valid.
pub fn from_config<D: LossCatalogue>(config: &Config) -> Result<Box<dyn Loss<D>>> {
    match registered_class::<Make<D>>(config) {
        Some(make) => make(config),
        None => D::loss(config),
    }
}

/// A loss that can be told the arguments of a configuration.
trait Configurable<D: Device>: Loss<D> + Arguments {
    /// What every loss can be told.
    fn options_mut(&mut self) -> &mut Options;
}

/// Sets the arguments of a loss.
fn with_arguments<D: Device>(
    mut loss: Box<dyn Configurable<D>>,
    config: &Config,
) -> Result<Box<dyn Loss<D>>> {
    for (argument, value) in config.config.iter() {
        match argument {
            _ if loss.options_mut().read(argument, value)? => {}
            _ if loss.read(argument, value)? => {}
            _ => return Err(config.unexpected(argument)),
        }
    }
    loss.check_arguments()?;
    Ok(loss)
}

/// Lists the losses with their function in Keras and the names Keras knows them by; gives each what
/// all losses have.
macro_rules! catalogue {
    ($($ty:ident: $function:ident, $($name:literal)|+;)*) => {
        $(impl $ty {
            /// Another name than the default one.
            #[must_use]
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.options.name = Cow::Owned(name.into());
                self
            }

            /// How the values of a batch become one number.
            #[must_use]
            pub const fn reduction(mut self, reduction: Reduction) -> Self {
                self.options.reduction = reduction;
                self
            }

            /// The loss of some predictions, outside of a model: `loss(y_true, y_pred, sample_weight)`
            /// in Keras. A weight belongs to each sample, to each value, or can be broadcast to these.
            ///
            /// # Errors
            /// If the arrays do not fit each other, or the reduction leaves more than one number.
            pub fn call(
                &self,
                y_true: &impl Values,
                y_pred: &impl Values,
                sample_weight: Option<&ArrayD<f32>>,
            ) -> Result<f32> {
                self.options.one_number()?;
                standalone::call(self, y_true, y_pred, sample_weight)
            }

            /// What [`call`](Self::call) reduces to one number: a loss for each sample or row, as
            /// Keras' functions have it.
            ///
            /// # Errors
            /// If the arrays do not fit each other.
            pub fn values(&self, y_true: &impl Values, y_pred: &impl Values) -> Result<ArrayD<f32>> {
                standalone::values(self, y_true, y_pred)
            }
        }

        impl<D: Device> Configurable<D> for $ty {
            fn options_mut(&mut self) -> &mut Options {
                &mut self.options
            }
        }

        impl Default for $ty {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<D: LossCatalogue> IntoMetric<D> for $ty {
            fn into_metric(self) -> MetricArg<D> {
                metrics::of_loss(D::listed(Listed::$ty(self)))
            }
        }

        impl<D: LossCatalogue> IntoLoss<D> for $ty {
            fn into_loss(self) -> Result<Box<dyn Loss<D>>> {
                let loss = D::listed(Listed::$ty(self));
                loss.check_arguments()?;
                Ok(loss)
            }
        }

        #[doc = concat!("`keras.losses.", stringify!($function), "`: the values of [`", stringify!($ty), "`].")]
        ///
        /// # Errors
        /// If the arrays do not fit each other.
        pub fn $function(y_true: &impl Values, y_pred: &impl Values) -> Result<ArrayD<f32>> {
            $ty::new().values(y_true, y_pred)
        })*

        /// The classes of Keras' losses that there are here.
        pub const CLASSES: &[&str] = &[$(stringify!($ty)),*];

        /// One of Keras' losses.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Listed {
            $(
                #[doc = concat!("See [`", stringify!($ty), "`].")]
                $ty($ty),
            )*
        }

        impl Listed {
            fn boxed<D: Device>(self) -> Box<dyn Loss<D>> {
                match self {
                    $(Self::$ty(loss) => Box::new(loss),)*
                }
            }
        }

        /// Whether it is a name of Keras'.
        pub(crate) fn is_known(name: &str) -> bool {
            ["crossentropy", "ce", $($($name),+),*].contains(&name)
        }

        fn find<D: Device>(config: &Config) -> Result<Box<dyn Loss<D>>> {
            let name = config.class_name.as_str();
            let loss: Box<dyn Configurable<D>> = match name {
                $($($name)|+ => Box::new($ty::new()),)*
                _ if ["crossentropy", "ce"].contains(&name.to_lowercase().as_str()) => {
                    return Ok(Box::new(Crossentropy::new()));
                }
                _ => {
                    let known = ["crossentropy", $($($name),+),*];
                    return Err(Error::unregistered("loss", name, &known, "keras::losses::register"));
                }
            };
            with_arguments(loss, config)
        }
    };
}

catalogue! {
    MeanSquaredError: mean_squared_error,
        "MeanSquaredError" | "mean_squared_error" | "mse" | "MSE";
    MeanAbsoluteError: mean_absolute_error,
        "MeanAbsoluteError" | "mean_absolute_error" | "mae" | "MAE";
    MeanAbsolutePercentageError: mean_absolute_percentage_error,
        "MeanAbsolutePercentageError" | "mean_absolute_percentage_error" | "mape" | "MAPE";
    MeanSquaredLogarithmicError: mean_squared_logarithmic_error,
        "MeanSquaredLogarithmicError" | "mean_squared_logarithmic_error" | "msle" | "MSLE";
    CosineSimilarity: cosine_similarity, "CosineSimilarity" | "cosine_similarity";
    Huber: huber, "Huber" | "huber";
    LogCosh: log_cosh, "LogCosh" | "log_cosh";
    Hinge: hinge, "Hinge" | "hinge";
    SquaredHinge: squared_hinge, "SquaredHinge" | "squared_hinge";
    CategoricalHinge: categorical_hinge, "CategoricalHinge" | "categorical_hinge";
    KLDivergence: kl_divergence, "KLDivergence" | "kl_divergence" | "kld" | "KLD";
    Poisson: poisson, "Poisson" | "poisson";
    BinaryCrossentropy: binary_crossentropy,
        "BinaryCrossentropy" | "binary_crossentropy" | "bce" | "BCE";
    BinaryFocalCrossentropy:
        binary_focal_crossentropy, "BinaryFocalCrossentropy" | "binary_focal_crossentropy";
    CategoricalCrossentropy: categorical_crossentropy,
        "CategoricalCrossentropy" | "categorical_crossentropy";
    CategoricalFocalCrossentropy:
        categorical_focal_crossentropy, "CategoricalFocalCrossentropy" | "categorical_focal_crossentropy";
    CategoricalGeneralizedCrossEntropy: categorical_generalized_cross_entropy,
        "CategoricalGeneralizedCrossEntropy" | "categorical_generalized_cross_entropy";
    SparseCategoricalCrossentropy: sparse_categorical_crossentropy,
        "SparseCategoricalCrossentropy" | "sparse_categorical_crossentropy";
    Dice: dice, "Dice" | "dice";
    Tversky: tversky, "Tversky" | "tversky";
    Circle: circle, "Circle" | "circle";
    CTC: ctc, "CTC" | "ctc";
}
