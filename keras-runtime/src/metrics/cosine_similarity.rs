//! The mean of `Σ t p / (|t| |p|)`.

use super::mean_metric::mean_metric;
use crate::device::{Float, Line, LineRule};
use crate::losses::NegativeCosine;

mean_metric! {
    /// The cosine of the angle between targets and predictions: `keras.metrics.CosineSimilarity`.
    struct CosineSimilarity: "cosine_similarity";
    mean of lines along axis: Cosine = Cosine;
    targets: same_shape;
    better: Up;
    config {
        "axis" unless (-1): axis,
    }
}

/// The cosine of the angle between two vectors.
#[derive(Clone, Copy, Debug)]
struct Cosine;

impl LineRule for Cosine {
    fn compute<F: Float>(&self, line: &mut Line<'_, F>) -> F {
        -NegativeCosine.compute(line)
    }
}
