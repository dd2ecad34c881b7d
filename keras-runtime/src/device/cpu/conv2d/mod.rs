//! Convolutions of images: direct, without a copy of the windows.
//!
//! Images are shared out over the threads. The gradient of the kernel is summed in a number of
//! parts that does not depend on the threads, and so neither does the result.

mod packed_weights;
mod panels;
mod patches;
mod tiles;
mod weights;

#[cfg(test)]
mod tests;

use std::ops::Range;

use super::threads::{over_rows, over_slice};
use crate::device::{Conv2dGeometry, Float};

/// See [`Convolutions::conv2d`](crate::device::Convolutions::conv2d).
#[allow(clippy::too_many_arguments)]
pub fn forward<F: Float>(
    g: &Conv2dGeometry,
    batch: usize,
    x: &[F],
    kernel: &[F],
    bias: Option<&[F]>,
    relu: bool,
    y: &mut [F],
    scratch: &mut [F],
) {
    let used = panels::pack(g, kernel, bias, scratch);
    let panels = &scratch[..used];
    let (input, output) = (g.input_size(), g.output_size());
    over_slice(
        batch,
        1,
        batch * g.operations(),
        y,
        output,
        &|images: Range<usize>, y: &mut [F]| {
            let x = &x[images.start * input..images.end * input];
            tiles::outputs(g, x, panels, relu, y);
        },
    );
}

/// The gradients of one convolution; what nobody needs is `None`.
pub struct Gradients<'a, F> {
    /// (depth, filters)
    pub kernel: Option<&'a mut [F]>,
    /// (filters,)
    pub bias: Option<&'a mut [F]>,
    /// As x.
    pub input: Option<&'a mut [F]>,
}

/// See [`Convolutions::conv2d_gradient`](crate::device::Convolutions::conv2d_gradient).
#[allow(clippy::too_many_arguments)]
pub fn gradient<F: Float>(
    g: &Conv2dGeometry,
    batch: usize,
    x: &[F],
    kernel: &[F],
    relu: Option<&[F]>,
    dy: &mut [F],
    gradients: Gradients<'_, F>,
    scratch: &mut [F],
) {
    let used = match gradients.input {
        Some(_) => panels::pack_reversed(g, kernel, scratch),
        None => 0,
    };
    let (panels, sums) = scratch.split_at_mut(used);
    let panels = &*panels;
    let parts = g.parts(batch);
    let sums = &mut sums[..parts * (g.depth() + 1) * g.filters];
    let operations = batch * g.operations();
    let wants = (gradients.kernel.is_some(), gradients.bias.is_some());
    let products = usize::from(wants.0) + usize::from(gradients.input.is_some());
    // The first image of a part.
    let first = |part: usize| part * batch / parts;
    over_rows(
        parts,
        1,
        operations * products,
        Share {
            part: 0,
            dy,
            dx: gradients.input,
            sums: &mut *sums,
        },
        &|share, parts| {
            let images = first(share.part + parts) - first(share.part);
            share.split(g, images, parts)
        },
        &|parts, mut share| {
            for part in parts {
                let images = first(part)..first(part + 1);
                let (mut part, rest) = share.split(g, images.len(), 1);
                share = rest;
                let x = &x[images.start * g.input_size()..images.end * g.input_size()];
                let outputs = images.start * g.output_size()..images.end * g.output_size();
                part.compute(g, x, relu.map(|y| &y[outputs]), panels, wants);
            }
        },
    );
    let rows = g.depth() * g.filters;
    if let Some(kernel) = gradients.kernel {
        add_up(sums, rows + g.filters, 0, kernel);
    }
    if let Some(bias) = gradients.bias {
        add_up(sums, rows + g.filters, rows, bias);
    }
}

/// `total = Σ part[at..]`, part after part.
fn add_up<F: Float>(parts: &[F], part: usize, at: usize, total: &mut [F]) {
    total.fill(F::zero());
    for part in parts.chunks_exact(part) {
        for (total, &value) in total.iter_mut().zip(&part[at..]) {
            *total += value;
        }
    }
}

/// Some images of a backward pass, with the sums over them.
struct Share<'a, F> {
    /// The number of the first part.
    part: usize,
    dy: &'a mut [F],
    dx: Option<&'a mut [F]>,
    /// A gradient (depth + 1, filters) for each part: of the kernel, and in the last row of the
    /// bias.
    sums: &'a mut [F],
}

impl<F: Float> Share<'_, F> {
    /// The first `images` images in `parts` parts, and the rest.
    fn split(self, g: &Conv2dGeometry, images: usize, parts: usize) -> (Self, Self) {
        let (dy, more_dy) = self.dy.split_at_mut(images * g.output_size());
        let (dx, more_dx) = match self.dx {
            Some(dx) => {
                let (dx, more_dx) = dx.split_at_mut(images * g.input_size());
                (Some(dx), Some(more_dx))
            }
            None => (None, None),
        };
        let part = (g.depth() + 1) * g.filters;
        let (sums, more_sums) = self.sums.split_at_mut(parts * part);
        let more = Share {
            part: self.part + parts,
            dy: more_dy,
            dx: more_dx,
            sums: more_sums,
        };
        let first = Share {
            part: self.part,
            dy,
            dx,
            sums,
        };
        (first, more)
    }

    /// All gradients of a few images at a time, while these are in the cache.
    fn compute(
        &mut self,
        g: &Conv2dGeometry,
        x: &[F],
        relu: Option<&[F]>,
        panels: &[F],
        (wants_kernel, wants_bias): (bool, bool),
    ) {
        self.sums.fill(F::zero());
        let (dw, db) = self.sums.split_at_mut(g.depth() * g.filters);
        let (input, output) = (g.input_size(), g.output_size());
        let images = x.len() / input.max(1);
        let together = (tiles::CACHED / (input + output).max(1)).max(1);
        for first in (0..images).step_by(together) {
            let chunk = first..images.min(first + together);
            let x = &x[chunk.start * input..chunk.end * input];
            let outputs = chunk.start * output..chunk.end * output;
            let dy = &mut self.dy[outputs.clone()];
            weights::relu_and_bias(
                relu.map(|y| &y[outputs]),
                dy,
                wants_bias.then_some(&mut *db),
                g.filters,
            );
            if wants_kernel {
                weights::weights(g, x, dy, dw);
            }
            if let Some(dx) = &mut self.dx {
                let dx = &mut dx[chunk.start * input..chunk.end * input];
                tiles::inputs(g, dy, panels, dx);
            }
        }
    }
}
