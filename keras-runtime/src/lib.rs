//! Keras in Rust: models declared with macros, checked by the compiler, trained by generated code.

pub mod device;
