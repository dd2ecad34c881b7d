//! The types of arguments, as JSON and back.

use super::Json;
use crate::arg::Size;
use crate::device::{Axes, Reduction};
use crate::error::{Error, Result};

/// A type that an argument of a constructor has.
pub trait Argument {
    /// What it expects, for messages.
    const EXPECTED: &'static str;

    /// As Keras writes it.
    fn to_json(&self) -> Json;

    /// The value; `None` if it is none of this type.
    ///
    /// # Errors
    /// With Keras' sentence, where it has one.
    fn from_json(json: &Json) -> Result<Option<Self>>
    where
        Self: Sized;
}

/// Reads arguments.
pub trait Read {
    /// The value as the type of the argument of this name.
    ///
    /// # Errors
    /// If it is none of this type.
    fn read<T: Argument>(&self, name: &str) -> Result<T>;
}

impl Read for Json {
    fn read<T: Argument>(&self, name: &str) -> Result<T> {
        T::from_json(unwrapped(self))?.ok_or_else(|| mistake(self, name, T::EXPECTED))
    }
}

/// What is wrong with a value that is none of the type of its argument.
fn mistake(value: &Json, name: &str, expected: &str) -> Error {
    Error::value(format!(
        "Invalid value for argument `{name}`. Expected {expected}. Received: {name}={}",
        value.shortened()
    ))
}

/// The numbers of a tensor that Keras was given where it writes a number or a list.
fn unwrapped(json: &Json) -> &Json {
    let class = json.get("class_name").and_then(Json::as_str);
    let value = json.get("config").and_then(|config| config.get("value"));
    match (class, value) {
        (Some("__tensor__" | "__numpy__"), Some(value)) => value,
        _ => json,
    }
}

/// Implements [`Argument`]: what is expected, the JSON of a value, the value of a JSON.
macro_rules! argument {
    ($($ty:ty, $expected:literal: |$value:ident| $json:expr, |$from:ident| $read:expr;)*) => {
        $(impl $crate::config::Argument for $ty {
            const EXPECTED: &'static str = $expected;

            fn to_json(&self) -> $crate::config::Json {
                let $value = self;
                $json
            }

            fn from_json($from: &$crate::config::Json) -> $crate::Result<Option<Self>> {
                Ok($read)
            }
        })*
    };
}
pub(crate) use argument;

/// A number as the nearest of 64 bits that is written with the same digits.
pub(crate) fn widened(number: f32) -> f64 {
    let text = number.to_string();
    text.parse().unwrap_or(f64::from(number))
}

argument! {
    bool, "a boolean": |value| Json::Bool(*value), |json| match *json {
        Json::Bool(value) => Some(value),
        _ => None,
    };
    f32, "a number": |number| Json::Float(widened(*number)), |json| json.as_f64().map(|n| n as f32);
    isize, "a whole number": |number| Json::Int(*number as i128), |json| whole(json);
    i32, "a whole number": |number| Json::Int((*number).into()), |json| whole(json);
    usize, "a whole number that is not negative": |number| Json::from(*number), |json| whole(json);
    u64, "a whole number that is not negative": |number| Json::from(*number), |json| whole(json);
    String, "a text": |text| Json::Text(text.clone()), |json| json.as_str().map(str::to_owned);
    (usize, usize), "one or two whole numbers": |pair| vec![pair.0, pair.1].to_json(), |json| {
        match json.as_list() {
            Some([first, second]) => whole(first).zip(whole(second)),
            Some([both]) => whole(both).map(|both| (both, both)),
            Some(_) => None,
            None => whole(json).map(|both| (both, both)),
        }
    };
    Size, "one or several whole numbers": |size| {
        let values: Vec<isize> = (0..size.count()).map(|at| size.get(at)).collect();
        values.to_json()
    }, |json| match json.as_list() {
        Some(values) if values.len() <= Size::MAX => {
            let values: Option<Vec<isize>> = values.iter().map(whole).collect();
            values.map(|values| Size::new(&values))
        }
        Some(_) => None,
        None => whole(json).map(|value| Size::new(&[value])),
    };
    Reduction, "the name of a reduction": |reduction| Json::from(reduction.name()), |json| match json {
        Json::Null => Some(Self::None),
        Json::Text(name) => Some(Self::by_name(name)?),
        _ => None,
    };
    Axes, "an axis or a list of axes": |axes| match axes {
        Axes::One(axis) => axis.to_json(),
        Axes::Several(axes) => axes.to_json(),
        Axes::All => Json::Null,
    }, |json| match json {
        Json::Null => Some(Axes::All),
        Json::List(axes) => axes.iter().map(whole).collect::<Option<_>>().map(Axes::Several),
        _ => whole(json).map(Axes::One),
    };
}

/// What a constant of a table is.
impl Argument for &str {
    const EXPECTED: &'static str = "a text";

    fn to_json(&self) -> Json {
        Json::Text((*self).into())
    }

    fn from_json(_: &Json) -> Result<Option<Self>> {
        Ok(None)
    }
}

impl<T: Argument> Argument for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn to_json(&self) -> Json {
        self.as_ref().map_or(Json::Null, T::to_json)
    }

    fn from_json(json: &Json) -> Result<Option<Self>> {
        match json {
            Json::Null => Ok(Some(None)),
            _ => Ok(T::from_json(json)?.map(Some)),
        }
    }
}

impl<T: Argument> Argument for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn to_json(&self) -> Json {
        Json::List(self.iter().map(T::to_json).collect())
    }

    fn from_json(json: &Json) -> Result<Option<Self>> {
        let Some(values) = json.as_list() else {
            return Ok(None);
        };
        values.iter().map(T::from_json).collect()
    }
}

impl Argument for Json {
    const EXPECTED: &'static str = "a value";

    fn to_json(&self) -> Json {
        self.clone()
    }

    fn from_json(json: &Json) -> Result<Option<Self>> {
        Ok(Some(json.clone()))
    }
}

fn whole<T: TryFrom<i128>>(json: &Json) -> Option<T> {
    json.as_int().and_then(|number| number.try_into().ok())
}
