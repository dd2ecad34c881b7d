//! A model as a [`ModelState`], and back: what saving and loading have to do with models.

use std::path::Path;

use ndarray::arr0;

use super::Model;
use super::build::network;
use super::compiled::Compiled;
use super::core::Core;
use super::network::{Kind, Network};
use super::parameters::{Parameters, Place, values};
use crate::console;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::optimizers::{Held, SlotVariable, State};
use crate::saving::{
    self, LayerState, LoadWeights, ModelState, Numbers, OptimizerState, VariableState, WeightState,
};
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
pub(crate) fn layers<'a, D: Device>(core: &'a Core<D>, network: &Network) -> Vec<LayerState<'a>> {
    let layers = network.layers.iter().map(|info| LayerState {
        name: info.name.into(),
        class: info.class.into(),
        weights: Vec::new(),
    });
    let mut layers: Vec<LayerState<'a>> = layers.collect();
    if let Some(parameters) = &core.parameters {
        for place in parameters.places() {
            layers[place.layer].weights.push(WeightState {
                name: place.name.into(),
                trainable: place.trainable,
                values: parameters.values(&core.device, &place),
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
pub(crate) fn optimizer<'a, D: Device>(
    core: &'a Core<D>,
    compiled: Option<&'a Compiled<D>>,
) -> Option<OptimizerState<'a>> {
    let Compiled {
        optimizer, state, ..
    } = compiled?;
    let scalar = |value: f32| Numbers::Floats(arr0(value).into_dyn().into());
    let vectors: Vec<&D::Buffer> = state.vectors().collect();
    let variable = |SlotVariable { name, shape, held }| VariableState {
        name,
        values: match held {
            Held::Iterations => Numbers::Count(state.iterations),
            Held::LearningRate => scalar(optimizer.settings().learning_rate().at(state.iterations)),
            Held::Scalar(at) => scalar(state.scalars()[at]),
            Held::Count(at) => Numbers::Count(state.scalars()[at] as u64),
            Held::Vector(at, range) => {
                Numbers::Floats(values(&core.device, vectors[at], range, &shape))
            }
            Held::Zero { is_integer: true } => Numbers::Count(0),
            Held::Zero { is_integer: false } => scalar(0.0),
        },
    };
    let variables = state.variables(&**optimizer);
    let begin = variables.iter().position(|variable| variable.held == Held::Iterations);
    Some(OptimizerState {
        name: optimizer.name().into(),
        class: optimizer.class().into(),
        inner: optimizer.wrapper().map(|wrapper| (wrapper.inner.into(), begin.unwrap_or(0))),
        variables: variables.into_iter().map(variable).collect(),
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
    if let (Some(compiled), Some(optimizer)) = (&mut run.compiled, &state.optimizer) {
        run.step = state.step;
        resume(core, compiled, optimizer)?;
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
    run.loaded = state.optimizer;
    Ok(model)
}

/// Gives a model that has just been compiled what the file had that it was loaded from.
pub(crate) fn compiled<M: Model>(model: &mut M) -> Result<()> {
    let (core, run) = model.split();
    match (run.loaded.take(), &mut run.compiled) {
        (Some(loaded), Some(compiled)) => resume(core, compiled, &loaded),
        _ => Ok(()),
    }
}

/// Sets the weights of every layer to those in a file. Layers are matched as in Keras, by their class
/// and by which of the layers of this class they are; their names do not matter.
fn set_layers<D: Device>(
    core: &mut Core<D>,
    network: &Network,
    state: &ModelState<'_>,
    path: &Path,
    arguments: LoadWeights,
) -> Result<()> {
    let Some(parameters) = &mut core.parameters else {
        return Ok(());
    };
    let places: Vec<Place> = parameters.places().collect();
    let mut found: Vec<Option<&LayerState<'_>>> = vec![None; network.layers.len()];
    let mut left: Vec<&LayerState<'_>> = state.layers.iter().collect();
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
fn difference(layer: &str, own: &[&Place], found: &[WeightState<'_>]) -> Option<String> {
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

/// Sets what the optimizer remembers to what it did in a file, if it has as many variables there; if not,
/// it keeps what it has and says so.
fn resume<D: Device>(
    core: &Core<D>,
    compiled: &mut Compiled<D>,
    saved: &OptimizerState<'_>,
) -> Result<()> {
    let Some(parameters) = &core.parameters else {
        return Ok(());
    };
    let Compiled {
        optimizer, state, ..
    } = compiled;
    let mut new = State::new();
    // What is saved before the first step are the variables that every optimizer has.
    if saved.variables.len() != new.variables(&**optimizer).len() {
        let variables = parameters.variables(&core.names, &core.trainable);
        let params = &parameters.params;
        new.prepare(&**optimizer, &core.device, params, variables, core.version)?;
    }
    let own = new.variables(&**optimizer);
    let is_other = !saved.class.is_empty() && saved.class != optimizer.class();
    if is_other || own.len() != saved.variables.len() {
        console::warn(&format!(
            "Skipping variable loading for optimizer '{}', because it has {} variables whereas the saved optimizer \
             has {} variables.",
            optimizer.name(),
            own.len(),
            saved.variables.len(),
        ));
        return Ok(());
    }
    let mut pairs = own.iter().zip(&saved.variables);
    let differs = |(own, saved): &(&SlotVariable, &VariableState<'_>)| match &saved.values {
        Numbers::Floats(values) => values.shape() != own.shape.dims(),
        Numbers::Count(_) => own.shape != Shape::SCALAR,
    };
    if let Some((own, saved)) = pairs.find(differs) {
        let found = match &saved.values {
            Numbers::Floats(values) => values.shape(),
            Numbers::Count(_) => &[],
        };
        console::warn(&format!(
            "Skipping variable loading for optimizer '{}', because its variable '{}' has shape {:?} whereas the saved \
             one has shape {found:?}.",
            optimizer.name(),
            own.name,
            own.shape.dims(),
        ));
        return Ok(());
    }
    for (own, saved) in own.into_iter().zip(&saved.variables) {
        let number = match &saved.values {
            Numbers::Floats(values) => values.first().copied().unwrap_or(0.0),
            Numbers::Count(count) => *count as f32,
        };
        match own.held {
            Held::Iterations => {
                new.iterations = match saved.values {
                    Numbers::Count(count) => count,
                    Numbers::Floats(_) => number as u64,
                }
            }
            Held::LearningRate => optimizer.settings_mut().set_learning_rate(number)?,
            Held::Scalar(at) | Held::Count(at) => new.scalars_mut()[at] = number,
            Held::Vector(at, range) => {
                if let (Some(vector), Numbers::Floats(values)) =
                    (new.vectors_mut().nth(at), &saved.values)
                    && let Some(values) = values.as_slice()
                {
                    core.device.upload(values, D::slice_mut(vector, range));
                }
            }
            Held::Zero { .. } => {}
        }
    }
    *state = new;
    Ok(())
}
