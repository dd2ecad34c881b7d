//! `y = x₁ · x₂ · ..`, element by element.

use super::merge::{Merge, merge_layer, merged_shape};
use crate::device::{Float, MergeFunction};

merge_layer! {
    /// The product of its inputs: `keras.layers.Multiply`, and `a * b`.
    Multiply, merged_shape
}

impl Merge for Multiply {
    type Function = Product;

    fn function(&self, _at: usize, _count: usize) -> Product {
        Product
    }
}

/// `left · right`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product;

impl MergeFunction for Product {
    const LINEAR: bool = false;

    #[inline(always)]
    fn value<F: Float>(self, left: F, right: F) -> F {
        left * right
    }

    #[inline(always)]
    fn gradient<F: Float>(self, left: F, right: F) -> (F, F) {
        (right, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::shape::Shape;
    use crate::testing::layer;

    #[test]
    fn it_multiplies() {
        let test = layer!(Multiply::new(), [Shape::new(&[3]); 3]).unwrap();
        let inputs = [
            vec![1.0, 2.0, 3.0],
            vec![10.0, 20.0, 30.0],
            vec![0.5, 0.5, -0.5],
        ];
        let output = test.forward::<Cpu>(&inputs, &[]).unwrap().output;
        assert_eq!(output, [5.0, 20.0, -45.0]);
    }
}
