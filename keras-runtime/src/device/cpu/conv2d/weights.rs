//! `dw[tap, column] = Σ x[tap of the pixel's window] · dy[pixel, column]` over all pixels, in
//! tiles of taps and columns that stay in registers.

use super::super::simd::{Arith, dispatch};
use super::super::unroll::unroll;
use super::packed_weights::packed_weights;
use super::panels::columns;
use super::patches::{Patch, Way, patches};
use crate::device::{Conv2dGeometry, Float};

/// Filters of a group from which packing pays.
const MANY_FILTERS: usize = 96;

/// Adds the gradient of the kernel (depth, filters) over some images.
pub fn weights<F: Float>(g: &Conv2dGeometry, x: &[F], dy: &[F], dw: &mut [F]) {
    if g.group_filters() < MANY_FILTERS {
        weights_in_place(g, x, dy, dw);
    } else {
        packed_weights(g, x, dy, dw);
    }
}

dispatch! {
    fn weights_in_place<F: Float>(
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
    ) = relu_and_bias_body
}

#[inline(always)]
pub(super) fn weights_body<F: Float, A: Arith, const R: usize, const W: usize, const H: usize>(
    g: &Conv2dGeometry,
    x: &[F],
    dy: &[F],
    dw: &mut [F],
) {
    let (channels, filters) = (g.group_channels(), g.group_filters());
    for group in 0..g.groups {
        for mut patch in patches(g, Way::Forward) {
            patch.from += group * channels;
            patch.to += group * filters;
            let mut kernel_rows = KernelRows::new(&patch);
            while let Some(rows) = kernel_rows.next::<R>() {
                for panel in columns(filters, W, H) {
                    let patch = Patch {
                        to: patch.to + panel.start,
                        ..patch
                    };
                    let place = Place {
                        column: group * filters + panel.start,
                        columns: panel.count,
                        width: g.filters,
                    };
                    let sizes = (g.input_size(), g.output_size());
                    if panel.width == W {
                        tile::<F, A, R, W>(&patch, x, dy, sizes, &rows, place, dw);
                    } else {
                        tile::<F, A, R, H>(&patch, x, dy, sizes, &rows, place, dw);
                    }
                }
            }
        }
    }
}

/// Some rows of the kernel: where they lie in `x`, counted from the first tap, and in the kernel.
#[derive(Clone, Copy)]
pub(super) struct Rows<const R: usize> {
    pub from: [usize; R],
    pub to: [usize; R],
    pub count: usize,
}

/// The rows of the kernel that belong to the taps of a patch.
pub(super) struct KernelRows<'a> {
    patch: &'a Patch,
    at: (usize, usize, usize),
}

impl<'a> KernelRows<'a> {
    #[inline(always)]
    pub fn new(patch: &'a Patch) -> Self {
        let is_empty = patch.taps.1 == 0 || patch.len == 0;
        let first = if is_empty { patch.taps.0 } else { 0 };
        Self {
            patch,
            at: (first, 0, 0),
        }
    }

    /// The next `R` rows. Those that are missing at the end are the first again, to be computed
    /// and thrown away.
    #[inline(always)]
    pub fn next<const R: usize>(&mut self) -> Option<Rows<R>> {
        let patch = self.patch;
        let mut rows = Rows {
            from: [0; R],
            to: [0; R],
            count: 0,
        };
        while rows.count < R && self.at.0 < patch.taps.0 {
            let (i, j, k) = self.at;
            rows.from[rows.count] = i * patch.from_tap.0 + j * patch.from_tap.1 + k;
            rows.to[rows.count] = patch.row + i * patch.row_step.0 + j * patch.row_step.1 + k;
            rows.count += 1;
            self.at = if k + 1 < patch.len {
                (i, j, k + 1)
            } else if j + 1 < patch.taps.1 {
                (i, j + 1, 0)
            } else {
                (i + 1, 0, 0)
            };
        }
        for r in rows.count..R {
            rows.from[r] = rows.from[0];
        }
        (rows.count > 0).then_some(rows)
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn tile<F: Float, A: Arith, const R: usize, const W: usize>(
    patch: &Patch,
    x: &[F],
    dy: &[F],
    sizes: (usize, usize),
    rows: &Rows<R>,
    place: Place,
    dw: &mut [F],
) {
    let mut sums = [[F::zero(); W]; R];
    let mut last = [F::zero(); W];
    let span = (patch.count.1 - 1) * patch.from_step.1 + 1;
    for image in 0..x.len() / sizes.0 {
        for row in 0..patch.count.0 {
            // The values of each row of the kernel in a row of pixels.
            let from = image * sizes.0 + patch.from + row * patch.from_step.0;
            let mut values = [&x[..0]; R];
            unroll!(r < R => { values[r] = &x[from + rows.from[r]..][..span]; });
            let mut to = image * sizes.1 + patch.to + row * patch.to_step.0;
            for at in (0..span).step_by(patch.from_step.1) {
                // Columns beyond those that exist are thrown away, but must not lie beyond the
                // end of the memory.
                let columns = match dy[to..].first_chunk::<W>() {
                    Some(columns) => columns,
                    None => {
                        copy(&dy[to..], &mut last);
                        &last
                    }
                };
                unroll!(r < R => {
                    let value = values[r][at];
                    for c in 0..W {
                        sums[r][c] = A::mul_add(value, columns[c], sums[r][c]);
                    }
                });
                to += patch.to_step.1;
            }
        }
    }
    unroll!(r < R => {
        if r < rows.count {
            let to = rows.to[r] * place.width + place.column;
            add(sums[r], &mut dw[to..][..place.columns]);
        }
    });
}

/// Out of line, and given the row by value: a slice of a tile would keep it out of the registers.
#[inline(never)]
pub(super) fn add<F: Float, const W: usize>(row: [F; W], to: &mut [F]) {
    for (to, value) in to.iter_mut().zip(row) {
        *to += value;
    }
}

#[cold]
#[inline(never)]
fn copy<F: Float>(from: &[F], to: &mut [F]) {
    to[..from.len()].copy_from_slice(from);
}

/// Which columns of the kernel's gradient a tile is of.
#[derive(Clone, Copy)]
struct Place {
    column: usize,
    columns: usize,
    /// The columns of the kernel.
    width: usize,
}

#[inline(always)]
fn relu_and_bias_body<F: Float, A: Arith>(
    y: Option<&[F]>,
    dy: &mut [F],
    db: Option<&mut [F]>,
    filters: usize,
) {
    match (y, db) {
        (Some(y), Some(db)) => {
            let db = &mut db[..filters];
            for (dy, y) in dy.chunks_exact_mut(filters).zip(y.chunks_exact(filters)) {
                for i in 0..filters {
                    let value = if y[i] > F::zero() { dy[i] } else { F::zero() };
                    dy[i] = value;
                    db[i] += value;
                }
            }
        }
        (Some(y), None) => {
            for (dy, &y) in dy.iter_mut().zip(y) {
                *dy = if y > F::zero() { *dy } else { F::zero() };
            }
        }
        (None, Some(db)) => {
            for dy in dy.chunks_exact(filters) {
                for (db, &dy) in db.iter_mut().zip(dy) {
                    *db += dy;
                }
            }
        }
        (None, None) => {}
    }
}
