//! The history of a training, as a callback: `keras.callbacks.History`.
//!
//! `fit` records one and returns it. As a callback it serves loops of one's own, and stands where
//! it is among other callbacks: it sees what those before it add to the logs.

use super::{Callback, CallbackContext, Record};
use crate::error::Result;
use crate::model::{History, Logs};

/// Records the logs of every epoch; those of a second training come after those of the first.
impl Callback for History {
    fn on_epoch_end(
        &mut self,
        _: &mut CallbackContext,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        self.push(epoch, logs);
        Ok(())
    }

    fn state(&mut self) -> Result<Record> {
        Ok(self.record())
    }

    fn restore(&mut self, _: &mut CallbackContext, state: &Record) -> Result<()> {
        *self = Self::from_record(state)?;
        Ok(())
    }
}
