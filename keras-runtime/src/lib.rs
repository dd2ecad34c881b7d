//! Keras in Rust: models declared with macros, checked by the compiler, trained by generated code.

pub mod arg;
pub mod callbacks;
pub mod config;
mod console;
pub mod constraints;
pub mod data;
pub mod device;
mod error;
pub mod initializers;
pub mod layers;
pub mod losses;
pub mod metrics;
pub mod model;
mod numbers;
pub mod optimizers;
pub mod prelude;
mod python;
pub mod random;
pub mod regularizers;
pub mod saving;
pub mod schedules;
pub mod shape;
mod short_sort;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[doc(hidden)]
pub mod texts;
pub mod utils;
pub mod words;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

/// The crate whose devices and tensors models work on, in the version that fits.
pub use dfdx;
pub use error::{Error, Result};
#[doc(hidden)]
pub use keras_macros::{__layer_impl, __metric_impl, __model_impl};
pub use keras_macros::{layer, loss, metric, model, sequential};
pub use model::{DynamicModel, load_model, load_model_with, model_from_json};
