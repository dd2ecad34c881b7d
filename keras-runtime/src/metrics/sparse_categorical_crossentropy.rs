//! The mean of `-ln p[t]`, with the number t of the class.

use super::{Direction, Metric, MetricInput, Own, row_mean};
use crate::device::Device;
use crate::error::Result;
use crate::losses::{SparseEntropy, classes};
use crate::shape::Shape;

/// The cross-entropy of targets that are numbers of classes:
/// `keras.metrics.SparseCategoricalCrossentropy`.
#[derive(Clone, Debug)]
pub struct SparseCategoricalCrossentropy {
    pub(super) own: Own,
    entropy: SparseEntropy,
}

impl SparseCategoricalCrossentropy {
    /// The metric with Keras' defaults.
    pub const fn new() -> Self {
        Self {
            own: Own::new("sparse_categorical_crossentropy"),
            entropy: SparseEntropy::new(),
        }
    }

    /// Whether predictions are logits; by default they are probabilities.
    #[must_use]
    pub const fn from_logits(mut self, from_logits: bool) -> Self {
        self.entropy.from_logits = from_logits;
        self
    }
}

impl<D: Device> Metric<D> for SparseCategoricalCrossentropy {
    fn name(&self) -> &str {
        self.own.name()
    }

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        classes(y_true, y_pred)
    }

    fn update(&self, input: MetricInput<'_, D>) {
        row_mean(self.entropy, input.rows(), input);
    }

    fn direction(&self) -> Direction {
        Direction::Down
    }
}
