//! Losses and metrics of a whole batch that are not worth vector units: compiled once, behind `dyn`.
//!
//! Most of them are functions of lines ([`LineLoss`](super::LineLoss)): the elements along the last
//! axis, or along any others. What looks at several lines at once is a [`BatchLoss`] of its own.

#[cfg(any(feature = "cuda", feature = "testing", test))]
use super::cuda::BatchKernel;
use super::host::on_hosts;
use super::{Memory, Reduction, cpu};
use crate::shape::Shape;

/// The targets and predictions of a batch. `S` is the device's view of memory.
#[derive(Clone, Copy, Debug)]
pub struct BatchView<S> {
    /// The number of samples.
    pub samples: usize,
    /// The targets: (samples, ..y_true_shape).
    pub y_true: S,
    /// The shape of one sample's target.
    pub y_true_shape: Shape,
    /// The predictions: (samples, ..y_pred_shape).
    pub y_pred: S,
    /// The shape of one sample's prediction.
    pub y_pred_shape: Shape,
}

/// What a metric or a loss computes of a batch: one value or several.
pub trait BatchFunction<F> {
    /// How many values it has.
    fn count(&self, batch: &BatchView<&[F]>) -> usize;
    /// How many numbers of scratch memory it needs.
    fn scratch(&self, batch: &BatchView<&[F]>) -> usize {
        let _ = batch;
        0
    }
    /// Writes its values.
    fn values(&self, batch: &BatchView<&[F]>, values: &mut [F], scratch: &mut [F]);
    /// How many samples the values of a metric stand for: those of the batch, unless lines run along
    /// them.
    fn samples(&self, batch: &BatchView<&[F]>) -> usize {
        batch.samples
    }
    /// Whether some of its values may not count.
    fn has_mask(&self) -> bool {
        false
    }
    /// What the GPU runs for it, with its gradient if that is asked for; `of_pairs` says whether it can be a
    /// function of pairs. What there is nothing for is computed on the host.
    #[doc(hidden)]
    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn on_gpu(
        &self,
        batch: &BatchView<()>,
        with_gradient: bool,
        of_pairs: bool,
    ) -> Option<BatchKernel> {
        let _ = (batch, with_gradient, of_pairs);
        None
    }
    /// Whether a value counts. One that does not is 0.
    fn counts(&self, batch: &BatchView<&[F]>, at: usize, value: F) -> bool {
        let _ = (batch, at, value);
        true
    }
}

/// A [`BatchFunction`] with its derivative.
pub trait BatchLoss<F>: BatchFunction<F> {
    /// Writes the derivative of `Σ factors[i] · values[i]` with regard to `y_pred`, all of it.
    fn gradient(
        &self,
        batch: &BatchView<&[F]>,
        factors: &[F],
        gradient: &mut [F],
        scratch: &mut [F],
    );
}

/// Sums of functions of a batch.
pub trait BatchSums: Memory {
    /// `sums[0] += samples · L` with `L = Σ wᵢ valueᵢ / denominator`, the denominator being the
    /// [`Reduction`]'s; where `gradient` is given with a factor it becomes the factor times the
    /// derivative of `L`; where `values` is given it becomes the values, without weights.
    ///
    /// A weight stands for one value, or for as many in a row as there are of them to each. If there
    /// are more weights than values, as for one value of a whole batch, each value is counted once
    /// with each.
    #[allow(clippy::too_many_arguments)]
    fn batch_loss(
        &self,
        loss: &dyn BatchLoss<Self::Elem>,
        reduction: Reduction,
        batch: BatchView<Self::Slice<'_>>,
        weights: Option<Self::Slice<'_>>,
        gradient: Option<(Self::SliceMut<'_>, f32)>,
        values: Option<Self::SliceMut<'_>>,
        sums: Self::SliceMut<'_>,
    );
    /// `sums[0] += Σ wᵢ valueᵢ / v`, `sums[1] += Σ wᵢ / v` with v values a sample. Without weights,
    /// values that do not count are counted as 0 all the same, as in Keras.
    fn batch_mean(
        &self,
        function: &dyn BatchFunction<Self::Elem>,
        batch: BatchView<Self::Slice<'_>>,
        weights: Option<Self::Slice<'_>>,
        sums: Self::SliceMut<'_>,
    );
}

on_hosts! {
    impl BatchSums {
        fn batch_loss(
            &self,
            loss: &dyn BatchLoss<Self::Elem>,
            reduction: Reduction,
            batch: BatchView<Self::Slice<'_>>,
            weights: Option<Self::Slice<'_>>,
            gradient: Option<(Self::SliceMut<'_>, f32)>,
            values: Option<Self::SliceMut<'_>>,
            sums: Self::SliceMut<'_>,
        ) {
            cpu::batches::loss(loss, reduction, batch, weights, gradient, values, sums);
        }
        fn batch_mean(
            &self,
            function: &dyn BatchFunction<Self::Elem>,
            batch: BatchView<Self::Slice<'_>>,
            weights: Option<Self::Slice<'_>>,
            sums: Self::SliceMut<'_>,
        ) {
            cpu::batches::mean(function, batch, weights, sums);
        }
    }
}
