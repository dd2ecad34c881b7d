//! Models from files: `load_model`, and the weights of a model that `#[model(keras = "..")]` made.

use std::collections::HashMap;
use std::path::Path;

use keras_config::Description;

use super::dynamic::{described, description};
use super::parameters::Parameters;
use super::restore::{Load, compile_as_saved, set_layers};
use super::state::paths;
use super::weights::listed_layers;
use super::{DynamicModel, Model};
use crate::config::Json;
use crate::device::{AutoDevice, Device, Memory};
use crate::error::{Error, Result};
use crate::random::fresh_seed;
use crate::saving::{self, KnownBy, LoadWeights, Loaded};
use crate::short_sort::sort_by_key;

/// The model in a file of Keras, `.keras` or, as Keras 2 wrote them, `.h5`: its layers, its weights, and, if
/// it was compiled, what it was compiled with and what its optimizer remembers.
///
/// # Errors
/// If the file cannot be read, or is damaged. If something of the model cannot be expressed, the error lists
/// all of it, layer by layer.
pub fn load_model(path: impl AsRef<Path>) -> Result<DynamicModel> {
    load_model_with(path, Load::new())
}

/// The same with arguments: whether the model is compiled.
///
/// # Errors
/// As [`load_model`].
pub fn load_model_with(path: impl AsRef<Path>, arguments: Load) -> Result<DynamicModel> {
    load(path.as_ref(), arguments, AutoDevice::open()?)
}

fn load(path: &Path, arguments: Load, device: AutoDevice) -> Result<DynamicModel> {
    let (json, mut file) = saving::read_model(path)?;
    let described = described(&json)?;
    let description = &described.description;
    let seed = match file.state.seed {
        0 => fresh_seed(),
        seed => seed,
    };
    let mut model = DynamicModel::new(&described, device, seed)?;
    if !model.is_built() {
        return Err(Error::NotBuilt(format!(
            "Model '{}' was saved before it had been built: the file says nothing of the shape of its input.",
            description.name
        )));
    }
    rename(&mut file, description, &model);
    set_layers(&mut model, &file, path, LoadWeights::new())?;
    let (_, run) = model.split();
    run.step = file.state.step;
    run.loaded = file.state.optimizer;
    if arguments.compile {
        compile_as_saved(&mut model, &json);
    }
    Ok(model)
}

/// Sets the weights of a model that has just been built to those of its file, if it has one. If that is
/// damaged, the model is not built.
pub(crate) fn set_first_weights<M: Model>(model: &mut M) -> Result<()> {
    let Some(file) = model.core().first_weights else {
        return Ok(());
    };
    let set = set_weights(model, file);
    if set.is_err() {
        model.split().0.parameters = None;
    }
    set
}

fn set_weights<M: Model>(model: &mut M, file: &[u8]) -> Result<()> {
    let path = format!("The file of model '{}'", model.name());
    let path = Path::new(&path);
    let mut loaded = saving::read_bytes(file).map_err(|message| Error::file(path, message))?;
    let description = description(loaded.config.as_ref().unwrap_or(&Json::Null))?;
    rename(&mut loaded, &description, model);
    set_layers(model, &loaded, path, LoadWeights::new())
}

/// Gives the layers of a file the paths and the order that they have in a model that was made of it: nested
/// models have become their layers, and some classes have become others.
fn rename<M: Model>(file: &mut Loaded, description: &Description, model: &M) {
    let (network, listed) = (&model.run().network, listed_layers(model));
    // By the numbers of the layers, which are in the order of the file.
    let mut own = vec![String::new(); network.layers.len()];
    for (&layer, path) in listed.iter().zip(paths(network, &listed)) {
        own[layer] = path;
    }
    match file.known_by {
        KnownBy::Path => {
            let groups = description.layers.iter().map(|layer| layer.group.as_str());
            let own: HashMap<&str, String> = groups.zip(own).collect();
            for layer in &mut file.state.layers {
                if let Some(path) = own.get(layer.path.as_str()) {
                    layer.path.clone_from(path);
                }
            }
        }
        KnownBy::Order => {
            if let Some(parameters) = &model.core().parameters {
                split_nested(file, description, parameters, &model.core().trainable);
                let own = parameters.layers.iter().zip(own);
                let mut own = own.filter(|(weights, _)| weights.spec.count() > 0);
                let saved = file.state.layers.iter_mut();
                for layer in saved.filter(|layer| !layer.weights.is_empty()) {
                    layer.path = own.next().map(|(_, path)| path).unwrap_or_default();
                }
                file.known_by = KnownBy::Path;
            }
        }
        // Files whose layers are known by their names have no configuration.
        KnownBy::Name => {}
    }
}

/// In files of Keras 2 all weights of a nested model stand together: those that are trained, layer by
/// layer, and then the others.
fn split_nested<D: Device>(
    file: &mut Loaded,
    description: &Description,
    parameters: &Parameters<D>,
    trainable: &[bool],
) {
    let mut layers = Vec::with_capacity(description.layers.len());
    for saved in std::mem::take(&mut file.state.layers) {
        let own = description.layers.iter().enumerate();
        let own = own.filter(|(_, layer)| layer.outermost == saved.name);
        let own: Vec<usize> = own.map(|(at, _)| at).collect();
        if own.len() < 2 {
            layers.push(saved);
            continue;
        }
        let is_own = |layer: &usize| own.contains(layer);
        let places = parameters.places().filter(|place| is_own(&place.layer));
        let mut places: Vec<_> = places.enumerate().collect();
        sort_by_key(&mut places, |(at, place)| {
            (!(place.trainable && trainable[place.layer]), *at)
        });
        let mut weights: Vec<(usize, usize, _)> = (places.iter().zip(saved.weights))
            .map(|((at, place), weight)| (place.layer, *at, weight))
            .collect();
        sort_by_key(&mut weights, |(layer, at, _)| (*layer, *at));
        let mut weights = weights.into_iter().peekable();
        for layer in own {
            let mut of_layer = saving::LayerState {
                name: description.layers[layer].name.clone(),
                ..saving::LayerState::default()
            };
            while let Some((_, _, weight)) = weights.next_if(|(of, ..)| *of == layer) {
                of_layer.weights.push(weight);
            }
            layers.push(of_layer);
        }
    }
    file.state.layers = layers;
}
