//! `mean(max(1 - y_true · y_pred, 0))` along the last axis, of targets -1 and 1.

#[cfg(any(feature = "cuda", feature = "testing", test))]
use num_traits::Zero;

use super::{Loss, LossInput, loss, options};
#[cfg(any(feature = "cuda", feature = "testing", test))]
use crate::device::axes::Places;
#[cfg(any(feature = "cuda", feature = "testing", test))]
use crate::device::cpu::simd::Separate;
#[cfg(any(feature = "cuda", feature = "testing", test))]
use crate::device::cuda::{BatchKernel, OfLine, Program, Traced};
use crate::device::{
    Arith, Axes, BatchFunction, BatchLoss, BatchView, Device, Float, LineLoss, Lines, MeanOf,
    PairFunction, PairLoss,
};

loss! {
    /// How far predictions are from being on the right side of the margin: `keras.losses.Hinge`.
    ///
    /// If all targets of a batch are 0 or 1 they are read as -1 and 1.
    Hinge, "hinge" {}
}

impl<D: Device> Loss<D> for Hinge {
    options!();

    fn compute(&self, input: LossInput<'_, D>) {
        input.batch_loss(&Margins(Margin), self.options.reduction);
    }
}

/// What is missing to the margin, for targets -1 and 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Margin;

impl PairFunction for Margin {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        self.value_and_gradient::<F, A>(y_true, y_pred).0
    }
}

impl PairLoss for Margin {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F) {
        let missing = F::one() - y_true * y_pred;
        if missing < F::zero() {
            (F::zero(), F::zero())
        } else if missing.is_nan() {
            (missing, missing)
        } else {
            // Exactly on the margin, too: that is the derivative of TensorFlow.
            (missing, -y_true)
        }
    }
}

/// The mean of a function of margins along the last axis; also the metrics'. Targets 0 and 1 become
/// -1 and 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Margins<P>(pub P);

/// A function of targets 0 and 1 as one of -1 and 1.
#[derive(Clone, Copy, Debug)]
struct OfBinary<P>(P);

impl<P: PairFunction> PairFunction for OfBinary<P> {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> F {
        self.0.value::<F, A>(y_true + y_true - F::one(), y_pred)
    }
}

impl<P: PairLoss> PairLoss for OfBinary<P> {
    #[inline(always)]
    fn value_and_gradient<F: Float, A: Arith>(&self, y_true: F, y_pred: F) -> (F, F) {
        let y_true = y_true + y_true - F::one();
        self.0.value_and_gradient::<F, A>(y_true, y_pred)
    }
}

impl<P: PairLoss + 'static> Margins<P> {
    /// Runs `work` on the lines of a batch.
    fn with<F: Float, T>(self, y_true: &[F], work: impl FnOnce(&Lines<'_, F>) -> T) -> T {
        let is_binary = y_true.iter().all(|t| *t == F::zero() || *t == F::one());
        let (binary, plain) = (MeanOf(OfBinary(self.0)), MeanOf(self.0));
        let function: &dyn LineLoss<F> = if is_binary { &binary } else { &plain };
        work(&Lines {
            function,
            axes: &Axes::LAST,
        })
    }
}

impl<F: Float, P: PairLoss + 'static> BatchFunction<F> for Margins<P> {
    fn count(&self, batch: &BatchView<&[F]>) -> usize {
        self.with(batch.y_true, |lines| lines.count(batch))
    }

    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn on_gpu(
        &self,
        batch: &BatchView<()>,
        with_gradient: bool,
        _of_pairs: bool,
    ) -> Option<BatchKernel> {
        let program = Program::of(with_gradient, &|line| {
            let others = Program::other_targets();
            let pair = |[t, p, _]: [Traced; 3]| match others {
                others if others == Traced::zero() => {
                    OfBinary(self.0).value_and_gradient::<_, Separate>(t, p)
                }
                _ => self.0.value_and_gradient::<_, Separate>(t, p),
            };
            let (width, sum) = (line.width(), line.sum(|element| pair(element).0));
            line.gradient(|element| pair(element).1 / width);
            sum / width
        })?;
        Some(BatchKernel::Lines {
            function: OfLine::Program(program),
            places: Places::of(batch, &Axes::LAST),
            ignored: None,
        })
    }

    fn values(&self, batch: &BatchView<&[F]>, values: &mut [F], scratch: &mut [F]) {
        self.with(batch.y_true, |lines| lines.values(batch, values, scratch));
    }
}

impl<F: Float, P: PairLoss + 'static> BatchLoss<F> for Margins<P> {
    fn gradient(
        &self,
        batch: &BatchView<&[F]>,
        factors: &[F],
        gradient: &mut [F],
        scratch: &mut [F],
    ) {
        self.with(batch.y_true, |lines| {
            lines.gradient(batch, factors, gradient, scratch);
        });
    }
}
