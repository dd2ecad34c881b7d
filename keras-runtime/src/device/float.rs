//! The number type of a device: `f32` in every program, `f64` in the tests that hold gradients
//! against finite differences.

use std::fmt::{Debug, Display};

use super::cpu::math::Math;
use super::cpu::scratch::Scratch;
#[cfg(any(feature = "cuda", feature = "testing", test))]
use super::lines::Fold;

/// A floating-point number that the kernels compute with.
pub trait Float:
    num_traits::Float
    + num_traits::NumAssign
    + Math
    + Scratch
    + Default
    + Debug
    + Display
    + Send
    + Sync
    + 'static
{
    /// Whether kernels are compiled for the vector units beyond the baseline of the target, too.
    const IS_VECTORISED: bool;
    /// The nearest number of this type.
    fn from_f32(value: f32) -> Self;
    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// The nearest `f32`.
    fn to_f32(self) -> f32;
    /// The nearest `f64`.
    fn to_f64(self) -> f64;
    /// Shorthand for small integers, such as a number of rows.
    fn from_usize(value: usize) -> Self {
        Self::from_f64(value as f64)
    }
    /// Of numbers that only write down what is done with them: how many elements a line has.
    #[doc(hidden)]
    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn width_of_line() -> Option<Self> {
        None
    }
    /// Of such numbers: what becomes of a function of each element of a line.
    #[doc(hidden)]
    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn over_line(fold: Fold, of: &dyn Fn([Self; 3]) -> Self) -> Option<Self> {
        let _ = (fold, of);
        None
    }
    /// Of such numbers: the one at a place, or 0.
    #[doc(hidden)]
    #[cfg(any(feature = "cuda", feature = "testing", test))]
    fn one_of(numbers: &[f32], at: Self) -> Option<Self> {
        let _ = (numbers, at);
        None
    }
    /// What `stop_gradient` makes of a number: the number itself. In tests, differences of `f64` are
    /// taken with what it was before something was moved.
    #[inline(always)]
    fn held(self) -> Self {
        self
    }
}

impl Float for f32 {
    const IS_VECTORISED: bool = true;

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        value
    }
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Float for f64 {
    const IS_VECTORISED: bool = false;

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        f64::from(value)
    }
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[cfg(any(test, feature = "testing"))]
    fn held(self) -> Self {
        super::held::held(self)
    }
}
