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
use crate::callbacks::{Callback, CallbackContext, CallbackList, Params};
use crate::data::{Data, Op, Pass, Source};
use crate::error::{Error, Result};

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
            batch_size: Some(batch_size),
            epochs: arguments.epochs,
            steps: None,
        },
        function: model.function(Stage::Train),
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
    epochs.feed().check_with(model.target_check());
    Ok(samples)
}

/// Everything that one call of `fit` works with.
struct Loop<'a> {
    training: Epochs<'a>,
    validation: Option<Epochs<'a>>,
    validation_freq: ValidationFrequency,
    epochs: Range<usize>,
    params: Params,
    function: StepFunction,
}

impl Loop<'_> {
    fn run(
        &mut self,
        model: &mut dyn Trainable,
        callbacks: &mut CallbackList<'_>,
    ) -> Result<History> {
        let params = self.params.clone();
        let none = Logs::new();
        let mut history = History::new();
        let mut logs = Logs::new();
        *model.inner().stop_training = false;
        let verbose = begin_callbacks(model, callbacks, &params)?;
        callbacks.on_train_begin(&mut CallbackContext::new(&params, model), &none)?;
        for epoch in self.epochs.clone() {
            begin(model, &mut self.training, true)?;
            callbacks.on_epoch_begin(&mut CallbackContext::new(&params, model), epoch, &none)?;
            let mut progress = Progress::new(verbose, self.training.target());
            progress.begin_epoch(epoch, self.epochs.end);
            self.epoch(model, callbacks, &params, &mut progress)?;
            logs = model.epoch_logs();
            if let Some(validation) = &mut self.validation
                && self.validation_freq.includes(epoch)
            {
                let values = run_test(model, validation, callbacks, &params, None)?;
                for (name, value) in values.iter() {
                    logs.insert(&format!("val_{name}"), value);
                }
            }
            let mut with_callbacks = logs.clone();
            let cx = &mut CallbackContext::new(&params, model);
            callbacks.on_epoch_end(cx, epoch, &mut with_callbacks)?;
            history.push(epoch, &with_callbacks);
            progress.finish(&with_callbacks);
            if *model.inner().stop_training {
                break;
            }
        }
        model.finalize();
        callbacks.on_train_end(&mut CallbackContext::new(&params, model), &logs)?;
        Ok(history)
    }

    fn epoch(
        &mut self,
        model: &mut dyn Trainable,
        callbacks: &mut CallbackList<'_>,
        params: &Params,
        progress: &mut Progress,
    ) -> Result<()> {
        let none = Logs::new();
        let function = &self.function;
        let watched = !callbacks.is_empty();
        self.training.run(|first, last, feed| {
            if watched {
                let cx = &mut CallbackContext::new(params, model);
                callbacks.on_train_batch_begin(cx, first, &none)?;
            }
            function.call(model, feed)?;
            if watched {
                let logs = model.batch_logs();
                let cx = &mut CallbackContext::new(params, model);
                callbacks.on_train_batch_end(cx, last, &logs)?;
            }
            progress.update(last + 1, || model.batch_logs());
            Ok(!*model.inner().stop_training)
        })
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
