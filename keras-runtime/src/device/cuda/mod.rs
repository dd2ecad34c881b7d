//! The GPU: kernels in CUDA C, one file for each trait of the devices, forward and backward side by
//! side, and what launches them.
//!
//! A kernel is compiled when it is first needed, by NVRTC, and kept on disk; matrix products are
//! cuBLAS'. What a loss, an activation or an optimizer computes is no text of its own:
//! [`trace`](self::trace) writes it down from the same Rust code that the CPU runs.
//!
//! Every trait is implemented once, for all [`Driver`]s: NVIDIA's, with the feature `cuda`, and an
//! emulator that runs the same kernels on the CPU, for tests.

mod activations;
mod batches;
mod context;
mod convolutions;
mod copies;
mod counts;
#[cfg(any(test, feature = "testing"))]
mod emulator;
mod expressions;
mod host;
mod images;
mod lines;
mod lookups;
mod memory;
mod merges;
mod normalizations;
#[cfg(feature = "cuda")]
mod nvidia;
mod penalties;
mod pointwise;
mod pooling;
mod products;
mod rows;
mod scalars;
mod staging;
mod sums;
mod trace;
mod updates;

#[cfg(any(test, feature = "testing"))]
pub use emulator::Emulated;
pub use lines::{BatchKernel, Ctc, OfLine};
#[cfg(feature = "cuda")]
pub use nvidia::{Cuda, open};
pub use trace::Traced;
pub use trace::{Formula, Program};

/// Implements operations for every GPU, as `on_hosts` does for the hosts.
macro_rules! on_gpus {
    (impl $operations:ident { $($body:tt)* }) => {
        #[cfg(feature = "cuda")]
        impl $operations for dfdx::tensor::Cuda {
            $($body)*
        }
        #[cfg(any(test, feature = "testing"))]
        impl $operations for $crate::device::cuda::Emulated {
            $($body)*
        }
    };
}
pub(crate) use on_gpus;
