//! `y = activation(x w + b)`, along the last axis of an input of any rank.

use super::affine::{Affine, affine_arguments};
use super::{Backward, Forward, Layer, Logits, Weights, Workspace, min_rank, one_input};
use crate::arg::Size;
use crate::config::{Config, arguments};
use crate::device::{Activation, Device};
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
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
    affine: Affine,
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
            affine: Affine::DEFAULT,
        }
    }

    affine_arguments!();

    /// What is wrong with the arguments.
    pub(super) const fn mistake(&self) -> Option<Text> {
        self.affine.mistake()
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
        self.affine
            .weights(Shape::new(&[inputs[0].last(), self.units]))
    }

    /// (rows, features, units) of the matrix product.
    fn dims(&self, input: &Shape, batch: usize) -> [usize; 3] {
        let features = input.last();
        [batch * input.size() / features.max(1), features, self.units]
    }
}

arguments!(Dense {
    "activity_regularizer" unless (Regularizer::None): affine.activity_regularizer,
    "units": units,
    "activation": affine.activation,
    "use_bias": affine.use_bias,
    "kernel_initializer": affine.kernel_initializer,
    "bias_initializer": affine.bias_initializer,
    "kernel_regularizer": affine.kernel_regularizer,
    "bias_regularizer": affine.bias_regularizer,
    "kernel_constraint": affine.kernel_constraint,
    "bias_constraint": affine.bias_constraint,
    "quantization_config" = None::<&str>,
});

impl Layer for Dense {
    fn config(&self) -> Config {
        Config::keras("keras.layers", "Dense").arguments(self)
    }

    fn workspace(&self, _inputs: &[Shape], output: &Shape, batch: usize) -> Workspace {
        Workspace {
            kept: self.affine.kept(output, batch),
            scratch: 0,
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
        let dims = self.dims(&x.shape, cx.batch);
        self.affine.forward(cx, |p| {
            p.device.affine(p.x, p.kernel, p.bias, p.relu, p.y, dims);
        });
    }

    fn backward<D: Device>(&self, cx: Backward<'_, D>) {
        let [x] = *cx.inputs else { return };
        let dims = self.dims(&x.shape, cx.batch);
        let Some(mut g) = self.affine.gradients(cx) else {
            return;
        };
        g.through_activation();
        if let Some(d_kernel) = g.d_kernel {
            g.device
                .weight_gradient(g.x, D::read(&g.d_y), d_kernel, dims);
        }
        if let Some(d_x) = g.d_x {
            g.device
                .input_gradient(D::read(&g.d_y), g.kernel, d_x, dims);
        }
    }
}
