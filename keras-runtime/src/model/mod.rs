//! Models: what the macros' code runs on.

mod compile;
mod core;
mod history;
pub mod network;
mod parameters;
mod pass;
mod plan;
mod trace;

pub use compile::Compile;
pub use core::{Core, Run};
pub use history::Logs;
pub use pass::Pass;
pub use trace::Trace;
