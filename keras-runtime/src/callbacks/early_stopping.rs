//! Stops the training when a value has stopped improving.

use std::sync::Arc;

use ndarray::ArrayD;

use super::monitor::{Monitor, names, waiting_arguments};
use super::{Callback, CallbackContext, Record};
use crate::console;
use crate::error::Result;
use crate::model::Logs;

/// Ends the training when the monitored value has not improved for some epochs:
/// `keras.callbacks.EarlyStopping`.
///
/// An epoch improves if its value is better than the best so far by more than `min_delta`. With a
/// `baseline`, only epochs better than it reset the patience.
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    monitor: Monitor,
    patience: usize,
    verbose: u8,
    baseline: Option<f32>,
    restore_best_weights: bool,
    start_from_epoch: usize,

    wait: usize,
    best_epoch: usize,
    best_weights: Option<Arc<[ArrayD<f32>]>>,
    stopped_epoch: usize,
}

impl EarlyStopping {
    /// Watches a value of the logs, such as `val_loss`.
    pub fn new(monitor: impl Into<String>) -> Self {
        Self {
            monitor: Monitor::new("EarlyStopping", monitor),
            patience: 0,
            verbose: 0,
            baseline: None,
            restore_best_weights: false,
            start_from_epoch: 0,
            wait: 0,
            best_epoch: 0,
            best_weights: None,
            stopped_epoch: 0,
        }
    }

    waiting_arguments!(patience: "0", min_delta: "0", verbose: "stops the training or restores weights");

    /// A value that has to be improved on.
    #[must_use]
    pub fn baseline(mut self, baseline: f32) -> Self {
        self.baseline = Some(baseline);
        self
    }

    /// Whether the weights of the best epoch are set when the training ends; they are not by
    /// default.
    #[must_use]
    pub fn restore_best_weights(mut self, restore: bool) -> Self {
        self.restore_best_weights = restore;
        self
    }

    /// Epochs before this one are not looked at.
    #[must_use]
    pub fn start_from_epoch(mut self, epoch: usize) -> Self {
        self.start_from_epoch = epoch;
        self
    }

    /// The epoch, from 0, after which the training was stopped; 0 if it was not.
    pub fn stopped_epoch(&self) -> usize {
        self.stopped_epoch
    }

    /// The epoch, from 0, with the best value.
    pub fn best_epoch(&self) -> usize {
        self.best_epoch
    }

    /// The best value.
    pub fn best(&self) -> Option<f32> {
        self.monitor.best
    }

    /// What is said at the end of the training.
    fn report(&self) -> String {
        let mut text = String::new();
        if self.stopped_epoch > 0 {
            text += &format!("Epoch {}: early stopping\n", self.stopped_epoch + 1);
        }
        if self.best_weights.is_some() {
            text += &format!(
                "Restoring model weights from the end of the best epoch: {}.\n",
                self.best_epoch + 1
            );
        }
        text
    }
}

impl Callback for EarlyStopping {
    fn monitors(&self) -> Option<&str> {
        Some(&self.monitor.name)
    }

    fn on_train_begin(&mut self, _: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.monitor.best = None;
        self.wait = 0;
        self.best_epoch = 0;
        self.best_weights = None;
        self.stopped_epoch = 0;
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        cx: &mut CallbackContext,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        self.monitor.resolve(cx)?;
        let Some(value) = self.monitor.value(logs) else {
            console::warn(&format!(
                "Early stopping conditioned on metric `{}` which is not available. Available metrics are: {}",
                self.monitor.name,
                names(logs)
            ));
            return Ok(());
        };
        if epoch < self.start_from_epoch {
            return Ok(());
        }
        if self.restore_best_weights && self.best_weights.is_none() {
            self.best_weights = Some(cx.model().get_weights().into());
            self.best_epoch = epoch;
        }
        self.wait += 1;
        if self.monitor.improves(value, self.monitor.best) {
            self.monitor.best = Some(value);
            self.best_epoch = epoch;
            if self.restore_best_weights {
                self.best_weights = Some(cx.model().get_weights().into());
            }
            if self.monitor.improves(value, self.baseline) {
                self.wait = 0;
            }
        } else if self.wait >= self.patience && epoch > 0 {
            self.stopped_epoch = epoch;
            cx.stop_training();
        }
        Ok(())
    }

    fn on_train_end(&mut self, cx: &mut CallbackContext, _: &Logs) -> Result<()> {
        let report = self.report();
        if self.verbose > 0 && !report.is_empty() {
            console::print(&report);
        }
        match &self.best_weights {
            Some(weights) => cx.model().set_weights(weights),
            None => Ok(()),
        }
    }

    fn state(&mut self) -> Result<Record> {
        let record = Record::new("EarlyStopping")
            .with_number("wait", self.wait as u64)
            .with_number("best_epoch", self.best_epoch as u64)
            .with_number("stopped_epoch", self.stopped_epoch as u64);
        let record = self.monitor.record(record);
        Ok(match &self.best_weights {
            Some(weights) => record.with_arrays("best_weights", weights.clone()),
            None => record,
        })
    }

    fn restore(&mut self, _: &mut CallbackContext, state: &Record) -> Result<()> {
        self.wait = state.count("wait")?;
        self.best_epoch = state.count("best_epoch")?;
        self.stopped_epoch = state.count("stopped_epoch")?;
        self.best_weights = match state.has("best_weights") {
            true => Some(state.arrays("best_weights")?.clone()),
            false => None,
        };
        self.monitor.restore(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::testing::{Fake, context};

    /// The epochs after which a run over these losses stops and has its best value, and the
    /// epoch whose weights it ends with.
    fn run(callback: &mut EarlyStopping, losses: &[f32]) -> Result<(Option<usize>, usize, usize)> {
        let mut model = Fake::default();
        let mut logs = Logs::new();
        callback.on_train_begin(&mut context(&mut model), &logs)?;
        for (epoch, loss) in losses.iter().enumerate() {
            model.weight = epoch as f32;
            logs.insert("loss", *loss);
            callback.on_epoch_end(&mut context(&mut model), epoch, &mut logs)?;
            if model.stopped {
                break;
            }
        }
        callback.on_train_end(&mut context(&mut model), &logs)?;
        let stopped = model.stopped.then_some(callback.stopped_epoch());
        Ok((stopped, callback.best_epoch(), model.weight as usize))
    }

    fn min() -> EarlyStopping {
        EarlyStopping::new("loss").mode("min")
    }

    const LOSSES: [f32; 11] = [1.0, 0.9, 0.8, 0.85, 0.84, 0.83, 0.7, 0.9, 0.9, 0.9, 0.9];

    #[test]
    fn it_stops_where_keras_stops() -> Result<()> {
        let cases = [
            (min(), Some(3), 2),
            (min().patience(1), Some(3), 2),
            (min().patience(2), Some(4), 2),
            (min().patience(3), Some(5), 2),
            (min().patience(4), Some(10), 6),
            (min().patience(1).min_delta(0.05), Some(3), 2),
            (min().patience(1).min_delta(-0.05), Some(3), 2),
            (min().patience(1).min_delta(0.1), Some(1), 0),
            (min().patience(2).min_delta(0.2), Some(2), 0),
            (min().patience(1).mode("max"), Some(1), 0),
            (min().patience(2).baseline(0.5), Some(3), 2),
            (min().patience(4).baseline(0.75), Some(3), 2),
            (min().patience(6).baseline(0.75), Some(5), 2),
            (min().patience(2).baseline(0.95), Some(4), 2),
            (min().patience(2).baseline(2.0), Some(4), 2),
            (min().start_from_epoch(3), Some(7), 6),
            (min().patience(2).start_from_epoch(3), Some(8), 6),
            (min().patience(20), None, 6),
        ];
        for (mut callback, stopped, best) in cases {
            let case = format!("{callback:?}");
            let (found, best_epoch, _) = run(&mut callback, &LOSSES)?;
            assert_eq!((found, best_epoch), (stopped, best), "{case}");
        }
        Ok(())
    }

    #[test]
    fn a_constant_loss_stops_after_the_patience_and_a_falling_one_never() -> Result<()> {
        for (patience, stopped) in [(0, 1), (1, 1), (3, 3)] {
            let found = run(&mut min().patience(patience), &[1.0; 8])?;
            assert_eq!(found, (Some(stopped), 0, stopped));
        }
        let falling = [0.9, 0.8, 0.7, 0.6];
        let mut above_the_baseline = min().patience(1).baseline(0.1);
        assert_eq!(run(&mut above_the_baseline, &falling)?, (None, 3, 3));
        // One epoch that is no better ends what never beat the baseline.
        let risen = [0.9, 0.8, 0.7, 0.75, 0.6];
        assert_eq!(run(&mut above_the_baseline, &risen)?, (Some(3), 2, 3));
        Ok(())
    }

    #[test]
    fn a_baseline_is_beaten_by_more_than_min_delta() -> Result<()> {
        let losses = [0.75, 0.5, 0.625, 0.625];
        let beaten = &mut min().patience(2).baseline(0.625);
        assert_eq!(run(beaten, &losses)?, (Some(3), 1, 3));
        let missed = &mut min().patience(2).baseline(0.625).min_delta(0.125);
        assert_eq!(run(missed, &losses)?, (Some(2), 1, 2));
        Ok(())
    }

    #[test]
    fn the_best_weights_come_back() -> Result<()> {
        let restoring = min().patience(20).restore_best_weights(true);
        assert_eq!(run(&mut restoring.clone(), &LOSSES)?, (None, 6, 6));
        let nan_first = run(
            &mut restoring.clone().patience(2),
            &[f32::NAN, 1.0, 0.5, 0.4],
        )?;
        assert_eq!(nan_first, (Some(2), 0, 0));
        let nan_later = run(
            &mut restoring.clone().patience(2),
            &[1.0, 0.5, f32::NAN, f32::NAN],
        )?;
        assert_eq!(nan_later, (Some(3), 1, 1));
        let mut late = restoring.start_from_epoch(50);
        assert_eq!(run(&mut late, &LOSSES)?, (None, 0, 10));
        assert_eq!(late.best(), None);
        Ok(())
    }

    #[test]
    fn it_says_what_it_did() -> Result<()> {
        let mut callback = min().patience(2).restore_best_weights(true);
        let _ = run(&mut callback, &LOSSES)?;
        assert_eq!(
            callback.report(),
            "Epoch 5: early stopping\nRestoring model weights from the end of the best epoch: 3.\n"
        );
        // The next training begins anew.
        let _ = run(&mut callback, &[1.0, 0.5])?;
        assert_eq!(
            callback.report(),
            "Restoring model weights from the end of the best epoch: 2.\n"
        );
        Ok(())
    }

    #[test]
    fn the_name_of_the_metric_says_what_is_better() -> Result<()> {
        let mut model = Fake::default();
        let mut callback = EarlyStopping::new("val_up");
        let mut logs = Logs::new();
        callback.on_train_begin(&mut context(&mut model), &logs)?;
        for (epoch, value) in [0.5, 0.75, 0.625].into_iter().enumerate() {
            logs.insert("val_up", value);
            callback.on_epoch_end(&mut context(&mut model), epoch, &mut logs)?;
        }
        assert_eq!((callback.stopped_epoch(), callback.best()), (2, Some(0.75)));
        Ok(())
    }

    #[test]
    fn an_unknown_metric_needs_a_mode() {
        let error = run(&mut EarlyStopping::new("val_fn"), &LOSSES);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("monitor=val_fn"), "{error}");
        let warned = run(&mut EarlyStopping::new("val_fn").mode("min"), &LOSSES);
        assert_eq!(warned, Ok((None, 0, 10)));
    }
}
