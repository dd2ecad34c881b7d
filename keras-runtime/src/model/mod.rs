//! Models: what the macros' code runs on.

mod build;
mod compile;
mod core;
mod history;
mod layer_ref;
#[allow(clippy::module_inception)]
mod model;
pub mod network;
mod parameters;
mod pass;
mod plan;
mod step;
mod trace;
mod weights;

pub use build::build_declared;
pub use compile::Compile;
pub use core::{Core, Run};
pub use history::Logs;
pub use layer_ref::LayerRef;
pub use model::Model;
pub use pass::Pass;
pub use trace::Trace;
