//! The mean of `(ln(y_true + 1) - ln(y_pred + 1))²`.

use super::mean_metric::mean_metric;
use crate::device::MeanOf;
use crate::losses::SquaredLogarithmicError;

mean_metric! {
    /// The mean of squared differences of logarithms: `keras.metrics.MeanSquaredLogarithmicError`.
    struct MeanSquaredLogarithmicError: "mean_squared_logarithmic_error";
    mean of lines: MeanOf<SquaredLogarithmicError> = MeanOf(SquaredLogarithmicError);
    targets: broadcast;
    better: Down;
}
