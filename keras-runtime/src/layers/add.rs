//! `y = x₁ + x₂ + ..`, element by element.

use super::merge::{Merge, merge_layer, merged_shape};
use crate::device::{Float, MergeFunction};

merge_layer! {
    /// The sum of its inputs: `keras.layers.Add`, and `a + b`.
    Add, merged_shape
}

impl Merge for Add {
    type Function = Sum;

    fn function(&self, _at: usize, _count: usize) -> Sum {
        Sum
    }
}

/// `left + right`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sum;

impl MergeFunction for Sum {
    const LINEAR: bool = true;

    #[inline(always)]
    fn value<F: Float>(self, left: F, right: F) -> F {
        left + right
    }

    #[inline(always)]
    fn gradient<F: Float>(self, _: F, _: F) -> (F, F) {
        (F::one(), F::one())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::shape::Shape;
    use crate::testing::layer;

    #[test]
    fn it_adds() {
        let test = layer!(Add::new(), [Shape::new(&[3]); 3]).unwrap();
        let inputs = [
            vec![1.0, 2.0, 3.0],
            vec![10.0, 20.0, 30.0],
            vec![0.5, 0.5, 0.5],
        ];
        let output = test.forward::<Cpu>(&inputs, &[]).unwrap().output;
        assert_eq!(output, [11.5, 22.5, 33.5]);
    }
}
