//! The two passes over the numbers of channels: sums, and a linear function of each number.

use std::ops::Range;

use super::super::kernel::{self, Kernel};
use super::super::simd::Arith;
use super::super::threads::over_slice;
use crate::device::{Channels, Float};

/// For each channel the sums of `d` and of `d (x - shift)`, where `d` is `dy` or else
/// `x - shift`: into the first two rows (channels,) of `sums`.
pub fn add_up<F: Float>(
    channels: &Channels,
    x: &[F],
    dy: Option<&[F]>,
    shift: &[F],
    sums: &mut [F],
) {
    let (parts, two) = (channels.parts(), 2 * channels.channels);
    let rows = channels.outer.div_ceil(parts);
    let size = channels.channels * channels.inner;
    over_slice(
        parts,
        1,
        x.len(),
        &mut *sums,
        two,
        &|parts: Range<usize>, sums: &mut [F]| {
            for (part, sums) in parts.zip(sums.chunks_exact_mut(two)) {
                let first = part * rows * size;
                let numbers = first.min(x.len())..x.len().min(first + rows * size);
                sums.fill(F::zero());
                kernel::run(Sums {
                    channels,
                    x: &x[numbers.clone()],
                    dy: dy.map(|dy| &dy[numbers]),
                    shift,
                    sums,
                });
            }
        },
    );
    let (total, others) = sums.split_at_mut(two);
    for part in others.chunks_exact(two) {
        for (total, &part) in total.iter_mut().zip(part) {
            *total += part;
        }
    }
}

struct Sums<'a, F> {
    channels: &'a Channels,
    x: &'a [F],
    dy: Option<&'a [F]>,
    shift: &'a [F],
    sums: &'a mut [F],
}

/// Numbers that are added up side by side.
const LANES: usize = 8;

/// Rows that are added up before the next columns come: they stay in the first-level cache.
const ROWS: usize = 64;

impl<F: Float> Kernel for Sums<'_, F> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let Sums {
            channels,
            x,
            dy,
            shift,
            sums,
        } = self;
        let n = channels.channels;
        let (sum, product) = sums.split_at_mut(n);
        if channels.inner > 1 {
            for (at, x) in x.chunks_exact(channels.inner).enumerate() {
                let c = at % n;
                let dy = dy.map(|dy| &dy[at * channels.inner..][..channels.inner]);
                let [s, p] = plane::<F, A>(x, dy, shift[c]);
                sum[c] += s;
                product[c] += p;
            }
            return;
        }
        for first in (0..x.len()).step_by(n * ROWS) {
            let numbers = first..x.len().min(first + n * ROWS);
            let x = &x[numbers.clone()];
            let dy = dy.map(|dy| &dy[numbers]);
            let whole = n / LANES * LANES;
            for c in (0..whole).step_by(LANES) {
                columns::<F, A, LANES>(x, dy, shift, n, c, sum, product);
            }
            for c in whole..n {
                columns::<F, A, 1>(x, dy, shift, n, c, sum, product);
            }
        }
    }
}

/// The sums of one channel, whose numbers lie together.
#[inline(always)]
fn plane<F: Float, A: Arith>(x: &[F], dy: Option<&[F]>, shift: F) -> [F; 2] {
    let mut sums = [[F::zero(); LANES]; 2];
    let (lanes, rest) = x.as_chunks::<LANES>();
    match dy {
        Some(dy) => {
            let (dy_lanes, dy_rest) = dy.as_chunks::<LANES>();
            for (x, dy) in lanes.iter().zip(dy_lanes) {
                accumulate::<F, A, LANES>(x, Some(dy), &[shift; LANES], &mut sums);
            }
            for (&x, &dy) in rest.iter().zip(dy_rest) {
                sums[0][0] += dy;
                sums[1][0] += dy * (x - shift);
            }
        }
        None => {
            for x in lanes {
                accumulate::<F, A, LANES>(x, None, &[shift; LANES], &mut sums);
            }
            for &x in rest {
                sums[0][0] += x - shift;
                sums[1][0] += (x - shift) * (x - shift);
            }
        }
    }
    sums.map(|lanes| lanes.iter().fold(F::zero(), |sum, &lane| sum + lane))
}

/// The sums of `L` channels from `c` on, in rows of `n` channels.
#[inline(always)]
fn columns<F: Float, A: Arith, const L: usize>(
    x: &[F],
    dy: Option<&[F]>,
    shift: &[F],
    n: usize,
    c: usize,
    sum: &mut [F],
    product: &mut [F],
) {
    let Some(shift) = shift[c..].first_chunk::<L>() else {
        return;
    };
    let mut sums = [[F::zero(); L]; 2];
    match dy {
        Some(dy) => {
            for (x, dy) in x.chunks_exact(n).zip(dy.chunks_exact(n)) {
                if let (Some(x), dy @ Some(_)) = (x[c..].first_chunk(), dy[c..].first_chunk()) {
                    accumulate::<F, A, L>(x, dy, shift, &mut sums);
                }
            }
        }
        None => {
            for x in x.chunks_exact(n) {
                if let Some(x) = x[c..].first_chunk() {
                    accumulate::<F, A, L>(x, None, shift, &mut sums);
                }
            }
        }
    }
    for i in 0..L {
        sum[c + i] += sums[0][i];
        product[c + i] += sums[1][i];
    }
}

#[inline(always)]
fn accumulate<F: Float, A: Arith, const L: usize>(
    x: &[F; L],
    dy: Option<&[F; L]>,
    shift: &[F; L],
    sums: &mut [[F; L]; 2],
) {
    let [sum, product] = sums;
    for i in 0..L {
        let x = x[i] - shift[i];
        let d = match dy {
            Some(dy) => dy[i],
            None => x,
        };
        sum[i] += d;
        product[i] = A::mul_add(d, x, product[i]);
    }
}

/// `y = a x + b other + c`, where `a`, `b` and `c` are (channels,).
pub fn map<F: Float>(
    channels: &Channels,
    x: &[F],
    a: &[F],
    other: Option<(&[F], &[F])>,
    c: &[F],
    y: &mut [F],
) {
    let size = channels.channels * channels.inner;
    over_slice(
        channels.outer,
        1,
        x.len(),
        y,
        size,
        &|rows: Range<usize>, y: &mut [F]| {
            let numbers = rows.start * size..rows.end * size;
            kernel::run(Map {
                channels,
                x: &x[numbers.clone()],
                a,
                other: other.map(|(other, b)| (&other[numbers], b)),
                c,
                y,
            });
        },
    );
}

struct Map<'a, F> {
    channels: &'a Channels,
    x: &'a [F],
    a: &'a [F],
    other: Option<(&'a [F], &'a [F])>,
    c: &'a [F],
    y: &'a mut [F],
}

impl<F: Float> Kernel for Map<'_, F> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let Map {
            channels,
            x,
            a,
            other,
            c,
            y,
        } = self;
        let (n, inner) = (channels.channels, channels.inner);
        if inner > 1 {
            let planes = x.chunks_exact(inner).zip(y.chunks_exact_mut(inner));
            for (at, (x, y)) in planes.enumerate() {
                let i = at % n;
                match other {
                    Some((other, b)) => {
                        let (b, other) = (b[i], &other[at * inner..][..inner]);
                        for ((y, &x), &other) in y.iter_mut().zip(x).zip(other) {
                            *y = A::mul_add(a[i], x, A::mul_add(b, other, c[i]));
                        }
                    }
                    None => {
                        for (y, &x) in y.iter_mut().zip(x) {
                            *y = A::mul_add(a[i], x, c[i]);
                        }
                    }
                }
            }
            return;
        }
        // Slices of one length: the bounds checks vanish.
        let (a, c) = (&a[..n], &c[..n]);
        match other {
            Some((other, b)) => {
                let b = &b[..n];
                let others = other.chunks_exact(n);
                for ((x, other), y) in x.chunks_exact(n).zip(others).zip(y.chunks_exact_mut(n)) {
                    for i in 0..n {
                        y[i] = A::mul_add(a[i], x[i], A::mul_add(b[i], other[i], c[i]));
                    }
                }
            }
            None => {
                for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)) {
                    for i in 0..n {
                        y[i] = A::mul_add(a[i], x[i], c[i]);
                    }
                }
            }
        }
    }
}
