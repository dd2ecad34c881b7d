//! The mean of `-(t ln p + (1 - t) ln(1 - p))`.

use super::mean_metric::mean_metric;
use crate::device::MeanOf;
use crate::losses::BinaryEntropy;

mean_metric! {
    /// The cross-entropy of yes-or-no targets: `keras.metrics.BinaryCrossentropy`.
    struct BinaryCrossentropy: "binary_crossentropy";
    mean of rows: MeanOf<BinaryEntropy> = MeanOf(BinaryEntropy::new());
    targets: same_shape;
    better: Down;
    config {
        "from_logits": function.0.from_logits,
        "label_smoothing": function.0.label_smoothing,
    }
}

impl BinaryCrossentropy {
    /// Whether predictions are logits; by default they are probabilities.
    #[must_use]
    pub const fn from_logits(mut self, from_logits: bool) -> Self {
        self.function.0.from_logits = from_logits;
        self
    }

    /// Draws targets towards one half: 0.1 means 0.05 for 0 and 0.95 for 1.
    #[must_use]
    pub const fn label_smoothing(mut self, label_smoothing: f32) -> Self {
        self.function.0.label_smoothing = label_smoothing;
        self
    }
}
