//! `fit`: training over epochs, with validation, callbacks and a progress bar.

use std::ops::Range;

use super::Model;
use super::evaluate::run_batches;
use super::feed::Feed;
use super::history::{History, Logs};
use super::predict::check_batch_size;
use super::progress::Progress;
use super::step;
use crate::callbacks::{Callback, CallbackContext, CallbackList, Params};
use crate::data::{Data, IntoData};
use crate::device::Memory;
use crate::error::{Error, Result};
use crate::random::Key;

/// The arguments of [`Model::fit`].
pub struct Fit<'a> {
    epochs: usize,
    initial_epoch: usize,
    batch_size: Option<usize>,
    steps_per_epoch: Option<usize>,
    verbose: u8,
    shuffle: bool,
    validation_split: f32,
    validation: Option<Result<Data<'a>>>,
    validation_batch_size: Option<usize>,
    validation_freq: usize,
    callbacks: CallbackList<'a>,
}

impl<'a> Fit<'a> {
    /// Training until this many epochs are done.
    pub fn epochs(epochs: usize) -> Self {
        Self {
            epochs,
            initial_epoch: 0,
            batch_size: None,
            steps_per_epoch: None,
            verbose: 1,
            shuffle: true,
            validation_split: 0.0,
            validation: None,
            validation_batch_size: None,
            validation_freq: 1,
            callbacks: CallbackList::empty(),
        }
    }

    /// The samples of one step: those of the data set, or 32, by default.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = Some(batch_size);
        self
    }

    /// The number of the first epoch, to go on with earlier training; 0 by default.
    #[must_use]
    pub fn initial_epoch(mut self, epoch: usize) -> Self {
        self.initial_epoch = epoch;
        self
    }

    /// At most so many batches in each epoch; all of them by default.
    #[must_use]
    pub fn steps_per_epoch(mut self, steps: usize) -> Self {
        self.steps_per_epoch = Some(steps);
        self
    }

    /// What is printed: nothing (0), a progress bar (1, the default) or a line for each epoch (2).
    #[must_use]
    pub fn verbose(mut self, verbose: u8) -> Self {
        self.verbose = verbose;
        self
    }

    /// Whether the samples are put into a new order for each epoch; they are by default. A
    /// [`Dataset`](crate::data::Dataset) has its own order.
    #[must_use]
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// The fraction of the samples, taken from the end, that is kept for validation.
    #[must_use]
    pub fn validation_split(mut self, fraction: f32) -> Self {
        self.validation_split = fraction;
        self
    }

    /// Data to evaluate on after each epoch.
    #[must_use]
    pub fn validation(mut self, data: impl IntoData<'a>) -> Self {
        self.validation = Some(data.into_data());
        self
    }

    /// The samples of one step of validation; as many as in training by default.
    #[must_use]
    pub fn validation_batch_size(mut self, batch_size: usize) -> Self {
        self.validation_batch_size = Some(batch_size);
        self
    }

    /// Validation after every so many epochs; after each by default.
    #[must_use]
    pub fn validation_freq(mut self, epochs: usize) -> Self {
        self.validation_freq = epochs;
        self
    }

    /// One more callback.
    #[must_use]
    pub fn callback(mut self, callback: impl Callback + 'a) -> Self {
        self.callbacks.push(callback);
        self
    }
}

/// How the samples of an epoch are ordered.
#[derive(Clone, Copy)]
enum Order {
    /// As they are.
    Given,
    /// A new order for each epoch, from the model's seed and the steps it has taken.
    Shuffled,
    /// The data set's own, from its seed and the number of the epoch.
    Seeded(u64),
}

/// The stream of random numbers that orders samples.
const SHUFFLE: u64 = 3;

impl Order {
    /// Puts the rows of an epoch into their order.
    fn apply<M: Model>(self, model: &M, epoch: usize, rows: &mut Vec<u32>, samples: usize) {
        rows.clear();
        rows.extend(0..samples as u32);
        let (seed, index) = match self {
            Order::Given => return,
            Order::Shuffled => (model.core().seed, model.run().step),
            Order::Seeded(seed) => (seed, epoch as u64),
        };
        Key::new(seed).fold(SHUFFLE).fold(index).shuffle(rows);
    }
}

pub(crate) fn fit<M: Model>(model: &mut M, data: Data<'_>, fit: Fit<'_>) -> Result<History> {
    if model.run().compiled.is_none() {
        return Err(Error::NotCompiled);
    }
    let batch_size = check_batch_size(fit.batch_size.or(data.batch_size).unwrap_or(32))?;
    if fit.validation_freq == 0 {
        return Err(Error::value(
            "`validation_freq` expects a positive number of epochs. Received: validation_freq=0",
        ));
    }
    let order = match (data.batch_size, data.shuffle) {
        (_, Some(seed)) => Order::Seeded(seed),
        (Some(_), None) => Order::Given,
        (None, None) if fit.shuffle => Order::Shuffled,
        (None, None) => Order::Given,
    };
    let (data, validation) = match fit.validation {
        Some(validation) => (data, Some(validation?)),
        None if fit.validation_split == 0.0 => (data, None),
        None => {
            let (training, validation) = data.split(fit.validation_split)?;
            (training, Some(validation))
        }
    };
    let feed = Feed::new::<M>(data)?;
    let validation = match validation {
        None => None,
        Some(data) => {
            let size = fit
                .validation_batch_size
                .or(data.batch_size)
                .unwrap_or(batch_size);
            Some((Feed::new::<M>(data)?, check_batch_size(size)?))
        }
    };
    let samples = feed.samples();
    let all = feed.batches(batch_size);
    if all == 0 {
        return Err(Error::value(
            "`fit` expects at least one sample. Received: empty data",
        ));
    }
    let training = Training {
        steps: fit
            .steps_per_epoch
            .filter(|&steps| steps > 0)
            .unwrap_or(all)
            .min(all),
        feed,
        validation,
        validation_freq: fit.validation_freq,
        batch_size,
        order,
        epochs: fit.initial_epoch..fit.epochs,
        verbose: fit.verbose,
    };
    let mut callbacks = fit.callbacks;
    let mut rows: Vec<u32> = (0..samples.min(batch_size) as u32).collect();
    if let Some((feed, batch_size)) = &training.validation {
        let rows: Vec<u32> = (0..feed.samples().min(*batch_size) as u32).collect();
        model.begin(&feed.batch(&rows), false)?;
    }
    model.begin(&training.feed.batch(&rows), true)?;
    let work = work(model, batch_size, true);
    in_pool(work, || training.run(model, &mut callbacks, &mut rows))
}

/// Everything that one call of `fit` works with.
struct Training<'a> {
    feed: Feed<'a>,
    validation: Option<(Feed<'a>, usize)>,
    validation_freq: usize,
    batch_size: usize,
    steps: usize,
    order: Order,
    epochs: Range<usize>,
    verbose: u8,
}

impl Training<'_> {
    fn run<M: Model>(
        &self,
        model: &mut M,
        callbacks: &mut CallbackList<'_>,
        rows: &mut Vec<u32>,
    ) -> Result<History> {
        let params = Params {
            verbose: self.verbose,
            batch_size: Some(self.batch_size),
            epochs: self.epochs.end,
            steps: Some(self.steps),
        };
        let none = Logs::new();
        let mut history = History::new();
        let mut logs = Logs::new();
        model.split().1.stop_training = false;
        let verbose = begin_callbacks(model, callbacks, &params)?;
        callbacks.on_train_begin(&mut CallbackContext::new(&params, model), &none)?;
        for epoch in self.epochs.clone() {
            model.reset_metrics();
            callbacks.on_epoch_begin(&mut CallbackContext::new(&params, model), epoch, &none)?;
            let mut progress = Progress::new(verbose, Some(self.steps));
            progress.begin_epoch(epoch, self.epochs.end);
            self.order.apply(model, epoch, rows, self.feed.samples());
            self.epoch(model, callbacks, &params, rows, &mut progress)?;
            logs = model.epoch_logs();
            if let Some((feed, batch_size)) = &self.validation
                && (epoch + 1) % self.validation_freq == 0
            {
                let validation = run_batches(model, feed, *batch_size, callbacks, &params, None)?;
                for (name, value) in validation.iter() {
                    logs.insert(&format!("val_{name}"), value);
                }
                // The memory of losses and metrics goes back to training.
                let first = rows.len().min(self.batch_size);
                model.begin(&self.feed.batch(&rows[..first]), true)?;
            }
            let mut with_callbacks = logs.clone();
            let cx = &mut CallbackContext::new(&params, model);
            callbacks.on_epoch_end(cx, epoch, &mut with_callbacks)?;
            history.push(epoch, &with_callbacks);
            progress.finish(&with_callbacks);
            if model.run().stop_training {
                break;
            }
        }
        let (core, run) = model.split();
        step::finalize_weights(core, run);
        callbacks.on_train_end(&mut CallbackContext::new(&params, model), &logs)?;
        Ok(history)
    }

    fn epoch<M: Model>(
        &self,
        model: &mut M,
        callbacks: &mut CallbackList<'_>,
        params: &Params,
        rows: &[u32],
        progress: &mut Progress,
    ) -> Result<()> {
        let none = Logs::new();
        for (step, rows) in rows.chunks(self.batch_size).take(self.steps).enumerate() {
            let watched = !callbacks.is_empty();
            if watched {
                let cx = &mut CallbackContext::new(params, model);
                callbacks.on_train_batch_begin(cx, step, &none)?;
            }
            model.train_step(&self.feed.batch(rows))?;
            if watched {
                let logs = model.batch_logs();
                let cx = &mut CallbackContext::new(params, model);
                callbacks.on_train_batch_end(cx, step, &logs)?;
            }
            progress.update(step + 1, || model.batch_logs());
            if model.run().stop_training {
                break;
            }
        }
        Ok(())
    }
}

/// Tells callbacks of the model and the arguments, and gives what is left to print: nothing if one of
/// them draws the progress.
pub(crate) fn begin_callbacks<M: Model>(
    model: &mut M,
    callbacks: &mut CallbackList<'_>,
    params: &Params,
) -> Result<u8> {
    let cx = &mut CallbackContext::new(params, model);
    callbacks.set_model(cx)?;
    callbacks.set_params(cx)?;
    Ok(if callbacks.is_progress_bar() {
        0
    } else {
        params.verbose
    })
}

/// Operations of a step from which training runs inside the pool of threads.
const WORTH_THE_POOL: usize = 250_000;

/// About how many operations a step takes: each weight is used once for every sample at least,
/// and each value once.
pub(crate) fn work<M: Model>(model: &M, batch_size: usize, training: bool) -> usize {
    let parameters = model.core().parameters.as_ref();
    let weights = parameters.map_or(0, |parameters| M::Device::len(&parameters.params));
    let space = model.run().space(training);
    let values: usize = space.map_or(0, |space| space.plan.slots.iter().sum());
    (batch_size * weights).max(values)
}

/// Runs a loop of steps inside the pool of threads, where splitting the work of a step is cheap; a
/// loop of small steps runs here and now.
pub(crate) fn in_pool<R: Send>(work: usize, run: impl FnOnce() -> R + Send) -> R {
    if work < WORTH_THE_POOL {
        return run();
    }
    rayon::scope(|_| run())
}
