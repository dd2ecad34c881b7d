//! Numbers that write down what is done with them.

use std::cmp::Ordering;
use std::fmt;
use std::num::FpCategory;
use std::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};

use num_traits::{Float as _, Num, One, ToPrimitive, Zero};

use super::{Node, TRACE, Trace, follow};
use crate::device::cpu::math::Math;
use crate::device::cpu::scratch::Scratch;
use crate::device::float::Float;
use crate::device::{Arith, Fold};

/// A number of which only its origin is known.
#[derive(Clone, Copy)]
pub struct Traced(pub(super) u16);

impl Traced {
    pub(super) fn with<T>(default: T, work: impl FnOnce(&mut Trace) -> T) -> T {
        TRACE.with_borrow_mut(|trace| trace.as_mut().map_or(default, work))
    }

    fn apply(text: &'static str, operands: [Traced; 3]) -> Self {
        let operands = operands.map(|operand| operand.0);
        Self::with(Self(0), |trace| {
            Self(trace.node(Node::Number(text, operands)))
        })
    }

    fn unary(self, text: &'static str) -> Self {
        Self::apply(text, [self; 3])
    }

    fn binary(self, text: &'static str, other: Self) -> Self {
        Self::apply(text, [self, other, other])
    }

    fn test(self, text: &'static str, other: Self) -> bool {
        let operands = [self.0, other.0, other.0];
        Self::with(false, |trace| trace.decide(Node::Test(text, operands)))
    }

    /// An input of what is written down.
    pub(super) fn input(at: usize) -> Self {
        Self::with(Self(0), |trace| Self(trace.node(Node::Input(at as u8))))
    }

    fn literal(value: f32) -> Self {
        Self::with(Self(0), |trace| {
            Self(trace.node(Node::Literal(value.to_bits())))
        })
    }

    /// Something that cannot be written down.
    pub(super) fn fail<T>(result: T) -> T {
        Self::with((), |trace| trace.failed = true);
        result
    }
}

macro_rules! operators {
    ($($operator:ident $method:ident $assign:ident $assign_method:ident $text:literal;)*) => {$(
        impl $operator for Traced {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.binary($text, other)
            }
        }

        impl $assign for Traced {
            fn $assign_method(&mut self, other: Self) {
                *self = self.binary($text, other);
            }
        }
    )*};
}

operators! {
    Add add AddAssign add_assign "A + B";
    Sub sub SubAssign sub_assign "A - B";
    Mul mul MulAssign mul_assign "A * B";
    Div div DivAssign div_assign "A / B";
    Rem rem RemAssign rem_assign "fmodf(A, B)";
}

impl Neg for Traced {
    type Output = Self;
    fn neg(self) -> Self {
        self.unary("-A")
    }
}

impl PartialEq for Traced {
    fn eq(&self, other: &Self) -> bool {
        self.test("A == B", *other)
    }
}

impl PartialOrd for Traced {
    fn partial_cmp(&self, _other: &Self) -> Option<Ordering> {
        Self::fail(None)
    }
    fn lt(&self, other: &Self) -> bool {
        self.test("A < B", *other)
    }
    fn le(&self, other: &Self) -> bool {
        self.test("A <= B", *other)
    }
    fn gt(&self, other: &Self) -> bool {
        self.test("A > B", *other)
    }
    fn ge(&self, other: &Self) -> bool {
        self.test("A >= B", *other)
    }
}

impl Zero for Traced {
    fn zero() -> Self {
        Self::literal(0.0)
    }
    fn is_zero(&self) -> bool {
        *self == Self::zero()
    }
}

impl One for Traced {
    fn one() -> Self {
        Self::literal(1.0)
    }
}

impl Num for Traced {
    type FromStrRadixErr = ();
    fn from_str_radix(_text: &str, _radix: u32) -> Result<Self, ()> {
        Self::fail(Err(()))
    }
}

impl ToPrimitive for Traced {
    fn to_i64(&self) -> Option<i64> {
        Self::fail(None)
    }
    fn to_u64(&self) -> Option<u64> {
        Self::fail(None)
    }
}

impl num_traits::NumCast for Traced {
    fn from<T: ToPrimitive>(number: T) -> Option<Self> {
        number.to_f32().map(<Self as Float>::from_f32)
    }
}

impl Default for Traced {
    fn default() -> Self {
        Self::zero()
    }
}

impl fmt::Debug for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Functions of one number, by their names in CUDA C.
macro_rules! unary {
    ($($method:ident $text:literal)*) => {$(
        fn $method(self) -> Self {
            self.unary($text)
        }
    )*};
}

macro_rules! binary {
    ($($method:ident $text:literal)*) => {$(
        fn $method(self, other: Self) -> Self {
            self.binary($text, other)
        }
    )*};
}

macro_rules! literals {
    ($($method:ident $value:expr;)*) => {$(
        fn $method() -> Self {
            Self::literal($value)
        }
    )*};
}

impl num_traits::Float for Traced {
    literals! {
        nan f32::NAN;
        infinity f32::INFINITY;
        neg_infinity f32::NEG_INFINITY;
        neg_zero -0.0;
        min_value f32::MIN;
        min_positive_value f32::MIN_POSITIVE;
        epsilon f32::EPSILON;
        max_value f32::MAX;
    }

    unary! {
        floor "floorf(A)"
        ceil "ceilf(A)"
        trunc "truncf(A)"
        // Halves go away from 0, as in Rust.
        round "roundf(A)"
        abs "fabsf(A)"
        signum "(A != A ? A : copysignf(1.0f, A))"
        recip "1.0f / A"
        sqrt "sqrtf(A)"
        exp "expf(A)"
        exp2 "exp2f(A)"
        ln "logf(A)"
        log2 "log2f(A)"
        log10 "log10f(A)"
        cbrt "cbrtf(A)"
        sin "sinf(A)"
        cos "cosf(A)"
        tan "tanf(A)"
        asin "asinf(A)"
        acos "acosf(A)"
        atan "atanf(A)"
        exp_m1 "expm1f(A)"
        ln_1p "log1pf(A)"
        sinh "sinhf(A)"
        cosh "coshf(A)"
        tanh "tanhf(A)"
        asinh "asinhf(A)"
        acosh "acoshf(A)"
        atanh "atanhf(A)"
    }

    binary! {
        powf "powf(A, B)"
        log "logf(A) / logf(B)"
        max "fmaxf(A, B)"
        min "fminf(A, B)"
        abs_sub "fdimf(A, B)"
        hypot "hypotf(A, B)"
        atan2 "atan2f(A, B)"
        copysign "copysignf(A, B)"
    }

    fn fract(self) -> Self {
        self - self.trunc()
    }
    fn mul_add(self, a: Self, b: Self) -> Self {
        Self::apply("fmaf(A, B, C)", [self, a, b])
    }
    fn powi(self, n: i32) -> Self {
        self.powf(<Self as Float>::from_f64(n.into()))
    }
    fn sin_cos(self) -> (Self, Self) {
        (self.sin(), self.cos())
    }
    fn is_nan(self) -> bool {
        self.test("A != A", self)
    }
    fn is_infinite(self) -> bool {
        self.abs().test("A == B", Self::infinity())
    }
    fn is_finite(self) -> bool {
        self.abs().test("A < B", Self::infinity())
    }
    fn is_sign_negative(self) -> bool {
        self.test("signbit(A)", self)
    }
    fn is_sign_positive(self) -> bool {
        !self.is_sign_negative()
    }
    fn is_normal(self) -> bool {
        Self::fail(false)
    }
    fn classify(self) -> FpCategory {
        Self::fail(FpCategory::Normal)
    }
    fn integer_decode(self) -> (u64, i16, i8) {
        Self::fail((0, 0, 0))
    }
}

impl Math for Traced {
    fn exp_of<A: Arith>(x: Self) -> Self {
        x.exp()
    }
    fn exp_m1_of<A: Arith>(x: Self) -> Self {
        x.exp_m1()
    }
    fn ln_of<A: Arith>(x: Self) -> Self {
        x.ln()
    }
    fn erfc_of<A: Arith>(x: Self) -> Self {
        x.unary("erfcf(A)")
    }
}

impl Scratch for Traced {
    fn with_scratch<T>(len: usize, work: impl FnOnce(&mut [Self]) -> T) -> T {
        work(&mut vec![Self::zero(); len])
    }
}

impl Float for Traced {
    const IS_VECTORISED: bool = false;

    fn from_f32(value: f32) -> Self {
        Self::with(Self(0), |trace| Self(trace.constant(value)))
    }
    fn from_f64(value: f64) -> Self {
        Self::from_f32(value as f32)
    }
    fn to_f32(self) -> f32 {
        Self::fail(f32::NAN)
    }
    fn to_f64(self) -> f64 {
        Self::fail(f64::NAN)
    }

    fn width_of_line() -> Option<Self> {
        Some(Self::with(Self(0), |trace| Self(trace.node(Node::Width))))
    }

    fn over_line(fold: Fold, of: &dyn Fn([Self; 3]) -> Self) -> Option<Self> {
        let element = follow(&|| vec![of([0, 1, 2].map(Self::input)).0]);
        let element = element.first().copied().unwrap_or(0);
        Some(Self::with(Self(0), |trace| {
            if fold == Fold::Gradient {
                trace.gradient = Some(element);
                return Self(element);
            }
            Self(trace.node(Node::Fold(fold, element)))
        }))
    }

    fn one_of(numbers: &[f32], at: Self) -> Option<Self> {
        Some(Self::with(Self(0), |trace| {
            let mut chosen = trace.node(Node::Literal(0));
            for (place, number) in numbers.iter().enumerate() {
                let place = trace.node(Node::Literal((place as f32).to_bits()));
                let is_it = trace.node(Node::Test("A == B", [at.0, place, place]));
                let number = trace.node(Node::Literal(number.to_bits()));
                chosen = trace.select(is_it, number, chosen);
            }
            Self(chosen)
        }))
    }
}
