//! The mean of `Σ t p / (|t| |p|)`.

use super::mean_metric::mean_metric;
use crate::device::{Float, LineFunction, LineLoss};
use crate::losses::NegativeCosine;

mean_metric! {
    /// The cosine of the angle between targets and predictions: `keras.metrics.CosineSimilarity`.
    struct CosineSimilarity: "cosine_similarity";
    mean of LineFunction along axis: Cosine = Cosine;
    targets: same_shape;
    better: Up;
    config {
        "axis" unless (-1): axis,
    }
}

/// The cosine of the angle between two vectors.
#[derive(Clone, Copy, Debug)]
struct Cosine;

impl<F: Float> LineFunction<F> for Cosine {
    fn value(&self, y_true: &[F], y_pred: &[F]) -> F {
        -NegativeCosine.line(y_true, y_pred, None)
    }
}
