//! Sets the learning rate of each epoch by a function: `learning_rate = schedule(epoch, learning_rate)`.

use super::{Callback, CallbackContext};
use crate::console;
use crate::error::Result;
use crate::model::Logs;
use crate::python::repr;

/// Sets the learning rate at the beginning of every epoch to what a function makes of the epoch, from
/// 0, and the learning rate before: `keras.callbacks.LearningRateScheduler`.
///
/// The logs get the `learning_rate` that the epoch was trained with.
///
/// ```
/// use keras_runtime::callbacks::LearningRateScheduler;
///
/// let callback = LearningRateScheduler::new(|epoch, rate| if epoch < 10 { rate } else { rate * 0.9 });
/// ```
pub struct LearningRateScheduler<'a> {
    schedule: Box<dyn FnMut(usize, f32) -> f32 + Send + 'a>,
    verbose: u8,
}

impl<'a> LearningRateScheduler<'a> {
    /// A function of the epoch and the learning rate before.
    pub fn new(schedule: impl FnMut(usize, f32) -> f32 + Send + 'a) -> Self {
        Self {
            schedule: Box::new(schedule),
            verbose: 0,
        }
    }

    /// With 1, says what it sets.
    #[must_use]
    pub fn verbose(mut self, verbose: u8) -> Self {
        self.verbose = verbose;
        self
    }
}

impl Callback for LearningRateScheduler<'_> {
    fn on_epoch_begin(&mut self, cx: &mut CallbackContext, epoch: usize, _: &Logs) -> Result<()> {
        let rate = (self.schedule)(epoch, cx.model().learning_rate()?);
        cx.model().set_learning_rate(rate)?;
        if self.verbose > 0 {
            // The shortest number that is this one in single precision is the one that was written.
            let written: f64 = rate.to_string().parse().unwrap_or(rate.into());
            console::print(&format!(
                "\nEpoch {}: LearningRateScheduler setting learning rate to {}.\n",
                epoch + 1,
                repr(written)
            ));
        }
        Ok(())
    }

    fn on_epoch_end(&mut self, cx: &mut CallbackContext, _: usize, logs: &mut Logs) -> Result<()> {
        logs.insert("learning_rate", cx.model().learning_rate()?);
        Ok(())
    }
}
