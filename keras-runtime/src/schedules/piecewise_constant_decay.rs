//! `values[0]` up to and with step `boundaries[0]`, then `values[1]`, and so on.

use super::{Schedule, described};
use crate::config::{Config, arguments};
use crate::error::{Error, Result};

/// A learning rate that jumps at given steps:
/// `keras.optimizers.schedules.PiecewiseConstantDecay`.
#[derive(Clone, Debug)]
pub struct PiecewiseConstantDecay {
    boundaries: Vec<u64>,
    values: Vec<f32>,
}

impl PiecewiseConstantDecay {
    /// The steps after which it changes, in rising order, and one more value than there are steps.
    pub fn new(boundaries: impl Into<Vec<u64>>, values: impl Into<Vec<f32>>) -> Self {
        Self {
            boundaries: boundaries.into(),
            values: values.into(),
        }
    }
}

arguments!(PiecewiseConstantDecay {
    "boundaries": boundaries,
    "values": values,
    "name" = "PiecewiseConstant",
});

impl Schedule for PiecewiseConstantDecay {
    fn config(&self) -> Config {
        described("PiecewiseConstantDecay", self)
    }

    fn at(&self, step: u64) -> f32 {
        let passed = self.boundaries.iter().filter(|&&last| step > last).count();
        self.values.get(passed).copied().unwrap_or(0.0)
    }

    fn check(&self) -> Result<()> {
        let (boundaries, values) = (&self.boundaries, &self.values);
        if boundaries.len() + 1 == values.len() {
            return Ok(());
        }
        Err(Error::value(format!(
            "The length of boundaries should be 1 less than the length of values. Received: \
             boundaries={boundaries:?} of length {}, and values={values:?} of length {}.",
            boundaries.len(),
            values.len()
        )))
    }
}
