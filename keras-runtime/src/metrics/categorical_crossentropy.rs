//! The mean of `-Σ t ln p`, over the classes.

use super::{Direction, Metric, MetricInput, Own, row_mean};
use crate::device::Device;
use crate::losses::CategoricalEntropy;

/// The cross-entropy of targets that are probabilities of classes:
/// `keras.metrics.CategoricalCrossentropy`.
#[derive(Clone, Debug)]
pub struct CategoricalCrossentropy {
    pub(super) own: Own,
    entropy: CategoricalEntropy,
}

impl CategoricalCrossentropy {
    /// The metric with Keras' defaults.
    pub const fn new() -> Self {
        Self {
            own: Own::new("categorical_crossentropy"),
            entropy: CategoricalEntropy::new(),
        }
    }

    /// Whether predictions are logits; by default they are probabilities.
    #[must_use]
    pub const fn from_logits(mut self, from_logits: bool) -> Self {
        self.entropy.from_logits = from_logits;
        self
    }

    /// Draws targets towards equal probabilities: 0.1 means that a tenth is shared by all classes.
    #[must_use]
    pub const fn label_smoothing(mut self, label_smoothing: f32) -> Self {
        self.entropy.label_smoothing = label_smoothing;
        self
    }
}

impl<D: Device> Metric<D> for CategoricalCrossentropy {
    fn name(&self) -> &str {
        self.own.name()
    }

    fn update(&self, input: MetricInput<'_, D>) {
        row_mean(self.entropy, input.rows(), input);
    }

    fn direction(&self) -> Direction {
        Direction::Down
    }
}
