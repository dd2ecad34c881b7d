//! `y = min(x₁, x₂, ..)`, element by element.

use super::maximum::Extreme;
use super::merge::{Merge, merge_layer, merged_shape};

merge_layer! {
    /// The smallest of its inputs: `keras.layers.Minimum`. Two that are equal share the gradient.
    Minimum, merged_shape
}

impl Merge for Minimum {
    type Function = Extreme<false>;

    fn function(&self, _at: usize, _count: usize) -> Extreme<false> {
        Extreme
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::shape::Shape;
    use crate::testing::layer;

    #[test]
    fn it_takes_the_smallest() {
        let test = layer!(Minimum::new(), [Shape::new(&[3]); 3]).unwrap();
        let inputs = [
            vec![1.0, 2.0, 3.0],
            vec![1.0, 4.0, 0.0],
            vec![4.0, 0.0, -9.0],
        ];
        let output = test.forward::<Cpu>(&inputs, &[]).unwrap().output;
        assert_eq!(output, [1.0, 0.0, -9.0]);
    }

    #[test]
    fn equal_numbers_share_the_gradient() {
        let test = layer!(Minimum::new(), [Shape::new(&[1]); 3]).unwrap();
        let inputs = [vec![2.0], vec![2.0], vec![2.0]];
        let outcome = test.backward::<Cpu>(&inputs, &[], &[1.0]).unwrap();
        assert_eq!(outcome.d_inputs, [[0.25], [0.25], [0.5]]);
    }

    #[test]
    fn nan_stays() {
        let test = layer!(Minimum::new(), [Shape::new(&[2]); 2]).unwrap();
        let inputs = [vec![f32::NAN, 1.0], vec![1.0, f32::NAN]];
        let output = test.forward::<Cpu>(&inputs, &[]).unwrap().output;
        assert!(output.iter().all(|y| y.is_nan()));
    }
}
