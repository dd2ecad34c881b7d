//! The largest `TP / (TP + FN)` of the thresholds where `TN / (TN + FP)` is large enough.

use super::confusion::constrained_metric;

constrained_metric! {
    /// The best sensitivity where the specificity is at least a given one:
    /// `keras.metrics.SensitivityAtSpecificity`.
    struct SensitivityAtSpecificity(specificity): "sensitivity_at_specificity";
    best: recall;
    at_least: specificity;
}
