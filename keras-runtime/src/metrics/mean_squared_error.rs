//! The mean of `(y_true - y_pred)²`.

use super::mean_metric::mean_metric;
use crate::device::MeanOf;
use crate::losses::SquaredError;

mean_metric! {
    /// The mean of squared differences: `keras.metrics.MeanSquaredError`.
    struct MeanSquaredError: "mean_squared_error";
    mean of rows: MeanOf<SquaredError> = MeanOf(SquaredError);
    targets: broadcast;
    better: Down;
}
