//! Evaluates and predicts with the moving averages of the weights.

use super::{Callback, CallbackContext, Record};
use crate::error::Result;
use crate::model::Logs;

/// Puts the moving averages that the optimizer keeps with `use_ema` into the place of the weights while
/// the model is evaluated or used, and takes them out again: `keras.callbacks.SwapEMAWeights`.
#[derive(Clone, Debug, Default)]
pub struct SwapEMAWeights {
    swap_on_epoch: bool,
    is_swapped: bool,
}

impl SwapEMAWeights {
    /// Swaps around validation, `evaluate` and `predict`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the averages are also in their place from the end of an epoch to the beginning of the
    /// next, so that callbacks after this one save them. Callbacks that stop the training come before
    /// this one.
    #[must_use]
    pub fn swap_on_epoch(mut self, swap_on_epoch: bool) -> Self {
        self.swap_on_epoch = swap_on_epoch;
        self
    }

    fn swap(&mut self, cx: &mut CallbackContext, to_averages: bool) -> Result<()> {
        if self.is_swapped != to_averages {
            cx.model().swap_ema_weights()?;
            self.is_swapped = to_averages;
        }
        Ok(())
    }
}

impl Callback for SwapEMAWeights {
    fn on_epoch_begin(&mut self, cx: &mut CallbackContext, _: usize, _: &Logs) -> Result<()> {
        self.swap(cx, false)
    }

    fn on_epoch_end(&mut self, cx: &mut CallbackContext, epoch: usize, _: &mut Logs) -> Result<()> {
        if !self.swap_on_epoch {
            return Ok(());
        }
        self.swap(cx, true)?;
        // At the end of `fit` the averages become the weights: they are already.
        if epoch + 1 >= cx.params().epochs || cx.is_stopped() {
            cx.model().keep_ema_weights()?;
            self.is_swapped = false;
        }
        Ok(())
    }

    fn on_test_begin(&mut self, cx: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.swap(cx, true)
    }

    fn on_test_end(&mut self, cx: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.swap(cx, false)
    }

    fn on_predict_begin(&mut self, cx: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.swap(cx, true)
    }

    fn on_predict_end(&mut self, cx: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.swap(cx, false)
    }

    fn state(&mut self) -> Result<Record> {
        let is_swapped = u64::from(self.is_swapped);
        Ok(Record::new("SwapEMAWeights").with_number("is_swapped", is_swapped))
    }

    fn restore(&mut self, _: &mut CallbackContext, state: &Record) -> Result<()> {
        self.is_swapped = state.flag("is_swapped")?;
        Ok(())
    }
}
