//! What `compile` takes as a metric, and what a name means that stands for several.

use std::sync::Arc;

use super::Metric;
use crate::device::Device;
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
