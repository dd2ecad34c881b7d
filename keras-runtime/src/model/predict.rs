//! `predict`: the outputs of a model for data of any length.

use ndarray::{ArrayD, IxDyn};

use super::Model;
use super::build::{network, prepare};
use super::feed::Feed;
use super::fit::{begin_callbacks, in_pool, work};
use super::history::Logs;
use super::progress::Progress;
use super::step::not_loaded;
use crate::callbacks::{Callback, CallbackContext, CallbackList, Params};
use crate::data::Columns;
use crate::device::Memory;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The arguments of [`Model::predict`].
pub struct Predict<'a> {
    pub(crate) batch_size: usize,
    pub(crate) verbose: u8,
    pub(crate) callbacks: CallbackList<'a>,
}

impl<'a> Predict<'a> {
    /// So many samples at a time; Keras' default is 32.
    pub fn batch_size(batch_size: usize) -> Self {
        Self {
            batch_size,
            verbose: 0,
            callbacks: CallbackList::empty(),
        }
    }

    /// What is printed: nothing (0), a progress bar (1) or a line (2). Nothing by default.
    #[must_use]
    pub fn verbose(mut self, verbose: u8) -> Self {
        self.verbose = verbose;
        self
    }

    /// One more callback.
    #[must_use]
    pub fn callback(mut self, callback: impl Callback + 'a) -> Self {
        self.callbacks.push(callback);
        self
    }
}

impl Default for Predict<'_> {
    fn default() -> Self {
        Self::batch_size(32)
    }
}

/// Every output of a model for every sample.
pub(crate) fn predict<M: Model>(
    model: &mut M,
    columns: Columns<'_>,
    predict: Predict<'_>,
) -> Result<Vec<ArrayD<f32>>> {
    let Predict {
        batch_size,
        verbose,
        mut callbacks,
    } = predict;
    check_batch_size(batch_size)?;
    let feed = Feed::inputs::<M>(columns)?;
    let samples = feed.samples();
    if samples == 0 {
        return Err(Error::value(
            "`predict` expects at least one sample. Received: empty data",
        ));
    }
    let shapes: Vec<Shape> = feed.inputs.iter().map(|table| table.shape).collect();
    prepare(model, &shapes, batch_size.min(samples), false)?;
    let outputs = output_shapes(model)?;
    let mut values: Vec<Vec<f32>> = outputs
        .iter()
        .map(|shape| Vec::with_capacity(samples * shape.size()))
        .collect();
    let steps = samples.div_ceil(batch_size);
    let params = Params {
        verbose,
        batch_size: Some(batch_size),
        epochs: 1,
        steps: Some(steps),
    };
    let verbose = begin_callbacks(model, &mut callbacks, &params)?;
    let mut progress = Progress::new(verbose, Some(steps));
    let none = Logs::new();
    let rows: Vec<u32> = (0..samples as u32).collect();
    let work = work(model, batch_size, false);
    let mut run = |model: &mut M| -> Result<usize> {
        let mut done = 0;
        model.split().1.stop_predicting = false;
        callbacks.on_predict_begin(&mut CallbackContext::new(&params, model), &none)?;
        for (step, rows) in rows.chunks(batch_size).enumerate() {
            let cx = &mut CallbackContext::new(&params, model);
            callbacks.on_predict_batch_begin(cx, step, &none)?;
            model.predict_step(&feed.batch(rows))?;
            collect(model, rows.len(), &mut values)?;
            let cx = &mut CallbackContext::new(&params, model);
            callbacks.on_predict_batch_end(cx, step, &none)?;
            progress.update(step + 1, Logs::new);
            done += rows.len();
            if model.run().stop_predicting {
                break;
            }
        }
        callbacks.on_predict_end(&mut CallbackContext::new(&params, model), &none)?;
        Ok(done)
    };
    let done = in_pool(work, || run(model))?;
    progress.finish(&none);
    let array = |(values, shape): (Vec<f32>, &Shape)| {
        let mut dims = vec![done];
        dims.extend_from_slice(shape.dims());
        ArrayD::from_shape_vec(IxDyn(&dims), values).map_err(|_| not_loaded())
    };
    values.into_iter().zip(&outputs).map(array).collect()
}

/// Whether a batch size is one.
pub(crate) fn check_batch_size(batch_size: usize) -> Result<usize> {
    if batch_size == 0 {
        return Err(Error::value(
            "`batch_size` expects a positive integer. Received: batch_size=0",
        ));
    }
    Ok(batch_size)
}

/// The shapes of the outputs in the memory of inference.
pub(crate) fn output_shapes<M: Model>(model: &M) -> Result<Vec<Shape>> {
    let plan = &model.run().space(false).ok_or_else(not_loaded)?.plan;
    let outputs = network::<M>().outputs.iter();
    Ok(outputs
        .map(|output| plan.shapes[output.inference.0])
        .collect())
}

/// Appends the outputs of the batch that has just been predicted.
pub(crate) fn collect<M: Model>(model: &M, samples: usize, values: &mut [Vec<f32>]) -> Result<()> {
    let space = model.run().space(false).ok_or_else(not_loaded)?;
    for (output, values) in network::<M>().outputs.iter().zip(values) {
        let from = space
            .value(output.inference, samples)
            .ok_or_else(not_loaded)?;
        let start = values.len();
        values.resize(
            start + samples * space.plan.shapes[output.inference.0].size(),
            0.0,
        );
        model.core().device.download(from, &mut values[start..]);
    }
    Ok(())
}

/// The outputs of the batch that has just been evaluated or predicted; none before.
pub(crate) fn last_outputs<M: Model>(model: &M) -> Vec<ArrayD<f32>> {
    let samples = model.run().batch;
    let Ok(shapes) = output_shapes(model) else {
        return Vec::new();
    };
    let mut values = vec![Vec::new(); shapes.len()];
    if collect(model, samples, &mut values).is_err() {
        return Vec::new();
    }
    let array = |(values, shape): (Vec<f32>, &Shape)| {
        let mut dims = vec![samples];
        dims.extend_from_slice(shape.dims());
        ArrayD::from_shape_vec(IxDyn(&dims), values).ok()
    };
    values.into_iter().zip(&shapes).filter_map(array).collect()
}

/// The one output of a model.
pub(crate) fn single<M: Model>(mut outputs: Vec<ArrayD<f32>>) -> Result<ArrayD<f32>> {
    match (outputs.pop(), outputs.len()) {
        (Some(output), 0) => Ok(output),
        (_, others) => Err(Error::value(format!(
            "Model '{}' has {} outputs. Expected a model with one output; use `predict_all` for several.",
            network::<M>().name,
            others + 1
        ))),
    }
}
