//! The kernels on the CPU: functions over slices, generic over the number type.

pub mod activation;
pub mod batch_norm;
pub mod batches;
pub mod conv2d;
pub mod copies;
pub mod counts;
pub mod expressions;
pub mod images;
pub mod kernel;
pub mod lanes;
pub mod lookups;
pub mod math;
pub mod matmul;
pub mod merges;
pub mod penalties;
pub mod pointwise;
pub mod pool2d;
pub mod rows;
pub mod scalars;
pub mod scratch;
pub mod simd;
pub mod softmax_loss;
pub mod threads;
mod unroll;
pub mod updates;
