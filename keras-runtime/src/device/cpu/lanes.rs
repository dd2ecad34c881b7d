//! Sums along a row in a fixed number of lanes: rustc keeps the order of floating-point additions
//! as written, so a sum in one variable is never vectorised.

use super::simd::Arith;
use crate::device::Float;

/// The sums that a row's sum is added up from.
pub const LANES: usize = 16;

/// Elements after which the lanes are added up, so that the sums of long rows stay exact.
const BLOCK: usize = 256 * LANES;

/// What stands beside the elements of a row.
pub trait Beside<F>: Copy {
    /// The part that stands beside the [`LANES`] elements from `from` on.
    fn part(self, from: usize) -> [F; LANES];
    /// What stands beside all elements of a row that is shorter than that, in the last lanes.
    fn short(self) -> [F; LANES];
}

impl<F: Float> Beside<F> for &[F] {
    #[inline(always)]
    fn part(self, from: usize) -> [F; LANES] {
        let mut part = [F::zero(); LANES];
        part.copy_from_slice(&self[from..from + LANES]);
        part
    }

    #[inline(always)]
    fn short(self) -> [F; LANES] {
        let mut part = [F::zero(); LANES];
        let len = self.len().min(LANES);
        copy_short(self, &mut part[LANES - len..]);
        part
    }
}

/// The same number beside every element.
#[derive(Clone, Copy, Debug)]
pub struct Same<F>(
    /// The number.
    pub F,
);

impl<F: Float> Beside<F> for Same<F> {
    #[inline(always)]
    fn part(self, _from: usize) -> [F; LANES] {
        [self.0; LANES]
    }

    #[inline(always)]
    fn short(self) -> [F; LANES] {
        [self.0; LANES]
    }
}

/// Copies fewer than [`LANES`] numbers, in pieces that may overlap; a call of `memcpy` takes longer.
#[inline(never)]
fn copy_short<F: Copy>(from: &[F], to: &mut [F]) {
    let len = from.len().min(to.len());
    let (from, to) = (&from[..len], &mut to[..len]);
    if let (Some(first), Some(last)) = (from.first_chunk::<8>(), from.last_chunk::<8>()) {
        to[..8].copy_from_slice(first);
        to[len - 8..].copy_from_slice(last);
    } else if let (Some(first), Some(last)) = (from.first_chunk::<4>(), from.last_chunk::<4>()) {
        to[..4].copy_from_slice(first);
        to[len - 4..].copy_from_slice(last);
    } else {
        for (to, from) in to.iter_mut().zip(from) {
            *to = *from;
        }
    }
}

/// What is computed of each element and of what stands beside it: values to be summed, and one that
/// is kept.
///
/// It is no closure, because rustc would not always inline one, and only what is inlined is compiled
/// for the vector units of the kernel around it.
pub trait Each<F, const N: usize> {
    /// The values, and the one that is kept; `#[inline(always)]`.
    fn at<A: Arith>(&self, a: F, b: F) -> ([F; N], F);
}

/// The element itself, twice.
#[derive(Clone, Copy, Debug)]
pub struct Itself;

impl<F: Float> Each<F, 1> for Itself {
    #[inline(always)]
    fn at<A: Arith>(&self, _a: F, b: F) -> ([F; 1], F) {
        ([b], b)
    }
}

/// `Σ f(aᵢ, bᵢ)`, several sums at once.
#[inline(always)]
pub fn sums<A: Arith, F: Float, const N: usize>(
    a: impl Beside<F>,
    b: &[F],
    each: &impl Each<F, N>,
) -> [F; N] {
    Walk::new(F::zero(), |a, b| a + b, None).run::<A, _>(a, b, each)
}

/// `Σ f(aᵢ, bᵢ)` as [`sums`] has it, and `outᵢ` what is kept.
#[inline(always)]
pub fn sums_and_map<A: Arith, F: Float, const N: usize>(
    a: impl Beside<F>,
    b: &[F],
    out: &mut [F],
    each: &impl Each<F, N>,
) -> [F; N] {
    Walk::new(F::zero(), |a, b| a + b, Some(out)).run::<A, _>(a, b, each)
}

/// The largest element; NaN only if all are.
#[inline(always)]
pub fn max<A: Arith, F: Float>(row: &[F]) -> F {
    // A compare and a select, which vectorise.
    let larger = |a, b| if b > a { b } else { a };
    if row.len() < LANES {
        return row.iter().copied().fold(F::neg_infinity(), larger);
    }
    let walk = Walk::new(F::neg_infinity(), larger, None);
    let [max] = walk.run::<A, _>(Same(F::zero()), row, &Itself);
    max
}

/// A walk along a row.
struct Walk<'a, F, C, const N: usize> {
    lanes: [[F; LANES]; N],
    totals: [F; N],
    start: F,
    combine: C,
    out: Option<&'a mut [F]>,
}

impl<'a, F: Float, C: Fn(F, F) -> F, const N: usize> Walk<'a, F, C, N> {
    #[inline(always)]
    fn new(start: F, combine: C, out: Option<&'a mut [F]>) -> Self {
        Self {
            lanes: [[start; LANES]; N],
            totals: [start; N],
            start,
            combine,
            out,
        }
    }

    /// Takes the row in parts of [`LANES`] elements. The last one overlaps the one before where the row
    /// is no multiple; a row that is shorter fills the last lanes.
    ///
    /// There is one loop for rows of all lengths, because every function of rows is compiled with its
    /// own.
    #[inline(always)]
    fn run<A: Arith, T: Beside<F>>(mut self, a: T, b: &[F], each: &impl Each<F, N>) -> [F; N] {
        let (len, mut at) = (b.len(), 0);
        while at < len {
            let end = len.min(at + BLOCK);
            while at < end {
                self.part::<A, T>(a, b, at, each);
                at += LANES;
            }
            self.add_up();
        }
        self.totals
    }

    /// Takes the elements from `at` on that have not been counted yet.
    ///
    /// They come and go by value: memory that is read and written in one loop could overlap, which
    /// would keep rustc from vectorising it.
    #[inline(always)]
    fn part<A: Arith, T: Beside<F>>(&mut self, a: T, b: &[F], at: usize, each: &impl Each<F, N>) {
        let len = b.len();
        let is_short = len < LANES;
        let from = at.min(len.saturating_sub(LANES));
        let (a, b) = if is_short {
            (a.short(), b.short())
        } else {
            (a.part(from), b.part(from))
        };
        let mut kept = [F::zero(); LANES];
        let mut values = [[F::zero(); LANES]; N];
        for i in 0..LANES {
            let (value, keep) = each.at::<A>(a[i], b[i]);
            kept[i] = keep;
            for n in 0..N {
                values[n][i] = value[n];
            }
        }
        if let Some(out) = &mut self.out {
            if is_short {
                copy_short(&kept[LANES - len..], out);
            } else {
                out[from..from + LANES].copy_from_slice(&kept);
            }
        }
        let counted = if is_short { LANES - len } else { at - from };
        // As numbers: rustc makes branches of comparisons of whole numbers that it knows.
        let first = F::from_usize(counted);
        for (lanes, values) in self.lanes.iter_mut().zip(values) {
            for (i, (lane, value)) in lanes.iter_mut().zip(values).enumerate() {
                let is_fresh = F::from_usize(i) >= first;
                *lane = (self.combine)(*lane, if is_fresh { value } else { self.start });
            }
        }
    }

    /// Empties the lanes into the totals: half of them into the other half, and so on.
    #[inline(always)]
    fn add_up(&mut self) {
        for (total, all) in self.totals.iter_mut().zip(&mut self.lanes) {
            let mut lanes = *all;
            let mut half = LANES / 2;
            while half > 0 {
                for i in 0..half {
                    lanes[i] = (self.combine)(lanes[i], lanes[i + half]);
                }
                half /= 2;
            }
            *total = (self.combine)(*total, lanes[0]);
            *all = [self.start; LANES];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::cpu::simd::Separate;

    fn row(len: usize) -> Vec<f64> {
        (0..len).map(|i| ((i * 7 % 13) as f64) - 4.0).collect()
    }

    /// The product, and the number of elements; twice the element is kept.
    struct Product;

    impl Each<f64, 2> for Product {
        fn at<A: Arith>(&self, a: f64, b: f64) -> ([f64; 2], f64) {
            ([a * b, 1.0], b + b)
        }
    }

    #[test]
    fn sums_of_every_length_are_those_of_a_plain_loop() {
        for len in (0..150).chain([BLOCK - 1, BLOCK, BLOCK + 17, 3 * BLOCK + 5]) {
            let (a, b) = (row(len), row(len + 3)[3..].to_vec());
            let expected: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            let found = sums::<Separate, _, 2>(&a[..], &b, &Product);
            assert_eq!(found, [expected, len as f64]);

            let mut out = vec![0.0; len];
            let found = sums_and_map::<Separate, _, 2>(Same(3.0), &b, &mut out, &Product);
            assert_eq!(found, [3.0 * b.iter().sum::<f64>(), len as f64]);
            assert!(out.iter().zip(&b).all(|(out, b)| *out == 2.0 * b));
        }
    }

    #[test]
    fn the_maximum_is_found_anywhere() {
        for len in 1..40 {
            for at in 0..len {
                let mut row = vec![-3.0f32; len];
                row[at] = -1.0;
                assert_eq!(max::<Separate, _>(&row), -1.0);
            }
        }
        assert_eq!(
            max::<Separate, _>(&[f32::NEG_INFINITY; 3]),
            f32::NEG_INFINITY
        );
        assert_eq!(max::<Separate, _>(&[1.0, f32::NAN, 2.0]), 2.0);
    }
}
