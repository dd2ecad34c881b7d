//! Losses: one file each, with its formula, value and gradient.
//!
//! In a model they are named in [`Compile`](crate::model::Compile); on their own they are called with
//! arrays:
//!
//! ```
//! use keras_runtime::losses::{self, Huber};
//! use ndarray::array;
//!
//! let (y_true, y_pred) = (array![[0.0, 1.0], [0.0, 0.0]], array![[0.5, 1.0], [3.0, 0.0]]);
//! assert_eq!(Huber::new().call(&y_true, &y_pred, None)?, 0.65625);
//! assert_eq!(losses::huber(&y_true, &y_pred)?, array![0.0625, 1.25].into_dyn());
//! # Ok::<(), keras_runtime::Error>(())
//! ```

mod binary_crossentropy;
mod binary_focal_crossentropy;
mod catalogue;
mod categorical_crossentropy;
mod categorical_focal_crossentropy;
mod categorical_generalized_cross_entropy;
mod categorical_hinge;
mod check;
mod circle;
mod compute;
mod cosine_similarity;
mod crossentropy;
mod ctc;
mod dice;
pub(crate) mod expression;
mod given;
mod hinge;
mod huber;
mod kl_divergence;
mod log_cosh;
mod mean_absolute_error;
mod mean_absolute_percentage_error;
mod mean_squared_error;
mod mean_squared_logarithmic_error;
mod poisson;
mod registry;
mod sparse_categorical_crossentropy;
mod squared_hinge;
mod standalone;
#[cfg(test)]
mod tests;
mod tversky;

pub use crate::device::Reduction;

pub use binary_crossentropy::BinaryCrossentropy;
pub(crate) use binary_crossentropy::BinaryEntropy;
pub use binary_focal_crossentropy::BinaryFocalCrossentropy;
pub use catalogue::*;
pub use categorical_crossentropy::CategoricalCrossentropy;
pub(crate) use categorical_crossentropy::CategoricalEntropy;
pub use categorical_focal_crossentropy::{Alpha, CategoricalFocalCrossentropy};
pub use categorical_generalized_cross_entropy::CategoricalGeneralizedCrossEntropy;
pub use categorical_hinge::CategoricalHinge;
pub(crate) use categorical_hinge::CategoricalMargin;
pub(crate) use check::{broadcast, classes, classes_along, same_shape, weights as check_weights};
pub use circle::Circle;
pub use compute::{Loss, LossInput};
pub(crate) use compute::{row_loss, softmax_loss};
pub use cosine_similarity::CosineSimilarity;
pub(crate) use cosine_similarity::NegativeCosine;
pub use ctc::CTC;
pub use dice::Dice;
pub use given::{GivenLoss, IntoLoss, LossArg, Losses};
pub use hinge::Hinge;
pub(crate) use hinge::{Margin, Margins};
pub use huber::Huber;
pub(crate) use kl_divergence::Divergence;
pub use kl_divergence::KLDivergence;
pub use log_cosh::LogCosh;
pub(crate) use log_cosh::LogCoshError;
pub(crate) use mean_absolute_error::AbsoluteError;
pub use mean_absolute_error::MeanAbsoluteError;
pub(crate) use mean_absolute_percentage_error::AbsolutePercentageError;
pub use mean_absolute_percentage_error::MeanAbsolutePercentageError;
pub use mean_squared_error::MeanSquaredError;
pub(crate) use mean_squared_error::SquaredError;
pub use mean_squared_logarithmic_error::MeanSquaredLogarithmicError;
pub(crate) use mean_squared_logarithmic_error::SquaredLogarithmicError;
pub use poisson::Poisson;
pub(crate) use poisson::PoissonLikelihood;
pub use registry::register;
pub use sparse_categorical_crossentropy::SparseCategoricalCrossentropy;
pub(crate) use sparse_categorical_crossentropy::SparseEntropy;
pub use squared_hinge::SquaredHinge;
pub(crate) use squared_hinge::SquaredMargin;
pub use standalone::{call, values};
pub use tversky::Tversky;

use std::borrow::Cow;

use crate::config::{self, Arguments, Config, Json, Read};
use crate::error::{Error, Result};

/// What every loss can be told, by the builder methods `name` and `reduction`.
#[derive(Clone, Debug)]
pub struct Options {
    name: Cow<'static, str>,
    /// How the rows of a batch become one number.
    pub reduction: Reduction,
}

impl Options {
    /// Keras' defaults, with a name.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            reduction: Reduction::SumOverBatchSize,
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives the loss another name.
    pub fn rename(&mut self, name: impl Into<String>) {
        self.name = Cow::Owned(name.into());
    }

    /// A configuration with these options before its own arguments.
    pub fn describe(&self, config: Config) -> Config {
        config
            .with("name", self.name.to_string())
            .with("reduction", self.reduction)
    }

    /// Sets the option of a name; whether there is one.
    ///
    /// # Errors
    /// If the value does not fit it.
    pub fn read(&mut self, argument: &str, value: &Json) -> Result<bool> {
        match argument {
            "reduction" => config::read(&mut self.reduction, argument, value)?,
            "name" if !value.is_null() => self.rename(value.read::<String>(argument)?),
            // Everything is computed in `f32`.
            "name" | "dtype" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The configuration of a loss of Keras' with these options.
    fn config(&self, class: &str, arguments: &dyn Arguments) -> Config {
        self.describe(Config::keras("keras.losses", class))
            .arguments(arguments)
    }

    /// Whether the reduction leaves one number.
    fn one_number(&self) -> Result<()> {
        if self.reduction != Reduction::None {
            return Ok(());
        }
        Err(Error::value(
            "A loss with the reduction `none` is not one number. Use `values` for the loss of each sample.",
        ))
    }
}

/// Defines a loss: its type, `new` with Keras' defaults, and a builder method for each argument. The
/// arguments after `into` are converted to their types; `config` is the table of [`arguments!`], for a
/// loss that has any.
macro_rules! loss {
    (
        $(#[$meta:meta])*
        $ty:ident, $name:literal {
            $($(#[$doc:meta])* $argument:ident: $kind:ty = $default:expr,)*
        }
        $(into { $($(#[$into_doc:meta])* $into:ident: $into_kind:ty = $into_default:expr,)+ })?
        $(config { $($config:tt)* })?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $ty {
            pub(super) options: $crate::losses::Options,
            $($argument: $kind,)*
            $($($into: $into_kind,)+)?
        }

        impl $ty {
            /// The loss with Keras' defaults.
            pub const fn new() -> Self {
                Self {
                    options: $crate::losses::Options::new($name),
                    $($argument: $default,)*
                    $($($into: $into_default,)+)?
                }
            }

            $($(#[$doc])*
            #[must_use]
            pub const fn $argument(mut self, $argument: $kind) -> Self {
                self.$argument = $argument;
                self
            })*

            $($($(#[$into_doc])*
            #[must_use]
            pub fn $into(mut self, $into: impl Into<$into_kind>) -> Self {
                self.$into = $into.into();
                self
            })+)?
        }

        $crate::losses::loss_config! { $ty { $($($config)*)? } }
    };
}
use loss;

/// The configuration of a loss with a field `options`, by the table of its arguments.
macro_rules! loss_config {
    ($ty:ident { $($arguments:tt)* }) => {
        impl $ty {
            /// Its class and arguments in Keras.
            pub fn config(&self) -> $crate::config::Config {
                self.options.config(stringify!($ty), self)
            }
        }

        $crate::config::arguments!($ty { $($arguments)* });
    };
}
use loss_config;

/// What a loss with a field `options` does in the same way as every other one.
macro_rules! options {
    () => {
        fn name(&self) -> &str {
            &self.options.name
        }

        fn config(&self) -> $crate::config::Config {
            self.config()
        }
    };
}
use options;
