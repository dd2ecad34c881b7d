//! The progress bar, as a callback.

use super::{Callback, CallbackContext, Record};
use crate::error::Result;
use crate::model::{Logs, Progress};

/// Prints the progress bar of `fit`, `evaluate` and `predict`: `keras.callbacks.ProgbarLogger`.
///
/// These have one of their own, which this one replaces. In a loop of one's own it belongs at the end
/// of the list, so that it sees what the callbacks before it have logged. What it prints is chosen by
/// [`Params::verbose`](super::Params::verbose).
#[derive(Default)]
pub struct ProgbarLogger {
    progress: Option<Progress>,
    is_in_fit: bool,
}

impl ProgbarLogger {
    /// A bar that begins with the next epoch, evaluation or prediction.
    pub fn new() -> Self {
        Self::default()
    }

    fn begin(&mut self, cx: &CallbackContext) {
        let params = cx.params();
        self.progress = Some(Progress::new(params.verbose, params.steps));
    }

    fn update(&mut self, batch: usize, logs: &Logs) {
        if let Some(progress) = &mut self.progress {
            progress.update(batch + 1, || logs.clone());
        }
    }

    fn finish(&mut self, logs: &Logs) {
        if let Some(mut progress) = self.progress.take() {
            progress.finish(logs);
        }
    }
}

impl Callback for ProgbarLogger {
    fn is_progress_bar(&self) -> bool {
        true
    }

    /// Validation within `fit` is silent.
    fn on_train_begin(&mut self, _: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.is_in_fit = true;
        Ok(())
    }

    fn on_train_end(&mut self, _: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.is_in_fit = false;
        Ok(())
    }

    fn on_epoch_begin(&mut self, cx: &mut CallbackContext, epoch: usize, _: &Logs) -> Result<()> {
        self.begin(cx);
        if let Some(progress) = &mut self.progress {
            progress.begin_epoch(epoch, cx.params().epochs);
        }
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        _: &mut CallbackContext,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        self.update(batch, logs);
        Ok(())
    }

    fn on_epoch_end(&mut self, _: &mut CallbackContext, _: usize, logs: &mut Logs) -> Result<()> {
        self.finish(logs);
        Ok(())
    }

    fn on_test_begin(&mut self, cx: &mut CallbackContext, _: &Logs) -> Result<()> {
        if !self.is_in_fit {
            self.begin(cx);
        }
        Ok(())
    }

    fn on_test_batch_end(
        &mut self,
        _: &mut CallbackContext,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        if !self.is_in_fit {
            self.update(batch, logs);
        }
        Ok(())
    }

    fn on_test_end(&mut self, _: &mut CallbackContext, logs: &Logs) -> Result<()> {
        if !self.is_in_fit {
            self.finish(logs);
        }
        Ok(())
    }

    fn on_predict_begin(&mut self, cx: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.begin(cx);
        Ok(())
    }

    fn on_predict_batch_end(
        &mut self,
        _: &mut CallbackContext,
        batch: usize,
        _: &Logs,
    ) -> Result<()> {
        self.update(batch, &Logs::new());
        Ok(())
    }

    fn on_predict_end(&mut self, _: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.finish(&Logs::new());
        Ok(())
    }

    fn restore(&mut self, cx: &mut CallbackContext, _: &Record) -> Result<()> {
        self.is_in_fit = true;
        // Within an epoch nobody tells of its beginning.
        self.begin(cx);
        Ok(())
    }
}
