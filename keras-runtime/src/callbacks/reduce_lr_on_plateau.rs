//! Lowers the learning rate when a value has stopped improving:
//! `learning_rate = max(learning_rate · factor, min_lr)`.

use super::monitor::{Monitor, names, waiting_arguments};
use super::{Callback, CallbackContext, Record};
use crate::console;
use crate::error::{Error, Result};
use crate::model::Logs;
use crate::python::repr;

/// Lowers the learning rate when the monitored value has not improved for some epochs:
/// `keras.callbacks.ReduceLROnPlateau`.
///
/// The logs get the `learning_rate` that the epoch was trained with.
#[derive(Clone, Debug)]
pub struct ReduceLROnPlateau {
    monitor: Monitor,
    factor: f64,
    patience: usize,
    verbose: u8,
    cooldown: usize,
    min_lr: f64,

    cooldown_left: usize,
    wait: usize,
}

impl ReduceLROnPlateau {
    /// Watches a value of the logs, such as `val_loss`.
    pub fn new(monitor: impl Into<String>) -> Self {
        let mut monitor = Monitor::new("ReduceLROnPlateau", monitor);
        monitor.min_delta = 1e-4;
        Self {
            monitor,
            factor: 0.1,
            patience: 10,
            verbose: 0,
            cooldown: 0,
            min_lr: 0.0,
            cooldown_left: 0,
            wait: 0,
        }
    }

    /// What the learning rate is multiplied with; 0.1 by default, and below 1.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    waiting_arguments!(patience: "10", min_delta: "1e-4", verbose: "lowers the learning rate");

    /// So many epochs after it has lowered the learning rate it does not count; 0 by default.
    #[must_use]
    pub fn cooldown(mut self, cooldown: usize) -> Self {
        self.cooldown = cooldown;
        self
    }

    /// The learning rate is not lowered below this; 0 by default.
    #[must_use]
    pub fn min_lr(mut self, min_lr: f64) -> Self {
        self.min_lr = min_lr;
        self
    }

    /// Lowers the learning rate, unless it is as low as it may be.
    fn reduce(&mut self, cx: &mut CallbackContext, epoch: usize) -> Result<()> {
        let old = cx.model().learning_rate()?;
        if old <= self.min_lr as f32 {
            return Ok(());
        }
        let new = (f64::from(old) * self.factor).max(self.min_lr);
        cx.model().set_learning_rate(new as f32)?;
        if self.verbose > 0 {
            console::print(&format!(
                "\nEpoch {}: ReduceLROnPlateau reducing learning rate to {}.\n",
                epoch + 1,
                repr(new)
            ));
        }
        self.cooldown_left = self.cooldown;
        self.wait = 0;
        Ok(())
    }
}

impl Callback for ReduceLROnPlateau {
    fn monitors(&self) -> Option<&str> {
        Some(&self.monitor.name)
    }

    fn set_model(&mut self, _: &mut CallbackContext) -> Result<()> {
        if self.factor >= 1.0 {
            return Err(Error::value(format!(
                "ReduceLROnPlateau does not support a factor >= 1.0. Received factor={}",
                repr(self.factor)
            )));
        }
        Ok(())
    }

    fn on_train_begin(&mut self, _: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.monitor.best = None;
        self.cooldown_left = 0;
        self.wait = 0;
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        cx: &mut CallbackContext,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        self.monitor.resolve(cx)?;
        logs.insert("learning_rate", cx.model().learning_rate()?);
        let Some(value) = self.monitor.value(logs) else {
            console::warn(&format!(
                "Learning rate reduction is conditioned on metric `{}` which is not available. Available metrics are: \
                 {}.",
                self.monitor.name,
                names(logs)
            ));
            return Ok(());
        };
        if self.cooldown_left > 0 {
            self.cooldown_left -= 1;
            self.wait = 0;
        }
        if self.monitor.improves(value, self.monitor.best) {
            self.monitor.best = Some(value);
            self.wait = 0;
        } else if self.cooldown_left == 0 {
            self.wait += 1;
            if self.wait >= self.patience {
                self.reduce(cx, epoch)?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Record> {
        let record = Record::new("ReduceLROnPlateau")
            .with_number("wait", self.wait as u64)
            .with_number("cooldown_left", self.cooldown_left as u64);
        Ok(self.monitor.record(record))
    }

    fn restore(&mut self, _: &mut CallbackContext, state: &Record) -> Result<()> {
        self.wait = state.count("wait")?;
        self.cooldown_left = state.count("cooldown_left")?;
        self.monitor.restore(state)
    }
}
