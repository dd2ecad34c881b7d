//! The three matrix products of a dense layer: `y = x w + b`, `dw = xᵀ dz`, `dx = dz wᵀ`.
//!
//! One [product](product::product) does all of them: a transposed left operand is read where it
//! is, a transposed right one is packed into panels on the way.

mod panels;
mod product;
mod tile;

use self::panels::Source;
use self::product::{Epilogue, product};
use self::tile::Left;
use crate::device::Float;

/// A matrix without anything added.
const fn plain<'a, F>() -> Epilogue<'a, F> {
    Epilogue {
        bias: None,
        relu: false,
    }
}

/// `y = x w (+ bias) (then relu)`: x (m, k), w (k, n), bias (n), y (m, n).
#[allow(clippy::too_many_arguments)]
pub fn affine<F: Float>(
    x: &[F],
    w: &[F],
    bias: Option<&[F]>,
    relu: bool,
    y: &mut [F],
    m: usize,
    k: usize,
    n: usize,
) {
    let left = Left {
        data: x,
        row: k,
        step: 1,
    };
    let right = Source {
        data: w,
        stride: n,
        transposed: false,
        depth: k,
        columns: n,
    };
    product(left, right, m, Epilogue { bias, relu }, y);
}

/// `dw = xᵀ dz`: x (m, k), dz (m, n), dw (k, n).
pub fn weight_gradient<F: Float>(x: &[F], dz: &[F], dw: &mut [F], m: usize, k: usize, n: usize) {
    let left = Left {
        data: x,
        row: 1,
        step: k,
    };
    let right = Source {
        data: dz,
        stride: n,
        transposed: false,
        depth: m,
        columns: n,
    };
    product(left, right, k, plain(), dw);
}

/// `dx = dz wᵀ`: dz (m, n), w (k, n), dx (m, k).
pub fn input_gradient<F: Float>(dz: &[F], w: &[F], dx: &mut [F], m: usize, k: usize, n: usize) {
    let left = Left {
        data: dz,
        row: n,
        step: 1,
    };
    let right = Source {
        data: w,
        stride: n,
        transposed: true,
        depth: n,
        columns: k,
    };
    product(left, right, m, plain(), dx);
}

#[cfg(test)]
mod tests;
