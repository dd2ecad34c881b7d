//! The activations along rows: softmax and its kin, and glu.

use super::super::math::{exp, ln, sigmoid, sigmoid_and_rest};
use super::super::simd::{Arith, dispatch};
use crate::device::float::Float;

dispatch! {
    /// `y = e^y / Σ e^y` for rows of `width`.
    pub fn softmax<F: Float>(y: &mut [F], width: usize) = softmax_body
}

#[inline(always)]
fn softmax_body<F: Float, A: Arith>(y: &mut [F], width: usize) {
    for row in y.chunks_exact_mut(width) {
        let most = max(row);
        row.iter_mut().for_each(|y| *y -= most);
    }
    // All rows at once: a row of ten numbers would fill no register.
    y.iter_mut().for_each(|y| *y = exp::<F, A>(*y));
    for row in y.chunks_exact_mut(width) {
        let scale = F::one() / sum(row);
        row.iter_mut().for_each(|y| *y *= scale);
    }
}

dispatch! {
    /// `d = y (d - Σ d y)`.
    pub fn softmax_gradient<F: Float>(y: &[F], d: &mut [F], width: usize) = softmax_gradient_body
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)]
fn softmax_gradient_body<F: Float, A: Arith>(y: &[F], d: &mut [F], width: usize) {
    for (d, y) in d.chunks_exact_mut(width).zip(y.chunks_exact(width)) {
        let dot = sum_of(d, y, |d, y| d * y);
        for (d, &y) in d.iter_mut().zip(y) {
            *d = y * (*d - dot);
        }
    }
}

dispatch! {
    /// `y = y - ln(Σ e^y)`.
    pub fn log_softmax<F: Float>(y: &mut [F], width: usize) = log_softmax_body
}

#[inline(always)]
fn log_softmax_body<F: Float, A: Arith>(y: &mut [F], width: usize) {
    for row in y.chunks_exact_mut(width) {
        let most = max(row);
        row.iter_mut().for_each(|y| *y -= most);
        let log = ln::<F, A>(sum_of(row, row, |y, _| exp::<F, A>(y)));
        row.iter_mut().for_each(|y| *y -= log);
    }
}

dispatch! {
    /// `d = d - e^y Σ d`.
    pub fn log_softmax_gradient<F: Float>(y: &[F], d: &mut [F], width: usize) = log_softmax_gradient_body
}

#[inline(always)]
fn log_softmax_gradient_body<F: Float, A: Arith>(y: &[F], d: &mut [F], width: usize) {
    for (d, y) in d.chunks_exact_mut(width).zip(y.chunks_exact(width)) {
        let total = sum(d);
        for (d, &y) in d.iter_mut().zip(y) {
            *d -= exp::<F, A>(y) * total;
        }
    }
}

/// `y = max(y - τ, 0)` with the τ for which a row adds up to 1.
///
/// τ grows from one round to the next: whoever is not above it is not in the sum any more. It
/// stands still when the sum is of those above it.
pub fn sparsemax<F: Float>(y: &mut [F], width: usize) {
    for row in y.chunks_exact_mut(width) {
        let most = max(row);
        let mut floor = most - F::one();
        let mut before = usize::MAX;
        loop {
            let (mut total, mut count) = (F::zero(), 0);
            for &y in row.iter().filter(|&&y| y > floor) {
                total += y - most;
                count += 1;
            }
            if count == 0 || count == before {
                break;
            }
            before = count;
            floor = most + (total - F::one()) / F::from_usize(count);
        }
        for y in row {
            let above = *y - floor;
            *y = if above < F::zero() { F::zero() } else { above };
        }
    }
}

/// `d = d - mean(d)` over the numbers where `y > 0`, 0 elsewhere.
pub fn sparsemax_gradient<F: Float>(y: &[F], d: &mut [F], width: usize) {
    for (d, y) in d.chunks_exact_mut(width).zip(y.chunks_exact(width)) {
        let (mut total, mut count) = (F::zero(), F::zero());
        for (&d, _) in d.iter().zip(y).filter(|(_, y)| **y > F::zero()) {
            total += d;
            count += F::one();
        }
        let mean = total / count;
        for (d, &y) in d.iter_mut().zip(y) {
            *d = if y > F::zero() { *d - mean } else { F::zero() };
        }
    }
}

dispatch! {
    /// `y = a sigmoid(b)` for rows `[a, b]` of x, `width` together.
    pub fn glu<F: Float>(x: &[F], y: &mut [F], width: usize) = glu_body
}

#[inline(always)]
fn glu_body<F: Float, A: Arith>(x: &[F], y: &mut [F], width: usize) {
    let half = width / 2;
    for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(half)) {
        let (a, b) = x.split_at(half);
        for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
            *y = a * sigmoid::<F, A>(b);
        }
    }
}

dispatch! {
    /// `dx = [dy s, dy a s (1 - s)]`, `s = sigmoid(b)`.
    pub fn glu_gradient<F: Float>(x: &[F], dy: &[F], dx: &mut [F], width: usize) = glu_gradient_body
}

#[inline(always)]
fn glu_gradient_body<F: Float, A: Arith>(x: &[F], dy: &[F], dx: &mut [F], width: usize) {
    let half = width / 2;
    let rows = x.chunks_exact(width).zip(dx.chunks_exact_mut(width));
    for ((x, dx), dy) in rows.zip(dy.chunks_exact(half)) {
        let (a, b) = x.split_at(half);
        let (da, db) = dx.split_at_mut(half);
        for (i, &dy) in dy.iter().enumerate() {
            let (s, rest) = sigmoid_and_rest::<F, A>(b[i]);
            da[i] = dy * s;
            db[i] = dy * a[i] * s * rest;
        }
    }
}

/// Numbers that are added up side by side.
const LANES: usize = 16;

/// `Σ f(aᵢ, bᵢ)` in lanes, for rustc does not change the order of a sum.
#[inline(always)]
fn sum_of<F: Float>(a: &[F], b: &[F], f: impl Fn(F, F) -> F) -> F {
    let (whole, rest) = a.as_chunks::<LANES>();
    let (whole_b, rest_b) = b.as_chunks::<LANES>();
    let mut total = F::zero();
    if !whole.is_empty() {
        let mut sums = [F::zero(); LANES];
        for (a, b) in whole.iter().zip(whole_b) {
            for i in 0..LANES {
                sums[i] += f(a[i], b[i]);
            }
        }
        for sum in sums {
            total += sum;
        }
    }
    for (&a, &b) in rest.iter().zip(rest_b) {
        total += f(a, b);
    }
    total
}

#[inline(always)]
fn sum<F: Float>(row: &[F]) -> F {
    sum_of(row, row, |y, _| y)
}

/// The greatest number; NaN is none.
#[inline(always)]
fn max<F: Float>(row: &[F]) -> F {
    let (whole, rest) = row.as_chunks::<LANES>();
    let greater = |a: F, b: F| if b > a { b } else { a };
    let mut most = F::neg_infinity();
    if !whole.is_empty() {
        let mut lanes = [F::neg_infinity(); LANES];
        for row in whole {
            for i in 0..LANES {
                lanes[i] = greater(lanes[i], row[i]);
            }
        }
        most = lanes.into_iter().fold(most, greater);
    }
    rest.iter().copied().fold(most, greater)
}
