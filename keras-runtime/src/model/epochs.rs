//! The batches of data, epoch by epoch.

use super::feed::Feed;
use crate::console;
use crate::data::{Batch, Pass};
use crate::error::{Error, Result};
use crate::saving::Record;

/// Data that is read in epochs: all of it, or so many steps each, which go on where the last epoch
/// stopped.
pub(crate) struct Epochs<'a> {
    feed: Feed<'a>,
    steps_per_epoch: Option<usize>,
    steps_per_execution: usize,
    /// The number of the next pass over the data.
    pass: u64,
    /// The steps of this epoch that are done, or being done.
    step: usize,
    /// The steps of the last epoch, where data of unknown length was read to its end.
    found: Option<usize>,
}

impl<'a> Epochs<'a> {
    /// Epochs of `steps` each, where they are limited; the first pass over the data has a number.
    pub fn new(
        feed: Feed<'a>,
        steps: Option<usize>,
        steps_per_execution: usize,
        first_pass: usize,
    ) -> Self {
        Self {
            feed,
            steps_per_epoch: steps.filter(|&steps| steps > 0),
            steps_per_execution: steps_per_execution.max(1),
            pass: first_pass as u64,
            step: 0,
            found: None,
        }
    }

    /// The data.
    pub fn feed(&mut self) -> &mut Feed<'a> {
        &mut self.feed
    }

    /// The steps of an epoch, as far as the arguments and the data say.
    pub fn steps(&self) -> Option<usize> {
        self.steps_per_epoch.or_else(|| self.feed.batches())
    }

    /// The steps of an epoch, as far as they are known by now.
    pub fn target(&self) -> Option<usize> {
        self.steps().or(self.found)
    }

    /// Begins an epoch with the first batch of the data, wherever the last one stopped.
    pub fn restart(&mut self, pass: Pass) -> Result<Batch<'_>> {
        if !self.feed.is_fresh() {
            self.feed.close();
        }
        self.first(pass)
    }

    /// Begins an epoch, and looks at its first batch. `pass` tells what the order depends on; the
    /// number of the pass is counted here.
    pub fn first(&mut self, pass: Pass) -> Result<Batch<'_>> {
        self.step = 0;
        let goes_on = self.steps_per_epoch.is_some() || self.feed.is_fresh();
        if !(goes_on && self.feed.is_open() && self.feed.peek()?.is_some()) {
            let number = self.pass;
            self.pass += 1;
            self.feed.open(Pass { number, ..pass })?;
        }
        self.feed
            .peek()?
            .ok_or_else(|| Error::value("Expected at least one sample. Received: empty data"))
    }

    /// The numbers of the first and the last step that are to be taken together next; `None` at the end
    /// of the epoch.
    pub fn next(&mut self) -> Result<Option<(usize, usize)>> {
        let target = self.steps();
        let first = self.step;
        if target.is_some_and(|target| first >= target) {
            // What is left of the pass, if anything, is for no other epoch.
            if self.steps_per_epoch.is_none() {
                self.feed.close();
            }
            return Ok(None);
        }
        if self.feed.peek()?.is_none() {
            if target.is_some() {
                console::warn(console::RAN_OUT);
            } else {
                self.found = Some(first);
            }
            return Ok(None);
        }
        self.step += self.steps_per_execution;
        Ok(Some((first, self.step - 1)))
    }

    /// Where the reading is.
    pub fn record(&self) -> Record {
        Record::new("Epochs")
            .with_number("pass", self.pass)
            .with_number("step", self.step as u64)
            .with_numbers("steps", self.steps().map(|steps| steps as u64))
            .with_numbers("found", self.found.map(|found| found as u64))
            .with_records("data", [self.feed.record()])
    }

    /// Goes to where the reading was.
    ///
    /// # Errors
    /// If the epochs had another number of steps, or the data cannot go there.
    pub fn restore(&mut self, record: &Record) -> Result<()> {
        let count = |name: &str| -> Result<Option<usize>> {
            let number = record.numbers(name)?.first();
            Ok(number.and_then(|&number| usize::try_from(number).ok()))
        };
        let (steps, expected) = (self.steps(), count("steps")?);
        if steps != expected {
            let shown = |steps: Option<usize>| match steps {
                Some(steps) => format!("{steps} steps"),
                None => "an unknown number of steps".to_owned(),
            };
            return Err(Error::value(format!(
                "A training goes on with the data that it began with. Expected epochs of {}. Received: {}",
                shown(expected),
                shown(steps)
            )));
        }
        self.pass = record.number("pass")?;
        self.step = record.count("step")?;
        self.found = count("found")?;
        self.feed.restore(record.record("data")?)
    }
}
