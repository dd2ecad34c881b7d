//! The largest `TN / (TN + FP)` of the thresholds where `TP / (TP + FN)` is large enough.

use super::confusion::constrained_metric;

constrained_metric! {
    /// The best specificity where the sensitivity is at least a given one:
    /// `keras.metrics.SpecificityAtSensitivity`.
    struct SpecificityAtSensitivity(sensitivity): "specificity_at_sensitivity";
    best: specificity;
    at_least: recall;
}
