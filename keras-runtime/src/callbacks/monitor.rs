//! A value of the logs that a callback watches, and what "better" means for it:
//! `keras.callbacks.MonitorCallback`.

use super::CallbackContext;
use crate::console;
use crate::error::{Error, Result};
use crate::metrics::Direction;
use crate::model::Logs;
use crate::saving::Record;

/// Whether a smaller or a larger value is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// What the name of the metric says.
    #[default]
    Auto,
    /// Smaller is better.
    Min,
    /// Larger is better.
    Max,
}

impl AsRef<str> for Mode {
    /// Keras' name of the mode.
    fn as_ref(&self) -> &str {
        match self {
            Mode::Auto => "auto",
            Mode::Min => "min",
            Mode::Max => "max",
        }
    }
}

/// What is watched, and the best value so far.
#[derive(Clone, Debug)]
pub(crate) struct Monitor {
    class: &'static str,
    /// The name of the value.
    pub name: String,
    mode: Mode,
    /// Whether larger values are better, once it is known.
    is_max: Option<bool>,
    /// A change up to this is no improvement.
    pub min_delta: f64,
    /// The best value so far.
    pub best: Option<f32>,
}

impl Monitor {
    /// What a callback of this class watches.
    pub fn new(class: &'static str, name: impl Into<String>) -> Self {
        Self {
            class,
            name: name.into(),
            mode: Mode::Auto,
            is_max: None,
            min_delta: 0.0,
            best: None,
        }
    }

    /// `min`, `max` or `auto`; anything else is `auto`, with Keras' warning.
    pub fn set_mode(&mut self, mode: &str) {
        self.mode = match mode {
            "min" => Mode::Min,
            "max" => Mode::Max,
            "auto" => Mode::Auto,
            _ => {
                console::warn(&format!(
                    "{} mode '{mode}' is unknown, fallback to auto mode.",
                    self.class
                ));
                Mode::Auto
            }
        };
    }

    /// Finds out what "better" means. This has to wait for the end of the first epoch, when the
    /// metrics are known.
    ///
    /// # Errors
    /// If the mode is `Auto` and nothing says which values of this metric are better.
    pub fn resolve(&mut self, cx: &mut CallbackContext) -> Result<()> {
        if self.is_max.is_some() {
            return Ok(());
        }
        let is_max = match (self.mode, cx.model().metric_direction(&self.name)) {
            (Mode::Min, _) | (Mode::Auto, Some(Direction::Down)) => false,
            (Mode::Max, _) | (Mode::Auto, Some(Direction::Up)) => true,
            (Mode::Auto, _) => {
                return Err(Error::Callback(format!(
                    "{} callback received monitor={}, but Keras isn't able to automatically determine whether that \
                     metric should be maximized or minimized. Pass `mode='max'` in order to monitor based on the \
                     highest metric value, or pass `mode='min'` in order to use the lowest value.",
                    self.class, self.name
                )));
            }
        };
        self.is_max = Some(is_max);
        Ok(())
    }

    /// Whether a value is better than another by more than `min_delta`; anything is better than
    /// nothing. As in Keras the difference is taken in double precision and compared in single.
    pub fn improves(&self, value: f32, reference: Option<f32>) -> bool {
        let Some(reference) = reference else {
            return true;
        };
        match self.is_max {
            Some(true) => (f64::from(value) - self.min_delta) as f32 > reference,
            _ => ((f64::from(value) + self.min_delta) as f32) < reference,
        }
    }

    /// The best value among what a callback remembers.
    pub fn record(&self, record: Record) -> Record {
        record.with_floats("best", self.best.map(f64::from))
    }

    /// Goes on with what a callback remembers.
    pub fn restore(&mut self, record: &Record) -> Result<()> {
        let best = record.floats("best")?.first();
        self.best = best.map(|&best| best as f32);
        Ok(())
    }

    /// The value in the logs.
    pub fn value(&self, logs: &Logs) -> Option<f32> {
        logs.get(&self.name)
    }
}

/// The builder methods of a callback that waits for an improvement: one with the fields `monitor`,
/// `patience` and `verbose`. What it is given are the defaults, and when it says something.
macro_rules! waiting_arguments {
    (patience: $patience:literal, min_delta: $min_delta:literal, verbose: $says:literal) => {
        #[doc = concat!("So many epochs without improvement are waited for; ", $patience, " by default.")]
        #[must_use]
        pub fn patience(mut self, patience: usize) -> Self {
            self.patience = patience;
            self
        }

        #[doc = concat!("A smaller change, up or down, is no improvement; ", $min_delta, " by default.")]
        #[must_use]
        pub fn min_delta(mut self, min_delta: f64) -> Self {
            self.monitor.min_delta = min_delta.abs();
            self
        }

        #[doc = concat!("With 1, says when it ", $says, ".")]
        #[must_use]
        pub fn verbose(mut self, verbose: u8) -> Self {
            self.verbose = verbose;
            self
        }

        /// `"min"`, `"max"` or `"auto"`, the default: what the name of the metric says.
        #[must_use]
        pub fn mode(mut self, mode: impl AsRef<str>) -> Self {
            self.monitor.set_mode(mode.as_ref());
            self
        }
    };
}
pub(super) use waiting_arguments;

/// The names in logs, for a warning.
pub(crate) fn names(logs: &Logs) -> String {
    logs.names().collect::<Vec<_>>().join(",")
}
