//! The activations that work on single numbers: each one's formula and its derivative.
//!
//! A derivative has the input and the value. Where [`Activation::gradient_needs_input`] is false
//! the input may be missing, and is then the value again: such a derivative asks no more of it
//! than its sign.

use super::super::math::{erfc, exp, exp_m1, sigmoid, sigmoid_and_rest, softplus, tanh};
use super::super::simd::Arith;
use crate::device::Activation;
use crate::device::float::Float;

/// A function of single numbers.
pub trait Function: Copy + Send + Sync {
    /// `f(x)`.
    fn value<F: Float, A: Arith>(self, x: F) -> F;
    /// `f'(x)`, `y = f(x)`.
    fn slope<F: Float, A: Arith>(self, x: F, y: F) -> F;
}

/// Something to do with a function.
pub trait Visitor {
    /// Does it.
    fn visit(self, function: impl Function);
}

/// `Name(arguments) of pattern => value of x; derivative of (x, y)`, both of numbers of type `F`.
macro_rules! functions {
    ($($name:ident $(($($arg:ident),*))? of $pattern:pat => |$x:ident| $value:expr; |$dx:ident, $dy:ident| $slope:expr;)*) => {
        $(
            #[derive(Clone, Copy)]
            struct $name { $($($arg: f32),*)? }

            impl Function for $name {
                #[inline(always)]
                fn value<F: Float, A: Arith>(self, $x: F) -> F {
                    $($(let $arg = F::from_f32(self.$arg);)*)?
                    $value
                }
                #[inline(always)]
                #[allow(unused_variables)]
                fn slope<F: Float, A: Arith>(self, $dx: F, $dy: F) -> F {
                    $($(let $arg = F::from_f32(self.$arg);)*)?
                    $slope
                }
            }
        )*

        /// Does something with a function; false if it is none of single numbers.
        pub fn visit(activation: Activation, visitor: impl Visitor) -> bool {
            match activation {
                $($pattern => visitor.visit($name { $($($arg),*)? }),)*
                Activation::Glu
                | Activation::LogSoftmax
                | Activation::Softmax
                | Activation::Sparsemax => return false,
            }
            true
        }
    };
}

/// Selu's factors.
const SELU: [f64; 2] = [1.050_700_987_355_480_5, 1.673_263_242_354_377_2];

functions! {
    Celu(alpha) of Activation::Celu { alpha } =>
        |x| if x > zero() { x } else { alpha * exp_m1::<F, A>(x / alpha) };
        |x, y| if x > zero() { one() } else { y / alpha + one() };

    Elu(alpha) of Activation::Elu { alpha } =>
        |x| if x > zero() { x } else { alpha * exp_m1::<F, A>(x) };
        |x, y| if x > zero() { one() } else { y + alpha };

    Exponential of Activation::Exponential =>
        |x| exp::<F, A>(x);
        |x, y| y;

    Gelu of Activation::Gelu { approximate: false } =>
        |x| num::<F>(0.5) * x * erfc::<F, A>(-x * num(std::f64::consts::FRAC_1_SQRT_2));
        |x, y| {
            let below = num::<F>(0.5) * erfc::<F, A>(-x * num(std::f64::consts::FRAC_1_SQRT_2));
            // 1 / √(2π)
            let density = num::<F>(0.398_942_280_401_432_7) * exp::<F, A>(num::<F>(-0.5) * x * x);
            below + x * density
        };

    GeluOfTanh of Activation::Gelu { approximate: true } =>
        |x| x * sigmoid::<F, A>(gelu_argument(x));
        |x, y| {
            let x = between(x, num(-100.0), num(100.0));
            let (s, rest) = sigmoid_and_rest::<F, A>(gelu_argument(x));
            let inner = num::<F>(GELU[0]) * (one::<F>() + num::<F>(3.0 * GELU[1]) * x * x);
            s * (one::<F>() + x * rest * inner)
        };

    HardShrink(threshold) of Activation::HardShrink { threshold } =>
        |x| if x.abs() > threshold { x } else { zero() };
        |x, y| if y == zero() { zero() } else { one() };

    HardSigmoid of Activation::HardSigmoid =>
        |x| between(x + num(3.0), zero(), num(6.0)) / num(6.0);
        |x, y| inside(y, zero(), one()) / num(6.0);

    HardSilu of Activation::HardSilu =>
        |x| x * (between(x + num(3.0), zero(), num(6.0)) / num(6.0));
        |x, y| {
            let slope = x / num(3.0) + num(0.5);
            let slope = if x < num(-3.0) { zero() } else { slope };
            if x > num(3.0) { one() } else { slope }
        };

    HardTanh of Activation::HardTanh =>
        |x| between(x, num(-1.0), one());
        |x, y| inside(y, num(-1.0), one());

    LeakyRelu(negative_slope) of Activation::LeakyRelu { negative_slope } =>
        |x| if x < zero() { negative_slope * x } else { x };
        |x, y| if x < zero() { negative_slope } else { one() };

    Linear of Activation::Linear =>
        |x| x;
        |x, y| one();

    LogSigmoid of Activation::LogSigmoid =>
        |x| -softplus::<F, A>(-x);
        |x, y| -exp_m1::<F, A>(y);

    // tanh(ln(1 + e)) = n / (n + 2) with e = e^x, n = e (e + 2): nothing cancels.
    Mish of Activation::Mish =>
        |x| {
            let e = exp::<F, A>(between(x, num(-1e4), num(20.0)));
            let n = e * (e + num(2.0));
            x * (n / (n + num(2.0)))
        };
        |x, y| {
            let e = exp::<F, A>(between(x, num(-1e4), num(20.0)));
            let n = e * (e + num(2.0));
            let m = n + num(2.0);
            let change = num::<F>(4.0) * e * (e + one()) / (m * m);
            n / m + x * if x > num(20.0) { zero() } else { change }
        };

    Relu of Activation::Relu =>
        |x| if x < zero() { zero() } else { x };
        |x, y| if y > zero() { one() } else { zero() };

    ReluWith(negative_slope, max_value, threshold)
        of Activation::ReluWith { negative_slope, max_value, threshold } =>
        |x| {
            let above = if x > max_value { max_value } else { x };
            let below = negative_slope * (x - threshold);
            if x <= threshold { below } else { above }
        };
        |x, y| {
            let above = if x < max_value { one() } else { zero() };
            let from = if x > threshold { above } else { zero() };
            if x < threshold { negative_slope } else { from }
        };

    Relu6 of Activation::Relu6 =>
        |x| between(x, zero(), num(6.0));
        |x, y| inside(y, zero(), num(6.0));

    Selu of Activation::Selu =>
        |x| num::<F>(SELU[0]) * if x > zero() { x } else { num::<F>(SELU[1]) * exp_m1::<F, A>(x) };
        |x, y| if y > zero() { num(SELU[0]) } else { y + num(SELU[0] * SELU[1]) };

    Sigmoid of Activation::Sigmoid =>
        |x| sigmoid::<F, A>(x);
        |x, y| y * (one::<F>() - y);

    Silu of Activation::Silu =>
        |x| x * sigmoid::<F, A>(x);
        |x, y| {
            let (s, rest) = sigmoid_and_rest::<F, A>(x);
            s * (one::<F>() + x * rest)
        };

    SoftShrink(threshold) of Activation::SoftShrink { threshold } =>
        |x| {
            let below = if x < -threshold { x + threshold } else { zero() };
            if x > threshold { x - threshold } else { below }
        };
        |x, y| if y == zero() { zero() } else { one() };

    Softplus of Activation::Softplus =>
        |x| softplus::<F, A>(x);
        |x, y| -exp_m1::<F, A>(-y);

    Softsign of Activation::Softsign =>
        |x| x / (one::<F>() + x.abs());
        |x, y| {
            let rest = one::<F>() - y.abs();
            rest * rest
        };

    SparsePlus of Activation::SparsePlus =>
        |x| {
            let rise = (x + one()) * (x + one()) * num(0.25);
            let rise = if x < num(-1.0) { zero() } else { rise };
            if x > one() { x } else { rise }
        };
        |x, y| if y > one() { one() } else { y.sqrt() };

    SparseSigmoid of Activation::SparseSigmoid =>
        |x| between((x + one()) * num(0.5), zero(), one());
        |x, y| num::<F>(0.5) * inside(y, zero(), one());

    // y = b / 4 / y' with the y' of -x, so that nothing cancels below 0.
    Squareplus(b) of Activation::Squareplus { b } =>
        |x| {
            let size = x.abs();
            let root = if size > num(1e9) { size } else { (x * x + b).sqrt() };
            let above = (size + root) * num(0.5);
            if x < zero() { b * num(0.25) / above } else { above }
        };
        |x, y| one::<F>() / (one::<F>() + b * num(0.25) / (y * y));

    Tanh of Activation::Tanh =>
        |x| tanh::<F, A>(x);
        |x, y| one::<F>() - y * y;

    TanhShrink of Activation::TanhShrink =>
        |x| x - tanh::<F, A>(x);
        |x, y| {
            let t = tanh::<F, A>(x);
            t * t
        };

    Threshold(threshold, default_value) of Activation::Threshold { threshold, default_value } =>
        |x| if x <= threshold { default_value } else { x };
        |x, y| if x > threshold { one() } else { zero() };
}

/// (1 + tanh(u)) / 2 = sigmoid(2 u), with gelu's 2 u = 2 √(2/π) (x + 0.044715 x³).
const GELU: [f64; 2] = [1.595_769_121_605_730_8, 0.044_715];

#[inline(always)]
fn gelu_argument<F: Float>(x: F) -> F {
    num::<F>(GELU[0]) * x * (one::<F>() + num::<F>(GELU[1]) * x * x)
}

#[inline(always)]
fn num<F: Float>(value: f64) -> F {
    F::from_f64(value)
}

#[inline(always)]
fn zero<F: Float>() -> F {
    F::zero()
}

#[inline(always)]
fn one<F: Float>() -> F {
    F::one()
}

/// x, at least `from` and at most `to`; NaN stays NaN.
#[inline(always)]
fn between<F: Float>(x: F, from: F, to: F) -> F {
    let x = if x < from { from } else { x };
    if x > to { to } else { x }
}

/// 1 where `from < y < to`, else 0.
#[inline(always)]
fn inside<F: Float>(y: F, from: F, to: F) -> F {
    let above = if y > from { one() } else { zero() };
    if y < to { above } else { zero() }
}
