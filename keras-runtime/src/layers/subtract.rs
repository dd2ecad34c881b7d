//! `y = x₁ - x₂`, element by element.

use super::merge::{Merge, merge_layer, merged_shape};
use crate::device::{Float, MergeFunction};
use crate::shape::{Shape, ShapeError, Text};

merge_layer! {
    /// The first input less the second: `keras.layers.Subtract`, and `a - b`.
    Subtract, subtracted_shape
}

/// The rule of all merges, for two inputs.
const fn subtracted_shape(inputs: &[Shape]) -> Result<Shape, ShapeError> {
    if inputs.len() == 2 {
        return merged_shape(inputs);
    }
    let text = Text::new()
        .str("A `Subtract` layer should be called on exactly 2 inputs. Received: input_shape=");
    Err(ShapeError::new(text.batched_list(inputs)))
}

impl Merge for Subtract {
    type Function = Difference;

    fn function(&self, _at: usize, _count: usize) -> Difference {
        Difference
    }
}

/// `left - right`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Difference;

impl MergeFunction for Difference {
    const LINEAR: bool = true;

    #[inline(always)]
    fn value<F: Float>(self, left: F, right: F) -> F {
        left - right
    }

    #[inline(always)]
    fn gradient<F: Float>(self, _: F, _: F) -> (F, F) {
        (F::one(), -F::one())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::shape::Shape;
    use crate::testing::layer;

    #[test]
    fn it_subtracts() {
        let test = layer!(Subtract::new(), [Shape::new(&[3]); 2]).unwrap();
        let inputs = [vec![1.0, 2.0, 3.0], vec![10.0, 20.0, -30.0]];
        let output = test.forward::<Cpu>(&inputs, &[]).unwrap().output;
        assert_eq!(output, [-9.0, -18.0, 33.0]);
    }

    #[test]
    fn it_takes_two() {
        let error = Subtract.output_shape(&[Shape::new(&[3]); 3]).unwrap_err();
        let expected = "A `Subtract` layer should be called on exactly 2 inputs. \
                        Received: input_shape=[(None, 3), (None, 3), (None, 3)]";
        assert_eq!(error.message(), expected);
    }
}
