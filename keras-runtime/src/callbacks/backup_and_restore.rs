//! Backs a training up, so that one that was interrupted goes on.
//!
//! ```text
//! backup_dir/latest.backup         the last backup
//! backup_dir/latest.backup.bkp     the one before, with `double_checkpoint`
//! ```

use std::path::{Path, PathBuf};

use super::frequency::BatchCount;
use super::{Callback, CallbackContext, Frequency, Record};
use crate::console;
use crate::error::{Error, Result};
use crate::model::Logs;
use crate::saving::Backup;

/// Backs up a training while it runs, and restores it when `fit` is called again after an interruption:
/// `keras.callbacks.BackupAndRestore`.
///
/// A backup has everything that the training depends on: the weights and what the optimizer remembers, the
/// running means of the epoch, the history, what the other callbacks remember ([`Callback::state`]), where the
/// random numbers and the data are. The training that goes on ends, bit by bit, as if it had not been
/// interrupted, and `fit` returns the history of all epochs. It takes the same program: the same model,
/// `compile`, data and callbacks. The place of this callback among the others does not matter.
///
/// The directory belongs to this callback. When `fit` has come to its end the backup is deleted, and the
/// directory, if nothing else is in it.
///
/// ```
/// use keras_runtime::callbacks::BackupAndRestore;
///
/// let every_epoch = BackupAndRestore::new("backup");
/// let every_hundred_batches = BackupAndRestore::new("backup").save_freq(100);
/// ```
#[derive(Clone, Debug)]
pub struct BackupAndRestore {
    backup_dir: PathBuf,
    save_freq: Frequency,
    double_checkpoint: bool,
    delete_checkpoint: bool,

    batches: BatchCount,
    is_due: bool,
}

impl BackupAndRestore {
    /// A backup at the end of every epoch, in a directory that is made when it is needed.
    pub fn new(backup_dir: impl AsRef<Path>) -> Self {
        Self {
            backup_dir: backup_dir.as_ref().to_owned(),
            save_freq: Frequency::Epoch,
            double_checkpoint: false,
            delete_checkpoint: true,
            batches: BatchCount::default(),
            is_due: false,
        }
    }

    /// `"epoch"`, the default, or a number of batches, up to 1 for every one. They are counted across
    /// epochs; the training goes on within the epoch.
    #[must_use]
    pub fn save_freq(mut self, save_freq: impl Into<Frequency>) -> Self {
        self.save_freq = save_freq.into();
        self
    }

    /// Whether the backup before the last one is kept, for the case that the last one cannot be read; it is
    /// not by default.
    #[must_use]
    pub fn double_checkpoint(mut self, double_checkpoint: bool) -> Self {
        self.double_checkpoint = double_checkpoint;
        self
    }

    /// Whether the backup is deleted at the end of the training; it is by default. With `false` another `fit`
    /// goes on after the last epoch of this one.
    #[must_use]
    pub fn delete_checkpoint(mut self, delete_checkpoint: bool) -> Self {
        self.delete_checkpoint = delete_checkpoint;
        self
    }

    fn latest(&self) -> PathBuf {
        self.backup_dir.join("latest.backup")
    }

    fn previous(&self) -> PathBuf {
        self.backup_dir.join("latest.backup.bkp")
    }

    /// Where a backup is to be written now, and where the one before it is kept; `None` if none is due.
    pub(crate) fn take_due(&mut self) -> Option<Result<(PathBuf, Option<PathBuf>)>> {
        std::mem::take(&mut self.is_due).then(|| self.paths())
    }

    fn paths(&self) -> Result<(PathBuf, Option<PathBuf>)> {
        Backup::create_directory(&self.backup_dir)?;
        let previous = self.double_checkpoint.then(|| self.previous());
        Ok((self.latest(), previous))
    }

    /// The backup of a training that was interrupted, if there is one.
    ///
    /// # Errors
    /// If there is one that cannot be read, and none before it.
    pub(crate) fn read(&self) -> Result<Option<Backup>> {
        Backup::remove_leftovers(&self.backup_dir);
        let (latest, previous) = (self.latest(), self.previous());
        let error = match Backup::read(&latest) {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        match Backup::read(&previous) {
            Ok(Some(found)) => {
                console::warn(&format!(
                    "{error}. The training goes on from the backup before: {}",
                    previous.display()
                ));
                Ok(Some(found))
            }
            _ => Err(error),
        }
    }

    /// Deletes the backup, if that was asked for.
    ///
    /// # Errors
    /// If it cannot be deleted.
    pub(crate) fn finish(&self) -> Result<()> {
        if !self.delete_checkpoint {
            return Ok(());
        }
        Backup::remove(&self.previous())?;
        Backup::remove(&self.latest())?;
        // What else is in the directory is not ours.
        let _ = std::fs::remove_dir(&self.backup_dir);
        Ok(())
    }
}

impl Callback for BackupAndRestore {
    fn set_model(&mut self, _: &mut CallbackContext) -> Result<()> {
        if self.backup_dir.as_os_str().is_empty() {
            return Err(Error::value("Empty `backup_dir` argument passed"));
        }
        match &self.save_freq {
            Frequency::Word(word) => Err(Error::value(format!(
                "Invalid value for argument `save_freq`. Received: save_freq={word}. Expected either 'epoch' or an \
                 integer value."
            ))),
            Frequency::Epoch | Frequency::Batches(_) => Ok(()),
        }
    }

    fn on_train_begin(&mut self, _: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.batches = BatchCount::default();
        self.is_due = false;
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        _: &mut CallbackContext,
        batch: usize,
        _: &Logs,
    ) -> Result<()> {
        self.is_due = self.batches.is_due(batch, &self.save_freq);
        Ok(())
    }

    fn on_epoch_end(&mut self, _: &mut CallbackContext, _: usize, _: &mut Logs) -> Result<()> {
        self.is_due = self.save_freq == Frequency::Epoch;
        Ok(())
    }

    fn state(&mut self) -> Result<Record> {
        Ok(self.batches.record(Record::new("BackupAndRestore")))
    }

    fn restore(&mut self, _: &mut CallbackContext, state: &Record) -> Result<()> {
        self.is_due = false;
        self.batches.restore(state)
    }

    fn backup(&mut self) -> Option<&mut BackupAndRestore> {
        Some(self)
    }
}
