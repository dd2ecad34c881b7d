//! The progress bar of `fit`, `evaluate` and `predict` on the standard output.

use std::time::Instant;

use super::history::Logs;
use super::progbar::{Progbar, epoch_line};
use crate::console;

/// A progress bar that draws itself.
pub(crate) struct Progress {
    bar: Progbar,
    verbose: u8,
    target: Option<usize>,
    current: usize,
    start: Instant,
}

impl Progress {
    /// A bar that starts now.
    pub fn new(verbose: u8, target: Option<usize>) -> Self {
        Self {
            bar: Progbar::new(target, verbose),
            verbose,
            target,
            current: 0,
            start: Instant::now(),
        }
    }

    /// Writes `Epoch 1/10`, as Keras does if there are several.
    pub fn begin_epoch(&mut self, epoch: usize, epochs: usize) {
        if let Some(line) = epoch_line(self.verbose, epoch, epochs) {
            console::print(&line);
        }
    }

    /// So many steps are done. `logs` is called only if a frame is drawn.
    pub fn update(&mut self, current: usize, logs: impl FnOnce() -> Logs) {
        // The last steps of an execution may lie behind the end of the data.
        let current = self.target.map_or(current, |target| current.min(target));
        self.current = current;
        // A line is only written at the end; its time of a step is that of all steps.
        if self.verbose != 1 {
            return;
        }
        let now = self.start.elapsed();
        if self.bar.is_due(current, now) {
            console::print(self.bar.update(current, logs().wide(), false, now));
        }
    }

    /// Draws the last frame. As in Keras it shows every step as done, even if the epoch was cut
    /// short.
    pub fn finish(&mut self, logs: &Logs) {
        let target = self.target.unwrap_or(self.current);
        self.bar.set_target(target);
        let now = self.start.elapsed();
        let frame = self.bar.update(target, logs.wide(), true, now);
        if !frame.is_empty() {
            console::print(frame);
        }
    }
}
