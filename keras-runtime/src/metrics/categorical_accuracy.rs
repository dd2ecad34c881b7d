//! How often `argmax(y_pred) = argmax(y_true)`.

use super::mean_metric::mean_metric;
use crate::device::cpu::lanes;
use crate::device::{Arith, Float, RowFunction, RowKernel};

mean_metric! {
    /// How often the most probable class is that of the target, a one-hot row:
    /// `keras.metrics.CategoricalAccuracy`.
    struct CategoricalAccuracy: "categorical_accuracy";
    mean of rows: SameClass = SameClass;
    targets: same_shape;
    better: Up;
}

/// 1 if both rows have their maximum at the same place.
#[derive(Clone, Copy, Debug)]
struct SameClass;

impl RowFunction for SameClass {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: &[F], y_pred: &[F]) -> F {
        if argmax::<F, A>(y_true) == argmax::<F, A>(y_pred) {
            F::one()
        } else {
            F::zero()
        }
    }

    fn kernel(&self) -> Option<RowKernel> {
        Some(RowKernel::SameClass)
    }
}

/// Where the maximum is; the first, if there are several. NaN is larger than every number, as in NumPy.
#[inline(always)]
pub(super) fn argmax<F: Float, A: Arith>(row: &[F]) -> usize {
    if row.len() < SHORT {
        return argmax_of_few(row);
    }
    let max = lanes::max::<A, F>(row);
    let nan = row.iter().position(|value| value.is_nan());
    let first = || row.iter().position(|&value| value == max);
    nan.or_else(first).unwrap_or(0)
}

/// The length from which three passes in vectors are faster than one of single numbers.
const SHORT: usize = 4 * lanes::LANES;

fn argmax_of_few<F: Float>(row: &[F]) -> usize {
    let (mut at, mut max) = (0, F::neg_infinity());
    for (i, &value) in row.iter().enumerate() {
        if value.is_nan() {
            return i;
        }
        (at, max) = if value > max { (i, value) } else { (at, max) };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::cpu::simd::Separate;

    #[test]
    fn rows_of_all_lengths_agree() {
        for len in SHORT - 2..SHORT + 2 {
            for at in 0..len {
                let mut row = vec![-2.0; len];
                (row[at], row[len - 1]) = (0.5, 0.5);
                assert_eq!(argmax::<f32, Separate>(&row), at);
                row[at] = f32::NAN;
                assert_eq!(argmax::<f32, Separate>(&row), at);
            }
        }
    }

    #[test]
    fn the_first_of_equal_maxima_counts() {
        assert_eq!(argmax::<_, Separate>(&[0.1, 0.7, 0.7]), 1);
        assert_eq!(argmax::<_, Separate>(&[f32::NAN; 3]), 0);
        assert_eq!(argmax::<_, Separate>(&[f32::NEG_INFINITY, -1.0]), 1);
        assert_eq!(argmax::<_, Separate>(&[0.9, f32::NAN]), 1);
    }
}
