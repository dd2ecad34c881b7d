//! The mean of `-Σ t ln p`, over the classes.

use super::mean_metric::mean_metric;
use crate::losses::CategoricalEntropy;

mean_metric! {
    /// The cross-entropy of targets that are probabilities of classes:
    /// `keras.metrics.CategoricalCrossentropy`.
    struct CategoricalCrossentropy: "categorical_crossentropy";
    mean of lines along axis: CategoricalEntropy = CategoricalEntropy::new();
    targets: same_shape;
    better: Down;
    config {
        "from_logits": function.from_logits,
        "label_smoothing": function.label_smoothing,
        "axis": axis,
    }
}

impl CategoricalCrossentropy {
    /// Whether predictions are logits; by default they are probabilities.
    #[must_use]
    pub const fn from_logits(mut self, from_logits: bool) -> Self {
        self.function.from_logits = from_logits;
        self
    }

    /// Draws targets towards equal probabilities: 0.1 means that a tenth is shared by all classes.
    #[must_use]
    pub const fn label_smoothing(mut self, label_smoothing: f32) -> Self {
        self.function.label_smoothing = label_smoothing;
        self
    }
}
