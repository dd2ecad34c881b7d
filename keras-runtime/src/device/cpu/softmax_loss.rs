//! The cross-entropy after a softmax, from its input z and its output p together.
//!
//! `-Σ tᵢ ln pᵢ = Σ tᵢ (max z - zᵢ) - T ln(max p)` with T = Σ t: nothing overflows and nothing rounds to
//! 0, because the largest p is at least one over their number. Its derivative with regard to z is
//! `T p - t`.

use super::kernel::{self, Kernel};
use super::math::ln;
use super::rows::{denominator, is_ignored};
use super::simd::Arith;
use crate::device::float::Float;
use crate::device::{ClassTargets, Reduction, Rows};

/// See [`RowSums::softmax_loss`](crate::device::RowSums::softmax_loss).
#[allow(clippy::too_many_arguments)]
pub fn softmax_loss<F: Float>(
    targets: ClassTargets,
    reduction: Reduction,
    rows: Rows,
    y_true: &[F],
    [z, p]: [&[F]; 2],
    weights: Option<&[F]>,
    gradient: Option<(&mut [F], f32)>,
    sums: &mut [F],
) {
    let ignored = match targets {
        ClassTargets::Numbers { ignored } => ignored.map(F::from_f32),
        ClassTargets::Probabilities { .. } => None,
    };
    let denominator = denominator(reduction, rows, y_true, weights, ignored);
    let scale = if denominator == F::zero() {
        F::zero()
    } else {
        F::one() / denominator
    };
    let total = kernel::run(Losses {
        targets,
        rows,
        ignored,
        y_true,
        z,
        p,
        weights,
        gradient: gradient.map(|(gradient, factor)| (gradient, F::from_f32(factor) * scale)),
    });
    sums[0] += F::from_usize(rows.samples) * scale * total;
}

/// The sum of the weighted losses of all rows, and their gradients.
struct Losses<'a, F> {
    targets: ClassTargets,
    rows: Rows,
    ignored: Option<F>,
    y_true: &'a [F],
    /// (rows, width)
    z: &'a [F],
    /// (rows, width)
    p: &'a [F],
    weights: Option<&'a [F]>,
    /// (rows, width), and what is multiplied with every row of it besides the row's weight.
    gradient: Option<(&'a mut [F], F)>,
}

impl<F: Float> Kernel for Losses<'_, F> {
    type Number = F;
    type Output = F;

    #[inline(always)]
    fn run<A: Arith>(mut self) -> F {
        let rows = self.rows;
        if let (Some((gradient, factor)), None) = (&mut self.gradient, self.weights) {
            // All rows at once: a short one would fill no register.
            for (d, &p) in gradient.iter_mut().zip(self.p) {
                *d = *factor * p;
            }
        }
        let mut logarithms = Logarithms::new();
        let mut total = F::zero();
        for row in 0..rows.rows {
            logarithms.make_room::<A>();
            total += self.row(row, &mut logarithms);
        }
        total - logarithms.sum::<A>()
    }
}

impl<F: Float> Losses<'_, F> {
    /// What is to be added to the sum besides a logarithm.
    #[inline(always)]
    fn row(&mut self, row: usize, logarithms: &mut Logarithms<F>) -> F {
        let rows = self.rows;
        let (t, p) = rows.pair(row, self.y_true, self.p);
        let z = &self.z[row * rows.width..][..rows.width];
        let weight = rows.weight(row, self.weights);
        let mut d = self.gradient.as_mut().map(|(gradient, factor)| {
            let d = &mut gradient[row * rows.width..][..rows.width];
            (d, *factor * weight)
        });
        if let (Some((d, factor)), Some(_)) = (&mut d, self.weights) {
            for (d, &p) in d.iter_mut().zip(p) {
                *d = *factor * p;
            }
        }
        let nothing = |d: Option<(&mut [F], F)>| {
            if let Some((d, _)) = d {
                d.fill(F::zero());
            }
            F::zero()
        };
        if is_ignored(self.ignored, t) {
            return nothing(d);
        }
        match self.targets {
            ClassTargets::Numbers { .. } => {
                let class = t.first().and_then(|class| class.to_usize());
                let Some((class, &chosen)) = class.and_then(|class| Some((class, p.get(class)?)))
                else {
                    return nothing(d);
                };
                if let Some((d, factor)) = d {
                    d[class] -= factor;
                }
                if chosen < F::from_f64(FAINT) {
                    logarithms.add(max(p), weight);
                    return weight * (max(z) - z[class]);
                }
                logarithms.add(chosen, weight);
                F::zero()
            }
            ClassTargets::Probabilities { smoothing } => {
                let smoothing = F::from_f32(smoothing);
                let (keep, share) = (F::one() - smoothing, smoothing / F::from_usize(rows.width));
                let most = max(z);
                let (mut all, mut missing) = (F::zero(), F::zero());
                for (&t, &z) in t.iter().zip(z) {
                    let t = t * keep + share;
                    all += t;
                    missing += t * (most - z);
                }
                if let Some((d, factor)) = d {
                    for (d, &t) in d.iter_mut().zip(t) {
                        *d = *d * all - factor * (t * keep + share);
                    }
                }
                logarithms.add(max(p), weight * all);
                weight * missing
            }
        }
    }
}

/// A probability whose logarithm may have lost its digits.
const FAINT: f64 = 1e-30;

/// The largest number of a row, which is not NaN as long as one of them is none.
#[inline(always)]
fn max<F: Float>(row: &[F]) -> F {
    row.iter().fold(
        F::neg_infinity(),
        |most, &x| if x > most { x } else { most },
    )
}

/// Logarithms that are computed side by side.
const LANES: usize = 16;

/// `Σ weight ln(x)`, taken when there are enough to fill registers.
struct Logarithms<F> {
    waiting: [[F; LANES]; 2],
    count: usize,
    sums: [F; LANES],
}

impl<F: Float> Logarithms<F> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            waiting: [[F::one(); LANES], [F::zero(); LANES]],
            count: 0,
            sums: [F::zero(); LANES],
        }
    }

    /// After this there is room for one more.
    #[inline(always)]
    fn make_room<A: Arith>(&mut self) {
        if self.count == LANES {
            self.take::<A>();
        }
    }

    #[inline(always)]
    fn add(&mut self, x: F, weight: F) {
        self.waiting[0][self.count] = x;
        self.waiting[1][self.count] = weight;
        self.count += 1;
    }

    /// Empties what is waiting into the sums.
    #[inline(always)]
    fn take<A: Arith>(&mut self) {
        let [x, weight] = self.waiting;
        for i in 0..LANES {
            self.sums[i] += weight[i] * ln::<F, A>(x[i]);
        }
        self.waiting = [[F::one(); LANES], [F::zero(); LANES]];
        self.count = 0;
    }

    #[inline(always)]
    fn sum<A: Arith>(mut self) -> F {
        self.take::<A>();
        self.sums.iter().fold(F::zero(), |sum, &lane| sum + lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Activation;
    use crate::device::cpu::activation::activate;
    use crate::device::cpu::simd::forced::at_every_level;

    const ROWS: usize = 37;

    /// Logits of which some are so far apart that the smallest probabilities are 0.
    fn logits(width: usize) -> Vec<f32> {
        (0..ROWS * width)
            .map(|at| ((at * 7919) % 101) as f32 / 10.0 * if at % 5 == 0 { 40.0 } else { 1.0 })
            .collect()
    }

    /// The loss and the gradient in f64, from the definition: `Σ t (ln Σ e^z - z)`.
    fn definition(z: &[f32], t: &[f64], weight: f64) -> (f64, Vec<f64>) {
        let most = z.iter().fold(f64::MIN, |most, &z| most.max(f64::from(z)));
        let sum: f64 = z.iter().map(|&z| (f64::from(z) - most).exp()).sum();
        let all: f64 = t.iter().sum();
        let pairs = || z.iter().zip(t).map(|(&z, t)| (f64::from(z) - most, t));
        let value: f64 = pairs().map(|(z, t)| t * (sum.ln() - z)).sum();
        let gradient = pairs().map(|(z, t)| weight * (all * z.exp() / sum - t));
        (weight * value, gradient.collect())
    }

    fn check(targets: ClassTargets, width: usize, weights: Option<&[f32]>) {
        let z = logits(width);
        let mut p = vec![0.0; z.len()];
        activate(Activation::Softmax, &z, &mut p, width);
        let (true_width, y_true): (usize, Vec<f32>) = match targets {
            ClassTargets::Numbers { .. } => {
                (1, (0..ROWS).map(|row| (row % width) as f32).collect())
            }
            ClassTargets::Probabilities { .. } => (
                width,
                (0..z.len()).map(|at| (at % 3) as f32 / 2.0).collect(),
            ),
        };
        let rows = Rows {
            samples: ROWS,
            rows: ROWS,
            true_width,
            width,
            rows_per_weight: 1,
        };
        let mut gradient = vec![f32::NAN; z.len()];
        let run = |gradient: Option<(&mut [f32], f32)>| {
            let mut sums = [0.0];
            let reduction = Reduction::Sum;
            softmax_loss(
                targets,
                reduction,
                rows,
                &y_true,
                [&z, &p],
                weights,
                gradient,
                &mut sums,
            );
            f64::from(sums[0]) / ROWS as f64
        };
        let value = run(Some((&mut gradient, 2.0)));
        assert_eq!(value, run(None), "with and without a gradient");
        let mut expected = 0.0;
        for row in 0..ROWS {
            let t: Vec<f64> = (0..width)
                .map(|i| match targets {
                    ClassTargets::Numbers { .. } => f64::from(u8::from(row % width == i)),
                    ClassTargets::Probabilities { smoothing } => {
                        let smoothing = f64::from(smoothing);
                        let t = f64::from(y_true[row * width + i]);
                        t * (1.0 - smoothing) + smoothing / width as f64
                    }
                })
                .collect();
            let is_ignored = targets
                == (ClassTargets::Numbers {
                    ignored: Some((row % width) as f32),
                });
            let weight = weights.map_or(1.0, |weights| f64::from(weights[row]));
            let weight = if is_ignored { 0.0 } else { weight };
            let (value, d) = definition(&z[row * width..][..width], &t, weight);
            expected += value;
            for (i, d) in d.into_iter().enumerate() {
                let found = f64::from(gradient[row * width + i]);
                let (d, tolerance) = (2.0 * d, 4e-6 * (1.0 + d.abs()));
                assert!(
                    (found - d).abs() < tolerance,
                    "row {row}, {i}: {found}, not {d}"
                );
            }
        }
        assert!(
            (value - expected).abs() < 2e-6 * expected.abs(),
            "{value}, not {expected}"
        );
    }

    #[test]
    fn losses_and_gradients_are_those_of_the_definition() {
        let weights: Vec<f32> = (0..ROWS).map(|row| (row % 4) as f32).collect();
        at_every_level(|| {
            for width in [2, 3, 10, 40] {
                for weights in [None, Some(&weights[..])] {
                    check(ClassTargets::Numbers { ignored: None }, width, weights);
                    check(ClassTargets::Numbers { ignored: Some(1.0) }, width, weights);
                    for smoothing in [0.0, 0.1] {
                        check(ClassTargets::Probabilities { smoothing }, width, weights);
                    }
                }
            }
        });
    }
}
