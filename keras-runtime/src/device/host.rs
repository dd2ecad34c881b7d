//! Devices whose memory is the host's: dfdx's `Cpu`, and one of `f64` for the tests that hold
//! gradients against finite differences. Every operation is implemented once for both.

use std::ops::Range;

use dfdx::tensor::{Cpu, Storage};

use super::cpu;
use super::{
    Activation, Activations, Channels, ClassTargets, Conv2dGeometry, Conv2dGradients, Convolutions,
    FactoredMoments, Float, GammaBeta, Memory, Moments, NormalizationGradients, Normalizations,
    Pool2dGeometry, Pooling, Products, Reduction, RowFunction, RowLoss, RowSums, Rows, Ties,
    UpdateRule, Updates,
};
use crate::error::{Error, Result};

/// A device whose views are Rust slices.
pub trait Host:
    for<'a> Memory<
        Elem = <Self as Host>::Number,
        Slice<'a> = &'a [<Self as Host>::Number],
        SliceMut<'a> = &'a mut [<Self as Host>::Number],
    >
{
    /// The number type.
    type Number: Float;
}

/// The CPU with `f64`: slow, exact, for gradient checks.
#[cfg(any(test, feature = "testing"))]
#[derive(Clone, Debug, Default)]
pub struct Cpu64;

impl Host for Cpu {
    type Number = f32;
}

#[cfg(any(test, feature = "testing"))]
impl Host for Cpu64 {
    type Number = f64;
}

/// Implements operations for every host device. The implementations are concrete, so that their
/// kernels are compiled in this crate, once, and not again in every crate that uses them.
macro_rules! on_hosts {
    (impl $operations:ident { $($body:tt)* }) => {
        impl $operations for $crate::device::Cpu {
            $($body)*
        }
        #[cfg(any(test, feature = "testing"))]
        impl $operations for $crate::device::Cpu64 {
            $($body)*
        }
    };
}
pub(crate) use on_hosts;

/// The part of [`Memory`] that is the same on every host device.
macro_rules! slices {
    ($number:ty) => {
        type Elem = $number;
        type Slice<'a> = &'a [$number];
        type SliceMut<'a> = &'a mut [$number];

        fn len(buffer: &Self::Buffer) -> usize {
            buffer.len()
        }
        fn slice(buffer: &Self::Buffer, range: Range<usize>) -> &[$number] {
            &buffer[range]
        }
        fn slice_mut(buffer: &mut Self::Buffer, range: Range<usize>) -> &mut [$number] {
            &mut buffer[range]
        }
        fn part<'a: 'b, 'b>(slice: Self::Slice<'a>, range: Range<usize>) -> Self::Slice<'b> {
            &slice[range]
        }
        fn split<'a>(
            slice: Self::SliceMut<'a>,
            at: usize,
        ) -> (Self::SliceMut<'a>, Self::SliceMut<'a>) {
            slice.split_at_mut(at)
        }
        fn reborrow<'a>(slice: &'a mut Self::SliceMut<'_>) -> Self::SliceMut<'a> {
            slice
        }
        fn read<'a>(slice: &'a Self::SliceMut<'_>) -> Self::Slice<'a> {
            slice
        }
        fn copy(&self, from: &[$number], to: &mut [$number]) {
            to.copy_from_slice(from);
        }
        fn fill(&self, to: &mut [$number], value: f32) {
            to.fill(<$number>::from_f32(value));
        }
        fn add(&self, from: &[$number], to: &mut [$number]) {
            for (to, from) in to.iter_mut().zip(from) {
                *to += from;
            }
        }
        fn upload(&self, from: &[f32], to: &mut [$number]) {
            for (to, from) in to.iter_mut().zip(from) {
                *to = <$number>::from_f32(*from);
            }
        }
        fn download(&self, from: &[$number], to: &mut [f32]) {
            for (to, from) in to.iter_mut().zip(from) {
                *to = from.to_f32();
            }
        }
        fn gather(&self, table: &[f32], width: usize, rows: &[u32], to: &mut [$number]) {
            if width == 1 {
                for (to, &row) in to.iter_mut().zip(rows) {
                    *to = <$number>::from_f32(table[row as usize]);
                }
                return;
            }
            for (to, &row) in to.chunks_exact_mut(width.max(1)).zip(rows) {
                self.upload(&table[row as usize * width..][..width], to);
            }
        }
    };
}

impl Memory for Cpu {
    type Buffer = <Cpu as Storage<f32>>::Vec;
    slices!(f32);

    fn host(buffer: &Self::Buffer, range: Range<usize>) -> Option<&[f32]> {
        Some(&buffer[range])
    }

    fn alloc(&self, len: usize) -> Result<Self::Buffer> {
        self.try_alloc_len(len)
            .map_err(|error| Error::Device(format!("{error:?}")))
    }
}

#[cfg(any(test, feature = "testing"))]
impl Memory for Cpu64 {
    type Buffer = Vec<f64>;
    slices!(f64);

    fn alloc(&self, len: usize) -> Result<Self::Buffer> {
        Ok(vec![0.0; len])
    }
}

on_hosts! {
    impl Products {
        fn affine(
            &self,
            x: Self::Slice<'_>,
            w: Self::Slice<'_>,
            bias: Option<Self::Slice<'_>>,
            relu: bool,
            y: Self::SliceMut<'_>,
            [m, k, n]: [usize; 3],
        ) {
            cpu::matmul::affine(x, w, bias, relu, y, m, k, n);
        }
        fn weight_gradient(
            &self,
            x: Self::Slice<'_>,
            dz: Self::Slice<'_>,
            dw: Self::SliceMut<'_>,
            [m, k, n]: [usize; 3],
        ) {
            cpu::matmul::weight_gradient(x, dz, dw, m, k, n);
        }
        fn input_gradient(
            &self,
            dz: Self::Slice<'_>,
            w: Self::Slice<'_>,
            dx: Self::SliceMut<'_>,
            [m, k, n]: [usize; 3],
        ) {
            cpu::matmul::input_gradient(dz, w, dx, m, k, n);
        }
    }
}

on_hosts! {
    impl Convolutions {
        fn conv2d(
            &self,
            geometry: &Conv2dGeometry,
            batch: usize,
            x: Self::Slice<'_>,
            w: Self::Slice<'_>,
            bias: Option<Self::Slice<'_>>,
            relu: bool,
            y: Self::SliceMut<'_>,
            scratch: Self::SliceMut<'_>,
        ) {
            cpu::conv2d::forward(geometry, batch, x, w, bias, relu, y, scratch);
        }
        fn conv2d_gradient(
            &self,
            geometry: &Conv2dGeometry,
            batch: usize,
            x: Self::Slice<'_>,
            w: Self::Slice<'_>,
            relu: Option<Self::Slice<'_>>,
            dy: Self::SliceMut<'_>,
            gradients: Conv2dGradients<'_, Self>,
            scratch: Self::SliceMut<'_>,
        ) {
            let gradients = cpu::conv2d::Gradients {
                kernel: gradients.kernel,
                bias: gradients.bias,
                input: gradients.input,
            };
            cpu::conv2d::gradient(geometry, batch, x, w, relu, dy, gradients, scratch);
        }
    }
}

on_hosts! {
    impl Pooling {
        fn max_pool2d(
            &self,
            geometry: &Pool2dGeometry,
            batch: usize,
            x: Self::Slice<'_>,
            y: Self::SliceMut<'_>,
        ) {
            cpu::pool2d::max(geometry, batch, x, y);
        }
        fn max_pool2d_gradient(
            &self,
            geometry: &Pool2dGeometry,
            batch: usize,
            ties: Ties,
            x: Self::Slice<'_>,
            y: Self::Slice<'_>,
            dy: Self::Slice<'_>,
            dx: Self::SliceMut<'_>,
        ) {
            cpu::pool2d::max_gradient(geometry, batch, ties, x, y, dy, dx);
        }
        fn average_pool2d(
            &self,
            geometry: &Pool2dGeometry,
            batch: usize,
            x: Self::Slice<'_>,
            y: Self::SliceMut<'_>,
        ) {
            cpu::pool2d::average(geometry, batch, x, y);
        }
        fn average_pool2d_gradient(
            &self,
            geometry: &Pool2dGeometry,
            batch: usize,
            dy: Self::Slice<'_>,
            dx: Self::SliceMut<'_>,
        ) {
            cpu::pool2d::average_gradient(geometry, batch, dy, dx);
        }
    }
}

on_hosts! {
    impl Normalizations {
        fn normalize_batch(
            &self,
            channels: &Channels,
            x: Self::Slice<'_>,
            gamma_beta: GammaBeta<'_, Self>,
            epsilon: f32,
            momentum: f32,
            moving: Moments<'_, Self>,
            kept: Moments<'_, Self>,
            y: Self::SliceMut<'_>,
            scratch: Self::SliceMut<'_>,
        ) {
            cpu::batch_norm::batch(
                channels,
                x,
                (gamma_beta.gamma, gamma_beta.beta),
                epsilon,
                momentum,
                (moving.mean, moving.variance),
                (kept.mean, kept.variance),
                y,
                scratch,
            );
        }
        fn normalize_batch_gradient(
            &self,
            channels: &Channels,
            x: Self::Slice<'_>,
            gamma: Option<Self::Slice<'_>>,
            [mean, scale]: [Self::Slice<'_>; 2],
            dy: Self::Slice<'_>,
            gradients: NormalizationGradients<'_, Self>,
            scratch: Self::SliceMut<'_>,
        ) {
            let gradients = cpu::batch_norm::Gradients {
                gamma: gradients.gamma,
                beta: gradients.beta,
                input: gradients.input,
            };
            cpu::batch_norm::batch_gradient(channels, x, gamma, (mean, scale), dy, gradients, scratch);
        }
        fn normalize(
            &self,
            channels: &Channels,
            x: Self::Slice<'_>,
            gamma_beta: GammaBeta<'_, Self>,
            [mean, variance]: [Self::Slice<'_>; 2],
            epsilon: f32,
            y: Self::SliceMut<'_>,
            scratch: Self::SliceMut<'_>,
        ) {
            let gamma_beta = (gamma_beta.gamma, gamma_beta.beta);
            cpu::batch_norm::given(
                channels,
                x,
                gamma_beta,
                (mean, variance),
                epsilon,
                y,
                scratch,
            );
        }
        fn normalize_gradient(
            &self,
            channels: &Channels,
            x: Self::Slice<'_>,
            gamma: Option<Self::Slice<'_>>,
            [mean, variance]: [Self::Slice<'_>; 2],
            epsilon: f32,
            dy: Self::Slice<'_>,
            gradients: NormalizationGradients<'_, Self>,
            scratch: Self::SliceMut<'_>,
        ) {
            let gradients = cpu::batch_norm::Gradients {
                gamma: gradients.gamma,
                beta: gradients.beta,
                input: gradients.input,
            };
            let moments = (mean, variance);
            cpu::batch_norm::given_gradient(
                channels, x, gamma, moments, epsilon, dy, gradients, scratch,
            );
        }
    }
}

on_hosts! {
    impl Activations {
        fn activate(&self, f: Activation, x: Self::Slice<'_>, y: Self::SliceMut<'_>, width: usize) {
            cpu::activation::activate(f, x, y, width);
        }
        fn activate_in_place(&self, f: Activation, y: Self::SliceMut<'_>, width: usize) {
            cpu::activation::activate_in_place(f, y, width);
        }
        fn activation_gradient(
            &self,
            f: Activation,
            x: Option<Self::Slice<'_>>,
            y: Self::Slice<'_>,
            dy: Self::Slice<'_>,
            dx: Self::SliceMut<'_>,
            width: usize,
        ) {
            cpu::activation::activation_gradient(f, x, y, dy, dx, width);
        }
        fn bias_activation_gradient(
            &self,
            f: Activation,
            z: Option<Self::Slice<'_>>,
            y: Self::Slice<'_>,
            dy: Self::SliceMut<'_>,
            db: Option<Self::SliceMut<'_>>,
            width: usize,
        ) {
            cpu::activation::activation_and_bias_gradient_in_place(f, z, y, dy, db, width);
        }
    }
}

on_hosts! {
    impl RowSums {
        fn row_loss<L: RowLoss>(
            &self,
            loss: L,
            reduction: Reduction,
            rows: Rows,
            y_true: Self::Slice<'_>,
            y_pred: Self::Slice<'_>,
            weights: Option<Self::Slice<'_>>,
            gradient: Option<(Self::SliceMut<'_>, f32)>,
            sums: Self::SliceMut<'_>,
        ) {
            cpu::rows::row_loss(loss, reduction, rows, y_true, y_pred, weights, gradient, sums);
        }
        fn softmax_loss(
            &self,
            targets: ClassTargets,
            reduction: Reduction,
            rows: Rows,
            y_true: Self::Slice<'_>,
            input_and_output: [Self::Slice<'_>; 2],
            weights: Option<Self::Slice<'_>>,
            gradient: Option<(Self::SliceMut<'_>, f32)>,
            sums: Self::SliceMut<'_>,
        ) {
            cpu::softmax_loss::softmax_loss(
                targets,
                reduction,
                rows,
                y_true,
                input_and_output,
                weights,
                gradient,
                sums,
            );
        }
        fn row_mean<M: RowFunction>(
            &self,
            function: M,
            rows: Rows,
            y_true: Self::Slice<'_>,
            y_pred: Self::Slice<'_>,
            weights: Option<Self::Slice<'_>>,
            sums: Self::SliceMut<'_>,
        ) {
            cpu::rows::row_mean(function, rows, y_true, y_pred, weights, sums);
        }
    }
}

on_hosts! {
    impl Updates {
        fn update<const N: usize, R: UpdateRule<N>>(
            &self,
            rule: R,
            parameters: Self::SliceMut<'_>,
            gradients: Self::Slice<'_>,
            slots: [Self::SliceMut<'_>; N],
        ) {
            cpu::updates::update(rule, parameters, gradients, slots);
        }

        fn factored(
            &self,
            rule: FactoredMoments,
            dims: [usize; 3],
            gradients: Self::SliceMut<'_>,
            slots: [Self::SliceMut<'_>; 3],
        ) {
            cpu::updates::factored(rule, dims, gradients, slots);
        }

        fn sum_of_squares(&self, x: Self::Slice<'_>) -> f64 {
            cpu::updates::sum_of_squares(x)
        }

        fn is_finite(&self, x: Self::Slice<'_>) -> bool {
            cpu::updates::is_finite(x)
        }
    }
}
