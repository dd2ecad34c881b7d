//! What generated code refers to, as `keras::..`. No part of the public interface.

pub use crate::arg::Arg;
pub use crate::data::Batch;
pub use crate::device::AutoDevice;
pub use crate::error::Result;
pub use crate::layers::{Weights, check_shared};
pub use crate::model::Backend as Device;
pub use crate::model::network::{
    Input, Kind, LayerInfo, Network, Output, Structure, Value, add, set,
};
pub use crate::model::{Core, Model, Pass, Run, Trace, build_declared, keep_logs};
pub use crate::model::{OptimizerSize, Progbar, Row, Summary, epoch_line};
pub use crate::random::fresh_seed;
pub use crate::shape::{Shape, ShapeError, check, or_unknown};

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
