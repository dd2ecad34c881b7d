//! Means, variances and normalization of channels: two passes over the numbers, one for sums and
//! one that computes `y = a x + b` or `dx = a dy + b x + c`.
//!
//! Sums are made of [`Channels::parts`] partial sums, added in order.

use std::ops::Range;

use super::kernel::{self, Kernel};
use super::simd::Arith;
use super::threads::over_slice;
use crate::device::{Channels, Float};

/// A mean and a variance, or what is kept of it, for each channel.
pub type Pair<T> = (T, T);

/// See [`Normalizations::normalize_batch`](crate::device::Normalizations::normalize_batch).
#[allow(clippy::too_many_arguments)]
pub fn batch<F: Float>(
    channels: &Channels,
    x: &[F],
    (gamma, beta): Pair<Option<&[F]>>,
    epsilon: f32,
    momentum: f32,
    moving: Pair<&mut [F]>,
    kept: Pair<&mut [F]>,
    y: &mut [F],
    scratch: &mut [F],
) {
    let n = channels.channels;
    let (sums, rest) = scratch.split_at_mut(2 * n * channels.parts());
    let (a, b) = rest.split_at_mut(n);
    let (mean, scale) = kept;
    // Sums of differences from the first sample: of the numbers themselves, much larger than
    // their deviation, the variance would lose its digits.
    for (shift, x) in mean.iter_mut().zip(x.iter().step_by(channels.inner)) {
        *shift = *x;
    }
    add_up(channels, x, None, mean, sums);
    let count = F::from_usize(channels.outer * channels.inner);
    let (epsilon, momentum) = (F::from_f32(epsilon), F::from_f32(momentum));
    for c in 0..n {
        let difference = sums[c] / count;
        let variance = (sums[n + c] / count - difference * difference).max(F::zero());
        mean[c] += difference;
        scale[c] = (variance + epsilon).sqrt().recip();
        moving.0[c] = moving.0[c] * momentum + mean[c] * (F::one() - momentum);
        moving.1[c] = moving.1[c] * momentum + variance * (F::one() - momentum);
        a[c] = scale[c] * gamma.map_or(F::one(), |gamma| gamma[c]);
        b[c] = beta.map_or(F::zero(), |beta| beta[c]) - mean[c] * a[c];
    }
    map(channels, x, a, None, &b[..n], y);
}

/// See [`Normalizations::normalize`](crate::device::Normalizations::normalize).
pub fn given<F: Float>(
    channels: &Channels,
    x: &[F],
    (gamma, beta): Pair<Option<&[F]>>,
    (mean, variance): Pair<&[F]>,
    epsilon: f32,
    y: &mut [F],
    scratch: &mut [F],
) {
    let n = channels.channels;
    let (a, b) = scratch.split_at_mut(n);
    for c in 0..n {
        a[c] = scale(variance[c], epsilon, gamma.map(|gamma| gamma[c]));
        b[c] = beta.map_or(F::zero(), |beta| beta[c]) - mean[c] * a[c];
    }
    map(channels, x, a, None, &b[..n], y);
}

fn scale<F: Float>(variance: F, epsilon: f32, gamma: Option<F>) -> F {
    (variance + F::from_f32(epsilon)).sqrt().recip() * gamma.unwrap_or(F::one())
}

/// The gradients of one normalization; what nobody needs is `None`.
pub struct Gradients<'a, F> {
    /// (channels,)
    pub gamma: Option<&'a mut [F]>,
    /// (channels,)
    pub beta: Option<&'a mut [F]>,
    /// As x.
    pub input: Option<&'a mut [F]>,
}

/// See
/// [`Normalizations::normalize_batch_gradient`](crate::device::Normalizations::normalize_batch_gradient).
pub fn batch_gradient<F: Float>(
    channels: &Channels,
    x: &[F],
    gamma: Option<&[F]>,
    (mean, scale): Pair<&[F]>,
    dy: &[F],
    gradients: Gradients<'_, F>,
    scratch: &mut [F],
) {
    let n = channels.channels;
    let (sums, rest) = scratch.split_at_mut(2 * n * channels.parts());
    add_up(channels, x, Some(dy), mean, sums);
    let (sum, product) = (&sums[..n], &sums[n..2 * n]);
    weights_gradient(sum, product, |c| scale[c], gradients.gamma, gradients.beta);
    let Some(dx) = gradients.input else { return };
    // dx = a (dy - mean(dy) - z mean(dy z)), where z = (x - mean) scale and a = gamma scale.
    let (a, rest) = rest.split_at_mut(n);
    let (b, c) = rest.split_at_mut(n);
    let count = F::from_usize(channels.outer * channels.inner);
    for i in 0..n {
        a[i] = scale[i] * gamma.map_or(F::one(), |gamma| gamma[i]);
        b[i] = -a[i] * scale[i] * scale[i] * product[i] / count;
        c[i] = -a[i] * sum[i] / count - b[i] * mean[i];
    }
    map(channels, dy, a, Some((x, b)), &c[..n], dx);
}

/// See [`Normalizations::normalize_gradient`](crate::device::Normalizations::normalize_gradient).
#[allow(clippy::too_many_arguments)]
pub fn given_gradient<F: Float>(
    channels: &Channels,
    x: &[F],
    gamma: Option<&[F]>,
    (mean, variance): Pair<&[F]>,
    epsilon: f32,
    dy: &[F],
    gradients: Gradients<'_, F>,
    scratch: &mut [F],
) {
    let n = channels.channels;
    let (sums, rest) = scratch.split_at_mut(2 * n * channels.parts());
    if gradients.gamma.is_some() || gradients.beta.is_some() {
        add_up(channels, x, Some(dy), mean, sums);
        let (sum, product) = (&sums[..n], &sums[n..2 * n]);
        let scale = |c: usize| scale(variance[c], epsilon, None);
        weights_gradient(sum, product, scale, gradients.gamma, gradients.beta);
    }
    let Some(dx) = gradients.input else { return };
    let (a, zeros) = rest.split_at_mut(n);
    for c in 0..n {
        a[c] = scale(variance[c], epsilon, gamma.map(|gamma| gamma[c]));
        zeros[c] = F::zero();
    }
    map(channels, dy, a, None, &zeros[..n], dx);
}

/// From the sums of `dy` and of `dy (x - mean)`.
fn weights_gradient<F: Float>(
    sum: &[F],
    product: &[F],
    scale: impl Fn(usize) -> F,
    gamma: Option<&mut [F]>,
    beta: Option<&mut [F]>,
) {
    if let Some(d_beta) = beta {
        d_beta.copy_from_slice(sum);
    }
    for (c, d_gamma) in gamma.into_iter().flatten().enumerate() {
        *d_gamma = product[c] * scale(c);
    }
}

/// For each channel the sums of `d` and of `d (x - shift)`, where `d` is `dy` or else
/// `x - shift`: into the first two rows (channels,) of `sums`.
fn add_up<F: Float>(channels: &Channels, x: &[F], dy: Option<&[F]>, shift: &[F], sums: &mut [F]) {
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
fn map<F: Float>(
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
