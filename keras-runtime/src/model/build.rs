//! Weights and memory for the shapes of real data.

use super::Model;
use super::backend::Backend;
use super::core::{Core, Run};
use super::indices;
use super::load_model::set_first_weights;
use super::network::{Kind, Network};
use super::pass::Space;
use super::plan::Plan;
use super::trace::Trace;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::shape::{Shape, Text};

/// Builds a model that has just been made, if its declared input shapes say enough.
///
/// What they do not say is found out from the first data. A device that fails now fails again
/// then, with an error.
pub fn build_declared<M: Model>(model: &mut M) {
    let shapes: Vec<Shape> = (model.run().network)
        .inputs
        .iter()
        .map(|input| input.shape)
        .collect();
    if shapes.iter().all(Shape::is_known) {
        let _ = build_weights(model, &shapes);
    }
}

/// `Model::build`: checks the shapes of a batch against the declared ones and makes the weights.
pub(crate) fn build<M: Model>(model: &mut M, shapes: &[&[Option<usize>]]) -> Result<()> {
    let samples = samples(model, shapes)?;
    if !model.is_built() {
        let network = model.run().network.clone();
        let mut trace = Trace::new(&network, &samples, 1, false);
        model.infer(&mut trace)?;
        indices::refuse_floats(&network, &trace.indices())?;
    }
    build_weights(model, &samples)
}

/// The shapes of samples from those of batches, checked against the declared ones.
fn samples<M: Model>(model: &M, shapes: &[&[Option<usize>]]) -> Result<Vec<Shape>> {
    let network = model.run().network.clone();
    if network.kind == Kind::Subclassed && shapes.len() < network.inputs.len() {
        let names: Vec<&str> = network.inputs.iter().map(|input| &*input.name).collect();
        return Err(Error::value(format!(
            "Currently, you cannot build your model if it has positional or keyword arguments that are not inputs to \
             the model, but are required for its `call()` method. Instead, give a shape for each argument of `call()`: \
             {names:?}. Received: {} shapes.",
            shapes.len()
        )));
    }
    if shapes.len() != network.inputs.len() {
        return Err(Error::value(format!(
            "Model `{}` has {} inputs. Expected a shape for each. Received: {} shapes.",
            network.name,
            network.inputs.len(),
            shapes.len()
        )));
    }
    let mut samples = Vec::with_capacity(shapes.len());
    for shape in shapes {
        let Some((_, sample)) = shape.split_first() else {
            return Err(Error::value(
                "`build()` expects a shape that begins with the batch axis, such as `[None, Some(32)]`. Received: []",
            ));
        };
        if sample.len() > Shape::MAX_RANK {
            return Err(Error::value(format!(
                "`build()` expects at most {} axes after the batch axis. Received: {}",
                Shape::MAX_RANK,
                sample.len()
            )));
        }
        if sample.contains(&Some(0)) {
            return Err(Error::value(format!(
                "`build()` expects positive dimensions. Received: {shape:?}"
            )));
        }
        samples.push(Shape::of(sample));
    }
    if network.kind == Kind::Sequential
        && let ([expected], [found]) = (&expected(&network, model.run())[..], &samples[..])
        && !expected.accepts(found)
    {
        return Err(Error::value(format!(
            "Sequential model '{}' has already been configured to use input shape {expected}. You cannot build it with \
             input_shape {found}",
            network.name
        )));
    }
    check_inputs(&network, model.run(), &samples)?;
    Ok(samples)
}

/// Shapes with the names of a model's inputs, in their order.
pub(crate) fn ordered<'a, M: Model>(
    model: &M,
    shapes: &[(&str, &'a [Option<usize>])],
) -> Result<Vec<&'a [Option<usize>]>> {
    let names: Vec<&str> = (model.run().network.inputs.iter())
        .map(|input| &*input.name)
        .collect();
    if let Some((name, _)) = shapes.iter().find(|(name, _)| !names.contains(name)) {
        return Err(Error::value(format!(
            "There is no input \"{name}\". Expected shapes with the following names: {names:?}.{}",
            Error::suggestion(name, &names)
        )));
    }
    let find = |name: &&str| {
        let shape = shapes.iter().find(|(given, _)| given == name);
        shape.map(|(_, shape)| *shape).ok_or_else(|| {
            Error::value(format!(
                "Missing shape for input \"{name}\". Expected shapes with the following names: {names:?}"
            ))
        })
    };
    names.iter().map(find).collect()
}

/// The shapes of a model's inputs: as declared or, where that says too little, as it was built.
fn expected<D: Device>(network: &Network, run: &Run<D>) -> Vec<Shape> {
    let inputs = network.inputs.iter().enumerate();
    let expected = inputs.map(|(at, input)| match &run.built {
        Some(built) if !input.shape.is_known() => built[at],
        _ => input.shape,
    });
    expected.collect()
}

/// Whether data of these shapes may go into the model.
pub(crate) fn check_inputs<D: Device>(
    network: &Network,
    run: &Run<D>,
    shapes: &[Shape],
) -> Result<()> {
    let inputs = network.inputs.iter().zip(expected(network, run));
    for (at, ((input, expected), found)) in inputs.zip(shapes).enumerate() {
        if !expected.accepts(found) {
            return Err(Error::value(format!(
                "Input {at} with name '{}' of model '{}' is incompatible with the model: expected shape={expected}, \
                 found shape={found}",
                input.name, network.name
            )));
        }
    }
    Ok(())
}

pub(crate) fn build_weights<M: Model>(model: &mut M, shapes: &[Shape]) -> Result<()> {
    let network = model.run().network.clone();
    // The weights are those of every layer, also of one that only training or only inference calls.
    let mut trace = Trace::new(&network, shapes, 1, true);
    model.infer(&mut trace)?;
    let mut inference = Trace::new(&network, shapes, 1, false);
    model.infer(&mut inference)?;
    for (weights, other) in trace.weights.iter_mut().zip(inference.weights) {
        *weights = weights.or(other);
    }
    let (core, _) = model.split();
    if core.parameters.is_none() {
        if network.kind == Kind::Part {
            return Err(Error::NotBuilt(format!(
                "`{}` is a part of a model that has not been built yet. Call the model on some data or its `build()` \
                 first.",
                network.name
            )));
        }
        M::Device::make_weights(core, &network, &trace)?;
        set_first_weights(model)?;
    }
    model.split().1.built = Some(shapes.to_vec());
    Ok(())
}

/// Makes sure that the weights and the memory of a mode are there for `batch` samples of inputs
/// of these shapes.
pub(crate) fn prepare<M: Model>(
    model: &mut M,
    shapes: &[Shape],
    batch: usize,
    training: bool,
) -> Result<()> {
    let (core, run) = model.split();
    if let Some(space) = run.space(training)
        && space.plan.batch >= batch
        && space.plan.inputs == shapes
        && space.version == core.version
    {
        return Ok(());
    }
    let network = run.network.clone();
    check_inputs(&network, run, shapes)?;
    if core.parameters.is_none() {
        build_weights(model, shapes)?;
    }
    let mut trace = Trace::new(&network, shapes, batch, training);
    model.infer(&mut trace)?;
    let (core, run) = model.split();
    M::Device::make_space(core, run, &trace, batch, training)
}

/// Makes the memory of a mode for the calls of a trace.
pub(crate) fn make_space<D: Device>(
    core: &Core<D>,
    run: &mut Run<D>,
    trace: &Trace,
    batch: usize,
    training: bool,
) -> Result<()> {
    let network = &*run.network;
    check_weights(core, network, trace)?;
    let plan = Plan::new(
        network,
        trace,
        &core.trainable,
        batch,
        training,
        run.watches_inputs,
    );
    let largest = core
        .parameters
        .iter()
        .flat_map(|parameters| &parameters.layers);
    let largest = largest
        .map(|layer| layer.params_range().len())
        .max()
        .unwrap_or(0);
    // The old memory goes before the new is asked for.
    let space = run.space_mut(training);
    *space = None;
    *space = Some(Space::new(&*core.device, plan, largest, core.version)?);
    Ok(())
}

/// Whether the weights that inputs of these shapes need are the weights that are there.
fn check_weights<D: Device>(core: &Core<D>, network: &Network, trace: &Trace) -> Result<()> {
    let Some(parameters) = &core.parameters else {
        return Ok(());
    };
    for ((info, layer), found) in network
        .layers
        .iter()
        .zip(&parameters.layers)
        .zip(&trace.weights)
    {
        let Some(found) = found else { continue };
        for (weight, found) in layer.spec.iter().zip(found.iter()) {
            if weight.shape != found.shape {
                let shape = |shape: &Shape| Text::new().shape(shape);
                return Err(Error::Shape {
                    class: info.class.clone().into(),
                    name: info.name.clone().into(),
                    message: format!(
                        "has been built with `{}` of shape {}; these inputs need shape {}",
                        weight.name,
                        shape(&weight.shape).as_str(),
                        shape(&found.shape).as_str()
                    ),
                });
            }
        }
    }
    Ok(())
}
