//! How often `y_true` is among the `k` largest of `y_pred`.

use super::mean_metric::mean_metric;
use super::top_k_categorical_accuracy::in_top_k;
use crate::device::{Arith, Float, RowFunction, RowKernel};

mean_metric! {
    /// How often the target, the number of a class, is among the `k` most probable:
    /// `keras.metrics.SparseTopKCategoricalAccuracy`.
    struct SparseTopKCategoricalAccuracy: "sparse_top_k_categorical_accuracy";
    mean of rows: ClassInTopK = ClassInTopK { k: 5, from_sorted_ids: false };
    targets: classes;
    better: Up;
    config {
        "k": function.k,
        "from_sorted_ids" unless false: function.from_sorted_ids,
    }
}

impl SparseTopKCategoricalAccuracy {
    /// How many classes are looked at; 5 by default.
    #[must_use]
    pub const fn k(mut self, k: usize) -> Self {
        self.function.k = k;
        self
    }

    /// Whether predictions are numbers of classes, the most probable first, as a model for retrieval
    /// gives them; by default they are the probabilities of all classes.
    #[must_use]
    pub const fn from_sorted_ids(mut self, from_sorted_ids: bool) -> Self {
        self.function.from_sorted_ids = from_sorted_ids;
        self
    }
}

/// 1 if the target is one of the k largest.
#[derive(Clone, Copy, Debug)]
struct ClassInTopK {
    k: usize,
    from_sorted_ids: bool,
}

impl RowFunction for ClassInTopK {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: &[F], y_pred: &[F]) -> F {
        let Some(class) = y_true.first() else {
            return F::zero();
        };
        if self.from_sorted_ids {
            let is_in = y_pred.iter().take(self.k).any(|id| id == class);
            return if is_in { F::one() } else { F::zero() };
        }
        class
            .to_usize()
            .map_or(F::zero(), |class| in_top_k::<F, A>(y_pred, class, self.k))
    }

    fn kernel(&self) -> Option<RowKernel> {
        (!self.from_sorted_ids).then_some(RowKernel::ClassInTopK { k: self.k })
    }
}
