//! `C = A B (+ bias) (then relu)`, cut into blocks that fit the caches and into tiles that fit the
//! registers.
//!
//! | what | stays in |
//! |---|---|
//! | a tile of C: R rows, W columns | registers |
//! | a panel of B: `DEPTH` rows, W columns | the first-level cache |
//! | a block of A: `ROWS` rows, `DEPTH` columns | the second-level cache |
//! | `PACKED` numbers of B | the last-level cache |
//!
//! In a large product both sides are packed first, in the order in which tiles read them. In a small
//! one that would take too long: there A is read where it is, and so is B as far as whole tiles go.

use super::super::simd::{self, Arith, Level, dispatch};
use super::super::threads::over_slice;
use super::panels::{self, Source, Widths, width};
use super::tile::{Left, Right, tile, tile_of_panels};
use crate::device::Float;

/// The most rows of B that are worked on together.
const DEPTH: usize = 256;

/// About the most rows of A that are worked on together: as many tiles as fit.
const ROWS: usize = 128;

/// The most columns of B that are packed together.
const COLUMNS: usize = 2048;

/// About the most numbers of B that are packed together.
const PACKED: usize = 1 << 20;

/// Rows and columns of C from which packing both sides pays.
const MANY_ROWS: usize = 48;
const MANY_COLUMNS: usize = 96;

/// The heights of tiles.
struct Heights;

impl Heights {
    const AVX512: usize = 8;
    const AVX2: usize = 6;
    const PORTABLE: usize = 4;

    fn of<F: Float>() -> usize {
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
    for first in (0..columns).step_by(COLUMNS) {
        let wide = COLUMNS.min(columns - first);
        let deep = (PACKED / wide / DEPTH).max(1) * DEPTH;
        let blocks = depth.div_ceil(deep).max(1);
        for block in 0..blocks {
            let at = block * deep;
            let block = Block {
                left: left.from(at),
                right: right.part(at, deep.min(depth - at), first, wide),
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
        let is_large = rows >= MANY_ROWS && right.columns >= MANY_COLUMNS;
        let packed_from = if right.transposed || is_large {
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
            return block.over_rows(rows, is_large, c);
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
            Block { panels, ..block }.over_rows(rows, is_large, c);
        });
    }

    /// Multiplies, with the rows shared out over the threads.
    fn over_rows(self, rows: usize, is_large: bool, c: &mut [F]) {
        over_slice(
            rows,
            Heights::of::<F>(),
            rows * self.right.columns * self.right.depth,
            c,
            self.columns,
            &|part, c| {
                if !is_large {
                    return multiply(&self, part.start, part.len(), c);
                }
                let block = part.len().min(ROWS) + Heights::of::<F>();
                F::with_scratch(block * self.right.depth.min(DEPTH), |left_panels| {
                    multiply_panels(&self, part.start, part.len(), left_panels, c);
                });
            },
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

dispatch! {
    /// The same where all of B is packed, with memory to pack A.
    fn multiply_panels<F: Float>(
        block: &Block<'_, F>,
        first: usize,
        rows: usize,
        left_panels: &mut [F],
        c: &mut [F],
    ) = multiply_panels_body
        [
            avx512: Heights::AVX512, Widths::AVX512[0], Widths::AVX512[1], Widths::AVX512[2];
            avx2: Heights::AVX2, Widths::AVX2[0], Widths::AVX2[1], Widths::AVX2[2];
            portable: Heights::PORTABLE, Widths::PORTABLE[0], Widths::PORTABLE[1], Widths::PORTABLE[2]
        ]
}

#[inline(always)]
fn multiply_panels_body<
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
    left_panels: &mut [F],
    c: &mut [F],
) {
    let Source { depth, columns, .. } = block.right;
    for at in (0..depth).step_by(DEPTH) {
        let deep = DEPTH.min(depth - at);
        let is_last = at + deep == depth;
        let part = Block {
            adds: block.adds || at > 0,
            floor: if is_last {
                block.floor
            } else {
                F::neg_infinity()
            },
            ..*block
        };
        let left = block.left.from(at);
        for from in (0..rows).step_by(ROWS / R * R) {
            let height = (rows - from).min(ROWS / R * R);
            pack_left::<F, R>(left, first + from, height, deep, left_panels);
            let c = &mut c[from * part.columns + part.first_column..];
            let mut column = 0;
            while column < columns {
                let wide = width::<W, W2, W3>(columns - column);
                let panel = &block.panels[column * depth + at * wide..][..deep * wide];
                if wide == W {
                    tiles_of_panel::<F, A, R, W>(&part, left_panels, height, panel, column, c);
                } else if wide == W2 {
                    tiles_of_panel::<F, A, R, W2>(&part, left_panels, height, panel, column, c);
                } else {
                    tiles_of_panel::<F, A, R, W3>(&part, left_panels, height, panel, column, c);
                }
                column += wide;
            }
        }
    }
}

/// Packs some rows of A: for each tile its R rows side by side. What is missing in the last one is
/// whatever was there.
#[inline(always)]
fn pack_left<F: Float, const R: usize>(
    left: Left<'_, F>,
    first: usize,
    rows: usize,
    depth: usize,
    panels: &mut [F],
) {
    let tiles = panels.chunks_exact_mut(depth * R).take(rows.div_ceil(R));
    for (tile, to) in tiles.enumerate() {
        let (to, _) = to.as_chunks_mut::<R>();
        let count = (rows - tile * R).min(R);
        let from = &left.data[(first + tile * R) * left.row..];
        if left.row == 1 && count == R {
            for (to, from) in to.iter_mut().zip(from.chunks(left.step)) {
                to.copy_from_slice(&from[..R]);
            }
            continue;
        }
        if left.step == 1 {
            // Missing rows are the last one again.
            let rows: [&[F]; R] =
                std::array::from_fn(|r| &from[r.min(count - 1) * left.row..][..depth]);
            for (p, to) in to.iter_mut().enumerate() {
                for r in 0..R {
                    to[r] = rows[r][p];
                }
            }
            continue;
        }
        for (p, to) in to.iter_mut().enumerate() {
            for r in 0..count {
                to[r] = from[r * left.row + p * left.step];
            }
        }
    }
}

/// The tiles of one panel of B: `c` begins with the first of `rows` rows.
#[inline(always)]
fn tiles_of_panel<F: Float, A: Arith, const R: usize, const W: usize>(
    block: &Block<'_, F>,
    left_panels: &[F],
    rows: usize,
    panel: &[F],
    column: usize,
    c: &mut [F],
) {
    let (right, _) = panel.as_chunks::<W>();
    let (left, _) = left_panels.as_chunks::<R>();
    for (tile, left) in left
        .chunks_exact(right.len())
        .take(rows.div_ceil(R))
        .enumerate()
    {
        let count = (rows - tile * R).min(R);
        let c = &mut c[tile * R * block.columns + column..];
        let acc = begin::<F, R, W>(block, count, column, c);
        let acc = tile_of_panels::<F, A, R, W>(left, right, acc);
        store(block, count, column, acc, c);
    }
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
            // A tile of two rows would wait for its own sums; two of four do not.
            8 if R < 8 => 4,
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
    let acc = begin::<F, R, W>(block, R, column, c);
    let acc = tile::<F, A, R, W>(block.left, row, right, block.right.depth, acc);
    store(block, R, column, acc, c);
}

/// The numbers that a tile begins with, of which there are `rows` rows in C. Never returned early:
/// that would keep them in memory.
#[inline(always)]
fn begin<F: Float, const R: usize, const W: usize>(
    block: &Block<'_, F>,
    rows: usize,
    column: usize,
    c: &[F],
) -> [[F; W]; R] {
    let columns = (block.right.columns - column).min(W);
    let mut acc = [[F::zero(); W]; R];
    if block.adds {
        if columns < W || rows < R {
            acc = load_part(c, block.columns, [rows, columns]);
        } else {
            for i in 0..R {
                acc[i].copy_from_slice(&c[i * block.columns..][..W]);
            }
        }
    } else if let Some(bias) = block.bias {
        let bias = match bias[column..].first_chunk::<W>() {
            Some(bias) => *bias,
            None => load_part::<F, 1, W>(&bias[column..], 0, [1, columns])[0],
        };
        acc = [bias; R];
    }
    acc
}

/// Writes a tile, of which there are `rows` rows in C.
#[inline(always)]
fn store<F: Float, const R: usize, const W: usize>(
    block: &Block<'_, F>,
    rows: usize,
    column: usize,
    acc: [[F; W]; R],
    c: &mut [F],
) {
    let columns = (block.right.columns - column).min(W);
    if columns < W || rows < R {
        return store_part(acc, block.floor, c, block.columns, [rows, columns]);
    }
    for i in 0..R {
        let to = &mut c[i * block.columns..][..W];
        for j in 0..W {
            to[j] = at_least(block.floor, acc[i][j]);
        }
    }
}

/// One instruction, and NaN stays NaN.
#[inline(always)]
pub fn at_least<F: Float>(floor: F, x: F) -> F {
    if x < floor { floor } else { x }
}

/// Accumulators whose last rows or columns are not in C. Out of line: a run-time index into
/// accumulators would force them out of their registers.
#[inline(never)]
fn load_part<F: Float, const R: usize, const W: usize>(
    c: &[F],
    stride: usize,
    [rows, columns]: [usize; 2],
) -> [[F; W]; R] {
    let mut acc = [[F::zero(); W]; R];
    for (i, row) in acc.iter_mut().take(rows).enumerate() {
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
    [rows, columns]: [usize; 2],
) {
    for (i, row) in acc.iter().take(rows).enumerate() {
        for (to, &x) in c[i * stride..][..columns].iter_mut().zip(row) {
            *to = at_least(floor, x);
        }
    }
}
