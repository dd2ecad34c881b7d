//! `C = A B (+ bias) (then relu)`, in tiles that fit the registers.
//!
//! | what | stays in |
//! |---|---|
//! | a tile of C: R rows, W columns | registers |
//! | a panel of B: some rows, W columns | the first-level cache |
//! | some rows of A | the second-level cache |
//!
//! Packing both sides in the order in which tiles read them pays in a large product ([`packed`]) and
//! takes too long in a small one ([`in_place`]).

use super::super::simd::{self, Level};
use super::in_place;
use super::packed;
use super::panels::Source;
use super::tile::Left;
use crate::device::Float;

/// Rows and columns of C from which packing both sides pays.
const MANY_ROWS: usize = 48;
const MANY_COLUMNS: usize = 96;

/// The heights of tiles.
pub struct Heights;

impl Heights {
    pub const AVX512: usize = 8;
    pub const AVX2: usize = 6;
    pub const PORTABLE: usize = 4;

    pub fn of<F: Float>() -> usize {
        match simd::level_of::<F>() {
            Level::Avx512 => Self::AVX512,
            Level::Avx2 => Self::AVX2,
            Level::Portable => Self::PORTABLE,
        }
    }
}

/// What happens to C besides the product.
#[derive(Clone, Copy)]
pub struct Epilogue<'a, F> {
    /// Added to every row.
    pub bias: Option<&'a [F]>,
    /// Negative numbers become 0 at last.
    pub relu: bool,
}

impl<'a, F: Float> Epilogue<'a, F> {
    /// The same from a column on.
    pub fn from(&self, column: usize) -> Self {
        Epilogue {
            bias: self.bias.map(|bias| &bias[column..]),
            relu: self.relu,
        }
    }

    /// The least number that may stand in C.
    pub fn floor(&self) -> F {
        if self.relu {
            F::zero()
        } else {
            F::neg_infinity()
        }
    }
}

/// Writes C (rows, columns of B).
pub fn product<F: Float>(
    left: Left<'_, F>,
    right: Source<'_, F>,
    rows: usize,
    epilogue: Epilogue<'_, F>,
    c: &mut [F],
) {
    if rows == 0 || right.columns == 0 {
        return;
    }
    if right.depth > 0 && rows >= MANY_ROWS && right.columns >= MANY_COLUMNS {
        packed::product(left, right, rows, epilogue, c);
    } else {
        in_place::product(left, right, rows, epilogue, c);
    }
}
