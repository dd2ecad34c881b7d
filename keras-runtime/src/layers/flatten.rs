//! `y = x`, in one axis.

use super::{Backward, Forward, Layer, Weights, one_input};
use crate::config::{Config, arguments};
use crate::device::Device;
use crate::shape::{Shape, ShapeError};

/// Makes one axis of all axes of a sample: `keras.layers.Flatten`. Nothing is computed or copied.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flatten;

impl Flatten {
    /// The layer; it has no arguments.
    pub const fn new() -> Self {
        Self
    }

    /// (a, b, ..) -> (a · b · ..,). A sample that is one number becomes (1,).
    ///
    /// # Errors
    /// If there are several inputs.
    pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = match one_input(inputs) {
            Ok(input) => input,
            Err(error) => return Err(error),
        };
        if !input.is_known() {
            return Ok(Shape::UNKNOWN);
        }
        let len = match input.len() {
            Some(len) => len,
            None => Shape::NONE,
        };
        Ok(Shape::new(&[len]))
    }

    /// None.
    pub const fn weights(&self, _inputs: &[Shape]) -> Weights {
        Weights::NONE
    }
}

arguments!(Flatten {
    "data_format" = "channels_last",
});

impl Layer for Flatten {
    fn config(&self) -> Config {
        Config::keras("keras.layers", "Flatten").arguments(self)
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

    #[test]
    fn gradients() {
        let test = layer!(Flatten, [Shape::new(&[2, 3, 2])]).unwrap();
        test.check_gradients(2);
    }

    #[test]
    fn shapes() {
        let rule = |dims: &[usize]| Flatten.output_shape(&[Shape::new(dims)]).unwrap();
        assert_eq!(rule(&[2, 3, 4]), Shape::new(&[24]));
        assert_eq!(rule(&[2, Shape::NONE]), Shape::new(&[Shape::NONE]));
        assert_eq!(rule(&[]), Shape::new(&[1]));
        let unknown = Flatten.output_shape(&[Shape::UNKNOWN]).unwrap();
        assert_eq!(unknown, Shape::UNKNOWN);
    }

    #[test]
    fn one_input_only() {
        let error = Flatten.output_shape(&[Shape::SCALAR; 2]).unwrap_err();
        let expected = "expects 1 input, but it received 2 input tensors";
        assert_eq!(error.message(), expected);
    }
}
