//! A value of the logs that a callback watches, and what "better" means for it.

use super::CallbackContext;
use crate::console;
use crate::error::{Error, Result};
use crate::metrics::Direction;
use crate::model::Logs;

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

impl From<&str> for Mode {
    /// `min`, `max` or `auto`, as Keras has it; anything else is `auto`, with a warning.
    fn from(mode: &str) -> Self {
        match mode {
            "min" => Mode::Min,
            "max" => Mode::Max,
            "auto" => Mode::Auto,
            _ => {
                console::warn(&format!("mode '{mode}' is unknown, fallback to auto mode."));
                Mode::Auto
            }
        }
    }
}

impl Mode {
    /// Min or max for a value of the logs.
    ///
    /// # Errors
    /// If the mode is `Auto` and nothing says which values of this metric are better.
    pub(crate) fn resolve(
        self,
        callback: &str,
        monitor: &str,
        cx: &mut CallbackContext,
    ) -> Result<Mode> {
        match (self, cx.model().metric_direction(monitor)) {
            (Mode::Auto, Some(Direction::Up)) => Ok(Mode::Max),
            (Mode::Auto, Some(Direction::Down)) => Ok(Mode::Min),
            (Mode::Auto, _) => Err(Error::Callback(format!(
                "{callback} callback received monitor={monitor}, but it is not possible to determine automatically \
                 whether that metric should be maximized or minimized. Pass `mode(\"max\")` in order to monitor \
                 based on the highest metric value, or pass `mode(\"min\")` in order to use the lowest value."
            ))),
            (mode, _) => Ok(mode),
        }
    }

    /// Whether `value` is better than `best`.
    pub(crate) fn is_better(self, value: f32, best: f32) -> bool {
        if self == Mode::Max {
            value > best
        } else {
            value < best
        }
    }
}

/// The names in logs, for a warning.
pub(crate) fn names(logs: &Logs) -> String {
    logs.names().collect::<Vec<_>>().join(",")
}
