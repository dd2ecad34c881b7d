//! Small products: A is read where it is, and so is B as far as whole tiles go. Only a transposed B is
//! packed.

use super::super::simd::{Arith, dispatch};
use super::super::threads::over_slice;
use super::panels::{self, Source, Widths, width};
use super::product::{Epilogue, Heights};
use super::store::{Frame, Strided};
use super::tile::{Left, Right, tile};
use crate::device::Float;

/// The most rows of B that are packed together, unless they are few numbers.
const DEPTH: usize = 256;

/// The most rows of A that are worked on together.
const ROWS: usize = 128;

/// The most columns of B that are packed together.
const COLUMNS: usize = 2048;

/// About the most numbers of B that are packed together: they stay in the last-level cache.
const PACKED: usize = 1 << 20;

/// Writes C (rows, columns of B).
pub fn product<F: Float>(
    left: Left<'_, F>,
    right: Source<'_, F>,
    rows: usize,
    epilogue: Epilogue<'_, F>,
    c: &mut [F],
) {
    let Source { depth, columns, .. } = right;
    for first in (0..columns).step_by(COLUMNS) {
        let wide = COLUMNS.min(columns - first);
        let deep = (PACKED / wide / DEPTH).max(1) * DEPTH;
        let blocks = depth.div_ceil(deep).max(1);
        for block in 0..blocks {
            let at = block * deep;
            let is_last = block + 1 == blocks;
            let block = Block {
                left: left.from(at),
                right: right.part(at, deep.min(depth - at), first, wide),
                panels: &[],
                packed_from: 0,
                frame: Frame::new(epilogue.from(first), wide, block == 0, is_last),
                first_column: first,
                columns,
            };
            block.run(rows, c);
        }
    }
}

/// Part of a product: all rows of C, some columns, some of the depth.
#[derive(Clone, Copy)]
struct Block<'a, F> {
    left: Left<'a, F>,
    right: Source<'a, F>,
    /// The columns of `right` from `packed_from` on.
    panels: &'a [F],
    packed_from: usize,
    frame: Frame<'a, F>,
    first_column: usize,
    /// Of C.
    columns: usize,
}

impl<F: Float> Block<'_, F> {
    fn run(self, rows: usize, c: &mut [F]) {
        let right = self.right;
        let packed_from = if right.transposed {
            0
        } else {
            panels::whole::<F>(right.columns)
        };
        let packed = right.columns - packed_from;
        let block = Block {
            packed_from,
            ..self
        };
        if packed == 0 {
            return block.over_rows(rows, c);
        }
        F::with_scratch(panels::len(packed, right.depth), |panels| {
            over_slice(
                packed,
                panels::ALIGNMENT,
                packed * right.depth,
                &mut *panels,
                right.depth,
                &|part, panels| {
                    let at = packed_from + part.start;
                    panels::pack(right.part(0, right.depth, at, part.len()), panels);
                },
            );
            Block { panels, ..block }.over_rows(rows, c);
        });
    }

    /// Multiplies, with the rows shared out over the threads.
    fn over_rows(self, rows: usize, c: &mut [F]) {
        over_slice(
            rows,
            Heights::of::<F>(),
            rows * self.right.columns * self.right.depth,
            c,
            self.columns,
            &|part, c| multiply(&self, part.start, part.len(), c),
        );
    }
}

dispatch! {
    /// The rows of a block from `first` on: `c` begins with them.
    fn multiply<F: Float>(block: &Block<'_, F>, first: usize, rows: usize, c: &mut [F]) = multiply_body
        [
            avx512: Heights::AVX512, Widths::AVX512[0], Widths::AVX512[1], Widths::AVX512[2];
            avx2: Heights::AVX2, Widths::AVX2[0], Widths::AVX2[1], Widths::AVX2[2];
            portable: Heights::PORTABLE, Widths::PORTABLE[0], Widths::PORTABLE[1], Widths::PORTABLE[2]
        ]
}

#[inline(always)]
fn multiply_body<
    F: Float,
    A: Arith,
    const R: usize,
    const W: usize,
    const W2: usize,
    const W3: usize,
>(
    block: &Block<'_, F>,
    first: usize,
    rows: usize,
    c: &mut [F],
) {
    let columns = block.right.columns;
    for from in (0..rows).step_by(ROWS) {
        let to = rows.min(from + ROWS);
        let mut column = 0;
        while column < columns {
            let wide = width::<W, W2, W3>(columns - column);
            if wide == W {
                column_of_tiles::<F, A, R, W>(block, first, from, to, column, c);
            } else if wide == W2 {
                column_of_tiles::<F, A, R, W2>(block, first, from, to, column, c);
            } else {
                column_of_tiles::<F, A, R, W3>(block, first, from, to, column, c);
            }
            column += wide;
        }
    }
}

/// The tiles of one panel of B.
#[inline(always)]
fn column_of_tiles<F: Float, A: Arith, const R: usize, const W: usize>(
    block: &Block<'_, F>,
    first: usize,
    from: usize,
    to: usize,
    column: usize,
    c: &mut [F],
) {
    let depth = block.right.depth;
    let right = if column < block.packed_from {
        Right {
            data: block.right.part(0, depth, column, W).data,
            stride: block.right.stride,
        }
    } else {
        Right {
            data: &block.panels[(column - block.packed_from) * depth..][..depth * W],
            stride: W,
        }
    };
    let mut row = from;
    while row < to {
        // Tiles of four rows, where one of R and a small one would take longer: a tile of few rows waits
        // for its own sums.
        let is_low = to - row <= 4 || R < 8 && to - row == 8;
        let c = Strided {
            data: &mut c[row * block.columns + block.first_column..],
            stride: block.columns,
        };
        if is_low {
            let rows = (to - row).min(4);
            one_tile::<F, A, 4, W>(block, first + row, rows, right, column, c);
            row += rows;
        } else {
            let rows = (to - row).min(R);
            one_tile::<F, A, R, W>(block, first + row, rows, right, column, c);
            row += rows;
        }
    }
}

/// Writes R x W numbers of C, as far as there are so many rows and columns.
#[inline(always)]
fn one_tile<F: Float, A: Arith, const R: usize, const W: usize>(
    block: &Block<'_, F>,
    row: usize,
    rows: usize,
    right: Right<'_, F>,
    column: usize,
    mut c: Strided<'_, F>,
) {
    let acc = block.frame.begin::<R, W, _>(rows, column, &c);
    let acc = tile::<F, A, R, W>(block.left, row, rows, right, block.right.depth, acc);
    block.frame.store(rows, column, acc, &mut c);
}
