//! What generated code refers to, as `keras::..`. No part of the public interface.

pub use crate::arg::Arg;
pub use crate::config::Config;
pub use crate::data::Batch;
pub use crate::device::cpu::expressions as math;
pub use crate::device::cpu::simd::Separate;
pub use crate::device::{AutoDevice, Cpu, Elementary, Reduce, Term};
pub use crate::error::Result;
pub use crate::initializers::Initializer;
pub use crate::layers::expression::{layer_backward, layer_forward};
pub use crate::layers::{Budget, CallSize, Scalar, Weights, check_budget, check_shared};
pub use crate::losses::expression::{broadcast, classes, element_loss, row_loss};
pub use crate::metrics::expression::{check_width, elements, update_state};
pub use crate::model::Backend as Device;
pub use crate::model::network::{
    AddedMetric, Input, Kind, LayerInfo, Network, Output, Structure, Value, add, set,
};
pub use crate::model::{Batched, Nested, call, register_layer, static_dim, static_rank};
pub use crate::model::{
    Core, Load, Model, Pass, Run, StepFunction, Trace, begin_forward, build_declared, keep_logs,
    load, load_with, replay,
};
pub use crate::model::{OptimizerSize, Progbar, Row, Summary, epoch_line};
pub use crate::random::fresh_seed;
pub use crate::shape::{Shape, ShapeError, check, or_unknown};
pub use crate::texts;

pub use dfdx::shapes::Dim;
pub use std::borrow::Cow::Borrowed;

/// The test that `#[model(gradcheck)]` emits.
#[cfg(any(test, feature = "testing"))]
#[macro_export]
#[doc(hidden)]
macro_rules! __gradcheck {
    ($test:item) => {
        $test
    };
}

/// What stands in its place where it cannot run.
#[cfg(not(any(test, feature = "testing")))]
#[macro_export]
#[doc(hidden)]
macro_rules! __gradcheck {
    ($test:item) => {
        compile_error!(
            "`gradcheck` runs with the feature `testing` of keras-runtime, which tests alone need: add the feature to \
             the crate in `[dev-dependencies]`, as in `keras = { package = \"keras-runtime\", features = [\"testing\"] }`."
        );
    };
}

/// Whether the shapes are known well enough to ask a layer for its weights.
pub const fn known(shapes: &[Shape]) -> bool {
    let mut at = 0;
    while at < shapes.len() {
        if !shapes[at].is_known() {
            return false;
        }
        at += 1;
    }
    true
}

/// The first GPU, if there is one that works.
#[cfg(feature = "cuda")]
pub fn first_gpu() -> Option<crate::device::Cuda> {
    let gpu = crate::device::open_cuda(0);
    gpu.inspect_err(|error| log::warn!("this runs on the CPU: {error}"))
        .ok()
}
