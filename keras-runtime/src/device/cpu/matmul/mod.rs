//! The three matrix products of a dense layer: `y = x w + b`, `dw = xᵀ dz`, `dx = dz wᵀ`.
//!
//! One product does all of them: a transposed left operand is read where it
//! is, a transposed right one is packed into panels on the way.

mod dots;
mod in_place;
mod packed;
mod panels;
mod product;
mod store;
mod tile;

use self::dots::{dots, dots_of_columns};
use self::panels::Source;
use self::product::{Epilogue, product};
use self::tile::Left;
pub(super) use self::tile::tile_of_panels;
use crate::device::Float;

/// Columns of an affine product from which tiles fill their lanes better than dots.
const NARROW: usize = 5;

/// The depth from which adding up the lanes of a dot does not matter in a narrow product.
const DEEP: usize = 32;

/// Packing w costs its size, dots cost as much again for each number of the output: for an input
/// gradient they pay while the rows are few and the depth is many times as large.
const DEPTH_TO_ROWS: usize = 8;
const FEW_ROWS: usize = 16;

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
    let epilogue = Epilogue { bias, relu };
    if n < NARROW && k >= DEEP {
        return dots_of_columns(x, w, k, epilogue, y, [m, n]);
    }
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
    product(left, right, m, epilogue, y);
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
    if m <= FEW_ROWS && n >= DEPTH_TO_ROWS * m.max(2) {
        return dots(dz, w, n, plain(), dx, [m, k]);
    }
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
