//! The axes of a batch, and where the lines along some of them are.

use super::{BatchView, Float};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// Axes of a batch, as Keras numbers them: the samples are axis 0, the last axis is -1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Axes {
    /// All of them.
    All,
    /// One.
    One(isize),
    /// Several.
    Several(Vec<isize>),
}

impl From<isize> for Axes {
    fn from(axis: isize) -> Self {
        Self::One(axis)
    }
}

impl<const N: usize> From<[isize; N]> for Axes {
    fn from(axes: [isize; N]) -> Self {
        Self::Several(axes.into())
    }
}

impl From<Vec<isize>> for Axes {
    fn from(axes: Vec<isize>) -> Self {
        Self::Several(axes)
    }
}

/// A flag for each axis of a batch.
type Flags = [bool; Shape::MAX_RANK + 1];

impl Axes {
    /// The last axis.
    pub const LAST: Self = Self::One(-1);
    /// No axis: every element is a line.
    pub const NONE: Self = Self::Several(Vec::new());

    /// Whether predictions of this shape have these axes.
    ///
    /// # Errors
    /// With Keras' sentence, if they have not.
    pub fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        let rank = Dims::of(0, y_true, y_pred).rank;
        let is_outside = |axis: &&isize| Self::position(**axis, rank).is_none();
        match self.list().iter().find(is_outside) {
            None => Ok(()),
            Some(axis) => Err(Error::value(format!(
                "axis {axis} is out of bounds for array of dimension {rank}"
            ))),
        }
    }

    /// How many elements lie along them, unless the samples do.
    pub fn width(&self, y_true: &Shape, y_pred: &Shape) -> Option<usize> {
        let dims = Dims::of(1, y_true, y_pred);
        let flags = self.flags(dims.rank);
        let along = (1..dims.rank).filter(|axis| flags[*axis]);
        (!flags[0]).then(|| along.map(|axis| dims.sizes[axis]).product())
    }

    /// Whether it is the last axis of predictions of this shape.
    pub fn is_last(&self, y_true: &Shape, y_pred: &Shape) -> bool {
        let rank = Dims::of(0, y_true, y_pred).rank;
        let flags = self.flags(rank);
        (0..rank).all(|axis| flags[axis] == (axis + 1 == rank))
    }

    /// The sizes of the other axes: the shape of the values of a batch.
    pub fn rest(&self, samples: usize, y_true: &Shape, y_pred: &Shape) -> Vec<usize> {
        let dims = Dims::of(samples, y_true, y_pred);
        let flags = self.flags(dims.rank);
        let kept = (0..dims.rank).filter(|axis| !flags[*axis]);
        kept.map(|axis| dims.sizes[axis]).collect()
    }

    fn list(&self) -> &[isize] {
        match self {
            Self::All => &[],
            Self::One(axis) => std::slice::from_ref(axis),
            Self::Several(axes) => axes,
        }
    }

    fn position(axis: isize, rank: usize) -> Option<usize> {
        let from_start = if axis < 0 { axis + rank as isize } else { axis };
        usize::try_from(from_start).ok().filter(|&axis| axis < rank)
    }

    fn flags(&self, rank: usize) -> Flags {
        let mut flags = [matches!(self, Self::All); Shape::MAX_RANK + 1];
        for &axis in self.list() {
            if let Some(axis) = Self::position(axis, rank) {
                flags[axis] = true;
            }
        }
        flags
    }
}

/// The sizes of a batch of predictions as Keras compares them with targets: (n,) beside (n, 1) is
/// (n, 1), and (.., t, 1) beside (.., t) is (.., t).
struct Dims {
    sizes: [usize; Shape::MAX_RANK + 1],
    rank: usize,
}

impl Dims {
    fn of(samples: usize, y_true: &Shape, y_pred: &Shape) -> Self {
        let is_squeezed =
            y_true.rank() > 0 && y_pred.rank() == y_true.rank() + 1 && y_pred.last() == 1;
        let sample = match y_pred.dims() {
            [] => &[1],
            _ if is_squeezed => y_true.dims(),
            dims => dims,
        };
        let mut sizes = [1; Shape::MAX_RANK + 1];
        sizes[0] = samples;
        sizes[1..=sample.len()].copy_from_slice(sample);
        Self {
            sizes,
            rank: 1 + sample.len(),
        }
    }
}

/// Where the lines of a batch are.
pub struct Places {
    dims: Dims,
    /// The axes that lines run along.
    along: Flags,
    pub count: usize,
    pub width: usize,
    /// Whether lines run along the last axes: they are slices.
    pub are_slices: bool,
}

impl Places {
    pub fn of<S>(batch: &BatchView<S>, axes: &Axes) -> Self {
        let dims = Dims::of(batch.samples, &batch.y_true_shape, &batch.y_pred_shape);
        let along = axes.flags(dims.rank);
        let sizes = |of_lines: bool| {
            (0..dims.rank)
                .filter(|axis| along[*axis] == of_lines)
                .map(|axis| dims.sizes[axis])
                .product()
        };
        Self {
            count: sizes(false),
            width: sizes(true),
            are_slices: (1..dims.rank).all(|axis| along[axis] || !along[axis - 1]),
            dims,
            along,
        }
    }

    /// How many samples the values of a metric stand for: those of the batch, unless lines run along
    /// them.
    pub fn samples(&self) -> usize {
        let first = (0..self.dims.rank).find(|axis| !self.along[*axis]);
        first.map_or(1, |axis| self.dims.sizes[axis])
    }

    /// The sizes of the axes, and whether lines run along them; neighbours of one kind are one axis.
    #[cfg(any(feature = "cuda", feature = "testing", test))]
    pub fn axes(&self) -> Vec<(usize, bool)> {
        let mut axes: Vec<(usize, bool)> = Vec::new();
        for (&size, &along) in self.dims.sizes[..self.dims.rank].iter().zip(&self.along) {
            match axes.last_mut() {
                Some((last, kind)) if *kind == along => *last *= size,
                _ => axes.push((size, along)),
            }
        }
        axes
    }

    /// Where the element number `index` lies among those of the axes that are, or are not, along the
    /// lines.
    pub fn offset(&self, mut index: usize, along: bool) -> usize {
        let (mut offset, mut stride) = (0, 1);
        for axis in (0..self.dims.rank).rev() {
            let size = self.dims.sizes[axis];
            if self.along[axis] == along {
                offset += index % size * stride;
                index /= size;
            }
            stride *= size;
        }
        offset
    }

    /// Copies a line.
    pub fn gather<F: Float>(&self, line: usize, from: &[F], to: &mut [F]) {
        let start = self.offset(line, false);
        for (at, to) in to.iter_mut().enumerate() {
            *to = from[start + self.offset(at, true)];
        }
    }

    /// Copies a line back.
    pub fn scatter<F: Float>(&self, line: usize, from: &[F], to: &mut [F]) {
        let start = self.offset(line, false);
        for (at, from) in from.iter().enumerate() {
            to[start + self.offset(at, true)] = *from;
        }
    }
}
