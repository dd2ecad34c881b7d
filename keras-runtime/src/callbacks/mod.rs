//! Callbacks: what is called at the stages of `fit`, `evaluate` and `predict`.

mod backup_and_restore;
mod context;
mod csv_logger;
mod early_stopping;
mod frequency;
mod history;
mod hooks;
mod lambda;
mod learning_rate_scheduler;
mod list;
mod model_checkpoint;
mod monitor;
mod progbar_logger;
mod reduce_lr_on_plateau;
mod swap_ema_weights;
mod tensorboard;
mod terminate_on_nan;
#[cfg(test)]
mod testing;

pub use backup_and_restore::BackupAndRestore;
pub use context::{CallbackContext, GraphNode, ModelHandle, Params};
pub use csv_logger::CSVLogger;
pub use early_stopping::EarlyStopping;
pub use frequency::Frequency;
pub use lambda::LambdaCallback;
pub use learning_rate_scheduler::LearningRateScheduler;
pub use list::CallbackList;
pub use model_checkpoint::ModelCheckpoint;
pub use monitor::Mode;
pub use progbar_logger::ProgbarLogger;
pub use reduce_lr_on_plateau::ReduceLROnPlateau;
pub use swap_ema_weights::SwapEMAWeights;
pub use tensorboard::TensorBoard;
pub use terminate_on_nan::TerminateOnNaN;

pub use crate::saving::Record;

use crate::error::Result;
use crate::model::Logs;

/// Something that is told of every stage of `fit`, `evaluate` and `predict`: `keras.callbacks.Callback`.
///
/// Every hook does nothing by default. An error from a hook ends the training and is returned by
/// `fit`. `logs` are empty at the beginning of a stage; at its end they hold the running means of
/// the loss and the metrics.
#[allow(unused_variables)]
pub trait Callback: Send {
    /// The value of the logs that it waits for, such as `val_loss`: without validation data `fit` refuses
    /// to begin, unless a callback before it may add the value. Keras warns after every epoch.
    fn monitors(&self) -> Option<&str> {
        None
    }
    /// When `fit`, `evaluate` or `predict` has been called, before everything else: `cx` has the model.
    /// Keras calls it before [`set_params`](Self::set_params).
    fn set_model(&mut self, cx: &mut CallbackContext) -> Result<()> {
        Ok(())
    }
    /// When the arguments of the call are known: `cx` has them too.
    fn set_params(&mut self, cx: &mut CallbackContext) -> Result<()> {
        Ok(())
    }
    /// Whether this callback draws the progress, so that `fit`, `evaluate` and `predict` do not.
    fn is_progress_bar(&self) -> bool {
        false
    }
    /// What it remembers from hook to hook, for a [`BackupAndRestore`]: asked for after all callbacks have
    /// been told of a batch or an epoch.
    ///
    /// # Errors
    /// If it cannot be had; this ends the training.
    fn state(&mut self) -> Result<Record> {
        Ok(Record::default())
    }
    /// In the place of [`on_train_begin`](Self::on_train_begin), if a training goes on from a backup: what it
    /// remembered then, when the model and the position in the data are restored already. Within an epoch
    /// [`on_epoch_begin`](Self::on_epoch_begin) is not called again.
    ///
    /// One that remembers nothing begins anew.
    fn restore(&mut self, cx: &mut CallbackContext, state: &Record) -> Result<()> {
        self.on_train_begin(cx, &Logs::new())
    }
    /// The callback that says when `fit` is to make a backup, if this is one or has one.
    #[doc(hidden)]
    fn backup(&mut self) -> Option<&mut BackupAndRestore> {
        None
    }
    /// Before the first epoch.
    fn on_train_begin(&mut self, cx: &mut CallbackContext, logs: &Logs) -> Result<()> {
        Ok(())
    }
    /// After the last epoch.
    fn on_train_end(&mut self, cx: &mut CallbackContext, logs: &Logs) -> Result<()> {
        Ok(())
    }
    /// Before an epoch; epochs count from 0.
    fn on_epoch_begin(
        &mut self,
        cx: &mut CallbackContext,
        epoch: usize,
        logs: &Logs,
    ) -> Result<()> {
        Ok(())
    }
    /// After an epoch and its validation. Values that are added to the logs go into the history.
    fn on_epoch_end(
        &mut self,
        cx: &mut CallbackContext,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        Ok(())
    }
    /// Before a batch of training; batches count from 0 in each epoch.
    fn on_train_batch_begin(
        &mut self,
        cx: &mut CallbackContext,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        self.on_batch_begin(cx, batch, logs)
    }
    /// After a batch of training.
    fn on_train_batch_end(
        &mut self,
        cx: &mut CallbackContext,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        self.on_batch_end(cx, batch, logs)
    }
    /// The older name of [`on_train_batch_begin`](Self::on_train_batch_begin), which calls it.
    fn on_batch_begin(
        &mut self,
        cx: &mut CallbackContext,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        Ok(())
    }
    /// The older name of [`on_train_batch_end`](Self::on_train_batch_end), which calls it.
    fn on_batch_end(&mut self, cx: &mut CallbackContext, batch: usize, logs: &Logs) -> Result<()> {
        Ok(())
    }
    /// Before `evaluate`, or a validation.
    fn on_test_begin(&mut self, cx: &mut CallbackContext, logs: &Logs) -> Result<()> {
        Ok(())
    }
    /// After `evaluate`, or a validation.
    fn on_test_end(&mut self, cx: &mut CallbackContext, logs: &Logs) -> Result<()> {
        Ok(())
    }
    /// Before a batch of `evaluate`, or of a validation.
    fn on_test_batch_begin(
        &mut self,
        cx: &mut CallbackContext,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        Ok(())
    }
    /// After a batch of `evaluate`, or of a validation.
    fn on_test_batch_end(
        &mut self,
        cx: &mut CallbackContext,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        Ok(())
    }
    /// Before `predict`.
    fn on_predict_begin(&mut self, cx: &mut CallbackContext, logs: &Logs) -> Result<()> {
        Ok(())
    }
    /// After `predict`.
    fn on_predict_end(&mut self, cx: &mut CallbackContext, logs: &Logs) -> Result<()> {
        Ok(())
    }
    /// Before a batch of `predict`.
    fn on_predict_batch_begin(
        &mut self,
        cx: &mut CallbackContext,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        Ok(())
    }
    /// After a batch of `predict`, whose outputs are [`ModelHandle::outputs`].
    fn on_predict_batch_end(
        &mut self,
        cx: &mut CallbackContext,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        Ok(())
    }
}
