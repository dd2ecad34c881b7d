//! B cut into panels: the columns of a tile, row after row, so that a tile reads memory in order.
//!
//! Panels follow each other; the one that begins at column j begins at number `j * depth`. The
//! last one may be wider than what is left of B, and then ends in zeros.

use super::super::simd::{Arith, dispatch};
use crate::device::Float;

/// Every panel begins at a multiple of this; panels are at most as wide.
pub const ALIGNMENT: usize = 32;

/// The side of the square blocks in which a matrix is transposed.
const BLOCK: usize = 8;

/// The width of the next panel where `columns` are left: `W` while there are many, then what
/// leaves the fewest lanes idle.
#[inline(always)]
pub const fn width<const W: usize, const W2: usize, const W3: usize>(columns: usize) -> usize {
    if columns >= W || columns > W2 + W3 {
        W
    } else if columns > W3 {
        W2
    } else {
        W3
    }
}

/// The numbers that the panels of `columns` take.
pub const fn len(columns: usize, depth: usize) -> usize {
    columns.next_multiple_of(ALIGNMENT) * depth
}

/// A part of B: `depth` rows of `columns`, either as `data[p * stride + j]` or, transposed, as
/// `data[j * stride + p]`.
#[derive(Clone, Copy)]
pub struct Source<'a, F> {
    /// The matrix.
    pub data: &'a [F],
    /// From one row to the next.
    pub stride: usize,
    /// Whether the rows of `data` are the columns of B.
    pub transposed: bool,
    /// The rows of B.
    pub depth: usize,
    /// The columns of B.
    pub columns: usize,
}

impl<F> Source<'_, F> {
    /// The same matrix from a row and a column on, `columns` wide.
    pub fn part(&self, row: usize, depth: usize, column: usize, columns: usize) -> Self {
        let at = if self.transposed {
            column * self.stride + row
        } else {
            row * self.stride + column
        };
        Source {
            data: self.data.get(at..).unwrap_or_default(),
            depth,
            columns,
            ..*self
        }
    }
}

dispatch! {
    /// Copies a part of B into panels.
    pub fn pack<F: Float>(source: Source<'_, F>, panels: &mut [F]) = pack_body
        [avx512: 32, 16, 8; avx2: 16, 8, 4; portable: 8, 8, 4]
}

#[inline(always)]
fn pack_body<F: Float, A: Arith, const W: usize, const W2: usize, const W3: usize>(
    source: Source<'_, F>,
    panels: &mut [F],
) {
    let mut column = 0;
    while column < source.columns {
        let left = source.columns - column;
        let part = source.part(0, source.depth, column, left);
        let panel = &mut panels[column * source.depth..];
        let wide = width::<W, W2, W3>(left);
        if wide == W {
            pack_panel::<F, W>(part, panel);
        } else if wide == W2 {
            pack_panel::<F, W2>(part, panel);
        } else {
            pack_panel::<F, W3>(part, panel);
        }
        column += wide;
    }
}

#[inline(always)]
fn pack_panel<F: Float, const W: usize>(source: Source<'_, F>, panel: &mut [F]) {
    let Source {
        data,
        stride,
        depth,
        columns,
        ..
    } = source;
    let (panel, _) = panel[..depth * W].as_chunks_mut::<W>();
    let columns = columns.min(W);
    if source.transposed {
        return pack_transposed(data, stride, columns, panel);
    }
    for (p, to) in panel.iter_mut().enumerate() {
        let from = &data[p * stride..];
        match from.first_chunk::<W>() {
            Some(from) if columns == W => *to = *from,
            _ => {
                *to = [F::zero(); W];
                to[..columns].copy_from_slice(&from[..columns]);
            }
        }
    }
}

/// Panel row p, number j becomes `data[j * stride + p]`.
#[inline(always)]
fn pack_transposed<F: Float, const W: usize>(
    data: &[F],
    stride: usize,
    columns: usize,
    panel: &mut [[F; W]],
) {
    let whole = panel.len() / BLOCK * BLOCK;
    let wide = BLOCK.min(W);
    for column in (0..W).step_by(BLOCK) {
        let columns = columns.saturating_sub(column).min(wide);
        for p in (0..whole).step_by(BLOCK) {
            let mut block = [[F::zero(); BLOCK]; BLOCK];
            for (j, row) in block.iter_mut().enumerate() {
                if j < columns {
                    row.copy_from_slice(&data[(column + j) * stride + p..][..BLOCK]);
                }
            }
            let block = transpose(block);
            for (row, to) in block.iter().zip(&mut panel[p..p + BLOCK]) {
                to[column..column + wide].copy_from_slice(&row[..wide]);
            }
        }
        for (p, to) in panel.iter_mut().enumerate().skip(whole) {
            for j in 0..wide {
                to[column + j] = if j < columns {
                    data[(column + j) * stride + p]
                } else {
                    F::zero()
                };
            }
        }
    }
}

/// Interleaves row i with row i + 4, three times over: shuffles of whole registers.
#[inline(always)]
fn transpose<F: Float>(mut block: [[F; BLOCK]; BLOCK]) -> [[F; BLOCK]; BLOCK] {
    const HALF: usize = BLOCK / 2;
    for _ in 0..3 {
        let from = block;
        for i in 0..HALF {
            for j in 0..HALF {
                block[2 * i][2 * j] = from[i][j];
                block[2 * i][2 * j + 1] = from[i + HALF][j];
                block[2 * i + 1][2 * j] = from[i][j + HALF];
                block[2 * i + 1][2 * j + 1] = from[i + HALF][j + HALF];
            }
        }
    }
    block
}
