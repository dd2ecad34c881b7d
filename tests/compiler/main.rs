//! What the compiler says about models: every file in `cases/` with the errors it is annotated
//! with, and every Rust example in the documentation without any.
//!
//! An annotation `//~ text` expects an error on its line whose message contains the text; each
//! `^` after the `~` moves one line up. Only our own sentences and the lines they point at are
//! compared, so that a new compiler with other decorations changes nothing.

mod cases;
mod docs;
mod features;
mod rustc;
