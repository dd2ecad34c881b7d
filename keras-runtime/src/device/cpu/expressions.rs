//! What the code of `#[loss]`, `#[metric]` and `#[layer]` is made of, besides operators and the
//! methods of numbers. Without branches that depend on the numbers, so that rustc vectorises.

pub use super::math::{exp, exp_m1, ln, ln_1p, sigmoid, softplus, tanh};

use crate::device::Float;

/// Element `i` of a row; a row of one stands for all.
#[inline(always)]
pub fn at<F: Float>(row: &[F], i: usize) -> F {
    match *row {
        [one] => one,
        _ => row[i],
    }
}

/// 1 for yes, 0 for no.
#[inline(always)]
pub fn number<F: Float>(yes: bool) -> F {
    if yes { F::one() } else { F::zero() }
}

/// The larger of two; NaN if one of them is.
#[inline(always)]
pub fn maximum<F: Float>(a: F, b: F) -> F {
    if a > b || a.is_nan() { a } else { b }
}

/// The smaller of two; NaN if one of them is.
#[inline(always)]
pub fn minimum<F: Float>(a: F, b: F) -> F {
    if a < b || a.is_nan() { a } else { b }
}

/// What of the gradient of `maximum(a, b)` belongs to `a`: all, nothing, or half of it where they
/// are equal.
#[inline(always)]
pub fn share<F: Float>(a: F, b: F) -> F {
    if a > b {
        F::one()
    } else if a == b {
        F::from_f32(0.5)
    } else {
        F::zero()
    }
}

/// -1, 0 or 1; NaN stays NaN.
#[inline(always)]
pub fn sign<F: Float>(x: F) -> F {
    if x > F::zero() {
        F::one()
    } else if x < F::zero() {
        -F::one()
    } else {
        x
    }
}

/// The nearest whole number, the even one of two that are as near.
#[inline(always)]
pub fn round<F: Float>(x: F) -> F {
    let (below, half) = (x.floor(), F::from_f32(0.5));
    let rest = x - below;
    let is_odd = (below * half).floor() != below * half;
    if rest > half || rest == half && is_odd {
        below + F::one()
    } else {
        below
    }
}

/// The larger of `best` and `value`, the first one of equal ones, and its place.
#[inline(always)]
pub fn larger<F: Float>(best: (F, usize), value: F, place: usize) -> (F, usize) {
    if value > best.0 { (value, place) } else { best }
}

/// The smaller of `best` and `value`, the first one of equal ones, and its place.
#[inline(always)]
pub fn smaller<F: Float>(best: (F, usize), value: F, place: usize) -> (F, usize) {
    if value < best.0 { (value, place) } else { best }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_to_even_numbers() {
        let rounded = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.4, 2.6].map(round::<f64>);
        assert_eq!(rounded, [-2.0, -2.0, 0.0, 0.0, 2.0, 2.0, 0.0, 3.0]);
    }

    #[test]
    fn what_is_no_number_stays_so() {
        let nan = f32::NAN;
        assert!(maximum(nan, 1.0).is_nan() && maximum(1.0, nan).is_nan());
        assert!(minimum(nan, 1.0).is_nan() && minimum(1.0, nan).is_nan());
        assert!(sign(nan).is_nan());
        assert_eq!(
            [share(2.0, 1.0), share(1.0, 1.0), share(1.0, 2.0f32)],
            [1.0, 0.5, 0.0]
        );
    }

    #[test]
    fn the_first_of_equal_places_is_found() {
        let row = [1.0f32, 3.0, 3.0];
        let start = (f32::NEG_INFINITY, 0);
        let best = (0..3).fold(start, |best, i| larger(best, row[i], i));
        assert_eq!(best, (3.0, 1));
    }
}
