//! The mean of `Σ (t - t̄)(p - p̄) / (n σ(t) σ(p))`.

use super::mean_metric::mean_metric;
use crate::device::{Float, LineFunction};

mean_metric! {
    /// The correlation of Pearson, of targets and predictions along an axis:
    /// `keras.metrics.PearsonCorrelation`. Lines of equal values have none: the result is NaN.
    struct PearsonCorrelation: "pearson_correlation";
    mean of LineFunction along axis: Correlation = Correlation;
    targets: same_shape;
    better: Up;
    config {
        "axis": axis,
    }
}

/// The correlation of two lines.
#[derive(Clone, Copy, Debug)]
struct Correlation;

impl<F: Float> LineFunction<F> for Correlation {
    fn value(&self, y_true: &[F], y_pred: &[F]) -> F {
        let (t, p) = (Spread::of(y_true), Spread::of(y_pred));
        let product = |(&a, &b): (&F, &F)| (a - t.mean) * (b - p.mean);
        let covariance = mean(y_true.iter().zip(y_pred).map(product), y_true.len());
        covariance / (t.variance.sqrt() * p.variance.sqrt())
    }
}

/// The mean and the variance of a line.
pub(super) struct Spread<F> {
    pub mean: F,
    pub variance: F,
}

impl<F: Float> Spread<F> {
    pub fn of(line: &[F]) -> Self {
        let center = mean(line.iter().copied(), line.len());
        let squares = line
            .iter()
            .map(|&value| (value - center) * (value - center));
        Self {
            mean: center,
            variance: mean(squares, line.len()),
        }
    }
}

/// The mean of so many values.
pub(super) fn mean<F: Float>(values: impl Iterator<Item = F>, count: usize) -> F {
    values.fold(F::zero(), |sum, value| sum + value) / F::from_usize(count)
}
