//! `evaluate`: the loss and the metrics of a model on data it is not trained on.

use super::epochs::Epochs;
use super::feed::Feed;
use super::function::Stage;
use super::history::Logs;
use super::progress::Progress;
use super::trainable::Trainable;
use super::training::{batches_of, begin, begin_callbacks, compiled, in_pool};
use crate::callbacks::{Callback, CallbackContext, CallbackList, Params};
use crate::data::{Columns, Data, IntoColumns, Pass};
use crate::error::Result;

/// The arguments of [`Model::evaluate`](super::Model::evaluate).
pub struct Evaluate<'a> {
    batch_size: usize,
    steps: Option<usize>,
    sample_weight: Option<Result<Columns<'a>>>,
    verbose: u8,
    callbacks: CallbackList<'a>,
}

impl<'a> Evaluate<'a> {
    /// So many samples at a time. A [`Dataset`](crate::data::Dataset) has its own.
    pub fn batch_size(batch_size: usize) -> Self {
        Self {
            batch_size,
            ..Self::default()
        }
    }

    /// The first batches alone; all by default.
    #[must_use]
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = Some(steps);
        self
    }

    /// How much each sample counts in the loss and in weighted metrics: one array, or one for each
    /// output. The same as the third array of `(x, y, sample_weight)`.
    #[must_use]
    pub fn sample_weight(mut self, weights: impl IntoColumns<'a>) -> Self {
        self.sample_weight = Some(weights.into_columns());
        self
    }

    /// What is printed: nothing (0), a progress bar (1, the default) or a line (2).
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

impl Default for Evaluate<'_> {
    /// 32 samples at a time.
    fn default() -> Self {
        Self {
            batch_size: 32,
            steps: None,
            sample_weight: None,
            verbose: 1,
            callbacks: CallbackList::empty(),
        }
    }
}

pub(crate) fn evaluate<'a>(
    model: &mut dyn Trainable,
    mut data: Data<'a>,
    arguments: Evaluate<'a>,
) -> Result<Logs> {
    let steps_per_execution = compiled(model)?;
    if let Some(weights) = arguments.sample_weight {
        data = data.sample_weight(weights?)?;
    }
    let ops = vec![batches_of(arguments.batch_size)?];
    let batch_size = data.batch_size(arguments.batch_size);
    let feed = Feed::new(model.network(), data, true, ops)?;
    let mut epochs = Epochs::new(feed, arguments.steps, steps_per_execution, 0);
    let params = Params {
        verbose: arguments.verbose,
        batch_size,
        epochs: 1,
        steps: epochs.steps(),
    };
    let samples = begin(model, &mut epochs, false)?;
    let work = model.work(samples, false);
    let mut callbacks = arguments.callbacks;
    let verbose = begin_callbacks(model, &mut callbacks, &params)?;
    let mut progress = Progress::new(verbose, params.steps);
    let bar = Some(&mut progress);
    let logs = in_pool(work, || {
        run_test(model, &mut epochs, &mut callbacks, &params, bar)
    })?;
    progress.finish(&logs);
    Ok(logs)
}

/// Runs a model over data from its first batch on and gives its logs.
pub(crate) fn run_test(
    model: &mut dyn Trainable,
    epochs: &mut Epochs<'_>,
    callbacks: &mut CallbackList<'_>,
    params: &Params,
    mut progress: Option<&mut Progress>,
) -> Result<Logs> {
    let none = Logs::new();
    let function = model.function(Stage::Test);
    *model.inner().stop_evaluating = false;
    callbacks.on_test_begin(&mut CallbackContext::new(params, model), &none)?;
    let batch = epochs.restart(Pass::default())?;
    model.begin(&batch, false)?;
    let watched = !callbacks.is_empty();
    while let Some((first, last)) = epochs.next()? {
        if watched {
            let cx = &mut CallbackContext::new(params, model);
            callbacks.on_test_batch_begin(cx, first, &none)?;
        }
        function.call(model, epochs.feed())?;
        if watched {
            let logs = model.batch_logs();
            let cx = &mut CallbackContext::new(params, model);
            callbacks.on_test_batch_end(cx, last, &logs)?;
        }
        if let Some(progress) = &mut progress {
            progress.update(last + 1, || model.batch_logs());
        }
        if *model.inner().stop_evaluating {
            break;
        }
    }
    let logs = model.epoch_logs()?;
    callbacks.on_test_end(&mut CallbackContext::new(params, model), &logs)?;
    Ok(logs)
}
