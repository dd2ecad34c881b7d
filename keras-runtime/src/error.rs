//! The error of everything that can fail at run time, and the result type.

use std::fmt;
use std::path::Path;

use keras_config::names::nearest;

use crate::shape::ShapeError;

/// What went wrong, as one sentence: what was expected, what was received, and where.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A layer cannot take its inputs.
    Shape {
        /// The layer's class, such as `Dense`.
        class: String,
        /// The layer's name, such as `dense_1`.
        name: String,
        /// The rule's sentence.
        message: String,
    },
    /// An argument or the data does not fit. Keras raises a `ValueError`.
    Value(String),
    /// The model has to be compiled first.
    NotCompiled,
    /// The model has to be built first.
    NotBuilt(String),
    /// Reading or writing a file failed.
    File {
        /// The file.
        path: String,
        /// What the operating system said.
        message: String,
    },
    /// The device failed, for instance for lack of memory.
    Device(String),
    /// A callback of the user failed.
    Callback(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape {
                class,
                name,
                message,
            } => write!(f, "{class} layer `{name}`: {message}"),
            Self::Value(message) | Self::NotBuilt(message) | Self::Callback(message) => {
                f.write_str(message)
            }
            Self::NotCompiled => f.write_str("You must call `compile()` before using the model."),
            Self::File { path, message } => write!(f, "{path}: {message}"),
            Self::Device(message) => write!(f, "the device failed: {message}"),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// An error about an argument or the data.
    pub fn value(message: impl Into<String>) -> Self {
        Self::Value(message.into())
    }

    /// An unknown name, with the nearest known one.
    pub fn unknown(what: &str, name: &str, known: &[&str]) -> Self {
        Self::Value(format!(
            "Could not interpret {what} identifier: {name}.{}",
            Self::suggestion(name, known)
        ))
    }

    /// The same for what a program can register; where no known name is near, it says how.
    pub(crate) fn unregistered(what: &str, name: &str, known: &[&str], register: &str) -> Self {
        let nearest = Self::suggestion(name, known);
        if !nearest.is_empty() {
            return Self::unknown(what, name, known);
        }
        Self::Value(format!(
            "Could not interpret {what} identifier: {name}. A {what} of your own is found by its name once the program has \
             called `{register}`."
        ))
    }

    /// ` Did you mean ..?` with the nearest known name, if one is near.
    pub(crate) fn suggestion(name: &str, known: &[&str]) -> String {
        nearest(name, known.iter().copied())
            .map(|known| format!(" Did you mean `{known}`?"))
            .unwrap_or_default()
    }

    /// An error about a file.
    pub(crate) fn file(path: &Path, reason: impl ToString) -> Self {
        Self::File {
            path: path.display().to_string(),
            message: reason.to_string(),
        }
    }

    /// A layer's shape error, with the layer's name.
    pub fn shape(class: &str, name: &str, error: &ShapeError) -> Self {
        Self::Shape {
            class: class.into(),
            name: name.into(),
            message: error.message().into(),
        }
    }
}

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;
