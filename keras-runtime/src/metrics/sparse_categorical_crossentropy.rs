//! The mean of `-ln p[t]`, with the number t of the class.

use super::mean_metric::mean_metric;
use crate::losses::SparseEntropy;

mean_metric! {
    /// The cross-entropy of targets that are numbers of classes:
    /// `keras.metrics.SparseCategoricalCrossentropy`.
    struct SparseCategoricalCrossentropy: "sparse_categorical_crossentropy";
    mean of lines along axis: SparseEntropy = SparseEntropy::new();
    targets: classes;
    better: Down;
    config {
        "from_logits": function.from_logits,
        "ignore_class": function.ignore_class,
        "axis": axis,
    }
}

impl SparseCategoricalCrossentropy {
    /// Whether predictions are logits; by default they are probabilities.
    #[must_use]
    pub const fn from_logits(mut self, from_logits: bool) -> Self {
        self.function.from_logits = from_logits;
        self
    }

    /// Rows of this class cost nothing, such as -1 for pixels without a label. As in Keras they are
    /// counted all the same, unless there are sample weights.
    #[must_use]
    pub const fn ignore_class(mut self, class: i32) -> Self {
        self.function.ignore_class = Some(class);
        self
    }
}
