//! `C = A B (+ bias) (then relu)`, cut into blocks that fit the caches and into tiles that fit the
//! registers.
//!
//! | what | stays in |
//! |---|---|
//! | a tile of C: R rows, W columns | registers |
//! | a panel of B: `DEPTH` rows, W columns | the first-level or second-level cache |
//! | a block of A: `ROWS` rows, `DEPTH` columns | the second-level cache |

use super::super::simd::{Arith, dispatch};
use super::super::threads::over_slice;
use super::panels::{self, Source, Widths, width};
use super::tile::{Left, Right, tile};
use crate::device::Float;

/// The most rows of B that are worked on together.
const DEPTH: usize = 512;

/// The most rows of A that are worked on together.
const ROWS: usize = 128;

/// The most columns of B that are packed together.
const COLUMNS: usize = 2048;

/// The longest rows of B that are read where they are: a tile reads a piece of each, and pieces
/// that lie on pages of their own cost more than packing them once.
const LONG_ROW: usize = 1024;

/// Rows of C from which packing B pays at all.
const WORTH_PACKING: usize = 64;

/// What happens to C besides the product.
#[derive(Clone, Copy)]
pub struct Epilogue<'a, F> {
    /// Added to every row.
    pub bias: Option<&'a [F]>,
    /// Negative numbers become 0 at last.
    pub relu: bool,
}

impl<F: Float> Epilogue<'_, F> {
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
    let Source { depth, columns, .. } = right;
    if rows == 0 || columns == 0 {
        return;
    }
    let blocks = depth.div_ceil(DEPTH).max(1);
    for first in (0..columns).step_by(COLUMNS) {
        let wide = COLUMNS.min(columns - first);
        for block in 0..blocks {
            let at = block * DEPTH;
            let right = right.part(at, DEPTH.min(depth - at), first, wide);
            let block = Block {
                left: Left {
                    data: left.data.get(at * left.step..).unwrap_or_default(),
                    ..left
                },
                right,
                panels: &[],
                packed_from: 0,
                bias: epilogue.bias.map(|bias| &bias[first..]),
                floor: if block + 1 == blocks {
                    epilogue.floor()
                } else {
                    F::neg_infinity()
                },
                adds: block > 0,
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
    bias: Option<&'a [F]>,
    floor: F,
    /// C has the sum over the depth before this part.
    adds: bool,
    first_column: usize,
    /// Of C.
    columns: usize,
}

impl<F: Float> Block<'_, F> {
    fn run(self, rows: usize, c: &mut [F]) {
        let right = self.right;
        let is_long = right.stride > LONG_ROW && rows >= WORTH_PACKING;
        let packed_from = if right.transposed || is_long {
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
            ROW_STEP,
            rows * self.right.columns * self.right.depth,
            c,
            self.columns,
            &|part, c| multiply(&self, part.start, part.len(), c),
        );
    }
}

/// Where the rows of C may be cut between threads: a multiple of every tile's height.
const ROW_STEP: usize = 24;

dispatch! {
    /// The rows of a block from `first` on: `c` begins with them.
    fn multiply<F: Float>(block: &Block<'_, F>, first: usize, rows: usize, c: &mut [F]) = multiply_body
        [
            avx512: 8, Widths::AVX512[0], Widths::AVX512[1], Widths::AVX512[2];
            avx2: 6, Widths::AVX2[0], Widths::AVX2[1], Widths::AVX2[2];
            portable: 4, Widths::PORTABLE[0], Widths::PORTABLE[1], Widths::PORTABLE[2]
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
        let height = match to - row {
            left if left >= R => R,
            4.. => 4,
            2.. => 2,
            _ => 1,
        };
        let c = &mut c[row * block.columns + block.first_column + column..];
        if height == R {
            one_tile::<F, A, R, W>(block, first + row, right, column, c);
        } else if height == 4 {
            one_tile::<F, A, 4, W>(block, first + row, right, column, c);
        } else if height == 2 {
            one_tile::<F, A, 2, W>(block, first + row, right, column, c);
        } else {
            one_tile::<F, A, 1, W>(block, first + row, right, column, c);
        }
        row += height;
    }
}

/// Writes the R x W numbers of C that begin at the first of `c`.
#[inline(always)]
fn one_tile<F: Float, A: Arith, const R: usize, const W: usize>(
    block: &Block<'_, F>,
    row: usize,
    right: Right<'_, F>,
    column: usize,
    c: &mut [F],
) {
    let columns = (block.right.columns - column).min(W);
    let stride = block.columns;
    let mut acc = [[F::zero(); W]; R];
    if block.adds {
        if columns == W {
            for i in 0..R {
                acc[i].copy_from_slice(&c[i * stride..][..W]);
            }
        } else {
            acc = load_part(c, stride, columns);
        }
    } else if let Some(bias) = block.bias {
        let bias = match bias[column..].first_chunk::<W>() {
            Some(bias) => *bias,
            None => load_part::<F, 1, W>(&bias[column..], 0, columns)[0],
        };
        acc = [bias; R];
    }
    let acc = tile::<F, A, R, W>(block.left, row, right, block.right.depth, acc);
    let floor = block.floor;
    if columns < W {
        return store_part(acc, floor, c, stride, columns);
    }
    for i in 0..R {
        let to = &mut c[i * stride..][..W];
        for j in 0..W {
            to[j] = at_least(floor, acc[i][j]);
        }
    }
}

/// One instruction, and NaN stays NaN.
#[inline(always)]
pub fn at_least<F: Float>(floor: F, x: F) -> F {
    if x < floor { floor } else { x }
}

/// Accumulators whose last columns are not in C. Out of line: a run-time index into accumulators
/// would force them out of their registers.
#[inline(never)]
fn load_part<F: Float, const R: usize, const W: usize>(
    c: &[F],
    stride: usize,
    columns: usize,
) -> [[F; W]; R] {
    let mut acc = [[F::zero(); W]; R];
    for (i, row) in acc.iter_mut().enumerate() {
        row[..columns].copy_from_slice(&c[i * stride..][..columns]);
    }
    acc
}

/// The opposite of [`load_part`].
#[inline(never)]
fn store_part<F: Float, const R: usize, const W: usize>(
    acc: [[F; W]; R],
    floor: F,
    c: &mut [F],
    stride: usize,
    columns: usize,
) {
    for (i, row) in acc.iter().enumerate() {
        for (to, &x) in c[i * stride..][..columns].iter_mut().zip(row) {
            *to = at_least(floor, x);
        }
    }
}
