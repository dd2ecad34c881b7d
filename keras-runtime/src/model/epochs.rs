//! The batches of data, epoch by epoch.

use super::feed::Feed;
use crate::console;
use crate::data::{Batch, Pass};
use crate::error::{Error, Result};

/// Data that is read in epochs: all of it, or so many steps each, which go on where the last epoch
/// stopped.
pub(crate) struct Epochs<'a> {
    feed: Feed<'a>,
    steps_per_epoch: Option<usize>,
    steps_per_execution: usize,
    /// The number of the next pass over the data.
    pass: u64,
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

    /// Runs an epoch: `run` is given the numbers of the first and the last step that it is to take,
    /// and the data, and says whether to go on.
    pub fn run(
        &mut self,
        mut run: impl FnMut(usize, usize, &mut Feed<'a>) -> Result<bool>,
    ) -> Result<()> {
        let target = self.steps();
        let mut step = 0;
        while target.is_none_or(|target| step < target) {
            if self.feed.peek()?.is_none() {
                if target.is_some() {
                    console::warn(console::RAN_OUT);
                } else {
                    self.found = Some(step);
                }
                break;
            }
            let last = step + self.steps_per_execution - 1;
            if !run(step, last, &mut self.feed)? {
                break;
            }
            step = last + 1;
        }
        Ok(())
    }
}
