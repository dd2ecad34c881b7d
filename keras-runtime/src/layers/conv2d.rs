//! `y = activation(Σ x[row · stride + i, column · stride + j] kernel[i, j] + bias)`: windows of an
//! image, each of which every filter sees whole.

use super::affine::{Affine, affine_arguments};
use super::windows::{Windows, one_image, pair};
use super::{Backward, Forward, Layer, Logits, Padding, Weights, Workspace};
use crate::arg::Size;
use crate::config::{Config, arguments};
use crate::device::{Activation, Conv2dGeometry, Conv2dGradients, Device};
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::shape::{Shape, ShapeError, Text};

/// A convolution of images: `keras.layers.Conv2D`.
///
/// | | shape |
/// |---|---|
/// | input | (batch, rows, columns, channels) |
/// | kernel | (kernel rows, kernel columns, channels / groups, filters) |
/// | bias | (filters,) |
/// | output | (batch, new rows, new columns, filters) |
#[derive(Clone, Copy, Debug)]
pub struct Conv2D {
    filters: usize,
    groups: usize,
    windows: Windows,
    affine: Affine,
}

impl Conv2D {
    /// A layer of `filters` filters over windows of `kernel_size`.
    ///
    /// # Panics
    /// If `filters` is not one positive number, or `kernel_size` is not one or two of them; in a
    /// model this is a compile error.
    #[track_caller]
    pub const fn new(filters: Size, kernel_size: Size) -> Self {
        let filters_text = Text::new().str(
            "Invalid value for argument `filters`. Expected a strictly positive value. Received filters=",
        );
        if filters.count() != 1 || filters.get(0) <= 0 {
            panic!("{}", filters.write(filters_text).str(".").as_str());
        }
        Self {
            filters: filters.get(0) as usize,
            groups: 1,
            windows: Windows::new(kernel_size.pair("Conv2D", "kernel_size"), (1, 1)),
            affine: Affine::DEFAULT,
        }
    }

    /// The distance between neighbouring windows; 1 by default.
    ///
    /// # Panics
    /// If it is not one or two positive numbers.
    #[must_use]
    #[track_caller]
    pub const fn strides(mut self, strides: Size) -> Self {
        self.windows.strides = strides.pair("Conv2D", "strides");
        self.checked()
    }

    /// Whether windows stay inside the image, `valid`, as they do by default; or `same`.
    #[must_use]
    pub const fn padding(mut self, padding: Padding) -> Self {
        self.windows.padding = padding;
        self
    }

    /// The distance between the pixels of a window; 1 by default.
    ///
    /// # Panics
    /// If it is not one or two positive numbers.
    #[must_use]
    #[track_caller]
    pub const fn dilation_rate(mut self, dilation_rate: Size) -> Self {
        self.windows.dilation = dilation_rate.pair("Conv2D", "dilation_rate");
        self.checked()
    }

    /// The groups that channels and filters are cut into; a filter sees the channels of its own
    /// group only. 1 by default.
    ///
    /// # Panics
    /// If it is not one positive number that divides the number of filters.
    #[must_use]
    #[track_caller]
    pub const fn groups(mut self, groups: Size) -> Self {
        if groups.count() != 1 || groups.get(0) <= 0 {
            let text = Text::new()
                .str("The number of groups must be a positive integer. Received: groups=");
            panic!("{}", groups.write(text).str(".").as_str());
        }
        self.groups = groups.get(0) as usize;
        self.checked()
    }

    affine_arguments!();

    #[track_caller]
    const fn checked(self) -> Self {
        if let Some(mistake) = self.mistake() {
            panic!("{}", mistake.as_str());
        }
        self
    }

    /// What is wrong with the arguments together.
    pub(super) const fn mistake(&self) -> Option<Text> {
        if let Some(mistake) = self.affine.mistake() {
            return Some(mistake);
        }
        if !self.filters.is_multiple_of(self.groups) {
            let text = Text::new().str(
                "The number of filters must be evenly divisible by the number of groups. Received: groups=",
            );
            let text = text.num(self.groups).str(", filters=").num(self.filters);
            return Some(text.str("."));
        }
        let Windows {
            strides, dilation, ..
        } = self.windows;
        if (strides.0 > 1 || strides.1 > 1) && (dilation.0 > 1 || dilation.1 > 1) {
            let text = Text::new().str(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: strides=",
            );
            return Some(pair(
                pair(text, strides).str(" and dilation_rate="),
                dilation,
            ));
        }
        None
    }

    /// (rows, columns, channels) -> (new rows, new columns, filters).
    ///
    /// # Errors
    /// If the input is no image, its channels do not fit the groups, or the kernel does not fit it.
    pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let image = match one_image(inputs) {
            Ok(Some(image)) => image,
            Ok(None) => return Ok(Shape::UNKNOWN),
            Err(error) => return Err(error),
        };
        let channels = image.last();
        if channels == Shape::NONE {
            let text = Text::new()
                .str("The channel dimension of the inputs should be defined. Found None. ")
                .str("Full input shape received: ");
            return Err(ShapeError::new(text.batched(&image)));
        }
        if !channels.is_multiple_of(self.groups) {
            let text = Text::new()
                .str("The number of input channels must be evenly divisible by the number of ")
                .str("groups. Received: groups=")
                .num(self.groups);
            let text = text.str(", input channels=").num(channels);
            let text = text.str(" (full input shape is ").batched(&image);
            return Err(ShapeError::new(text.str(")")));
        }
        self.windows
            .output_shape(&image, self.filters, "kernel_size")
    }

    /// kernel (kernel rows, kernel columns, channels / groups, filters), bias (filters,).
    pub const fn weights(&self, inputs: &[Shape]) -> Weights {
        let channels = match inputs[0].last() {
            Shape::NONE => Shape::NONE,
            channels => channels / self.groups,
        };
        let (rows, columns) = self.windows.size;
        self.affine
            .weights(Shape::new(&[rows, columns, channels, self.filters]))
    }

    fn geometry(&self, image: &Shape) -> Option<Conv2dGeometry> {
        let (rows, columns) = self.windows.axes(image)?;
        Some(Conv2dGeometry {
            rows,
            columns,
            channels: image.last(),
            filters: self.filters,
            groups: self.groups,
        })
    }
}

arguments!(Conv2D {
    "filters": filters,
    "kernel_size": windows.size,
    "strides": windows.strides,
    "padding": windows.padding,
    "data_format" = "channels_last",
    "dilation_rate": windows.dilation,
    "groups": groups,
    "activation": affine.activation,
    "use_bias": affine.use_bias,
    "kernel_initializer": affine.kernel_initializer,
    "bias_initializer": affine.bias_initializer,
    "kernel_regularizer": affine.kernel_regularizer,
    "bias_regularizer": affine.bias_regularizer,
    "activity_regularizer": affine.activity_regularizer,
    "kernel_constraint": affine.kernel_constraint,
    "bias_constraint": affine.bias_constraint,
});

impl Layer for Conv2D {
    fn config(&self) -> Config {
        Config::keras("keras.layers", "Conv2D").arguments(self)
    }

    fn workspace(&self, inputs: &[Shape], output: &Shape, batch: usize) -> Workspace {
        let geometry = inputs.first().and_then(|image| self.geometry(image));
        Workspace {
            kept: self.affine.kept(output, batch),
            scratch: geometry.map_or(0, |geometry| geometry.scratch(batch)),
        }
    }

    fn logits(&self) -> Logits {
        self.affine.logits()
    }

    fn activity_regularizer(&self) -> Regularizer {
        self.affine.activity_regularizer
    }

    fn forward<D: Device>(&self, cx: Forward<'_, D>) {
        let [x] = cx.inputs else { return };
        let batch = cx.batch;
        let Some(geometry) = self.geometry(&x.shape) else {
            return;
        };
        self.affine.forward(cx, |p| {
            p.device.conv2d(
                &geometry, batch, p.x, p.kernel, p.bias, p.relu, p.y, p.scratch,
            );
        });
    }

    fn backward<D: Device>(&self, cx: Backward<'_, D>) {
        let [x] = *cx.inputs else { return };
        let batch = cx.batch;
        let (Some(geometry), Some(mut g)) = (self.geometry(&x.shape), self.affine.gradients(cx))
        else {
            return;
        };
        // A relu is dealt with where the gradients are computed, while they are in the cache.
        if !matches!(g.activation, Activation::Linear | Activation::Relu) {
            g.through_activation();
        }
        g.device.conv2d_gradient(
            &geometry,
            batch,
            g.x,
            g.kernel,
            (g.activation == Activation::Relu).then_some(g.y),
            g.d_y,
            Conv2dGradients {
                kernel: g.d_kernel,
                bias: g.d_bias,
                input: g.d_x,
            },
            g.scratch,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Padding::{Same, Valid};
    use crate::testing;

    const fn size(value: isize) -> Size {
        Size::new(&[value])
    }

    fn message(layer: Conv2D, input: &[usize]) -> String {
        let error = layer.output_shape(&[Shape::new(input)]).unwrap_err();
        error.message().to_string()
    }

    #[test]
    fn the_rule_speaks_keras() {
        let layer = Conv2D::new(size(64), size(30));
        assert_eq!(
            message(layer, &[26, 26, 32]),
            "kernel_size 30 is larger than its input (26, 26, 32); \
             use padding = same or a smaller kernel"
        );
        let layer = Conv2D::new(size(4), Size::new(&[2, 3])).dilation_rate(size(4));
        assert_eq!(
            message(layer, &[Shape::NONE, 8, 1]),
            "kernel_size (2, 3) with dilation_rate 4 is larger than its input (None, 8, 1); \
             use padding = same or a smaller kernel"
        );
        assert_eq!(
            message(layer, &[10]),
            "input is incompatible with the layer: expected ndim=4, found ndim=2. \
             Full shape received: (None, 10)"
        );
        assert_eq!(
            message(layer.groups(size(2)), &[9, 9, 3]),
            "The number of input channels must be evenly divisible by the number of groups. \
             Received: groups=2, input channels=3 (full input shape is (None, 9, 9, 3))"
        );
        assert_eq!(
            message(layer, &[9, 9, Shape::NONE]),
            "The channel dimension of the inputs should be defined. Found None. \
             Full input shape received: (None, 9, 9, None)"
        );
    }

    #[test]
    fn unknown_sizes_are_carried_through() {
        let layer = Conv2D::new(size(2), size(3));
        let input = Shape::new(&[Shape::NONE, 9, 3]);
        assert_eq!(
            layer.output_shape(&[input]).unwrap(),
            Shape::new(&[Shape::NONE, 7, 2])
        );
        assert_eq!(
            layer.weights(&[input]).get(0).shape,
            Shape::new(&[3, 3, 3, 2])
        );
        assert!(!layer.output_shape(&[Shape::UNKNOWN]).unwrap().is_known());
    }

    #[test]
    #[should_panic(
        expected = "The number of filters must be evenly divisible by the number of \
                               groups. Received: groups=2, filters=3."
    )]
    fn filters_fit_the_groups() {
        let _ = Conv2D::new(size(3), size(1)).groups(size(2));
    }

    #[test]
    #[should_panic(expected = "Received: strides=2 and dilation_rate=(1, 2)")]
    fn strides_exclude_dilation() {
        let layer = Conv2D::new(size(3), size(1)).dilation_rate(Size::new(&[1, 2]));
        let _ = layer.strides(size(2));
    }

    #[test]
    #[should_panic(expected = "Expected a strictly positive value. Received filters=0.")]
    fn there_are_filters() {
        let _ = Conv2D::new(size(0), size(1));
    }

    #[test]
    fn its_gradients_are_those_of_differences() {
        let conv = |filters, kernel: &[isize]| Conv2D::new(size(filters), Size::new(kernel));
        let pair = |a, b| Size::new(&[a, b]);
        for (layer, input) in [
            (conv(2, &[3]), [5, 4, 1]),
            (conv(3, &[2, 3]).padding(Same), [4, 5, 2]),
            (conv(2, &[3]).strides(size(2)).padding(Same), [6, 5, 3]),
            (conv(2, &[2]).strides(pair(3, 1)).padding(Valid), [8, 3, 2]),
            (conv(2, &[3, 2]).dilation_rate(pair(2, 3)), [6, 5, 2]),
            (
                conv(2, &[3]).dilation_rate(size(2)).padding(Same),
                [4, 3, 1],
            ),
            (conv(4, &[3]).groups(size(2)).padding(Same), [3, 3, 4]),
            (conv(3, &[1]).use_bias(false), [2, 2, 2]),
        ] {
            for activation in [Activation::Linear, Activation::Relu, Activation::Softmax] {
                let layer = layer.activation(activation);
                testing::layer!(layer, [Shape::new(&input)])
                    .unwrap()
                    .check_gradients(3);
            }
        }
    }
}
