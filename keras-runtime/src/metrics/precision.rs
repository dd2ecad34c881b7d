//! `TP / (TP + FP)`.

use super::confusion::{Matrix, classes_of, threshold_metric};

threshold_metric! {
    /// How many of the positive predictions are right: `keras.metrics.Precision`.
    struct Precision: "precision";
    value: Matrix::precision;
    better: Up;
    with write_classes;
}

classes_of!(Precision);
