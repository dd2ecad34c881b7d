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
            visit(f, Value { y });
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
            visit(f, Slope { x, y, d });
        }
    }
}

/// `y = f(y)`.
struct Value<'a, F> {
    y: &'a mut [F],
}

/// `d = f'(x) d`.
struct Slope<'a, F> {
    x: &'a [F],
    y: &'a [F],
    d: &'a mut [F],
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
            *y = self.function.value::<F, A>(*y);
        }
    }
}

impl<F: Float, T: Function> Kernel for Pass<T, Slope<'_, F>> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let Slope { x, y, d } = self.over;
        for ((d, &x), &y) in d.iter_mut().zip(x).zip(y) {
            *d *= self.function.slope::<F, A>(x, y);
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
