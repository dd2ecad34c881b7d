//! `y = f(x)`, f one of Keras' activations.

use super::{Backward, Forward, Layer, Logits, Weights, min_rank, one_input};
use crate::config::{Config, arguments};
use crate::device::{self, Device};
use crate::shape::{Shape, ShapeError, Text};

/// Applies a function to its input: `keras.layers.Activation`.
///
/// The output has the shape of the input; with `glu` its last axis is half as long.
#[derive(Clone, Copy, Debug)]
pub struct Activation {
    function: device::Activation,
}

impl Activation {
    /// A layer that applies `activation`.
    pub const fn new(activation: device::Activation) -> Self {
        Self {
            function: activation,
        }
    }

    /// The shape of the input.
    ///
    /// # Errors
    /// If there are several inputs, or `glu` cannot halve the last axis.
    pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = match one_input(inputs) {
            Ok(input) => input,
            Err(error) => return Err(error),
        };
        if self.function.keeps_shape() || !input.is_known() {
            return Ok(input);
        }
        if let Err(error) = min_rank(&input, 1) {
            return Err(error);
        }
        if input.last() == Shape::NONE {
            return Ok(input);
        }
        if input.last() % 2 != 0 {
            let text = Text::new()
                .str("glu halves the last axis, whose size must be even. Received: input shape ");
            return Err(ShapeError::new(text.batched(&input)));
        }
        Ok(input.with_last(input.last() / 2))
    }

    /// None.
    pub const fn weights(&self, _inputs: &[Shape]) -> Weights {
        Weights::NONE
    }
}

/// The length of the axis along which softmax and its kin work.
fn width(shape: &Shape) -> usize {
    if shape.rank() == 0 { 1 } else { shape.last() }
}

arguments!(Activation {
    "activation": function,
});

impl Layer for Activation {
    fn config(&self) -> Config {
        Config::keras("keras.layers", "Activation").arguments(self)
    }

    fn is_view(&self, _training: bool) -> bool {
        self.function == device::Activation::Linear
    }

    fn logits(&self) -> Logits {
        match self.function {
            device::Activation::Softmax | device::Activation::Sigmoid => {
                Logits::Input(self.function)
            }
            _ => Logits::None,
        }
    }

    fn forward<D: Device>(&self, cx: Forward<'_, D>) {
        let [x] = cx.inputs else { return };
        cx.device
            .activate(self.function, x.data, cx.output, width(&x.shape));
    }

    fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
        let [x] = *cx.inputs else { return };
        let Some(d_x) = cx.d_input(0) else { return };
        let d_y = D::read(&cx.d_output);
        if cx.from_logits {
            return cx.device.copy(d_y, d_x);
        }
        cx.device.activation_gradient(
            self.function,
            Some(x.data),
            cx.output,
            d_y,
            d_x,
            width(&x.shape),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer;
    use crate::words;

    #[test]
    fn gradients() {
        for function in [
            words::celu,
            words::elu,
            words::exponential,
            words::gelu,
            words::gelu_with(true),
            words::glu,
            words::linear,
            words::log_sigmoid,
            words::log_softmax,
            words::mish,
            words::selu,
            words::sigmoid,
            words::silu,
            words::softmax,
            words::softplus,
            words::softsign,
            words::squareplus,
            words::tanh,
            words::tanh_shrink,
        ] {
            let test = layer!(Activation::new(function), [Shape::new(&[3, 4])]).unwrap();
            test.check_gradients(2);
        }
    }

    #[test]
    fn glu_halves_the_last_axis() {
        let glu = Activation::new(words::glu);
        let shape = |input: &[usize]| glu.output_shape(&[Shape::new(input)]);
        assert_eq!(shape(&[3, 8]).unwrap(), Shape::new(&[3, 4]));
        let error = shape(&[3, 7]).unwrap_err();
        assert_eq!(
            error.message(),
            "glu halves the last axis, whose size must be even. Received: input shape (None, 3, 7)"
        );
        assert!(shape(&[]).is_err());
        let none = Shape::new(&[Shape::NONE]);
        assert_eq!(glu.output_shape(&[none]).unwrap(), none);
    }

    #[test]
    #[should_panic(expected = "glu halves the last axis and has to be a layer of its own")]
    fn other_layers_refuse_glu() {
        let _ = crate::layers::Dense::new(crate::arg::Size::new(&[4])).activation(words::glu);
    }

    #[test]
    fn shapes_stay() {
        let relu = Activation::new(words::relu);
        for shape in [Shape::new(&[]), Shape::new(&[2, 3, 5]), Shape::UNKNOWN] {
            assert_eq!(relu.output_shape(&[shape]).unwrap(), shape);
        }
        let two = [Shape::new(&[1]), Shape::new(&[1])];
        assert!(relu.output_shape(&two).is_err());
    }
}
