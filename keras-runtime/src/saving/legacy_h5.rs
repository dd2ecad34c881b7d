//! Keras 2's files, `.h5` and `.hdf5`: weights alone, or a whole model.
//!
//! ```text
//! /model_weights                            attributes layer_names, backend, keras_version
//! /model_weights/<layer>                    attribute weight_names, such as my_model/dense/kernel
//! /model_weights/<layer>/<weight name>      the weights: trained ones first
//! /model_weights/top_level_model_weights    those of the model itself
//! /optimizer_weights                        attribute weight_names, such as adam/iteration
//! /optimizer_weights/<weight name>          the variables of the optimizer
//! ```
//!
//! A whole model also has the attributes model_config and training_config, in JSON. A file of weights has
//! what is in `/model_weights` at its root and nothing else. Layers are found by their order among those
//! that have weights. Lists of names that are too long for one attribute are cut: layer_names0, layer_names1.

use std::io::{self, Read, Seek};

use super::hdf5::{self, Attribute, Data, Dataset, Group, Layout, MAX_TEXTS, Node, Reader};
use super::weights_h5::{floats, numbers, state_attributes};
use super::{LayerState, ModelState, OptimizerState, VariableState, WeightState, Whole};
use crate::config::{Config, Json, Object};

const MODEL: &str = "model_weights";
const OPTIMIZER: &str = "optimizer_weights";
const LAYER_NAMES: &str = "layer_names";
const WEIGHT_NAMES: &str = "weight_names";
const TOP_LEVEL: &str = "top_level_model_weights";

/// What a file is said to be written with, so that Keras does not take it for an older one.
const VERSION: [(&str, &str); 2] = [("backend", "tensorflow"), ("keras_version", "3.15.1")];

const MODEL_CONFIG: &str = "model_config";
const TRAINING_CONFIG: &str = "training_config";

/// Lays out the file of a whole model, or of its weights if there is no `whole`.
pub(crate) fn layout<'a>(
    state: &'a ModelState<'_>,
    whole: Option<&Whole>,
) -> io::Result<Layout<'a>> {
    let mut weights = Group::default();
    let names = state.layers.iter().map(|layer| layer.name.clone());
    set_texts(&mut weights, LAYER_NAMES, names.collect());
    let text = |(name, text): (&str, &str)| (name.to_owned(), Attribute::Text(text.to_owned()));
    weights.attributes.extend(VERSION.map(text));
    for layer in &state.layers {
        let path = |name: &str| format!("{}{}/{name}", state.scope, layer.name);
        let data = layer.weights.iter();
        let data = data.map(|weight| (path(&weight.name), Data::of(&weight.values)));
        add(&mut weights, &layer.name, data)?;
    }
    add(&mut weights, TOP_LEVEL, std::iter::empty())?;
    let mut root = match whole {
        None => weights,
        Some(whole) => {
            let mut root = Group::default();
            let model = (MODEL_CONFIG, whole.model.to_string());
            let training = whole.compile.as_ref().map(training_config);
            let training = training.map(|config| (TRAINING_CONFIG, config.to_string()));
            let configs: Vec<(&str, String)> = [model].into_iter().chain(training).collect();
            let texts = configs
                .iter()
                .map(|(name, config)| (*name, config.as_str()));
            root.attributes = VERSION.into_iter().chain(texts).map(text).collect();
            root.members.insert(MODEL.into(), Node::Group(weights));
            if let Some(optimizer) = &state.optimizer {
                let begin = optimizer.inner.as_ref().map_or(0, |(_, at)| *at);
                let data = optimizer
                    .variables
                    .iter()
                    .enumerate()
                    .map(|(at, variable)| {
                        let name = match &optimizer.inner {
                            Some((inner, _)) if at >= begin => inner,
                            _ => &optimizer.name,
                        };
                        (format!("{name}/{}", variable.name), variable.data())
                    });
                add(&mut root, OPTIMIZER, data)?;
            }
            root
        }
    };
    root.attributes.extend(state_attributes(state));
    Layout::new(&root)
}

/// What is called otherwise in the arguments of `compile`, here and there.
const RENAMED: (&str, &str) = ("optimizer", "optimizer_config");

/// The arguments of `compile` as Keras 2 has them.
fn training_config(compile: &Object) -> Object {
    let named = compile.iter().filter(|(name, _)| {
        let names = ["loss", "loss_weights", "metrics", "weighted_metrics"];
        names.contains(name) || *name == RENAMED.0
    });
    let named = named.map(|(name, value)| {
        let is_metric = name.ends_with("metrics");
        match name {
            "optimizer" => (RENAMED.1, value.clone()),
            "loss" => (name, in_full(value, is_metric)),
            _ if is_metric => (name, in_full(value, is_metric)),
            _ => (name, value.clone()),
        }
    });
    named.collect()
}

/// Short names with what they stand for: Keras 3.15.1 cannot read them in such a file, its own too.
const SHORT: [(&str, &str, &str); 6] = [
    ("mse", "mean_squared_error", "MeanSquaredError"),
    ("mae", "mean_absolute_error", "MeanAbsoluteError"),
    (
        "mape",
        "mean_absolute_percentage_error",
        "MeanAbsolutePercentageError",
    ),
    (
        "msle",
        "mean_squared_logarithmic_error",
        "MeanSquaredLogarithmicError",
    ),
    ("bce", "binary_crossentropy", "BinaryCrossentropy"),
    ("kld", "kl_divergence", "KLDivergence"),
];

/// Losses or metrics without short names. A metric is a class, whose name in logs is the short one still.
fn in_full(json: &Json, is_metric: bool) -> Json {
    match json {
        Json::Text(name) => {
            let lower = name.to_lowercase();
            match SHORT.iter().find(|(short, ..)| *short == lower) {
                Some((.., class)) if is_metric => {
                    let metric = Config::keras("keras.metrics", class);
                    metric.with("name", name.clone()).to_json()
                }
                Some((_, full, _)) => Json::from(*full),
                None => json.clone(),
            }
        }
        Json::List(values) => {
            let values = values.iter().map(|value| in_full(value, is_metric));
            Json::List(values.collect())
        }
        // A class has arguments, the other objects are losses by the names of outputs.
        Json::Object(object) if object.get("class_name").is_none() => {
            let values = object.iter();
            let values = values.map(|(output, value)| (output, in_full(value, is_metric)));
            Json::Object(values.collect())
        }
        other => other.clone(),
    }
}

/// What the model is and what it was compiled with, as Keras 3 has it.
///
/// # Errors
/// If the file says it, but not in JSON.
pub(crate) fn config(root: &Group<Dataset>) -> hdf5::Result<Option<Json>> {
    let read = |name: &str| -> hdf5::Result<Option<Object>> {
        match root.attribute(name) {
            Some(Attribute::Text(text)) => {
                let json = Json::parse(text).map_err(|error| format!("{name}: {error}"))?;
                Ok(json.as_object().cloned())
            }
            _ => Ok(None),
        }
    };
    let Some(mut model) = read(MODEL_CONFIG)? else {
        return Ok(None);
    };
    if let Some(training) = read(TRAINING_CONFIG)? {
        let named = training.iter().map(|(name, value)| {
            let name = if name == RENAMED.1 { RENAMED.0 } else { name };
            (name, value.clone())
        });
        model.set("compile_config", named.collect::<Object>());
    }
    Ok(Some(model.into()))
}

/// Adds a group with datasets, whose paths it lists.
fn add<'a>(
    to: &mut Group<Data<'a>>,
    name: &str,
    data: impl Iterator<Item = (String, Data<'a>)>,
) -> io::Result<()> {
    let in_the_way = || {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("two objects at {name}"),
        )
    };
    let group = to.make(name).ok_or_else(in_the_way)?;
    let mut paths = Vec::new();
    for (mut path, data) in data {
        // Several variables of an optimizer may have one name.
        while group.get(&path).is_some() {
            path.push('_');
        }
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let parent = match parent {
            "" => &mut *group,
            parent => group.make(parent).ok_or_else(in_the_way)?,
        };
        parent.members.insert(name.to_owned(), Node::Dataset(data));
        paths.push(path);
    }
    set_texts(group, WEIGHT_NAMES, paths);
    Ok(())
}

fn set_texts(group: &mut Group<Data<'_>>, name: &str, texts: Vec<String>) {
    if texts.len() <= MAX_TEXTS {
        group
            .attributes
            .push((name.into(), Attribute::Texts(texts)));
        return;
    }
    for (number, texts) in texts.chunks(MAX_TEXTS).enumerate() {
        let texts = Attribute::Texts(texts.to_vec());
        group.attributes.push((format!("{name}{number}"), texts));
    }
}

/// The texts of an attribute that may be cut.
fn texts(group: &Group<Dataset>, name: &str) -> Vec<String> {
    let of = |name: &str| match group.attribute(name)? {
        Attribute::Texts(texts) => Some(texts.clone()),
        // An empty list has no type.
        _ => Some(Vec::new()),
    };
    let parts = || (0..).map_while(|number: usize| of(&format!("{name}{number}")));
    of(name).unwrap_or_else(|| parts().flatten().collect())
}

/// Where the weights are in a file of Keras 2, if it is one.
pub(crate) fn weights(root: &Group<Dataset>) -> Option<&Group<Dataset>> {
    let is_weights = |group: &Group<Dataset>| {
        let mut names = group.attributes.iter().map(|(name, _)| name);
        names.any(|name| name == LAYER_NAMES || name == "layer_names0")
    };
    let whole = || root.group(MODEL).filter(|group| is_weights(group));
    if is_weights(root) {
        Some(root)
    } else {
        whole()
    }
}

/// Reads the file of a model, from where its weights are. Its layers are in the order of the model.
///
/// # Errors
/// With a sentence about what is wrong with the file.
pub(crate) fn read<R: Read + Seek>(
    reader: &mut Reader<R>,
    root: &Group<Dataset>,
    weights: &Group<Dataset>,
) -> hdf5::Result<ModelState<'static>> {
    let mut state = ModelState::default();
    super::weights_h5::read_state(root, &mut state);
    for name in texts(weights, LAYER_NAMES) {
        let group = weights.group(&name);
        let group =
            group.ok_or_else(|| format!("The file is damaged: layer '{name}' is missing"))?;
        let mut layer = LayerState {
            name,
            ..LayerState::default()
        };
        for path in texts(group, WEIGHT_NAMES) {
            let dataset = dataset(group, &path)?;
            layer.weights.push(WeightState {
                values: floats(reader, dataset, &path)?,
                name: path.rsplit('/').next().unwrap_or_default().to_owned(),
                trainable: true,
            });
        }
        state.layers.push(layer);
    }
    if let Some(group) = root.group(OPTIMIZER) {
        let mut optimizer = OptimizerState::default();
        for path in texts(group, WEIGHT_NAMES) {
            let values = numbers(reader, dataset(group, &path)?, &path)?;
            let (name, variable) = path.split_once('/').unwrap_or(("", &path));
            if optimizer.variables.is_empty() {
                optimizer.name = name.to_owned();
            }
            optimizer.variables.push(VariableState {
                name: variable.to_owned(),
                values,
            });
        }
        state.optimizer = Some(optimizer);
    }
    Ok(state)
}

fn dataset<'a>(group: &'a Group<Dataset>, path: &str) -> hdf5::Result<&'a Dataset> {
    let found = group.dataset(path);
    found.ok_or_else(|| format!("The file is damaged: dataset '{path}' is missing"))
}
