//! `Σ w v / Σ w` of plain values.

use ndarray::ArrayD;

use super::{Own, Values, mean, own};
use crate::error::Result;

/// The mean of values: `keras.metrics.Mean`.
///
/// It compares nothing, so it is used on its own and not in `compile`.
#[derive(Clone, Debug)]
pub struct Mean {
    pub(super) own: Own,
}

own::standalone!(@own Mean);

impl Default for Mean {
    fn default() -> Self {
        Self::new()
    }
}

impl Mean {
    /// The metric.
    pub const fn new() -> Self {
        Self {
            own: Own::new("mean"),
        }
    }

    /// Adds values: an array, of which every sample counts once, or a number. A `sample_weight`
    /// belongs to each sample, or can be broadcast to the values.
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
        let added = own::add_values(&mut state, values, sample_weight, true);
        self.own.put(state);
        added
    }

    /// The mean so far, 0 before any value.
    pub fn result(&self) -> f32 {
        mean(self.own.state())
    }
}
