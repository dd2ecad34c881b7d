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

mod activation;
mod add;
mod affine;
mod average;
mod average_pooling2d;
mod batch_normalization;
mod budget;
mod built_in;
mod concatenate;
mod conv2d;
mod dense;
mod dropout;
mod embedding;
pub(crate) mod expression;
mod flatten;
mod global_average_pooling2d;
mod global_max_pooling2d;
mod layer;
mod max_pooling2d;
mod maximum;
mod merge;
mod minimum;
mod multiply;
mod padding;
mod pool;
mod random_crop;
mod rescaling;
mod reshape;
mod rules;
mod scalar;
mod subtract;
mod weights;
mod windows;

pub use activation::Activation;
pub use add::Add;
pub use average::Average;
pub use average_pooling2d::AveragePooling2D;
pub use batch_normalization::BatchNormalization;
#[doc(hidden)]
pub use budget::{Budget, CallSize, check_budget};
pub(crate) use built_in::BuiltIn;
pub use built_in::CLASSES;
pub use concatenate::Concatenate;
pub use conv2d::Conv2D;
pub use dense::Dense;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use global_average_pooling2d::GlobalAveragePooling2D;
pub use global_max_pooling2d::GlobalMaxPooling2D;
pub use layer::{Backward, Forward, Layer, Logits, Params, ParamsMut, Tensor, Workspace};
pub use max_pooling2d::MaxPooling2D;
pub use maximum::Maximum;
pub use minimum::Minimum;
pub use multiply::Multiply;
pub use padding::Padding;
pub use random_crop::RandomCrop;
pub use rescaling::Rescaling;
pub use reshape::Reshape;
pub use rules::{exact_rank, min_rank, one_input};
pub use scalar::Scalar;
pub use subtract::Subtract;
pub use weights::{Weight, Weights, check_shared};
