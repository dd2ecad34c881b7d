//! `y = scale · x + offset`.

use super::{Backward, Forward, Layer, Weights, one_input};
use crate::config::{Config, arguments};
use crate::device::Device;
use crate::shape::{Shape, ShapeError};

/// Brings numbers into another range: `keras.layers.Rescaling`.
#[derive(Clone, Copy, Debug)]
pub struct Rescaling {
    scale: f32,
    offset: f32,
}

impl Rescaling {
    /// A layer that multiplies with `scale`.
    pub const fn new(scale: f32) -> Self {
        Self { scale, offset: 0.0 }
    }

    /// What is added; 0 by default.
    #[must_use]
    pub const fn offset(mut self, offset: f32) -> Self {
        self.offset = offset;
        self
    }

    /// The shape of the input.
    ///
    /// # Errors
    /// If there are several inputs.
    pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        one_input(inputs)
    }

    /// None.
    pub const fn weights(&self, _inputs: &[Shape]) -> Weights {
        Weights::NONE
    }
}

arguments!(Rescaling {
    "scale": scale,
    "offset": offset,
});

impl Layer for Rescaling {
    fn config(&self) -> Config {
        Config::keras("keras.layers", "Rescaling").arguments(self)
    }

    fn forward<D: Device>(&self, cx: Forward<'_, D>) {
        let [x] = cx.inputs else { return };
        cx.device
            .rescale(self.scale, self.offset, x.data, cx.output);
    }

    fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
        if let Some(d_x) = cx.d_input(0) {
            let d_output = D::read(&cx.d_output);
            cx.device.rescale(self.scale, 0.0, d_output, d_x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::testing::layer;

    #[test]
    fn gradients() {
        let rescaling = Rescaling::new(0.3).offset(-2.0);
        let test = layer!(rescaling, [Shape::new(&[3, 4])]).unwrap();
        test.check_gradients(2);
    }

    #[test]
    fn it_scales_and_adds() {
        let rescaling = Rescaling::new(0.5).offset(-1.0);
        let test = layer!(rescaling, [Shape::new(&[2])]).unwrap();
        let outcome = test.forward::<Cpu>(&[vec![1.0, 6.0]], &[]).unwrap();
        assert_eq!(outcome.output, [-0.5, 2.0]);
    }
}
