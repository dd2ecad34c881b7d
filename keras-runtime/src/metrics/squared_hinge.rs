//! The mean of `max(1 - y_true · y_pred, 0)²`, of targets -1 and 1.

use super::mean_metric::mean_metric;
use crate::losses::{Margins, SquaredMargin};

mean_metric! {
    /// The square of [`Hinge`](super::Hinge)'s distances: `keras.metrics.SquaredHinge`.
    ///
    /// If all targets of a batch are 0 or 1 they are read as -1 and 1.
    struct SquaredHinge: "squared_hinge";
    mean of batches: Margins<SquaredMargin> = Margins(SquaredMargin);
    targets: broadcast;
    better: Down;
}
