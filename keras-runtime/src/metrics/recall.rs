//! `TP / (TP + FN)`.

use super::confusion::{Matrix, classes_of, threshold_metric};

threshold_metric! {
    /// How many of the positive targets are found: `keras.metrics.Recall`.
    struct Recall: "recall";
    value: Matrix::recall;
    better: Up;
    with write_classes;
}

classes_of!(Recall);
