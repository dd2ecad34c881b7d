//! The mean of `ln cosh(y_pred - y_true)`.

use super::mean_metric::mean_metric;
use crate::device::MeanOf;
use crate::losses::LogCoshError as LogCosh;

mean_metric! {
    /// The mean of the logarithm of the hyperbolic cosine of differences:
    /// `keras.metrics.LogCoshError`.
    struct LogCoshError: "logcosh";
    mean of lines: MeanOf<LogCosh> = MeanOf(LogCosh);
    targets: broadcast;
    better: Down;
}
