//! What a rule says when shapes do not fit.

use super::{Shape, Text};

/// Why a layer cannot take its inputs: the sentence, without the layer's name.
#[derive(Clone, Copy, Debug)]
pub struct ShapeError {
    text: Text,
}

impl ShapeError {
    /// An error with this sentence.
    pub const fn new(text: Text) -> Self {
        Self { text }
    }

    /// The sentence.
    pub const fn message(&self) -> &str {
        self.text.as_str()
    }
}

/// The shape a rule gave, or the unknown shape that no later rule complains about: one mistake is
/// reported once.
pub const fn or_unknown(result: &Result<Shape, ShapeError>) -> Shape {
    match result {
        Ok(shape) => *shape,
        Err(_) => Shape::UNKNOWN,
    }
}

/// Stops the compilation with the rule's sentence, under the tokens of the caller.
///
/// # Panics
/// If `result` is an error. Generated code calls this in constants only.
#[track_caller]
pub const fn check<T: Copy>(result: &Result<T, ShapeError>, class: &str, name: &str) {
    if let Err(error) = result {
        let text = Text::new()
            .str(class)
            .str(" layer `")
            .str(name)
            .str("`: ")
            .str(error.message());
        panic!("{}", text.as_str());
    }
}
