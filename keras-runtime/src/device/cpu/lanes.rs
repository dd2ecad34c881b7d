//! Sums along a row in a fixed number of lanes: rustc keeps the order of floating-point additions
//! as written, so a sum in one variable is never vectorised.

use crate::device::Float;

/// The sums that a row's sum is added up from.
pub const LANES: usize = 16;

/// Elements that are worked on together where a row is long.
const MANY: usize = 4 * LANES;

/// Elements after which the lanes are added up, so that the sums of long rows stay exact.
const BLOCK: usize = 64 * MANY;

/// What stands beside the elements of a row.
pub trait Beside<F>: Copy {
    /// The part that stands beside `from..from + len`.
    fn part(self, from: usize, len: usize) -> Self;
    /// The next `W` elements and what follows.
    fn next<const W: usize>(self) -> ([F; W], Self);
    /// The last elements, fewer than [`LANES`]; what stands in the other lanes does not matter.
    fn rest(self) -> [F; LANES];
}

impl<F: Float> Beside<F> for &[F] {
    #[inline(always)]
    fn part(self, from: usize, len: usize) -> Self {
        &self[from..from + len]
    }
    #[inline(always)]
    fn next<const W: usize>(self) -> ([F; W], Self) {
        match self.split_first_chunk() {
            Some((next, rest)) => (*next, rest),
            None => ([F::zero(); W], self),
        }
    }
    #[inline(always)]
    fn rest(self) -> [F; LANES] {
        let mut lanes = [F::zero(); LANES];
        for (lane, value) in lanes.iter_mut().zip(self) {
            *lane = *value;
        }
        lanes
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
    fn part(self, _from: usize, _len: usize) -> Self {
        self
    }
    #[inline(always)]
    fn next<const W: usize>(self) -> ([F; W], Self) {
        ([self.0; W], self)
    }
    #[inline(always)]
    fn rest(self) -> [F; LANES] {
        [self.0; LANES]
    }
}

/// `Σ f(aᵢ, bᵢ)`, several sums at once.
#[inline(always)]
pub fn sums<F: Float, T: Beside<F>, const N: usize>(
    a: T,
    b: &[F],
    f: impl Fn(F, F) -> [F; N],
) -> [F; N] {
    let f = |a, b| (f(a, b), ());
    let mut totals = [F::zero(); N];
    for (block, b) in b.chunks(BLOCK).enumerate() {
        let mut a = a.part(block * BLOCK, b.len());
        let mut sums = [[F::zero(); LANES]; N];
        let (many, b) = b.as_chunks::<MANY>();
        for b in many {
            let (beside, next) = a.next();
            a = next;
            add(&mut sums, MANY, beside, *b, f);
        }
        let (whole, rest) = b.as_chunks::<LANES>();
        for b in whole {
            let (beside, next) = a.next();
            a = next;
            add(&mut sums, LANES, beside, *b, f);
        }
        if !rest.is_empty() {
            add(&mut sums, rest.len(), a.rest(), rest.rest(), f);
        }
        for (total, sums) in totals.iter_mut().zip(sums) {
            *total += add_up(sums);
        }
    }
    totals
}

/// `Σ f(aᵢ, bᵢ)` as [`sums`] has it, and `outᵢ` the second value of `f`.
#[inline(always)]
pub fn sums_and_map<F: Float, T: Beside<F>, const N: usize>(
    a: T,
    b: &[F],
    out: &mut [F],
    f: impl Fn(F, F) -> ([F; N], F) + Copy,
) -> [F; N] {
    let mut totals = [F::zero(); N];
    for (block, (b, out)) in b.chunks(BLOCK).zip(out.chunks_mut(BLOCK)).enumerate() {
        let mut a = a.part(block * BLOCK, b.len());
        let mut sums = [[F::zero(); LANES]; N];
        let ((many, b), (many_out, out)) = (b.as_chunks::<MANY>(), out.as_chunks_mut::<MANY>());
        for (b, out) in many.iter().zip(many_out) {
            let (beside, next) = a.next();
            a = next;
            *out = add(&mut sums, MANY, beside, *b, f);
        }
        let ((whole, rest), (whole_out, rest_out)) = (b.as_chunks::<LANES>(), out.as_chunks_mut());
        for (b, out) in whole.iter().zip(whole_out) {
            let (beside, next) = a.next();
            a = next;
            *out = add(&mut sums, LANES, beside, *b, f);
        }
        if !rest.is_empty() {
            let out = add(&mut sums, rest.len(), a.rest(), rest.rest(), f);
            for (to, out) in rest_out.iter_mut().zip(out) {
                *to = out;
            }
        }
        for (total, sums) in totals.iter_mut().zip(sums) {
            *total += add_up(sums);
        }
    }
    totals
}

/// Adds the values of the first `len` elements to the sums and returns the second values of all.
///
/// The elements come and go by value: memory that is read and written in one loop could overlap,
/// which would keep rustc from vectorising it.
#[inline(always)]
fn add<F: Float, U: Copy + Default, const N: usize, const W: usize>(
    sums: &mut [[F; LANES]; N],
    len: usize,
    a: [F; W],
    b: [F; W],
    f: impl Fn(F, F) -> ([F; N], U),
) -> [U; W] {
    let mut mapped = [U::default(); W];
    let mut values = [[F::zero(); W]; N];
    for i in 0..W {
        let (value, map) = f(a[i], b[i]);
        mapped[i] = map;
        for n in 0..N {
            values[n][i] = value[n];
        }
    }
    for (sums, values) in sums.iter_mut().zip(values) {
        for (at, values) in values.as_chunks::<LANES>().0.iter().enumerate() {
            for i in 0..LANES {
                sums[i] += if at * LANES + i < len {
                    values[i]
                } else {
                    F::zero()
                };
            }
        }
    }
    mapped
}

/// The largest element; NaN only if all are.
#[inline(always)]
pub fn max<F: Float>(row: &[F]) -> F {
    let mut lanes = [F::neg_infinity(); LANES];
    let (whole, rest) = row.as_chunks::<LANES>();
    for row in whole {
        for i in 0..LANES {
            lanes[i] = larger(lanes[i], row[i]);
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane = larger(*lane, value);
    }
    fold(lanes, larger)
}

/// The larger number; the first if one is NaN. A compare and a select, which vectorise.
#[inline(always)]
fn larger<F: Float>(a: F, b: F) -> F {
    if b > a { b } else { a }
}

#[inline(always)]
fn add_up<F: Float>(lanes: [F; LANES]) -> F {
    fold(lanes, |a, b| a + b)
}

/// Half of the lanes with the other half, and so on.
#[inline(always)]
fn fold<F: Float>(mut lanes: [F; LANES], f: impl Fn(F, F) -> F) -> F {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = f(lanes[i], lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(len: usize) -> Vec<f64> {
        (0..len).map(|i| ((i * 7 % 13) as f64) - 4.0).collect()
    }

    #[test]
    fn sums_of_every_length_are_those_of_a_plain_loop() {
        for len in (0..70).chain([BLOCK - 1, BLOCK, BLOCK + 17, 3 * BLOCK + 5]) {
            let (a, b) = (row(len), row(len + 3)[3..].to_vec());
            let [product, count] = sums(&a[..], &b, |a, b| [a * b, 1.0]);
            let expected: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            assert_eq!((product, count), (expected, len as f64));

            let mut out = vec![0.0; len];
            let [sum] = sums_and_map(Same(2.0), &b, &mut out, |a, b| ([b], a * b));
            assert_eq!(sum, b.iter().sum::<f64>());
            assert!(out.iter().zip(&b).all(|(out, b)| *out == 2.0 * b));
        }
    }

    #[test]
    fn the_lanes_beyond_a_row_are_left_out() {
        let [sum] = sums(Same(0.0), &[1.0, 2.0], |_, b: f64| [1.0 / b]);
        assert_eq!(sum, 1.5);
    }

    #[test]
    fn the_maximum_is_found_anywhere() {
        for len in 1..40 {
            for at in 0..len {
                let mut row = vec![-3.0f32; len];
                row[at] = -1.0;
                assert_eq!(max(&row), -1.0);
            }
        }
        assert_eq!(max(&[f32::NEG_INFINITY; 3]), f32::NEG_INFINITY);
        assert_eq!(max(&[1.0, f32::NAN, 2.0]), 2.0);
    }
}
