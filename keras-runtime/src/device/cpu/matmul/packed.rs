//! Large products: both sides are packed, in the order in which tiles read them.
//!
//! A thread computes some columns of C, or some rows where there are many, and packs what it needs of
//! A and B by itself: no thread waits for another one.

use super::super::simd::{Arith, dispatch};
use super::super::threads::{over_rows, over_slice};
use super::panels::{self, Source, Widths, width_of};
use super::product::{Epilogue, Heights};
use super::store::Frame;
use super::tile::{Left, tile_of_panels};
use crate::device::Float;

/// The most rows of B that are worked on together.
const DEPTH: usize = 272;

/// The most rows of A that are worked on together: whole tiles of every height.
const ROWS: usize = 144;

/// The height of the last tile where so few rows are left: the least that keeps the multipliers busy.
const LOW: usize = 4;

/// The most columns of B that are kept packed, for several times as many rows of A.
const COLUMNS: usize = 2048;

/// Where the columns of C may be cut between threads.
const COLUMN_STEP: usize = 16;

/// Numbers that a panel may have beyond the columns of B.
const BEYOND: usize = 32;

/// Writes C (rows, columns of B).
pub fn product<F: Float>(
    left: Left<'_, F>,
    right: Source<'_, F>,
    rows: usize,
    epilogue: Epilogue<'_, F>,
    c: &mut [F],
) {
    let Source { depth, columns, .. } = right;
    let operations = rows * columns * depth;
    if rows <= ROWS {
        return over_rows(
            columns,
            COLUMN_STEP,
            operations,
            slices(c.chunks_exact_mut(columns)),
            &|rows, at| split(rows, at),
            &|part, mut c: RowSlices<'_, F>| {
                let product = Product {
                    left,
                    right: right.part(0, depth, part.start, part.len()),
                    rows,
                    epilogue: epilogue.from(part.start),
                };
                product.of_columns(&mut c[..rows]);
            },
        );
    }
    over_slice(
        rows,
        Heights::of::<F>(),
        operations,
        c,
        columns,
        &|part, c| {
            let product = Product {
                left: left.rows_from(part.start),
                right,
                rows: part.len(),
                epilogue,
            };
            product.of_rows(c);
        },
    );
}

/// Slices of the rows of C.
type RowSlices<'a, F> = [&'a mut [F]; ROWS];

/// As many slices as there are.
fn slices<'a, F>(mut rows: impl Iterator<Item = &'a mut [F]>) -> RowSlices<'a, F> {
    std::array::from_fn(|_| rows.next().unwrap_or_default())
}

/// The first columns and the others.
fn split<F>(rows: RowSlices<'_, F>, at: usize) -> (RowSlices<'_, F>, RowSlices<'_, F>) {
    let mut more: RowSlices<'_, F> = slices(std::iter::empty());
    let mut others = more.iter_mut();
    let first = rows.map(|row| {
        let (first, other) = row.split_at_mut(at.min(row.len()));
        if let Some(to) = others.next() {
            *to = other;
        }
        first
    });
    (first, more)
}

/// What one thread computes.
struct Product<'a, F> {
    left: Left<'a, F>,
    right: Source<'a, F>,
    rows: usize,
    epilogue: Epilogue<'a, F>,
}

impl<F: Float> Product<'_, F> {
    /// Few rows: a panel of B is packed, used and forgotten.
    fn of_columns(&self, c: &mut [&mut [F]]) {
        let columns = self.right.columns;
        self.over_depth([0, columns], [self.rows, BEYOND], |block, left, right| {
            block.multiply(left, right, &mut *c);
        });
    }

    /// Many rows, some at a time.
    fn of_rows(&self, c: &mut [F]) {
        let Source { columns, .. } = self.right;
        let blocks = self.rows.div_ceil(ROWS);
        let height = self.rows.div_ceil(blocks);
        let height = height.next_multiple_of(Heights::of::<F>());
        for first in (0..columns).step_by(COLUMNS) {
            let wide = COLUMNS.min(columns - first);
            self.over_depth(
                [first, wide],
                [height, wide + BEYOND],
                |block, left, right| {
                    for (at, c) in c.chunks_mut(height * columns).enumerate() {
                        let rows = c.len() / columns;
                        let block = Block {
                            left: block.left.rows_from(at * height),
                            rows,
                            packs: at == 0,
                            keeps: true,
                            ..block
                        };
                        let c = c.chunks_exact_mut(columns);
                        let mut c = slices(c.map(|row| &mut row[first..first + wide]));
                        block.multiply(left, right, &mut c[..rows]);
                    }
                },
            );
        }
    }

    /// Calls `run` with each part of the depth, all about as deep, of some columns, and with memory for
    /// so many rows of A and columns of B.
    fn over_depth(
        &self,
        [first, columns]: [usize; 2],
        [rows, packed]: [usize; 2],
        mut run: impl FnMut(Block<'_, F>, &mut [F], &mut [F]),
    ) {
        let depth = self.right.depth;
        let deep = depth.div_ceil(depth.div_ceil(DEPTH).max(1)).max(1);
        let rows = rows.next_multiple_of(Heights::of::<F>());
        F::with_scratch((rows + packed) * deep, |memory| {
            let (left, right) = memory.split_at_mut(rows * deep);
            for at in (0..depth.max(1)).step_by(deep) {
                let deep = deep.min(depth - at);
                let block = Block {
                    left: self.left.from(at),
                    right: self.right.part(at, deep, first, columns),
                    rows: self.rows,
                    frame: Frame::new(
                        self.epilogue.from(first),
                        columns,
                        at == 0,
                        at + deep == depth,
                    ),
                    packs: true,
                    keeps: false,
                };
                run(block, left, right);
            }
        });
    }
}

/// Rows and columns of C that are computed over a part of the depth.
#[derive(Clone, Copy)]
struct Block<'a, F> {
    left: Left<'a, F>,
    right: Source<'a, F>,
    rows: usize,
    frame: Frame<'a, F>,
    /// Whether B is to be packed, or is so from the rows before.
    packs: bool,
    /// Whether all panels of B are kept, or one at a time.
    keeps: bool,
}

impl<F: Float> Block<'_, F> {
    /// Computes the block, with memory to pack its parts of A and B.
    fn multiply(&self, left_panels: &mut [F], right_panels: &mut [F], c: &mut [&mut [F]]) {
        let Source { depth, columns, .. } = self.right;
        pack_left(self.left, self.rows, depth, left_panels);
        let widths = Widths::of::<F>();
        let mut column = 0;
        while column < columns {
            let left = columns - column;
            let wide = width_of(widths, left);
            let at = if self.keeps { column * depth } else { 0 };
            let panel = &mut right_panels[at..][..depth * wide];
            if self.packs {
                let part = self.right.part(0, depth, column, wide.min(left));
                panels::pack(part, panel);
            }
            tiles(self, left_panels, panel, column, c);
            column += wide;
        }
    }
}

dispatch! {
    /// The tiles of one panel of B, whose first column has a number.
    fn tiles<F: Float>(
        block: &Block<'_, F>,
        left_panels: &[F],
        panel: &[F],
        column: usize,
        c: &mut [&mut [F]],
    ) = tiles_body
        [
            avx512: Heights::AVX512, Widths::AVX512[0], Widths::AVX512[1], Widths::AVX512[2];
            avx2: Heights::AVX2, Widths::AVX2[0], Widths::AVX2[1], Widths::AVX2[2];
            portable: Heights::PORTABLE, Widths::PORTABLE[0], Widths::PORTABLE[1], Widths::PORTABLE[2]
        ]
}

#[inline(always)]
fn tiles_body<
    F: Float,
    A: Arith,
    const R: usize,
    const W: usize,
    const W2: usize,
    const W3: usize,
>(
    block: &Block<'_, F>,
    left_panels: &[F],
    panel: &[F],
    column: usize,
    c: &mut [&mut [F]],
) {
    let wide = width_of([W, W2, W3], block.right.columns - column);
    if wide == W {
        column_of_tiles::<F, A, R, W>(block, left_panels, panel, column, c);
    } else if wide == W2 {
        column_of_tiles::<F, A, R, W2>(block, left_panels, panel, column, c);
    } else {
        column_of_tiles::<F, A, R, W3>(block, left_panels, panel, column, c);
    }
}

dispatch! {
    /// Packs some rows of A: for each tile its R rows side by side. What is missing in the last one is
    /// whatever was there.
    fn pack_left<F: Float>(left: Left<'_, F>, rows: usize, depth: usize, panels: &mut [F]) =
        pack_left_body
            [avx512: Heights::AVX512; avx2: Heights::AVX2; portable: Heights::PORTABLE]
}

#[inline(always)]
fn pack_left_body<F: Float, A: Arith, const R: usize>(
    left: Left<'_, F>,
    rows: usize,
    depth: usize,
    panels: &mut [F],
) {
    let tiles = panels
        .chunks_exact_mut((depth * R).max(1))
        .take(rows.div_ceil(R));
    for (tile, to) in tiles.enumerate() {
        let (to, _) = to.as_chunks_mut::<R>();
        let count = (rows - tile * R).min(R);
        let from = &left.data[tile * R * left.row..];
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

#[inline(always)]
fn column_of_tiles<F: Float, A: Arith, const R: usize, const W: usize>(
    block: &Block<'_, F>,
    left_panels: &[F],
    panel: &[F],
    column: usize,
    c: &mut [&mut [F]],
) {
    let depth = block.right.depth;
    let (right, _) = panel[..depth * W].as_chunks::<W>();
    let (left, _) = left_panels.as_chunks::<R>();
    for (tile, c) in c.chunks_mut(R).enumerate() {
        let left = &left[tile * depth..][..depth];
        if R > LOW && c.len() <= LOW {
            one_tile::<F, A, R, LOW, W>(block, left, right, column, c);
        } else {
            one_tile::<F, A, R, R, W>(block, left, right, column, c);
        }
    }
}

/// Writes at most R rows of W numbers of C, from a panel of P rows of A.
#[inline(always)]
fn one_tile<F: Float, A: Arith, const P: usize, const R: usize, const W: usize>(
    block: &Block<'_, F>,
    left: &[[F; P]],
    right: &[[F; W]],
    column: usize,
    c: &mut [&mut [F]],
) {
    let acc = block.frame.begin::<R, W, _>(c.len(), column, &*c);
    let acc = tile_of_panels::<F, A, P, R, W>(left, right, acc);
    block.frame.store(c.len(), column, acc, c);
}
