//! `Σ w v` of plain values.

use ndarray::ArrayD;

use super::{Own, Values, own};
use crate::error::Result;

/// The sum of values: `keras.metrics.Sum`.
///
/// It compares nothing, so it is used on its own and not in `compile`.
#[derive(Clone, Debug)]
pub struct Sum {
    pub(super) own: Own,
}

own::standalone!(@own Sum);

impl Default for Sum {
    fn default() -> Self {
        Self::new()
    }
}

impl Sum {
    /// The metric.
    pub const fn new() -> Self {
        Self {
            own: Own::new("sum"),
        }
    }

    /// Adds values: an array or a number. A `sample_weight` belongs to each sample, or can be
    /// broadcast to the values.
    ///
    /// # Errors
    /// If the weights do not fit the values.
    pub fn update_state(
        &mut self,
        values: &impl Values,
        sample_weight: Option<&ArrayD<f32>>,
    ) -> Result<()> {
        self.own.validate()?;
        let mut state = self.own.take();
        state.resize(2, 0.0);
        let added = own::add_values(&mut state, values, sample_weight, false);
        self.own.put(state);
        added
    }

    /// The sum so far.
    pub fn result(&self) -> f32 {
        self.own.state().first().copied().unwrap_or(0.0)
    }
}
