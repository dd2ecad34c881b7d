//! Expressions over tensors as graphs of operations: made of the syntax, checked, differentiated.
//!
//! A graph describes one row along the last axis. Where a value lies is its [`Space`]: it may be one
//! number for everything, one for each channel, one for the row, or one for each element.

pub mod derive;
mod functions;
mod graph;
mod lower;

pub use graph::{Graph, Id, Input, Op, Reduce, Space, Unary};
pub use lower::{Lowered, Scope, lower};
