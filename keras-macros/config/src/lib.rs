//! Keras' description of a model, `config.json`, as both the macros and the runtime of Keras in Rust
//! read it: the macros when a crate is compiled, the runtime when a file is loaded.
//!
//! [`Json`] reads the text, [`read`] makes layers and calls of it. What the arguments of a layer mean
//! is not known here.

pub mod bytes;
pub mod crc;
mod description;
mod ends;
mod expand;
mod json;
mod model;
pub mod names;
mod node;
mod operation;
pub mod python;
#[cfg(feature = "serde")]
mod serde;
pub mod zip;

pub use description::{Call, Description, Input, Kind, Layer, Output, Problem, Structure, Value};
pub use json::{Json, Object};
pub use model::{Written, layers, read};

#[cfg(test)]
mod tests;
