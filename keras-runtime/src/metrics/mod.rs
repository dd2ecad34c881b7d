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
mod mean_squared_error;
mod own;
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
pub use own::{Own, Values};
pub use root_mean_squared_error::RootMeanSquaredError;
pub use sparse_categorical_accuracy::SparseCategoricalAccuracy;
pub use sparse_categorical_crossentropy::SparseCategoricalCrossentropy;
pub use sparse_top_k_categorical_accuracy::SparseTopKCategoricalAccuracy;
pub use sum::Sum;
pub use top_k_categorical_accuracy::TopKCategoricalAccuracy;

use std::sync::Arc;

use ndarray::ArrayD;

use crate::device::on_hosts;
use crate::device::{Cpu, Device, RowFunction, Rows};
use crate::error::{Error, Result};
use crate::losses;
use crate::shape::Shape;

/// Whether a larger or a smaller value of a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Larger is better: accuracies.
    Up,
    /// Smaller is better: errors.
    Down,
    /// Neither.
    None,
}

/// What a metric is updated with.
pub struct MetricInput<'a, D: Device> {
    /// The device.
    pub device: &'a D,
    /// The number of samples.
    pub batch: usize,
    /// The targets: (batch, ..y_true_shape).
    pub y_true: D::Slice<'a>,
    /// The shape of one sample's target.
    pub y_true_shape: Shape,
    /// The predictions: (batch, ..y_pred_shape).
    pub y_pred: D::Slice<'a>,
    /// The shape of one sample's prediction.
    pub y_pred_shape: Shape,
    /// A weight for each sample, or for each row.
    pub sample_weight: Option<D::Slice<'a>>,
    /// How many numbers `sample_weight` has for one sample.
    pub weights_per_sample: usize,
    /// The metric's state, to be updated.
    pub state: D::SliceMut<'a>,
}

impl<D: Device> MetricInput<'_, D> {
    /// The rows along the last axis.
    pub fn rows(&self) -> Rows {
        Rows::of(
            self.batch,
            &self.y_true_shape,
            &self.y_pred_shape,
            self.weights_per_sample,
        )
    }

    /// Every element as a row.
    pub fn elements(&self) -> Rows {
        Rows::of_elements(
            self.batch,
            &self.y_true_shape,
            &self.y_pred_shape,
            self.weights_per_sample,
        )
    }
}

/// A quantity followed over the batches of an epoch.
///
/// Its state is `variables()` numbers that begin at zero; they live on the device, beside those of
/// the other metrics.
pub trait Metric<D: Device>: Send + Sync {
    /// The name it is logged under, such as `mean_squared_error`.
    fn name(&self) -> &str;

    /// How many numbers of state it has: a total and a count, for a mean.
    fn variables(&self) -> usize {
        2
    }

    /// Whether targets of one shape can be compared with predictions of another.
    ///
    /// # Errors
    /// With Keras' sentence, if they cannot.
    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        losses::same_shape(y_true, y_pred)
    }

    /// Whether it has a value for every element of a prediction, not for every row along the last
    /// axis: then a sample weight may belong to one element.
    fn is_elementwise(&self) -> bool {
        false
    }

    /// Adds a batch to the state.
    fn update(&self, input: MetricInput<'_, D>);

    /// The value of a state; by default `state[0] / state[1]`, 0 before any batch.
    fn result(&self, state: &[f32]) -> f32 {
        mean(state)
    }

    /// Whether larger or smaller values are better.
    fn direction(&self) -> Direction;
}

/// `state[0] / state[1]`, or 0 if nothing has been counted.
pub(crate) fn mean(state: &[f32]) -> f32 {
    match *state {
        [total, count] if count != 0.0 => total / count,
        _ => 0.0,
    }
}

/// Updates the mean of a function of rows: what most metrics are.
pub(crate) fn row_mean<D: Device, M: RowFunction>(
    function: M,
    rows: Rows,
    input: MetricInput<'_, D>,
) {
    input.device.row_mean(
        function,
        rows,
        input.y_true,
        input.y_pred,
        input.sample_weight,
        input.state,
    );
}

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

/// What every metric has because it has a field `own`.
macro_rules! with_own {
    ($ty:ident) => {
        impl $ty {
            /// The name it is logged under, instead of the default one.
            #[must_use]
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.own.rename(name.into());
                self
            }

            /// Begins anew.
            pub fn reset_state(&mut self) {
                self.own.reset();
            }
        }

        impl Default for $ty {
            fn default() -> Self {
                Self::new()
            }
        }
    };
}

with_own!(Mean);
with_own!(Sum);

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
        $(with_own!($ty);

        impl $ty {
            /// Adds targets and predictions to the metric's own state. A `sample_weight` belongs to
            /// each sample, to each row along the last axis, or can be broadcast to these.
            ///
            /// # Errors
            /// If the shapes do not fit each other.
            pub fn update_state(
                &mut self,
                y_true: &impl Values,
                y_pred: &impl Values,
                sample_weight: Option<&ArrayD<f32>>,
            ) -> Result<()> {
                let mut state = self.own.take(Metric::<Cpu>::variables(self));
                let updated = own::update(self, &mut state, y_true, y_pred, sample_weight);
                self.own.put(state);
                updated
            }

            /// The value of the metric's own state.
            pub fn result(&self) -> f32 {
                own::result(self, &self.own)
            }
        }

        impl<D: Device> IntoMetric<D> for $ty {
            fn into_metric(self) -> MetricArg<D> {
                MetricArg::Object(Arc::new(self))
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
