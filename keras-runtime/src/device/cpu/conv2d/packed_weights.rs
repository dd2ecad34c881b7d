//! The gradient of a kernel with many filters, as a matrix product over some pixels at a time.
//!
//! What a tile reads of a pixel lies as far apart as there are channels or filters: if these are many, it
//! does not stay in the cache from one tile to the next. Here `dy` is packed once for all tiles, and x
//! once for all tiles of some rows of the kernel.

use super::super::matmul::tile_of_panels;
use super::super::simd::{Arith, dispatch};
use super::super::unroll::unroll;
use super::panels::columns;
use super::patches::{Patch, Pixels, Way, patches};
use super::weights::{KernelRows, Rows, add};
use crate::device::{Conv2dGeometry, Float};

/// The pixels that are packed together: what tiles read of them stays in the second-level cache.
const PIXELS: usize = 256;

/// At least as many as any tile has rows and columns.
const TILE: usize = 32;

/// Adds the gradient of the kernel (depth, filters) over some images.
pub fn packed_weights<F: Float>(g: &Conv2dGeometry, x: &[F], dy: &[F], dw: &mut [F]) {
    let columns = g.group_filters().next_multiple_of(TILE);
    F::with_scratch(PIXELS * (TILE + columns), |memory| {
        let (left, right) = memory.split_at_mut(PIXELS * TILE);
        add_products(g, x, dy, dw, left, right);
    });
}

dispatch! {
    fn add_products<F: Float>(
        g: &Conv2dGeometry,
        x: &[F],
        dy: &[F],
        dw: &mut [F],
        left: &mut [F],
        right: &mut [F],
    ) = add_products_body [avx512: 12, 32, 16; avx2: 6, 16, 8; portable: 4, 8, 4]
}

#[inline(always)]
pub(super) fn add_products_body<
    F: Float,
    A: Arith,
    const R: usize,
    const W: usize,
    const H: usize,
>(
    g: &Conv2dGeometry,
    x: &[F],
    dy: &[F],
    dw: &mut [F],
    left: &mut [F],
    right: &mut [F],
) {
    let (channels, filters) = (g.group_channels(), g.group_filters());
    let sizes = (g.input_size(), g.output_size());
    for group in 0..g.groups {
        for mut patch in patches(g, Way::Forward) {
            patch.from += group * channels;
            patch.to += group * filters;
            let count = x.len() / sizes.0 * patch.count.0 * patch.count.1;
            let mut pixels = Pixels::new(&patch, sizes);
            for first in (0..count).step_by(PIXELS) {
                let mut from = [0; PIXELS];
                let from = &mut from[..PIXELS.min(count - first)];
                for (p, from) in from.iter_mut().enumerate() {
                    *from = pixels.from;
                    pack_dy::<F, W, H>(&dy[pixels.to..][..filters], p, PIXELS, right);
                    if first + p + 1 < count {
                        pixels.advance();
                    }
                }
                let place = (group * filters, g.filters);
                rows_of_kernel::<F, A, R, W, H>(&patch, x, from, filters, place, left, right, dw);
            }
        }
    }
}

/// Pixel `p` of each panel.
#[inline(always)]
fn pack_dy<F: Float, const W: usize, const H: usize>(
    dy: &[F],
    p: usize,
    pixels: usize,
    panels: &mut [F],
) {
    for panel in columns(dy.len(), W, H) {
        let from = &dy[panel.start..][..panel.count];
        let to = &mut panels[panel.start * pixels + p * panel.width..][..panel.width];
        match (from.first_chunk::<W>(), to.first_chunk_mut::<W>()) {
            (Some(from), Some(to)) => *to = *from,
            _ => {
                to.fill(F::zero());
                to[..from.len()].copy_from_slice(from);
            }
        }
    }
}

/// The products of all rows of the kernel that belong to a patch, over some pixels.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn rows_of_kernel<F: Float, A: Arith, const R: usize, const W: usize, const H: usize>(
    patch: &Patch,
    x: &[F],
    from: &[usize],
    filters: usize,
    (column, width): (usize, usize),
    left: &mut [F],
    right: &[F],
    dw: &mut [F],
) {
    let mut kernel_rows = KernelRows::new(patch);
    let left = &mut left.as_chunks_mut::<R>().0[..from.len()];
    while let Some(rows) = kernel_rows.next::<R>() {
        pack_x(x, from, &rows, left);
        for panel in columns(filters, W, H) {
            let right = &right[panel.start * PIXELS..][..from.len() * panel.width];
            let column = column + panel.start;
            if panel.width == W {
                let right = right.as_chunks::<W>().0;
                tile::<F, A, R, W>(left, right, &rows, [column, panel.count, width], dw);
            } else {
                let right = right.as_chunks::<H>().0;
                tile::<F, A, R, H>(left, right, &rows, [column, panel.count, width], dw);
            }
        }
    }
}

/// What some rows of the kernel see of each pixel.
#[inline(always)]
fn pack_x<F: Float, const R: usize>(x: &[F], from: &[usize], rows: &Rows<R>, left: &mut [[F; R]]) {
    let first = rows.from[0];
    let lie_together = rows.from[R - 1] == first + R - 1 && rows.count == R;
    for (to, from) in left.iter_mut().zip(from) {
        if lie_together {
            to.copy_from_slice(&x[from + first..][..R]);
        } else {
            for r in 0..R {
                to[r] = x[from + rows.from[r]];
            }
        }
    }
}

#[inline(always)]
fn tile<F: Float, A: Arith, const R: usize, const W: usize>(
    left: &[[F; R]],
    right: &[[F; W]],
    rows: &Rows<R>,
    [column, columns, width]: [usize; 3],
    dw: &mut [F],
) {
    let sums = tile_of_panels::<F, A, R, R, W>(left, right, [[F::zero(); W]; R]);
    unroll!(r < R => {
        if r < rows.count {
            add(sums[r], &mut dw[rows.to[r] * width + column..][..columns]);
        }
    });
}
