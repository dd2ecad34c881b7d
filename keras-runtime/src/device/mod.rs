//! What a device must do, and the devices that do it.
//!
//! [`Device`] is the sum of one trait an area: memory, matrix products, activations, and so on.
//! A layer is written against [`Device`] and runs on every device; `cpu/` holds the kernels of the
//! CPU, [`Host`] lends them to dfdx's `Cpu`.

mod activation;
mod activations;
pub(crate) mod axes;
mod batches;
mod convolutions;
mod copies;
mod counts;
pub mod cpu;
#[cfg(any(feature = "cuda", feature = "testing", test))]
pub(crate) mod cuda;
mod expressions;
pub mod float;
mod geometry;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod held;
mod host;
mod images;
mod lines;
mod lookups;
mod memory;
mod merges;
mod normalization;
mod penalties;
mod pointwise;
mod pooling;
mod products;
mod rows;
mod scalars;
mod updates;

pub use activation::{Activation, words as activation_words};
pub use activations::Activations;
pub use axes::Axes;
pub use batches::{BatchFunction, BatchLoss, BatchSums, BatchView};
pub use convolutions::{Conv2dGradients, Convolutions};
pub use copies::{Copies, Runs};
pub use counts::{ClassOf, ClassPairs, ColumnFunction, Counts, Grid, Spacing, Thresholds};
pub use cpu::simd::Arith;
#[cfg(any(test, feature = "testing"))]
pub use cuda::Emulated;
#[cfg(feature = "cuda")]
pub use cuda::{Cuda, open as open_cuda};
pub use dfdx::tensor::Cpu;
pub use expressions::{BatchRows, Expressions, LayerFunction, StateFunction};
pub use float::Float;
pub use geometry::{Axis, Conv2dGeometry, Pool2dGeometry, Taps};
#[cfg(any(test, feature = "testing"))]
pub use host::Cpu64;
pub use host::Host;
pub(crate) use host::on_hosts;
pub use images::{Images, Resize, Window};
pub use lines::{Fold, Line, LineLoss, LineRule, Lines};
pub(crate) use lines::{OfRow, line_of_row};
pub use lookups::Lookups;
pub(crate) use memory::Shared;
pub use memory::{AnyThread, Memory};
pub use merges::{Broadcast, MergeFunction, Merges};
pub use normalization::{Channels, GammaBeta, Moments, NormalizationGradients, Normalizations};
pub use penalties::{NormBounds, Penalties, Vectors};
pub use pointwise::{DropoutMask, Pointwise};
pub use pooling::{Pooling, Ties};
pub use products::Products;
pub use rows::{
    ClassTargets, MeanOf, PairFunction, PairLoss, Reduction, RowFunction, RowKernel, RowLoss,
    RowSums, Rows,
};
pub use scalars::{Elementary, Reduce, Scalars, Term};
pub use updates::{FactoredMoments, NormRule, UpdateRule, Updates};

/// Implements a trait in the same way for every device: see [`on_hosts`].
macro_rules! on_devices {
    ($($implementation:tt)*) => {
        $crate::device::on_hosts! { $($implementation)* }
        #[cfg(any(feature = "cuda", feature = "testing", test))]
        $crate::device::cuda::on_gpus! { $($implementation)* }
    };
}
pub(crate) use on_devices;

/// A device that models run on: dfdx's `Cpu` and, with the feature `cuda`, its `Cuda`.
pub trait Device:
    Memory
    + Products
    + Convolutions
    + Pooling
    + Normalizations
    + Activations
    + Merges
    + Pointwise
    + Copies
    + Images
    + Lookups
    + RowSums
    + BatchSums
    + Counts
    + Updates
    + Penalties
    + Scalars
    + Expressions
    + Default
{
}

impl<D> Device for D where
    D: Memory
        + Products
        + Convolutions
        + Pooling
        + Normalizations
        + Activations
        + Merges
        + Pointwise
        + Copies
        + Images
        + Lookups
        + RowSums
        + BatchSums
        + Counts
        + Updates
        + Penalties
        + Scalars
        + Expressions
        + Default
{
}

/// The device a model runs on unless it is told otherwise: the GPU with the feature `cuda`, else the
/// CPU.
#[cfg(feature = "cuda")]
pub type AutoDevice = Cuda;
/// The device a model runs on unless it is told otherwise: the GPU with the feature `cuda`, else the
/// CPU.
#[cfg(not(feature = "cuda"))]
pub type AutoDevice = Cpu;

/// Runs a piece of a program on whatever there is: with the feature `cuda` on the first GPU if there is
/// one that works, else on the CPU. The piece is compiled for both, and `device` is dfdx's `Cuda` in
/// one and its [`Cpu`](crate::device::Cpu) in the other. Why there is no GPU is a warning in the log.
///
/// ```
/// use keras_runtime as keras;
/// use keras::prelude::*;
///
/// sequential! {
///     Net<4>;
///     Dense(1),
/// }
///
/// let history = keras::on_best_device!(|device| -> keras::Result<History> {
///     let mut model = Net::on(device);
///     model.compile(Compile::new("sgd", "mse"))?;
///     let (x, y) = (ndarray::Array2::<f32>::ones((8, 4)), ndarray::Array2::<f32>::ones((8, 1)));
///     model.fit((&x, &y), Fit::epochs(2).verbose(0))
/// })?;
/// assert_eq!(history.epochs().len(), 2);
/// # Ok::<(), keras::Error>(())
/// ```
#[macro_export]
macro_rules! on_best_device {
    (|$device:ident| -> $result:ty $program:block) => {{
        let on_cpu = |$device: $crate::device::Cpu| -> $result { $program };
        $crate::__on_first_gpu!(|$device| -> $result $program, on_cpu)
    }};
}

/// The part of `on_best_device` that asks for a GPU.
#[cfg(feature = "cuda")]
#[doc(hidden)]
#[macro_export]
macro_rules! __on_first_gpu {
    (|$device:ident| -> $result:ty $program:block, $on_cpu:ident) => {{
        let on_gpu = |$device: $crate::device::Cuda| -> $result { $program };
        match $crate::__private::first_gpu() {
            ::core::option::Option::Some(device) => on_gpu(device),
            ::core::option::Option::None => $on_cpu(::core::default::Default::default()),
        }
    }};
}

/// The part of `on_best_device` that asks for a GPU.
#[cfg(not(feature = "cuda"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __on_first_gpu {
    (|$device:ident| -> $result:ty $program:block, $on_cpu:ident) => {
        $on_cpu(::core::default::Default::default())
    };
}
