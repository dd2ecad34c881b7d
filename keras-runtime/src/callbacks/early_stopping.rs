//! Stops the training when a value has stopped improving.

use ndarray::ArrayD;

use super::monitor::{Mode, names};
use super::{Callback, CallbackContext};
use crate::error::Result;
use crate::model::Logs;

/// Ends the training when the monitored value has not improved for some epochs:
/// `keras.callbacks.EarlyStopping`.
///
/// An epoch improves if its value is better than the best so far by more than `min_delta`. With a
/// `baseline`, only epochs better than it reset the patience.
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    monitor: String,
    min_delta: f32,
    patience: usize,
    verbose: u8,
    mode: Mode,
    baseline: Option<f32>,
    restore_best_weights: bool,
    start_from_epoch: usize,

    resolved: Option<Mode>,
    wait: usize,
    best: Option<f32>,
    best_epoch: usize,
    best_weights: Option<Vec<ArrayD<f32>>>,
    stopped_epoch: usize,
}

impl EarlyStopping {
    /// Watches a value of the logs, such as `val_loss`.
    pub fn new(monitor: impl Into<String>) -> Self {
        Self {
            monitor: monitor.into(),
            min_delta: 0.0,
            patience: 0,
            verbose: 0,
            mode: Mode::Auto,
            baseline: None,
            restore_best_weights: false,
            start_from_epoch: 0,
            resolved: None,
            wait: 0,
            best: None,
            best_epoch: 0,
            best_weights: None,
            stopped_epoch: 0,
        }
    }

    /// A smaller change is no improvement; 0 by default.
    #[must_use]
    pub fn min_delta(mut self, min_delta: f32) -> Self {
        self.min_delta = min_delta.abs();
        self
    }

    /// So many epochs without improvement are waited for; 0 by default.
    #[must_use]
    pub fn patience(mut self, patience: usize) -> Self {
        self.patience = patience;
        self
    }

    /// With 1, says when it stops the training or restores weights.
    #[must_use]
    pub fn verbose(mut self, verbose: u8) -> Self {
        self.verbose = verbose;
        self
    }

    /// `"min"`, `"max"` or `"auto"`, the default: what the name of the metric says.
    #[must_use]
    pub fn mode(mut self, mode: impl Into<Mode>) -> Self {
        self.mode = mode.into();
        self
    }

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
        self.best
    }

    fn improves(&self, mode: Mode, value: f32) -> bool {
        let Some(best) = self.best else { return true };
        let value = if mode == Mode::Max {
            value - self.min_delta
        } else {
            value + self.min_delta
        };
        mode.is_better(value, best)
    }
}

impl Callback for EarlyStopping {
    fn on_train_begin(&mut self, _: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.resolved = None;
        self.wait = 0;
        self.best = None;
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
        let mode = match self.resolved {
            Some(mode) => mode,
            None => self.mode.resolve("EarlyStopping", &self.monitor, cx)?,
        };
        self.resolved = Some(mode);
        let Some(value) = logs.get(&self.monitor) else {
            eprintln!(
                "warning: Early stopping conditioned on metric `{}` which is not available. Available metrics are: {}",
                self.monitor,
                names(logs)
            );
            return Ok(());
        };
        if epoch < self.start_from_epoch {
            return Ok(());
        }
        if self.restore_best_weights && self.best_weights.is_none() {
            self.best_weights = Some(cx.model().get_weights());
            self.best_epoch = epoch;
        }
        self.wait += 1;
        if self.improves(mode, value) {
            self.best = Some(value);
            self.best_epoch = epoch;
            if self.restore_best_weights {
                self.best_weights = Some(cx.model().get_weights());
            }
            if self
                .baseline
                .is_none_or(|baseline| mode.is_better(value, baseline))
            {
                self.wait = 0;
            }
        } else if self.wait >= self.patience && epoch > 0 {
            self.stopped_epoch = epoch;
            cx.stop_training();
        }
        Ok(())
    }

    fn on_train_end(&mut self, cx: &mut CallbackContext, _: &Logs) -> Result<()> {
        if self.stopped_epoch > 0 && self.verbose > 0 {
            println!("Epoch {}: early stopping", self.stopped_epoch + 1);
        }
        if let (true, Some(weights)) = (self.restore_best_weights, &self.best_weights) {
            if self.verbose > 0 {
                let epoch = self.best_epoch + 1;
                println!("Restoring model weights from the end of the best epoch: {epoch}.");
            }
            cx.model().set_weights(weights)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, arr0};

    use super::*;
    use crate::callbacks::{ModelHandle, Params};
    use crate::error::Error;
    use crate::metrics::Direction;

    /// A model whose one weight is the number of the epoch.
    #[derive(Default)]
    struct Fake {
        weight: f32,
        stopped: bool,
    }

    impl ModelHandle for Fake {
        fn name(&self) -> &str {
            "fake"
        }
        fn get_weights(&self) -> Vec<ArrayD<f32>> {
            vec![arr0(self.weight).into_dyn()]
        }
        fn set_weights(&mut self, weights: &[ArrayD<f32>]) -> Result<()> {
            self.weight = weights[0].sum();
            Ok(())
        }
        fn learning_rate(&self) -> Result<f32> {
            Err(Error::NotCompiled)
        }
        fn set_learning_rate(&mut self, _: f32) -> Result<()> {
            Err(Error::NotCompiled)
        }
        fn metric_direction(&self, name: &str) -> Option<Direction> {
            (name == "loss").then_some(Direction::Down)
        }
        fn stop_training(&mut self) {
            self.stopped = true;
        }
    }

    /// The epochs after which a run over these losses stops and has its best value, and the
    /// epoch whose weights it ends with.
    fn run(mut callback: EarlyStopping, losses: &[f32]) -> Result<(Option<usize>, usize, usize)> {
        let (params, mut model) = (Params::default(), Fake::default());
        let mut logs = Logs::new();
        callback.on_train_begin(&mut CallbackContext::new(&params, &mut model), &logs)?;
        for (epoch, loss) in losses.iter().enumerate() {
            model.weight = epoch as f32;
            logs.insert("loss", *loss);
            let cx = &mut CallbackContext::new(&params, &mut model);
            callback.on_epoch_end(cx, epoch, &mut logs)?;
            if model.stopped {
                break;
            }
        }
        callback.on_train_end(&mut CallbackContext::new(&params, &mut model), &logs)?;
        let stopped = model.stopped.then_some(callback.stopped_epoch());
        Ok((stopped, callback.best_epoch(), model.weight as usize))
    }

    const LOSSES: [f32; 11] = [1.0, 0.9, 0.8, 0.85, 0.84, 0.83, 0.7, 0.9, 0.9, 0.9, 0.9];

    #[test]
    fn it_stops_where_keras_stops() -> Result<()> {
        let new = || EarlyStopping::new("loss").mode("min");
        let cases = [
            (new(), Some(3), 2),
            (new().patience(1), Some(3), 2),
            (new().patience(2), Some(4), 2),
            (new().patience(3), Some(5), 2),
            (new().patience(4), Some(10), 6),
            (new().patience(1).min_delta(0.05), Some(3), 2),
            (new().patience(1).min_delta(-0.05), Some(3), 2),
            (new().patience(1).min_delta(0.1), Some(1), 0),
            (new().patience(2).min_delta(0.2), Some(2), 0),
            (new().patience(1).mode("max"), Some(1), 0),
            (new().patience(2).baseline(0.5), Some(3), 2),
            (new().patience(4).baseline(0.75), Some(3), 2),
            (new().patience(6).baseline(0.75), Some(5), 2),
            (new().patience(2).baseline(0.95), Some(4), 2),
            (new().patience(2).baseline(2.0), Some(4), 2),
            (new().start_from_epoch(3), Some(7), 6),
            (new().patience(2).start_from_epoch(3), Some(8), 6),
            (new().patience(20), None, 6),
        ];
        for (callback, stopped, best) in cases {
            let case = format!("{callback:?}");
            let (found, best_epoch, _) = run(callback, &LOSSES)?;
            assert_eq!((found, best_epoch), (stopped, best), "{case}");
        }
        Ok(())
    }

    #[test]
    fn the_best_weights_come_back() -> Result<()> {
        let callback = EarlyStopping::new("loss")
            .patience(20)
            .restore_best_weights(true);
        assert_eq!(run(callback.clone(), &LOSSES)?, (None, 6, 6));
        let (stopped, best, weights) =
            run(callback.clone().patience(2), &[f32::NAN, 1.0, 0.5, 0.4])?;
        assert_eq!((stopped, best, weights), (Some(2), 0, 0));
        let late = callback.start_from_epoch(50);
        assert_eq!(run(late, &LOSSES)?, (None, 0, 10));
        Ok(())
    }

    #[test]
    fn an_unknown_metric_needs_a_mode() {
        let error = run(EarlyStopping::new("val_fn"), &LOSSES)
            .unwrap_err()
            .to_string();
        assert!(error.contains("monitor=val_fn"), "{error}");
        let warned = run(EarlyStopping::new("val_fn").mode("min"), &LOSSES);
        assert_eq!(warned, Ok((None, 0, 10)));
    }
}
