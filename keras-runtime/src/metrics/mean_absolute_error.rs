//! The mean of `|y_true - y_pred|`.

use super::mean_metric::mean_metric;
use crate::device::MeanOf;
use crate::losses::AbsoluteError;

mean_metric! {
    /// The mean of absolute differences: `keras.metrics.MeanAbsoluteError`.
    struct MeanAbsoluteError: "mean_absolute_error";
    mean of rows: MeanOf<AbsoluteError> = MeanOf(AbsoluteError);
    targets: broadcast;
    better: Down;
}
