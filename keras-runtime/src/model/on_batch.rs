//! One step on one batch: `train_on_batch`, `test_on_batch`, `predict_on_batch`.

use ndarray::ArrayD;

use super::epochs::Epochs;
use super::feed::Feed;
use super::function::Stage;
use super::history::Logs;
use super::predict::{self, Predict};
use super::trainable::Trainable;
use super::training::{batches_of, compiled};
use crate::data::{Data, Pass, Source};
use crate::error::Result;

/// Trains or tests a model on one batch, and gives the running means.
pub(crate) fn run(model: &mut dyn Trainable, data: Data<'_>, stage: Stage) -> Result<Logs> {
    compiled(model)?;
    let ops = vec![batches_of(samples(&data))?];
    let feed = Feed::new(model.network(), data, true, ops)?;
    let mut epochs = Epochs::new(feed, None, 1, 0);
    let batch = epochs.first(Pass::default())?;
    model.ready(&batch, stage == Stage::Train)?;
    model.function(stage).call(model, epochs.feed())?;
    Ok(model.logs())
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
