//! Sums of a function over rows of targets and predictions.

use super::simd::{Arith, dispatch};
use crate::device::float::Float;
use crate::device::{Reduction, RowFunction, RowLoss, Rows};

/// The gradient's rows and its factor.
pub type Gradient<'a, F> = Option<(&'a mut [F], f32)>;

dispatch! {
    /// See [`RowSums::row_loss`](crate::device::RowSums::row_loss).
    #[allow(clippy::too_many_arguments)]
    pub fn row_loss<F: Float, L: RowLoss>(
        loss: L,
        reduction: Reduction,
        rows: Rows,
        y_true: &[F],
        y_pred: &[F],
        weights: Option<&[F]>,
        gradient: Gradient<'_, F>,
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
    reduction: Reduction,
    rows: Rows,
    y_true: &[F],
    y_pred: &[F],
    weights: Option<&[F]>,
    gradient: Gradient<'_, F>,
    sums: &mut [F],
) {
    let ignored = loss.ignored_target().map(F::from_f32);
    let denominator = denominator(reduction, rows, y_true, weights, ignored);
    let scale = if denominator == F::zero() {
        F::zero()
    } else {
        F::one() / denominator
    };
    let (rows, joined) = if L::IS_MEAN {
        rows.joined(weights.is_some())
    } else {
        (rows, 1)
    };
    let joined = F::from_usize(joined);
    let mut total = F::zero();
    match gradient {
        Some((gradient, factor)) => {
            let factor = F::from_f32(factor) * scale * joined;
            for row in 0..rows.rows {
                let d = &mut gradient[row * rows.width..][..rows.width];
                let (t, p) = rows.pair(row, y_true, y_pred);
                if is_ignored(ignored, t) {
                    d.fill(F::zero());
                    continue;
                }
                let weight = rows.weight(row, weights);
                total += weight * loss.value_and_gradient(t, p, factor * weight, d);
            }
        }
        None => {
            for row in 0..rows.rows {
                let (t, p) = rows.pair(row, y_true, y_pred);
                if !is_ignored(ignored, t) {
                    total += rows.weight(row, weights) * loss.value(t, p);
                }
            }
        }
    }
    sums[0] += F::from_usize(rows.samples) * scale * joined * total;
}

/// What the sum over the rows is divided by.
#[inline(always)]
fn denominator<F: Float>(
    reduction: Reduction,
    rows: Rows,
    y_true: &[F],
    weights: Option<&[F]>,
    ignored: Option<F>,
) -> F {
    let counted =
        || (0..rows.rows).filter(|row| !is_ignored(ignored, &y_true[row * rows.true_width..]));
    let sum = |weights: &mut dyn Iterator<Item = F>| weights.fold(F::zero(), |sum, w| sum + w);
    match (reduction, weights, ignored) {
        (Reduction::Sum, ..) => F::one(),
        // As in Keras, a weight counts once here, however many rows it stands for.
        (Reduction::MeanWithSampleWeight, Some(weights), None) => sum(&mut weights.iter().copied()),
        (Reduction::MeanWithSampleWeight, Some(_), Some(_)) => {
            sum(&mut counted().map(|row| rows.weight(row, weights)))
        }
        (_, _, None) => F::from_usize(rows.rows),
        (_, _, Some(_)) => F::from_usize(counted().count()),
    }
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
    let per_sample = F::from_usize(rows.rows) / F::from_usize(rows.samples.max(1));
    let (rows, joined) = if M::IS_MEAN {
        rows.joined(weights.is_some())
    } else {
        (rows, 1)
    };
    let (mut total, mut count) = (F::zero(), F::zero());
    for row in 0..rows.rows {
        let (t, p) = rows.pair(row, y_true, y_pred);
        let weight = rows.weight(row, weights);
        total += weight * function.value(t, p);
        count += weight;
    }
    if rows.rows > 0 {
        let scale = F::from_usize(joined) / per_sample;
        sums[0] += scale * total;
        sums[1] += scale * count;
    }
}

#[inline(always)]
fn is_ignored<F: Float>(ignored: Option<F>, y_true: &[F]) -> bool {
    match (ignored, y_true) {
        (Some(ignored), [target, ..]) => *target == ignored,
        _ => false,
    }
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

    /// The weight of a row.
    #[inline(always)]
    fn weight<F: Float>(&self, row: usize, weights: Option<&[F]>) -> F {
        weights.map_or(F::one(), |weights| weights[row / self.rows_per_weight])
    }
}
