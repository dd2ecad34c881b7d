//! `fit`: training over epochs, with validation, callbacks and a progress bar.

use std::ops::Range;

use super::epochs::Epochs;
use super::evaluate::run_test;
use super::feed::Feed;
use super::fit::Fit;
use super::function::{Stage, StepFunction};
use super::history::{History, Logs};
use super::progress::Progress;
use super::trainable::Trainable;
use crate::callbacks::{BackupAndRestore, Callback, CallbackContext, CallbackList, Params};
use crate::data::{Data, Op, Pass, Source};
use crate::error::{Error, Result};
use crate::saving::{Backup, Record};

/// How the samples of arrays are ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shuffle {
    /// As they are.
    No,
    /// All in a new order for each epoch.
    Samples,
    /// Those of each batch in a new order for each epoch.
    WithinBatches,
    /// A word that Keras does not know.
    Unknown(String),
}

impl From<bool> for Shuffle {
    fn from(shuffle: bool) -> Self {
        if shuffle { Self::Samples } else { Self::No }
    }
}

/// `"batch"`, Keras' word for [`Shuffle::WithinBatches`].
impl From<&str> for Shuffle {
    fn from(word: &str) -> Self {
        match word {
            "batch" => Self::WithinBatches,
            _ => Self::Unknown(word.to_owned()),
        }
    }
}

impl Shuffle {
    /// The order of arrays that are batched by `batch_size`.
    fn ops(self, batch_size: usize) -> Result<Vec<Op>> {
        let batch = batches_of(batch_size)?;
        match self {
            Self::No => Ok(vec![batch]),
            Self::Samples => Ok(vec![Op::ShuffleEach, batch]),
            Self::WithinBatches => Ok(vec![batch, Op::ShuffleInside]),
            Self::Unknown(word) => Err(Error::value(format!(
                "`shuffle` expects true, false or \"batch\". Received: shuffle=\"{word}\""
            ))),
        }
    }
}

/// After which epochs there is a validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValidationFrequency {
    /// Each time that so many are done.
    Every(usize),
    /// Those of these numbers, the first epoch being 1.
    Epochs(Vec<usize>),
}

impl From<usize> for ValidationFrequency {
    fn from(epochs: usize) -> Self {
        Self::Every(epochs)
    }
}

impl<const N: usize> From<[usize; N]> for ValidationFrequency {
    fn from(epochs: [usize; N]) -> Self {
        Self::Epochs(epochs.into())
    }
}

impl From<Vec<usize>> for ValidationFrequency {
    fn from(epochs: Vec<usize>) -> Self {
        Self::Epochs(epochs)
    }
}

impl ValidationFrequency {
    fn includes(&self, epoch: usize) -> bool {
        match self {
            Self::Every(epochs) => (epoch + 1).is_multiple_of(*epochs),
            Self::Epochs(epochs) => epochs.contains(&(epoch + 1)),
        }
    }
}

/// Batches of a size.
pub(crate) fn batches_of(size: usize) -> Result<Op> {
    if size == 0 {
        return Err(Error::value(
            "`batch_size` expects a positive integer. Received: batch_size=0",
        ));
    }
    Ok(Op::Batch {
        size,
        drop_remainder: false,
    })
}

pub(crate) fn fit<'a>(
    model: &mut dyn Trainable,
    data: Data<'a>,
    arguments: Fit<'a>,
) -> Result<History> {
    let steps_per_execution = compiled(model)?;
    if arguments.validation_freq == ValidationFrequency::Every(0) {
        return Err(Error::value(
            "`validation_freq` expects a positive number of epochs. Received: validation_freq=0",
        ));
    }
    let network = model.network();
    let batch_size = arguments.batch_size.unwrap_or(32);
    let ops = arguments.shuffle.ops(batch_size)?;
    let mut data = data.class_weight(arguments.class_weight);
    if let Some(weights) = arguments.sample_weight {
        data = data.sample_weight(weights?)?;
    }
    let (data, validation) = match arguments.validation {
        Some(validation) => (data, Some(validation?)),
        None if arguments.validation_split == 0.0 => (data, None),
        None => {
            let (training, validation) = split(data, arguments.validation_split)?;
            (training, Some(validation))
        }
    };
    check_monitors(&arguments.callbacks, validation.is_some())?;
    let samples = data.batch_size(batch_size);
    let feed = Feed::new(network.clone(), data, true, ops)?;
    let first_epoch = arguments.initial_epoch;
    let training = Epochs::new(
        feed,
        arguments.steps_per_epoch,
        steps_per_execution,
        first_epoch,
    );
    let validation = match validation {
        None => None,
        Some(data) => {
            let size = arguments.validation_batch_size.unwrap_or(batch_size);
            let feed = Feed::new(network, data, true, vec![batches_of(size)?])?;
            let steps = arguments.validation_steps;
            Some(Epochs::new(feed, steps, steps_per_execution, 0))
        }
    };
    let mut loops = Loop {
        training,
        validation,
        validation_freq: arguments.validation_freq,
        epochs: first_epoch..arguments.epochs,
        params: Params {
            verbose: arguments.verbose,
            batch_size: samples,
            epochs: arguments.epochs,
            steps: None,
        },
        function: model.function(Stage::Train),
        history: History::new(),
        logs: Logs::new(),
    };
    loops.params.steps = loops.training.steps();
    // Whatever does not fit is found before the first epoch.
    if let Some(validation) = &mut loops.validation {
        begin(model, validation, false)?;
    }
    let samples = begin(model, &mut loops.training, true)?;
    let work = model.work(samples, true);
    let mut callbacks = arguments.callbacks;
    in_pool(work, || loops.run(model, &mut callbacks))
}

/// The steps of an execution of a model that is compiled.
pub(crate) fn compiled(model: &mut dyn Trainable) -> Result<usize> {
    let inner = model.inner();
    if !inner.is_compiled {
        return Err(Error::NotCompiled);
    }
    Ok(inner.steps_per_execution)
}

/// Keeps the last samples for validation.
fn split(data: Data<'_>, fraction: f32) -> Result<(Data<'_>, Data<'_>)> {
    let Data {
        source,
        class_weight,
    } = data;
    let (arrays, ops) = match source {
        Source::Arrays(arrays) => (arrays, None),
        Source::Rows(arrays, ops) => (arrays, Some(ops)),
        Source::Stream(_) => {
            return Err(Error::value(
                "Argument `validation_split` is only supported for tensors or NumPy arrays. Received: a data set whose \
                 batches come one after the other",
            ));
        }
    };
    let (first, last) = arrays.split(fraction)?;
    let first = match ops {
        None => Source::Arrays(first),
        Some(ops) => Source::Rows(first, ops),
    };
    let training = Data::new(first).class_weight(class_weight);
    Ok((training, Data::new(Source::Arrays(last))))
}

/// Whether there is validation for every callback that waits for its values.
fn check_monitors(callbacks: &CallbackList<'_>, has_validation: bool) -> Result<()> {
    let missing = callbacks.monitored().find(|name| name.starts_with("val_"));
    match missing {
        Some(name) if !has_validation => Err(Error::Callback(format!(
            "A callback monitors `{name}`, but there is no validation data. Pass `validation` or `validation_split` to \
             `fit`. Received: monitor=\"{name}\""
        ))),
        _ => Ok(()),
    }
}

/// What the order of the next pass over the data depends on.
fn pass(model: &mut dyn Trainable) -> Pass {
    let inner = model.inner();
    Pass {
        number: 0,
        seed: inner.seed,
        step: inner.step,
    }
}

/// Prepares a model for the data, and gives the number of samples in the first batch.
pub(crate) fn begin(
    model: &mut dyn Trainable,
    epochs: &mut Epochs<'_>,
    training: bool,
) -> Result<usize> {
    let pass = pass(model);
    let samples = {
        let batch = epochs.first(pass)?;
        model.begin(&batch, training)?;
        batch.rows.len()
    };
    epochs.feed().check_with(model.batch_check(training));
    Ok(samples)
}

/// Everything that one call of `fit` works with.
struct Loop<'a> {
    training: Epochs<'a>,
    validation: Option<Epochs<'a>>,
    validation_freq: ValidationFrequency,
    /// The epochs that are not done.
    epochs: Range<usize>,
    params: Params,
    function: StepFunction,
    history: History,
    /// The logs of the last epoch.
    logs: Logs,
}

impl Loop<'_> {
    fn run(
        mut self,
        model: &mut dyn Trainable,
        callbacks: &mut CallbackList<'_>,
    ) -> Result<History> {
        let params = self.params.clone();
        let none = Logs::new();
        *model.inner().stop_training = false;
        let verbose = begin_callbacks(model, callbacks, &params)?;
        let backup = match callbacks.backup() {
            Some(backup) => backup.read()?,
            None => None,
        };
        let (mut is_within, mut is_over) = (false, false);
        match backup {
            Some(backup) => {
                is_within = self.restore(model, callbacks, &backup)?;
                is_over = !is_within && *model.inner().stop_training;
            }
            None => callbacks.on_train_begin(&mut CallbackContext::new(&params, model), &none)?,
        }
        while !is_over && self.epochs.start < self.epochs.end {
            let epoch = self.epochs.start;
            // What stopped the epoch was told of before the backup was made.
            let is_cut = is_within && *model.inner().stop_training;
            if !is_within {
                begin(model, &mut self.training, true)?;
                let cx = &mut CallbackContext::new(&params, model);
                callbacks.on_epoch_begin(cx, epoch, &none)?;
            }
            let mut progress = Progress::new(verbose, self.training.target());
            progress.begin_epoch(epoch, self.epochs.end);
            if !is_cut {
                self.epoch(model, callbacks, &params, &mut progress)?;
            }
            is_within = false;
            self.logs = model.epoch_logs()?;
            if let Some(validation) = &mut self.validation
                && self.validation_freq.includes(epoch)
            {
                let values = run_test(model, validation, callbacks, &params, None)?;
                for (name, value) in values.iter() {
                    self.logs.insert(&format!("val_{name}"), value);
                }
            }
            let mut with_callbacks = self.logs.clone();
            let cx = &mut CallbackContext::new(&params, model);
            callbacks.on_epoch_end(cx, epoch, &mut with_callbacks)?;
            self.history.push(epoch, &with_callbacks);
            progress.finish(&with_callbacks);
            self.epochs.start += 1;
            self.back_up(model, callbacks, false)?;
            is_over = *model.inner().stop_training;
        }
        model.finalize();
        callbacks.on_train_end(&mut CallbackContext::new(&params, model), &self.logs)?;
        if let Some(backup) = callbacks.backup() {
            backup.finish()?;
        }
        Ok(self.history)
    }

    fn epoch(
        &mut self,
        model: &mut dyn Trainable,
        callbacks: &mut CallbackList<'_>,
        params: &Params,
        progress: &mut Progress,
    ) -> Result<()> {
        let none = Logs::new();
        let watched = !callbacks.is_empty();
        while let Some((first, last)) = self.training.next()? {
            if watched {
                let cx = &mut CallbackContext::new(params, model);
                callbacks.on_train_batch_begin(cx, first, &none)?;
            }
            self.function.call(model, self.training.feed())?;
            if watched {
                let logs = model.batch_logs();
                let cx = &mut CallbackContext::new(params, model);
                callbacks.on_train_batch_end(cx, last, &logs)?;
                self.back_up(model, callbacks, true)?;
            }
            progress.update(last + 1, || model.batch_logs());
            if *model.inner().stop_training {
                break;
            }
        }
        Ok(())
    }

    /// Makes a backup if one is due: after all callbacks have been told of a batch within an epoch, or of an
    /// epoch.
    fn back_up(
        &mut self,
        model: &mut dyn Trainable,
        callbacks: &mut CallbackList<'_>,
        is_within: bool,
    ) -> Result<()> {
        let Some(paths) = callbacks.backup().and_then(BackupAndRestore::take_due) else {
            return Ok(());
        };
        let (latest, previous) = paths?;
        let is_stopped = *model.inner().stop_training;
        let record = Record::new("Training")
            .with_number("epoch", self.epochs.start as u64)
            .with_number("is_within", is_within.into())
            .with_number("is_stopped", is_stopped.into())
            .with_records("history", [self.history.record()])
            .with_records("logs", [self.logs.record()])
            .with_records("data", [self.training.record()])
            .with_records("validation", self.validation.as_ref().map(Epochs::record))
            .with_records("callbacks", [callbacks.state()?]);
        model.back_up(&latest, previous.as_deref(), record)
    }

    /// Goes on where a backup was made, and says whether that is within an epoch.
    fn restore(
        &mut self,
        model: &mut dyn Trainable,
        callbacks: &mut CallbackList<'_>,
        backup: &Backup,
    ) -> Result<bool> {
        let record = &backup.training;
        model.restore(backup)?;
        *model.inner().stop_training = record.flag("is_stopped")?;
        self.epochs.start = record.count("epoch")?;
        self.history = History::from_record(record.record("history")?)?;
        self.logs = Logs::from_record(record.record("logs")?)?;
        self.training.restore(record.record("data")?)?;
        match (&mut self.validation, record.records("validation")?) {
            (Some(validation), [record]) => validation.restore(record)?,
            (None, []) => {}
            (now, _) => {
                let said = |is_there: bool| {
                    if is_there {
                        "validation"
                    } else {
                        "no validation"
                    }
                };
                return Err(Error::value(format!(
                    "A training goes on with the data that it began with. Expected {}. Received: {}",
                    said(now.is_none()),
                    said(now.is_some())
                )));
            }
        }
        let params = self.params.clone();
        let cx = &mut CallbackContext::new(&params, model);
        callbacks.restore(cx, record.record("callbacks")?)?;
        record.flag("is_within")
    }
}

/// Tells callbacks of the model and the arguments, and gives what is left to print: nothing if one of
/// them draws the progress.
pub(crate) fn begin_callbacks(
    model: &mut dyn Trainable,
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

/// Runs a loop of steps inside the pool of threads, where splitting the work of a step is cheap; a
/// loop of small steps runs here and now.
pub(crate) fn in_pool<R: Send>(work: usize, run: impl FnOnce() -> R + Send) -> R {
    if work < WORTH_THE_POOL {
        return run();
    }
    rayon::scope(|_| run())
}
