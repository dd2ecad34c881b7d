//! `Σ w` of negative predictions whose targets are 0.

use super::confusion::threshold_metric;

threshold_metric! {
    /// How many negative predictions are right: `keras.metrics.TrueNegatives`.
    struct TrueNegatives: "true_negatives";
    value: |matrix| matrix.true_negatives;
    better: None;
}
