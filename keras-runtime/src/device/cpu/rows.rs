//! Sums of a function over rows of targets and predictions.

use super::simd::{Arith, dispatch};
use crate::device::float::Float;
use crate::device::{RowFunction, RowLoss, Rows};

/// The gradient's rows and its scale.
pub type Gradient<'a, F> = Option<(&'a mut [F], f32)>;

dispatch! {
    /// See [`RowSums::row_loss`](crate::device::RowSums::row_loss).
    #[allow(clippy::too_many_arguments)]
    pub fn row_loss<F: Float, L: RowLoss>(
        loss: L,
        rows: Rows,
        y_true: &[F],
        y_pred: &[F],
        weights: Option<&[F]>,
        gradient: Gradient<'_, F>,
        scale: f32,
        sums: &mut [F],
    ) = loss_body
}

dispatch! {
    /// See [`RowSums::row_mean`](crate::device::RowSums::row_mean).
    pub fn row_mean<F: Float, M: RowFunction>(
        function: M,
        rows: Rows,
        y_true: &[F],
        y_pred: &[F],
        weights: Option<&[F]>,
        sums: &mut [F],
    ) = mean_body
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn loss_body<F: Float, L: RowLoss, A: Arith>(
    loss: L,
    rows: Rows,
    y_true: &[F],
    y_pred: &[F],
    weights: Option<&[F]>,
    gradient: Gradient<'_, F>,
    scale: f32,
    sums: &mut [F],
) {
    let weight =
        |row: usize| weights.map_or(F::one(), |weights| weights[row / rows.rows_per_weight]);
    let mut total = F::zero();
    match gradient {
        Some((gradient, gradient_scale)) => {
            let gradient_scale = F::from_f32(gradient_scale);
            for row in 0..rows.rows {
                let d = &mut gradient[row * rows.width..][..rows.width];
                let (t, p) = rows.pair(row, y_true, y_pred);
                total += weight(row) * loss.value_and_gradient(t, p, d);
                let scale = gradient_scale * weight(row);
                for d in d {
                    *d *= scale;
                }
            }
        }
        None => {
            for row in 0..rows.rows {
                let (t, p) = rows.pair(row, y_true, y_pred);
                total += weight(row) * loss.value(t, p);
            }
        }
    }
    sums[0] += F::from_f32(scale) * total;
}

#[inline(always)]
fn mean_body<F: Float, M: RowFunction, A: Arith>(
    function: M,
    rows: Rows,
    y_true: &[F],
    y_pred: &[F],
    weights: Option<&[F]>,
    sums: &mut [F],
) {
    let (mut total, mut count) = (F::zero(), F::zero());
    for row in 0..rows.rows {
        let (t, p) = rows.pair(row, y_true, y_pred);
        let weight = weights.map_or(F::one(), |weights| weights[row / rows.rows_per_weight]);
        total += weight * function.value(t, p);
        count += weight;
    }
    sums[0] += total;
    sums[1] += count;
}

impl Rows {
    /// A row of targets and its row of predictions.
    #[inline(always)]
    fn pair<'a, F>(&self, row: usize, y_true: &'a [F], y_pred: &'a [F]) -> (&'a [F], &'a [F]) {
        (
            &y_true[row * self.true_width..][..self.true_width],
            &y_pred[row * self.width..][..self.width],
        )
    }
}
