//! One pass of an optimizer over flat parameters.

use super::kernel::{self, Kernel};
use super::lanes::{self, Each, Same};
use super::simd::Arith;
use super::threads::over_rows;
use crate::device::float::Float;
use crate::device::{FactoredMoments, UpdateRule};

/// Parameters that are updated together.
const LANES: usize = 16;

/// Parameters from which a pass is split over the threads.
const WORTH_A_THREAD: usize = 100_000;

/// Applies a rule to every parameter, on all threads if there are many.
pub fn update<F: Float, const N: usize, R: UpdateRule<N>>(
    rule: R,
    parameters: &mut [F],
    gradients: &[F],
    slots: [&mut [F]; N],
) {
    shared_out(
        parameters,
        gradients,
        slots,
        &|parameters, gradients, slots| {
            kernel::run(Update {
                rule,
                parameters,
                gradients,
                slots,
            });
        },
    );
}

/// What is done with some of the parameters, their gradients and their slots.
type Work<'a, F, const N: usize> = dyn Fn(&mut [F], &[F], [&mut [F]; N]) + Sync + 'a;

/// Shares the parameters out over the threads: compiled for each number of slots, not for each rule.
fn shared_out<F: Float, const N: usize>(
    parameters: &mut [F],
    gradients: &[F],
    slots: [&mut [F]; N],
    work: &Work<'_, F, N>,
) {
    if gradients.len() < WORTH_A_THREAD {
        return work(parameters, gradients, slots);
    }
    over_rows(
        gradients.len(),
        LANES,
        usize::MAX,
        (parameters, slots),
        &|(parameters, slots): (&mut [F], [&mut [F]; N]), at| {
            let (parameters, more_parameters) = parameters.split_at_mut(at);
            let mut more_slots: [&mut [F]; N] = std::array::from_fn(|_| Default::default());
            let mut rest = more_slots.iter_mut();
            let slots = slots.map(|slot| {
                let (slot, more) = slot.split_at_mut(at);
                if let Some(rest) = rest.next() {
                    *rest = more;
                }
                slot
            });
            ((parameters, slots), (more_parameters, more_slots))
        },
        &|range, (parameters, slots)| work(parameters, &gradients[range], slots),
    );
}

/// A pass over some of the parameters.
struct Update<'a, F, R, const N: usize> {
    rule: R,
    parameters: &'a mut [F],
    gradients: &'a [F],
    slots: [&'a mut [F]; N],
}

impl<F: Float, R: UpdateRule<N>, const N: usize> Kernel for Update<'_, F, R, N> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let (gradients, last_gradients) = self.gradients.as_chunks::<LANES>();
        let (parameters, last_parameters) = self.parameters.as_chunks_mut::<LANES>();
        let mut last_slots: [&mut [F]; N] = std::array::from_fn(|_| Default::default());
        let mut last = last_slots.iter_mut();
        let mut slots = self.slots.map(|slot| {
            let (slot, rest) = slot.as_chunks_mut::<LANES>();
            if let Some(last) = last.next() {
                *last = rest;
            }
            slot
        });
        for (at, (p, g)) in parameters.iter_mut().zip(gradients).enumerate() {
            let s = std::array::from_fn(|n| slots[n][at]);
            let s = update_lanes(self.rule, p, g, s);
            for (slot, s) in slots.iter_mut().zip(s) {
                slot[at] = s;
            }
        }
        if !last_gradients.is_empty() {
            let mut p = padded(last_parameters);
            let s = std::array::from_fn(|n| padded(last_slots[n]));
            let s = update_lanes(self.rule, &mut p, &padded(last_gradients), s);
            last_parameters.copy_from_slice(&p[..last_parameters.len()]);
            for (slot, s) in last_slots.iter_mut().zip(s) {
                slot.copy_from_slice(&s[..slot.len()]);
            }
        }
    }
}

/// The rule on arrays of a fixed length, the slots by value: rustc turns the loop into vector
/// instructions.
#[inline(always)]
fn update_lanes<F: Float, const N: usize, R: UpdateRule<N>>(
    rule: R,
    p: &mut [F; LANES],
    g: &[F; LANES],
    mut s: [[F; LANES]; N],
) -> [[F; LANES]; N] {
    for i in 0..LANES {
        let mut values = [F::zero(); N];
        for n in 0..N {
            values[n] = s[n][i];
        }
        (p[i], values) = rule.update(p[i], g[i], values);
        for n in 0..N {
            s[n][i] = values[n];
        }
    }
    s
}

/// Fewer numbers than [`LANES`], and zeros after them.
#[inline(never)]
fn padded<F: Float>(from: &[F]) -> [F; LANES] {
    let mut numbers = [F::zero(); LANES];
    numbers[..from.len()].copy_from_slice(from);
    numbers
}

/// See [`Updates::factored`](crate::device::Updates::factored).
pub fn factored<F: Float>(
    rule: FactoredMoments,
    [outer, rows, columns]: [usize; 3],
    gradients: &mut [F],
    [r, c, v]: [&mut [F]; 3],
) {
    let (keep, epsilon) = (F::from_f32(rule.keep), F::from_f32(rule.epsilon));
    let new = F::one() - keep;
    let (of_rows, of_columns) = (F::from_usize(rows), F::from_usize(columns));
    let size = rows * columns;
    for at in 0..outer {
        let g = &mut gradients[at * size..][..size];
        let (r, c) = (
            &mut r[at * rows..][..rows],
            &mut c[at * columns..][..columns],
        );
        c.iter_mut().for_each(|c| *c *= keep);
        for (g, r) in g.chunks_exact(columns).zip(&mut *r) {
            let mut sum = F::zero();
            for (g, c) in g.iter().zip(&mut *c) {
                let square = *g * *g + epsilon;
                sum += square;
                *c += new * square / of_rows;
            }
            *r = keep * *r + new * sum / of_columns;
        }
        let mean = r.iter().fold(F::zero(), |sum, r| sum + *r) / of_rows;
        let v = v[at * size..][..size].chunks_exact_mut(columns);
        for ((g, v), r) in g.chunks_exact_mut(columns).zip(v).zip(&*r) {
            for ((g, v), c) in g.iter_mut().zip(v).zip(&*c) {
                *v = *r / mean * *c;
                *g /= v.sqrt();
            }
        }
    }
}

/// `Σ x²`.
pub fn sum_of_squares<F: Float>(x: &[F]) -> f64 {
    kernel::run(Sum { x, of: Square }).to_f64()
}

/// Whether no number is infinite or none.
pub fn is_finite<F: Float>(x: &[F]) -> bool {
    kernel::run(Sum { x, of: Zero }) == F::zero()
}

/// The sum of a function of each number.
struct Sum<'a, F, E> {
    x: &'a [F],
    of: E,
}

impl<F: Float, E: Each<F, 1>> Kernel for Sum<'_, F, E> {
    type Number = F;
    type Output = F;

    #[inline(always)]
    fn run<A: Arith>(self) -> F {
        let [sum] = lanes::sums::<A, F, 1>(Same(F::zero()), self.x, &self.of);
        sum
    }
}

/// A number times itself.
struct Square;

impl<F: Float> Each<F, 1> for Square {
    #[inline(always)]
    fn at<A: Arith>(&self, _a: F, b: F) -> ([F; 1], F) {
        ([b * b], b)
    }
}

/// 0 times a number: 0 of what is finite, and no number of what is not.
struct Zero;

impl<F: Float> Each<F, 1> for Zero {
    #[inline(always)]
    fn at<A: Arith>(&self, _a: F, b: F) -> ([F; 1], F) {
        ([b * F::zero()], b)
    }
}
