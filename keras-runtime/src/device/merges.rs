//! Functions of two tensors, element by element: the work of `Add`, `Multiply`, `Maximum`, ...

use super::host::on_hosts;
use super::{Float, Memory, cpu};
use crate::shape::Shape;

/// A function of two numbers with its derivatives.
pub trait MergeFunction: Copy + Send + Sync {
    /// Whether the derivatives are the same everywhere.
    const LINEAR: bool;

    /// `f(left, right)`.
    fn value<F: Float>(self, left: F, right: F) -> F;

    /// `(df/dleft, df/dright)`.
    fn gradient<F: Float>(self, left: F, right: F) -> (F, F);
}

/// How two operands are repeated to the shape of an output, as few axes as possible: the batch
/// axis is the first of them, and neighbours that both operands walk in the same way are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broadcast {
    pub(crate) dims: [usize; Self::MAX_RANK],
    /// The distance of an operand's neighbours along each axis; 0 where it is repeated.
    pub(crate) left: [usize; Self::MAX_RANK],
    pub(crate) right: [usize; Self::MAX_RANK],
    pub(crate) rank: usize,
}

impl Broadcast {
    /// The batch and the axes of a sample.
    pub(crate) const MAX_RANK: usize = Shape::MAX_RANK + 1;

    /// Two operands whose last axes lie under the last axes of the output, as in NumPy; the batch
    /// is no part of it.
    pub fn new(batch: usize, output: &Shape, left: &Shape, right: &Shape) -> Self {
        let mut axes = Self {
            dims: [1; Self::MAX_RANK],
            left: [0; Self::MAX_RANK],
            right: [0; Self::MAX_RANK],
            rank: 0,
        };
        axes.push(batch, left.size(), right.size());
        let (left, right) = (strides(output, left), strides(output, right));
        for axis in 0..output.rank() {
            axes.push(output.dim(axis), left[axis], right[axis]);
        }
        axes
    }

    /// Adds an axis inside the others.
    fn push(&mut self, size: usize, left: usize, right: usize) {
        if size == 1 && self.rank > 0 {
            return;
        }
        if self.rank > 0 {
            let last = self.rank - 1;
            let goes_on = self.left[last] == left * size && self.right[last] == right * size;
            if goes_on || self.dims[last] == 1 {
                self.dims[last] *= size;
                self.left[last] = left;
                self.right[last] = right;
                return;
            }
        }
        self.dims[self.rank] = size;
        self.left[self.rank] = left;
        self.right[self.rank] = right;
        self.rank += 1;
    }

    /// The same with another number of steps along the first axis.
    pub(crate) fn with_first(mut self, size: usize) -> Self {
        self.dims[0] = size;
        self
    }

    /// The numbers of the output.
    pub(crate) fn len(&self) -> usize {
        self.dims[..self.rank].iter().product()
    }

    /// Whether the right operand is repeated along some axis.
    pub(crate) fn repeats_right(&self) -> bool {
        let mut axes = self.dims[..self.rank].iter().zip(&self.right);
        axes.any(|(&size, &stride)| size > 1 && stride == 0)
    }
}

/// The strides of an operand along the axes of the output.
fn strides(output: &Shape, operand: &Shape) -> [usize; Shape::MAX_RANK] {
    let mut strides = [0; Shape::MAX_RANK];
    let mut stride = 1;
    let missing = output.rank().saturating_sub(operand.rank());
    for axis in (0..operand.rank()).rev() {
        if operand.dim(axis) != 1 {
            strides[missing + axis] = stride;
        }
        stride *= operand.dim(axis);
    }
    strides
}

/// Functions of two tensors and their gradients.
pub trait Merges: Memory {
    /// `y = f(left, right)`.
    fn merge<M: MergeFunction>(
        &self,
        f: M,
        axes: Broadcast,
        left: Self::Slice<'_>,
        right: Self::Slice<'_>,
        y: Self::SliceMut<'_>,
    );

    /// The way back from `dy`, which becomes `dy · df/dleft`, not summed over the axes along which
    /// `left` is repeated; `d_right` becomes `dy · df/dright`, summed over its own.
    fn merge_gradient<M: MergeFunction>(
        &self,
        f: M,
        axes: Broadcast,
        left: Self::Slice<'_>,
        right: Self::Slice<'_>,
        dy: Self::SliceMut<'_>,
        d_right: Option<Self::SliceMut<'_>>,
    );
}

on_hosts! {
    impl Merges {
        fn merge<M: MergeFunction>(
            &self,
            f: M,
            axes: Broadcast,
            left: Self::Slice<'_>,
            right: Self::Slice<'_>,
            y: Self::SliceMut<'_>,
        ) {
            cpu::merges::merge(f, axes, left, right, y);
        }

        fn merge_gradient<M: MergeFunction>(
            &self,
            f: M,
            axes: Broadcast,
            left: Self::Slice<'_>,
            right: Self::Slice<'_>,
            dy: Self::SliceMut<'_>,
            d_right: Option<Self::SliceMut<'_>>,
        ) {
            cpu::merges::merge_gradient(f, axes, left, right, dy, d_right);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(batch: usize, output: &[usize], left: &[usize], right: &[usize]) -> Vec<[usize; 3]> {
        let [output, left, right] = [output, left, right].map(Shape::new);
        let axes = Broadcast::new(batch, &output, &left, &right);
        (0..axes.rank)
            .map(|axis| [axes.dims[axis], axes.left[axis], axes.right[axis]])
            .collect()
    }

    #[test]
    fn equal_shapes_are_one_axis() {
        assert_eq!(axes(2, &[3, 4], &[3, 4], &[3, 4]), [[24, 1, 1]]);
        assert_eq!(axes(1, &[1], &[1], &[1]), [[1, 1, 1]]);
        assert_eq!(axes(5, &[], &[], &[]), [[5, 1, 1]]);
    }

    #[test]
    fn repeated_axes_have_no_stride() {
        assert_eq!(axes(2, &[4, 3], &[4, 1], &[4, 3]), [[8, 1, 3], [3, 0, 1]]);
        assert_eq!(
            axes(2, &[5, 4, 3], &[5, 4, 3], &[3]),
            [[2, 60, 3], [20, 3, 0], [3, 1, 1]]
        );
        assert_eq!(axes(1, &[4, 3], &[4, 1], &[1, 3]), [[4, 1, 0], [3, 0, 1]]);
    }
}
