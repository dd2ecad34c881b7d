//! Functions of two tensors, run by run along the innermost axis.

use super::kernel::{self, Kernel};
use super::simd::Arith;
use super::threads::{over_rows, over_slice};
use crate::device::float::Float;
use crate::device::{Broadcast, MergeFunction};

/// Where to cut a job that is one long run.
const STEP: usize = 64;

/// See [`Merges::merge`](crate::device::Merges::merge).
pub fn merge<F: Float, M: MergeFunction>(
    f: M,
    axes: Broadcast,
    left: &[F],
    right: &[F],
    y: &mut [F],
) {
    let row = axes.len() / axes.dims[0].max(1);
    over_slice(axes.dims[0], step(&axes), axes.len(), y, row, &|rows, y| {
        kernel::run(Values {
            f,
            axes: axes.with_first(rows.len()),
            left: &left[rows.start * axes.left[0]..],
            right: &right[rows.start * axes.right[0]..],
            y,
        })
    });
}

/// See [`Merges::merge_gradient`](crate::device::Merges::merge_gradient).
pub fn merge_gradient<F: Float, M: MergeFunction>(
    f: M,
    axes: Broadcast,
    left: &[F],
    right: &[F],
    dy: &mut [F],
    d_right: Option<&mut [F]>,
) {
    let row = axes.len() / axes.dims[0].max(1);
    // Two threads cannot add to the same numbers.
    let operations = if axes.right[0] > 0 { axes.len() } else { 0 };
    over_rows(
        axes.dims[0],
        step(&axes),
        operations,
        (dy, d_right),
        &|(dy, d_right): (&mut [F], Option<&mut [F]>), at| {
            let (dy, more_dy) = dy.split_at_mut(at * row);
            let (d_right, more) = d_right.map(|d| d.split_at_mut(at * axes.right[0])).unzip();
            ((dy, d_right), (more_dy, more))
        },
        &|rows, (dy, d_right)| {
            kernel::run(Gradients {
                f,
                axes: axes.with_first(rows.len()),
                left: &left[rows.start * axes.left[0]..],
                right: &right[rows.start * axes.right[0]..],
                dy,
                d_right,
            })
        },
    );
}

fn step(axes: &Broadcast) -> usize {
    if axes.rank == 1 { STEP } else { 1 }
}

/// One operand along a run: its numbers, or one that is repeated.
#[derive(Clone, Copy)]
enum Run<'a, F> {
    Each(&'a [F]),
    One(F),
}

impl<'a, F: Float> Run<'a, F> {
    #[inline(always)]
    fn new(numbers: &'a [F], at: usize, stride: usize, len: usize) -> Self {
        if stride == 0 {
            Self::One(numbers[at])
        } else {
            Self::Each(&numbers[at..at + len])
        }
    }
}

/// Compiles a loop for each kind of the two runs, which it reads as functions of the position.
macro_rules! over_runs {
    ($left:ident, $right:ident => $body:expr) => {
        match ($left, $right) {
            (Run::Each(left), Run::Each(right)) => {
                let ($left, $right) = (|i: usize| left[i], |i: usize| right[i]);
                $body
            }
            (Run::Each(left), Run::One(right)) => {
                let ($left, $right) = (|i: usize| left[i], |_: usize| right);
                $body
            }
            (Run::One(left), Run::Each(right)) => {
                let ($left, $right) = (|_: usize| left, |i: usize| right[i]);
                $body
            }
            (Run::One(left), Run::One(right)) => {
                let ($left, $right) = (|_: usize| left, |_: usize| right);
                $body
            }
        }
    };
}

/// Calls `run` with where each run of the innermost axis begins in the output and the operands.
#[inline(always)]
fn each_run(axes: &Broadcast, mut run: impl FnMut(usize, usize, usize)) {
    let outer = axes.rank - 1;
    let mut index = [0; Broadcast::MAX_RANK];
    let (mut left, mut right) = (0, 0);
    for at in (0..axes.len()).step_by(axes.dims[outer].max(1)) {
        run(at, left, right);
        for axis in (0..outer).rev() {
            index[axis] += 1;
            left += axes.left[axis];
            right += axes.right[axis];
            if index[axis] < axes.dims[axis] {
                break;
            }
            left -= axes.left[axis] * axes.dims[axis];
            right -= axes.right[axis] * axes.dims[axis];
            index[axis] = 0;
        }
    }
}

/// Numbers that are summed side by side.
const LANES: usize = 8;

/// `f(0) + f(1) + ..`, in a fixed order.
#[inline(always)]
fn sum<F: Float>(len: usize, f: impl Fn(usize) -> F) -> F {
    let whole = len - len % LANES;
    let mut lanes = [F::zero(); LANES];
    for at in (0..whole).step_by(LANES) {
        for (i, lane) in lanes.iter_mut().enumerate() {
            *lane += f(at + i);
        }
    }
    let mut total = F::zero();
    for lane in lanes {
        total += lane;
    }
    for at in whole..len {
        total += f(at);
    }
    total
}

struct Values<'a, F, M> {
    f: M,
    axes: Broadcast,
    left: &'a [F],
    right: &'a [F],
    y: &'a mut [F],
}

impl<F: Float, M: MergeFunction> Kernel for Values<'_, F, M> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let Values { f, axes, y, .. } = self;
        let inner = axes.rank - 1;
        let len = axes.dims[inner];
        each_run(&axes, |at, left, right| {
            let y = &mut y[at..at + len];
            let left = Run::new(self.left, left, axes.left[inner], len);
            let right = Run::new(self.right, right, axes.right[inner], len);
            over_runs!(left, right => {
                for (i, y) in y.iter_mut().enumerate() {
                    *y = f.value(left(i), right(i));
                }
            });
        });
    }
}

struct Gradients<'a, F, M> {
    f: M,
    axes: Broadcast,
    left: &'a [F],
    right: &'a [F],
    dy: &'a mut [F],
    d_right: Option<&'a mut [F]>,
}

impl<F: Float, M: MergeFunction> Kernel for Gradients<'_, F, M> {
    type Number = F;
    type Output = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let Gradients { f, axes, dy, .. } = self;
        let mut d_right = self.d_right;
        let adds = axes.repeats_right();
        if let (true, Some(d_right)) = (adds, &mut d_right) {
            d_right.fill(F::zero());
        }
        let inner = axes.rank - 1;
        let len = axes.dims[inner];
        each_run(&axes, |at, left, right_at| {
            let dy = &mut dy[at..at + len];
            let left = Run::new(self.left, left, axes.left[inner], len);
            let right = Run::new(self.right, right_at, axes.right[inner], len);
            let one = matches!(right, Run::One(_));
            let d_right = d_right
                .as_deref_mut()
                .map(|d_right| &mut d_right[right_at..right_at + if one { 1 } else { len }]);
            over_runs!(left, right => {
                match d_right {
                    Some(d_right) if one => {
                        let dy = &*dy;
                        d_right[0] += sum(dy.len(), |i| dy[i] * f.gradient(left(i), right(i)).1);
                    }
                    Some(d_right) if adds => {
                        for (i, (d, &dy)) in d_right.iter_mut().zip(&*dy).enumerate() {
                            *d += dy * f.gradient(left(i), right(i)).1;
                        }
                    }
                    Some(d_right) => {
                        for (i, (d, &dy)) in d_right.iter_mut().zip(&*dy).enumerate() {
                            *d = dy * f.gradient(left(i), right(i)).1;
                        }
                    }
                    None => {}
                }
                for (i, dy) in dy.iter_mut().enumerate() {
                    *dy *= f.gradient(left(i), right(i)).0;
                }
            });
        });
    }
}
