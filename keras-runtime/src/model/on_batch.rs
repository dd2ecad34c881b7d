//! One step on one batch: `train_on_batch`, `test_on_batch`, `predict_on_batch`.

use ndarray::ArrayD;

use super::Model;
use super::feed::Feed;
use super::history::Logs;
use super::predict::{self, Predict};
use super::step;
use crate::data::{Columns, Data};
use crate::error::{Error, Result};

pub(crate) fn train<M: Model>(model: &mut M, data: Data<'_>) -> Result<Logs> {
    run(model, data, true, M::train_step)
}

pub(crate) fn test<M: Model>(model: &mut M, data: Data<'_>) -> Result<Logs> {
    run(model, data, false, M::test_step)
}

fn run<M: Model>(
    model: &mut M,
    data: Data<'_>,
    training: bool,
    run_step: impl Fn(&mut M, &crate::data::Batch<'_>) -> Result<()>,
) -> Result<Logs> {
    if model.run().compiled.is_none() {
        return Err(Error::NotCompiled);
    }
    let feed = Feed::new::<M>(data)?;
    if feed.samples() == 0 {
        return Err(Error::value(
            "A batch has at least one sample. Received: empty data",
        ));
    }
    let rows: Vec<u32> = (0..feed.samples() as u32).collect();
    let batch = feed.batch(&rows);
    step::ready(model, &batch, training)?;
    run_step(model, &batch)?;
    Ok(model.batch_logs())
}

/// Loads a batch of all rows.
pub(crate) fn load<M: Model>(model: &mut M, data: Data<'_>, training: bool) -> Result<()> {
    let feed = match data.targets {
        Some(_) => Feed::new::<M>(data)?,
        None => Feed::inputs::<M>(data.inputs)?,
    };
    let rows: Vec<u32> = (0..feed.samples() as u32).collect();
    let batch = feed.batch(&rows);
    if !batch.targets.is_empty() {
        step::ready(model, &batch, training)?;
    }
    model.load(&batch, training)
}

pub(crate) fn predict<M: Model>(model: &mut M, columns: Columns<'_>) -> Result<Vec<ArrayD<f32>>> {
    let samples = columns.rows().max(1);
    predict::predict(model, columns, Predict::batch_size(samples))
}
