//! The mean of `100 |y_true - y_pred| / |y_true|`.

use super::mean_metric::mean_metric;
use crate::device::MeanOf;
use crate::losses::AbsolutePercentageError;

mean_metric! {
    /// The mean of absolute differences in percent of the targets:
    /// `keras.metrics.MeanAbsolutePercentageError`.
    struct MeanAbsolutePercentageError: "mean_absolute_percentage_error";
    mean of lines: MeanOf<AbsolutePercentageError> = MeanOf(AbsolutePercentageError);
    targets: broadcast;
    better: Down;
}
