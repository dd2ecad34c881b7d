//! One pass through a model, forward or backward: what the generated code calls for each layer.

use std::mem::ManuallyDrop;

use super::network::{GradientOf, Value};
use super::parameters::Parameters;
use super::plan::{EMPTY, Plan};
use crate::device::Device;
use crate::error::Result;
use crate::layers::{Backward, Forward, Layer, Params, ParamsMut, Tensor};
use crate::random::Key;
use crate::regularizers::matrix;

/// The buffers of a plan.
pub(crate) struct Space<D: Device> {
    pub plan: Plan,
    /// `None` while a layer writes to it.
    pub slots: Vec<Option<D::Buffer>>,
    pub scratch: D::Buffer,
    /// Where gradients wait to be added.
    pub sums: D::Buffer,
    /// The penalties on outputs of layers in the last pass forward: one number.
    pub activity: D::Buffer,
    /// The version of the model's trainable layers that this was planned for.
    pub version: u64,
}

impl<D: Device> Space<D> {
    pub fn new(device: &D, plan: Plan, largest_layer: usize, version: u64) -> Result<Self> {
        let slots = plan
            .slots
            .iter()
            .map(|&len| device.alloc(len).map(Some))
            .collect::<Result<_>>()?;
        let scratch = device.alloc(plan.scratch)?;
        let sums = device.alloc(plan.sums + largest_layer)?;
        Ok(Self {
            plan,
            slots,
            scratch,
            sums,
            activity: device.alloc(1)?,
            version,
        })
    }

    /// The values of `batch` samples of a value.
    pub fn value(&self, value: Value, batch: usize) -> Option<D::Slice<'_>> {
        let len = batch * self.plan.shapes[value.0].size();
        self.slots[self.plan.values[value.0]]
            .as_ref()
            .map(|buffer| D::slice(buffer, 0..len))
    }

    /// The same, to write.
    pub fn value_mut(&mut self, value: Value, batch: usize) -> Option<D::SliceMut<'_>> {
        let len = batch * self.plan.shapes[value.0].size();
        self.slots[self.plan.values[value.0]]
            .as_mut()
            .map(|buffer| D::slice_mut(buffer, 0..len))
    }
}

/// A pass on one batch.
pub struct Pass<'a, D: Device> {
    pub(crate) device: &'a D,
    pub(crate) parameters: &'a mut Parameters<D>,
    pub(crate) trainable: &'a [bool],
    pub(crate) space: &'a mut Space<D>,
    pub(crate) batch: usize,
    pub(crate) training: bool,
    /// The outputs whose gradient is that of their logits.
    pub(crate) from_logits: &'a [Value],
    pub(crate) key: Key,
    /// What the loss is multiplied with before its gradients are computed.
    pub(crate) loss_scale: f32,
}

impl<D: Device> Pass<'_, D> {
    /// Runs a layer forward: from `inputs` to `output`.
    pub fn forward<L: Layer, const N: usize>(
        &mut self,
        call: usize,
        layer: usize,
        config: &L,
        inputs: [Value; N],
        output: Value,
    ) {
        let Space {
            plan,
            slots,
            scratch,
            activity,
            ..
        } = &mut *self.space;
        let Some(step) = &plan.steps[call] else {
            return;
        };
        if step.is_view {
            return;
        }
        let batch = self.batch;
        let output_shape = plan.shapes[output.0];
        let weights = &self.parameters.layers[layer];
        let out_slot = plan.values[output.0];
        let (Some(mut out), Some(mut kept)) = (slots[out_slot].take(), slots[step.kept].take())
        else {
            return;
        };
        if let Some(inputs) = read(plan, slots, inputs, batch) {
            config.forward(Forward {
                device: self.device,
                batch,
                training: self.training,
                trainable: self.trainable[layer],
                inputs: &inputs,
                output: D::slice_mut(&mut out, 0..batch * output_shape.size()),
                output_shape,
                weights: Params {
                    buffer: &self.parameters.params,
                    ranges: &weights.params,
                },
                state: ParamsMut {
                    slice: D::slice_mut(&mut self.parameters.state, weights.state_range()),
                    ranges: &weights.state,
                },
                kept: D::slice_mut(&mut kept, 0..step.kept_len),
                scratch: all::<D>(scratch),
                key: self.key.fold(call as u64),
            });
            let penalty = config.activity_regularizer();
            if !penalty.is_none() {
                let (device, dims) = (self.device, [batch, output_shape.size()]);
                let y = D::slice(&out, 0..batch * output_shape.size());
                penalty.add_penalty(device, dims, 1.0 / batch as f32, y, all::<D>(activity));
            }
        }
        slots[out_slot] = Some(out);
        slots[step.kept] = Some(kept);
    }

    /// Runs a layer forward whose output, one number, is added to the loss.
    pub fn add_loss<L: Layer, const N: usize>(
        &mut self,
        call: usize,
        layer: usize,
        config: &L,
        inputs: [Value; N],
        output: Value,
    ) {
        self.forward(call, layer, config, inputs, output);
        let Space {
            plan,
            slots,
            activity,
            ..
        } = &mut *self.space;
        if let Some(loss) = &slots[plan.values[output.0]] {
            self.device.add(D::slice(loss, 0..1), all::<D>(activity));
        }
    }

    /// Runs the layer of an added loss backward.
    pub fn added_loss_backward<L: Layer, const N: usize>(
        &mut self,
        call: usize,
        layer: usize,
        config: &L,
        inputs: [GradientOf; N],
        output: Value,
    ) {
        let Space { plan, slots, .. } = &mut *self.space;
        let slot = plan.gradients[output.0];
        if let Some(gradient) = slot.and_then(|slot| slots[slot].as_mut()) {
            // The number is there once for each sample.
            let gradient = D::slice_mut(gradient, 0..self.batch);
            let share = self.loss_scale / self.batch as f32;
            self.device.fill(gradient, share);
        }
        self.backward(call, layer, config, inputs, output);
    }

    /// Runs a layer backward: from the gradient of `output` to those of `inputs` and of the
    /// layer's weights.
    pub fn backward<L: Layer, const N: usize>(
        &mut self,
        call: usize,
        layer: usize,
        config: &L,
        inputs: [GradientOf; N],
        output: Value,
    ) {
        let (batch, device) = (self.batch, self.device);
        let Space {
            plan,
            slots,
            scratch,
            sums,
            ..
        } = &mut *self.space;
        let Some(step) = plan.steps[call].as_ref().filter(|step| step.needs_backward) else {
            return;
        };
        if step.is_view {
            return self.backward_view(inputs, output);
        }
        let weights = &self.parameters.layers[layer];
        let output_shape = plan.shapes[output.0];

        // Out of the slots come the buffers that are written; the others can then be read.
        let d_out_slot = plan.gradients[output.0].unwrap_or(EMPTY);
        let (Some(mut d_out), Some(mut kept)) = (slots[d_out_slot].take(), slots[step.kept].take())
        else {
            return;
        };
        let targets = inputs.map(|input| {
            let slot = plan.gradients[input.value.0]?;
            Some((slot, batch * plan.shapes[input.value.0].size()))
        });
        let mut taken: [Option<D::Buffer>; N] = std::array::from_fn(|i| {
            if inputs[i].adds {
                None
            } else {
                targets[i].and_then(|(slot, _)| slots[slot].take())
            }
        });

        // Where in `sums` the gradients wait that are added to others.
        let mut used = 0;
        let waiting: [usize; N] = std::array::from_fn(|i| match targets[i] {
            Some((_, len)) if inputs[i].adds => {
                used += len;
                used - len
            }
            _ => 0,
        });
        if let (Some(values), Some(out)) = (
            read(plan, slots, inputs.map(|input| input.value), batch),
            slots[plan.values[output.0]].as_ref(),
        ) {
            let mut rest = all::<D>(sums);
            let mut buffers = taken.iter_mut();
            let mut d_inputs = [const { ManuallyDrop::new(None) }; N];
            for (d_input, target) in d_inputs.iter_mut().zip(targets) {
                let buffer = buffers.next().and_then(Option::as_mut);
                let Some((_, len)) = target else { continue };
                *d_input = ManuallyDrop::new(Some(match buffer {
                    Some(buffer) => D::slice_mut(buffer, 0..len),
                    None => {
                        let (part, remaining) = D::split(rest, len);
                        rest = remaining;
                        part
                    }
                }));
            }
            let penalty = config.activity_regularizer();
            if !penalty.is_none() {
                let dims = [batch, output_shape.size()];
                let y = D::slice(out, 0..batch * output_shape.size());
                let d_y = D::slice_mut(&mut d_out, 0..batch * output_shape.size());
                let factor = self.loss_scale / batch as f32;
                penalty.add_gradient(device, dims, factor, y, d_y);
            }
            let is_trained = self.trainable[layer] && !weights.params.is_empty();
            let len = if step.adds_to_weights {
                weights.params_range().len()
            } else {
                0
            };
            let (part, _) = D::split(rest, len);
            let d_weights = match (is_trained, step.adds_to_weights) {
                (false, _) => None,
                (true, true) => Some(part),
                (true, false) => {
                    let grads = &mut self.parameters.grads;
                    Some(D::slice_mut(grads, weights.params_range()))
                }
            };
            config.backward(Backward {
                device,
                batch,
                training: self.training,
                trainable: self.trainable[layer],
                inputs: &values,
                output: D::slice(out, 0..batch * output_shape.size()),
                output_shape,
                d_output: D::slice_mut(&mut d_out, 0..batch * output_shape.size()),
                from_logits: self.from_logits.contains(&output),
                d_inputs: &mut d_inputs,
                weights: Params {
                    buffer: &self.parameters.params,
                    ranges: &weights.params,
                },
                d_weights: d_weights.map(|slice| ParamsMut {
                    slice,
                    ranges: &weights.params,
                }),
                state: Params {
                    buffer: &self.parameters.state,
                    ranges: &weights.state,
                },
                kept: D::slice_mut(&mut kept, 0..step.kept_len),
                scratch: all::<D>(scratch),
                key: self.key.fold(call as u64),
            });
        }
        for (target, buffer) in targets.into_iter().zip(taken) {
            if let (Some((slot, _)), Some(buffer)) = (target, buffer) {
                slots[slot] = Some(buffer);
            }
        }
        for i in 0..N {
            if let (true, Some((slot, len))) = (inputs[i].adds, targets[i])
                && let Some(target) = &mut slots[slot]
            {
                let part = D::slice(sums, waiting[i]..waiting[i] + len);
                device.add(part, D::slice_mut(target, 0..len));
            }
        }
        if step.adds_to_weights && self.trainable[layer] {
            let range = weights.params_range();
            let part = D::slice(sums, used..used + range.len());
            device.add(part, D::slice_mut(&mut self.parameters.grads, range));
        }
        slots[d_out_slot] = Some(d_out);
        slots[step.kept] = Some(kept);
        if !step.adds_to_weights {
            self.add_penalty_gradients(layer);
        }
    }

    /// Adds the gradients of the penalties on a layer's weights.
    fn add_penalty_gradients(&mut self, layer: usize) {
        let parameters = &mut *self.parameters;
        let weights = &parameters.layers[layer];
        if !(weights.is_regularized && self.trainable[layer]) {
            return;
        }
        for (of, range) in weights.trained() {
            let w = D::slice(&parameters.params, range.clone());
            let gradient = D::slice_mut(&mut parameters.grads, range);
            let dims = matrix(of.shape.dims());
            let penalty = of.regularizer;
            penalty.add_gradient(self.device, dims, self.loss_scale, w, gradient);
        }
    }

    /// The gradient of a view's input is that of its output.
    fn backward_view<const N: usize>(&mut self, inputs: [GradientOf; N], output: Value) {
        let Space { plan, slots, .. } = &mut *self.space;
        let (Some(from), Some(to)) = (plan.gradients[output.0], plan.gradients[inputs[0].value.0])
        else {
            return;
        };
        let len = self.batch * plan.shapes[output.0].size();
        if let (Some(mut target), Some(source)) = (slots[to].take(), &slots[from]) {
            let (source, part) = (D::slice(source, 0..len), D::slice_mut(&mut target, 0..len));
            if inputs[0].adds {
                self.device.add(source, part)
            } else {
                self.device.copy(source, part)
            }
            slots[to] = Some(target);
        }
    }
}

fn all<D: Device>(buffer: &mut D::Buffer) -> D::SliceMut<'_> {
    let len = D::len(buffer);
    D::slice_mut(buffer, 0..len)
}

/// Views of the values that a layer reads; `None` if one of them is being written.
fn read<'a, D: Device, const N: usize>(
    plan: &Plan,
    slots: &'a [Option<D::Buffer>],
    values: [Value; N],
    batch: usize,
) -> Option<[Tensor<'a, D>; N]> {
    let view = |value: Value| {
        let shape = plan.shapes[value.0];
        let buffer = slots[plan.values[value.0]].as_ref()?;
        Some(Tensor {
            data: D::slice(buffer, 0..batch * shape.size()),
            shape,
        })
    };
    let first = view(*values.first()?)?;
    let mut tensors = [first; N];
    for (tensor, value) in tensors.iter_mut().zip(values) {
        *tensor = view(value)?;
    }
    Some(tensors)
}
