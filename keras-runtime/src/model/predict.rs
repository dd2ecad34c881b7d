//! `predict`: the outputs of a model for data of any length.

use ndarray::{ArrayD, IxDyn};

use super::Model;
use super::epochs::Epochs;
use super::feed::Feed;
use super::function::Stage;
use super::history::Logs;
use super::progress::Progress;
use super::step::not_loaded;
use super::trainable::Trainable;
use super::training::{batches_of, begin_callbacks, in_pool};
use crate::callbacks::{Callback, CallbackContext, CallbackList, Params};
use crate::data::{Data, Pass};
use crate::device::Memory;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The arguments of [`Model::predict`].
pub struct Predict<'a> {
    batch_size: usize,
    steps: Option<usize>,
    verbose: u8,
    callbacks: CallbackList<'a>,
}

impl<'a> Predict<'a> {
    /// So many samples at a time; Keras' default is 32.
    pub fn batch_size(batch_size: usize) -> Self {
        Self {
            batch_size,
            steps: None,
            verbose: 0,
            callbacks: CallbackList::empty(),
        }
    }

    /// The first batches alone; all by default.
    #[must_use]
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = Some(steps);
        self
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
pub(crate) fn predict(
    model: &mut dyn Trainable,
    data: Data<'_>,
    arguments: Predict<'_>,
) -> Result<Vec<ArrayD<f32>>> {
    let steps_per_execution = model.inner().steps_per_execution;
    let ops = vec![batches_of(arguments.batch_size)?];
    let batch_size = data.batch_size(arguments.batch_size);
    let feed = Feed::new(model.network(), data, false, ops)?;
    let mut epochs = Epochs::new(feed, arguments.steps, steps_per_execution, 0);
    let params = Params {
        verbose: arguments.verbose,
        batch_size,
        epochs: 1,
        steps: epochs.steps(),
    };
    let (samples, shapes) = {
        let batch = epochs.first(Pass::default())?;
        (batch.rows.len(), model.prepare(&batch)?)
    };
    epochs.feed().check_with(model.batch_check(false));
    let work = model.work(samples, false);
    let mut callbacks = arguments.callbacks;
    let around = model
        .inner()
        .outputs
        .replace(vec![Vec::new(); shapes.len()]);
    let ran = in_pool(work, || run(model, &mut epochs, &mut callbacks, &params));
    let values = std::mem::replace(model.inner().outputs, around);
    ran?;
    let array = |(values, shape): (Vec<f32>, &Shape)| {
        let samples = values.len() / shape.size().max(1);
        let mut dims = vec![samples];
        dims.extend_from_slice(shape.dims());
        let received = values.len();
        ArrayD::from_shape_vec(IxDyn(&dims), values).map_err(|_| {
            Error::value(format!(
                "The outputs of all batches are put together. Expected: shape={shape} for each sample. Received: \
                 {received} numbers, as some batches have another shape"
            ))
        })
    };
    let values = values.unwrap_or_default().into_iter();
    values.zip(&shapes).map(array).collect()
}

fn run(
    model: &mut dyn Trainable,
    epochs: &mut Epochs<'_>,
    callbacks: &mut CallbackList<'_>,
    params: &Params,
) -> Result<()> {
    let none = Logs::new();
    let function = model.function(Stage::Predict);
    let verbose = begin_callbacks(model, callbacks, params)?;
    let mut progress = Progress::new(verbose, params.steps);
    *model.inner().stop_predicting = false;
    callbacks.on_predict_begin(&mut CallbackContext::new(params, model), &none)?;
    while let Some((first, last)) = epochs.next()? {
        let cx = &mut CallbackContext::new(params, model);
        callbacks.on_predict_batch_begin(cx, first, &none)?;
        function.call(model, epochs.feed())?;
        let cx = &mut CallbackContext::new(params, model);
        callbacks.on_predict_batch_end(cx, last, &none)?;
        progress.update(last + 1, Logs::new);
        if *model.inner().stop_predicting {
            break;
        }
    }
    callbacks.on_predict_end(&mut CallbackContext::new(params, model), &none)?;
    progress.finish(&none);
    Ok(())
}

/// The shapes of the outputs in the memory of inference.
pub(crate) fn output_shapes<M: Model>(model: &M) -> Result<Vec<Shape>> {
    let plan = &model.run().space(false).ok_or_else(not_loaded)?.plan;
    let outputs = model.run().network.outputs.iter();
    Ok(outputs
        .map(|output| plan.shapes[output.inference.0])
        .collect())
}

/// Appends the outputs of the batch that has just been predicted.
pub(crate) fn collect<M: Model>(model: &M, samples: usize, values: &mut [Vec<f32>]) -> Result<()> {
    let space = model.run().space(false).ok_or_else(not_loaded)?;
    for (output, values) in model.run().network.outputs.iter().zip(values) {
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
    model.core().device.check()
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
pub(crate) fn single<M: Model>(model: &M, mut outputs: Vec<ArrayD<f32>>) -> Result<ArrayD<f32>> {
    match (outputs.pop(), outputs.len()) {
        (Some(output), 0) => Ok(output),
        (_, others) => Err(Error::value(format!(
            "Model '{}' has {} outputs. Expected a model with one output; use `predict_all` for several.",
            model.name(),
            others + 1
        ))),
    }
}
