//! Checks that many rules begin with, in Keras' words.

use crate::shape::{Shape, ShapeError, Text};

/// The one input of a layer that takes one.
///
/// # Errors
/// If there are several.
pub const fn one_input(inputs: &[Shape]) -> Result<Shape, ShapeError> {
    if inputs.len() == 1 {
        return Ok(inputs[0]);
    }
    let text = Text::new()
        .str("expects 1 input, but it received ")
        .num(inputs.len());
    Err(ShapeError::new(text.str(" input tensors")))
}

/// Whether the input has at least `rank` axes, the batch not counted; an unknown shape passes.
///
/// # Errors
/// If it has fewer.
pub const fn min_rank(input: &Shape, rank: usize) -> Result<(), ShapeError> {
    if !input.is_known() || input.rank() >= rank {
        return Ok(());
    }
    let text = Text::new()
        .str("input is incompatible with the layer: expected min_ndim=")
        .num(rank + 1);
    let text = text
        .str(", found ndim=")
        .num(input.rank() + 1)
        .str(". Full shape received: ");
    Err(ShapeError::new(text.batched(input)))
}

/// Whether the input has exactly `rank` axes, the batch not counted; an unknown shape passes.
///
/// # Errors
/// If it has more or fewer.
pub const fn exact_rank(input: &Shape, rank: usize) -> Result<(), ShapeError> {
    if !input.is_known() || input.rank() == rank {
        return Ok(());
    }
    let text = Text::new()
        .str("input is incompatible with the layer: expected ndim=")
        .num(rank + 1);
    let text = text
        .str(", found ndim=")
        .num(input.rank() + 1)
        .str(". Full shape received: ");
    Err(ShapeError::new(text.batched(input)))
}
