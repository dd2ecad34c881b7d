//! Models: what the macros' code runs on.

mod any_layer;
mod architecture;
mod backend;
mod backup;
mod build;
mod compare;
mod compile;
mod compile_config;
mod compiled;
mod core;
mod describe;
mod dynamic;
mod epochs;
mod evaluate;
mod feed;
mod fit;
mod function;
mod gradients;
mod handle;
mod history;
mod indices;
mod layer_ref;
mod load_model;
mod metric_ref;
#[allow(clippy::module_inception)]
mod model;
mod nested;
pub mod network;
mod on_batch;
mod parameters;
mod pass;
mod plan;
mod predict;
mod progbar;
mod progress;
mod python_source;
mod replay;
mod restore;
mod state;
mod step;
mod step_logs;
mod summary;
mod table;
mod targets;
mod tensors;
mod trace;
mod trainable;
mod training;
mod weights;

#[doc(hidden)]
pub use any_layer::register_layer;
pub use backend::Backend;
pub use build::build_declared;
pub use compile::{Compile, LossWeights};
pub use core::{Core, Run};
pub(crate) use describe::describe;
pub use dynamic::{DynamicModel, model_from_json};
pub use evaluate::Evaluate;
pub use fit::Fit;
pub use function::StepFunction;
pub use history::{History, Logs};
pub use layer_ref::LayerRef;
#[doc(hidden)]
pub use load_model::{load_model, load_model_with};
pub use metric_ref::MetricRef;
pub use model::Model;
pub use nested::Nested;
pub use on_batch::OnBatch;
pub use pass::Pass;
pub use predict::Predict;
#[doc(hidden)]
pub use progbar::{Progbar, epoch_line};
pub(crate) use progress::Progress;
#[doc(hidden)]
pub use replay::replay;
#[doc(hidden)]
pub use restore::{Load, load, load_with};
#[doc(hidden)]
pub use step::begin_forward;
pub use step_logs::{StepLogs, keep_logs};
pub use summary::SummaryOptions;
#[doc(hidden)]
pub use summary::{OptimizerSize, Row, Summary};
#[doc(hidden)]
pub use tensors::{Batched, call, static_dim, static_rank};
pub use trace::Trace;
pub use trainable::{BatchCheck, Inner, Trainable};
pub use training::{Shuffle, ValidationFrequency};
