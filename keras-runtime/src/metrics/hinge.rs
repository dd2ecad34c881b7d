//! The mean of `max(1 - y_true · y_pred, 0)`, of targets -1 and 1.

use super::mean_metric::mean_metric;
use crate::losses::{Margin, Margins};

mean_metric! {
    /// How far predictions are from being on the right side of the margin: `keras.metrics.Hinge`.
    ///
    /// If all targets of a batch are 0 or 1 they are read as -1 and 1.
    struct Hinge: "hinge";
    mean of batches: Margins<Margin> = Margins(Margin);
    targets: broadcast;
    better: Down;
}
