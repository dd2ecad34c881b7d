//! `evaluate`: the loss and the metrics of a model on data it is not trained on.

use super::Model;
use super::feed::Feed;
use super::fit::{begin_callbacks, in_pool, work};
use super::history::Logs;
use super::predict::check_batch_size;
use super::progress::Progress;
use crate::callbacks::{Callback, CallbackContext, CallbackList, Params};
use crate::data::Data;
use crate::error::{Error, Result};

/// The arguments of [`Model::evaluate`].
pub struct Evaluate<'a> {
    batch_size: Option<usize>,
    verbose: u8,
    callbacks: CallbackList<'a>,
}

impl<'a> Evaluate<'a> {
    /// So many samples at a time.
    pub fn batch_size(batch_size: usize) -> Self {
        Self {
            batch_size: Some(batch_size),
            ..Self::default()
        }
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
    /// The data set's batch size, or 32.
    fn default() -> Self {
        Self {
            batch_size: None,
            verbose: 1,
            callbacks: CallbackList::empty(),
        }
    }
}

pub(crate) fn evaluate<M: Model>(
    model: &mut M,
    data: Data<'_>,
    evaluate: Evaluate<'_>,
) -> Result<Logs> {
    if model.run().compiled.is_none() {
        return Err(Error::NotCompiled);
    }
    let Evaluate {
        batch_size,
        verbose,
        mut callbacks,
    } = evaluate;
    let batch_size = check_batch_size(batch_size.or(data.batch_size).unwrap_or(32))?;
    let feed = Feed::new::<M>(data)?;
    let steps = feed.batches(batch_size);
    if steps == 0 {
        return Err(Error::value(
            "`evaluate` expects at least one sample. Received: empty data",
        ));
    }
    let params = Params {
        verbose,
        batch_size: Some(batch_size),
        epochs: 1,
        steps: Some(steps),
    };
    let rows: Vec<u32> = (0..feed.samples().min(batch_size) as u32).collect();
    model.begin(&feed.batch(&rows), false)?;
    let verbose = begin_callbacks(model, &mut callbacks, &params)?;
    let mut progress = Progress::new(verbose, Some(steps));
    let work = work(model, batch_size, false);
    let bar = Some(&mut progress);
    let logs = in_pool(work, || {
        run_batches(model, &feed, batch_size, &mut callbacks, &params, bar)
    })?;
    progress.finish(&logs);
    Ok(logs)
}

/// Runs the model over all batches of a feed and gives its logs.
pub(crate) fn run_batches<M: Model>(
    model: &mut M,
    feed: &Feed<'_>,
    batch_size: usize,
    callbacks: &mut CallbackList<'_>,
    params: &Params,
    mut progress: Option<&mut Progress>,
) -> Result<Logs> {
    let none = Logs::new();
    let rows: Vec<u32> = (0..feed.samples() as u32).collect();
    model.begin(&feed.batch(&rows[..rows.len().min(batch_size)]), false)?;
    model.split().1.stop_evaluating = false;
    callbacks.on_test_begin(&mut CallbackContext::new(params, model), &none)?;
    let batches = rows.chunks(batch_size).take(feed.batches(batch_size));
    for (step, rows) in batches.enumerate() {
        let watched = !callbacks.is_empty();
        if watched {
            let cx = &mut CallbackContext::new(params, model);
            callbacks.on_test_batch_begin(cx, step, &none)?;
        }
        model.test_step(&feed.batch(rows))?;
        if watched {
            let logs = model.batch_logs();
            let cx = &mut CallbackContext::new(params, model);
            callbacks.on_test_batch_end(cx, step, &logs)?;
        }
        if let Some(progress) = &mut progress {
            progress.update(step + 1, || model.batch_logs());
        }
        if model.run().stop_evaluating {
            break;
        }
    }
    let logs = model.epoch_logs();
    callbacks.on_test_end(&mut CallbackContext::new(params, model), &logs)?;
    Ok(logs)
}
