//! Sums of a function over rows of targets and predictions.

use super::kernel::{self, Kernel};
use super::simd::{Arith, Separate};
use crate::device::float::Float;
use crate::device::{Reduction, RowFunction, RowLoss, Rows};

/// The loss of a batch: see [`RowSums::row_loss`](crate::device::RowSums::row_loss).
///
/// Without a gradient one is computed all the same and thrown away: every loss is compiled once.
#[allow(clippy::too_many_arguments)]
pub fn row_loss<F: Float, L: RowLoss>(
    loss: L,
    reduction: Reduction,
    rows: Rows,
    y_true: &[F],
    y_pred: &[F],
    weights: Option<&[F]>,
    mut gradient: Option<(&mut [F], f32)>,
    sums: &mut [F],
) {
    let ignored = loss.ignored_target().map(F::from_f32);
    let denominator = denominator(reduction, rows, y_true, weights, ignored);
    let scale = if denominator == F::zero() {
        F::zero()
    } else {
        F::one() / denominator
    };
    over_targets(
        L::IS_MEAN,
        rows,
        y_true,
        weights,
        &mut |rows, joined, y_true| {
            let mut run = |gradient: &mut [F], stride, factor| {
                let total = kernel::run(LossOfRows {
                    loss,
                    rows,
                    ignored,
                    y_true,
                    y_pred,
                    weights,
                    gradient,
                    stride,
                    factor: F::from_f32(factor) * scale * joined,
                });
                sums[0] += F::from_usize(rows.samples) * scale * joined * total;
            };
            match &mut gradient {
                Some((gradient, factor)) => run(gradient, rows.width, *factor),
                None => F::with_scratch(rows.width, |gradient| run(gradient, 0, 0.0)),
            }
        },
    );
}

/// The loss of one row; a gradient becomes its factor times the derivative.
///
/// Far from hot: it is compiled with the losses of batches, and not once more.
pub fn line<F: Float, L: RowLoss>(
    loss: L,
    y_true: &[F],
    y_pred: &[F],
    gradient: Option<(&mut [F], F)>,
) -> F {
    let width = y_pred.len();
    let run = |gradient: &mut [F], factor| {
        kernel::run(LossOfRows {
            loss,
            rows: Rows {
                samples: 1,
                rows: 1,
                true_width: y_true.len(),
                width,
                rows_per_weight: 1,
            },
            ignored: loss.ignored_target().map(F::from_f32),
            y_true,
            y_pred,
            weights: None,
            gradient,
            stride: width,
            factor,
        })
    };
    match gradient {
        Some((gradient, factor)) => run(gradient, factor),
        None => F::with_scratch(width, |gradient| run(gradient, F::zero())),
    }
}

/// The mean of a function of rows: see [`RowSums::row_mean`](crate::device::RowSums::row_mean).
///
/// It is compiled for the baseline of the target only: a metric is a small part of a step.
pub fn row_mean<F: Float, M: RowFunction>(
    function: M,
    rows: Rows,
    y_true: &[F],
    y_pred: &[F],
    weights: Option<&[F]>,
    sums: &mut [F],
) {
    if rows.rows == 0 {
        return;
    }
    let per_sample = F::from_usize(rows.rows) / F::from_usize(rows.samples);
    let ignored = function.ignored_target().map(F::from_f32);
    over_targets(
        M::IS_MEAN,
        rows,
        y_true,
        weights,
        &mut |rows, joined, y_true| {
            let (mut total, mut count) = (F::zero(), F::zero());
            for row in 0..rows.rows {
                let (t, p) = rows.pair(row, y_true, y_pred);
                let weight = rows.weight(row, weights);
                if is_ignored(ignored, t) {
                    count += if weights.is_none() { weight } else { F::zero() };
                    continue;
                }
                total += weight * function.value::<F, Separate>(t, p);
                count += weight;
            }
            let scale = joined / per_sample;
            sums[0] += scale * total;
            sums[1] += scale * count;
        },
    );
}

/// The rows as a function of them wants them: those of one weight joined if it is a mean, and with as
/// many targets as predictions.
fn over_targets<F: Float>(
    is_mean: bool,
    rows: Rows,
    y_true: &[F],
    weights: Option<&[F]>,
    run: &mut dyn FnMut(Rows, F, &[F]),
) {
    if !is_mean {
        return run(rows, F::one(), y_true);
    }
    let (joined, count) = Rows {
        true_width: rows.width,
        ..rows
    }
    .joined(weights.is_some());
    let count = F::from_usize(count);
    if rows.true_width == rows.width {
        return run(joined, count, y_true);
    }
    F::with_scratch(rows.rows * rows.width, |repeated| {
        for (to, from) in repeated.chunks_exact_mut(rows.width).zip(y_true) {
            to.fill(*from);
        }
        run(joined, count, repeated);
    });
}

/// The sum of the weighted losses of all rows, and their gradients.
struct LossOfRows<'a, F, L> {
    loss: L,
    rows: Rows,
    ignored: Option<F>,
    /// (rows, true_width)
    y_true: &'a [F],
    /// (rows, width)
    y_pred: &'a [F],
    weights: Option<&'a [F]>,
    /// (rows, width), or one row for all with a stride of 0.
    gradient: &'a mut [F],
    stride: usize,
    /// What each gradient is multiplied by.
    factor: F,
}

impl<F: Float, L: RowLoss> Kernel for LossOfRows<'_, F, L> {
    type Number = F;
    type Output = F;

    #[inline(always)]
    fn run<A: Arith>(self) -> F {
        let rows = self.rows;
        let mut total = F::zero();
        for row in 0..rows.rows {
            let d = &mut self.gradient[row * self.stride..][..rows.width];
            let (t, p) = rows.pair(row, self.y_true, self.y_pred);
            if is_ignored(self.ignored, t) {
                d.fill(F::zero());
                continue;
            }
            let weight = rows.weight(row, self.weights);
            let factor = self.factor * weight;
            total += weight * self.loss.value_and_gradient::<F, A>(t, p, factor, d);
        }
        total
    }
}

/// What the sum over the rows is divided by.
pub(super) fn denominator<F: Float>(
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
        (Reduction::Sum | Reduction::None, ..) => F::one(),
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
pub(super) fn is_ignored<F: Float>(ignored: Option<F>, y_true: &[F]) -> bool {
    match (ignored, y_true) {
        (Some(ignored), [target, ..]) => *target == ignored,
        _ => false,
    }
}

impl Rows {
    /// A row of targets and its row of predictions.
    #[inline(always)]
    pub(crate) fn pair<'a, F>(
        &self,
        row: usize,
        y_true: &'a [F],
        y_pred: &'a [F],
    ) -> (&'a [F], &'a [F]) {
        (
            &y_true[row * self.true_width..][..self.true_width],
            &y_pred[row * self.width..][..self.width],
        )
    }

    /// The weight of a row.
    #[inline(always)]
    pub(crate) fn weight<F: Float>(&self, row: usize, weights: Option<&[F]>) -> F {
        weights.map_or(F::one(), |weights| weights[row / self.rows_per_weight])
    }
}
