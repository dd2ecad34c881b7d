//! Keras in Rust: models declared with macros, checked by the compiler, trained by generated code.

pub mod device;
mod error;
pub mod shape;

pub use error::{Error, Result};
