//! Sums of functions of a whole batch.

use crate::device::float::Float;
use crate::device::{BatchFunction, BatchLoss, BatchView, Reduction};

/// See [`BatchSums::batch_loss`](crate::device::BatchSums::batch_loss).
#[allow(clippy::too_many_arguments)]
pub fn loss<F: Float>(
    loss: &dyn BatchLoss<F>,
    reduction: Reduction,
    batch: BatchView<&[F]>,
    weights: Option<&[F]>,
    gradient: Option<(&mut [F], f32)>,
    out: Option<&mut [F]>,
    sums: &mut [F],
) {
    let count = loss.count(&batch);
    F::with_scratch(count + loss.scratch(&batch), |memory| {
        let (values, scratch) = memory.split_at_mut(count);
        loss.values(&batch, values, scratch);
        for (to, value) in out.into_iter().flatten().zip(&*values) {
            *to = *value;
        }
        let weights = Weights::new(weights, count);
        let (mut total, mut counted, mut weight_of_counted) = (0.0, 0, 0.0);
        for (at, value) in values.iter_mut().enumerate() {
            if !loss.counts(&batch, at, *value) {
                *value = F::zero();
                continue;
            }
            let weight = weights.of(at);
            total += weight.to_f64() * (*value).to_f64();
            counted += weights.uses;
            weight_of_counted += weight.to_f64();
            // From here on it is the factor of its gradient.
            *value = weight;
        }
        let mean = match counted {
            0 => 0.0,
            _ => 1.0 / counted as f64,
        };
        // As with TensorFlow: training on several losses makes their sum small, and shows their mean.
        let (scale, gradient_scale) = match (reduction, weights.given) {
            (Reduction::Sum, _) => (1.0, 1.0),
            (Reduction::None, _) => (mean, 1.0),
            (Reduction::MeanWithSampleWeight, Some(given)) => {
                // As in Keras, a weight counts once here, however many values it stands for.
                let sum = match loss.has_mask() {
                    true => weight_of_counted,
                    false => total_of(given),
                };
                let scale = if sum == 0.0 { 0.0 } else { 1.0 / sum };
                (scale, scale)
            }
            _ => (mean, mean),
        };
        sums[0] += F::from_f64(batch.samples as f64 * scale * total);
        if let Some((gradient, factor)) = gradient {
            let factor = F::from_f64(f64::from(factor) * gradient_scale);
            values.iter_mut().for_each(|value| *value *= factor);
            loss.gradient(&batch, values, gradient, scratch);
        }
    });
}

/// See [`BatchSums::batch_mean`](crate::device::BatchSums::batch_mean).
pub fn mean<F: Float>(
    function: &dyn BatchFunction<F>,
    batch: BatchView<&[F]>,
    weights: Option<&[F]>,
    sums: &mut [F],
) {
    let count = function.count(&batch);
    F::with_scratch(count + function.scratch(&batch), |memory| {
        let (values, scratch) = memory.split_at_mut(count);
        function.values(&batch, values, scratch);
        let weights = Weights::new(weights, count);
        let (mut total, mut weight_of_counted) = (0.0, 0.0);
        for (at, &value) in values.iter().enumerate() {
            let weight = weights.of(at).to_f64();
            if function.counts(&batch, at, value) {
                total += weight * value.to_f64();
                weight_of_counted += weight;
            } else if weights.given.is_none() {
                weight_of_counted += weight;
            }
        }
        let scale = function.samples(&batch) as f64 / count.max(1) as f64;
        sums[0] += F::from_f64(scale * total);
        sums[1] += F::from_f64(scale * weight_of_counted);
    });
}

/// The weights of the values of a batch.
struct Weights<'a, F> {
    given: Option<&'a [F]>,
    /// How many values share a weight.
    values: usize,
    /// How many weights each value is counted with: one, or all.
    uses: usize,
    /// The weight of every value that is counted with all.
    total: F,
}

impl<'a, F: Float> Weights<'a, F> {
    fn new(given: Option<&'a [F]>, count: usize) -> Self {
        let len = given.map_or(1, <[F]>::len).max(1);
        let is_shared = given.is_none() || count.is_multiple_of(len);
        Self {
            given,
            values: if is_shared { (count / len).max(1) } else { 0 },
            uses: if is_shared { 1 } else { len },
            total: F::from_f64(given.map_or(1.0, total_of)),
        }
    }

    fn of(&self, at: usize) -> F {
        match self.given {
            Some(given) if self.uses == 1 => given[at / self.values],
            _ => self.total,
        }
    }
}

fn total_of<F: Float>(weights: &[F]) -> f64 {
    weights.iter().map(|&weight| weight.to_f64()).sum()
}
