//! The mean of `Σ t ln(t / p)`, over the classes.

use super::mean_metric::mean_metric;
use crate::losses::Divergence;

mean_metric! {
    /// The divergence of Kullback and Leibler, of predicted from true distributions:
    /// `keras.metrics.KLDivergence`.
    struct KLDivergence: "kl_divergence";
    mean of lines: Divergence = Divergence;
    targets: same_shape;
    better: Down;
}
