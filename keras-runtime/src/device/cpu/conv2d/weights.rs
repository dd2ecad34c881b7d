//! `dw[tap, column] = Σ x[tap of the pixel's window] · dy[pixel, column]` over all pixels, in
//! tiles of taps and columns that stay in registers.

use super::super::simd::{Arith, dispatch};
use super::super::unroll::unroll;
use super::panels::columns;
use super::patches::{Patch, Pixels, output_patches};
use crate::device::{Conv2dGeometry, Float};

dispatch! {
    /// Adds the gradient of the kernel (depth, filters) over some images.
    pub fn weights<F: Float>(
        g: &Conv2dGeometry,
        x: &[F],
        dy: &[F],
        dw: &mut [F],
    ) = weights_body [avx512: 12, 32, 16; avx2: 6, 16, 8; portable: 4, 8, 4]
}

dispatch! {
    /// Takes `dy` (pixels, filters) through a relu whose output was `y`, and adds its sums over the
    /// pixels to `db`.
    pub fn relu_and_bias<F: Float>(
        y: Option<&[F]>,
        dy: &mut [F],
        db: Option<&mut [F]>,
        filters: usize,
    ) = relu_and_bias_body [avx512: 32; avx2: 32; portable: 8]
}

#[inline(always)]
fn weights_body<F: Float, A: Arith, const R: usize, const W: usize, const H: usize>(
    g: &Conv2dGeometry,
    x: &[F],
    dy: &[F],
    dw: &mut [F],
) {
    let (channels, filters) = (g.group_channels(), g.group_filters());
    for group in 0..g.groups {
        for mut patch in output_patches(g) {
            patch.from += group * channels;
            patch.to += group * filters;
            let mut kernel_rows = KernelRows::new(&patch);
            while let Some(rows) = kernel_rows.next::<R>() {
                for panel in columns(filters, W, H) {
                    let patch = Patch {
                        to: patch.to + panel.start,
                        ..patch
                    };
                    let places = Places {
                        rows,
                        column: group * filters + panel.start,
                        columns: panel.count,
                        width: g.filters,
                    };
                    let sizes = (g.input_size(), g.output_size());
                    if panel.width == W {
                        let tile = tile::<F, A, R, W>(&patch, x, dy, sizes, &rows);
                        places.add(tile, dw);
                    } else {
                        let tile = tile::<F, A, R, H>(&patch, x, dy, sizes, &rows);
                        places.add(tile, dw);
                    }
                }
            }
        }
    }
}

/// Some rows of the kernel: where they lie in `x`, counted from the first tap, and in the kernel.
#[derive(Clone, Copy)]
struct Rows<const R: usize> {
    from: [usize; R],
    to: [usize; R],
    count: usize,
    /// The rows lie together in `x`.
    together: bool,
}

/// The rows of the kernel that belong to the taps of a patch.
struct KernelRows<'a> {
    patch: &'a Patch,
    at: (usize, usize, usize),
}

impl<'a> KernelRows<'a> {
    #[inline(always)]
    fn new(patch: &'a Patch) -> Self {
        let is_empty = patch.taps.1 == 0 || patch.len == 0;
        Self {
            patch,
            at: (if is_empty { patch.taps.0 } else { 0 }, 0, 0),
        }
    }

    /// The next `R` rows: within a piece that lies together in `x` if that fills a tile, across
    /// pieces otherwise.
    #[inline(always)]
    fn next<const R: usize>(&mut self) -> Option<Rows<R>> {
        let patch = self.patch;
        let mut rows = Rows {
            from: [0; R],
            to: [0; R],
            count: 0,
            together: patch.len >= R,
        };
        while rows.count < R && self.at.0 < patch.taps.0 {
            let (i, j, k) = self.at;
            rows.from[rows.count] = i * patch.from_tap.0 + j * patch.from_tap.1 + k;
            rows.to[rows.count] = patch.row + i * patch.row_step.0 + j * patch.row_step.1 + k;
            rows.count += 1;
            self.at.2 += 1;
            if self.at.2 == patch.len {
                self.at = if j + 1 < patch.taps.1 {
                    (i, j + 1, 0)
                } else {
                    (i + 1, 0, 0)
                };
                if rows.together {
                    break;
                }
            }
        }
        // The rows that are missing are computed from the first and thrown away.
        for r in rows.count..R {
            rows.from[r] = rows.from[0];
        }
        (rows.count > 0).then_some(rows)
    }
}

#[inline(always)]
fn tile<F: Float, A: Arith, const R: usize, const W: usize>(
    patch: &Patch,
    x: &[F],
    dy: &[F],
    sizes: (usize, usize),
    rows: &Rows<R>,
) -> [[F; W]; R] {
    let mut sums = [[F::zero(); W]; R];
    let count = x.len() / sizes.0 * patch.count.0 * patch.count.1;
    let mut pixels = Pixels::new(patch, sizes);
    for _ in 0..count {
        let mut values = [F::zero(); R];
        if rows.together {
            values = read(x, pixels.from + rows.from[0]);
        } else {
            unroll!(r < R => { values[r] = x[pixels.from + rows.from[r]]; });
        }
        let columns: [F; W] = read(dy, pixels.to);
        unroll!(r < R => {
            for c in 0..W {
                sums[r][c] = A::mul_add(values[r], columns[c], sums[r][c]);
            }
        });
        pixels.advance();
    }
    sums
}

/// `N` numbers from `at` on. What a tile has too many of is thrown away: it may be anything, but
/// must not lie beyond the end.
#[inline(always)]
fn read<F: Float, const N: usize>(from: &[F], at: usize) -> [F; N] {
    match from[at..].first_chunk::<N>() {
        Some(values) => *values,
        None => read_last(&from[at..]),
    }
}

#[cold]
#[inline(never)]
fn read_last<F: Float, const N: usize>(from: &[F]) -> [F; N] {
    let mut values = [F::zero(); N];
    values[..from.len()].copy_from_slice(from);
    values
}

/// Where a tile goes in the gradient of the kernel.
struct Places<const R: usize> {
    rows: Rows<R>,
    column: usize,
    columns: usize,
    width: usize,
}

impl<const R: usize> Places<R> {
    /// Out of line, and given the tile by value: a slice of it would keep it out of the registers.
    #[inline(never)]
    fn add<F: Float, const W: usize>(&self, tile: [[F; W]; R], dw: &mut [F]) {
        for (row, &to) in tile.iter().zip(&self.rows.to[..self.rows.count]) {
            let dw = &mut dw[to * self.width + self.column..][..self.columns];
            for (dw, &value) in dw.iter_mut().zip(row) {
                *dw += value;
            }
        }
    }
}

#[inline(always)]
fn relu_and_bias_body<F: Float, A: Arith, const W: usize>(
    y: Option<&[F]>,
    dy: &mut [F],
    db: Option<&mut [F]>,
    filters: usize,
) {
    if let Some(y) = y {
        for (dy, &y) in dy.iter_mut().zip(y) {
            *dy = if y > F::zero() { *dy } else { F::zero() };
        }
    }
    let Some(db) = db else { return };
    let whole = filters / W * W;
    for column in (0..whole).step_by(W) {
        let mut sums = [F::zero(); W];
        for row in dy.chunks_exact(filters) {
            for (sum, &dy) in sums.iter_mut().zip(&row[column..column + W]) {
                *sum += dy;
            }
        }
        for (db, sum) in db[column..].iter_mut().zip(sums) {
            *db += sum;
        }
    }
    for row in dy.chunks_exact(filters) {
        for (db, &dy) in db[whole..].iter_mut().zip(&row[whole..]) {
            *db += dy;
        }
    }
}
