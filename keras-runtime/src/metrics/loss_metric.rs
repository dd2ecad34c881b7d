//! The mean of a loss over the batches: what a loss among the metrics of `compile` is.

use std::sync::Arc;

use super::{Direction, Metric, MetricArg, MetricInput};
use crate::config::Config;
use crate::device::Device;
use crate::error::Result;
use crate::losses::{Loss, LossInput};
use crate::shape::Shape;

/// A loss as a metric: the mean over the batches, each of which counts once, as in Keras.
pub fn of_loss<D: Device>(loss: Box<dyn Loss<D>>) -> MetricArg<D> {
    MetricArg::Object(Arc::new(LossMetric(loss)))
}

struct LossMetric<D: Device>(Box<dyn Loss<D>>);

impl<D: Device> Metric<D> for LossMetric<D> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn config(&self) -> Config {
        self.0.config()
    }

    fn validate(&self) -> Result<()> {
        self.0.check_arguments()
    }

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        self.0.check(y_true, y_pred)
    }

    /// A total and a count, and room for those of a batch.
    fn variables(&self, _y_true: &Shape, _y_pred: &Shape) -> usize {
        4
    }

    fn update(&self, input: MetricInput<'_, D>) -> Result<()> {
        let device = input.device;
        let (totals, mut room) = D::split(input.state, 2);
        device.fill(D::reborrow(&mut room), 0.0);
        let (mut mean, mut sum) = D::split(room, 1);
        let view = |slice, per_sample: usize| D::part(slice, 0..input.batch * per_sample);
        self.0.compute(LossInput {
            device,
            batch: input.batch,
            y_true: view(input.y_true, input.y_true_shape.size()),
            y_true_shape: input.y_true_shape,
            y_pred: view(input.y_pred, input.y_pred_shape.size()),
            y_pred_shape: input.y_pred_shape,
            logits: None,
            sample_weight: input
                .sample_weight
                .map(|weights| view(weights, input.weights_per_sample)),
            weights_per_sample: input.weights_per_sample,
            gradient: None,
            weight: 1.0,
            values: None,
            sums: D::reborrow(&mut sum),
        });
        // The sum is that of the loss times the samples.
        let scale = 1.0 / input.batch.max(1) as f32;
        device.rescale(scale, 0.0, D::read(&sum), D::reborrow(&mut mean));
        let (total, count) = D::split(totals, 1);
        device.add(D::read(&mean), total);
        device.fill(D::reborrow(&mut mean), 1.0);
        device.add(D::read(&mean), count);
        Ok(())
    }

    fn result(&self, state: &[f32]) -> f32 {
        super::mean(&state[..2])
    }

    fn direction(&self) -> Direction {
        Direction::Down
    }
}
