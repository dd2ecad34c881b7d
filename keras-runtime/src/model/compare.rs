//! What is different about the model in a file.

use std::collections::HashMap;

use super::architecture::{Architecture, Origin};
use super::network::Kind;
use crate::config::{Argument, Config, Json, Object, Read};
use crate::constraints::Constraint;
use crate::device::Activation;
use crate::error::Result;
use crate::regularizers::Regularizer;
use crate::shape::Shape;

/// The model that the configuration of a file describes.
pub(crate) struct Described<'a> {
    class: &'a str,
    /// The layers, inputs left out.
    layers: Vec<LayerOfFile<'a>>,
    /// The names and shapes of the inputs.
    inputs: Vec<(&'a str, Option<Shape>)>,
}

/// A layer of a file.
struct LayerOfFile<'a> {
    name: &'a str,
    class: &'a str,
    /// Which of the layers of its class it is.
    number: usize,
    json: &'a Json,
}

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json.get(name).and_then(Json::as_str).unwrap_or_default()
}

impl<'a> Described<'a> {
    pub fn new(json: &'a Json) -> Self {
        let config = json.get("config");
        let all = config
            .and_then(|config| config.get("layers"))
            .and_then(Json::as_list);
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let (mut layers, mut inputs) = (Vec::new(), Vec::new());
        for json in all.unwrap_or_default() {
            let class = text(json, "class_name");
            let arguments = json.get("config").unwrap_or(&Json::Null);
            let name = text(arguments, "name");
            if class == "InputLayer" {
                let shape = arguments
                    .get("batch_shape")
                    .or(arguments.get("batch_input_shape"));
                inputs.push((name, shape.and_then(sample)));
                continue;
            }
            let count = counts.entry(class).or_default();
            layers.push(LayerOfFile {
                name,
                class,
                number: *count,
                json,
            });
            *count += 1;
        }
        if inputs.is_empty() {
            // A subclassed model, or a Sequential one that Keras 2 wrote.
            let build = json
                .get("build_config")
                .and_then(|build| build.get("input_shape"));
            let first = layers.first().and_then(|layer: &LayerOfFile<'_>| {
                layer.json.get("config")?.get("batch_input_shape")
            });
            let declared = config.and_then(|config| config.get("build_input_shape"));
            if let Some(shape) = build.or(declared).or(first).and_then(sample) {
                inputs.push(("", Some(shape)));
            }
        }
        Self {
            class: text(json, "class_name"),
            layers,
            inputs,
        }
    }

    /// The shapes of a sample of every input, where they are known.
    pub fn input_shapes(&self) -> Option<Vec<Shape>> {
        let shapes = self.inputs.iter().map(|(_, shape)| *shape);
        shapes
            .collect::<Option<Vec<_>>>()
            .filter(|shapes| !shapes.is_empty())
    }

    /// Whether training changes the weights of the model's layers, in the model's order, as far as the
    /// file says so.
    pub fn trainable(&self, of: &Architecture) -> Vec<(usize, bool)> {
        let pairs = self.pairs(of).into_iter().filter_map(|(layer, found)| {
            let trainable = found?.json.get("config")?.get("trainable")?;
            Some((layer, trainable.read("trainable").ok()?))
        });
        pairs.collect()
    }

    /// The layer of the file for every layer of a model: by the class and by which of the layers of this
    /// class it is, as weights are found.
    fn pairs(&self, of: &Architecture) -> Vec<(usize, Option<&LayerOfFile<'a>>)> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let pair = |&layer: &usize| {
            let class = &*of.network.layers[layer].class;
            let count = counts.entry(class).or_default();
            let number = *count;
            *count += 1;
            let mut layers = self.layers.iter();
            let found = layers.find(|found| found.class == class && found.number == number);
            (layer, found)
        };
        of.layers.iter().map(pair).collect()
    }

    /// What is different about a model, layer by layer; nothing is known of a model that is neither
    /// Sequential nor Functional.
    pub fn differences(&self, of: &Architecture) -> Vec<String> {
        if of.network.kind == Kind::Subclassed || self.layers.is_empty() {
            return Vec::new();
        }
        let mut differences = Vec::new();
        let own: Vec<_> = of.network.inputs.iter().collect();
        if !self.inputs.is_empty() && own.len() != self.inputs.len() {
            differences.push(format!(
                "The model has {} inputs, the file's has {}.",
                own.len(),
                self.inputs.len()
            ));
        }
        for (input, (name, shape)) in own.iter().zip(&self.inputs) {
            if let Some(found) = shape.filter(|found| !input.shape.accepts(found)) {
                differences.push(format!(
                    "Input '{}' has shape {} here, and '{name}' of the file {found}.",
                    input.name, input.shape
                ));
            }
        }
        let pairs = self.pairs(of);
        for (layer, found) in &pairs {
            let info = &of.network.layers[*layer];
            match found {
                None => differences.push(format!(
                    "Layer '{}' ({}) is not in the file.",
                    info.name, info.class
                )),
                Some(found) => {
                    let mut arguments = Vec::new();
                    if let Some(own) = of.config(*layer) {
                        arguments = found.differences(own);
                    }
                    if arguments.is_empty() && self.differs_in_calls(of, *layer, found, &pairs) {
                        arguments.push("it is called on other tensors".to_owned());
                    }
                    if !arguments.is_empty() {
                        differences.push(format!(
                            "Layer '{}' ({}) is '{}' in the file: {}.",
                            info.name,
                            info.class,
                            found.name,
                            arguments.join("; ")
                        ));
                    }
                }
            }
        }
        let is_found = |layer: &LayerOfFile<'_>| {
            let mut pairs = pairs.iter().filter_map(|(_, found)| *found);
            pairs.any(|found| std::ptr::eq(found, layer))
        };
        let surplus = self.layers.iter().filter(|layer| !is_found(layer));
        differences.extend(surplus.map(|layer| {
            format!(
                "The file's layer '{}' ({}) is not in the model.",
                layer.name, layer.class
            )
        }));
        if differences.is_empty()
            && self.class == "Sequential"
            && of.network.kind == Kind::Sequential
        {
            let order = of
                .layers
                .iter()
                .map(|&layer| &*of.network.layers[layer].class);
            let found = self.layers.iter().map(|layer| layer.class);
            if !order.clone().eq(found.clone()) {
                differences.push(format!(
                    "The layers are in another order. Expected: {:?}. Received: {:?}",
                    order.collect::<Vec<_>>(),
                    found.collect::<Vec<_>>()
                ));
            }
        }
        differences
    }

    /// Whether a layer of a functional model is called on other tensors in the file.
    fn differs_in_calls(
        &self,
        of: &Architecture,
        layer: usize,
        found: &LayerOfFile<'_>,
        pairs: &[(usize, Option<&LayerOfFile<'_>>)],
    ) -> bool {
        let Some(nodes) = found.json.get("inbound_nodes").and_then(Json::as_list) else {
            return false;
        };
        if of.network.kind == Kind::Sequential {
            return false;
        }
        let origin = |name: &str, node: usize| {
            let input = self.inputs.iter().position(|(input, _)| *input == name);
            let layer = || {
                let named = |(_, found): &&(usize, Option<&LayerOfFile<'_>>)| {
                    found.is_some_and(|found| found.name == name)
                };
                pairs.iter().find(named).map(|(layer, _)| *layer)
            };
            match input {
                Some(input) => Some(Origin::Input(input)),
                None => layer().map(|layer| Origin::Layer(layer, node)),
            }
        };
        let mut calls = Vec::new();
        for node in nodes {
            let mut histories = Vec::new();
            keras_histories(node, 0, &mut histories);
            let origins = histories.into_iter().map(|(name, node)| origin(name, node));
            match origins.collect::<Option<Vec<_>>>() {
                Some(origins) => calls.push(origins),
                None => return false,
            }
        }
        calls != of.calls(layer)
    }
}

/// The tensors of a call, in order: the layers they come from and which of their calls.
fn keras_histories<'a>(json: &'a Json, depth: usize, found: &mut Vec<(&'a str, usize)>) {
    const DEPTH: usize = 16;
    if depth > DEPTH {
        return;
    }
    match json {
        Json::List(values) => values
            .iter()
            .for_each(|value| keras_histories(value, depth + 1, found)),
        Json::Object(object) => {
            if let Some([Json::Text(layer), node, _]) =
                object.get("keras_history").and_then(Json::as_list)
            {
                let node = node.as_int().and_then(|node| usize::try_from(node).ok());
                found.push((layer, node.unwrap_or_default()));
                return;
            }
            object
                .iter()
                .for_each(|(_, value)| keras_histories(value, depth + 1, found));
        }
        _ => {}
    }
}

impl LayerOfFile<'_> {
    /// The arguments that are others in the file. What weights begin with, and names, do not count.
    fn differences(&self, own: &Config) -> Vec<String> {
        let empty = Object::new();
        let config = self
            .json
            .get("config")
            .and_then(Json::as_object)
            .unwrap_or(&empty);
        let counts = |name: &str| {
            !name.ends_with("initializer") && !["seed", "quantization_config"].contains(&name)
        };
        let mut differences = Vec::new();
        for (name, own) in own.config.iter().filter(|(name, _)| counts(name)) {
            // Older versions of Keras do not write every argument.
            let Some(found) = config.get(name) else {
                continue;
            };
            if !same_argument(name, own, found) {
                differences.push(format!("`{name}` is {own} here and {found} there"));
            }
        }
        differences
    }
}

fn same_argument(name: &str, own: &Json, found: &Json) -> bool {
    fn read<T: Argument + PartialEq>(own: &Json, found: &Json) -> bool {
        let [own, found] = [own, found].map(|json| T::from_json(json).ok().flatten());
        own.is_some() && own == found
    }
    match name {
        "activation" => read::<Activation>(own, found),
        _ if name.ends_with("regularizer") => read::<Regularizer>(own, found),
        _ if name.ends_with("constraint") => read::<Constraint>(own, found),
        _ => same(own, found),
    }
}

fn same(own: &Json, found: &Json) -> bool {
    match (own, found) {
        (Json::List(own), Json::List(found)) => {
            own.len() == found.len() && own.iter().zip(found).all(|(own, found)| same(own, found))
        }
        (own, found) => match (own.as_f64(), found.as_f64()) {
            (Some(own), Some(found)) => own as f32 == found as f32,
            _ => own == found,
        },
    }
}

/// The shape of a sample, of the shape of a batch.
fn sample(shape: &Json) -> Option<Shape> {
    let dims: Result<Vec<Option<usize>>> = shape.read("shape");
    let dims = dims.ok()?;
    let (_, sample) = dims.split_first()?;
    let fits = sample.len() <= Shape::MAX_RANK && !sample.contains(&Some(Shape::NONE));
    fits.then(|| Shape::of(sample))
}
