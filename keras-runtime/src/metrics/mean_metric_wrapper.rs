//! The mean of what a function of the user's makes of targets and predictions.

use std::fmt;
use std::sync::Arc;

use ndarray::ArrayD;

use super::{Direction, Metric, MetricInput, Own, own};
use crate::device::Device;
use crate::error::Result;
use crate::shape::Shape;

/// The mean of a function's values, one or several for each sample:
/// `keras.metrics.MeanMetricWrapper`.
///
/// The function takes the targets (batch, ..) and the predictions (batch, ..). It runs on the host, so
/// each batch is fetched from the device.
///
/// ```
/// use keras_runtime::metrics::MeanMetricWrapper;
/// use ndarray::array;
///
/// let mut metric = MeanMetricWrapper::new(|y_true, y_pred| Ok((y_pred - y_true).mapv(|d| d.powi(4))));
/// metric.update_state(&array![0.0, 1.0], &array![1.0, 3.0], None)?;
/// assert_eq!(metric.result(), 8.5);
/// # Ok::<(), keras_runtime::Error>(())
/// ```
#[derive(Clone)]
pub struct MeanMetricWrapper {
    pub(super) own: Own,
    function: Arc<Function>,
    direction: Direction,
}

type Function = dyn Fn(&ArrayD<f32>, &ArrayD<f32>) -> Result<ArrayD<f32>> + Send + Sync;

impl MeanMetricWrapper {
    /// The mean of a function, such as a loss.
    pub fn new(
        function: impl Fn(&ArrayD<f32>, &ArrayD<f32>) -> Result<ArrayD<f32>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            own: Own::numbered("mean_metric_wrapper"),
            function: Arc::new(function),
            direction: Direction::None,
        }
    }

    /// Whether larger or smaller values are better, for callbacks that watch the metric.
    #[must_use]
    pub const fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }
}

impl<D: Device> Metric<D> for MeanMetricWrapper {
    fn name(&self) -> &str {
        self.own.name()
    }

    fn validate(&self) -> Result<()> {
        self.own.validate()
    }

    /// The function says whether it can take them.
    fn check(&self, _y_true: &Shape, _y_pred: &Shape) -> Result<()> {
        Ok(())
    }

    /// Weights may belong to whatever the function has values for.
    fn values(&self, _y_true: &Shape, y_pred: &Shape) -> Shape {
        *y_pred
    }

    fn update(&self, input: MetricInput<'_, D>) -> Result<()> {
        input.on_host(2, |batch, state| {
            let values = (self.function)(&batch.y_true, &batch.y_pred)?;
            own::add_values(state, &values, batch.sample_weight.as_ref(), true)
        })
    }

    fn direction(&self) -> Direction {
        self.direction
    }
}

impl fmt::Debug for MeanMetricWrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeanMetricWrapper")
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}
