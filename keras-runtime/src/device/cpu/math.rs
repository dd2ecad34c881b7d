//! `exp`, `ln`, `tanh` and their kin without branches or calls, so that rustc vectorises the loops
//! that use them.
//!
//! In `f32` each is a polynomial on a short interval, extended by what the function does with the
//! exponent of its argument. The coefficients are least-maximum (Remez) fits. In `f64`, which only
//! tests compute with, they are the functions of the standard library.
//!
//! | function | interval | greatest error in f32, in units of the last place |
//! |---|---|---|
//! | `exp` | all | 1.1 |
//! | `exp_m1` | all | 2.1 |
//! | `ln` | all | 1.1 |
//! | `ln_1p` | x > -1 | 2.1 |
//! | `tanh` | all | 3.1 |
//! | `sigmoid` | x > -87 | 3.1 |
//! | `erfc` | x < 0.75 | 4; beyond, 7, and the rounding of `x²` adds `x²` units |

use super::simd::Arith;
use crate::device::float::Float;

/// The functions that a number type has its own code for. The rest of this module is made of them.
pub trait Math: Sized {
    /// `e^x`.
    fn exp_of<A: Arith>(x: Self) -> Self;
    /// `e^x - 1`, exact to the last places near 0.
    fn exp_m1_of<A: Arith>(x: Self) -> Self;
    /// The natural logarithm.
    fn ln_of<A: Arith>(x: Self) -> Self;
    /// `1 - erf(x)`, for Φ(x) = erfc(-x / √2) / 2.
    fn erfc_of<A: Arith>(x: Self) -> Self;
}

/// `e^x`.
#[inline(always)]
pub fn exp<F: Float, A: Arith>(x: F) -> F {
    F::exp_of::<A>(x)
}

/// `e^x - 1`.
#[inline(always)]
pub fn exp_m1<F: Float, A: Arith>(x: F) -> F {
    F::exp_m1_of::<A>(x)
}

/// The natural logarithm.
#[inline(always)]
pub fn ln<F: Float, A: Arith>(x: F) -> F {
    F::ln_of::<A>(x)
}

/// `ln(1 + x)` for x > -1: what the sum has lost is added with the derivative of `ln`.
#[inline(always)]
pub fn ln_1p<F: Float, A: Arith>(x: F) -> F {
    let sum = F::one() + x;
    let lost = (x - (sum - F::one())) / sum;
    // Nothing that matters is lost of a large x, and ∞ - ∞ is no number.
    let lost = if x > F::from_f32(1e8) {
        F::zero()
    } else {
        lost
    };
    ln::<F, A>(sum) + lost
}

/// `(e^2x - 1) / (e^2x + 1)`.
#[inline(always)]
pub fn tanh<F: Float, A: Arith>(x: F) -> F {
    let limit = F::from_f32(20.0);
    let size = if x < F::zero() { -x } else { x };
    let size = if size > limit { limit } else { size };
    let e = exp_m1::<F, A>(size + size);
    let y = e / (e + F::from_f32(2.0));
    if x < F::zero() { -y } else { y }
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub fn sigmoid<F: Float, A: Arith>(x: F) -> F {
    F::one() / (F::one() + exp::<F, A>(-x))
}

/// `s = sigmoid(x)` and `1 - s`, in which nothing cancels.
#[inline(always)]
pub fn sigmoid_and_rest<F: Float, A: Arith>(x: F) -> (F, F) {
    // e^-x stays finite, for ∞ · 0 is no number.
    let least = F::from_f32(-80.0);
    let e = exp::<F, A>(-if x < least { least } else { x });
    let s = F::one() / (F::one() + e);
    (s, e * s)
}

/// `ln(1 + e^x)`.
#[inline(always)]
pub fn softplus<F: Float, A: Arith>(x: F) -> F {
    let (above, size) = if x > F::zero() {
        (x, x)
    } else {
        (F::zero(), -x)
    };
    above + ln_1p::<F, A>(exp::<F, A>(-size))
}

/// `erfc(x) = 1 - erf(x)`.
#[inline(always)]
pub fn erfc<F: Float, A: Arith>(x: F) -> F {
    F::erfc_of::<A>(x)
}

/// `c[0] + c[1] x + c[2] x² + ..`.
#[inline(always)]
fn polynomial<A: Arith, const N: usize>(c: [f32; N], x: f32) -> f32 {
    let mut sum = c[N - 1];
    for i in (0..N - 1).rev() {
        sum = A::mul_add(sum, x, c[i]);
    }
    sum
}

/// `x = n ln 2 + r`, |r| <= ln 2 / 2: `(e^r - 1, 2^n)`, the power in two factors that are both
/// representable.
#[inline(always)]
fn exp_parts<A: Arith>(x: f32) -> (f32, f32, f32) {
    /// ln 2 in two parts; the product of the first one with an exponent is exact.
    const LN2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// Adding it rounds to a whole number, which is then in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = if x < -105.0 { -105.0 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    let rounded = A::mul_add(x, std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = A::mul_add(n, -LN2[1], A::mul_add(n, -LN2[0], x));
    let q = polynomial::<A, 5>(
        [
            0.5,
            0.166_665_43,
            0.041_666_28,
            0.008_366_584,
            0.001_394_645_1,
        ],
        r,
    );
    let n = (rounded.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let half = n >> 1;
    let power = |n: i32| f32::from_bits((n.wrapping_add(127) as u32) << 23);
    (
        A::mul_add(r * r, q, r),
        power(half),
        power(n.wrapping_sub(half)),
    )
}

impl Math for f32 {
    #[inline(always)]
    fn exp_of<A: Arith>(x: f32) -> f32 {
        let (m, a, b) = exp_parts::<A>(x);
        (1.0 + m) * a * b
    }

    #[inline(always)]
    fn exp_m1_of<A: Arith>(x: f32) -> f32 {
        let (m, a, b) = exp_parts::<A>(x);
        let power = a * b;
        let near = A::mul_add(m, power, power - 1.0);
        // Past 2^24 the 1 is lost anyway, and the power alone may be infinite.
        if x > 30.0 { (1.0 + m) * a * b } else { near }
    }

    #[inline(always)]
    fn ln_of<A: Arith>(x: f32) -> f32 {
        const LN2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
        /// √½: the significand is brought between it and √2.
        const LEAST: u32 = 0x3f35_04f3;
        let tiny = x < f32::MIN_POSITIVE;
        let bits = if tiny { x * 8_388_608.0 } else { x }.to_bits();
        let e = (bits.wrapping_sub(LEAST) as i32) >> 23;
        let t = f32::from_bits(bits.wrapping_sub((e << 23) as u32)) - 1.0;
        let e = e as f32 - if tiny { 23.0 } else { 0.0 };
        let q = polynomial::<A, 9>(
            [
                0.333_333_1,
                -0.249_999_87,
                0.200_022_27,
                -0.166_692_53,
                0.142_186_66,
                -0.123_843_364,
                0.118_729_18,
                -0.117_898_55,
                0.069_155_46,
            ],
            t,
        );
        let square = t * t;
        let rest = A::mul_add(e, LN2[1], t * square * q);
        let y = A::mul_add(e, LN2[0], t + A::mul_add(square, -0.5, rest));
        let y = if x > 0.0 { y } else { f32::NAN };
        let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
        if x == f32::INFINITY { x } else { y }
    }

    /// Near 0 `1 - x S(x²)`, elsewhere `e^(-x²) u P(u)` with `u = 3 / (3 + |x|)`: the scaled erfc
    /// is smooth.
    #[inline(always)]
    fn erfc_of<A: Arith>(x: f32) -> f32 {
        let (size, square) = (x.abs(), x * x);
        let s = polynomial::<A, 7>(
            [
                std::f32::consts::FRAC_2_SQRT_PI,
                -0.376_126_26,
                0.112_836,
                -0.026_854_444,
                0.005_189_535_7,
                -0.000_802_084_2,
                0.000_078_891_23,
            ],
            square,
        );
        let u = 3.0 / (3.0 + size);
        let p = polynomial::<A, 10>(
            [
                0.188_039_75,
                0.188_610_17,
                0.172_043_56,
                0.189_310_46,
                0.006_143_702_7,
                0.388_685_44,
                -0.423_539_34,
                0.522_607_86,
                -0.286_602,
                0.054_700_41,
            ],
            u,
        );
        let far = Self::exp_of::<A>(-square) * u * p;
        let far = if x < 0.0 { 2.0 - far } else { far };
        if size < 0.75 {
            A::mul_add(-x, s, 1.0)
        } else {
            far
        }
    }
}

impl Math for f64 {
    #[inline(always)]
    fn exp_of<A: Arith>(x: f64) -> f64 {
        x.exp()
    }

    #[inline(always)]
    fn exp_m1_of<A: Arith>(x: f64) -> f64 {
        x.exp_m1()
    }

    #[inline(always)]
    fn ln_of<A: Arith>(x: f64) -> f64 {
        x.ln()
    }

    /// The series of erf near 0, the continued fraction of erfc far from it.
    #[inline(never)]
    fn erfc_of<A: Arith>(x: f64) -> f64 {
        let square = x * x;
        let size = x.abs();
        if size < 2.0 {
            let (mut term, mut sum) = (x, x);
            for n in 1..60 {
                term *= 2.0 * square / f64::from(2 * n + 1);
                sum += term;
            }
            return 1.0 - std::f64::consts::FRAC_2_SQRT_PI * (-square).exp() * sum;
        }
        let mut fraction = size;
        for n in (1..120).rev() {
            fraction = size + f64::from(n) / 2.0 / fraction;
        }
        let y = (-square).exp() / fraction * std::f64::consts::FRAC_2_SQRT_PI / 2.0;
        if x < 0.0 { 2.0 - y } else { y }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::cpu::simd::{Fused, Separate};

    type Single = fn(f32) -> f32;
    type Pair = (Single, fn(f64) -> f64);

    /// Every 641st number between two, and the ends.
    fn numbers(from: f32, to: f32) -> impl Iterator<Item = f32> {
        let key = |x: f32| {
            let bits = x.to_bits() as i32;
            if bits < 0 {
                i32::MIN.wrapping_sub(bits)
            } else {
                bits
            }
        };
        let number = |key: i32| {
            f32::from_bits(if key < 0 {
                i32::MIN.wrapping_sub(key)
            } else {
                key
            } as u32)
        };
        (key(from)..=key(to)).step_by(641).map(number).chain([to])
    }

    /// The error in units of the last place of the result.
    #[track_caller]
    fn assert_ulps(what: &str, (f, exact): Pair, from: f32, to: f32, limit: f64) {
        let mut worst = (0.0, 0.0);
        for x in numbers(from, to) {
            let (found, exact) = (f(x), exact(f64::from(x)));
            let size = (exact.abs() as f32).clamp(f32::MIN_POSITIVE, f32::MAX);
            let ulp = f64::from(f32::from_bits(size.to_bits() & 0x7f80_0000)) * 2f64.powi(-23);
            let error = (f64::from(found) - exact).abs() / ulp;
            if error.is_nan() || error > worst.0 {
                worst = (error, x);
            }
        }
        assert!(
            worst.0 <= limit,
            "{what}({}) is off by {} ulp",
            worst.1,
            worst.0
        );
    }

    fn check<A: Arith>() {
        let erfc64: fn(f64) -> f64 = f64::erfc_of::<A>;
        assert_ulps("exp", (exp::<f32, A>, f64::exp), -103.0, 88.7, 1.1);
        assert_ulps("exp_m1", (exp_m1::<f32, A>, f64::exp_m1), -103.0, 88.7, 2.1);
        assert_ulps("ln", (ln::<f32, A>, f64::ln), 1e-45, f32::MAX, 1.1);
        assert_ulps(
            "ln_1p",
            (ln_1p::<f32, A>, f64::ln_1p),
            -0.999,
            f32::MAX,
            2.1,
        );
        assert_ulps("tanh", (tanh::<f32, A>, f64::tanh), -1e9, 1e9, 3.1);
        let exact: fn(f64) -> f64 = |x| 1.0 / (1.0 + (-x).exp());
        assert_ulps("sigmoid", (sigmoid::<f32, A>, exact), -87.0, 1e9, 3.1);
        let exact: fn(f64) -> f64 = |x| x.max(0.0) + (-x.abs()).exp().ln_1p();
        assert_ulps("softplus", (softplus::<f32, A>, exact), -87.0, 1e9, 3.1);
        assert_ulps("erfc", (erfc::<f32, A>, erfc64), -10.0, 0.75, 4.0);
        assert_ulps("erfc", (erfc::<f32, A>, erfc64), 0.75, 2.0, 11.0);
        assert_ulps("erfc", (erfc::<f32, A>, erfc64), 2.0, 9.0, 88.0);
    }

    #[test]
    fn errors_are_below_those_documented() {
        check::<Separate>();
        check::<Fused>();
    }

    #[test]
    fn erfc_in_f64_is_that_of_the_tables() {
        for (x, exact) in [
            (0.0, 1.0),
            (0.5, 0.479_500_122_186_953_5),
            (1.0, 0.157_299_207_050_285_13),
            (-1.5, 1.966_105_146_475_310_7),
            (2.0, 0.004_677_734_981_047_266),
            (3.0, 2.209_049_699_858_544e-5),
            (-3.0, 1.999_977_909_503_001_4),
        ] {
            let found = f64::erfc_of::<Separate>(x);
            assert!((found / exact - 1.0).abs() < 1e-13, "erfc({x}) is {found}");
        }
    }

    /// Functions of infinities and of no numbers.
    #[test]
    fn the_ends() {
        type A = Separate;
        let inf = f32::INFINITY;
        let cases: [(Single, [f32; 3]); 6] = [
            (exp::<f32, A>, [0.0, inf, 1.0]),
            (exp_m1::<f32, A>, [-1.0, inf, 0.0]),
            (tanh::<f32, A>, [-1.0, 1.0, 0.0]),
            (sigmoid::<f32, A>, [0.0, 1.0, 0.5]),
            (softplus::<f32, A>, [0.0, inf, std::f32::consts::LN_2]),
            (erfc::<f32, A>, [2.0, 0.0, 1.0]),
        ];
        for (at, (f, expected)) in cases.into_iter().enumerate() {
            let found = [f(-inf), f(inf), f(0.0)];
            let close = |(found, expected): (&f32, &f32)| {
                found == expected || (found - expected).abs() < 1e-6
            };
            assert!(found.iter().zip(&expected).all(close), "{at}: {found:?}");
            assert!(f(f32::NAN).is_nan(), "{at}");
        }
        assert_eq!([ln::<f32, A>(0.0), ln::<f32, A>(inf)], [-inf, inf]);
        assert_eq!(ln_1p::<f32, A>(inf), inf);
        assert!(ln::<f32, A>(-1.0).is_nan() && ln::<f32, A>(f32::NAN).is_nan());
    }
}
