//! The largest and the mean value under windows of an image, channels side by side.

use std::ops::Range;

use super::kernel::{self, Kernel};
use super::simd::Arith;
use super::threads::over_rows;
use crate::device::{Axis, Float, Pool2dGeometry, Taps, Ties};

/// Channels that are pooled together, where there are so many.
const WIDE: usize = 32;
const NARROW: usize = 8;

/// See [`Pooling::max_pool2d`](crate::device::Pooling::max_pool2d).
pub fn max<F: Float>(g: &Pool2dGeometry, batch: usize, x: &[F], y: &mut [F]) {
    over_images(g, batch, g.output_size(), y, &|images, y| Max {
        x: part(x, &images, g.input_size()),
        y,
    });
}

/// See [`Pooling::max_pool2d_gradient`](crate::device::Pooling::max_pool2d_gradient).
pub fn max_gradient<F: Float>(
    g: &Pool2dGeometry,
    batch: usize,
    ties: Ties,
    x: &[F],
    y: &[F],
    dy: &[F],
    dx: &mut [F],
) {
    match (ties, are_disjoint(g)) {
        (Ties::First, true) => max_gradient_of::<F, true, true>(g, batch, [x, y, dy], dx),
        (Ties::First, false) => max_gradient_of::<F, true, false>(g, batch, [x, y, dy], dx),
        (Ties::Shared, _) => max_gradient_of::<F, false, false>(g, batch, [x, y, dy], dx),
    }
}

fn max_gradient_of<F: Float, const FIRST: bool, const DISJOINT: bool>(
    g: &Pool2dGeometry,
    batch: usize,
    [x, y, dy]: [&[F]; 3],
    dx: &mut [F],
) {
    let is_covered = DISJOINT && is_covered(&g.rows) && is_covered(&g.columns);
    over_images(g, batch, g.input_size(), dx, &|images, dx| MaxGradient::<
        F,
        FIRST,
        DISJOINT,
    > {
        x: part(x, &images, g.input_size()),
        y: part(y, &images, g.output_size()),
        dy: part(dy, &images, g.output_size()),
        dx,
        is_covered,
    });
}

/// Whether no pixel is under two windows.
fn are_disjoint(g: &Pool2dGeometry) -> bool {
    [g.rows, g.columns]
        .iter()
        .all(|axis| axis.stride >= axis.window && axis.dilation == 1)
}

/// Whether disjoint windows leave out no pixel.
fn is_covered(axis: &Axis) -> bool {
    axis.stride == axis.window && axis.output * axis.stride >= axis.input
}

/// See [`Pooling::average_pool2d`](crate::device::Pooling::average_pool2d).
pub fn average<F: Float>(g: &Pool2dGeometry, batch: usize, x: &[F], y: &mut [F]) {
    over_images(g, batch, g.output_size(), y, &|images, y| Average {
        x: part(x, &images, g.input_size()),
        y,
    });
}

/// See [`Pooling::average_pool2d_gradient`](crate::device::Pooling::average_pool2d_gradient).
pub fn average_gradient<F: Float>(g: &Pool2dGeometry, batch: usize, dy: &[F], dx: &mut [F]) {
    over_images(g, batch, g.input_size(), dx, &|images, dx| {
        AverageGradient {
            dy: part(dy, &images, g.output_size()),
            dx,
        }
    });
}

fn part<'a, F>(from: &'a [F], images: &Range<usize>, size: usize) -> &'a [F] {
    &from[images.start * size..images.end * size]
}

/// What is done with each window.
trait Pool {
    /// What it computes with.
    type Number: Float;
    /// Whether it is worth while to pool [`WIDE`] channels together.
    const GOES_WIDE: bool = true;

    /// The window writes here: the number of the first channel of its output is `output`. `L`
    /// channels from `channel` on are pooled.
    fn window<const L: usize>(&mut self, window: &Window, channel: usize);

    /// The windows of another image begin.
    fn begin(&mut self, image: Range<usize>) {
        let _ = image;
    }
}

/// Shares the images out over the threads. `size` is that of an image of `to`; `pool` is what is
/// done with some images.
fn over_images<'a, F: Float, P: Pool + 'a>(
    g: &Pool2dGeometry,
    batch: usize,
    size: usize,
    to: &'a mut [F],
    pool: &(impl Fn(Range<usize>, &'a mut [F]) -> P + Sync),
) {
    over_rows(
        batch,
        1,
        batch * (g.input_size() + g.output_size()),
        to,
        &|to: &mut [F], images| to.split_at_mut(images * size),
        &|images: Range<usize>, to| {
            kernel::run(Images {
                g,
                images: images.len(),
                pool: pool(images, to),
            });
        },
    );
}

/// All windows of some images.
struct Images<'a, P> {
    g: &'a Pool2dGeometry,
    images: usize,
    pool: P,
}

impl<P: Pool> Kernel for Images<'_, P> {
    type Number = P::Number;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(mut self) {
        let g = self.g;
        let mut output = 0;
        for image in 0..self.images {
            let input = image * g.input_size();
            self.pool.begin(input..input + g.input_size());
            for row in 0..g.rows.output {
                for column in 0..g.columns.output {
                    let window = Window {
                        rows: g.rows.taps(row),
                        columns: g.columns.taps(column),
                        input,
                        row: g.columns.input * g.channels,
                        channels: g.channels,
                        output,
                    };
                    self.channels(&window);
                    output += g.channels;
                }
            }
        }
    }
}

impl<P: Pool> Images<'_, P> {
    /// Many channels at a time, then fewer, then one.
    #[inline(always)]
    fn channels(&mut self, window: &Window) {
        let channels = window.channels;
        let wide = if P::GOES_WIDE {
            channels / WIDE * WIDE
        } else {
            0
        };
        for channel in (0..wide).step_by(WIDE) {
            self.pool.window::<WIDE>(window, channel);
        }
        let narrow = channels / NARROW * NARROW;
        for channel in (wide..narrow).step_by(NARROW) {
            self.pool.window::<NARROW>(window, channel);
        }
        for channel in narrow..channels {
            self.pool.window::<1>(window, channel);
        }
    }
}

/// One window.
struct Window {
    rows: Taps,
    columns: Taps,
    /// Where its image begins, and the numbers in a row of it.
    input: usize,
    row: usize,
    channels: usize,
    /// Where its output begins.
    output: usize,
}

impl Window {
    /// Where the rows of the image under the window begin.
    #[inline(always)]
    fn rows(&self) -> impl Iterator<Item = usize> + use<> {
        let Taps { input, count, .. } = self.rows;
        let first = self.input + input * self.row;
        (first..first + count * self.row).step_by(self.row)
    }

    /// Where the pixels under the window begin, in the row that begins at `row`.
    #[inline(always)]
    fn pixels(&self, row: usize) -> impl Iterator<Item = usize> + use<> {
        let Taps { input, count, .. } = self.columns;
        let first = row + input * self.channels;
        (first..first + count * self.channels).step_by(self.channels)
    }

    #[inline(always)]
    fn share<F: Float>(&self) -> F {
        F::one() / F::from_usize(self.rows.count * self.columns.count)
    }
}

#[inline(always)]
fn read<F: Float, const L: usize>(from: &[F], at: usize) -> [F; L] {
    let mut values = [F::zero(); L];
    values.copy_from_slice(&from[at..at + L]);
    values
}

struct Max<'a, F> {
    x: &'a [F],
    y: &'a mut [F],
}

impl<F: Float> Pool for Max<'_, F> {
    type Number = F;

    #[inline(always)]
    fn window<const L: usize>(&mut self, window: &Window, channel: usize) {
        let mut largest = [F::neg_infinity(); L];
        for row in window.rows() {
            for from in window.pixels(row) {
                let x: [F; L] = read(self.x, from + channel);
                for (largest, x) in largest.iter_mut().zip(x) {
                    *largest = if x > *largest { x } else { *largest };
                }
            }
        }
        self.y[window.output + channel..][..L].copy_from_slice(&largest);
    }
}

/// With `FIRST` each gradient goes to the first of the largest numbers, otherwise they share it. With
/// `DISJOINT` windows every number of `dx` is written once, otherwise added to.
///
/// rustc makes vector instructions of selections only where each loop has few of them and nothing else
/// to decide.
struct MaxGradient<'a, F, const FIRST: bool, const DISJOINT: bool> {
    x: &'a [F],
    y: &'a [F],
    dy: &'a [F],
    dx: &'a mut [F],
    /// Whether every number of `dx` is under a window.
    is_covered: bool,
}

impl<F: Float, const FIRST: bool, const DISJOINT: bool> Pool
    for MaxGradient<'_, F, FIRST, DISJOINT>
{
    type Number = F;

    /// Eight channels are a register, and more of them are no faster.
    const GOES_WIDE: bool = false;

    fn begin(&mut self, image: Range<usize>) {
        if !self.is_covered {
            self.dx[image].fill(F::zero());
        }
    }

    #[inline(always)]
    fn window<const L: usize>(&mut self, window: &Window, channel: usize) {
        let y: [F; L] = read(self.y, window.output + channel);
        let mut dy: [F; L] = read(self.dy, window.output + channel);
        if !FIRST {
            let mut found = [F::zero(); L];
            for row in window.rows() {
                for from in window.pixels(row) {
                    let x: [F; L] = read(self.x, from + channel);
                    for i in 0..L {
                        found[i] += if x[i] == y[i] { F::one() } else { F::zero() };
                    }
                }
            }
            for i in 0..L {
                dy[i] /= found[i];
            }
        }
        for row in window.rows() {
            for from in window.pixels(row) {
                let x: [F; L] = read(self.x, from + channel);
                let mut share = [F::zero(); L];
                for i in 0..L {
                    share[i] = if x[i] == y[i] { dy[i] } else { F::zero() };
                }
                if FIRST {
                    // What has found its place is gone.
                    for i in 0..L {
                        dy[i] = if x[i] == y[i] { F::zero() } else { dy[i] };
                    }
                }
                let dx = &mut self.dx[from + channel..][..L];
                if !DISJOINT {
                    for i in 0..L {
                        share[i] += dx[i];
                    }
                }
                dx.copy_from_slice(&share);
            }
        }
    }
}

struct Average<'a, F> {
    x: &'a [F],
    y: &'a mut [F],
}

impl<F: Float> Pool for Average<'_, F> {
    type Number = F;

    #[inline(always)]
    fn window<const L: usize>(&mut self, window: &Window, channel: usize) {
        let mut sums = [F::zero(); L];
        for row in window.rows() {
            for from in window.pixels(row) {
                let x: [F; L] = read(self.x, from + channel);
                for (sum, x) in sums.iter_mut().zip(x) {
                    *sum += x;
                }
            }
        }
        let share = window.share();
        let y = &mut self.y[window.output + channel..][..L];
        for (y, sum) in y.iter_mut().zip(sums) {
            *y = sum * share;
        }
    }
}

struct AverageGradient<'a, F> {
    dy: &'a [F],
    dx: &'a mut [F],
}

impl<F: Float> Pool for AverageGradient<'_, F> {
    type Number = F;

    fn begin(&mut self, image: Range<usize>) {
        self.dx[image].fill(F::zero());
    }

    #[inline(always)]
    fn window<const L: usize>(&mut self, window: &Window, channel: usize) {
        let mut dy: [F; L] = read(self.dy, window.output + channel);
        let share = window.share();
        for dy in &mut dy {
            *dy *= share;
        }
        for row in window.rows() {
            for from in window.pixels(row) {
                let dx = &mut self.dx[from + channel..][..L];
                for (dx, dy) in dx.iter_mut().zip(dy) {
                    *dx += dy;
                }
            }
        }
    }
}
