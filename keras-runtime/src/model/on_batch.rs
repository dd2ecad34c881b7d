//! One step on one batch: `train_on_batch`, `test_on_batch`, `predict_on_batch`.

use ndarray::ArrayD;

use super::Model;
use super::epochs::Epochs;
use super::feed::Feed;
use super::function::Stage;
use super::history::Logs;
use super::predict::{self, Predict};
use super::step;
use super::trainable::Trainable;
use super::training::{batches_of, compiled};
use crate::data::{Columns, Data, IntoColumns, Pass, Source};
use crate::error::Result;

/// The arguments of [`Model::train_on_batch_with`](super::Model::train_on_batch_with) and
/// [`Model::test_on_batch_with`](super::Model::test_on_batch_with).
pub struct OnBatch<'a> {
    reset_metrics: bool,
    class_weight: Vec<(usize, f32)>,
    sample_weight: Option<Result<Columns<'a>>>,
}

impl<'a> OnBatch<'a> {
    /// The loss and the metrics of this batch alone, every sample counting as much as another.
    pub fn new() -> Self {
        Self {
            reset_metrics: true,
            class_weight: Vec::new(),
            sample_weight: None,
        }
    }

    /// With `false`, the loss and the metrics are running means over this batch and those before, since
    /// the last [`reset_metrics`](super::Model::reset_metrics).
    #[must_use]
    pub fn reset_metrics(mut self, reset: bool) -> Self {
        self.reset_metrics = reset;
        self
    }

    /// How much the samples of each class count in the loss, 1 where it is not said.
    #[must_use]
    pub fn class_weight(mut self, weights: impl IntoIterator<Item = (usize, f32)>) -> Self {
        self.class_weight.extend(weights);
        self
    }

    /// How much each sample counts in the loss and in weighted metrics: one array, or one for each
    /// output.
    #[must_use]
    pub fn sample_weight(mut self, weights: impl IntoColumns<'a>) -> Self {
        self.sample_weight = Some(weights.into_columns());
        self
    }
}

impl Default for OnBatch<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// Trains or tests a model on one batch, and gives the loss and the metrics.
pub(crate) fn run<'a>(
    model: &mut dyn Trainable,
    data: Data<'a>,
    arguments: OnBatch<'a>,
    stage: Stage,
) -> Result<Logs> {
    compiled(model)?;
    let mut data = data.class_weight(arguments.class_weight);
    if let Some(weights) = arguments.sample_weight {
        data = data.sample_weight(weights?)?;
    }
    let ops = vec![batches_of(samples(&data))?];
    let feed = Feed::new(model.network(), data, true, ops)?;
    let mut epochs = Epochs::new(feed, None, 1, 0);
    let batch = epochs.first(Pass::default())?;
    model.ready(&batch, stage == Stage::Train)?;
    if arguments.reset_metrics {
        model.reset_metrics();
    }
    model.function(stage).call(model, epochs.feed())?;
    Ok(model.batch_logs())
}

/// Loads a batch of all rows.
pub(crate) fn load<M: Model>(model: &mut M, data: Data<'_>, training: bool) -> Result<()> {
    let ops = vec![batches_of(samples(&data))?];
    let has_targets = data.has_targets();
    let feed = Feed::new(model.run().network.clone(), data, has_targets, ops)?;
    let mut epochs = Epochs::new(feed, None, 1, 0);
    let batch = epochs.first(Pass::default())?;
    if has_targets {
        step::ready(model, &batch, training)?;
    }
    model.load(&batch, training)?;
    step::check_indices(model.run(), batch.inputs, training)
}

/// The outputs for one batch.
pub(crate) fn predict(model: &mut dyn Trainable, data: Data<'_>) -> Result<Vec<ArrayD<f32>>> {
    let samples = samples(&data);
    predict::predict(model, data, Predict::batch_size(samples))
}

/// The samples of arrays, all of which are one batch.
fn samples(data: &Data<'_>) -> usize {
    match &data.source {
        Source::Arrays(arrays) => arrays.rows().max(1),
        Source::Rows(..) | Source::Stream(_) => 1,
    }
}
