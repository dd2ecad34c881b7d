//! With the cosine distances `d = max(1 - p · p', 0)` of a sample to the others, of its class (+) and
//! not (-):
//!
//! `softplus(ln Σ₊ exp(-gamma (margin + d)₊ (margin - d)) + ln Σ₋ exp(gamma (1 + margin - d)₊ (1 - margin - d)))`

use super::{Loss, LossInput, loss, options};
use crate::device::cpu::math;
use crate::device::cpu::simd::Separate;
use crate::device::{BatchFunction, BatchLoss, BatchView, Device, Float};
use crate::error::{Error, Result};
use crate::shape::Shape;

loss! {
    /// Draws samples of one class together and others apart: `keras.losses.Circle` (Sun and others,
    /// 2020). Targets are numbers of classes, predictions are vectors of length 1.
    ///
    /// A sample without another one of its class, or of another one, has no loss and does not count.
    Circle, "circle" {
        /// The scale of the distances.
        gamma: f32 = 80.0,
        /// How far apart the classes are to be.
        margin: f32 = 0.4,
        /// Whether a sample is no sample of its own class.
        remove_diagonal: bool = true,
    }
    config {
        "gamma": gamma,
        "margin": margin,
        "remove_diagonal": remove_diagonal,
    }
}

impl<D: Device> Loss<D> for Circle {
    options!();

    /// One class beside one vector.
    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        if y_true.size() == 1 && y_pred.rank() == 1 {
            return Ok(());
        }
        Err(Error::value(format!(
            "Expected one class and one vector for each sample. Received: target.shape={y_true}, \
             output.shape={y_pred}"
        )))
    }

    fn compute(&self, input: LossInput<'_, D>) {
        input.batch_loss(self, self.options.reduction);
    }
}

/// What the distances of a sample say.
struct Sample<F> {
    /// The logarithms of the two sums; -∞ for no others.
    logarithms: [F; 2],
    /// The loss.
    value: F,
}

impl Circle {
    /// The exponent that belongs to a distance, and its derivative.
    fn exponent<F: Float>(&self, distance: F, is_same: bool) -> (F, F) {
        let (gamma, margin) = (F::from_f32(self.gamma), F::from_f32(self.margin));
        let (sign, weight, rest) = match is_same {
            true => (F::one(), margin + distance, margin - distance),
            false => (
                -F::one(),
                F::one() + margin - distance,
                F::one() - margin - distance,
            ),
        };
        // -sign gamma (weight)₊ rest, with d weight = sign and d rest = -1.
        if weight < F::zero() {
            return (F::zero(), F::zero());
        }
        (
            -sign * gamma * weight * rest,
            -sign * gamma * (sign * rest - weight),
        )
    }

    /// The samples beside one, with the number of each, whether it is of the same class, and its
    /// distance.
    fn others<'a, F: Float>(
        &'a self,
        batch: &'a BatchView<&[F]>,
        sample: usize,
        distances: &'a [F],
    ) -> impl Iterator<Item = (usize, bool, F)> {
        let class = batch.y_true[sample].trunc();
        let others = batch.y_true.iter().zip(distances).enumerate();
        others.filter_map(move |(other, (label, &distance))| {
            let is_left_out = other == sample && self.remove_diagonal;
            (!is_left_out).then_some((other, label.trunc() == class, distance))
        })
    }

    /// Writes the distances of a sample and says what is in them.
    fn sample<F: Float>(
        &self,
        batch: &BatchView<&[F]>,
        sample: usize,
        distances: &mut [F],
    ) -> Sample<F> {
        let width = batch.y_pred_shape.size();
        let vector = &batch.y_pred[sample * width..][..width];
        for (distance, other) in distances.iter_mut().zip(batch.y_pred.chunks_exact(width)) {
            let similarity = vector
                .iter()
                .zip(other)
                .fold(F::zero(), |sum, (&a, &b)| sum + a * b);
            *distance = F::one() - similarity;
            if *distance < F::zero() {
                *distance = F::zero();
            }
        }
        let mut most = [F::neg_infinity(); 2];
        for (_, is_same, distance) in self.others(batch, sample, distances) {
            let most = &mut most[usize::from(!is_same)];
            *most = most.max(self.exponent(distance, is_same).0);
        }
        let mut sums = [F::zero(); 2];
        for (_, is_same, distance) in self.others(batch, sample, distances) {
            let at = usize::from(!is_same);
            sums[at] += math::exp::<F, Separate>(self.exponent(distance, is_same).0 - most[at]);
        }
        let logarithm = |at: usize| most[at] + math::ln::<F, Separate>(sums[at]);
        let logarithms = [logarithm(0), logarithm(1)];
        let is_alone = sums.iter().any(|sum| *sum == F::zero());
        let value = match is_alone {
            true => F::zero(),
            false => math::softplus::<F, Separate>(logarithms[0] + logarithms[1]),
        };
        Sample { logarithms, value }
    }
}

impl<F: Float> BatchFunction<F> for Circle {
    fn count(&self, batch: &BatchView<&[F]>) -> usize {
        batch.samples
    }

    fn scratch(&self, batch: &BatchView<&[F]>) -> usize {
        batch.samples
    }

    fn values(&self, batch: &BatchView<&[F]>, values: &mut [F], scratch: &mut [F]) {
        for (sample, value) in values.iter_mut().enumerate() {
            *value = self.sample(batch, sample, scratch).value;
        }
    }

    fn has_mask(&self) -> bool {
        true
    }

    fn counts(&self, _batch: &BatchView<&[F]>, _at: usize, value: F) -> bool {
        // NaN is not hidden.
        value > F::zero() || value.is_nan()
    }
}

impl<F: Float> BatchLoss<F> for Circle {
    fn gradient(
        &self,
        batch: &BatchView<&[F]>,
        factors: &[F],
        gradient: &mut [F],
        scratch: &mut [F],
    ) {
        let width = batch.y_pred_shape.size();
        gradient.fill(F::zero());
        for (sample, &factor) in factors.iter().enumerate() {
            let Sample { logarithms, value } = self.sample(batch, sample, scratch);
            if value == F::zero() {
                continue;
            }
            let factor = factor * math::sigmoid::<F, Separate>(logarithms[0] + logarithms[1]);
            for (other, is_same, distance) in self.others(batch, sample, scratch) {
                let (exponent, derivative) = self.exponent(distance, is_same);
                let logarithm = logarithms[usize::from(!is_same)];
                let share = math::exp::<F, Separate>(exponent - logarithm);
                // The distance is 1 less the product of two vectors, both of which are predictions.
                let d_product = match distance > F::zero() {
                    true => -factor * share * derivative,
                    false => F::zero(),
                };
                for at in 0..width {
                    let (one, two) = (sample * width + at, other * width + at);
                    gradient[one] += d_product * batch.y_pred[two];
                    gradient[two] += d_product * batch.y_pred[one];
                }
            }
        }
    }
}
