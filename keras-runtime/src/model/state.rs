//! A model as a [`ModelState`]: what is saved of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ndarray::arr0;

use super::architecture::Architecture;
use super::compiled::Compiled;
use super::core::Core;
use super::describe::is_functional;
use super::network::{Kind, Network};
use super::parameters::{Parameters, values};
use super::weights::{listed_layers, names_in_order};
use super::{Backend, Model};
use crate::console;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::optimizers::{Held, SlotVariable, member};
use crate::saving::{
    self, LayerState, ModelState, Numbers, OptimizerState, VariableState, WeightState, Whole,
};
use crate::shape::Shape;

/// `Model::save`.
pub(crate) fn save_model<M: Model>(model: &M, path: &Path) -> Result<()> {
    if !saving::ends_in(path, saving::MODEL_EXTENSIONS) {
        let weights = if saving::ends_in(path, saving::WEIGHTS_EXTENSIONS) {
            " Files of weights alone are written by `save_weights`."
        } else {
            ""
        };
        return Err(Error::value(format!(
            "Invalid filepath extension for saving. Please add either a `.keras` extension for the native Keras format \
             (recommended) or a `.h5` extension. Received: filepath={}.{weights}",
            path.display()
        )));
    }
    let run = model.run();
    let compiled = run.compiled.as_ref();
    warn_of_added(&run.network);
    let whole = Whole {
        model: architecture(model)?.to_json(),
        compile: compiled.map(|compiled| compiled.config(&run.network)),
    };
    save(model, path, Some(whole))
}

/// Says once for each model what its files do not say: Keras' configurations have no place for it.
fn warn_of_added(network: &Network) {
    static WARNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let added: Vec<&str> = [
        (network.losses.is_empty(), "`add_loss`"),
        (network.metrics.is_empty(), "`add_metric`"),
    ]
    .into_iter()
    .filter_map(|(is_empty, name)| (!is_empty).then_some(name))
    .collect();
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    if !added.is_empty() && warned.insert(network.name.to_string()) {
        console::warn(&format!(
            "The file of model '{}' does not say what it adds by {}: Keras' files have no place for it. The typed model \
             has it when it loads the file; Python does not.",
            network.name,
            added.join(" and ")
        ));
    }
}

/// `Model::save_weights`.
pub(crate) fn save_weights<M: Model>(model: &M, path: &Path) -> Result<()> {
    if !saving::ends_in(path, saving::WEIGHTS_EXTENSIONS) {
        return Err(Error::value(format!(
            "The filename must end in `.weights.h5`, `.hdf5`, `.safetensors` or `.npz`. Received: filepath={}",
            path.display()
        )));
    }
    save(model, path, None)
}

fn save<M: Model>(model: &M, path: &Path, whole: Option<Whole>) -> Result<()> {
    saving::write(path, &state(model)?, whole)
}

/// The layers of a model, for the shapes that it was built with.
///
/// # Errors
/// If a layer cannot take its inputs.
pub(crate) fn architecture<M: Model>(model: &M) -> Result<Architecture> {
    let run = model.run();
    let declared = || run.network.inputs.iter().map(|input| input.shape).collect();
    let shapes: Vec<Shape> = run.built.clone().unwrap_or_else(declared);
    Architecture::of(model, &shapes)
}

/// Everything of a model that a file keeps.
///
/// # Errors
/// If the model is not built.
pub(crate) fn state<M: Model>(model: &M) -> Result<ModelState<'_>> {
    let (core, run) = (model.core(), model.run());
    let network = &run.network;
    if core.parameters.is_none() {
        core.device.get()?;
        return Err(Error::NotBuilt(
            "You are saving a model that has not yet been built. Try building the model first by calling it on some \
             data or by using `build()`."
                .into(),
        ));
    }
    let shapes = run.built.iter().flatten();
    let dim = |&dim: &usize| (dim != Shape::NONE).then_some(dim);
    let own = listed_layers(model);
    let mut all: Vec<Option<LayerState<'_>>> = M::Device::layer_states(core, network)
        .into_iter()
        .map(Some)
        .collect();
    let mut layers = Vec::with_capacity(own.len());
    if is_functional(network) {
        let inputs = network.inputs.iter();
        let paths = saving::paths::of_list(inputs.clone().map(|_| INPUT));
        layers.extend(inputs.zip(paths).map(|(input, path)| LayerState {
            name: input.name.to_string(),
            class: INPUT.into(),
            path,
            weights: Vec::new(),
        }));
    }
    for (&layer, path) in own.iter().zip(paths(network, &own)) {
        if let Some(layer) = all[layer].take().filter(|_| !path.is_empty()) {
            layers.push(LayerState { path, ..layer });
        }
    }
    Ok(ModelState {
        name: network.name.to_string(),
        scope: scope(network),
        seed: core.seed,
        step: run.step,
        input_shapes: shapes
            .map(|shape| shape.dims().iter().map(dim).collect())
            .collect(),
        layers,
        optimizer: M::Device::optimizer_state(core, run, names_in_order(network, &own)),
    })
}

/// The class of Keras' layers that are inputs.
const INPUT: &str = "InputLayer";

/// Where each of a model's layers is in Keras' files; empty if Keras has no layer there: `a + b` in `call`.
pub(crate) fn paths(network: &Network, own: &[usize]) -> Vec<String> {
    let layers = own.iter().map(|&layer| &network.layers[layer]);
    match network.kind {
        Kind::Subclassed => {
            let attributes = layers.map(|info| (&*info.class, &*info.field));
            saving::paths::of_attributes(&attributes.collect::<Vec<_>>())
        }
        _ => saving::paths::of_list(layers.map(|info| &*info.class)),
    }
}

/// Every layer with its weights.
pub(crate) fn layers<'a, D: Device>(core: &'a Core<D>, network: &Network) -> Vec<LayerState<'a>> {
    let layers = network.layers.iter().map(|info| LayerState {
        name: info.name.to_string(),
        class: info.class.to_string(),
        ..LayerState::default()
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

/// What the names of a model's weights begin with. In Keras the layers of a functional model are built
/// before the model, and those of others within it.
fn scope(network: &Network) -> String {
    match network.kind {
        Kind::Sequential | Kind::Subclassed => format!("{}/", network.name),
        Kind::Functional | Kind::Part => String::new(),
    }
}

/// The path of every weight.
pub(crate) fn weight_paths<D: Device>(core: &Core<D>, network: &Network) -> Vec<String> {
    let scope = scope(network);
    let places = core.parameters.iter().flat_map(Parameters::places);
    places
        .map(|place| format!("{scope}{}/{}", network.layers[place.layer].name, place.name))
        .collect()
}

/// What the optimizer remembers.
pub(crate) fn optimizer<'a, D: Device>(
    core: &'a Core<D>,
    network: &Network,
    compiled: Option<&'a Compiled<D>>,
    layers: Vec<String>,
) -> Option<OptimizerState<'a>> {
    let Compiled {
        optimizer, state, ..
    } = compiled?;
    let scalar = |value: f32| Numbers::Floats(arr0(value).into_dyn().into());
    let vectors: Vec<&D::Buffer> = state.vectors().collect();
    let scope = scope(network).replace('/', "_");
    let variable = |SlotVariable { name, shape, held }| VariableState {
        name: match held {
            Held::Vector(..) => scope.clone() + &name,
            _ => name,
        },
        values: match held {
            Held::Iterations => Numbers::Count(state.iterations),
            Held::LearningRate(of) => {
                let settings = member(&**optimizer, of).settings();
                scalar(settings.learning_rate().at(state.iterations))
            }
            Held::Scalar(at) => scalar(state.scalars()[at]),
            Held::Count(at) => Numbers::Count(state.scalars()[at] as u64),
            Held::Vector(at, range) => {
                Numbers::Floats(values(&*core.device, vectors[at], range, &shape))
            }
            Held::Zero { is_integer: true } => Numbers::Count(0),
            Held::Zero { is_integer: false } => scalar(0.0),
        },
    };
    let variables = state.variables(&**optimizer, &layers);
    let begin = variables
        .iter()
        .position(|variable| variable.held == Held::Iterations);
    Some(OptimizerState {
        name: optimizer.name().into(),
        class: optimizer.class().into(),
        inner: optimizer
            .wrapper()
            .map(|wrapper| (wrapper.inner.into(), begin.unwrap_or(0))),
        variables: variables.into_iter().map(variable).collect(),
        layers,
    })
}
