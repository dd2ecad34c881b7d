//! A model as Keras' files describe it: its layers with their arguments, and which is called on what.
//!
//! ```text
//! Sequential    config.layers: an InputLayer, then the layers
//! Functional    config.layers: the InputLayers, then the layers, each with its name and its calls
//!               (inbound_nodes); input_layers, output_layers: [layer, call, 0] in the structure of the model
//! subclassed    the class alone: Python has to have it
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use super::Model;
use super::network::{Kind, Network, Structure, Value};
use super::trace::{Call, Trace};
use super::weights::listed_layers;
use crate::config::{Config, Json, Object};
use crate::error::Result;
use crate::layers::{BuiltIn, Scalar};
use crate::shape::Shape;

/// What is known about a model for inputs of given shapes.
pub(crate) struct Architecture {
    pub network: Arc<Network>,
    /// The class of a subclassed model.
    class: Config,
    /// Its layers, by number and in Keras' order, but for those that Keras does not have.
    pub layers: Vec<usize>,
    trainable: Vec<bool>,
    /// The calls of inference.
    trace: Trace,
    configs: Vec<Option<Config>>,
}

impl Architecture {
    /// That of a model, whose layers' rules run on these shapes of its inputs.
    ///
    /// # Errors
    /// If a layer cannot take its inputs.
    pub fn of<M: Model>(model: &M, shapes: &[Shape]) -> Result<Self> {
        let network = &model.run().network;
        let mut traces =
            [false, true].map(|training| Trace::new(network, shapes, 1, training).describing());
        for trace in &mut traces {
            model.infer(trace)?;
        }
        let class = Config::of_type::<M>();
        Ok(Self::new(
            class,
            listed_layers(model),
            &model.core().trainable,
            traces,
        ))
    }

    fn new(class: Config, own: Vec<usize>, trainable: &[bool], traces: [Trace; 2]) -> Self {
        let [trace, training] = traces;
        // A layer may be called in one of the modes only.
        let pairs = trace.configs().iter().zip(training.configs());
        let configs: Vec<Option<Config>> = pairs
            .map(|(one, other)| one.clone().or(other.clone()))
            .collect();
        let is_scalar = |layer: &usize| configs[*layer].as_ref().is_some_and(Scalar::is);
        Self {
            network: trace.network().clone(),
            class,
            layers: own.into_iter().filter(|layer| !is_scalar(layer)).collect(),
            trainable: trainable.to_vec(),
            trace,
            configs,
        }
    }

    /// The JSON of the model, without what it was compiled with.
    pub fn to_json(&self) -> Object {
        let Network { name, kind, .. } = &*self.network;
        let inputs: Vec<Json> = self.inputs().map(|(_, shape)| batched(&shape)).collect();
        let shared = |config: Object| config.with("trainable", true).with("dtype", policy());
        let object =
            |module: Option<&str>, class: &str, config: Object, registered: Option<&str>| {
                Object::new()
                    .with("module", module.map(str::to_owned))
                    .with("class_name", class)
                    .with("config", config)
                    .with("registered_name", registered.map(str::to_owned))
            };
        match kind {
            Kind::Sequential => {
                let layers = self
                    .inputs()
                    .map(|(name, shape)| Json::from(input_layer(name, &shape)));
                let layers =
                    layers.chain(self.layers.iter().map(|&layer| self.layer(layer).into()));
                let input = inputs.into_iter().next().unwrap_or_default();
                let config = shared(Object::new().with("name", &**name))
                    .with("layers", layers.collect::<Vec<Json>>())
                    .with("build_input_shape", input.clone());
                let build = Object::new().with("input_shape", input);
                object(Some("keras"), "Sequential", config, None).with("build_config", build)
            }
            Kind::Functional | Kind::Part => {
                let module = Some("keras.src.models.functional");
                let build = Object::new().with("input_shape", Json::Null);
                let config = self.functional();
                object(module, "Functional", config, Some("Functional")).with("build_config", build)
            }
            Kind::Subclassed => {
                let class = self.class.class_name.as_str();
                let build = match (<[Json; 1]>::try_from(inputs), self.inputs()) {
                    (Ok([input]), _) => Object::new().with("input_shape", input),
                    (Err(inputs), names) => {
                        let named = names.map(|(name, _)| format!("{name}_shape")).zip(inputs);
                        Object::new().with("shapes_dict", named.collect::<Object>())
                    }
                };
                let config = shared(Object::new().with("name", &**name));
                object(None, class, config, Some(class)).with("build_config", build)
            }
        }
    }

    /// The inputs with their shapes.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, Shape)> {
        let inputs = self.network.inputs.iter();
        inputs.map(|input| (&*input.name, self.trace.shape(input.value)))
    }

    /// The configuration of a functional model.
    fn functional(&self) -> Object {
        let calls = self.trace.calls.iter();
        let mut nodes: HashMap<usize, Vec<&Call>> = HashMap::new();
        let mut history: HashMap<Value, Json> = HashMap::new();
        for input in self.network.inputs.iter() {
            history.insert(input.value, keras_history(&input.name, 0));
        }
        for call in calls {
            let of_layer = nodes.entry(call.layer).or_default();
            let name = &self.network.layers[call.layer].name;
            history.insert(call.output, keras_history(name, of_layer.len()));
            of_layer.push(call);
        }
        let origin = |value: Value| history.get(&value).cloned().unwrap_or_default();
        let tensor = |&value: &Value| {
            let config = Object::new()
                .with("shape", batched(&self.trace.shape(value)))
                .with("dtype", "float32")
                .with("keras_history", origin(value));
            Json::from(
                Object::new()
                    .with("class_name", "__keras_tensor__")
                    .with("config", config),
            )
        };
        let node = |call: &&Call| {
            let tensors: Vec<Json> = call.inputs.iter().map(tensor).collect();
            let arguments = match self.takes_list(call.layer) {
                true => vec![Json::List(tensors)],
                false => tensors,
            };
            Object::new()
                .with("args", arguments)
                .with("kwargs", Object::new())
        };
        let inputs = self.inputs().map(|(name, shape)| {
            let layer = input_layer(name, &shape);
            layer
                .with("name", name)
                .with("inbound_nodes", Json::List(Vec::new()))
        });
        let layers = self.layers.iter().map(|&layer| {
            let calls = nodes.get(&layer).map(Vec::as_slice).unwrap_or_default();
            let name = &*self.network.layers[layer].name;
            let inbound: Vec<Object> = calls.iter().map(node).collect();
            self.layer(layer)
                .with("name", name)
                .with("inbound_nodes", inbound)
        });
        let layers: Vec<Object> = inputs.chain(layers).collect();
        let origins = |values: Vec<Value>| values.into_iter().map(origin).collect::<Vec<Json>>();
        let outputs = &self.network.outputs;
        let mut input_layers = origins(
            self.network
                .inputs
                .iter()
                .map(|input| input.value)
                .collect(),
        );
        let mut output_layers = origins(outputs.iter().map(|output| output.inference).collect());
        let one = |origins: &mut Vec<Json>| origins.pop().unwrap_or_default();
        Object::new()
            .with("name", &*self.network.name)
            .with("trainable", true)
            .with("layers", layers)
            .with(
                "input_layers",
                match input_layers.len() {
                    1 => one(&mut input_layers),
                    _ => Json::List(input_layers),
                },
            )
            .with(
                "output_layers",
                match self.network.structure {
                    Structure::Single => one(&mut output_layers),
                    Structure::Tuple | Structure::List => Json::List(output_layers),
                    Structure::Dict => {
                        let names = outputs.iter().map(|output| &*output.name);
                        Json::Object(names.zip(output_layers).collect())
                    }
                },
            )
    }

    /// A layer: its class, the arguments of its constructor, and what it is built from.
    pub fn layer(&self, layer: usize) -> Object {
        let info = &self.network.layers[layer];
        let own = self.configs[layer].clone();
        let own = own.unwrap_or_else(|| Config::own(&info.class));
        let mut config = Object::new()
            .with("name", &*info.name)
            .with("trainable", self.trainable[layer])
            .with("dtype", policy());
        for (name, value) in own.config.iter() {
            config.set(name, value.clone());
        }
        let json = Config { config, ..own }.to_json();
        let mut json = json.as_object().cloned().unwrap_or_default();
        let mut calls = self.trace.calls.iter();
        if let Some(call) = calls.find(|call| call.layer == layer) {
            let inputs = call
                .inputs
                .iter()
                .map(|&value| batched(&self.trace.shape(value)));
            let mut inputs: Vec<Json> = inputs.collect();
            let has_weights = self.trace.weights[layer].is_some_and(|weights| weights.count() > 0);
            let shape = match (self.takes_list(layer), has_weights) {
                (true, _) => Some(Json::List(inputs)),
                (false, true) => inputs.pop(),
                (false, false) => None,
            };
            if let Some(shape) = shape {
                json.set("build_config", Object::new().with("input_shape", shape));
            }
        }
        json
    }

    /// Whether a layer is called on a list of tensors.
    fn takes_list(&self, layer: usize) -> bool {
        let is_merge =
            |config: &Config| config.is_keras() && BuiltIn::takes_list(&config.class_name);
        let has_several = |call: &Call| call.layer == layer && call.inputs.len() != 1;
        self.configs[layer].as_ref().is_some_and(is_merge)
            || self.trace.calls.iter().any(has_several)
    }

    /// The calls of a layer: for each what its inputs come from, the layer and which of its calls it is, or
    /// the input.
    pub fn calls(&self, layer: usize) -> Vec<Vec<Origin>> {
        let mut origins: HashMap<Value, Origin> = HashMap::new();
        for (at, input) in self.network.inputs.iter().enumerate() {
            origins.insert(input.value, Origin::Input(at));
        }
        let mut counts: HashMap<usize, usize> = HashMap::new();
        let mut found = Vec::new();
        for call in &self.trace.calls {
            if call.layer == layer {
                let inputs = call.inputs.iter();
                found.push(
                    inputs
                        .filter_map(|value| origins.get(value).copied())
                        .collect(),
                );
            }
            let count = counts.entry(call.layer).or_default();
            origins.insert(call.output, Origin::Layer(call.layer, *count));
            *count += 1;
        }
        found
    }

    /// The class and the arguments of a layer.
    pub fn config(&self, layer: usize) -> Option<&Config> {
        self.configs[layer].as_ref()
    }
}

/// Where a tensor comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Origin {
    /// An input, by its number.
    Input(usize),
    /// A layer, by its number, and which of its calls it is.
    Layer(usize, usize),
}

/// `float32`, as layers have it.
fn policy() -> Json {
    Config::keras("keras", "DTypePolicy")
        .with("name", "float32")
        .to_json()
}

/// The shape of a batch.
fn batched(shape: &Shape) -> Json {
    if !shape.is_known() {
        return Json::Null;
    }
    let dims = shape.dims().iter().map(|&dim| match dim {
        Shape::NONE => Json::Null,
        dim => Json::from(dim),
    });
    Json::List([Json::Null].into_iter().chain(dims).collect())
}

fn keras_history(layer: &str, node: usize) -> Json {
    Json::List(vec![layer.into(), node.into(), 0usize.into()])
}

fn input_layer(name: &str, shape: &Shape) -> Object {
    let config = Object::new()
        .with("batch_shape", batched(shape))
        .with("dtype", "float32")
        .with("sparse", false)
        .with("ragged", false)
        .with("name", name)
        .with("optional", false);
    let layer = Config {
        config,
        ..Config::keras("keras.layers", "InputLayer")
    };
    layer.to_json().as_object().cloned().unwrap_or_default()
}
