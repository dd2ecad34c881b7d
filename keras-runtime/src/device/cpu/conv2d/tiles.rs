//! `y[pixel, column] = Σ x[window of the pixel] · panel[.., column]`, in tiles of pixels and
//! columns that stay in registers.
//!
//! A row of a window is contiguous in memory, so this is a matrix product whose rows overlap.

use super::super::simd::{Arith, dispatch};
use super::super::unroll::unroll;
use super::panels::{Columns, columns};
use super::patches::{Patch, Pixels, Way, patches};
use crate::device::{Conv2dGeometry, Float};

/// What is read and written before the next images come, in numbers: it stays in the second-level
/// cache, and has enough of the smallest patches to fill tiles.
pub const CACHED: usize = 1 << 17;

/// The outputs of some images, from panels of the kernel.
pub fn outputs<F: Float>(g: &Conv2dGeometry, x: &[F], panels: &[F], relu: bool, y: &mut [F]) {
    images(g, Way::Forward, x, panels, relu, y);
}

/// The gradients of some images, from those of the outputs and panels of the reversed kernel.
pub fn inputs<F: Float>(g: &Conv2dGeometry, dy: &[F], panels: &[F], dx: &mut [F]) {
    images(g, Way::Backward, dy, panels, false, dx);
}

dispatch! {
    fn images<F: Float>(
        g: &Conv2dGeometry,
        way: Way,
        x: &[F],
        panels: &[F],
        relu: bool,
        y: &mut [F],
    ) = images_body [avx512: 12, 32, 16; avx2: 6, 16, 8; portable: 4, 8, 4]
}

#[inline(always)]
pub(super) fn images_body<F: Float, A: Arith, const R: usize, const W: usize, const H: usize>(
    g: &Conv2dGeometry,
    way: Way,
    x: &[F],
    panels: &[F],
    relu: bool,
    y: &mut [F],
) {
    let (input, output) = (g.input_size(), g.output_size());
    let (channels, filters) = (g.group_channels(), g.group_filters());
    // Of an image read and of one written; the numbers of a pixel in a group; the rows of a panel.
    let (sizes, counts, rows) = match way {
        Way::Forward => ((input, output), (channels, filters), g.depth() + 1),
        Way::Backward => (
            (output, input),
            (filters, channels),
            g.window() * filters + 1,
        ),
    };
    let together = (CACHED / (sizes.0 + sizes.1)).max(1);
    let chunks = x.chunks(together * sizes.0);
    for (x, y) in chunks.zip(y.chunks_mut(together * sizes.1)) {
        let mut rest = panels;
        let mut group = 0;
        while !rest.is_empty() {
            for panel in columns(counts.1, W, H) {
                let (rows, others) = rest.split_at(rows * panel.width);
                rest = others;
                for mut patch in patches(g, way) {
                    patch.from += group * counts.0;
                    patch.to += group * counts.1 + panel.start;
                    if panel.width == W {
                        pixels::<F, A, R, W>(&patch, x, sizes, rows, panel, relu, y);
                    } else {
                        pixels::<F, A, R, H>(&patch, x, sizes, rows, panel, relu, y);
                    }
                }
            }
            group += 1;
        }
    }
}

/// The columns of one panel of the pixels of one patch.
#[inline(always)]
fn pixels<F: Float, A: Arith, const R: usize, const W: usize>(
    patch: &Patch,
    x: &[F],
    sizes: (usize, usize),
    panel: &[F],
    columns: Columns,
    relu: bool,
    y: &mut [F],
) {
    let (panel, _) = panel.as_chunks::<W>();
    let count = x.len() / sizes.0 * patch.count.0 * patch.count.1;
    let mut pixels = Pixels::new(patch, sizes);
    let floor = if relu { F::zero() } else { F::neg_infinity() };
    for first in (0..count).step_by(R) {
        // Past the end the last pixel is computed again.
        let (mut from, mut to) = ([0; R], [0; R]);
        for r in 0..R {
            (from[r], to[r]) = (pixels.from, pixels.to);
            if first + r + 1 < count {
                pixels.advance();
            }
        }
        let mut tile = tile::<F, A, R, W>(patch, x, &from, panel);
        unroll!(r < R => {
            for value in &mut tile[r] {
                *value = if *value > floor { *value } else { floor };
            }
        });
        unroll!(r < R => {
            let y = &mut y[to[r]..][..columns.count];
            match y.first_chunk_mut::<W>() {
                Some(y) => *y = tile[r],
                None => store(tile[r], y),
            }
        });
    }
}

#[inline(always)]
fn tile<F: Float, A: Arith, const R: usize, const W: usize>(
    patch: &Patch,
    x: &[F],
    from: &[usize; R],
    panel: &[[F; W]],
) -> [[F; W]; R] {
    let (bias, panel) = (&panel[0], &panel[1..]);
    let mut sums = [*bias; R];
    for i in 0..patch.taps.0 {
        for j in 0..patch.taps.1 {
            let offset = i * patch.from_tap.0 + j * patch.from_tap.1;
            let row = patch.row + i * patch.row_step.0 + j * patch.row_step.1;
            let mut windows = [&x[..0]; R];
            unroll!(r < R => { windows[r] = &x[from[r] + offset..][..patch.len]; });
            let panel = &panel[row..][..patch.len];
            for k in 0..patch.len {
                unroll!(r < R => {
                    let value = windows[r][k];
                    for c in 0..W {
                        sums[r][c] = A::mul_add(value, panel[k][c], sums[r][c]);
                    }
                });
            }
        }
    }
    sums
}

/// Out of line, and given the row by value: a slice of a tile would keep it out of the registers.
#[inline(never)]
fn store<F: Float, const W: usize>(row: [F; W], to: &mut [F]) {
    to.copy_from_slice(&row[..to.len()]);
}
