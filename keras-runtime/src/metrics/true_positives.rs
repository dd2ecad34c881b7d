//! `Σ w` of positive predictions whose targets are positive.

use super::confusion::threshold_metric;

threshold_metric! {
    /// How many positive predictions are right: `keras.metrics.TruePositives`.
    struct TruePositives: "true_positives";
    value: |matrix| matrix.true_positives;
    better: None;
}
