//! `y = max(x₁, x₂, ..)`, element by element.

use super::merge::{Merge, merge_layer, merged_shape};
use crate::device::{Float, MergeFunction};

merge_layer! {
    /// The largest of its inputs: `keras.layers.Maximum`. Two that are equal share the gradient.
    Maximum, merged_shape
}

impl Merge for Maximum {
    type Function = Extreme<true>;

    fn function(&self, _at: usize, _count: usize) -> Extreme<true> {
        Extreme
    }
}

/// The larger or the smaller of two numbers; NaN if one of them is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extreme<const LARGER: bool>;

impl<const LARGER: bool> Extreme<LARGER> {
    #[inline(always)]
    fn wins<F: Float>(one: F, other: F) -> bool {
        if LARGER { one > other } else { one < other }
    }

    /// The part of the gradient that `one` has.
    #[inline(always)]
    fn share<F: Float>(one: F, other: F) -> F {
        if Self::wins(one, other) {
            F::one()
        } else if one == other {
            F::from_f32(0.5)
        } else {
            F::zero()
        }
    }
}

impl<const LARGER: bool> MergeFunction for Extreme<LARGER> {
    const LINEAR: bool = false;

    #[inline(always)]
    fn value<F: Float>(self, left: F, right: F) -> F {
        if Self::wins(left, right) || left.is_nan() {
            left
        } else {
            right
        }
    }

    #[inline(always)]
    fn gradient<F: Float>(self, left: F, right: F) -> (F, F) {
        (Self::share(left, right), Self::share(right, left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::shape::Shape;
    use crate::testing::layer;

    #[test]
    fn it_takes_the_largest() {
        let test = layer!(Maximum::new(), [Shape::new(&[3]); 3]).unwrap();
        let inputs = [
            vec![1.0, 2.0, 3.0],
            vec![1.0, 4.0, 0.0],
            vec![4.0, 0.0, -9.0],
        ];
        let output = test.forward::<Cpu>(&inputs, &[]).unwrap().output;
        assert_eq!(output, [4.0, 4.0, 3.0]);
    }

    #[test]
    fn equal_numbers_share_the_gradient() {
        let test = layer!(Maximum::new(), [Shape::new(&[1]); 3]).unwrap();
        let inputs = [vec![2.0], vec![2.0], vec![2.0]];
        let outcome = test.backward::<Cpu>(&inputs, &[], &[1.0]).unwrap();
        assert_eq!(outcome.d_inputs, [[0.25], [0.25], [0.5]]);
    }

    #[test]
    fn nan_stays() {
        let test = layer!(Maximum::new(), [Shape::new(&[2]); 2]).unwrap();
        let inputs = [vec![f32::NAN, 1.0], vec![1.0, f32::NAN]];
        let output = test.forward::<Cpu>(&inputs, &[]).unwrap().output;
        assert!(output.iter().all(|y| y.is_nan()));
    }
}
