//! `Σ w` of positive predictions whose targets are 0.

use super::confusion::threshold_metric;

threshold_metric! {
    /// How many positive predictions are wrong: `keras.metrics.FalsePositives`.
    struct FalsePositives: "false_positives";
    value: |matrix| matrix.false_positives;
    better: None;
}
