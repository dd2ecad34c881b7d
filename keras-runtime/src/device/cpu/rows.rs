//! Sums of a function over rows of targets and predictions.

use super::kernel::Kernel;
use super::simd::Arith;
use crate::device::float::Float;
use crate::device::{Reduction, RowFunction, RowLoss, Rows};

/// The loss of a batch: see [`RowSums::row_loss`](crate::device::RowSums::row_loss).
pub struct LossOfRows<'a, F, L> {
    /// The loss of a row.
    pub loss: L,
    /// How the rows become one number.
    pub reduction: Reduction,
    /// How they lie in memory.
    pub rows: Rows,
    /// The targets: (rows, true_width).
    pub y_true: &'a [F],
    /// The predictions: (rows, width).
    pub y_pred: &'a [F],
    /// The sample weights.
    pub weights: Option<&'a [F]>,
    /// The gradient, to be written, and its factor.
    pub gradient: Option<(&'a mut [F], f32)>,
    /// What the loss, times the samples, is added to.
    pub sums: &'a mut [F],
}

impl<F: Float, L: RowLoss> Kernel for LossOfRows<'_, F, L> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let Self {
            loss,
            y_true,
            y_pred,
            weights,
            ..
        } = self;
        let ignored = loss.ignored_target().map(F::from_f32);
        let denominator = denominator(self.reduction, self.rows, y_true, weights, ignored);
        let scale = if denominator == F::zero() {
            F::zero()
        } else {
            F::one() / denominator
        };
        let (rows, joined) = if L::IS_MEAN {
            self.rows.joined(weights.is_some())
        } else {
            (self.rows, 1)
        };
        let joined = F::from_usize(joined);
        let mut total = F::zero();
        match self.gradient {
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
                    total += weight * loss.value_and_gradient::<F, A>(t, p, factor * weight, d);
                }
            }
            None => {
                for row in 0..rows.rows {
                    let (t, p) = rows.pair(row, y_true, y_pred);
                    if !is_ignored(ignored, t) {
                        total += rows.weight(row, weights) * loss.value::<F, A>(t, p);
                    }
                }
            }
        }
        self.sums[0] += F::from_usize(rows.samples) * scale * joined * total;
    }
}

/// The mean of a function of rows: see [`RowSums::row_mean`](crate::device::RowSums::row_mean).
pub struct MeanOfRows<'a, F, M> {
    /// The function of a row.
    pub function: M,
    /// How the rows lie in memory.
    pub rows: Rows,
    /// The targets: (rows, true_width).
    pub y_true: &'a [F],
    /// The predictions: (rows, width).
    pub y_pred: &'a [F],
    /// The sample weights.
    pub weights: Option<&'a [F]>,
    /// What the sum of the values and that of the weights are added to.
    pub sums: &'a mut [F],
}

impl<F: Float, M: RowFunction> Kernel for MeanOfRows<'_, F, M> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let Self { rows, weights, .. } = self;
        if rows.rows == 0 {
            return;
        }
        let per_sample = F::from_usize(rows.rows) / F::from_usize(rows.samples);
        let (rows, joined) = if M::IS_MEAN {
            rows.joined(weights.is_some())
        } else {
            (rows, 1)
        };
        let (mut total, mut count) = (F::zero(), F::zero());
        for row in 0..rows.rows {
            let (t, p) = rows.pair(row, self.y_true, self.y_pred);
            let weight = rows.weight(row, weights);
            total += weight * self.function.value::<F, A>(t, p);
            count += weight;
        }
        let scale = F::from_usize(joined) / per_sample;
        self.sums[0] += scale * total;
        self.sums[1] += scale * count;
    }
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
