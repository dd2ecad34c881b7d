//! Graphs of expressions -> Rust: what is computed of a row, and the types it belongs to.

mod functions;
mod loss;
mod row;
mod types;
mod write;

pub use functions::pairs;
pub use loss::loss;
