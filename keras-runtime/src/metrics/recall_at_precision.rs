//! The largest `TP / (TP + FN)` of the thresholds where `TP / (TP + FP)` is large enough.

use super::confusion::constrained_metric;

constrained_metric! {
    /// The best recall where the precision is at least a given one:
    /// `keras.metrics.RecallAtPrecision`.
    struct RecallAtPrecision(precision): "recall_at_precision";
    best: recall;
    at_least: precision;
}
