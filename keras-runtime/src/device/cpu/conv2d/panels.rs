//! The kernel as the tiles read it: in panels of columns, each contiguous.
//!
//! A panel has a row for each number that an output adds up, after a first row of biases. What is
//! missing in its last columns is 0.

use super::super::simd::{Arith, dispatch};
use crate::device::{Conv2dGeometry, Float};

/// The columns of one panel.
#[derive(Clone, Copy)]
pub struct Columns {
    /// The first column.
    pub start: usize,
    /// The columns that exist.
    pub count: usize,
    /// The columns of the panel.
    pub width: usize,
}

/// Cuts `columns` into panels of `wide` columns; the last one has `narrow` if they suffice.
#[inline(always)]
pub fn columns(columns: usize, wide: usize, narrow: usize) -> impl Iterator<Item = Columns> {
    (0..columns).step_by(wide).map(move |start| {
        let count = (columns - start).min(wide);
        let width = if count <= narrow { narrow } else { wide };
        Columns {
            start,
            count,
            width,
        }
    })
}

dispatch! {
    /// The kernel for the outputs, (depth, filters of a group) a group; returns the numbers used.
    pub fn pack<F: Float>(
        g: &Conv2dGeometry,
        kernel: &[F],
        bias: Option<&[F]>,
        panels: &mut [F],
    ) -> usize = pack_body [avx512: 32, 16; avx2: 16, 8; portable: 8, 4]
}

dispatch! {
    /// The kernel for the gradient of the input: its taps in reverse order, (window · filters of a
    /// group, channels of a group) a group; returns the numbers used.
    pub fn pack_reversed<F: Float>(
        g: &Conv2dGeometry,
        kernel: &[F],
        panels: &mut [F],
    ) -> usize = pack_reversed_body [avx512: 32, 16; avx2: 16, 8; portable: 8, 4]
}

#[inline(always)]
pub(super) fn pack_body<F: Float, A: Arith, const W: usize, const H: usize>(
    g: &Conv2dGeometry,
    kernel: &[F],
    bias: Option<&[F]>,
    panels: &mut [F],
) -> usize {
    let mut at = 0;
    for group in 0..g.groups {
        for panel in columns(g.group_filters(), W, H) {
            let first = group * g.group_filters() + panel.start;
            let rows = &mut panels[at..][..(g.depth() + 1) * panel.width];
            at += rows.len();
            let mut rows = rows.chunks_exact_mut(panel.width);
            if let Some(row) = rows.next() {
                row.fill(F::zero());
                if let Some(bias) = bias {
                    row[..panel.count].copy_from_slice(&bias[first..][..panel.count]);
                }
            }
            for (row, from) in rows.zip(kernel.chunks_exact(g.filters)) {
                let (from_kernel, missing) = row.split_at_mut(panel.count);
                from_kernel.copy_from_slice(&from[first..][..panel.count]);
                missing.fill(F::zero());
            }
        }
    }
    at
}

#[inline(always)]
pub(super) fn pack_reversed_body<F: Float, A: Arith, const W: usize, const H: usize>(
    g: &Conv2dGeometry,
    kernel: &[F],
    panels: &mut [F],
) -> usize {
    let (channels, filters) = (g.group_channels(), g.group_filters());
    let mut at = 0;
    for group in 0..g.groups {
        for panel in columns(channels, W, H) {
            let (biases, rows) =
                panels[at..][..(g.window() * filters + 1) * panel.width].split_at_mut(panel.width);
            at += biases.len() + rows.len();
            biases.fill(F::zero());
            let taps = kernel.chunks_exact(channels * g.filters).rev();
            for (rows, tap) in rows.chunks_exact_mut(filters * panel.width).zip(taps) {
                if panel.count < panel.width {
                    rows.fill(F::zero());
                }
                for column in 0..panel.count {
                    let from = &tap[(panel.start + column) * g.filters + group * filters..];
                    let to = rows[column..].iter_mut().step_by(panel.width);
                    for (to, &from) in to.zip(&from[..filters]) {
                        *to = from;
                    }
                }
            }
        }
    }
    at
}
