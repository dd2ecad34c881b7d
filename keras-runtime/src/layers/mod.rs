//! Layers: one file each, with its configuration, shape rule, weights, forward and backward.
//!
//! A layer has two halves. Traits cannot have `const fn`s on stable Rust, so what rustc evaluates
//! while it compiles a model is inherent:
//!
//! ```ignore
//! pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError>;
//! pub const fn weights(&self, inputs: &[Shape]) -> Weights;
//! ```
//!
//! and what runs is the trait [`Layer`]. The macros know neither: they call both by name, so a
//! layer from a user's crate works exactly like these. `docs/writing-a-layer.md` walks through one.

mod dense;
mod layer;
mod padding;
mod rules;
mod weights;

pub use dense::Dense;
pub use layer::{Backward, Forward, Layer, Logits, Params, ParamsMut, Tensor, Workspace};
pub use padding::Padding;
pub use rules::{min_rank, one_input};
pub use weights::{Weight, Weights, check_shared};
