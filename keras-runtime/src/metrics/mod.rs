//! Metrics: one file each, with its formula and state.

mod mean_squared_error;

pub use mean_squared_error::MeanSquaredError;

use std::sync::Arc;

use crate::device::{Device, RowFunction, Rows};
use crate::error::{Error, Result};
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
        crate::losses::same_shape(y_true, y_pred)
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
pub(crate) fn row_mean<D: Device, M: RowFunction>(function: M, input: MetricInput<'_, D>) {
    let rows = input.rows();
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
pub trait IntoMetric<D: Device> {
    /// The metric.
    fn into_metric(self) -> MetricArg<D>;
}

impl<D: Device> IntoMetric<D> for &str {
    fn into_metric(self) -> MetricArg<D> {
        MetricArg::Name(self.into())
    }
}

/// Lists the metrics with the names Keras knows them by.
macro_rules! catalogue {
    ($($ty:ident: $($name:literal)|+;)*) => {
        $(impl<D: Device> IntoMetric<D> for $ty {
            fn into_metric(self) -> MetricArg<D> {
                MetricArg::Object(Arc::new(self))
            }
        })*

        /// The metric of a name, as `compile` finds it.
        ///
        /// # Errors
        /// If there is none; the message suggests the nearest.
        pub fn by_name<D: Device>(name: &str, y_true: &Shape, y_pred: &Shape) -> Result<Box<dyn Metric<D>>> {
            let _ = (y_true, y_pred);
            match name {
                $($($name)|+ => Ok(Box::new($ty::new())),)*
                _ => Err(Error::unknown("metric", name, &[$($($name),+),*])),
            }
        }
    };
}

catalogue! {
    MeanSquaredError: "MeanSquaredError" | "mean_squared_error" | "mse" | "MSE";
}
