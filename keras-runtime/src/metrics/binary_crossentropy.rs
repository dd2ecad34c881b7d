//! The mean of `-(t ln p + (1 - t) ln(1 - p))`.

use super::{Direction, Metric, MetricInput, Own, row_mean};
use crate::device::{Device, MeanOf};
use crate::losses::BinaryEntropy;

/// The cross-entropy of yes-or-no targets: `keras.metrics.BinaryCrossentropy`.
#[derive(Clone, Debug)]
pub struct BinaryCrossentropy {
    pub(super) own: Own,
    entropy: BinaryEntropy,
}

impl BinaryCrossentropy {
    /// The metric with Keras' defaults.
    pub const fn new() -> Self {
        Self {
            own: Own::new("binary_crossentropy"),
            entropy: BinaryEntropy::new(),
        }
    }

    /// Whether predictions are logits; by default they are probabilities.
    #[must_use]
    pub const fn from_logits(mut self, from_logits: bool) -> Self {
        self.entropy.from_logits = from_logits;
        self
    }

    /// Draws targets towards one half: 0.1 means 0.05 for 0 and 0.95 for 1.
    #[must_use]
    pub const fn label_smoothing(mut self, label_smoothing: f32) -> Self {
        self.entropy.label_smoothing = label_smoothing;
        self
    }
}

impl<D: Device> Metric<D> for BinaryCrossentropy {
    fn name(&self) -> &str {
        self.own.name()
    }

    fn update(&self, input: MetricInput<'_, D>) {
        row_mean(MeanOf(self.entropy), input.rows(), input);
    }

    fn direction(&self) -> Direction {
        Direction::Down
    }
}
