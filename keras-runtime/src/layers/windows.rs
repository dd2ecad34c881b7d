//! Windows that slide over an image: what `Conv2D` and the pooling layers have in common.

use super::{Padding, exact_rank, one_input};
use crate::device::Axis;
use crate::shape::{Shape, ShapeError, Text};

/// The arguments that say where windows lie, each (rows, columns).
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    pub size: (usize, usize),
    pub strides: (usize, usize),
    pub dilation: (usize, usize),
    pub padding: Padding,
}

impl Windows {
    /// Side by side and inside of the image.
    pub const fn new(size: (usize, usize), strides: (usize, usize)) -> Self {
        Self {
            size,
            strides,
            dilation: (1, 1),
            padding: Padding::Valid,
        }
    }

    /// The windows on an image (rows, columns, channels) whose rows and columns are known;
    /// `None` if it has no room for one.
    pub const fn axes(&self, image: &Shape) -> Option<(Axis, Axis)> {
        let rows = self.axis(image.dim(0), self.size.0, self.strides.0, self.dilation.0);
        let columns = self.axis(image.dim(1), self.size.1, self.strides.1, self.dilation.1);
        match (rows, columns) {
            (Some(rows), Some(columns)) => Some((rows, columns)),
            _ => None,
        }
    }

    const fn axis(
        &self,
        input: usize,
        size: usize,
        stride: usize,
        dilation: usize,
    ) -> Option<Axis> {
        match self.padding {
            Padding::Valid => Axis::valid(input, size, stride, dilation),
            Padding::Same => Some(Axis::same(input, size, stride, dilation)),
        }
    }

    /// (rows, columns, channels) -> (rows, columns, `channels`). `argument` is the name of the
    /// windows' size: `kernel_size`.
    ///
    /// # Errors
    /// If the image has no room for a window.
    pub const fn output_shape(
        &self,
        image: &Shape,
        channels: usize,
        argument: &str,
    ) -> Result<Shape, ShapeError> {
        let rows = self.fit(image.dim(0), self.size.0, self.strides.0, self.dilation.0);
        let columns = self.fit(image.dim(1), self.size.1, self.strides.1, self.dilation.1);
        match (rows, columns) {
            (Some(rows), Some(columns)) => Ok(Shape::new(&[rows, columns, channels])),
            _ => Err(self.no_room(image, argument)),
        }
    }

    /// The size of the output; an unknown size of the input has room for every window.
    const fn fit(
        &self,
        input: usize,
        size: usize,
        stride: usize,
        dilation: usize,
    ) -> Option<usize> {
        if input == Shape::NONE {
            return Some(Shape::NONE);
        }
        match self.axis(input, size, stride, dilation) {
            Some(axis) => Some(axis.output),
            None => None,
        }
    }

    const fn no_room(&self, image: &Shape, argument: &str) -> ShapeError {
        let mut text = pair(Text::new().str(argument).str(" "), self.size);
        if self.dilation.0 > 1 || self.dilation.1 > 1 {
            text = pair(text.str(" with dilation_rate "), self.dilation);
        }
        let text = text.str(" is larger than its input ").shape(image);
        ShapeError::new(
            text.str("; use padding = same or a smaller ")
                .str(first_word(argument)),
        )
    }
}

/// `3` or `(2, 3)`.
pub(super) const fn pair(text: Text, (rows, columns): (usize, usize)) -> Text {
    if rows == columns {
        return text.num(rows);
    }
    text.str("(").num(rows).str(", ").num(columns).str(")")
}

/// `kernel` of `kernel_size`.
const fn first_word(argument: &str) -> &str {
    let bytes = argument.as_bytes();
    let mut end = 0;
    while end < bytes.len() && bytes[end] != b'_' {
        end += 1;
    }
    match std::str::from_utf8(bytes.split_at(end).0) {
        Ok(word) => word,
        Err(_) => argument,
    }
}

/// The one input of a layer that takes images (rows, columns, channels); `None` if nothing is
/// known of it.
///
/// # Errors
/// If there are several, or it is no image.
pub(super) const fn one_image(inputs: &[Shape]) -> Result<Option<Shape>, ShapeError> {
    let image = match one_input(inputs) {
        Ok(image) => image,
        Err(error) => return Err(error),
    };
    if let Err(error) = exact_rank(&image, 3) {
        return Err(error);
    }
    if !image.is_known() {
        return Ok(None);
    }
    Ok(Some(image))
}
