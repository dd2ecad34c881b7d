//! How often `y_pred = y_true`.

use super::mean_metric::mean_metric;
use crate::device::{Arith, Float, MeanOf, PairFunction};

mean_metric! {
    /// How often predictions equal targets: `keras.metrics.Accuracy`.
    ///
    /// The name `accuracy` in `compile` is not always this one: see [`by_name`](super::by_name).
    struct Accuracy: "accuracy";
    mean of elements: MeanOf<Equal> = MeanOf(Equal);
    targets: broadcast;
    better: Up;
}

/// 1 if both are the same.
#[derive(Clone, Copy, Debug)]
struct Equal;

impl PairFunction for Equal {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        if y_true == y_pred {
            F::one()
        } else {
            F::zero()
        }
    }
}
