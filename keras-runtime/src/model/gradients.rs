//! Between `backward` and `apply_gradients`: gradients and values of a step, to read and to change.

use std::borrow::Cow;

use ndarray::ArrayD;

use super::Model;
use super::core::{Core, Run, trained};
use super::network::Value;
use super::parameters::Place;
use super::step::not_loaded;
use super::weights::{array_of, position};
use crate::device::{Device, Memory};
use crate::error::{Error, Result};

/// Buffers as long as the gradients, each made when it is first needed.
pub(crate) struct Spare<D: Device> {
    /// The sum of the gradients since `zero_gradients`.
    sum: Option<D::Buffer>,
    /// Where gradients are written that are made of the gradients.
    next: Option<D::Buffer>,
}

impl<D: Device> Spare<D> {
    /// No buffers yet.
    pub const fn new() -> Self {
        Self {
            sum: None,
            next: None,
        }
    }
}

/// What has been accumulated, for a backup; `None` if that never was.
pub(crate) fn accumulated<D: Device>(core: &Core<D>, run: &Run<D>) -> Option<Vec<f32>> {
    let sum = run.spare.sum.as_ref()?;
    let mut values = vec![0.0; D::len(sum)];
    core.device
        .download(D::slice(sum, 0..values.len()), &mut values);
    Some(values)
}

/// Goes on with what had been accumulated, if anything.
pub(crate) fn set_accumulated<D: Device>(
    core: &Core<D>,
    run: &mut Run<D>,
    values: Option<&[f32]>,
) -> Result<()> {
    let Some(values) = values else {
        run.spare.sum = None;
        return Ok(());
    };
    let sum = made(&*core.device, &mut run.spare.sum, values.len())?;
    core.device
        .upload(values, D::slice_mut(sum, 0..values.len()));
    Ok(())
}

/// The buffer, which is made if it is not there: `len` zeros.
fn made<'a, D: Device>(
    device: &D,
    buffer: &'a mut Option<D::Buffer>,
    len: usize,
) -> Result<&'a mut D::Buffer> {
    let made = match buffer.take() {
        Some(buffer) if D::len(&buffer) == len => buffer,
        _ => device.alloc(len)?,
    };
    Ok(buffer.insert(made))
}

/// Sets the gradients, and what has been accumulated, to zero.
pub(crate) fn zero<D: Device>(core: &mut Core<D>, run: &mut Run<D>) -> Result<()> {
    let parameters = core.parameters.as_mut().ok_or_else(not_loaded)?;
    let len = D::len(&parameters.grads);
    core.device
        .fill(D::slice_mut(&mut parameters.grads, 0..len), 0.0);
    if let Some(sum) = &mut run.spare.sum {
        let len = D::len(sum);
        core.device.fill(D::slice_mut(sum, 0..len), 0.0);
    }
    Ok(())
}

/// Adds the gradients to those before; the gradients are then the sum.
pub(crate) fn accumulate<D: Device>(core: &mut Core<D>, run: &mut Run<D>) -> Result<()> {
    let parameters = core.parameters.as_mut().ok_or_else(not_loaded)?;
    let len = D::len(&parameters.grads);
    let sum = made(&*core.device, &mut run.spare.sum, len)?;
    let device = &*core.device;
    device.add(
        D::slice(&parameters.grads, 0..len),
        D::slice_mut(sum, 0..len),
    );
    device.copy(
        D::slice(sum, 0..len),
        D::slice_mut(&mut parameters.grads, 0..len),
    );
    Ok(())
}

/// Multiplies the gradients.
pub(crate) fn scale<D: Device>(core: &mut Core<D>, run: &mut Run<D>, factor: f32) -> Result<()> {
    let parameters = core.parameters.as_mut().ok_or_else(not_loaded)?;
    let len = D::len(&parameters.grads);
    let next = made(&*core.device, &mut run.spare.next, len)?;
    core.device.rescale(
        factor,
        0.0,
        D::slice(&parameters.grads, 0..len),
        D::slice_mut(next, 0..len),
    );
    std::mem::swap(&mut parameters.grads, next);
    Ok(())
}

/// The trained weights, in Keras' order.
fn trained_weights<D: Device>(core: &Core<D>, run: &Run<D>) -> Result<Vec<Place>> {
    let parameters = core.parameters.as_ref().ok_or_else(not_loaded)?;
    let is_trained = |place: &Place| has_gradient(core, run, place);
    Ok(parameters.places().filter(is_trained).collect())
}

/// Whether a weight has a gradient; that of a layer that was frozen since the last step has none any more.
fn has_gradient<D: Device>(core: &Core<D>, run: &Run<D>, place: &Place) -> bool {
    let layers = trained(&core.trainable, &run.training);
    place.trainable && core.trainable[place.layer] && layers[place.layer]
}

/// The gradients of the trained weights; none before the model is built.
pub(crate) fn all<D: Device>(core: &Core<D>, run: &Run<D>) -> Vec<ArrayD<f32>> {
    let places = trained_weights(core, run).unwrap_or_default();
    places.iter().map(|place| read(core, place)).collect()
}

fn read<D: Device>(core: &Core<D>, place: &Place) -> ArrayD<f32> {
    let mut values = vec![0.0; place.range.len()];
    if let Some(parameters) = &core.parameters {
        let from = D::slice(&parameters.grads, place.range.clone());
        core.device.download(from, &mut values);
    }
    array_of(place.shape.dims(), values)
}

fn write<D: Device>(core: &mut Core<D>, place: &Place, values: &ArrayD<f32>) {
    let values = values.as_standard_layout();
    if let (Some(parameters), Some(values)) = (&mut core.parameters, values.as_slice()) {
        let to = D::slice_mut(&mut parameters.grads, place.range.clone());
        core.device.upload(values, to);
    }
}

/// Sets the gradients of all trained weights.
pub(crate) fn set_all<D: Device>(
    core: &mut Core<D>,
    run: &Run<D>,
    values: &[ArrayD<f32>],
) -> Result<()> {
    let places = trained_weights(core, run)?;
    if places.len() != values.len() {
        return Err(Error::value(format!(
            "`set_gradients` expects an array for each of the {} trained weights. Received: {} arrays",
            places.len(),
            values.len()
        )));
    }
    for (place, values) in places.iter().zip(values) {
        fits(place.name, place.shape.dims(), values)?;
    }
    for (place, values) in places.iter().zip(values) {
        write(core, place, values);
    }
    Ok(())
}

fn fits(what: &str, expected: &[usize], values: &ArrayD<f32>) -> Result<()> {
    if expected == values.shape() {
        return Ok(());
    }
    Err(Error::value(format!(
        "An array of shape {expected:?} is expected for `{what}`. Received: shape {:?}",
        values.shape()
    )))
}

/// One weight of a layer.
fn find<M: Model>(model: &M, layer: &str, name: &str) -> Result<Place> {
    let index = position(model, layer)?;
    let parameters = model.core().parameters.as_ref().ok_or_else(|| {
        Error::NotBuilt(format!(
            "Layer `{layer}` has no weights yet. Call the model on some data or its `build()` first."
        ))
    })?;
    let own: Vec<Place> = parameters
        .places()
        .filter(|place| place.layer == index)
        .collect();
    let names: Vec<&str> = own.iter().map(|place| place.name).collect();
    let unknown = Error::unknown("weight", name, &names);
    let found = own.into_iter().find(|place| place.name == name);
    found.ok_or(unknown)
}

/// The value of one weight.
pub(crate) fn weight<M: Model>(model: &M, layer: &str, name: &str) -> Result<ArrayD<f32>> {
    let place = find(model, layer, name)?;
    let core = model.core();
    let parameters = core.parameters.as_ref().ok_or_else(not_loaded)?;
    Ok(parameters.get(&core.device, &place))
}

/// Sets one weight.
pub(crate) fn set_weight<M: Model>(
    model: &mut M,
    layer: &str,
    name: &str,
    values: &ArrayD<f32>,
) -> Result<()> {
    let place = find(model, layer, name)?;
    fits(name, place.shape.dims(), values)?;
    let (core, _) = model.split();
    let parameters = core.parameters.as_mut().ok_or_else(not_loaded)?;
    if let Some(values) = values.as_standard_layout().as_slice() {
        parameters.set(&core.device, &place, values);
    }
    Ok(())
}

/// A trained weight, by its layer and name.
fn find_trained<M: Model>(model: &M, layer: &str, name: &str) -> Result<Place> {
    let place = find(model, layer, name)?;
    if has_gradient(model.core(), model.run(), &place) {
        return Ok(place);
    }
    Err(Error::value(format!(
        "The weight `{name}` of layer `{layer}` is not trained: it has no gradient."
    )))
}

/// The gradient of one weight.
pub(crate) fn one<M: Model>(model: &M, layer: &str, name: &str) -> Result<ArrayD<f32>> {
    let place = find_trained(model, layer, name)?;
    Ok(read(model.core(), &place))
}

/// Sets the gradient of one weight.
pub(crate) fn set_one<M: Model>(
    model: &mut M,
    layer: &str,
    name: &str,
    values: &ArrayD<f32>,
) -> Result<()> {
    let place = find_trained(model, layer, name)?;
    fits(name, place.shape.dims(), values)?;
    write(model.split().0, &place, values);
    Ok(())
}

/// Inputs or outputs of the batch that is loaded, or their gradients.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    Inputs,
    InputGradients,
    Outputs,
    OutputGradients,
}

impl Ends {
    fn of<D: Device>(self, run: &Run<D>) -> Vec<(Cow<'static, str>, Value)> {
        let (network, training) = (&run.network, run.is_training);
        match self {
            Self::Inputs | Self::InputGradients => {
                let inputs = network.inputs.iter();
                inputs
                    .map(|input| (input.name.clone(), input.value))
                    .collect()
            }
            Self::Outputs | Self::OutputGradients => {
                let outputs = network.outputs.iter();
                let end =
                    |output: &super::network::Output| (output.name.clone(), output.value(training));
                outputs.map(end).collect()
            }
        }
    }

    /// The slot of a value or of its gradient.
    fn slot<D: Device>(self, run: &Run<D>, value: Value) -> Result<usize> {
        let space = run.space(run.is_training).ok_or_else(not_loaded)?;
        match self {
            Self::Inputs | Self::Outputs => Ok(space.plan.values[value.0]),
            Self::InputGradients => space.plan.gradients[value.0].ok_or_else(|| {
                Error::value(
                    "The gradients of the inputs are computed on demand. Call `watch_inputs(true)` before the batch is \
                     loaded for training.",
                )
            }),
            Self::OutputGradients => space.plan.gradients[value.0].ok_or_else(|| {
                Error::value(
                    "The outputs have gradients while training, if something that is trained is before them. Load the \
                     batch for training.",
                )
            }),
        }
    }
}

/// The values at an end of the model: (batch, ..shape) each.
pub(crate) fn values<M: Model>(model: &M, ends: Ends) -> Result<Vec<ArrayD<f32>>> {
    let (core, run) = (model.core(), model.run());
    let space = run.space(run.is_training).ok_or_else(not_loaded)?;
    let value = |(_, value): (Cow<'static, str>, Value)| {
        let shape = space.plan.shapes[value.0];
        let slot = ends.slot(run, value)?;
        let buffer = space.slots[slot].as_ref().ok_or_else(not_loaded)?;
        let mut values = vec![0.0; run.batch * shape.size()];
        let from = M::Device::slice(buffer, 0..values.len());
        core.device.download(from, &mut values);
        let dims: Vec<usize> = [run.batch]
            .into_iter()
            .chain(shape.dims().iter().copied())
            .collect();
        Ok(array_of(&dims, values))
    };
    ends.of(model.run()).into_iter().map(value).collect()
}

/// Sets the values at an end of the model.
pub(crate) fn set_values<M: Model>(
    model: &mut M,
    ends: Ends,
    values: &[ArrayD<f32>],
) -> Result<()> {
    let places = ends.of(model.run());
    if places.len() != values.len() {
        return Err(Error::value(format!(
            "Expected {} arrays, one for each of {:?}. Received: {} arrays",
            places.len(),
            places.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            values.len()
        )));
    }
    let (core, run) = model.split();
    let batch = run.batch;
    let shapes = &run
        .space(run.is_training)
        .ok_or_else(not_loaded)?
        .plan
        .shapes;
    for ((name, value), values) in places.iter().zip(values) {
        let dims = [batch]
            .into_iter()
            .chain(shapes[value.0].dims().iter().copied());
        fits(name, &dims.collect::<Vec<_>>(), values)?;
    }
    for (at, (_, value)) in places.iter().enumerate() {
        if places[..at].iter().any(|(_, other)| other == value) {
            continue;
        }
        // The gradient of an output that is there twice is the sum of both.
        let mut sum = values[at].as_standard_layout().into_owned();
        if ends == Ends::OutputGradients {
            let again = places.iter().zip(values).skip(at + 1);
            for (_, more) in again.filter(|((_, other), _)| other == value) {
                sum += more;
            }
        }
        let slot = ends.slot(run, *value)?;
        let training = run.is_training;
        let space = run.space_mut(training).as_mut().ok_or_else(not_loaded)?;
        let buffer = space.slots[slot].as_mut().ok_or_else(not_loaded)?;
        if let Some(values) = sum.as_slice() {
            let to = M::Device::slice_mut(buffer, 0..values.len());
            core.device.upload(values, to);
        }
    }
    run.has_own_gradients |= ends == Ends::OutputGradients;
    Ok(())
}

/// Whether the gradients of the inputs are computed, too.
pub(crate) fn watch<D: Device>(run: &mut Run<D>, watches: bool) {
    if run.watches_inputs != watches {
        run.watches_inputs = watches;
        // The memory is planned anew.
        run.training = None;
    }
}
