//! Losses and metrics: functions of a row of targets and a row of predictions.

use super::cpu::lanes::{self, Each};
use super::cpu::simd::Separate;
use super::host::on_hosts;
use super::{Arith, Float, Line, Memory, cpu};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// What a metric or a loss computes of one row: a sample's target and prediction along the last
/// axis.
pub trait RowFunction: Copy + Send + Sync {
    /// Whether the value is a mean over the elements of the row, so that rows of one weight can be
    /// read as one long row. Its rows of targets are as long as those of predictions: a single target
    /// is repeated before.
    const IS_MEAN: bool = false;

    /// Rows whose target is this number are left out: their loss is 0 and they are not counted.
    fn ignored_target(&self) -> Option<f32> {
        None
    }

    /// The value of a row: y_true (true_width), y_pred (width).
    fn value<F: Float, A: Arith>(&self, y_true: &[F], y_pred: &[F]) -> F;

    /// Where the function is the mean of one of pairs, the value of a pair: devices that compile
    /// their own kernels ask for it.
    fn pair<F: Float>(&self, y_true: F, y_pred: F) -> Option<F> {
        let _ = (y_true, y_pred);
        None
    }

    /// As sums over the elements of the row, for such devices: see [`LineRule`](super::LineRule).
    fn line<F: Float>(&self, line: &mut Line<'_, F>) -> Option<F> {
        let _ = line;
        None
    }

    /// The kernel that such devices have for the function. Without a kernel, a [`pair`](Self::pair) and
    /// a [`line`](Self::line) they compute it on the host.
    fn kernel(&self) -> Option<RowKernel> {
        None
    }
}

/// Functions of rows, no losses, that devices have kernels of their own for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RowKernel {
    /// 1 if both rows have their maximum at the same place.
    SameClass,
    /// 1 if the one target is where the maximum is.
    IsClass,
    /// 1 if the place of the target's maximum is among the k largest predictions.
    InTopK {
        /// k.
        k: usize,
    },
    /// 1 if the one target is among the k largest predictions.
    ClassInTopK {
        /// k.
        k: usize,
    },
}

/// A [`RowFunction`] with its derivative.
pub trait RowLoss: RowFunction {
    /// The value of a row; `gradient` (width) becomes `factor` times its derivative with regard to
    /// `y_pred`.
    fn value_and_gradient<F: Float, A: Arith>(
        &self,
        y_true: &[F],
        y_pred: &[F],
        factor: F,
        gradient: &mut [F],
    ) -> F;

    /// As [`RowFunction::pair`], with the derivative.
    fn pair_and_gradient<F: Float>(&self, y_true: F, y_pred: F) -> Option<(F, F)> {
        let _ = (y_true, y_pred);
        None
    }
}

/// What a metric or a loss computes of one target and one prediction.
pub trait PairFunction: Copy + Send + Sync {
    /// The value of a pair.
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F;
}

/// A [`PairFunction`] with its derivative.
pub trait PairLoss: PairFunction {
    /// The value of a pair, and its derivative with regard to `y_pred`.
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F);
}

/// The mean of a [`PairFunction`] over a row. A single target is compared with every prediction; the
/// device has repeated it.
#[derive(Clone, Copy, Debug)]
pub struct MeanOf<P>(
    /// The function.
    pub P,
);

impl<P: PairFunction> RowFunction for MeanOf<P> {
    const IS_MEAN: bool = true;

    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: &[F], y_pred: &[F]) -> F {
        let [sum] = lanes::sums::<A, F, 1>(y_true, y_pred, &Values(self.0));
        sum / F::from_usize(y_pred.len())
    }

    fn pair<F: Float>(&self, y_true: F, y_pred: F) -> Option<F> {
        Some(self.0.value::<F, Separate>(y_true, y_pred))
    }
}

impl<P: PairLoss> RowLoss for MeanOf<P> {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(
        &self,
        y_true: &[F],
        y_pred: &[F],
        factor: F,
        gradient: &mut [F],
    ) -> F {
        let width = F::from_usize(y_pred.len());
        let each = Gradients {
            loss: self.0,
            factor: factor / width,
        };
        let [sum] = lanes::sums_and_map::<A, F, 1>(y_true, y_pred, gradient, &each);
        sum / width
    }

    fn pair_and_gradient<F: Float>(&self, y_true: F, y_pred: F) -> Option<(F, F)> {
        Some(self.0.value_and_gradient::<F, Separate>(y_true, y_pred))
    }
}

/// The values of pairs.
struct Values<P>(P);

impl<F: Float, P: PairFunction> Each<F, 1> for Values<P> {
    #[inline(always)]
    fn at<A: Arith>(&self, a: F, b: F) -> ([F; 1], F) {
        ([self.0.value::<F, A>(a, b)], F::zero())
    }
}

/// The values of pairs, and a factor times their derivatives.
struct Gradients<P, F> {
    loss: P,
    factor: F,
}

impl<F: Float, P: PairLoss> Each<F, 1> for Gradients<P, F> {
    #[inline(always)]
    fn at<A: Arith>(&self, a: F, b: F) -> ([F; 1], F) {
        let (value, gradient) = self.loss.value_and_gradient::<F, A>(a, b);
        ([value], self.factor * gradient)
    }
}

/// How the losses of a batch's rows become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// Their (weighted) sum over the number of rows, weights or not.
    #[default]
    SumOverBatchSize,
    /// As `SumOverBatchSize`, which Keras calls `mean`, too.
    Mean,
    /// Their (weighted) sum.
    Sum,
    /// Their weighted sum over the sum of the weights.
    MeanWithSampleWeight,
    /// None: they stay as they are. A model trains on their sum and shows their mean, as with
    /// TensorFlow.
    None,
}

impl Reduction {
    /// Its name in Keras.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SumOverBatchSize => "sum_over_batch_size",
            Self::Mean => "mean",
            Self::Sum => "sum",
            Self::MeanWithSampleWeight => "mean_with_sample_weight",
            Self::None => "none",
        }
    }

    /// The reduction of a name in Keras.
    ///
    /// # Errors
    /// With Keras' sentence, if there is none.
    pub fn by_name(name: &str) -> Result<Self> {
        Ok(match name {
            "sum_over_batch_size" => Self::SumOverBatchSize,
            "mean" => Self::Mean,
            "sum" => Self::Sum,
            "mean_with_sample_weight" => Self::MeanWithSampleWeight,
            "none" => Self::None,
            _ => {
                return Err(Error::value(format!(
                    "Invalid value for argument `reduction`. Expected one of {{None, 'none', 'mean', 'sum', \
                     'sum_over_batch_size', 'mean_with_sample_weight'}}. Received: reduction={name}"
                )));
            }
        })
    }
}

/// How the rows of a batch lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The number of samples.
    pub samples: usize,
    /// The number of rows: the samples, times the axes between the batch and the last one.
    pub rows: usize,
    /// The length of a row of targets.
    pub true_width: usize,
    /// The length of a row of predictions.
    pub width: usize,
    /// How many rows share one sample weight.
    pub rows_per_weight: usize,
}

/// What the targets of a softmax are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClassTargets {
    /// The number of a class in each row; rows of the ignored one are left out.
    Numbers {
        /// The number of the class that is ignored.
        ignored: Option<f32>,
    },
    /// The probabilities of all classes.
    Probabilities {
        /// How far they are drawn towards equal ones.
        smoothing: f32,
    },
}

/// Sums of a function over rows. Sums run in a fixed order: the result does not depend on the
/// number of threads.
pub trait RowSums: Memory {
    /// `sums[0] += samples · L` with `L = Σ wᵢ f(row i) / denominator`, the denominator being the
    /// [`Reduction`]'s; and where `gradient` is given with a factor, its row i becomes the factor
    /// times the derivative of `L`. Without weights every wᵢ is 1. A denominator of 0 makes `L` 0.
    #[allow(clippy::too_many_arguments)]
    fn row_loss<L: RowLoss>(
        &self,
        loss: L,
        reduction: Reduction,
        rows: Rows,
        y_true: Self::Slice<'_>,
        y_pred: Self::Slice<'_>,
        weights: Option<Self::Slice<'_>>,
        gradient: Option<(Self::SliceMut<'_>, f32)>,
        sums: Self::SliceMut<'_>,
    );
    /// The cross-entropy after a softmax as [`row_loss`](Self::row_loss) has losses, from the input of the
    /// softmax and its output; the gradient is that with regard to the input.
    #[allow(clippy::too_many_arguments)]
    fn softmax_loss(
        &self,
        targets: ClassTargets,
        reduction: Reduction,
        rows: Rows,
        y_true: Self::Slice<'_>,
        input_and_output: [Self::Slice<'_>; 2],
        weights: Option<Self::Slice<'_>>,
        gradient: Option<(Self::SliceMut<'_>, f32)>,
        sums: Self::SliceMut<'_>,
    );
    /// `sums[0] += Σ wᵢ f(row i) / r`, `sums[1] += Σ wᵢ / r` with r rows a sample. Without weights,
    /// rows that are left out are counted with the value 0, as in Keras.
    fn row_mean<M: RowFunction>(
        &self,
        function: M,
        rows: Rows,
        y_true: Self::Slice<'_>,
        y_pred: Self::Slice<'_>,
        weights: Option<Self::Slice<'_>>,
        sums: Self::SliceMut<'_>,
    );
}

impl Rows {
    /// The rows of a batch of samples, with `weights_per_sample` weights each.
    ///
    /// A last axis of size 1 that only the predictions have is no axis of its own: (.., t, 1)
    /// beside targets of (.., t) are rows of t, as in Keras.
    pub fn of(samples: usize, y_true: &Shape, y_pred: &Shape, weights_per_sample: usize) -> Self {
        let is_squeezed =
            y_true.rank() > 0 && y_pred.rank() == y_true.rank() + 1 && y_pred.last() == 1;
        let width = if is_squeezed { y_true } else { y_pred }.last().max(1);
        let per_sample = y_pred.size() / width;
        Self {
            samples,
            rows: samples * per_sample,
            true_width: y_true.size() / per_sample.max(1),
            width,
            rows_per_weight: per_sample / weights_per_sample.clamp(1, per_sample.max(1)),
        }
    }

    /// Every element a row of its own, for functions that Keras does not average along the last
    /// axis: there a weight may belong to one element. Where one target stands beside a row of
    /// predictions, it is [`Rows::of`] all the same.
    pub fn of_elements(
        samples: usize,
        y_true: &Shape,
        y_pred: &Shape,
        weights_per_sample: usize,
    ) -> Self {
        let size = y_pred.size();
        if y_true.size() != size {
            return Self::of(samples, y_true, y_pred, weights_per_sample);
        }
        Self {
            samples,
            rows: samples * size,
            true_width: 1,
            width: 1,
            rows_per_weight: size / weights_per_sample.clamp(1, size.max(1)),
        }
    }

    /// The same rows for a function that is a mean over their elements: those of one weight joined,
    /// and how many were joined to one.
    #[must_use]
    pub(crate) fn joined(self, has_weights: bool) -> (Self, usize) {
        let count = if has_weights {
            self.rows_per_weight
        } else {
            self.rows
        };
        if self.true_width != self.width || count < 2 {
            return (self, 1);
        }
        let joined = Self {
            rows: self.rows / count,
            true_width: self.true_width * count,
            width: self.width * count,
            rows_per_weight: 1,
            ..self
        };
        (joined, count)
    }
}

on_hosts! {
    impl RowSums {
        fn row_loss<L: RowLoss>(
            &self,
            loss: L,
            reduction: Reduction,
            rows: Rows,
            y_true: Self::Slice<'_>,
            y_pred: Self::Slice<'_>,
            weights: Option<Self::Slice<'_>>,
            gradient: Option<(Self::SliceMut<'_>, f32)>,
            sums: Self::SliceMut<'_>,
        ) {
            cpu::rows::row_loss(loss, reduction, rows, y_true, y_pred, weights, gradient, sums);
        }
        fn softmax_loss(
            &self,
            targets: ClassTargets,
            reduction: Reduction,
            rows: Rows,
            y_true: Self::Slice<'_>,
            input_and_output: [Self::Slice<'_>; 2],
            weights: Option<Self::Slice<'_>>,
            gradient: Option<(Self::SliceMut<'_>, f32)>,
            sums: Self::SliceMut<'_>,
        ) {
            cpu::softmax_loss::softmax_loss(
                targets,
                reduction,
                rows,
                y_true,
                input_and_output,
                weights,
                gradient,
                sums,
            );
        }
        fn row_mean<M: RowFunction>(
            &self,
            function: M,
            rows: Rows,
            y_true: Self::Slice<'_>,
            y_pred: Self::Slice<'_>,
            weights: Option<Self::Slice<'_>>,
            sums: Self::SliceMut<'_>,
        ) {
            cpu::rows::row_mean(function, rows, y_true, y_pred, weights, sums);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_follow_the_last_axis() {
        let rows = Rows::of(4, &Shape::new(&[5]), &Shape::new(&[5, 3]), 5);
        let expected = Rows {
            samples: 4,
            rows: 20,
            true_width: 1,
            width: 3,
            rows_per_weight: 1,
        };
        assert_eq!(rows, expected);
        let squeezed = Rows::of(4, &Shape::new(&[5]), &Shape::new(&[5, 1]), 1);
        assert_eq!(
            (squeezed.rows, squeezed.width, squeezed.true_width),
            (4, 5, 5)
        );
        let single = Rows::of(4, &Shape::SCALAR, &Shape::new(&[1]), 1);
        assert_eq!((single.rows, single.width), (4, 1));
    }

    #[test]
    fn rows_of_one_weight_are_joined() {
        let rows = Rows::of(4, &Shape::new(&[5, 3]), &Shape::new(&[5, 3]), 1);
        let (joined, count) = rows.joined(true);
        assert_eq!((joined.rows, joined.width, count), (4, 15, 5));
        let (joined, count) = rows.joined(false);
        assert_eq!((joined.rows, joined.width, count), (1, 60, 20));
        let broadcast = Rows::of(4, &Shape::new(&[1]), &Shape::new(&[3]), 1);
        assert_eq!(broadcast.joined(false), (broadcast, 1));
    }
}
