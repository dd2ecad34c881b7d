//! `-ln Σ Π softmax(y_pred)[step, symbol]` over all paths of symbols that spell the label: a symbol may
//! last for several steps, and blanks (class 0) may stand between symbols.
//!
//! The sum is that of forward and backward variables over the label with a blank around every symbol,
//! in logarithms (Graves and others, 2006).

use super::{Loss, LossInput, loss, options};
#[cfg(any(feature = "cuda", feature = "testing", test))]
use crate::device::axes::Places;
use crate::device::cpu::math;
use crate::device::cpu::simd::Separate;
#[cfg(any(feature = "cuda", feature = "testing", test))]
use crate::device::cuda::{BatchKernel, Ctc, OfLine};
use crate::device::{Axes, BatchFunction, BatchLoss, BatchView, Device, Float};
use crate::error::{Error, Result};
use crate::shape::Shape;

loss! {
    /// The connectionist temporal classification of sequences whose labels are not aligned with them:
    /// `keras.losses.CTC`.
    ///
    /// Targets are numbers of classes, (batch, max_length), padded with 0 at the end; predictions are
    /// logits, (batch, steps, classes), of which class 0 is the blank.
    CTC, "ctc" {}
}

impl<D: Device> Loss<D> for CTC {
    options!();

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        if y_true.rank() != 1 {
            return Err(Error::value(format!(
                "Targets `y_true` are expected to be a tensor of shape `(batch_size, max_length)` in integer \
                 format. Received: y_true.shape={y_true}"
            )));
        }
        if y_pred.rank() != 2 {
            return Err(Error::value(format!(
                "Logits `y_pred` are expected to be a tensor of shape `(batch_size, max_length, num_classes)`. \
                 Received: y_pred.shape={y_pred}"
            )));
        }
        Ok(())
    }

    fn check_targets(&self, values: &[f32], y_true: &Shape, y_pred: &Shape) -> Result<()> {
        super::check::class_numbers(values, y_pred.last(), None)?;
        for label in values.chunks_exact(y_true.size().max(1)) {
            let label = symbols(label);
            let repeated = label.windows(2).filter(|pair| pair[0] == pair[1]).count();
            let needed = label.len() + repeated;
            if needed > y_pred.dim(0) {
                return Err(Error::value(format!(
                    "A label of {} symbols, {repeated} of them like the one before, needs {needed} steps. \
                     Received: y_pred.shape={y_pred}",
                    label.len()
                )));
            }
        }
        Ok(())
    }

    fn axes(&self) -> Axes {
        Axes::Several(vec![1, 2])
    }

    fn compute(&self, input: LossInput<'_, D>) {
        input.batch_loss(self, self.options.reduction);
    }
}

/// The label without its padding: as many symbols as are not 0.
fn symbols<F: Float>(label: &[F]) -> &[F] {
    &label[..label.iter().filter(|symbol| **symbol != F::zero()).count()]
}

/// `ln(eᵃ + eᵇ)`.
fn add_logarithms<F: Float>(a: F, b: F) -> F {
    let (less, more) = if a < b { (a, b) } else { (b, a) };
    if less == F::neg_infinity() {
        return more;
    }
    more + math::ln_1p::<F, Separate>(math::exp::<F, Separate>(less - more))
}

/// One sequence with its label.
struct Sequence<'a, F> {
    label: &'a [F],
    /// (steps, classes)
    logits: &'a [F],
    classes: usize,
}

impl<F: Float> Sequence<'_, F> {
    fn of<'a>(batch: &BatchView<&'a [F]>, sample: usize) -> Sequence<'a, F> {
        let (length, size) = (batch.y_true_shape.size(), batch.y_pred_shape.size());
        Sequence {
            label: symbols(&batch.y_true[sample * length..][..length]),
            logits: &batch.y_pred[sample * size..][..size],
            classes: batch.y_pred_shape.last(),
        }
    }

    fn steps(&self) -> usize {
        self.logits.len() / self.classes
    }

    /// The places of the label with a blank around every symbol.
    fn places(&self) -> usize {
        2 * self.label.len() + 1
    }

    /// The class of a place.
    fn class(&self, place: usize) -> usize {
        match place % 2 {
            0 => 0,
            _ => self.label[place / 2].to_usize().unwrap_or(0),
        }
    }

    /// Whether a path may come from two places before: from another symbol, without a blank.
    fn skips(&self, place: usize) -> bool {
        place % 2 == 1 && place > 1 && self.label[place / 2] != self.label[place / 2 - 1]
    }

    /// Writes `ln Σ e^logit` of every step.
    fn normalize(&self, totals: &mut [F]) {
        for (total, row) in totals
            .iter_mut()
            .zip(self.logits.chunks_exact(self.classes))
        {
            let max = row.iter().fold(F::neg_infinity(), |a, &b| a.max(b));
            let sum = row
                .iter()
                .fold(F::zero(), |sum, &z| sum + math::exp::<F, Separate>(z - max));
            *total = max + math::ln::<F, Separate>(sum);
        }
    }

    /// The logarithm of the probability of a place's class at a step.
    fn logarithm(&self, totals: &[F], step: usize, place: usize) -> F {
        self.logits[step * self.classes + self.class(place)] - totals[step]
    }

    /// Writes the logarithms of the forward variables, (steps, places): the sum of all paths to a place,
    /// with the symbol there. Returns that of the probability of the label.
    ///
    /// The largest of every step is taken away from it, for numbers in the hundreds have few digits left.
    fn forward(&self, totals: &[F], alphas: &mut [F]) -> f64 {
        let (steps, places) = (self.steps(), self.places());
        let mut taken = 0.0;
        for step in 0..steps {
            let (before, now) = alphas.split_at_mut(step * places);
            let before = &before[step.saturating_sub(1) * places..];
            let now = &mut now[..places];
            for (place, now) in now.iter_mut().enumerate() {
                let from = |back: usize| match place.checked_sub(back) {
                    Some(place) if step > 0 => before[place],
                    _ => F::neg_infinity(),
                };
                let mut sum = match step {
                    0 if place < 2 => F::zero(),
                    _ => add_logarithms(from(0), from(1)),
                };
                if self.skips(place) {
                    sum = add_logarithms(sum, from(2));
                }
                *now = sum + self.logarithm(totals, step, place);
            }
            taken += take_largest(now).to_f64();
        }
        let end = match alphas[..steps * places].chunks_exact(places).last() {
            Some([.., symbol, blank]) => add_logarithms(*symbol, *blank),
            Some([blank]) => *blank,
            // No steps spell an empty label.
            _ if places == 1 => F::zero(),
            _ => F::neg_infinity(),
        };
        taken + end.to_f64()
    }

    /// Turns the logarithms of the backward variables of a step, the sum of all paths from a place
    /// without the symbol there, into those of the step before.
    fn backward(&self, totals: &[F], step: usize, betas: &mut [F]) {
        let places = self.places();
        for (place, beta) in betas.iter_mut().enumerate() {
            *beta += self.logarithm(totals, step, place);
        }
        for place in 0..places {
            let mut sum = betas[place];
            if place + 1 < places {
                sum = add_logarithms(sum, betas[place + 1]);
            }
            if place + 2 < places && self.skips(place + 2) {
                sum = add_logarithms(sum, betas[place + 2]);
            }
            betas[place] = sum;
        }
        take_largest(betas);
    }

    /// Writes a factor times the gradient: `softmax(logits)`, less for every place the share of the paths
    /// that go through it.
    fn gradient(&self, factor: F, scratch: &mut [F], gradient: &mut [F]) {
        let (steps, places) = (self.steps(), self.places());
        let (totals, scratch) = scratch.split_at_mut(steps);
        let (betas, alphas) = scratch.split_at_mut(places);
        self.normalize(totals);
        if self.forward(totals, alphas) == f64::NEG_INFINITY {
            gradient.fill(F::zero());
            return;
        }
        for (at, (d, &z)) in gradient.iter_mut().zip(self.logits).enumerate() {
            *d = factor * math::exp::<F, Separate>(z - totals[at / self.classes]);
        }
        for (place, beta) in betas.iter_mut().enumerate() {
            let is_end = place + 2 >= places;
            *beta = if is_end { F::zero() } else { F::neg_infinity() };
        }
        for step in (0..steps).rev() {
            let paths = &mut alphas[step * places..][..places];
            for (path, &beta) in paths.iter_mut().zip(&*betas) {
                *path += beta;
            }
            take_largest(paths);
            for path in paths.iter_mut() {
                *path = math::exp::<F, Separate>(*path);
            }
            let all = paths.iter().fold(F::zero(), |sum, &path| sum + path);
            for (place, &path) in paths.iter().enumerate() {
                gradient[step * self.classes + self.class(place)] -= factor * path / all;
            }
            self.backward(totals, step, betas);
        }
    }
}

/// Takes the largest of some logarithms away from all, and returns it; 0 if they are all -∞.
fn take_largest<F: Float>(logarithms: &mut [F]) -> F {
    let most = logarithms.iter().fold(F::neg_infinity(), |a, &b| a.max(b));
    if most.is_infinite() {
        return F::zero();
    }
    logarithms
        .iter_mut()
        .for_each(|logarithm| *logarithm -= most);
    most
}

impl<F: Float> BatchFunction<F> for CTC {
    fn count(&self, batch: &BatchView<&[F]>) -> usize {
        batch.samples
    }

    /// A total for each step, the forward variables of every step, the backward ones of one.
    fn scratch(&self, batch: &BatchView<&[F]>) -> usize {
        let (steps, places) = (batch.y_pred_shape.dim(0), 2 * batch.y_true_shape.size() + 1);
        steps + places + steps * places
    }

    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn on_gpu(&self, batch: &BatchView<()>, _: bool, _: bool) -> Option<BatchKernel> {
        let (steps, classes) = (batch.y_pred_shape.dim(0), batch.y_pred_shape.last());
        // Lines of one class would be read as numbers.
        (classes > 1).then(|| BatchKernel::Lines {
            function: OfLine::Ctc(Ctc::new(steps, classes, batch.y_true_shape.size())),
            places: Places::of(batch, &Axes::Several(vec![1, 2])),
            ignored: None,
        })
    }

    fn values(&self, batch: &BatchView<&[F]>, values: &mut [F], scratch: &mut [F]) {
        for (sample, value) in values.iter_mut().enumerate() {
            let sequence = Sequence::of(batch, sample);
            let (totals, alphas) = scratch.split_at_mut(sequence.steps());
            sequence.normalize(totals);
            *value = F::from_f64(-sequence.forward(totals, alphas));
        }
    }
}

impl<F: Float> BatchLoss<F> for CTC {
    fn gradient(
        &self,
        batch: &BatchView<&[F]>,
        factors: &[F],
        gradient: &mut [F],
        scratch: &mut [F],
    ) {
        let size = batch.y_pred_shape.size();
        for (sample, &factor) in factors.iter().enumerate() {
            let gradient = &mut gradient[sample * size..][..size];
            Sequence::of(batch, sample).gradient(factor, scratch, gradient);
        }
    }
}
