//! The kernels on the CPU: functions over slices, generic over the number type.

pub mod simd;
pub mod threads;
