//! The mean of `y_pred - y_true ln y_pred`.

use super::mean_metric::mean_metric;
use crate::device::MeanOf;
use crate::losses::PoissonLikelihood;

mean_metric! {
    /// How unlikely counts are whose expectation is predicted: `keras.metrics.Poisson`.
    struct Poisson: "poisson";
    mean of lines: MeanOf<PoissonLikelihood> = MeanOf(PoissonLikelihood);
    targets: broadcast;
    better: Down;
}
