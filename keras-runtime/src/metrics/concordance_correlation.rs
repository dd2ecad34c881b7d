//! The mean of `2 Σ (t - p̄)(p - p̄) / (n (σ²(t) + σ²(p) + (t̄ - p̄)²))`.

use super::mean_metric::mean_metric;
use super::pearson_correlation::spreads;
use crate::device::{Float, Line, LineRule};

mean_metric! {
    /// The correlation of Lin, which also sees differences in mean and scale, of targets and
    /// predictions along an axis: `keras.metrics.ConcordanceCorrelation`.
    struct ConcordanceCorrelation: "concordance_correlation";
    mean of lines along axis: Concordance = Concordance;
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

impl LineRule for Concordance {
    fn compute<F: Float>(&self, line: &mut Line<'_, F>) -> F {
        let [t, p] = spreads(line);
        let shift = t.mean - p.mean;
        let norm = t.variance + p.variance + shift * shift + F::from_f64(EPSILON);
        let products = line.sum(|[a, b, _]| (a - p.mean) * (b - p.mean));
        (products + products) / norm / line.width()
    }
}
