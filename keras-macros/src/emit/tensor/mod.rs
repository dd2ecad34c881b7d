//! Graphs of expressions -> Rust: what is computed of a row, and the types it belongs to.

mod batch;
mod functions;
mod layer;
mod loss;
mod metric;
mod row;
mod types;
mod write;

pub use functions::pairs;
pub use layer::{Derived, layer, layer_structure};
pub use loss::loss;
pub use metric::{Computed, mean, structure, with_weights};
