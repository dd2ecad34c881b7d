//! Shapes of one sample, and the errors of the rules that compute them.
//!
//! The batch axis is left out: every layer keeps it. Rules are `const fn`s, so that rustc evaluates
//! them while it compiles a model; the same functions run again on the shapes of real data.

mod error;
mod text;

pub use error::{ShapeError, check, or_unknown};
pub use text::Text;

/// The shape of one sample: up to [`Shape::MAX_RANK`] axes, each of a known size or not.
///
/// A shape can also be wholly unknown: a model without an input shape, or what follows a layer
/// that is in error. Rules let it pass: they return [`Shape::UNKNOWN`] for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    dims: [usize; Shape::MAX_RANK],
    rank: u8,
}

impl Shape {
    /// The most axes a sample can have.
    pub const MAX_RANK: usize = 6;
    /// The size of an axis that is not known until data arrives.
    pub const NONE: usize = usize::MAX;
    /// Not even the number of axes is known.
    pub const UNKNOWN: Shape = Shape {
        dims: [Shape::NONE; Shape::MAX_RANK],
        rank: u8::MAX,
    };
    /// One number a sample.
    pub const SCALAR: Shape = Shape::new(&[]);

    /// A shape of the given sizes; [`Shape::NONE`] stands for an unknown one.
    ///
    /// # Panics
    /// If there are more than [`Shape::MAX_RANK`] axes; at compile time this is a compile error.
    pub const fn new(dims: &[usize]) -> Shape {
        assert!(dims.len() <= Shape::MAX_RANK, "a sample has at most 6 axes");
        let mut shape = Shape {
            dims: [0; Shape::MAX_RANK],
            rank: dims.len() as u8,
        };
        let mut axis = 0;
        while axis < dims.len() {
            shape.dims[axis] = dims[axis];
            axis += 1;
        }
        shape
    }

    /// A shape of the given sizes, `None` where one is not known.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub(crate) fn of(dims: &[Option<usize>]) -> Shape {
        let dims = dims.iter().map(|dim| dim.unwrap_or(Shape::NONE));
        Shape::new(&dims.collect::<Vec<_>>())
    }

    /// False for [`Shape::UNKNOWN`].
    pub const fn is_known(&self) -> bool {
        self.rank != u8::MAX
    }

    /// Whether the size of every axis is known.
    pub const fn is_full(&self) -> bool {
        if !self.is_known() {
            return false;
        }
        let mut axis = 0;
        while axis < self.rank() {
            if self.dims[axis] == Shape::NONE {
                return false;
            }
            axis += 1;
        }
        true
    }

    /// The number of axes, without the batch; 0 if it is unknown.
    pub const fn rank(&self) -> usize {
        if self.is_known() {
            self.rank as usize
        } else {
            0
        }
    }

    /// The size of an axis, [`Shape::NONE`] where it is unknown.
    pub const fn dim(&self, axis: usize) -> usize {
        if self.is_known() {
            self.dims[axis]
        } else {
            Shape::NONE
        }
    }

    /// The size of the last axis, 1 for a scalar.
    pub const fn last(&self) -> usize {
        match self.rank() {
            0 if self.is_known() => 1,
            0 => Shape::NONE,
            rank => self.dims[rank - 1],
        }
    }

    /// The same shape with another size of one axis.
    #[must_use]
    pub const fn with_dim(mut self, axis: usize, size: usize) -> Shape {
        self.dims[axis] = size;
        self
    }

    /// The same shape with another size of the last axis.
    #[must_use]
    pub const fn with_last(self, size: usize) -> Shape {
        self.with_dim(self.rank() - 1, size)
    }

    /// The numbers in one sample, `None` where an axis is unknown.
    pub const fn len(&self) -> Option<usize> {
        if !self.is_full() {
            return None;
        }
        let mut len = 1;
        let mut axis = 0;
        while axis < self.rank() {
            len *= self.dims[axis];
            axis += 1;
        }
        Some(len)
    }

    /// Whether a sample holds no number at all.
    pub const fn is_empty(&self) -> bool {
        matches!(self.len(), Some(0))
    }

    /// The numbers in one sample of a shape that is full; 0 otherwise.
    pub const fn size(&self) -> usize {
        match self.len() {
            Some(len) => len,
            None => 0,
        }
    }

    /// The sizes, without the batch.
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank()]
    }

    /// Whether data of the shape `found` may go where `self` is expected: unknown sizes fit all.
    pub const fn accepts(&self, found: &Shape) -> bool {
        if !self.is_known() || !found.is_known() {
            return true;
        }
        if self.rank() != found.rank() {
            return false;
        }
        let mut axis = 0;
        while axis < self.rank() {
            let (expected, found) = (self.dims[axis], found.dims[axis]);
            if expected != found && expected != Shape::NONE && found != Shape::NONE {
                return false;
            }
            axis += 1;
        }
        true
    }
}

impl std::fmt::Display for Shape {
    /// With the batch axis, as Keras prints it: `(None, 26, 26, 32)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(Text::new().batched(self).as_str())
    }
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_print_as_in_keras() {
        assert_eq!(
            Shape::new(&[26, Shape::NONE, 32]).to_string(),
            "(None, 26, None, 32)"
        );
        assert_eq!(Shape::SCALAR.to_string(), "(None,)");
        assert_eq!(Text::new().shape(&Shape::new(&[3])).as_str(), "(3,)");
        assert_eq!(
            Text::new().int(-120).str(" of ").num(0).as_str(),
            "-120 of 0"
        );
    }

    #[test]
    fn an_unknown_size_accepts_every_size() {
        let image = Shape::new(&[Shape::NONE, Shape::NONE, 3]);
        assert!(image.accepts(&Shape::new(&[8, 9, 3])));
        assert!(!image.accepts(&Shape::new(&[8, 9, 4])));
        assert!(!image.accepts(&Shape::new(&[9, 3])));
        assert!(Shape::UNKNOWN.accepts(&image));
    }
}
