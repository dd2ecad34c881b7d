//! The activations along rows: softmax and its kin, and glu.

use super::super::lanes::{self, Each, Itself, LANES, Same};
use super::super::math::{exp, ln, sigmoid, sigmoid_and_rest};
use super::super::simd::{Arith, dispatch};
use crate::device::float::Float;

dispatch! {
    /// `y = e^y / Σ e^y` for rows of `width`.
    pub fn softmax<F: Float>(y: &mut [F], width: usize) = softmax_body
}

#[inline(always)]
fn softmax_body<F: Float, A: Arith>(y: &mut [F], width: usize) {
    if width < LANES {
        return softmax_of_short_rows::<F, A>(y, width);
    }
    for row in y.chunks_exact_mut(width) {
        let most = lanes::max::<A, F>(row);
        row.iter_mut().for_each(|y| *y = exp::<F, A>(*y - most));
        let [sum] = lanes::sums::<A, F, 1>(Same(F::zero()), row, &Itself);
        let scale = F::one() / sum;
        row.iter_mut().for_each(|y| *y *= scale);
    }
}

/// Rows that lie side by side in a register, each in a lane of its own: a short row alone would leave
/// most of it empty.
const SIDE_BY_SIDE: usize = 8;

#[inline(always)]
fn softmax_of_short_rows<F: Float, A: Arith>(y: &mut [F], width: usize) {
    for rows in y.chunks_mut(SIDE_BY_SIDE * width) {
        // Beyond the last row it is repeated.
        let count = rows.len() / width;
        let at: [usize; SIDE_BY_SIDE] = std::array::from_fn(|row| row.min(count - 1) * width);
        let mut columns = [[F::neg_infinity(); SIDE_BY_SIDE]; LANES];
        let columns = &mut columns[..width];
        let mut most = [F::neg_infinity(); SIDE_BY_SIDE];
        for (i, column) in columns.iter_mut().enumerate() {
            for r in 0..SIDE_BY_SIDE {
                column[r] = rows[at[r] + i];
            }
            for r in 0..SIDE_BY_SIDE {
                most[r] = if column[r] > most[r] {
                    column[r]
                } else {
                    most[r]
                };
            }
        }
        let mut sums = [F::zero(); SIDE_BY_SIDE];
        for column in &mut *columns {
            for r in 0..SIDE_BY_SIDE {
                column[r] = exp::<F, A>(column[r] - most[r]);
                sums[r] += column[r];
            }
        }
        let scales = sums.map(|sum| F::one() / sum);
        for column in &mut *columns {
            for r in 0..SIDE_BY_SIDE {
                column[r] *= scales[r];
            }
        }
        for (r, row) in rows.chunks_exact_mut(width).enumerate() {
            for (to, column) in row.iter_mut().zip(&*columns) {
                *to = column[r];
            }
        }
    }
}

dispatch! {
    /// `d = y (d - Σ d y)`.
    pub fn softmax_gradient<F: Float>(y: &[F], d: &mut [F], width: usize) = softmax_gradient_body
}

#[inline(always)]
fn softmax_gradient_body<F: Float, A: Arith>(y: &[F], d: &mut [F], width: usize) {
    for (d, y) in d.chunks_exact_mut(width).zip(y.chunks_exact(width)) {
        let [dot] = lanes::sums::<A, F, 1>(&*d, y, &Products);
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
        let most = lanes::max::<A, F>(row);
        row.iter_mut().for_each(|y| *y -= most);
        let [sum] = lanes::sums::<A, F, 1>(Same(F::zero()), row, &Exponentials);
        let log = ln::<F, A>(sum);
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
        let [total] = lanes::sums::<A, F, 1>(Same(F::zero()), d, &Itself);
        for (d, &y) in d.iter_mut().zip(y) {
            *d -= exp::<F, A>(y) * total;
        }
    }
}

dispatch! {
    /// `y = max(y - τ, 0)` with the τ for which a row adds up to 1.
    ///
    /// τ grows from one round to the next: whoever is not above it is not in the sum any more. It
    /// stands still when the sum is of those above it.
    pub fn sparsemax<F: Float>(y: &mut [F], width: usize) = sparsemax_body
}

#[inline(always)]
fn sparsemax_body<F: Float, A: Arith>(y: &mut [F], width: usize) {
    for row in y.chunks_exact_mut(width) {
        let most = lanes::max::<A, F>(row);
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

/// `a b`.
struct Products;

impl<F: Float> Each<F, 1> for Products {
    #[inline(always)]
    fn at<A: Arith>(&self, a: F, b: F) -> ([F; 1], F) {
        ([a * b], b)
    }
}

/// `e^b`.
struct Exponentials;

impl<F: Float> Each<F, 1> for Exponentials {
    #[inline(always)]
    fn at<A: Arith>(&self, _a: F, b: F) -> ([F; 1], F) {
        ([exp::<F, A>(b)], b)
    }
}
