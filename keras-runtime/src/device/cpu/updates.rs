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

/// So many parameters.
type Lanes<F> = [F; LANES];

/// What is done with some of the parameters, their gradients and their slots.
type Work<'a, F, const N: usize> =
    dyn Fn(&mut [Lanes<F>], &[Lanes<F>], [&mut [Lanes<F>]; N]) + Sync + 'a;

/// Shares the parameters out over the threads: compiled for each number of slots, not for each rule.
fn shared_out<F: Float, const N: usize>(
    parameters: &mut [F],
    gradients: &[F],
    slots: [&mut [F]; N],
    work: &Work<'_, F, N>,
) {
    if gradients.len() < WORTH_A_THREAD {
        return in_lanes(parameters, gradients, slots, work);
    }
    over_rows(
        gradients.len(),
        LANES,
        usize::MAX,
        (parameters, slots),
        &|(parameters, slots): (&mut [F], [&mut [F]; N]), at| {
            let (parameters, more_parameters) = parameters.split_at_mut(at);
            let (slots, more_slots) = split(slots, |slot| slot.split_at_mut(at));
            ((parameters, slots), (more_parameters, more_slots))
        },
        &|range, (parameters, slots)| in_lanes(parameters, &gradients[range], slots, work),
    );
}

/// Cuts the parameters into whole lanes; the last ones are filled up with zeros.
fn in_lanes<F: Float, const N: usize>(
    parameters: &mut [F],
    gradients: &[F],
    slots: [&mut [F]; N],
    work: &Work<'_, F, N>,
) {
    let (gradients, last_gradients) = gradients.as_chunks();
    let (parameters, last_parameters) = parameters.as_chunks_mut();
    let (slots, last_slots) = split(slots, |slot| slot.as_chunks_mut());
    work(parameters, gradients, slots);
    if last_gradients.is_empty() {
        return;
    }
    let mut p = [padded(last_parameters)];
    let mut s: [[Lanes<F>; 1]; N] = std::array::from_fn(|n| [padded(last_slots[n])]);
    let slots = s.each_mut().map(|slot| &mut slot[..]);
    work(&mut p, &[padded(last_gradients)], slots);
    last_parameters.copy_from_slice(&p[0][..last_parameters.len()]);
    for (slot, s) in last_slots.into_iter().zip(s) {
        slot.copy_from_slice(&s[0][..slot.len()]);
    }
}

/// Cuts each slot in two.
fn split<'a, F, A, B, const N: usize>(
    slots: [&'a mut [F]; N],
    cut: impl Fn(&'a mut [F]) -> (&'a mut [A], &'a mut [B]),
) -> ([&'a mut [A]; N], [&'a mut [B]; N]) {
    let mut others: [&mut [B]; N] = std::array::from_fn(|_| Default::default());
    let mut rest = others.iter_mut();
    let first = slots.map(|slot| {
        let (slot, other) = cut(slot);
        if let Some(rest) = rest.next() {
            *rest = other;
        }
        slot
    });
    (first, others)
}

/// Fewer numbers than [`LANES`], and zeros after them.
fn padded<F: Float>(from: &[F]) -> Lanes<F> {
    let mut numbers = [F::zero(); LANES];
    numbers[..from.len()].copy_from_slice(from);
    numbers
}

/// A pass over some of the parameters.
struct Update<'a, F, R, const N: usize> {
    rule: R,
    parameters: &'a mut [Lanes<F>],
    gradients: &'a [Lanes<F>],
    slots: [&'a mut [Lanes<F>]; N],
}

impl<F: Float, R: UpdateRule<N>, const N: usize> Kernel for Update<'_, F, R, N> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(mut self) {
        let lanes = self.parameters.iter_mut().zip(self.gradients);
        for (at, (p, g)) in lanes.enumerate() {
            let s = std::array::from_fn(|n| self.slots[n][at]);
            let s = update_lanes(self.rule, p, g, s);
            for (slot, s) in self.slots.iter_mut().zip(s) {
                slot[at] = s;
            }
        }
    }
}

/// The rule on arrays of a fixed length, the slots by value: rustc turns the loop into vector
/// instructions.
#[inline(always)]
fn update_lanes<F: Float, const N: usize, R: UpdateRule<N>>(
    rule: R,
    p: &mut Lanes<F>,
    g: &Lanes<F>,
    mut s: [Lanes<F>; N],
) -> [Lanes<F>; N] {
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

/// `Σ (scale · x)²`. The squares of what is scaled down later might be infinite.
pub fn sum_of_squares<F: Float>(scale: f32, x: &[F]) -> f64 {
    let scale = F::from_f32(scale);
    let of = Square;
    kernel::run(Sum { scale, x, of }).to_f64()
}

/// Whether no number is infinite or none.
pub fn is_finite<F: Float>(x: &[F]) -> bool {
    let (scale, of) = (F::zero(), Zero);
    kernel::run(Sum { scale, x, of }) == F::zero()
}

/// The sum of a function of each number and a scale.
struct Sum<'a, F, E> {
    scale: F,
    x: &'a [F],
    of: E,
}

impl<F: Float, E: Each<F, 1>> Kernel for Sum<'_, F, E> {
    type Number = F;
    type Output = F;

    #[inline(always)]
    fn run<A: Arith>(self) -> F {
        let [sum] = lanes::sums::<A, F, 1>(Same(self.scale), self.x, &self.of);
        sum
    }
}

/// A number, scaled, times itself.
struct Square;

impl<F: Float> Each<F, 1> for Square {
    #[inline(always)]
    fn at<A: Arith>(&self, scale: F, x: F) -> ([F; 1], F) {
        let scaled = scale * x;
        ([scaled * scaled], x)
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
