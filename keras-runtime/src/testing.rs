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

use std::mem::ManuallyDrop;
use std::ops::Range;

use crate::device::{Cpu64, Device};
use crate::error::{Error, Result};
use crate::layers::{
    Backward, Forward, Layer, Logits, Params, ParamsMut, Tensor, Weights, Workspace,
};
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
        upload(&bench.device, "d_output", d_output, &mut bench.d_output)?;
        bench.backward(self, false, [true; N])?;
        let mut outcome = bench.outcome();
        let device = &bench.device;
        let numbers = |buffer| download(device, buffer, 0..D::len(buffer));
        outcome.d_inputs = bench.d_inputs.iter().map(numbers).collect();
        if self.trainable {
            outcome.d_weights = bench
                .params
                .ranges
                .iter()
                .map(|range| download(device, &bench.d_params, range.clone()))
                .collect();
        }
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

/// Weights side by side in one buffer.
struct Flat<D: Device> {
    buffer: D::Buffer,
    ranges: Vec<Range<usize>>,
}

impl<D: Device> Flat<D> {
    fn new(device: &D, weights: &Weights, trainable: bool) -> Result<Self> {
        let mut len = 0;
        let of_kind = weights
            .iter()
            .filter(|weight| weight.trainable == trainable);
        let ranges = of_kind
            .map(|weight| {
                len += weight.shape.size();
                len - weight.shape.size()..len
            })
            .collect();
        Ok(Self {
            buffer: device.alloc(len)?,
            ranges,
        })
    }

    fn params(&self) -> Params<'_, D> {
        Params {
            buffer: &self.buffer,
            ranges: &self.ranges,
        }
    }
}

/// A device with everything that one layer reads and writes.
struct Bench<D: Device, const N: usize> {
    device: D,
    batch: usize,
    inputs: [D::Buffer; N],
    params: Flat<D>,
    state: Flat<D>,
    output: D::Buffer,
    kept: D::Buffer,
    scratch: D::Buffer,
    d_output: D::Buffer,
    d_inputs: [D::Buffer; N],
    d_params: D::Buffer,
}

impl<D: Device, const N: usize> Bench<D, N> {
    fn new<L: Layer>(test: &LayerTest<L, N>, batch: usize) -> Result<Self> {
        let device = D::default();
        let Workspace { kept, scratch } =
            test.layer
                .workspace(&test.inputs, &test.output_shape, batch);
        let values = |shape: &Shape| device.alloc(batch * shape.size());
        let all = || -> Result<[D::Buffer; N]> {
            let buffers: Result<Vec<_>> = test.inputs.iter().map(values).collect();
            <[D::Buffer; N]>::try_from(buffers?)
                .map_err(|_| Error::value("a buffer for each input"))
        };
        let params = Flat::new(&device, &test.weights, true)?;
        Ok(Self {
            batch,
            inputs: all()?,
            state: Flat::new(&device, &test.weights, false)?,
            output: values(&test.output_shape)?,
            kept: device.alloc(kept)?,
            scratch: device.alloc(scratch)?,
            d_output: values(&test.output_shape)?,
            d_inputs: all()?,
            d_params: device.alloc(D::len(&params.buffer))?,
            params,
            device,
        })
    }

    fn load(&mut self, inputs: &[Vec<f32>], weights: &[Vec<f32>]) -> Result<()> {
        let trained = self.params.ranges.len();
        let expected = (self.inputs.len(), trained + self.state.ranges.len());
        if (inputs.len(), weights.len()) != expected {
            return Err(Error::value(format!(
                "The layer has {} inputs and {} weights. Received: {} inputs and {} weights",
                expected.0,
                expected.1,
                inputs.len(),
                weights.len()
            )));
        }
        for (values, buffer) in inputs.iter().zip(&mut self.inputs) {
            upload(&self.device, "an input", values, buffer)?;
        }
        let (params, state) = weights.split_at(trained);
        upload(
            &self.device,
            "the trained weights",
            &params.concat(),
            &mut self.params.buffer,
        )?;
        upload(
            &self.device,
            "the state",
            &state.concat(),
            &mut self.state.buffer,
        )
    }

    fn forward<L: Layer>(&mut self, test: &LayerTest<L, N>) -> Result<()> {
        if test.layer.is_view(test.training) {
            return copy(&self.device, &self.inputs[0], &mut self.output);
        }
        for buffer in [&mut self.output, &mut self.kept, &mut self.scratch] {
            forget(&self.device, buffer);
        }
        let inputs = tensors(&self.inputs, &test.inputs);
        test.layer.forward(Forward {
            device: &self.device,
            batch: self.batch,
            training: test.training,
            trainable: test.trainable,
            inputs: &inputs,
            output: all_mut::<D>(&mut self.output),
            output_shape: test.output_shape,
            weights: self.params.params(),
            state: ParamsMut {
                slice: all_mut::<D>(&mut self.state.buffer),
                ranges: &self.state.ranges,
            },
            kept: all_mut::<D>(&mut self.kept),
            scratch: all_mut::<D>(&mut self.scratch),
            key: test.key,
        });
        Ok(())
    }

    /// `wants` says for each input whether somebody needs its gradient.
    fn backward<L: Layer>(
        &mut self,
        test: &LayerTest<L, N>,
        from_logits: bool,
        wants: [bool; N],
    ) -> Result<()> {
        if test.layer.is_view(test.training) {
            return copy(&self.device, &self.d_output, &mut self.d_inputs[0]);
        }
        let written = [&mut self.scratch, &mut self.d_params];
        for buffer in self.d_inputs.iter_mut().chain(written) {
            forget(&self.device, buffer);
        }
        let inputs = tensors(&self.inputs, &test.inputs);
        let mut d_inputs = self
            .d_inputs
            .each_mut()
            .map(|buffer| ManuallyDrop::new(Some(all_mut::<D>(buffer))));
        for (d_input, wanted) in d_inputs.iter_mut().zip(wants) {
            if !wanted {
                *d_input = ManuallyDrop::new(None);
            }
        }
        test.layer.backward(Backward {
            device: &self.device,
            batch: self.batch,
            training: test.training,
            trainable: test.trainable,
            inputs: &inputs,
            output: D::slice(&self.output, 0..D::len(&self.output)),
            output_shape: test.output_shape,
            d_output: all_mut::<D>(&mut self.d_output),
            from_logits,
            d_inputs: &mut d_inputs,
            weights: self.params.params(),
            d_weights: test.trainable.then(|| ParamsMut {
                slice: all_mut::<D>(&mut self.d_params),
                ranges: &self.params.ranges,
            }),
            state: self.state.params(),
            kept: all_mut::<D>(&mut self.kept),
            scratch: all_mut::<D>(&mut self.scratch),
            key: test.key,
        });
        Ok(())
    }

    fn outcome(&self) -> Outcome {
        let state = self.state.ranges.iter();
        Outcome {
            output: download(&self.device, &self.output, 0..D::len(&self.output)),
            state: state
                .map(|range| download(&self.device, &self.state.buffer, range.clone()))
                .collect(),
            d_inputs: Vec::new(),
            d_weights: Vec::new(),
        }
    }
}

/// Half the distance between the two values that a difference is taken of: the error of the
/// difference is of the order of its square.
const STEP: f64 = 1e-5;

/// Compares the gradient of `sum(weight * output)` for random weights with differences.
fn differences<L: Layer, const N: usize>(
    test: &LayerTest<L, N>,
    batch: usize,
    from_logits: bool,
) -> Result<(), String> {
    let told = |error: Error| error.to_string();
    let mut bench = Bench::<Cpu64, N>::new(test, batch).map_err(told)?;
    let random = |stream: u64, values: &mut [f64]| {
        let key = Key::new(1).fold(stream);
        for (at, value) in (0..).zip(values) {
            *value = 2.0 * key.uniform(at) - 1.0;
        }
    };
    let mut d_output = vec![0.0; bench.output.len()];
    random(0, &mut d_output);
    random(1, &mut bench.params.buffer);
    random(2, &mut bench.state.buffer);
    // A variance is positive.
    let state: Vec<f64> = bench.state.buffer.iter().map(|value| value.abs()).collect();
    for (stream, input) in (3..).zip(&mut bench.inputs) {
        random(stream, input);
    }

    let loss = |bench: &mut Bench<Cpu64, N>| -> Result<f64, String> {
        bench.state.buffer.copy_from_slice(&state);
        bench.forward(test).map_err(told)?;
        let values = match test.layer.logits() {
            Logits::Kept(_) if from_logits => &bench.kept[..d_output.len()],
            Logits::Input(_) if from_logits => &bench.inputs[0][..],
            _ => &bench.output[..],
        };
        Ok(values.iter().zip(&d_output).map(|(y, d)| y * d).sum())
    };
    loss(&mut bench)?;
    bench.d_output.copy_from_slice(&d_output);
    bench.backward(test, from_logits, [true; N]).map_err(told)?;
    let d_inputs = bench.d_inputs.clone();
    let d_params = bench.d_params.clone();

    for (input, found) in d_inputs.iter().enumerate() {
        compare(&format!("input {input}"), found, &mut |at, step| {
            let value = bench.inputs[input][at];
            bench.inputs[input][at] = value + step;
            let loss = loss(&mut bench);
            bench.inputs[input][at] = value;
            loss
        })?;
    }
    if test.trainable {
        compare("the trained weights", &d_params, &mut |at, step| {
            let value = bench.params.buffer[at];
            bench.params.buffer[at] = value + step;
            let loss = loss(&mut bench);
            bench.params.buffer[at] = value;
            loss
        })?;
    }

    // The gradients are the same if nobody needs some of them.
    let wanted = (0..N).map(|input| std::array::from_fn(|other| other == input));
    for wants in wanted.chain([[false; N]]) {
        loss(&mut bench)?;
        bench.d_output.copy_from_slice(&d_output);
        bench.backward(test, from_logits, wants).map_err(told)?;
        let found = bench.d_inputs.iter().zip(&d_inputs).zip(wants);
        let same_inputs = found
            .filter(|(_, wanted)| *wanted)
            .all(|((a, b), _)| a == b);
        if !same_inputs || (test.trainable && bench.d_params != d_params) {
            return Err(format!(
                "they change if only some inputs need theirs: {wants:?}"
            ));
        }
    }
    Ok(())
}

/// Compares `found` with the differences of a loss: `loss(at, step)` is its value with the number
/// at `at` moved by `step`.
fn compare(
    what: &str,
    found: &[f64],
    loss: &mut dyn FnMut(usize, f64) -> Result<f64, String>,
) -> Result<(), String> {
    for (at, &found) in found.iter().enumerate() {
        let expected = (loss(at, STEP)? - loss(at, -STEP)?) / (2.0 * STEP);
        let error = (found - expected).abs();
        if error.is_nan() || error > 1e-6 + 1e-4 * expected.abs() {
            return Err(format!(
                "{what}, number {at}: {found}, by differences {expected}"
            ));
        }
    }
    Ok(())
}

fn forget<D: Device>(device: &D, buffer: &mut D::Buffer) {
    device.fill(all_mut::<D>(buffer), f32::NAN);
}

fn all_mut<D: Device>(buffer: &mut D::Buffer) -> D::SliceMut<'_> {
    let len = D::len(buffer);
    D::slice_mut(buffer, 0..len)
}

fn tensors<'a, D: Device, const N: usize>(
    buffers: &'a [D::Buffer; N],
    shapes: &[Shape; N],
) -> [Tensor<'a, D>; N] {
    std::array::from_fn(|at| Tensor {
        data: D::slice(&buffers[at], 0..D::len(&buffers[at])),
        shape: shapes[at],
    })
}

fn copy<D: Device>(device: &D, from: &D::Buffer, to: &mut D::Buffer) -> Result<()> {
    if D::len(from) != D::len(to) {
        return Err(Error::value("a view's output is as long as its input"));
    }
    device.copy(D::slice(from, 0..D::len(from)), all_mut::<D>(to));
    Ok(())
}

fn upload<D: Device>(device: &D, what: &str, from: &[f32], to: &mut D::Buffer) -> Result<()> {
    let expected = D::len(to);
    if from.len() != expected {
        return Err(Error::value(format!(
            "Expected {expected} values for {what}. Received: {}",
            from.len()
        )));
    }
    device.upload(from, all_mut::<D>(to));
    Ok(())
}

fn download<D: Device>(device: &D, buffer: &D::Buffer, range: Range<usize>) -> Vec<f32> {
    let mut values = vec![0.0; range.len()];
    device.download(D::slice(buffer, range), &mut values);
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arg::Size;
    use crate::device::{Activation, Cpu};
    use crate::layers::Dense;

    #[test]
    fn dense_is_differentiated() {
        use Activation::{Linear, Relu, Sigmoid, Softmax};
        for activation in [Linear, Relu, Sigmoid, Softmax] {
            let dense = Dense::new(Size::new(&[3])).activation(activation);
            for input in [Shape::new(&[4]), Shape::new(&[2, 4])] {
                layer!(dense, [input]).unwrap().check_gradients(2);
                layer!(dense.use_bias(false), [input])
                    .unwrap()
                    .check_gradients(2);
            }
        }
    }

    /// `y = 2 x`, with a mistake on the way back.
    #[derive(Clone, Copy)]
    struct Twice(Mistake);

    #[derive(Clone, Copy)]
    enum Mistake {
        None,
        WrongFactor,
        NothingWritten,
    }

    impl Layer for Twice {
        fn forward<D: Device>(&self, mut cx: Forward<'_, D>) {
            cx.device
                .copy(cx.inputs[0].data, D::reborrow(&mut cx.output));
            cx.device.add(cx.inputs[0].data, cx.output);
        }

        fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
            let Some(mut d_x) = cx.d_input(0) else { return };
            if let Mistake::NothingWritten = self.0 {
                return;
            }
            cx.device.copy(D::read(&cx.d_output), D::reborrow(&mut d_x));
            if let Mistake::None = self.0 {
                cx.device.add(D::read(&cx.d_output), d_x);
            }
        }
    }

    fn differences_of(mistake: Mistake) -> Result<(), String> {
        let shapes = [Shape::new(&[3])];
        let rule = |inputs: &[Shape]| Ok(inputs[0]);
        let test = LayerTest::new(Twice(mistake), rule, |_| Weights::NONE, shapes);
        differences(&test.unwrap(), 2, false)
    }

    #[test]
    fn mistakes_are_found() {
        differences_of(Mistake::None).unwrap();
        assert!(differences_of(Mistake::WrongFactor).is_err());
        let error = differences_of(Mistake::NothingWritten).unwrap_err();
        assert!(error.contains("NaN"), "{error}");
    }

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
