//! How often `argmax(y_pred) = y_true`.

use super::categorical_accuracy::argmax;
use super::mean_metric::mean_metric;
use crate::device::{Arith, Float, RowFunction, RowKernel};

mean_metric! {
    /// How often the most probable class is the target, the number of a class:
    /// `keras.metrics.SparseCategoricalAccuracy`.
    struct SparseCategoricalAccuracy: "sparse_categorical_accuracy";
    mean of rows: IsClass = IsClass;
    targets: classes;
    better: Up;
}

/// 1 if the target is where the maximum is.
#[derive(Clone, Copy, Debug)]
struct IsClass;

impl RowFunction for IsClass {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: &[F], y_pred: &[F]) -> F {
        if y_true.first() == Some(&F::from_usize(argmax::<F, A>(y_pred))) {
            F::one()
        } else {
            F::zero()
        }
    }

    fn kernel(&self) -> Option<RowKernel> {
        Some(RowKernel::IsClass)
    }
}
