//! `2 P R / (P + R)` of the precision P and the recall R of each class.

use super::f_beta_score::score_metric;

score_metric! {
    /// The harmonic mean of precision and recall of each class: `keras.metrics.F1Score`.
    struct F1Score: "f1_score";
    config {
        "average": score.average,
        "threshold": score.positive.threshold,
    }
}
