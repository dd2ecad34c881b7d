//! Arguments of constructors as Keras' configurations have them.

use super::Alpha;
use crate::device::{Axes, Reduction};
use crate::error::{Error, Result};

/// An argument of a constructor, as it stands in a configuration of Keras.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// `null`.
    None,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list of numbers.
    List(Vec<f64>),
}

impl From<bool> for Argument {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Argument {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Argument {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<Vec<f64>> for Argument {
    fn from(value: Vec<f64>) -> Self {
        Self::List(value)
    }
}

impl Argument {
    /// The argument as the type that its builder method takes.
    pub(super) fn read<T: Read>(&self, name: &str) -> Result<T> {
        T::read(self)?.ok_or_else(|| {
            Error::value(format!(
                "Invalid value for argument `{name}`. Expected {}. Received: {name}={self:?}",
                T::EXPECTED
            ))
        })
    }

    fn whole(&self) -> Option<isize> {
        match *self {
            Self::Number(number) if number.fract() == 0.0 => Some(number as isize),
            _ => None,
        }
    }
}

/// A type that builder methods take.
pub(super) trait Read: Sized {
    /// What it expects.
    const EXPECTED: &'static str;
    /// The value, if the argument is of this type.
    ///
    /// # Errors
    /// With Keras' sentence, where it has one.
    fn read(argument: &Argument) -> Result<Option<Self>>;
}

/// Implements [`Read`] by what becomes of an argument.
macro_rules! read {
    ($($ty:ty, $expected:literal: |$argument:ident| $value:expr;)*) => {
        $(impl Read for $ty {
            const EXPECTED: &'static str = $expected;

            fn read($argument: &Argument) -> Result<Option<Self>> {
                Ok($value)
            }
        })*
    };
}

read! {
    bool, "a boolean": |argument| match *argument {
        Argument::Bool(value) => Some(value),
        _ => None,
    };
    f32, "a number": |argument| match *argument {
        Argument::Number(value) => Some(value as f32),
        _ => None,
    };
    isize, "a whole number": |argument| argument.whole();
    i32, "a whole number": |argument| argument.whole().and_then(|number| number.try_into().ok());
    String, "a text": |argument| match argument {
        Argument::Text(text) => Some(text.clone()),
        _ => None,
    };
    Axes, "an axis or a list of axes": |argument| match argument {
        Argument::List(axes) => {
            let axes = axes.iter().map(|&axis| Argument::Number(axis).whole());
            axes.collect::<Option<Vec<_>>>().map(Axes::Several)
        }
        _ => argument.whole().map(Axes::One),
    };
    Alpha, "a number or a list of numbers": |argument| match argument {
        Argument::Number(alpha) => Some(Alpha::One(*alpha as f32)),
        Argument::List(alphas) => {
            Some(Alpha::Each(alphas.iter().map(|&alpha| alpha as f32).collect()))
        }
        _ => None,
    };
}

impl Read for Reduction {
    const EXPECTED: &'static str = "a text";

    fn read(argument: &Argument) -> Result<Option<Self>> {
        match argument {
            Argument::None => Ok(Some(Self::None)),
            Argument::Text(name) => Self::by_name(name).map(Some),
            _ => Ok(None),
        }
    }
}
