//! The mean of `2 Σ (t - p̄)(p - p̄) / (n (σ²(t) + σ²(p) + (t̄ - p̄)²))`.

use super::mean_metric::mean_metric;
use super::pearson_correlation::{Spread, mean};
use crate::device::{Float, LineFunction};

mean_metric! {
    /// The correlation of Lin, which also sees differences in mean and scale, of targets and
    /// predictions along an axis: `keras.metrics.ConcordanceCorrelation`.
    struct ConcordanceCorrelation: "concordance_correlation";
    mean of LineFunction along axis: Concordance = Concordance;
    targets: same_shape;
    better: Up;
    config {
        "axis": axis,
    }
}

/// What keeps quotients finite: `keras.backend.epsilon()`.
const EPSILON: f64 = 1e-7;

/// The concordance of two lines.
#[derive(Clone, Copy, Debug)]
struct Concordance;

impl<F: Float> LineFunction<F> for Concordance {
    fn value(&self, y_true: &[F], y_pred: &[F]) -> F {
        let (t, p) = (Spread::of(y_true), Spread::of(y_pred));
        let shift = t.mean - p.mean;
        let norm = t.variance + p.variance + shift * shift + F::from_f64(EPSILON);
        let product = |(&a, &b): (&F, &F)| {
            let covariance = (a - p.mean) * (b - p.mean);
            (covariance + covariance) / norm
        };
        mean(y_true.iter().zip(y_pred).map(product), y_true.len())
    }
}
