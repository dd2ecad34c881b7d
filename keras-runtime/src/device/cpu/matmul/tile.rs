//! `C[i][j] += Σ_p A[i][p] B[p][j]` for R x W numbers of C that stay in registers.
//!
//! Plain array code: with R and W known, rustc keeps the accumulators in vector registers and
//! turns the inner loop into fused multiply-adds. Each number of C is one chain of multiply-adds
//! in the order of the depth, so it is the same in a tile of any size.

use super::super::simd::Arith;
use crate::device::Float;

/// Where the rows of A begin and how they continue: `A[i][p] = data[i * row + p * step]`.
///
/// A transposed matrix has its row and step exchanged; nothing is copied.
#[derive(Clone, Copy)]
pub struct Left<'a, F> {
    /// The matrix.
    pub data: &'a [F],
    /// From one row to the next.
    pub row: usize,
    /// From one column to the next.
    pub step: usize,
}

impl<F> Left<'_, F> {
    /// The same matrix from a row on.
    pub fn rows_from(&self, row: usize) -> Self {
        Left {
            data: self.data.get(row * self.row..).unwrap_or_default(),
            ..*self
        }
    }

    /// The same matrix from a column on.
    pub fn from(&self, column: usize) -> Self {
        Left {
            data: self.data.get(column * self.step..).unwrap_or_default(),
            ..*self
        }
    }
}

/// Rows of W numbers of B, `stride` apart.
#[derive(Clone, Copy)]
pub struct Right<'a, F> {
    /// The matrix, from the tile's first column.
    pub data: &'a [F],
    /// From one row to the next.
    pub stride: usize,
}

/// `acc` plus the product of R rows of A, from row `first`, and W columns of B, over `depth`. Of the rows
/// there may be fewer; then the last one stands for those that are missing.
#[inline(always)]
pub fn tile<F: Float, A: Arith, const R: usize, const W: usize>(
    left: Left<'_, F>,
    first: usize,
    count: usize,
    right: Right<'_, F>,
    depth: usize,
    mut acc: [[F; W]; R],
) -> [[F; W]; R] {
    if depth == 0 {
        return acc;
    }
    // R slices of one length: one bounds check serves all of them.
    let len = (depth - 1) * left.step + 1;
    let rows: [&[F]; R] =
        std::array::from_fn(|i| &left.data[(first + i.min(count - 1)) * left.row..][..len]);
    let mut at = 0;
    for b in right.data.chunks(right.stride).take(depth) {
        let Some(b) = b.first_chunk::<W>() else { break };
        if at >= len {
            break;
        }
        for i in 0..R {
            let a = rows[i][at];
            for j in 0..W {
                acc[i][j] = A::mul_add(a, b[j], acc[i][j]);
            }
        }
        at += left.step;
    }
    acc
}

/// The same where both sides are packed, A in panels of P rows of which the first R are wanted.
#[inline(always)]
pub fn tile_of_panels<F: Float, A: Arith, const P: usize, const R: usize, const W: usize>(
    left: &[[F; P]],
    right: &[[F; W]],
    mut acc: [[F; W]; R],
) -> [[F; W]; R] {
    for (a, b) in left.iter().zip(right) {
        for i in 0..R {
            for j in 0..W {
                acc[i][j] = A::mul_add(a[i], b[j], acc[i][j]);
            }
        }
    }
    acc
}
