//! A model whose layers are known only when the program runs: read from a file, or from its JSON.
//!
//! It does what the macros' code does for other models, call by call, in the same order and with the
//! same random numbers: both give the same results, bit for bit.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use keras_config::{Description, Json, Kind as WrittenAs, Object, Problem};

use super::any_layer::{self, AnyLayer, Call, MAX_INPUTS};
use super::backend::Backend;
use super::core::{Core, Run};
use super::network::{self, Input, Kind, LayerInfo, Network, Output, Value};
use super::pass::Pass;
use super::trace::Trace;
use super::{Model, build_declared, step};
use crate::data::Batch;
use crate::device::{AutoDevice, Device, Memory};
use crate::error::{Error, Result};
use crate::random::fresh_seed;
use crate::shape::Shape;

/// A model that was not declared in this program: what [`load_model`](crate::load_model) and
/// [`model_from_json`](crate::model_from_json) give.
///
/// It is a [`Model`] like any other; only its shapes are not checked before the program runs.
pub struct DynamicModel<D: Backend = AutoDevice> {
    core: Core<D>,
    run: Run<D>,
    layers: Vec<Arc<dyn AnyLayer<D>>>,
    calls: Vec<Call>,
}

impl<D: Backend> DynamicModel<D> {
    /// The model of a JSON as [`to_json`](Model::to_json) and Keras' `model.to_json()` write it, on a
    /// device; its random numbers, such as its initial weights, follow from the seed.
    ///
    /// # Errors
    /// If the text is no JSON. If something of the model cannot be expressed, the error lists all of it,
    /// layer by layer.
    pub fn from_json(text: &str, device: D, seed: u64) -> Result<Self> {
        let json = Json::parse(text).map_err(|message| {
            Error::value(format!("The model is described by JSON. {message}"))
        })?;
        Self::new(&described(&json)?, device, seed)
    }

    /// The model of a description with its layers, on a device.
    ///
    /// # Errors
    /// With everything that cannot be expressed, layer by layer.
    pub(crate) fn new(described: &Described<D>, device: D, seed: u64) -> Result<Self> {
        let Described {
            description,
            layers,
        } = described;
        let mut problems = Vec::new();
        for call in &description.calls {
            if call.inputs.len() > MAX_INPUTS {
                problems.push(Problem {
                    layer: description.layers[call.layer].name.clone(),
                    message: format!(
                        "it is called on {} tensors. At most {MAX_INPUTS} are supported",
                        call.inputs.len()
                    ),
                });
            }
        }
        let network = network_of(description, &mut problems);
        if !problems.is_empty() {
            return Err(unsupported(&description.name, &problems));
        }
        let mut model = Self {
            core: Core::new(&network, device, seed),
            run: Run::new(&network),
            layers: layers.clone(),
            calls: calls(description),
        };
        build_declared(&mut model);
        Ok(model)
    }
}

/// A new model of a JSON as [`to_json`](Model::to_json) and Keras' `model.to_json()` write it.
///
/// # Errors
/// If the text is no JSON. If something of the model cannot be expressed, the error lists all of it, layer
/// by layer.
pub fn model_from_json(text: &str) -> Result<DynamicModel> {
    DynamicModel::from_json(text, AutoDevice::open()?, fresh_seed())
}

/// A model that was read, and its layers as they run.
pub(crate) struct Described<D: Device> {
    /// The layers as they were written, and their calls.
    pub description: Description,
    layers: Vec<Arc<dyn AnyLayer<D>>>,
}

/// Reads the layers and the calls of a model.
///
/// # Errors
/// With everything that cannot be expressed, all at once.
pub(crate) fn described<D: Device>(json: &Json) -> Result<Described<D>> {
    let (mut layers, mut problems) = (Vec::new(), Vec::new());
    let mut add =
        |name: &str, class: &str, config: &Object| match any_layer::from_config(class, config) {
            Ok(layer) => layers.push(layer),
            Err(error) => problems.push(Problem {
                layer: name.to_owned(),
                message: error.to_string(),
            }),
        };
    match keras_config::read(json) {
        Ok(description) => {
            for layer in &description.layers {
                add(&layer.name, &layer.class_name, &layer.config);
            }
            if problems.is_empty() {
                return Ok(Described {
                    description,
                    layers,
                });
            }
        }
        // What is wrong with the layers is said together with what is wrong with the model.
        Err(others) => {
            for layer in keras_config::layers(json) {
                add(layer.name, &layer.class_name, &layer.config);
            }
            problems.extend(others);
        }
    }
    Err(unsupported(name(json), &problems))
}

/// Reads how a model is put together, whatever its layers are.
///
/// # Errors
/// With everything that cannot be expressed, all at once.
pub(crate) fn description(json: &Json) -> Result<Description> {
    keras_config::read(json).map_err(|problems| unsupported(name(json), &problems))
}

fn name(json: &Json) -> &str {
    let name = json.get("config").and_then(|config| config.get("name"));
    name.and_then(Json::as_str).unwrap_or_default()
}

/// One error for everything that a model has and that cannot be expressed.
pub(crate) fn unsupported(model: &str, problems: &[Problem]) -> Error {
    let lines = problems
        .iter()
        .map(|problem| format!("\n  {}: {}", problem.layer, problem.message));
    Error::value(format!(
        "Model '{model}' cannot be loaded, because of {} of its parts:{}",
        problems.len(),
        lines.collect::<String>()
    ))
}

fn network_of(description: &Description, problems: &mut Vec<Problem>) -> Network {
    let name = |name: &str| Cow::Owned(name.to_owned());
    let inputs = description.inputs.iter().enumerate();
    let inputs = inputs.map(|(at, input)| {
        let shape = match &input.shape {
            Some(dims) if dims.len() > Shape::MAX_RANK => {
                problems.push(Problem {
                    layer: input.name.clone(),
                    message: format!(
                        "its shape has {} axes. At most {} after that of the batch are supported",
                        dims.len(),
                        Shape::MAX_RANK
                    ),
                });
                Shape::UNKNOWN
            }
            Some(dims) => Shape::of(dims),
            None => Shape::UNKNOWN,
        };
        Input {
            name: name(&input.name),
            value: Value(at),
            shape,
        }
    });
    let inputs: Vec<Input> = inputs.collect();
    let layers = description.layers.iter().map(|layer| LayerInfo {
        name: name(&layer.name),
        class: name(&layer.class_name),
        field: Cow::Borrowed(""),
        trainable: layer.trainable,
    });
    let outputs = description.outputs.iter().map(|output| Output {
        name: name(&output.name),
        training: Value(output.value),
        inference: Value(output.value),
    });
    Network {
        name: name(&description.name),
        kind: match description.kind {
            WrittenAs::Sequential => Kind::Sequential,
            WrittenAs::Functional => Kind::Functional,
        },
        values: description.inputs.len() + description.calls.len(),
        layers: layers.collect(),
        inputs: inputs.into(),
        outputs: outputs.collect(),
        structure: description.structure,
        losses: Cow::Borrowed(&[]),
        metrics: Cow::Borrowed(&[]),
    }
}

/// The calls, with what each does on the way back: the last to use a value sets its gradient, those
/// before it add to it; the loss sets that of an output, before all of them.
fn calls(description: &Description) -> Vec<Call> {
    let mut calls: Vec<Call> = (description.calls.iter().enumerate())
        .map(|(at, call)| Call {
            at,
            layer: call.layer,
            inputs: call.inputs.iter().copied().map(Value).collect(),
            output: Value(description.output_of(at)),
            gradients: None,
        })
        .collect();
    let outputs = description.outputs.iter();
    let mut written: HashSet<Value> = outputs.map(|output| Value(output.value)).collect();
    for call in calls.iter_mut().rev() {
        if !written.contains(&call.output) {
            continue;
        }
        let gradient = |&value: &Value| {
            if written.insert(value) {
                network::set(value)
            } else {
                network::add(value)
            }
        };
        call.gradients = Some(call.inputs.iter().map(gradient).collect());
    }
    calls
}

impl<D: Backend> Model for DynamicModel<D> {
    type Device = D;

    fn core(&self) -> &Core<D> {
        &self.core
    }

    fn run(&self) -> &Run<D> {
        &self.run
    }

    fn split(&mut self) -> (&mut Core<D>, &mut Run<D>) {
        (&mut self.core, &mut self.run)
    }

    fn infer(&self, trace: &mut Trace) -> Result<()> {
        let mut calls = self.calls.iter();
        calls.try_for_each(|call| self.layers[call.layer].record(call, trace))
    }

    fn forward(&mut self, training: bool) -> Result<()> {
        let pass: &mut Pass<'_, D> =
            &mut step::forward_pass(&mut self.core, &mut self.run, training)?;
        for call in &self.calls {
            self.layers[call.layer].forward(call, pass);
        }
        Ok(())
    }

    fn backward(&mut self) -> Result<()> {
        let pass: &mut Pass<'_, D> = &mut step::pass(&mut self.core, &mut self.run, true)?;
        for call in self.calls.iter().rev() {
            self.layers[call.layer].backward(call, pass);
        }
        Ok(())
    }

    fn train_step(&mut self, batch: &Batch<'_>) -> Result<()> {
        self.load(batch, true)?;
        self.forward(true)?;
        self.compute_loss()?;
        self.backward()?;
        self.apply_gradients()?;
        self.update_metrics()
    }
}
