//! Metrics: one file each, with its formula and state.
//!
//! In a model they are named in [`Compile`](crate::model::Compile); on their own they are updated with
//! arrays:
//!
//! ```
//! use keras_runtime::metrics::BinaryAccuracy;
//! use ndarray::array;
//!
//! let mut metric = BinaryAccuracy::new().threshold(0.4);
//! metric.update_state(&array![1, 1, 0, 0], &array![0.9, 0.3, 0.2, 0.1], None)?;
//! assert_eq!(metric.result(), 0.75);
//! metric.reset_state();
//! # Ok::<(), keras_runtime::Error>(())
//! ```

mod accuracy;
mod binary_accuracy;
mod binary_crossentropy;
mod categorical_accuracy;
mod categorical_crossentropy;
mod mean;
mod mean_absolute_error;
mod mean_metric;
mod mean_squared_error;
mod metric;
#[doc(hidden)]
pub mod own;
mod root_mean_squared_error;
mod sparse_categorical_accuracy;
mod sparse_categorical_crossentropy;
mod sparse_top_k_categorical_accuracy;
mod sum;
mod top_k_categorical_accuracy;

pub use accuracy::Accuracy;
pub use binary_accuracy::BinaryAccuracy;
pub use binary_crossentropy::BinaryCrossentropy;
pub use categorical_accuracy::CategoricalAccuracy;
pub use categorical_crossentropy::CategoricalCrossentropy;
pub use mean::Mean;
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_squared_error::MeanSquaredError;
pub(crate) use metric::mean;
pub use metric::{Direction, HostBatch, Metric, MetricInput};
pub use own::{Own, Values};
pub use root_mean_squared_error::RootMeanSquaredError;
pub use sparse_categorical_accuracy::SparseCategoricalAccuracy;
pub use sparse_categorical_crossentropy::SparseCategoricalCrossentropy;
pub use sparse_top_k_categorical_accuracy::SparseTopKCategoricalAccuracy;
pub use sum::Sum;
pub use top_k_categorical_accuracy::TopKCategoricalAccuracy;

#[doc(no_inline)]
pub use ndarray::ArrayD;

use std::sync::Arc;

use crate::device::Device;
use crate::device::on_hosts;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// A metric as `compile` takes it: an object, or a name that is resolved when the shapes of the
/// data are known.
pub enum MetricArg<D: Device> {
    /// An object.
    Object(Arc<dyn Metric<D>>),
    /// A name, such as `accuracy`.
    Name(String),
}

/// What [`Compile::metric`](crate::model::Compile::metric) takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric",
    label = "expected a metric such as `CategoricalAccuracy::new()`, or its name in Keras"
)]
pub trait IntoMetric<D: Device> {
    /// The metric.
    fn into_metric(self) -> MetricArg<D>;
}

impl<D: Device> IntoMetric<D> for &str {
    fn into_metric(self) -> MetricArg<D> {
        MetricArg::Name(self.into())
    }
}

/// What targets are, by their shape and that of the predictions: Keras' rule for the names that mean
/// one of several metrics or losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Targets {
    /// Yes or no, beside one probability.
    Binary,
    /// One number of a class, beside the probabilities of all.
    Sparse,
    /// The probabilities of the classes.
    Categorical,
}

impl Targets {
    pub fn of(y_true: &Shape, y_pred: &Shape) -> Self {
        if y_pred.last() == 1 {
            Self::Binary
        } else if y_true.rank() < y_pred.rank() || y_true.last() == 1 {
            Self::Sparse
        } else {
            Self::Categorical
        }
    }
}

/// What generated code and the metrics of this module give a type with a field `own`.
#[doc(inline)]
pub use own::standalone;

/// The metrics of a device by their names. Implemented for each device and not for all at once, so
/// that they are compiled in this crate and not in every crate that names one.
pub trait MetricCatalogue: Device {
    /// See [`by_name`].
    ///
    /// # Errors
    /// If there is none; the message suggests the nearest.
    fn metric(name: &str, y_true: &Shape, y_pred: &Shape) -> Result<Box<dyn Metric<Self>>>;
}

on_hosts! {
    impl MetricCatalogue {
        fn metric(name: &str, y_true: &Shape, y_pred: &Shape) -> Result<Box<dyn Metric<Self>>> {
            find(name, y_true, y_pred)
        }
    }
}

/// Lists the metrics with the names Keras knows them by, and gives each the methods for its use
/// without a model.
macro_rules! catalogue {
    ($($ty:ident: $($name:literal)|+;)*) => {
        $(own::standalone!($ty);

        impl Default for $ty {
            fn default() -> Self {
                Self::new()
            }
        })*

        /// The metric of a name, as `compile` finds it: `accuracy` and `acc` are the one that fits the
        /// shapes of the data.
        ///
        /// # Errors
        /// If there is none; the message suggests the nearest.
        pub fn by_name<D: MetricCatalogue>(name: &str, y_true: &Shape, y_pred: &Shape) -> Result<Box<dyn Metric<D>>> {
            D::metric(name, y_true, y_pred)
        }

        fn find<D: Device>(name: &str, y_true: &Shape, y_pred: &Shape) -> Result<Box<dyn Metric<D>>> {
            if ["accuracy", "acc"].contains(&name.to_lowercase().as_str()) {
                return Ok(match Targets::of(y_true, y_pred) {
                    Targets::Binary => Box::new(BinaryAccuracy::new().name(name)),
                    Targets::Sparse => Box::new(SparseCategoricalAccuracy::new().name(name)),
                    Targets::Categorical => Box::new(CategoricalAccuracy::new().name(name)),
                });
            }
            match name {
                $($($name)|+ => Ok(Box::new($ty::new())),)*
                _ => Err(Error::unknown("metric", name, &["accuracy", "acc", $($($name),+),*])),
            }
        }
    };
}

catalogue! {
    Accuracy: "Accuracy";
    BinaryAccuracy: "BinaryAccuracy" | "binary_accuracy";
    CategoricalAccuracy: "CategoricalAccuracy" | "categorical_accuracy";
    SparseCategoricalAccuracy: "SparseCategoricalAccuracy" | "sparse_categorical_accuracy";
    TopKCategoricalAccuracy: "TopKCategoricalAccuracy" | "top_k_categorical_accuracy";
    SparseTopKCategoricalAccuracy: "SparseTopKCategoricalAccuracy" | "sparse_top_k_categorical_accuracy";
    MeanSquaredError: "MeanSquaredError" | "mean_squared_error" | "mse" | "MSE";
    MeanAbsoluteError: "MeanAbsoluteError" | "mean_absolute_error" | "mae" | "MAE";
    RootMeanSquaredError: "RootMeanSquaredError" | "root_mean_squared_error";
    BinaryCrossentropy: "BinaryCrossentropy" | "binary_crossentropy" | "bce" | "BCE";
    CategoricalCrossentropy: "CategoricalCrossentropy" | "categorical_crossentropy";
    SparseCategoricalCrossentropy: "SparseCategoricalCrossentropy" | "sparse_categorical_crossentropy";
}
