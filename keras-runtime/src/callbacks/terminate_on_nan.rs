//! Ends a training whose loss is no number any more.

use super::{Callback, CallbackContext};
use crate::console;
use crate::error::{Error, Result};
use crate::model::Logs;
use crate::python::repr;

/// Ends the training after a batch whose loss is NaN or infinite: `keras.callbacks.TerminateOnNaN`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TerminateOnNaN {
    raise_error: bool,
}

impl TerminateOnNaN {
    /// Ends the training as `stop_training` does, and says so.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `fit` fails instead, so that the ends of other callbacks are not called.
    #[must_use]
    pub fn raise_error(mut self, raise_error: bool) -> Self {
        self.raise_error = raise_error;
        self
    }
}

impl Callback for TerminateOnNaN {
    fn on_batch_end(&mut self, cx: &mut CallbackContext, batch: usize, logs: &Logs) -> Result<()> {
        let Some(loss) = logs.get("loss").filter(|loss| !loss.is_finite()) else {
            return Ok(());
        };
        if self.raise_error {
            return Err(Error::Callback(format!(
                "NaN or Inf loss encountered at batch {batch}. Loss value: {}. Terminating training immediately.",
                repr(loss.into())
            )));
        }
        console::print(&format!(
            "Batch {batch}: Invalid loss, terminating training\n"
        ));
        cx.stop_training();
        Ok(())
    }
}
