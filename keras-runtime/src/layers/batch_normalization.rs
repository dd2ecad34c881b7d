//! `y = gamma (x - mean) / sqrt(variance + epsilon) + beta`, a channel at a time.

use super::{Backward, Forward, Layer, Weight, Weights, Workspace, one_input};
use crate::arg::Size;
use crate::config::{Config, arguments};
use crate::constraints::Constraint;
use crate::device::{Channels, Device, GammaBeta, Moments, NormalizationGradients};
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::shape::{Shape, ShapeError, Text};

/// Gives every channel mean 0 and variance 1 over the batch: `keras.layers.BatchNormalization`.
///
/// Training normalizes by the mean and the variance of the batch, and moves the moving averages
/// towards them; inference, and training of a frozen layer, normalizes by the averages.
///
/// | | shape |
/// |---|---|
/// | input, output | (batch, ..), with channels along `axis` |
/// | gamma, beta | (channels,) |
/// | moving_mean, moving_variance | (channels,), updated by the layer itself |
#[derive(Clone, Copy, Debug)]
pub struct BatchNormalization {
    axis: isize,
    momentum: f32,
    epsilon: f32,
    center: bool,
    scale: bool,
    beta_initializer: Initializer,
    gamma_initializer: Initializer,
    moving_mean_initializer: Initializer,
    moving_variance_initializer: Initializer,
    beta_regularizer: Regularizer,
    gamma_regularizer: Regularizer,
    beta_constraint: Constraint,
    gamma_constraint: Constraint,
}

impl BatchNormalization {
    /// A layer with channels along the last axis.
    pub const fn new() -> Self {
        Self {
            axis: -1,
            momentum: 0.99,
            epsilon: 1e-3,
            center: true,
            scale: true,
            beta_initializer: Initializer::Zeros,
            gamma_initializer: Initializer::Ones,
            moving_mean_initializer: Initializer::Zeros,
            moving_variance_initializer: Initializer::Ones,
            beta_regularizer: Regularizer::None,
            gamma_regularizer: Regularizer::None,
            beta_constraint: Constraint::None,
            gamma_constraint: Constraint::None,
        }
    }

    /// The axis of the channels, the batch being axis 0; the last by default.
    ///
    /// # Panics
    /// If it is not one number.
    #[must_use]
    #[track_caller]
    pub const fn axis(mut self, axis: Size) -> Self {
        self.axis = axis.single("BatchNormalization", "axis");
        self
    }

    /// How much of the moving averages a step leaves; 0.99 by default.
    #[must_use]
    pub const fn momentum(mut self, momentum: f32) -> Self {
        self.momentum = momentum;
        self
    }

    /// What is added to the variance, so that it is never 0; 0.001 by default.
    #[must_use]
    pub const fn epsilon(mut self, epsilon: f32) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Whether beta is added; it is by default.
    #[must_use]
    pub const fn center(mut self, center: bool) -> Self {
        self.center = center;
        self
    }

    /// Whether gamma is multiplied with; it is by default.
    #[must_use]
    pub const fn scale(mut self, scale: bool) -> Self {
        self.scale = scale;
        self
    }

    /// How beta begins; `zeros` by default.
    #[must_use]
    pub const fn beta_initializer(mut self, initializer: Initializer) -> Self {
        self.beta_initializer = initializer;
        self
    }

    /// How gamma begins; `ones` by default.
    #[must_use]
    pub const fn gamma_initializer(mut self, initializer: Initializer) -> Self {
        self.gamma_initializer = initializer;
        self
    }

    /// How the moving mean begins; `zeros` by default.
    #[must_use]
    pub const fn moving_mean_initializer(mut self, initializer: Initializer) -> Self {
        self.moving_mean_initializer = initializer;
        self
    }

    /// How the moving variance begins; `ones` by default.
    #[must_use]
    pub const fn moving_variance_initializer(mut self, initializer: Initializer) -> Self {
        self.moving_variance_initializer = initializer;
        self
    }

    /// The penalty on beta that is added to the loss; none by default.
    #[must_use]
    pub const fn beta_regularizer(mut self, regularizer: Regularizer) -> Self {
        self.beta_regularizer = regularizer;
        self
    }

    /// The penalty on gamma that is added to the loss; none by default.
    #[must_use]
    pub const fn gamma_regularizer(mut self, regularizer: Regularizer) -> Self {
        self.gamma_regularizer = regularizer;
        self
    }

    /// What beta has to be after each step; anything by default.
    #[must_use]
    pub const fn beta_constraint(mut self, constraint: Constraint) -> Self {
        self.beta_constraint = constraint;
        self
    }

    /// What gamma has to be after each step; anything by default.
    #[must_use]
    pub const fn gamma_constraint(mut self, constraint: Constraint) -> Self {
        self.gamma_constraint = constraint;
        self
    }

    /// The axis of a sample that holds the channels, of `rank` axes; `None` if there is none.
    const fn channel_axis(&self, rank: usize) -> Option<usize> {
        let axis = if self.axis < 0 {
            self.axis + rank as isize
        } else {
            self.axis - 1
        };
        if axis < 0 || axis >= rank as isize {
            return None;
        }
        Some(axis as usize)
    }

    /// The shape of the input.
    ///
    /// # Errors
    /// If the input has no such axis, or its size is not known.
    pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = match one_input(inputs) {
            Ok(input) => input,
            Err(error) => return Err(error),
        };
        if !input.is_known() {
            return Ok(Shape::UNKNOWN);
        }
        let Some(axis) = self.channel_axis(input.rank()) else {
            let text = Text::new().str("Axis ").int(self.axis);
            let text = text
                .str(" is out of bounds for input shape ")
                .batched(&input);
            return Err(ShapeError::new(
                text.str(". Received: axis=").int(self.axis),
            ));
        };
        if input.dim(axis) == Shape::NONE {
            let text = Text::new().str("Axis ").int(self.axis);
            let text = text.str(" of the input should be defined. Found None. ");
            return Err(ShapeError::new(
                text.str("Full input shape received: ").batched(&input),
            ));
        }
        Ok(input)
    }

    /// gamma, beta, moving_mean, moving_variance: (channels,) each.
    pub const fn weights(&self, inputs: &[Shape]) -> Weights {
        let channels = match self.channel_axis(inputs[0].rank()) {
            Some(axis) => Shape::new(&[inputs[0].dim(axis)]),
            None => Shape::UNKNOWN,
        };
        let mut weights = Weights::NONE;
        if self.scale {
            let gamma = Weight::new("gamma", channels, self.gamma_initializer)
                .regularizer(self.gamma_regularizer)
                .constraint(self.gamma_constraint);
            weights = weights.with(gamma);
        }
        if self.center {
            let beta = Weight::new("beta", channels, self.beta_initializer)
                .regularizer(self.beta_regularizer)
                .constraint(self.beta_constraint);
            weights = weights.with(beta);
        }
        let (mean, variance) = (
            self.moving_mean_initializer,
            self.moving_variance_initializer,
        );
        weights
            .with(Weight::state("moving_mean", channels, mean))
            .with(Weight::state("moving_variance", channels, variance))
    }

    fn channels(&self, input: &Shape, batch: usize) -> Option<Channels> {
        let axis = self.channel_axis(input.rank())?;
        let (before, after) = input.dims().split_at(axis);
        Some(Channels {
            outer: batch * before.iter().product::<usize>(),
            channels: after[0],
            inner: after[1..].iter().product(),
        })
    }
}

impl Default for BatchNormalization {
    fn default() -> Self {
        Self::new()
    }
}

arguments!(BatchNormalization {
    "axis": axis,
    "momentum": momentum,
    "epsilon": epsilon,
    "center": center,
    "scale": scale,
    "beta_initializer": beta_initializer,
    "gamma_initializer": gamma_initializer,
    "moving_mean_initializer": moving_mean_initializer,
    "moving_variance_initializer": moving_variance_initializer,
    "beta_regularizer": beta_regularizer,
    "gamma_regularizer": gamma_regularizer,
    "beta_constraint": beta_constraint,
    "gamma_constraint": gamma_constraint,
    "synchronized" = false,
    "renorm" = false,
    "renorm_clipping" = None::<&str>,
    "renorm_momentum" = 0.99f32,
});

impl Layer for BatchNormalization {
    fn config(&self) -> Config {
        Config::keras("keras.layers", "BatchNormalization").arguments(self)
    }

    fn workspace(&self, inputs: &[Shape], _output: &Shape, batch: usize) -> Workspace {
        let channels = inputs.first().and_then(|input| self.channels(input, batch));
        channels.map_or(Workspace::default(), |channels| Workspace {
            kept: 2 * channels.channels,
            scratch: channels.scratch(),
        })
    }

    fn forward<D: Device>(&self, cx: Forward<'_, D>) {
        let [x] = cx.inputs else { return };
        let Some(channels) = self.channels(&x.shape, cx.batch) else {
            return;
        };
        let gamma_beta = GammaBeta {
            gamma: self.scale.then(|| cx.weights.get(0)),
            beta: self.center.then(|| cx.weights.get(usize::from(self.scale))),
        };
        let (mean, rest) = cx.state.next();
        let (variance, _) = rest.next();
        if cx.training && cx.trainable {
            let (kept_mean, kept_rest) = D::split(cx.kept, channels.channels);
            let kept = Moments {
                mean: kept_mean,
                variance: kept_rest,
            };
            cx.device.normalize_batch(
                &channels,
                x.data,
                gamma_beta,
                self.epsilon,
                self.momentum,
                Moments { mean, variance },
                kept,
                cx.output,
                cx.scratch,
            );
        } else {
            cx.device.normalize(
                &channels,
                x.data,
                gamma_beta,
                [D::read(&mean), D::read(&variance)],
                self.epsilon,
                cx.output,
                cx.scratch,
            );
        }
    }

    fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
        let [x] = *cx.inputs else { return };
        let Some(channels) = self.channels(&x.shape, cx.batch) else {
            return;
        };
        let input = cx.d_input(0);
        let (mut gamma, mut beta) = (None, None);
        if let Some(mut d_weights) = cx.d_weights {
            if self.scale {
                let (first, rest) = d_weights.next();
                (gamma, d_weights) = (Some(first), rest);
            }
            beta = self.center.then(|| d_weights.next().0);
        }
        let gradients = NormalizationGradients { gamma, beta, input };
        let gamma = self.scale.then(|| cx.weights.get(0));
        let d_y = D::read(&cx.d_output);
        if cx.training && cx.trainable {
            let (kept, n) = (D::read(&cx.kept), channels.channels);
            let kept = [D::part(kept, 0..n), D::part(kept, n..2 * n)];
            cx.device.normalize_batch_gradient(
                &channels, x.data, gamma, kept, d_y, gradients, cx.scratch,
            );
        } else {
            cx.device.normalize_gradient(
                &channels,
                x.data,
                gamma,
                [cx.state.get(0), cx.state.get(1)],
                self.epsilon,
                d_y,
                gradients,
                cx.scratch,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::testing;

    #[test]
    fn the_rule_speaks_keras() {
        let layer = BatchNormalization::new().axis(Size::new(&[3]));
        let error = layer.output_shape(&[Shape::new(&[8, 3])]).unwrap_err();
        assert_eq!(
            error.message(),
            "Axis 3 is out of bounds for input shape (None, 8, 3). Received: axis=3"
        );
        let layer = BatchNormalization::new();
        let error = layer
            .output_shape(&[Shape::new(&[8, Shape::NONE])])
            .unwrap_err();
        assert_eq!(
            error.message(),
            "Axis -1 of the input should be defined. Found None. \
             Full input shape received: (None, 8, None)"
        );
    }

    #[test]
    fn its_gradients_are_those_of_differences() {
        let layer = BatchNormalization::new();
        for layer in [
            layer,
            layer.axis(Size::new(&[1])),
            layer.scale(false).epsilon(0.1),
            layer.center(false),
            layer.scale(false).center(false),
        ] {
            for input in [Shape::new(&[3, 2, 10]), Shape::new(&[5])] {
                testing::layer!(layer, [input]).unwrap().check_gradients(4);
            }
        }
    }

    #[test]
    fn training_moves_the_averages_and_inference_uses_them() {
        let layer = BatchNormalization::new().momentum(0.75).epsilon(0.0);
        let test = testing::layer!(layer, [Shape::new(&[2, 1])]).unwrap();
        let x = [vec![1.0, 3.0, 5.0, 7.0]];
        let weights = [vec![2.0], vec![0.5], vec![8.0], vec![9.0]];
        let run = test.forward::<Cpu>(&x, &weights).unwrap();
        // The batch has mean 4 and (biased) variance 5.
        assert_eq!(run.state, [[7.0], [8.0]]);
        let scale = 2.0 / 5f32.sqrt();
        let expected = [-3.0, -1.0, 1.0, 3.0].map(|x| 0.5 + scale * x);
        for (found, expected) in run.output.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        for test in [test.training(false), test.trainable(false)] {
            let run = test.forward::<Cpu>(&x, &weights).unwrap();
            assert_eq!(run.state, [[8.0], [9.0]]);
            let expected = [1.0, 3.0, 5.0, 7.0].map(|x| 0.5 + (x - 8.0) * 2.0 / 3.0);
            for (found, expected) in run.output.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{found} {expected}");
            }
        }
    }

    #[test]
    fn a_mean_far_from_zero_costs_no_digits() {
        let layer = BatchNormalization::new().epsilon(0.0);
        let test = testing::layer!(layer, [Shape::new(&[1])]).unwrap();
        let x: Vec<f32> = (0..64).map(|i| 10_000.0 + (i % 2) as f32).collect();
        let weights = [vec![1.0], vec![0.0], vec![0.0], vec![1.0]];
        let run = test.forward::<Cpu>(&[x], &weights).unwrap();
        for (i, y) in run.output.iter().enumerate() {
            let expected = if i % 2 == 0 { -1.0 } else { 1.0 };
            assert!((y - expected).abs() < 2e-2, "{y}");
        }
    }
}
