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

mod add;
mod average;
mod concatenate;
mod dense;
mod dropout;
mod flatten;
mod layer;
mod maximum;
mod merge;
mod minimum;
mod multiply;
mod padding;
mod random_crop;
mod rescaling;
mod reshape;
mod rules;
mod subtract;
mod weights;

pub use add::Add;
pub use average::Average;
pub use concatenate::Concatenate;
pub use dense::Dense;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use layer::{Backward, Forward, Layer, Logits, Params, ParamsMut, Tensor, Workspace};
pub use maximum::Maximum;
pub use minimum::Minimum;
pub use multiply::Multiply;
pub use padding::Padding;
pub use random_crop::RandomCrop;
pub use rescaling::Rescaling;
pub use reshape::Reshape;
pub use rules::{exact_rank, min_rank, one_input};
pub use subtract::Subtract;
pub use weights::{Weight, Weights, check_shared};
