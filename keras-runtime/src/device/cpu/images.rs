//! Bilinear interpolation of images.

use super::threads::over_slice;
use crate::device::Resize;
use crate::device::float::Float;

/// The two pixels of an axis that a pixel of the output lies between.
#[derive(Clone, Copy)]
struct Between<F> {
    /// Where they are, with their weights, which add up to one.
    pixels: [(usize, F); 2],
}

impl<F: Float> Between<F> {
    /// Pixel `at` of `output`, on an axis whose window begins at `start` and has `input` pixels.
    #[inline(always)]
    fn new(at: usize, output: usize, start: usize, input: usize) -> Self {
        let centre = (at as f64 + 0.5) * input as f64 / output as f64 - 0.5;
        let centre = centre.clamp(0.0, (input - 1) as f64);
        let first = centre as usize;
        let second = (first + 1).min(input - 1);
        let weight = F::from_f64(centre - first as f64);
        Self {
            pixels: [(start + first, F::one() - weight), (start + second, weight)],
        }
    }
}

/// The sizes of one image before and after, `None` if there is nothing to do.
fn image_sizes(sizes: &Resize) -> Option<(usize, usize)> {
    let [height, width, channels] = sizes.input;
    let input = height * width * channels;
    let output = sizes.output[0] * sizes.output[1] * channels;
    (sizes.batch * input * output > 0).then_some((input, output))
}

/// See [`Images::resize`](crate::device::Images::resize).
pub fn resize<F: Float>(sizes: Resize, x: &[F], y: &mut [F]) {
    let Some((input, output)) = image_sizes(&sizes) else {
        return;
    };
    over_slice(sizes.batch, 1, 4 * y.len(), y, output, &|images, y| {
        let x = x[images.start * input..images.end * input].chunks_exact(input);
        for (x, y) in x.zip(y.chunks_exact_mut(output)) {
            y.fill(F::zero());
            each_weight(&sizes, |from, to, weight: F| {
                for (y, &x) in y[to].iter_mut().zip(&x[from]) {
                    *y += weight * x;
                }
            });
        }
    });
}

/// See [`Images::resize_gradient`](crate::device::Images::resize_gradient).
pub fn resize_gradient<F: Float>(sizes: Resize, dy: &[F], dx: &mut [F]) {
    let Some((input, output)) = image_sizes(&sizes) else {
        return;
    };
    over_slice(sizes.batch, 1, 4 * dy.len(), dx, input, &|images, dx| {
        let dy = dy[images.start * output..images.end * output].chunks_exact(output);
        for (dy, dx) in dy.zip(dx.chunks_exact_mut(input)) {
            dx.fill(F::zero());
            each_weight(&sizes, |from, to, weight: F| {
                for (dx, &dy) in dx[from].iter_mut().zip(&dy[to]) {
                    *dx += weight * dy;
                }
            });
        }
    });
}

/// Calls `visit` with the channels of each input pixel, those of each output pixel that sees it,
/// and by how much.
#[inline(always)]
fn each_weight<F: Float>(
    sizes: &Resize,
    mut visit: impl FnMut(std::ops::Range<usize>, std::ops::Range<usize>, F),
) {
    let [_, width, channels] = sizes.input;
    let [out_height, out_width] = sizes.output;
    let window = &sizes.window;
    for y in 0..out_height {
        let rows = Between::<F>::new(y, out_height, window.top, window.height);
        for x in 0..out_width {
            let columns = Between::<F>::new(x, out_width, window.left, window.width);
            let to = (y * out_width + x) * channels;
            for (row, row_weight) in rows.pixels {
                for (column, column_weight) in columns.pixels {
                    let from = (row * width + column) * channels;
                    let weight: F = row_weight * column_weight;
                    visit(from..from + channels, to..to + channels, weight);
                }
            }
        }
    }
}
