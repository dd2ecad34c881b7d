//! `y = activation(x w + b)`, along the last axis of an input of any rank.

use super::{Backward, Forward, Layer, Logits, Weight, Weights, Workspace, min_rank, one_input};
use crate::arg::Size;
use crate::device::{Activation, Device};
use crate::initializers::Initializer;
use crate::shape::{Shape, ShapeError, Text};

/// A layer in which every unit sees every input: `keras.layers.Dense`.
///
/// | | shape |
/// |---|---|
/// | input | (batch, .., features) |
/// | kernel | (features, units) |
/// | bias | (units,) |
/// | output | (batch, .., units) |
#[derive(Clone, Copy, Debug)]
pub struct Dense {
    units: usize,
    activation: Activation,
    use_bias: bool,
    kernel_initializer: Initializer,
    bias_initializer: Initializer,
}

impl Dense {
    /// A layer of `units` outputs.
    ///
    /// # Panics
    /// If `units` is not one positive number; in a model this is a compile error.
    #[track_caller]
    pub const fn new(units: Size) -> Self {
        Self {
            units: units.positive("Dense", "units"),
            activation: Activation::Linear,
            use_bias: true,
            kernel_initializer: Initializer::GlorotUniform,
            bias_initializer: Initializer::Zeros,
        }
    }

    /// The function applied to the output; none by default.
    #[must_use]
    pub const fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Whether a bias is added; it is by default.
    #[must_use]
    pub const fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    /// How the kernel begins; `glorot_uniform` by default.
    #[must_use]
    pub const fn kernel_initializer(mut self, initializer: Initializer) -> Self {
        self.kernel_initializer = initializer;
        self
    }

    /// How the bias begins; `zeros` by default.
    #[must_use]
    pub const fn bias_initializer(mut self, initializer: Initializer) -> Self {
        self.bias_initializer = initializer;
        self
    }

    /// (.., features) -> (.., units).
    ///
    /// # Errors
    /// If the input has no feature axis, or its size is not known.
    pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = match one_input(inputs) {
            Ok(input) => input,
            Err(error) => return Err(error),
        };
        if let Err(error) = min_rank(&input, 1) {
            return Err(error);
        }
        if !input.is_known() {
            return Ok(Shape::UNKNOWN);
        }
        if input.last() == Shape::NONE {
            let text = Text::new().str(
                "The last dimension of the inputs to a Dense layer should be defined. Found None. ",
            );
            return Err(ShapeError::new(
                text.str("Full input shape received: ").batched(&input),
            ));
        }
        Ok(input.with_last(self.units))
    }

    /// kernel (features, units), bias (units,).
    pub const fn weights(&self, inputs: &[Shape]) -> Weights {
        let kernel = Shape::new(&[inputs[0].last(), self.units]);
        let weights = Weights::NONE.with(Weight::new("kernel", kernel, self.kernel_initializer));
        if !self.use_bias {
            return weights;
        }
        weights.with(Weight::new(
            "bias",
            Shape::new(&[self.units]),
            self.bias_initializer,
        ))
    }

    /// Whether `z = x w + b` has to be kept beside `y = activation(z)`.
    fn keeps_logits(&self) -> bool {
        self.activation.gradient_needs_input()
            || matches!(self.activation, Activation::Softmax | Activation::Sigmoid)
    }

    /// (rows, features, units) of the matrix product.
    fn dims(&self, input: &Shape, batch: usize) -> [usize; 3] {
        let features = input.last();
        [batch * input.size() / features.max(1), features, self.units]
    }
}

impl Layer for Dense {
    fn workspace(&self, _inputs: &[Shape], output: &Shape, batch: usize) -> Workspace {
        let kept = if self.keeps_logits() {
            batch * output.size()
        } else {
            0
        };
        Workspace { kept, scratch: 0 }
    }

    fn logits(&self) -> Logits {
        if self.keeps_logits() {
            Logits::Kept(self.activation)
        } else {
            Logits::None
        }
    }

    fn forward<D: Device>(&self, cx: Forward<'_, D>) {
        let [x] = cx.inputs else { return };
        let dims = self.dims(&x.shape, cx.batch);
        let kernel = cx.weights.get(0);
        let bias = self.use_bias.then(|| cx.weights.get(1));
        if self.keeps_logits() {
            let (mut logits, _) = D::split(cx.kept, dims[0] * self.units);
            cx.device
                .affine(x.data, kernel, bias, false, D::reborrow(&mut logits), dims);
            cx.device
                .activate(self.activation, D::read(&logits), cx.output, self.units);
            return;
        }
        let relu = self.activation == Activation::Relu;
        let mut output = cx.output;
        cx.device
            .affine(x.data, kernel, bias, relu, D::reborrow(&mut output), dims);
        if !relu && self.activation != Activation::Linear {
            cx.device
                .activate_in_place(self.activation, output, self.units);
        }
    }

    fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
        let [x] = *cx.inputs else { return };
        let dims = self.dims(&x.shape, cx.batch);
        let d_input = cx.d_input(0);
        let activation = if cx.from_logits {
            Activation::Linear
        } else {
            self.activation
        };
        let (d_kernel, d_bias) = match cx.d_weights {
            Some(d_weights) => {
                let (d_kernel, rest) = d_weights.next();
                (Some(d_kernel), self.use_bias.then(|| rest.next().0))
            }
            None => (None, None),
        };
        // d_output (rows, units) becomes the gradient of z = x w + b.
        let mut d_z = cx.d_output;
        let z = activation
            .gradient_needs_input()
            .then(|| D::part(D::read(&cx.kept), 0..dims[0] * self.units));
        cx.device.bias_activation_gradient(
            activation,
            z,
            cx.output,
            D::reborrow(&mut d_z),
            d_bias,
            self.units,
        );
        if let Some(d_kernel) = d_kernel {
            cx.device
                .weight_gradient(x.data, D::read(&d_z), d_kernel, dims);
        }
        if let Some(d_x) = d_input {
            cx.device
                .input_gradient(D::read(&d_z), cx.weights.get(0), d_x, dims);
        }
    }
}
