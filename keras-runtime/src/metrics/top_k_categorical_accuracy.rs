//! How often `argmax(y_true)` is among the `k` largest of `y_pred`.

use super::categorical_accuracy::argmax;
use super::mean_metric::mean_metric;
use crate::device::cpu::lanes::{self, Each, Same};
use crate::device::{Arith, Float, RowFunction, RowKernel};

mean_metric! {
    /// How often the class of the target, a one-hot row, is among the `k` most probable:
    /// `keras.metrics.TopKCategoricalAccuracy`.
    struct TopKCategoricalAccuracy: "top_k_categorical_accuracy";
    mean of rows: InTopK = InTopK { k: 5 };
    targets: same_shape;
    better: Up;
    config {
        "k": function.k,
    }
}

impl TopKCategoricalAccuracy {
    /// How many classes are looked at; 5 by default.
    #[must_use]
    pub const fn k(mut self, k: usize) -> Self {
        self.function.k = k;
        self
    }
}

/// 1 if the target's class is among the k largest.
#[derive(Clone, Copy, Debug)]
struct InTopK {
    k: usize,
}

impl RowFunction for InTopK {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: &[F], y_pred: &[F]) -> F {
        in_top_k::<F, A>(y_pred, argmax::<F, A>(y_true), self.k)
    }

    fn kernel(&self) -> Option<RowKernel> {
        Some(RowKernel::InTopK { k: self.k })
    }
}

/// 1 if fewer than `k` predictions are larger than that of the class. NaN is the smallest of all.
#[inline(always)]
pub(super) fn in_top_k<F: Float, A: Arith>(y_pred: &[F], class: usize, k: usize) -> F {
    let Some(&chosen) = y_pred.get(class) else {
        return F::zero();
    };
    let chosen = if chosen.is_nan() {
        F::neg_infinity()
    } else {
        chosen
    };
    let [larger] = lanes::sums::<A, F, 1>(Same(chosen), y_pred, &IsLarger);
    if larger < F::from_usize(k) {
        F::one()
    } else {
        F::zero()
    }
}

/// 1 for a prediction larger than the chosen one.
struct IsLarger;

impl<F: Float> Each<F, 1> for IsLarger {
    #[inline(always)]
    fn at<A: Arith>(&self, chosen: F, p: F) -> ([F; 1], F) {
        let is_larger = if p > chosen { F::one() } else { F::zero() };
        ([is_larger], is_larger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::cpu::simd::Separate;

    #[test]
    fn classes_as_probable_as_the_last_one_are_in() {
        let row = [0.1f32, 0.3, 0.3, 0.2];
        assert_eq!(
            (0..4)
                .map(|class| in_top_k::<_, Separate>(&row, class, 1))
                .sum::<f32>(),
            2.0
        );
        assert_eq!(in_top_k::<_, Separate>(&row, 3, 2), 0.0);
        assert_eq!(in_top_k::<_, Separate>(&row, 3, 3), 1.0);
        assert_eq!(in_top_k::<_, Separate>(&row, 9, 4), 0.0);
        assert_eq!(in_top_k::<_, Separate>(&[f32::NAN, 0.5], 0, 1), 0.0);
    }
}
