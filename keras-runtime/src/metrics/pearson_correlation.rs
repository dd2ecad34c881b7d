//! The mean of `Σ (t - t̄)(p - p̄) / (n σ(t) σ(p))`.

use super::mean_metric::mean_metric;
use crate::device::{Float, Line, LineRule};

mean_metric! {
    /// The correlation of Pearson, of targets and predictions along an axis:
    /// `keras.metrics.PearsonCorrelation`. Lines of equal values have none: the result is NaN.
    struct PearsonCorrelation: "pearson_correlation";
    mean of lines along axis: Correlation = Correlation;
    targets: same_shape;
    better: Up;
    config {
        "axis": axis,
    }
}

/// The correlation of two lines.
#[derive(Clone, Copy, Debug)]
struct Correlation;

impl LineRule for Correlation {
    fn compute<F: Float>(&self, line: &mut Line<'_, F>) -> F {
        let [t, p] = spreads(line);
        let products = line.sum(|[a, b, _]| (a - t.mean) * (b - p.mean));
        products / line.width() / (t.variance.sqrt() * p.variance.sqrt())
    }
}

/// The mean and the variance of some numbers.
pub(super) struct Spread<F> {
    pub mean: F,
    pub variance: F,
}

/// Those of the targets and of the predictions of a line.
pub(super) fn spreads<F: Float>(line: &Line<'_, F>) -> [Spread<F>; 2] {
    [0, 1].map(|at| {
        let mean = line.sum(|element| element[at]) / line.width();
        let squares = line.sum(|element| (element[at] - mean) * (element[at] - mean));
        Spread {
            mean,
            variance: squares / line.width(),
        }
    })
}
