//! Activations and their gradients over whole views, in place or not, on all threads if they are
//! large.

pub mod functions;
mod rows;

use std::ops::Range;

use self::functions::{Function, Visitor, visit};
use super::kernel::{self, Kernel};
use super::simd::{Arith, dispatch};
use super::threads::{WORTH_A_THREAD, over_slice};
use crate::device::Activation;
use crate::device::float::Float;

/// Numbers that a pass takes through all its steps before it goes on: they stay in the cache.
const BLOCK: usize = 2048;

/// Where a view may be cut if its numbers have nothing to do with each other: whole cache lines.
const LINE: usize = 16;

/// `y = f(x)`: x of rows of `width`, y as well, or of half of it for `glu`.
pub fn activate<F: Float>(f: Activation, x: &[F], y: &mut [F], width: usize) {
    if f == Activation::Glu {
        let half = width / 2;
        return parts(y, half, &|range, y| {
            rows::glu(&x[2 * range.start..2 * range.end], y, width);
        });
    }
    parts(y, unit(f, width), &|range, y| {
        blocks(range, unit(f, width), |range, within| {
            let y = &mut y[within];
            y.copy_from_slice(&x[range]);
            value(f, y, width);
        });
    });
}

/// `y = f(y)`.
pub fn activate_in_place<F: Float>(f: Activation, y: &mut [F], width: usize) {
    if f != Activation::Linear {
        parts(y, unit(f, width), &|_, y| value(f, y, width));
    }
}

/// `dx = f'(x) dy`, from `y = f(x)` and, where `f` needs it, x.
pub fn activation_gradient<F: Float>(
    f: Activation,
    x: Option<&[F]>,
    y: &[F],
    dy: &[F],
    dx: &mut [F],
    width: usize,
) {
    let x = x.unwrap_or(y);
    if f == Activation::Glu {
        return parts(dx, width, &|range, dx| {
            let dy = &dy[range.start / 2..range.end / 2];
            rows::glu_gradient(&x[range], dy, dx, width);
        });
    }
    parts(dx, unit(f, width), &|range, dx| {
        blocks(range, unit(f, width), |range, within| {
            let dx = &mut dx[within];
            dx.copy_from_slice(&dy[range.clone()]);
            slope(f, &x[range.clone()], &y[range], dx, width);
        });
    });
}

/// `dy` becomes `dz` of `y = f(z)`, `z = .. + bias`, and `db` (width) its sums over the rows.
pub fn activation_and_bias_gradient_in_place<F: Float>(
    f: Activation,
    z: Option<&[F]>,
    y: &[F],
    dy: &mut [F],
    db: Option<&mut [F]>,
    width: usize,
) {
    let z = z.unwrap_or(y);
    let Some(db) = db else {
        if f != Activation::Linear {
            parts(dy, unit(f, width), &|range, dy| {
                slope(f, &z[range.clone()], &y[range], dy, width);
            });
        }
        return;
    };
    db.fill(F::zero());
    if dy.is_empty() {
        return;
    }
    let rows = (BLOCK / width).next_multiple_of(ROWS).max(ROWS);
    if dy.len() < WORTH_A_THREAD {
        blocks(0..dy.len(), rows * width, |range, _| {
            let dy = &mut dy[range.clone()];
            slope(f, &z[range.clone()], &y[range.clone()], dy, width);
            column_sums(dy, 0, db, width);
        });
        return;
    }
    parts(dy, unit(f, width), &|range, dy| {
        slope(f, &z[range.clone()], &y[range], dy, width);
    });
    over_slice(width, LINE, dy.len(), db, 1, &|columns, db| {
        column_sums(dy, columns.start, db, width)
    });
}

/// The smallest part of a view that can be worked on alone.
fn unit(f: Activation, width: usize) -> usize {
    if f.is_row_wise() { width } else { LINE }
}

/// Splits a view between the threads, at multiples of `unit`.
fn parts<F: Float>(y: &mut [F], unit: usize, work: &(dyn Fn(Range<usize>, &mut [F]) + Sync)) {
    over_slice(y.len(), unit, y.len(), y, 1, work);
}

/// Cuts a range into blocks of about [`BLOCK`] numbers, and says where in it each one is.
fn blocks(range: Range<usize>, unit: usize, mut work: impl FnMut(Range<usize>, Range<usize>)) {
    let step = unit.max(1) * (BLOCK / unit.max(1)).max(1);
    for start in range.clone().step_by(step) {
        let end = range.end.min(start + step);
        work(start..end, start - range.start..end - range.start);
    }
}

/// `y = f(y)` on this thread.
fn value<F: Float>(f: Activation, y: &mut [F], width: usize) {
    match f {
        Activation::Linear => {}
        Activation::Softmax => rows::softmax(y, width),
        Activation::LogSoftmax => rows::log_softmax(y, width),
        Activation::Sparsemax => rows::sparsemax(y, width),
        _ => {
            let (y, rest) = y.as_chunks_mut();
            visit(f, Value { y });
            if !rest.is_empty() {
                let mut last = [padded(rest)];
                visit(f, Value { y: &mut last });
                rest.copy_from_slice(&last[0][..rest.len()]);
            }
        }
    }
}

/// `d = f'(x) d` on this thread.
fn slope<F: Float>(f: Activation, x: &[F], y: &[F], d: &mut [F], width: usize) {
    match f {
        Activation::Linear => {}
        Activation::Softmax => rows::softmax_gradient(y, d, width),
        Activation::LogSoftmax => rows::log_softmax_gradient(y, d, width),
        Activation::Sparsemax => rows::sparsemax_gradient(y, d, width),
        _ => {
            let ((x, last_x), (y, last_y)) = (x.as_chunks(), y.as_chunks());
            let (d, rest) = d.as_chunks_mut();
            visit(f, Slope { x, y, d });
            if !rest.is_empty() {
                let (x, y, mut d) = ([padded(last_x)], [padded(last_y)], [padded(rest)]);
                let (x, y) = (&x[..], &y[..]);
                visit(f, Slope { x, y, d: &mut d });
                rest.copy_from_slice(&d[0][..rest.len()]);
            }
        }
    }
}

/// Numbers that a function is computed of together.
const LANES: usize = 16;

/// So many numbers: of a loop over them rustc makes vector instructions, and nothing else for those at
/// the end.
type Lanes<F> = [F; LANES];

/// Fewer numbers than [`LANES`], and zeros after them.
fn padded<F: Float>(from: &[F]) -> Lanes<F> {
    let mut numbers = [F::zero(); LANES];
    numbers[..from.len()].copy_from_slice(from);
    numbers
}

/// `y = f(y)`.
struct Value<'a, F> {
    y: &'a mut [Lanes<F>],
}

/// `d = f'(x) d`.
struct Slope<'a, F> {
    x: &'a [Lanes<F>],
    y: &'a [Lanes<F>],
    d: &'a mut [Lanes<F>],
}

/// A pass with its function.
struct Pass<T, P> {
    function: T,
    over: P,
}

impl<F: Float> Visitor for Value<'_, F> {
    fn visit(self, function: impl Function) {
        kernel::run(Pass {
            function,
            over: self,
        });
    }
}

impl<F: Float> Visitor for Slope<'_, F> {
    fn visit(self, function: impl Function) {
        kernel::run(Pass {
            function,
            over: self,
        });
    }
}

impl<F: Float, T: Function> Kernel for Pass<T, Value<'_, F>> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        for y in self.over.y {
            let mut values = *y;
            for value in &mut values {
                *value = self.function.value::<F, A>(*value);
            }
            *y = values;
        }
    }
}

impl<F: Float, T: Function> Kernel for Pass<T, Slope<'_, F>> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let Slope { x, y, d } = self.over;
        for ((d, x), y) in d.iter_mut().zip(x).zip(y) {
            let mut values = *d;
            for i in 0..LANES {
                values[i] *= self.function.slope::<F, A>(x[i], y[i]);
            }
            *d = values;
        }
    }
}

/// Rows that are added up before they are added to the sums.
const ROWS: usize = 4;

dispatch! {
    /// `sums[j] += Σ_i d[i][first + j]` over rows of `width`, in an order that depends on neither
    /// `first` nor the number of columns.
    fn column_sums<F: Float>(d: &[F], first: usize, sums: &mut [F], width: usize) = column_sums_body
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)]
fn column_sums_body<F: Float, A: Arith>(d: &[F], first: usize, sums: &mut [F], width: usize) {
    let columns = sums.len();
    let mut groups = d.chunks_exact(width * ROWS);
    for rows in &mut groups {
        let [a, b, c, e] = std::array::from_fn(|i| &rows[i * width + first..][..columns]);
        for j in 0..columns {
            sums[j] += (a[j] + b[j]) + (c[j] + e[j]);
        }
    }
    for row in groups.remainder().chunks_exact(width) {
        for (sum, &d) in sums.iter_mut().zip(&row[first..]) {
            *sum += d;
        }
    }
}

#[cfg(test)]
mod tests;
