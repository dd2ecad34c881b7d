//! One pass of an optimizer over flat parameters.

use super::kernel::{self, Kernel};
use super::lanes::{self, Each, Same};
use super::simd::Arith;
use super::threads::both;
use crate::device::UpdateRule;
use crate::device::float::Float;

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
    let pieces = if gradients.len() < WORTH_A_THREAD {
        1
    } else {
        rayon::current_num_threads()
    };
    Update {
        rule,
        parameters,
        gradients,
        slots,
    }
    .split(pieces);
}

/// A pass over some of the parameters.
struct Update<'a, F, R, const N: usize> {
    rule: R,
    parameters: &'a mut [F],
    gradients: &'a [F],
    slots: [&'a mut [F]; N],
}

impl<F: Float, R: UpdateRule<N>, const N: usize> Update<'_, F, R, N> {
    fn split(self, pieces: usize) {
        if pieces < 2 {
            return kernel::run(self);
        }
        let rule = self.rule;
        let half = self.gradients.len() / 2;
        let (parameters, more_parameters) = self.parameters.split_at_mut(half);
        let (gradients, more_gradients) = self.gradients.split_at(half);
        let mut more_slots: [&mut [F]; N] = std::array::from_fn(|_| Default::default());
        let mut rests = more_slots.iter_mut();
        let slots = self.slots.map(|slot| {
            let (slot, more) = slot.split_at_mut(half);
            if let Some(rest) = rests.next() {
                *rest = more;
            }
            slot
        });
        let mut first = Some(Update {
            rule,
            parameters,
            gradients,
            slots,
        });
        let mut second = Some(Update {
            rule,
            parameters: more_parameters,
            gradients: more_gradients,
            slots: more_slots,
        });
        let run = |part: &mut Option<Self>, pieces| {
            if let Some(part) = part.take() {
                part.split(pieces);
            }
        };
        both(&mut || run(&mut first, pieces / 2), &mut || {
            run(&mut second, pieces - pieces / 2)
        });
    }
}

impl<F: Float, R: UpdateRule<N>, const N: usize> Kernel for Update<'_, F, R, N> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let Update {
            rule,
            parameters,
            gradients,
            mut slots,
        } = self;
        let whole = gradients.len() / LANES * LANES;
        for at in (0..whole).step_by(LANES) {
            // Arrays of a fixed length: rustc turns the inner loop into vector instructions.
            let mut p = [F::zero(); LANES];
            let mut g = [F::zero(); LANES];
            let mut s = [[F::zero(); LANES]; N];
            p.copy_from_slice(&parameters[at..at + LANES]);
            g.copy_from_slice(&gradients[at..at + LANES]);
            for (s, slot) in s.iter_mut().zip(&slots) {
                s.copy_from_slice(&slot[at..at + LANES]);
            }
            for i in 0..LANES {
                let (parameter, values) = rule.update(p[i], g[i], std::array::from_fn(|n| s[n][i]));
                p[i] = parameter;
                for n in 0..N {
                    s[n][i] = values[n];
                }
            }
            parameters[at..at + LANES].copy_from_slice(&p);
            for (s, slot) in s.iter().zip(&mut slots) {
                slot[at..at + LANES].copy_from_slice(s);
            }
        }
        for i in whole..gradients.len() {
            let (parameter, values) = rule.update(
                parameters[i],
                gradients[i],
                std::array::from_fn(|n| slots[n][i]),
            );
            parameters[i] = parameter;
            for (slot, value) in slots.iter_mut().zip(values) {
                slot[i] = value;
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
