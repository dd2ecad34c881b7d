//! `y = x`, in other axes.

use super::{Backward, Forward, Layer, Weights, one_input};
use crate::arg::Size;
use crate::config::{Config, arguments};
use crate::device::Device;
use crate::shape::{Shape, ShapeError, Text};

/// Gives each sample other axes: `keras.layers.Reshape`. Nothing is computed or copied.
///
/// One of the sizes can be -1: it is computed from the others.
#[derive(Clone, Copy, Debug)]
pub struct Reshape {
    target_shape: Size,
}

impl Reshape {
    /// A layer that gives `target_shape`, which does not count the batch.
    ///
    /// # Panics
    /// If a size is below -1, or more than one is -1; in a model this is a compile error.
    #[track_caller]
    pub const fn new(target_shape: Size) -> Self {
        let layer = Self { target_shape };
        if let Some(mistake) = layer.mistake() {
            panic!("{}", mistake.as_str());
        }
        layer
    }

    /// What is wrong with the arguments.
    pub(super) const fn mistake(&self) -> Option<Text> {
        let mut axis = 0;
        let mut unknown = 0;
        while axis < self.target_shape.count() {
            let size = self.target_shape.get(axis);
            if size < -1 {
                let text = Text::new()
                    .str("Each dimension in `target_shape` must be a non-negative integer, ")
                    .str("or `-1` for a single unknown dimension. Received: target_shape=");
                return Some(self.write(text).str("."));
            }
            if size == -1 {
                unknown += 1;
            }
            axis += 1;
        }
        if unknown > 1 {
            let text = Text::new()
                .str("There must be at most one unknown dimension (-1) in `target_shape`. ")
                .str("Received: target_shape=");
            return Some(self.write(text).str("."));
        }
        None
    }

    /// (..) -> `target_shape`.
    ///
    /// # Errors
    /// If a sample has not as many numbers as `target_shape`.
    pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = match one_input(inputs) {
            Ok(input) => input,
            Err(error) => return Err(error),
        };
        let mut dims = [Shape::NONE; Shape::MAX_RANK];
        let mut unknown = None;
        let mut known_len = 1;
        let mut axis = 0;
        while axis < self.target_shape.count() {
            match self.target_shape.get(axis) {
                -1 => unknown = Some(axis),
                size => {
                    dims[axis] = size as usize;
                    known_len *= size as usize;
                }
            }
            axis += 1;
        }
        let (target, _) = dims.split_at(self.target_shape.count());
        let target = Shape::new(target);
        let Some(len) = input.len() else {
            return Ok(target);
        };
        let text = match unknown {
            None if len == known_len => return Ok(target),
            Some(axis) if known_len > 0 && len % known_len == 0 => {
                return Ok(target.with_dim(axis, len / known_len));
            }
            None => Text::new().str("The total size of the tensor must be unchanged. Received: "),
            Some(_) => Text::new()
                .str("The total size of the tensor must be unchanged, however, the input size ")
                .str("cannot by divided by the specified dimensions in target_shape. Received: "),
        };
        let text = text
            .str("input_shape=")
            .shape(&input)
            .str(", target_shape=");
        Err(ShapeError::new(self.write(text)))
    }

    /// None.
    pub const fn weights(&self, _inputs: &[Shape]) -> Weights {
        Weights::NONE
    }

    /// Appends the target to a text, as Python prints a tuple.
    const fn write(&self, text: Text) -> Text {
        if self.target_shape.count() == 1 {
            return text.str("(").int(self.target_shape.get(0)).str(",)");
        }
        self.target_shape.write(text)
    }
}

arguments!(Reshape {
    "target_shape": target_shape,
});

impl Layer for Reshape {
    fn config(&self) -> Config {
        Config::keras("keras.layers", "Reshape").arguments(self)
    }

    fn is_view(&self, _training: bool) -> bool {
        true
    }

    fn forward<D: Device>(&self, _: Forward<'_, D>) {}

    fn backward<D: Device>(&self, _: Backward<'_, D>) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer;

    fn rule(target: &[isize], input: &[usize]) -> Result<Shape, String> {
        let layer = Reshape::new(Size::new(target));
        let shape = layer.output_shape(&[Shape::new(input)]);
        shape.map_err(|error| error.message().to_string())
    }

    #[test]
    fn gradients() {
        let test = layer!(Reshape::new(Size::new(&[3, -1])), [Shape::new(&[2, 6])]).unwrap();
        test.check_gradients(2);
    }

    #[test]
    fn shapes() {
        let none = Shape::NONE;
        assert_eq!(rule(&[3, 4], &[12]), Ok(Shape::new(&[3, 4])));
        assert_eq!(rule(&[-1, 2], &[3, 4]), Ok(Shape::new(&[6, 2])));
        assert_eq!(rule(&[-1], &[]), Ok(Shape::new(&[1])));
        assert_eq!(rule(&[-1, 2], &[none, 4]), Ok(Shape::new(&[none, 2])));
        assert_eq!(rule(&[5, 2], &[none, 4]), Ok(Shape::new(&[5, 2])));
    }

    #[test]
    fn the_size_stays() {
        let error = "The total size of the tensor must be unchanged. \
                     Received: input_shape=(3, 4), target_shape=(5,)";
        assert_eq!(rule(&[5], &[3, 4]), Err(error.into()));
        let error = "The total size of the tensor must be unchanged, however, the input size cannot by \
                     divided by the specified dimensions in target_shape. \
                     Received: input_shape=(7,), target_shape=(-1, 2)";
        assert_eq!(rule(&[-1, 2], &[7]), Err(error.into()));
        assert!(rule(&[-1, 0], &[7]).is_err());
    }

    #[test]
    #[should_panic(
        expected = "Each dimension in `target_shape` must be a non-negative integer, or `-1` for a single unknown dimension. Received: target_shape=(2, -3)."
    )]
    fn sizes_are_not_negative() {
        let _ = Reshape::new(Size::new(&[2, -3]));
    }

    #[test]
    #[should_panic(
        expected = "There must be at most one unknown dimension (-1) in `target_shape`. Received: target_shape=(-1, -1)."
    )]
    fn one_size_can_be_unknown() {
        let _ = Reshape::new(Size::new(&[-1, -1]));
    }
}
