//! `y = (x₁ + x₂ + ..) / n`, element by element.

use super::merge::{Merge, merge_layer, merged_shape};
use crate::device::{Float, MergeFunction};

merge_layer! {
    /// The mean of its inputs: `keras.layers.Average`.
    Average, merged_shape
}

impl Merge for Average {
    type Function = ScaledSum;

    /// A sum; the last of them is divided.
    fn function(&self, at: usize, count: usize) -> ScaledSum {
        ScaledSum {
            count: if at + 1 == count { count } else { 1 },
        }
    }
}

/// `(left + right) / count`.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScaledSum {
    count: usize,
}

impl MergeFunction for ScaledSum {
    const LINEAR: bool = true;

    #[inline(always)]
    fn value<F: Float>(self, left: F, right: F) -> F {
        (left + right) / F::from_usize(self.count)
    }

    #[inline(always)]
    fn gradient<F: Float>(self, _: F, _: F) -> (F, F) {
        let share = F::one() / F::from_usize(self.count);
        (share, share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::shape::Shape;
    use crate::testing::layer;

    #[test]
    fn it_averages() {
        let test = layer!(Average::new(), [Shape::new(&[3]); 3]).unwrap();
        let inputs = [
            vec![1.0, 2.0, 3.0],
            vec![1.0, 4.0, 0.0],
            vec![4.0, 0.0, -9.0],
        ];
        let output = test.forward::<Cpu>(&inputs, &[]).unwrap().output;
        assert_eq!(output, [2.0, 2.0, -2.0]);
    }
}
