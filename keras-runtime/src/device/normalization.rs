//! Normalization by means and variances: the work of `BatchNormalization`.

use super::host::on_hosts;
use super::{Memory, cpu};

/// One axis of a tensor and what is before and after it: (outer, channels, inner).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// The product of the axes before, the batch among them.
    pub outer: usize,
    /// The size of the axis.
    pub channels: usize,
    /// The product of the axes after; 1 if it is the last.
    pub inner: usize,
}

impl Channels {
    /// The partial sums that a sum over everything but the axis is made of. It depends on the
    /// sizes alone, so that the result does not depend on the number of threads.
    pub const fn parts(&self) -> usize {
        match self.outer {
            0 => 1,
            1..16 => self.outer,
            _ => 16,
        }
    }

    /// The numbers of memory that the gradients and the statistics are lent.
    pub const fn scratch(&self) -> usize {
        2 * self.channels * (self.parts() + 2)
    }
}

/// What of `y = gamma (x - mean) / sqrt(variance + epsilon) + beta` is trained; each (channels,).
pub struct GammaBeta<'a, M: Memory> {
    /// 1 if there is none.
    pub gamma: Option<M::Slice<'a>>,
    /// 0 if there is none.
    pub beta: Option<M::Slice<'a>>,
}

/// A mean and a variance for each channel, to write.
pub struct Moments<'a, M: Memory> {
    /// (channels,)
    pub mean: M::SliceMut<'a>,
    /// (channels,); or what the operation says.
    pub variance: M::SliceMut<'a>,
}

/// Where the gradients go; `None` where nobody needs one.
pub struct NormalizationGradients<'a, M: Memory> {
    /// (channels,)
    pub gamma: Option<M::SliceMut<'a>>,
    /// (channels,)
    pub beta: Option<M::SliceMut<'a>>,
    /// As x.
    pub input: Option<M::SliceMut<'a>>,
}

/// Normalization of each channel.
pub trait Normalizations: Memory {
    /// `y` from the mean and the variance of each channel in `x`.
    ///
    /// `kept` becomes the means and `1 / sqrt(variance + epsilon)`; `moving` moves towards the
    /// mean and the (biased) variance: `moving · momentum + new · (1 - momentum)`.
    #[allow(clippy::too_many_arguments)]
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
    );
    /// The gradients of [`normalize_batch`](Normalizations::normalize_batch), from what it kept.
    #[allow(clippy::too_many_arguments)]
    fn normalize_batch_gradient(
        &self,
        channels: &Channels,
        x: Self::Slice<'_>,
        gamma: Option<Self::Slice<'_>>,
        kept: [Self::Slice<'_>; 2],
        dy: Self::Slice<'_>,
        gradients: NormalizationGradients<'_, Self>,
        scratch: Self::SliceMut<'_>,
    );
    /// `y` from a given mean and variance of each channel.
    #[allow(clippy::too_many_arguments)]
    fn normalize(
        &self,
        channels: &Channels,
        x: Self::Slice<'_>,
        gamma_beta: GammaBeta<'_, Self>,
        moments: [Self::Slice<'_>; 2],
        epsilon: f32,
        y: Self::SliceMut<'_>,
        scratch: Self::SliceMut<'_>,
    );
    /// The gradients of [`normalize`](Normalizations::normalize).
    #[allow(clippy::too_many_arguments)]
    fn normalize_gradient(
        &self,
        channels: &Channels,
        x: Self::Slice<'_>,
        gamma: Option<Self::Slice<'_>>,
        moments: [Self::Slice<'_>; 2],
        epsilon: f32,
        dy: Self::Slice<'_>,
        gradients: NormalizationGradients<'_, Self>,
        scratch: Self::SliceMut<'_>,
    );
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
