//! Data: tables on the host, and the batches that are cut from them.

use std::borrow::Cow;

use crate::shape::Shape;

/// Rows of numbers on the host.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// The numbers: (rows, ..shape).
    pub values: Cow<'a, [f32]>,
    /// The shape of one row.
    pub shape: Shape,
    /// The number of rows.
    pub rows: usize,
}

/// The rows of some tables that a step works on.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// One table for each input of the model.
    pub inputs: &'a [Table<'a>],
    /// One table for each output of the model; none when predicting.
    pub targets: &'a [Table<'a>],
    /// One table for each output of the model, or none.
    pub sample_weights: &'a [Table<'a>],
    /// The rows.
    pub rows: &'a [u32],
}
