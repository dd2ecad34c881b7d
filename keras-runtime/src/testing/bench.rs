//! A device with all that one layer reads and writes.

use std::mem::ManuallyDrop;
use std::ops::Range;

use super::{LayerTest, Outcome};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::layers::{Backward, Forward, Layer, Params, ParamsMut, Tensor, Weights, Workspace};
use crate::shape::Shape;

/// Weights side by side in one buffer.
pub(super) struct Flat<D: Device> {
    pub buffer: D::Buffer,
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
pub(super) struct Bench<D: Device, const N: usize> {
    pub device: D,
    pub batch: usize,
    pub inputs: [D::Buffer; N],
    pub params: Flat<D>,
    pub state: Flat<D>,
    pub output: D::Buffer,
    pub kept: D::Buffer,
    pub scratch: D::Buffer,
    pub d_output: D::Buffer,
    pub d_inputs: [D::Buffer; N],
    pub d_params: D::Buffer,
}

impl<D: Device, const N: usize> Bench<D, N> {
    pub fn new<L: Layer>(test: &LayerTest<L, N>, batch: usize) -> Result<Self> {
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

    pub fn load(&mut self, inputs: &[Vec<f32>], weights: &[Vec<f32>]) -> Result<()> {
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

    pub fn forward<L: Layer>(&mut self, test: &LayerTest<L, N>) -> Result<()> {
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
    pub fn backward<L: Layer>(
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

    pub fn load_gradient(&mut self, d_output: &[f32]) -> Result<()> {
        upload(&self.device, "d_output", d_output, &mut self.d_output)
    }

    /// The gradients of the inputs, and those of the trained weights.
    pub fn gradients(&self, trainable: bool) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
        let whole = |buffer: &D::Buffer| download(&self.device, buffer, 0..D::len(buffer));
        let weight = |range: &Range<usize>| download(&self.device, &self.d_params, range.clone());
        let ranges = self.params.ranges.iter().filter(|_| trainable);
        (
            self.d_inputs.iter().map(whole).collect(),
            ranges.map(weight).collect(),
        )
    }

    pub fn outcome(&self) -> Outcome {
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
