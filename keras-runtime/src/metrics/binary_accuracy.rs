//! How often `(y_pred > threshold) = y_true`.

use super::mean_metric::mean_metric;
use crate::device::{Arith, Float, MeanOf, PairFunction};

mean_metric! {
    /// How often probabilities are on the side of the threshold where their targets, 0 or 1, are:
    /// `keras.metrics.BinaryAccuracy`.
    struct BinaryAccuracy: "binary_accuracy";
    mean of elements: MeanOf<Hit> = MeanOf(Hit { threshold: 0.5 });
    targets: broadcast;
    better: Up;
    config {
        "threshold": function.0.threshold,
    }
}

impl BinaryAccuracy {
    /// Predictions above it count as 1; 0.5 by default.
    #[must_use]
    pub const fn threshold(mut self, threshold: f32) -> Self {
        self.function.0.threshold = threshold;
        self
    }
}

/// 1 if a prediction is on its target's side.
#[derive(Clone, Copy, Debug)]
struct Hit {
    threshold: f32,
}

impl PairFunction for Hit {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        let class = if y_pred > F::from_f32(self.threshold) {
            F::one()
        } else {
            F::zero()
        };
        if class == y_true { F::one() } else { F::zero() }
    }
}
