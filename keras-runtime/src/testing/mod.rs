//! Runs one layer on its own, without a model: for the tests of layers, ours and yours.
//!
//! ```
//! use keras_runtime::layers::Dense;
//! use keras_runtime::device::{Activation, Cpu};
//! use keras_runtime::{arg::Size, shape::Shape, testing};
//!
//! let dense = Dense::new(Size::new(&[2])).activation(Activation::Relu);
//! let test = testing::layer!(dense, [Shape::new(&[3])])?;
//! test.check_gradients(4); // a batch of 4
//! let kernel = vec![1.0, 0.0, 0.0, 1.0, 0.0, 0.0]; // (3, 2)
//! let run = test.forward::<Cpu>(&[vec![5.0, -6.0, 7.0]], &[kernel, vec![0.5, 0.5]])?;
//! assert_eq!(run.output, [5.5, 0.0]);
//! # Ok::<(), keras_runtime::Error>(())
//! ```
//!
//! Whatever a layer has to write is NaN before it runs, so that a number it forgets shows.

mod bench;
mod catalogue;
mod devices;
mod differences;
mod files;
mod model;
mod said;

use bench::Bench;
pub use catalogue::catalogue;
pub use devices::conforms;
use differences::differences;
pub use files::{Object, hdf5_objects, read_backup, read_samples, read_weights};
pub use model::{check_model, model_gradients};
pub(crate) use said::hear;
pub use said::{Said, listen, said};

use crate::device::Device;
use crate::error::{Error, Result};
use crate::layers::{Layer, Logits, Weights};
use crate::random::Key;
use crate::shape::{Shape, ShapeError};

/// A [`LayerTest`] of a layer on inputs of the given shapes, batch not counted: the layer's rules
/// are inherent functions, which a macro can call by name.
#[macro_export]
#[doc(hidden)]
macro_rules! __layer_test {
    ($layer:expr, $inputs:expr $(,)?) => {{
        let layer = $layer;
        // A shape error holds its sentence, for it is made in constants.
        #[allow(clippy::result_large_err)]
        let output_shape = |inputs: &[$crate::shape::Shape]| layer.output_shape(inputs);
        let weights = |inputs: &[$crate::shape::Shape]| layer.weights(inputs);
        $crate::testing::LayerTest::new(layer, output_shape, weights, $inputs)
    }};
}
pub use crate::__layer_test as layer;

/// One layer on inputs of known shapes.
#[derive(Clone, Copy, Debug)]
pub struct LayerTest<L, const N: usize> {
    layer: L,
    inputs: [Shape; N],
    output_shape: Shape,
    weights: Weights,
    training: bool,
    trainable: bool,
    key: Key,
}

/// What a layer computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The output.
    pub output: Vec<f32>,
    /// The weights that the layer updates by itself, after the pass.
    pub state: Vec<Vec<f32>>,
    /// The gradient of each input; empty after a forward pass alone.
    pub d_inputs: Vec<Vec<f32>>,
    /// The gradient of each trained weight; empty after a forward pass alone.
    pub d_weights: Vec<Vec<f32>>,
}

impl<L: Layer, const N: usize> LayerTest<L, N> {
    /// A test of `layer`, given its two rules; [`layer!`](crate::testing::layer) is shorter.
    ///
    /// # Errors
    /// If the rule refuses the shapes.
    pub fn new(
        layer: L,
        output_shape: impl Fn(&[Shape]) -> Result<Shape, ShapeError>,
        weights: impl Fn(&[Shape]) -> Weights,
        inputs: [Shape; N],
    ) -> Result<Self> {
        let output_shape =
            output_shape(&inputs).map_err(|error| Error::value(error.message().to_string()))?;
        Ok(Self {
            layer,
            inputs,
            output_shape,
            weights: weights(&inputs),
            training: true,
            trainable: true,
            key: Key::new(0),
        })
    }

    /// Training, as is the default, or inference.
    #[must_use]
    pub fn training(mut self, training: bool) -> Self {
        self.training = training;
        self
    }

    /// Whether the layer is trained; it is by default.
    #[must_use]
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    /// The key of the layer's random numbers.
    #[must_use]
    pub fn key(mut self, key: Key) -> Self {
        self.key = key;
        self
    }

    /// The shape of one sample of the output.
    pub fn output_shape(&self) -> Shape {
        self.output_shape
    }

    /// The layer's weights.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Runs the layer forward. `weights` are in Keras' order, trained ones first.
    ///
    /// # Errors
    /// If the number of values does not fit the shapes.
    pub fn forward<D: Device>(&self, inputs: &[Vec<f32>], weights: &[Vec<f32>]) -> Result<Outcome> {
        let mut bench = Bench::<D, N>::new(self, self.batch(inputs)?)?;
        bench.load(inputs, weights)?;
        bench.forward(self)?;
        Ok(bench.outcome())
    }

    /// Runs the layer forward and then backward, from the gradient of its output.
    ///
    /// # Errors
    /// If the number of values does not fit the shapes.
    pub fn backward<D: Device>(
        &self,
        inputs: &[Vec<f32>],
        weights: &[Vec<f32>],
        d_output: &[f32],
    ) -> Result<Outcome> {
        let mut bench = Bench::<D, N>::new(self, self.batch(inputs)?)?;
        bench.load(inputs, weights)?;
        bench.forward(self)?;
        bench.load_gradient(d_output)?;
        bench.backward(self, false, [true; N])?;
        let mut outcome = bench.outcome();
        (outcome.d_inputs, outcome.d_weights) = bench.gradients(self.trainable);
        Ok(outcome)
    }

    /// Holds the gradient of every input and of every trained weight, at random values, against
    /// central differences in `f64`: trained and frozen, and from the layer's logits where it has
    /// them.
    ///
    /// # Panics
    /// If one of them differs.
    #[track_caller]
    pub fn check_gradients(&self, batch: usize) {
        let at_logits: &[bool] = if self.layer.logits() == Logits::None {
            &[false]
        } else {
            &[false, true]
        };
        for trainable in [true, false] {
            for &from_logits in at_logits {
                let test = self.trainable(trainable);
                if let Err(error) = differences(&test, batch, from_logits) {
                    let what = if trainable { "" } else { " of a frozen layer" };
                    let what = if from_logits {
                        " with regard to its logits"
                    } else {
                        what
                    };
                    panic!("wrong gradients{what}: {error}");
                }
            }
        }
    }

    /// The samples in the inputs.
    fn batch(&self, inputs: &[Vec<f32>]) -> Result<usize> {
        match (inputs.first(), self.inputs.first()) {
            (Some(values), Some(shape)) if !shape.is_empty() => Ok(values.len() / shape.size()),
            _ => Err(Error::value("a layer's first input cannot be empty")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arg::Size;
    use crate::device::Cpu;
    use crate::layers::Dense;

    #[test]
    fn the_number_of_values_is_checked() {
        let shapes = [Shape::new(&[3])];
        let test = layer!(Dense::new(Size::new(&[2])), shapes).unwrap();
        let error = test.forward::<Cpu>(&[vec![0.0; 3]], &[]).unwrap_err();
        let expected = "The layer has 1 inputs and 2 weights. Received: 1 inputs and 0 weights";
        assert_eq!(error.to_string(), expected);
        let weights = [vec![0.0; 5], vec![0.0; 2]];
        let error = test.forward::<Cpu>(&[vec![0.0; 3]], &weights).unwrap_err();
        let expected = "Expected 8 values for the trained weights. Received: 7";
        assert_eq!(error.to_string(), expected);
    }
}
