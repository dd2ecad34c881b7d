//! `Σ w` of negative predictions whose targets are positive.

use super::confusion::threshold_metric;

threshold_metric! {
    /// How many negative predictions are wrong: `keras.metrics.FalseNegatives`.
    struct FalseNegatives: "false_negatives";
    value: |matrix| matrix.false_negatives;
    better: None;
}
