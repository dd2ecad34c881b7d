//! A model as a [`ModelState`], and back: what saving and loading have to do with models.

use std::path::Path;

use super::Model;
use super::build::network;
use super::compiled::Compiled;
use super::core::Core;
use super::network::{Kind, Network};
use super::parameters::{Parameters, Place};
use super::weights::array;
use crate::console;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::optimizers::State;
use crate::saving::{self, LayerState, LoadWeights, ModelState, OptimizerState, WeightState};
use crate::shape::Shape;

/// `Model::save`.
pub(crate) fn save_model<M: Model>(model: &M, path: &Path) -> Result<()> {
    if !saving::ends_in(path, saving::MODEL_EXTENSIONS) {
        return Err(Error::value(format!(
            "Invalid filepath extension for saving. Please add either a `.keras` extension for the native Keras format \
             (recommended) or a `.h5` extension. Received: filepath={}.",
            path.display()
        )));
    }
    save(model, path)
}

/// `Model::save_weights`.
pub(crate) fn save_weights<M: Model>(model: &M, path: &Path) -> Result<()> {
    if !saving::ends_in(path, saving::WEIGHTS_EXTENSIONS) {
        return Err(Error::value(format!(
            "The filename must end in `.weights.h5`. Received: filepath={}",
            path.display()
        )));
    }
    save(model, path)
}

fn save<M: Model>(model: &M, path: &Path) -> Result<()> {
    let (core, run, network) = (model.core(), model.run(), network::<M>());
    if core.parameters.is_none() {
        return Err(Error::NotBuilt(
            "You are saving a model that has not yet been built. Try building the model first by calling it on some \
             data or by using `build()`."
                .into(),
        ));
    }
    let shapes = run.built.iter().flatten();
    let dim = |&dim: &usize| (dim != Shape::NONE).then_some(dim);
    let state = ModelState {
        name: network.name.into(),
        seed: core.seed,
        step: run.step,
        input_shapes: shapes
            .map(|shape| shape.dims().iter().map(dim).collect())
            .collect(),
        layers: layers(core, network),
        optimizer: optimizer(core, run.compiled.as_ref()),
    };
    saving::write(path, &state)
}

/// Every layer with its weights.
pub(crate) fn layers<D: Device>(core: &Core<D>, network: &Network) -> Vec<LayerState> {
    let layers = network.layers.iter().map(|info| LayerState {
        name: info.name.into(),
        class: info.class.into(),
        weights: Vec::new(),
    });
    let mut layers: Vec<LayerState> = layers.collect();
    if let Some(parameters) = &core.parameters {
        for place in parameters.places() {
            layers[place.layer].weights.push(WeightState {
                name: place.name.into(),
                trainable: place.trainable,
                values: array(&*core.device, parameters, &place),
            });
        }
    }
    layers
}

/// The path of every weight. In Keras the layers of a functional model are built before the model, and
/// those of others within it.
pub(crate) fn weight_paths<D: Device>(core: &Core<D>, network: &Network) -> Vec<String> {
    let model = match network.kind {
        Kind::Sequential | Kind::Subclassed => format!("{}/", network.name),
        Kind::Functional | Kind::Part => String::new(),
    };
    let places = core.parameters.iter().flat_map(Parameters::places);
    places
        .map(|place| format!("{model}{}/{}", network.layers[place.layer].name, place.name))
        .collect()
}

/// What the optimizer remembers.
pub(crate) fn optimizer<D: Device>(
    core: &Core<D>,
    compiled: Option<&Compiled<D>>,
) -> Option<OptimizerState> {
    let Compiled {
        optimizer, state, ..
    } = compiled?;
    let download = |vector: &D::Buffer| {
        let len = D::len(vector);
        let mut values = vec![0.0; len];
        core.device.download(D::slice(vector, 0..len), &mut values);
        values
    };
    let settings = optimizer.settings();
    let rate = settings.learning_rate().at(state.iterations);
    Some(OptimizerState {
        name: optimizer.name().into(),
        class: optimizer.class().into(),
        iterations: state.iterations,
        learning_rate: (!settings.is_scheduled()).then_some(rate),
        scalars: state.scalars().to_vec(),
        slots: state.vectors().map(download).collect(),
    })
}

/// `Model::load_weights`.
pub(crate) fn load_weights<M: Model>(
    model: &mut M,
    path: &Path,
    arguments: LoadWeights,
) -> Result<()> {
    let network = network::<M>();
    let (core, run) = model.split();
    if core.parameters.is_none() {
        return Err(Error::NotBuilt(format!(
            "You are loading weights into a model that has not yet been built. Call model '{}' on some data or its \
             `build()` first.",
            network.name
        )));
    }
    let state = saving::read(path)?;
    set_layers(core, network, &state, path, arguments)?;
    if let Some(compiled) = &mut run.compiled {
        run.step = state.step;
        resume(core, compiled, &state)?;
    }
    Ok(())
}

/// A model of a type from a file, by a function that makes one from a seed.
///
/// What the optimizer remembered waits for `compile`, which is the one to name it.
///
/// # Errors
/// If the file cannot be read, or is that of another model.
pub fn load<M: Model>(path: &Path, make: impl FnOnce(u64) -> M) -> Result<M> {
    let state = saving::read(path)?;
    let mut model = make(state.seed);
    if !model.is_built() {
        let shapes = state.input_shapes.iter().map(|shape| {
            let mut with_batch = vec![None];
            with_batch.extend(shape);
            with_batch
        });
        let shapes: Vec<Vec<Option<usize>>> = shapes.collect();
        let shapes: Vec<&[Option<usize>]> = shapes.iter().map(Vec::as_slice).collect();
        model.build_all(&shapes)?;
    }
    let (core, run) = model.split();
    set_layers(core, network::<M>(), &state, path, LoadWeights::new())?;
    run.step = state.step;
    run.loaded = state.optimizer.is_some().then_some(state);
    Ok(model)
}

/// Gives a model that has just been compiled what the file had that it was loaded from.
pub(crate) fn compiled<M: Model>(model: &mut M) -> Result<()> {
    let (core, run) = model.split();
    match (run.loaded.take(), &mut run.compiled) {
        (Some(state), Some(compiled)) => resume(core, compiled, &state),
        _ => Ok(()),
    }
}

/// Sets the weights of every layer to those in a file. Layers are matched as in Keras, by their class
/// and by which of the layers of this class they are; their names do not matter.
fn set_layers<D: Device>(
    core: &mut Core<D>,
    network: &Network,
    state: &ModelState,
    path: &Path,
    arguments: LoadWeights,
) -> Result<()> {
    let Some(parameters) = &mut core.parameters else {
        return Ok(());
    };
    let places: Vec<Place> = parameters.places().collect();
    let mut found: Vec<Option<&LayerState>> = vec![None; network.layers.len()];
    let mut left: Vec<&LayerState> = state.layers.iter().collect();
    for (info, found) in network.layers.iter().zip(&mut found) {
        let of_class = left.iter().position(|layer| layer.class == info.class);
        *found = of_class.map(|at| left.remove(at));
    }
    let mut differences: Vec<String> = Vec::new();
    let mut fits = vec![true; network.layers.len()];
    for (index, (info, found)) in network.layers.iter().zip(&found).enumerate() {
        let own: Vec<&Place> = places.iter().filter(|place| place.layer == index).collect();
        let weights = found.map_or(&[][..], |layer| &layer.weights);
        if let Some(difference) = difference(info.name, &own, weights) {
            differences.push(difference);
            fits[index] = false;
        }
    }
    let surplus = left.iter().filter(|layer| !layer.weights.is_empty());
    differences.extend(surplus.map(|layer| {
        format!(
            "The file's layer '{}' ({}) is not in the model.",
            layer.name, layer.class
        )
    }));
    if !differences.is_empty() && !arguments.skip_mismatch {
        return Err(Error::File {
            path: path.display().to_string(),
            message: format!(
                "A total of {} objects could not be loaded.\n{}",
                differences.len(),
                differences.join("\n")
            ),
        });
    }
    for difference in &differences {
        console::warn(difference);
    }
    let mut seen = vec![0; network.layers.len()];
    for place in places.iter().filter(|place| fits[place.layer]) {
        let weight = found[place.layer].and_then(|layer| layer.weights.get(seen[place.layer]));
        seen[place.layer] += 1;
        if let Some(values) = weight.and_then(|weight| weight.values.as_slice()) {
            parameters.set(&core.device, place, values);
        }
    }
    Ok(())
}

/// What is different about a layer in a file, in Keras' words.
fn difference(layer: &str, own: &[&Place], found: &[WeightState]) -> Option<String> {
    if own.len() != found.len() {
        let names: Vec<&str> = own.iter().map(|place| place.name).collect();
        return Some(format!(
            "Layer '{layer}' expected {} variables, but received {} variables during loading. Expected: {names:?}",
            own.len(),
            found.len()
        ));
    }
    let mut pairs = own.iter().zip(found);
    let (place, weight) =
        pairs.find(|(place, weight)| place.shape.dims() != weight.values.shape())?;
    Some(format!(
        "Layer '{layer}' weight `{}` shape {:?} is not compatible with provided weight shape {:?}.",
        place.name,
        place.shape.dims(),
        weight.values.shape()
    ))
}

/// Sets what the optimizer remembers to what it did in a file, if it is the same optimizer of the same
/// weights; if not, it begins anew and says so.
fn resume<D: Device>(core: &Core<D>, compiled: &mut Compiled<D>, file: &ModelState) -> Result<()> {
    let (Some(saved), Some(parameters)) = (&file.optimizer, &core.parameters) else {
        return Ok(());
    };
    let Compiled {
        optimizer, state, ..
    } = compiled;
    let (slots, len) = (State::len(&**optimizer), D::len(&parameters.params));
    let is_whole = saved.slots.len() == slots
        && saved.slots.iter().all(|slot| slot.len() == len)
        && saved.scalars.len() == optimizer.scalars().len();
    let is_new = saved.slots.is_empty() && saved.iterations == 0;
    if saved.class != optimizer.class() || !(is_whole || is_new) || !same_weights(parameters, file)
    {
        let weights = parameters.places().filter(|place| place.trainable);
        console::warn(&format!(
            "Skipping variable loading for optimizer '{}', because it has {} variables whereas the saved optimizer \
             '{}' has {} variables.",
            optimizer.name(),
            2 + slots * weights.count(),
            saved.name,
            file.optimizer_variables(saved.slots.len()),
        ));
        return Ok(());
    }
    if let Some(rate) = saved.learning_rate
        && !optimizer.settings().is_scheduled()
    {
        optimizer.settings_mut().set_learning_rate(rate)?;
    }
    *state = State::new();
    state.iterations = saved.iterations;
    if is_new {
        return Ok(());
    }
    let variables = parameters.variables(&core.names, &core.trainable);
    let params = &parameters.params;
    state.prepare(&**optimizer, &core.device, params, variables, core.version)?;
    for (values, vector) in saved.slots.iter().zip(state.vectors_mut()) {
        core.device.upload(values, D::slice_mut(vector, 0..len));
    }
    state.scalars_mut().copy_from_slice(&saved.scalars);
    Ok(())
}

/// Whether the trainable weights of a file are, one after the other, of the same shapes as the model's:
/// what an optimizer remembers lies in their order.
fn same_weights<D: Device>(parameters: &Parameters<D>, state: &ModelState) -> bool {
    let own = parameters.places().filter(|place| place.trainable);
    let saved = state.layers.iter().flat_map(|layer| &layer.weights);
    let mut saved = saved.filter(|weight| weight.trainable);
    let same = own
        .zip(&mut saved)
        .all(|(place, weight)| place.shape.dims() == weight.values.shape());
    same && saved.next().is_none()
}
