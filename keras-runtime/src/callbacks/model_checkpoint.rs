//! Saves the model again and again while it is trained.

use std::path::{Path, PathBuf};

use super::frequency::BatchCount;
use super::monitor::Monitor;
use super::{Callback, CallbackContext, Frequency, Record};
use crate::console;
use crate::error::{Error, Result};
use crate::model::Logs;
use crate::python::{self, Value};
use crate::saving;

/// Saves the model, or its weights, at the end of epochs or after batches:
/// `keras.callbacks.ModelCheckpoint`.
///
/// The path can have Python's format fields, filled with `epoch` (from 1), with `batch` (from 1) if
/// `save_freq` counts batches, and with the logs: `weights.{epoch:02d}-{val_loss:.2f}.hdf5`. Directories
/// are made. It ends in `.keras`, `.h5` or `.hdf5`; with `save_weights_only` in `.weights.h5` or `.hdf5`.
#[derive(Clone, Debug)]
pub struct ModelCheckpoint {
    filepath: PathBuf,
    monitor: Monitor,
    verbose: u8,
    save_best_only: bool,
    save_weights_only: bool,
    save_freq: Frequency,

    epoch: usize,
    batches: BatchCount,
}

impl ModelCheckpoint {
    /// Saves the whole model at the end of every epoch to this path, which can have format fields.
    pub fn new(filepath: impl AsRef<Path>) -> Self {
        Self {
            filepath: filepath.as_ref().to_owned(),
            monitor: Monitor::new("ModelCheckpoint", "val_loss"),
            verbose: 0,
            save_best_only: false,
            save_weights_only: false,
            save_freq: Frequency::Epoch,
            epoch: 0,
            batches: BatchCount::default(),
        }
    }

    /// The value of the logs that says which model is the best; `val_loss` by default.
    #[must_use]
    pub fn monitor(mut self, monitor: impl Into<String>) -> Self {
        self.monitor.name = monitor.into();
        self
    }

    /// With 1, says what it saves, and why.
    #[must_use]
    pub fn verbose(mut self, verbose: u8) -> Self {
        self.verbose = verbose;
        self
    }

    /// Whether only a model that is better than all before is saved; every one is by default.
    #[must_use]
    pub fn save_best_only(mut self, save_best_only: bool) -> Self {
        self.save_best_only = save_best_only;
        self
    }

    /// Whether only the weights are saved; the whole model is by default.
    #[must_use]
    pub fn save_weights_only(mut self, save_weights_only: bool) -> Self {
        self.save_weights_only = save_weights_only;
        self
    }

    /// `"min"`, `"max"` or `"auto"`, the default: what the name of the metric says.
    #[must_use]
    pub fn mode(mut self, mode: impl AsRef<str>) -> Self {
        self.monitor.set_mode(mode.as_ref());
        self
    }

    /// `"epoch"`, the default, or a number of batches, up to 1 for every one. They are counted across
    /// epochs; with `steps_per_execution` of N they are looked at after every N batches.
    #[must_use]
    pub fn save_freq(mut self, save_freq: impl Into<Frequency>) -> Self {
        self.save_freq = save_freq.into();
        self
    }

    /// A value that the first model to be saved has to improve on.
    #[must_use]
    pub fn initial_value_threshold(mut self, threshold: f32) -> Self {
        self.monitor.best = Some(threshold);
        self
    }

    /// What TensorFlow can be told about writing files: there is nothing to tell here.
    #[must_use]
    pub fn options<T>(self, _: T) -> Self {
        self
    }

    /// The best value so far; it is kept from one training to the next.
    pub fn best(&self) -> Option<f32> {
        self.monitor.best
    }

    /// Whether the arguments are valid.
    fn check(&self) -> Result<()> {
        let path = self.filepath.to_string_lossy();
        if let Frequency::Word(word) = &self.save_freq {
            return Err(Error::value(format!(
                "Unrecognized save_freq: {word}. Expected save_freq are 'epoch' or integer values"
            )));
        }
        let ends_in = |extensions| saving::ends_in(&self.filepath, extensions);
        if self.save_weights_only && !ends_in(saving::WEIGHTS_EXTENSIONS) {
            return Err(Error::value(format!(
                "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath provided must end in \
                 `.weights.h5` (Keras weights format). Received: filepath={path}"
            )));
        }
        if !self.save_weights_only && !ends_in(saving::MODEL_EXTENSIONS) {
            return Err(Error::value(format!(
                "The filepath provided must end in `.keras` (Keras model format). Received: filepath={path}"
            )));
        }
        Ok(())
    }

    /// The path of a checkpoint.
    fn path(&self, batch: Option<usize>, logs: &Logs) -> Result<String> {
        let failed = |template: &str, reason: &str| {
            Error::Callback(format!(
                "Failed to format this callback filepath: \"{template}\". Reason: {reason}"
            ))
        };
        let Some(template) = self.filepath.to_str() else {
            let template = self.filepath.to_string_lossy();
            return Err(failed(&template, "it is no text"));
        };
        let value = |name: &str| match (name, logs.get(name), batch) {
            ("epoch", ..) => Some(Value::Int(self.epoch as u64 + 1)),
            (_, Some(value), _) => Some(Value::Float(value.into())),
            ("batch", None, Some(batch)) => Some(Value::Int(batch as u64 + 1)),
            _ => None,
        };
        python::format(template, &value).map_err(|reason| failed(template, &reason))
    }

    /// Whether a model with these logs is to be saved.
    fn is_due(&mut self, logs: &Logs, path: &str) -> bool {
        let epoch = self.epoch + 1;
        if !self.save_best_only {
            self.say(&format!("\nEpoch {epoch}: saving model to {path}\n"));
            return true;
        }
        let Monitor { name, best, .. } = &self.monitor;
        let Some(value) = logs.get(name) else {
            console::warn(&format!(
                "Can save best model only with {name} available, skipping."
            ));
            return false;
        };
        let before = best.map_or("None".into(), fixed);
        if !self.monitor.improves(value, *best) {
            self.say(&format!(
                "\nEpoch {epoch}: {name} did not improve from {before}\n"
            ));
            return false;
        }
        self.say(&format!(
            "\nEpoch {epoch}: {name} improved from {before} to {}, saving model to {path}\n",
            fixed(value)
        ));
        self.monitor.best = Some(value);
        true
    }

    fn save(&mut self, cx: &mut CallbackContext, batch: Option<usize>, logs: &Logs) -> Result<()> {
        let path = self.path(batch, logs)?;
        if !self.is_due(logs, &path) {
            return Ok(());
        }
        let file = Path::new(&path);
        if file.is_dir() {
            return Err(Error::Callback(format!(
                "Please specify a non-directory filepath for ModelCheckpoint. Filepath used is an existing directory: \
                 {path}"
            )));
        }
        if let Some(directory) = file.parent() {
            std::fs::create_dir_all(directory).map_err(|error| Error::file(directory, error))?;
        }
        if self.save_weights_only {
            cx.model().save_weights(file)?;
        } else {
            cx.model().save(file)?;
        }
        let epoch = self.epoch + 1;
        self.say(&format!(
            "\nEpoch {epoch}: finished saving model to {path}\n"
        ));
        Ok(())
    }

    fn say(&self, text: &str) {
        if self.verbose > 0 {
            console::print(text);
        }
    }
}

/// A value as `{:.5f}` writes it in Python.
fn fixed(value: f32) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    format!("{:.5}", f64::from(value))
}

impl Callback for ModelCheckpoint {
    fn set_model(&mut self, _: &mut CallbackContext) -> Result<()> {
        self.check()
    }

    fn on_epoch_begin(&mut self, _: &mut CallbackContext, epoch: usize, _: &Logs) -> Result<()> {
        self.epoch = epoch;
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        cx: &mut CallbackContext,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        if !self.batches.is_due(batch, &self.save_freq) {
            return Ok(());
        }
        self.monitor.resolve(cx)?;
        self.save(cx, Some(batch), logs)
    }

    fn on_epoch_end(
        &mut self,
        cx: &mut CallbackContext,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        self.epoch = epoch;
        self.monitor.resolve(cx)?;
        if self.save_freq == Frequency::Epoch {
            self.save(cx, None, logs)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Record> {
        let record = Record::new("ModelCheckpoint").with_number("epoch", self.epoch as u64);
        Ok(self.batches.record(self.monitor.record(record)))
    }

    fn restore(&mut self, _: &mut CallbackContext, state: &Record) -> Result<()> {
        self.epoch = state.count("epoch")?;
        self.batches.restore(state)?;
        self.monitor.restore(state)
    }
}
