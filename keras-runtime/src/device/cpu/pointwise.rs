//! Functions of single numbers.

use super::simd::{Arith, dispatch};
use super::threads::over_slice;
use crate::device::DropoutMask;
use crate::device::float::Float;

/// Where a tensor may be cut: whole cache lines.
const STEP: usize = 64;

/// A number of a mask takes as long as so many multiply-adds.
const HASH: usize = 8;

/// See [`Pointwise::rescale`](crate::device::Pointwise::rescale).
pub fn rescale<F: Float>(scale: f32, offset: f32, x: &[F], y: &mut [F]) {
    over_slice(x.len(), STEP, x.len(), y, 1, &|range, y| {
        rescale_part(F::from_f32(scale), F::from_f32(offset), &x[range], y)
    });
}

/// See [`Pointwise::dropout`](crate::device::Pointwise::dropout).
pub fn dropout<F: Float>(mask: DropoutMask, x: &[F], y: &mut [F]) {
    over_slice(x.len(), STEP, HASH * x.len(), y, 1, &|range, y| {
        dropout_part(mask, range.start as u32, &x[range], y)
    });
}

dispatch! {
    fn rescale_part<F: Float>(scale: F, offset: F, x: &[F], y: &mut [F]) = rescale_body
}

dispatch! {
    fn dropout_part<F: Float>(mask: DropoutMask, start: u32, x: &[F], y: &mut [F]) = dropout_body
}

#[inline(always)]
fn rescale_body<F: Float, A: Arith>(scale: F, offset: F, x: &[F], y: &mut [F]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = A::mul_add(scale, x, offset);
    }
}

#[inline(always)]
fn dropout_body<F: Float, A: Arith>(mask: DropoutMask, start: u32, x: &[F], y: &mut [F]) {
    for (i, (y, &x)) in y.iter_mut().zip(x).enumerate() {
        let factor = F::from_f32(mask.factor(start.wrapping_add(i as u32)));
        // What is dropped is zero, even if it is infinite.
        *y = if factor > F::zero() {
            factor * x
        } else {
            F::zero()
        };
    }
}
