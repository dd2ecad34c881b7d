//! The largest `TP / (TP + FP)` of the thresholds where `TP / (TP + FN)` is large enough.

use super::confusion::constrained_metric;

constrained_metric! {
    /// The best precision where the recall is at least a given one:
    /// `keras.metrics.PrecisionAtRecall`.
    struct PrecisionAtRecall(recall): "precision_at_recall";
    best: precision;
    at_least: recall;
}
