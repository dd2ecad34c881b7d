//! How often a callback does something.

use crate::error::Result;
use crate::saving::Record;

/// `"epoch"`, or a number of batches: what a [`ModelCheckpoint`](super::ModelCheckpoint) takes as
/// `save_freq` and a [`TensorBoard`](super::TensorBoard) as `update_freq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// At the end of every epoch.
    Epoch,
    /// After every so many batches.
    Batches(i64),
    /// Another word; whether it means anything is for the callback to say.
    Word(String),
}

impl From<&str> for Frequency {
    fn from(word: &str) -> Self {
        match word {
            "epoch" => Self::Epoch,
            _ => Self::Word(word.into()),
        }
    }
}

impl From<i32> for Frequency {
    fn from(batches: i32) -> Self {
        Self::Batches(batches.into())
    }
}

impl From<usize> for Frequency {
    fn from(batches: usize) -> Self {
        Self::Batches(i64::try_from(batches).unwrap_or(i64::MAX))
    }
}

/// Counts batches across epochs.
#[derive(Clone, Debug, Default)]
pub(crate) struct BatchCount {
    last: Option<usize>,
    /// The batches since something was done.
    since: usize,
}

impl BatchCount {
    /// Whether something is to be done after a batch. The number of a batch runs from 0 in each epoch, and
    /// jumps with `steps_per_execution`.
    pub fn is_due(&mut self, batch: usize, frequency: &Frequency) -> bool {
        let Frequency::Batches(every) = *frequency else {
            return false;
        };
        self.since += match self.last {
            Some(last) if batch > last => batch - last,
            _ => batch + 1,
        };
        self.last = Some(batch);
        let is_due = i64::try_from(self.since).unwrap_or(i64::MAX) >= every;
        if is_due {
            self.since = 0;
        }
        is_due
    }

    /// The same among what a callback remembers.
    pub fn record(&self, record: Record) -> Record {
        record
            .with_numbers("last_batch", self.last.map(|last| last as u64))
            .with_number("batches", self.since as u64)
    }

    /// Goes on with what a callback remembers.
    pub fn restore(&mut self, record: &Record) -> Result<()> {
        let last = record.numbers("last_batch")?.first();
        self.last = last.map(|&last| last as usize);
        self.since = record.count("batches")?;
        Ok(())
    }
}
