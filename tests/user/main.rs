//! What users make themselves, in crates of their own: layers, losses, metrics.

// The error of a rule carries its sentence by value: rules run in constants, where nothing can be allocated.
#![allow(clippy::result_large_err)]

mod layer;
mod loss;
mod metric;
mod row_layer;
