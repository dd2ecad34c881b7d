//! Means, variances and normalization of channels.

use super::context::{
    Area, Argument, Context, Driver, View, ViewMut, blocks, count, optional, optional_mut,
};
use super::on_gpus;
use crate::device::{Channels, GammaBeta, Moments, NormalizationGradients, Normalizations};

static NORMALIZATIONS: Area = Area {
    name: "normalizations",
    source: include_str!("normalizations.cu"),
};

/// The sums of channels and what is made of them, in scratch memory.
struct Work<'a, R: Driver> {
    context: &'a Context<R>,
    channels: &'a Channels,
    rows_per_part: usize,
    /// (parts, 2, channels)
    sums: u64,
    /// (3, channels): a, b and c.
    coefficients: u64,
}

impl<'a, R: Driver> Work<'a, R> {
    /// The numbers of a channel.
    fn rows(channels: &Channels) -> usize {
        channels.outer * channels.inner
    }

    /// How many rows make a part: as many parts as keep some thousand threads busy.
    fn rows_per_part(channels: &Channels) -> usize {
        let wanted = (16 * 1024 / (channels.channels + 1)).clamp(1, 256);
        Self::rows(channels).div_ceil(wanted).max(32)
    }

    fn parts(&self) -> usize {
        Self::rows(self.channels)
            .div_ceil(self.rows_per_part)
            .max(1)
    }

    /// Runs `work` with scratch memory.
    fn with(context: &'a Context<R>, channels: &'a Channels, work: impl FnOnce(&Self)) {
        let mut own = Self {
            context,
            channels,
            rows_per_part: Self::rows_per_part(channels),
            sums: 0,
            coefficients: 0,
        };
        let sums = 2 * own.parts() * channels.channels;
        let (_lock, scratch) = context.scratch(sums + 3 * channels.channels);
        own.sums = scratch;
        own.coefficients = scratch + (4 * sums) as u64;
        work(&own);
    }

    /// Coefficient number `at` of each channel.
    fn coefficient(&self, at: usize) -> Argument<'static> {
        Argument::Address(self.coefficients + (4 * at * self.channels.channels) as u64)
    }

    fn numbers(&self) -> Argument<'static> {
        Argument::Number(Self::rows(self.channels) as f32)
    }

    fn launch(&self, kernel: &'static str, arguments: &[Argument<'_>]) {
        let grid = blocks(self.channels.channels);
        self.context
            .launch(&NORMALIZATIONS, kernel, None, grid, arguments);
    }

    fn add_up(&self, x: View<'_, R>, dy: Option<View<'_, R>>, shift: Option<View<'_, R>>) {
        let arguments = [
            x.argument(),
            optional(dy),
            optional(shift),
            Argument::Address(self.sums),
            count(self.channels.channels),
            count(self.channels.inner),
            count(Self::rows(self.channels)),
            count(self.rows_per_part),
        ];
        let grid = [self.channels.channels.div_ceil(32), self.parts()];
        self.context
            .launch(&NORMALIZATIONS, "channel_parts", None, grid, &arguments);
    }

    /// `y = a x + b other + c`.
    fn map(&self, x: View<'_, R>, other: Option<View<'_, R>>, c: usize, y: &ViewMut<'_, R>) {
        let arguments = [
            x.argument(),
            optional(other),
            self.coefficient(0),
            self.coefficient(1),
            self.coefficient(c),
            y.argument(),
            count(self.channels.channels),
            count(self.channels.inner),
            count(y.len),
        ];
        self.context.launch(
            &NORMALIZATIONS,
            "map_channels",
            None,
            blocks(y.len),
            &arguments,
        );
    }

    /// The coefficients `y = a x + b` for a given mean and variance.
    fn given(
        &self,
        gamma: Option<View<'_, R>>,
        beta: Option<View<'_, R>>,
        mean: Option<View<'_, R>>,
        variance: View<'_, R>,
        epsilon: f32,
    ) {
        self.launch(
            "given_coefficients",
            &[
                optional(gamma),
                optional(beta),
                optional(mean),
                variance.argument(),
                self.coefficient(0),
                self.coefficient(1),
                count(self.channels.channels),
                Argument::Number(epsilon),
            ],
        );
    }

    /// The gradients of gamma and beta, and where `wants_input` the coefficients of that of x.
    #[allow(clippy::too_many_arguments)]
    fn gradients(
        &self,
        gamma: Option<View<'_, R>>,
        mean: View<'_, R>,
        scale: View<'_, R>,
        epsilon: f32,
        d_gamma: Option<&ViewMut<'_, R>>,
        d_beta: Option<&ViewMut<'_, R>>,
        wants_input: bool,
    ) {
        let coefficients = if wants_input { self.coefficients } else { 0 };
        self.launch(
            "gradient_coefficients",
            &[
                Argument::Address(self.sums),
                optional(gamma),
                mean.argument(),
                scale.argument(),
                optional_mut(d_gamma),
                optional_mut(d_beta),
                Argument::Address(coefficients),
                count(self.channels.channels),
                count(self.parts()),
                self.numbers(),
                Argument::Number(epsilon),
            ],
        );
    }
}

on_gpus! {
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
            _scratch: Self::SliceMut<'_>,
        ) {
            Work::with(x.context, channels, |work| {
                work.add_up(x, None, None);
                work.launch(
                    "batch_coefficients",
                    &[
                        x.argument(),
                        Argument::Address(work.sums),
                        optional(gamma_beta.gamma),
                        optional(gamma_beta.beta),
                        moving.mean.argument(),
                        moving.variance.argument(),
                        kept.mean.argument(),
                        kept.variance.argument(),
                        work.coefficient(0),
                        work.coefficient(1),
                        count(channels.channels),
                        count(channels.inner),
                        count(work.parts()),
                        work.numbers(),
                        Argument::Number(epsilon),
                        Argument::Number(momentum),
                    ],
                );
                work.map(x, None, 1, &y);
            });
        }
        fn normalize_batch_gradient(
            &self,
            channels: &Channels,
            x: Self::Slice<'_>,
            gamma: Option<Self::Slice<'_>>,
            [mean, scale]: [Self::Slice<'_>; 2],
            dy: Self::Slice<'_>,
            gradients: NormalizationGradients<'_, Self>,
            _scratch: Self::SliceMut<'_>,
        ) {
            Work::with(x.context, channels, |work| {
                work.add_up(x, Some(dy), Some(mean));
                let (d_gamma, d_beta) = (gradients.gamma.as_ref(), gradients.beta.as_ref());
                let wants_input = gradients.input.is_some();
                work.gradients(gamma, mean, scale, -1.0, d_gamma, d_beta, wants_input);
                if let Some(dx) = &gradients.input {
                    work.map(dy, Some(x), 2, dx);
                }
            });
        }
        fn normalize(
            &self,
            channels: &Channels,
            x: Self::Slice<'_>,
            gamma_beta: GammaBeta<'_, Self>,
            [mean, variance]: [Self::Slice<'_>; 2],
            epsilon: f32,
            y: Self::SliceMut<'_>,
            _scratch: Self::SliceMut<'_>,
        ) {
            Work::with(x.context, channels, |work| {
                work.given(gamma_beta.gamma, gamma_beta.beta, Some(mean), variance, epsilon);
                work.map(x, None, 1, &y);
            });
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
            _scratch: Self::SliceMut<'_>,
        ) {
            Work::with(x.context, channels, |work| {
                let (d_gamma, d_beta) = (gradients.gamma.as_ref(), gradients.beta.as_ref());
                if d_gamma.is_some() || d_beta.is_some() {
                    work.add_up(x, Some(dy), Some(mean));
                    work.gradients(gamma, mean, variance, epsilon, d_gamma, d_beta, false);
                }
                if let Some(dx) = &gradients.input {
                    work.given(gamma, None, None, variance, epsilon);
                    work.map(dy, None, 1, dx);
                }
            });
        }
    }
}
