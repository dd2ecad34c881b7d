//! The kernels on the CPU: functions over slices, generic over the number type.

pub mod activation;
pub mod matmul;
pub mod simd;
pub mod threads;
