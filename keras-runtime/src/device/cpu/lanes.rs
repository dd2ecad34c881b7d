//! Sums along a row in a fixed number of lanes: rustc keeps the order of floating-point additions
//! as written, so a sum in one variable is never vectorised.

use crate::device::Float;

/// The sums that a row's sum is added up from.
const LANES: usize = 16;

/// Elements that are worked on together where a row is long.
const MANY: usize = 4 * LANES;

/// Elements after which the lanes are added up, so that the sums of long rows stay exact.
const BLOCK: usize = 64 * MANY;

/// What stands beside the elements of a row.
pub trait Beside<F>: Copy {
    /// The part that stands beside `from..from + W`.
    fn part<const W: usize>(self, from: usize) -> [F; W];
}

impl<F: Float> Beside<F> for &[F] {
    #[inline(always)]
    fn part<const W: usize>(self, from: usize) -> [F; W] {
        let mut part = [F::zero(); W];
        part.copy_from_slice(&self[from..from + W]);
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
    fn part<const W: usize>(self, _from: usize) -> [F; W] {
        [self.0; W]
    }
}

/// Where a second value for each element goes.
trait Out<U> {
    fn put<const W: usize>(&mut self, from: usize, part: [U; W]);
}

impl<F: Copy> Out<F> for &mut [F] {
    #[inline(always)]
    fn put<const W: usize>(&mut self, from: usize, part: [F; W]) {
        self[from..from + W].copy_from_slice(&part);
    }
}

/// There is no second value.
struct Nowhere;

impl Out<()> for Nowhere {
    #[inline(always)]
    fn put<const W: usize>(&mut self, _from: usize, _part: [(); W]) {}
}

/// `Σ f(aᵢ, bᵢ)`, several sums at once.
#[inline(always)]
pub fn sums<F: Float, T: Beside<F>, const N: usize>(
    a: T,
    b: &[F],
    f: impl Fn(F, F) -> [F; N],
) -> [F; N] {
    Walk::new(F::zero(), |a, b| a + b, Nowhere).run(a, b, |a, b| (f(a, b), ()))
}

/// `Σ f(aᵢ, bᵢ)` as [`sums`] has it, and `outᵢ` the second value of `f`.
#[inline(always)]
pub fn sums_and_map<F: Float, T: Beside<F>, const N: usize>(
    a: T,
    b: &[F],
    out: &mut [F],
    f: impl Fn(F, F) -> ([F; N], F),
) -> [F; N] {
    Walk::new(F::zero(), |a, b| a + b, out).run(a, b, f)
}

/// The largest element; NaN only if all are.
#[inline(always)]
pub fn max<F: Float>(row: &[F]) -> F {
    // A compare and a select, which vectorise.
    let larger = |a, b| if b > a { b } else { a };
    let walk = Walk::new(F::neg_infinity(), larger, Nowhere);
    let [max] = walk.run(Same(F::zero()), row, |_, b| ([b], ()));
    max
}

/// A walk along a row.
struct Walk<F, C, O, const N: usize> {
    lanes: [[F; LANES]; N],
    totals: [F; N],
    start: F,
    combine: C,
    out: O,
}

impl<F: Float, C: Fn(F, F) -> F, O, const N: usize> Walk<F, C, O, N> {
    #[inline(always)]
    fn new(start: F, combine: C, out: O) -> Self {
        Self {
            lanes: [[start; LANES]; N],
            totals: [start; N],
            start,
            combine,
            out,
        }
    }

    /// Takes the row in parts of known lengths. What is left of it at the end is the end of a part
    /// that overlaps the one before.
    #[inline(always)]
    fn run<T: Beside<F>, U: Copy + Default>(
        mut self,
        a: T,
        b: &[F],
        f: impl Fn(F, F) -> ([F; N], U),
    ) -> [F; N]
    where
        O: Out<U>,
    {
        let (len, mut at) = (b.len(), 0);
        while at + MANY <= len {
            self.part::<T, U, MANY>(a, b, at, MANY, &f);
            at += MANY;
            if at % BLOCK == 0 {
                self.add_up();
            }
        }
        while at + LANES <= len {
            self.part::<T, U, LANES>(a, b, at, LANES, &f);
            at += LANES;
        }
        match len {
            _ if at == len => {}
            LANES.. => self.part::<T, U, LANES>(a, b, len - LANES, len - at, &f),
            8.. => self.pair::<T, U, 8>(a, b, &f),
            4.. => self.pair::<T, U, 4>(a, b, &f),
            2.. => self.pair::<T, U, 2>(a, b, &f),
            _ => self.part::<T, U, 1>(a, b, 0, 1, &f),
        }
        self.add_up();
        self.totals
    }

    /// Two parts that overlap, for a row of `W` to `2 W` elements.
    #[inline(always)]
    fn pair<T: Beside<F>, U: Copy + Default, const W: usize>(
        &mut self,
        a: T,
        b: &[F],
        f: impl Fn(F, F) -> ([F; N], U),
    ) where
        O: Out<U>,
    {
        self.part::<T, U, W>(a, b, 0, W, &f);
        self.part::<T, U, W>(a, b, b.len() - W, b.len() - W, &f);
    }

    /// Takes `W` elements, of which the last `fresh` ones have not been counted yet.
    ///
    /// They come and go by value: memory that is read and written in one loop could overlap, which
    /// would keep rustc from vectorising it.
    #[inline(always)]
    fn part<T: Beside<F>, U: Copy + Default, const W: usize>(
        &mut self,
        a: T,
        b: &[F],
        from: usize,
        fresh: usize,
        f: impl Fn(F, F) -> ([F; N], U),
    ) where
        O: Out<U>,
    {
        let (a, b): ([F; W], [F; W]) = (a.part(from), b.part(from));
        let mut mapped = [U::default(); W];
        let mut values = [[F::zero(); W]; N];
        for i in 0..W {
            let (value, map) = f(a[i], b[i]);
            mapped[i] = map;
            for n in 0..N {
                values[n][i] = value[n];
            }
        }
        self.out.put(from, mapped);
        // As numbers: rustc makes branches of comparisons of whole numbers that it knows.
        let first = F::from_usize(W - fresh);
        for (lanes, values) in self.lanes.iter_mut().zip(values) {
            for (part, values) in values.chunks(LANES).enumerate() {
                for (i, (lane, &value)) in lanes.iter_mut().zip(values).enumerate() {
                    let is_fresh = fresh == W || F::from_usize(part * LANES + i) >= first;
                    *lane = (self.combine)(*lane, if is_fresh { value } else { self.start });
                }
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
