//! A graph with nested models -> one list of layers and one of calls.
//!
//! A nested model that is called twice has its layers once and their calls twice.

use std::collections::HashSet;

use crate::Object;
use crate::description::{Call, Description, Input, Kind, Layer, Output, Problem, Value};
use crate::model::{Graph, GraphCall, Item, ItemLayer, Source};
use crate::names::AutoNames;
use crate::node::Operand;
use crate::operation::{as_layer, standing_for};

/// The most calls of layers. Nested models that call each other twice would have no end.
const MAX_CALLS: usize = 100_000;

/// What an item of a graph has become.
enum Numbered {
    Nothing,
    Layer(usize),
    Model(Vec<Numbered>),
}

/// The description of a graph in the making.
pub struct Expansion<'a> {
    graph: &'a Graph,
    layers: Vec<Layer>,
    names: HashSet<String>,
    calls: Vec<Call>,
    problems: Vec<Problem>,
}

/// The nested model that something is in.
struct Within<'a> {
    /// The names of the models, outermost first.
    models: Vec<&'a str>,
    /// Their group in files of weights.
    group: String,
    trainable: bool,
}

impl<'a> Expansion<'a> {
    /// The expansion of a graph.
    pub fn new(graph: &'a Graph) -> Self {
        Self {
            graph,
            layers: Vec::new(),
            names: HashSet::new(),
            calls: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Gives the description.
    ///
    /// # Errors
    /// With everything that cannot be expressed.
    pub fn run(mut self) -> Result<Description, Vec<Problem>> {
        let graph = self.graph;
        let within = Within {
            models: Vec::new(),
            group: String::new(),
            trainable: graph.trainable,
        };
        // Layers of the model itself keep their names.
        for item in &graph.items {
            if let Item::Layer(layer) | Item::Operation(layer) = item {
                self.names.insert(layer.name.clone());
            }
        }
        let items = self.number(graph, &within);
        let inputs: Vec<Value> = (0..graph.inputs.len()).collect();
        let outputs = self.run_calls(graph, &items, &inputs);
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let mut taken = HashSet::new();
        let outputs = outputs.iter().zip(&graph.outputs);
        let outputs = outputs.map(|(&value, (key, source))| Output {
            name: unique(&mut taken, key.as_deref().unwrap_or(maker(graph, *source))),
            value,
        });
        Ok(Description {
            name: graph.name.clone(),
            kind: graph.kind,
            outputs: outputs.collect(),
            layers: self.layers,
            inputs: (graph.inputs.iter())
                .map(|input| Input {
                    name: input.name.clone(),
                    shape: input.shape.clone(),
                })
                .collect(),
            calls: self.calls,
            structure: graph.structure,
        })
    }

    fn problem(&mut self, layer: &str, message: String) {
        let problem = Problem {
            layer: layer.to_owned(),
            message,
        };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Lists the layers of a graph, in order.
    fn number(&mut self, graph: &'a Graph, within: &Within<'a>) -> Vec<Numbered> {
        let mut groups = AutoNames::default();
        let mut calls: Vec<Vec<&GraphCall>> = vec![Vec::new(); graph.items.len()];
        for call in &graph.calls {
            calls[call.item].push(call);
        }
        let mut numbered = Vec::with_capacity(graph.items.len());
        for (item, calls) in graph.items.iter().zip(&calls) {
            let is_one = |call: &&GraphCall| {
                let mut operands = call.operands.iter();
                operands.any(|operand| matches!(operand, Operand::Number(_)))
            };
            numbered.push(match item {
                Item::Input => {
                    if graph.kind == Kind::Functional {
                        groups.next("InputLayer");
                    }
                    Numbered::Nothing
                }
                // Older files do not say of an operation that it is none of the layers.
                Item::Layer(layer) if !calls.iter().any(is_one) => {
                    let group =
                        format!("{}layers/{}", within.group, groups.next(&layer.class_name));
                    let (class_name, config) = standing_for(&layer.class_name, &layer.config);
                    self.layer(layer, within, class_name, config, group)
                }
                Item::Layer(layer) | Item::Operation(layer) => self.operation(layer, within, calls),
                Item::Model(nested) => {
                    let class = match nested.kind {
                        Kind::Sequential => "Sequential",
                        Kind::Functional => "Functional",
                    };
                    let mut models = within.models.clone();
                    models.push(&nested.name);
                    let within = Within {
                        models,
                        group: format!("{}layers/{}/", within.group, groups.next(class)),
                        trainable: within.trainable && nested.trainable,
                    };
                    Numbered::Model(self.number(nested, &within))
                }
            });
        }
        numbered
    }

    fn layer(
        &mut self,
        layer: &ItemLayer,
        within: &Within<'_>,
        class_name: String,
        config: Object,
        group: String,
    ) -> Numbered {
        let name = match within.models.last() {
            None => layer.name.clone(),
            Some(_) if self.names.insert(layer.name.clone()) => layer.name.clone(),
            Some(model) => unique(&mut self.names, &format!("{model}_{}", layer.name)),
        };
        let is_trainable = layer.config.get("trainable") != Some(&crate::Json::Bool(false));
        self.layers.push(Layer {
            class_name,
            trainable: within.trainable && is_trainable,
            config,
            group,
            outermost: match within.models.first() {
                Some(model) => (*model).to_owned(),
                None => layer.name.clone(),
            },
            name,
        });
        Numbered::Layer(self.layers.len() - 1)
    }

    fn operation(
        &mut self,
        operation: &ItemLayer,
        within: &Within<'_>,
        calls: &[&GraphCall],
    ) -> Numbered {
        let class = &operation.class_name;
        let of = |call: &&GraphCall| as_layer(class, &operation.config, &call.operands);
        let mut layers = calls.iter().map(of);
        let Some(first) = layers.next() else {
            return Numbered::Nothing;
        };
        let first = match first {
            Ok(first) if layers.all(|layer| layer.as_ref() == Ok(&first)) => first,
            Ok(_) => {
                let message = format!("the operation {class} is called on other numbers each time");
                self.problem(&operation.name, message);
                return Numbered::Nothing;
            }
            Err(message) => {
                self.problem(&operation.name, message);
                return Numbered::Nothing;
            }
        };
        let (class_name, config) = first;
        self.layer(operation, within, class_name, config, String::new())
    }

    /// Writes down the calls of a graph; gives its outputs.
    fn run_calls(&mut self, graph: &'a Graph, items: &[Numbered], inputs: &[Value]) -> Vec<Value> {
        let mut made: Vec<Vec<Value>> = Vec::with_capacity(graph.calls.len());
        for call in &graph.calls {
            let mut values = Vec::with_capacity(call.sources.len());
            for &source in &call.sources {
                values.extend(self.value(graph, &made, inputs, source));
            }
            // What has been a problem further down is none here.
            if values.len() < call.sources.len() {
                made.push(Vec::new());
                continue;
            }
            made.push(match (&items[call.item], &graph.items[call.item]) {
                (Numbered::Layer(layer), _) => match self.call(*layer, values) {
                    Some(output) => vec![output],
                    None => return Vec::new(),
                },
                (Numbered::Model(items), Item::Model(nested)) => {
                    if values.len() != nested.inputs.len() {
                        let message = format!(
                            "it has {} inputs and is called on {} tensors",
                            nested.inputs.len(),
                            values.len()
                        );
                        self.problem(&nested.name, message);
                        return Vec::new();
                    }
                    let outputs = self.run_calls(nested, items, &values);
                    if !self.problems.is_empty() && outputs.is_empty() {
                        return Vec::new();
                    }
                    outputs
                }
                _ => Vec::new(),
            });
        }
        let outputs = graph.outputs.iter();
        let outputs = outputs.map(|(_, source)| self.value(graph, &made, inputs, *source));
        outputs.flatten().collect()
    }

    /// Writes down a call; gives its output.
    fn call(&mut self, layer: usize, inputs: Vec<Value>) -> Option<Value> {
        let message = if self.calls.len() >= MAX_CALLS {
            format!("the model calls layers more than {MAX_CALLS} times")
        } else if inputs.is_empty() {
            "it is called on no tensor".to_owned()
        } else {
            self.calls.push(Call { layer, inputs });
            return Some(self.graph.inputs.len() + self.calls.len() - 1);
        };
        let name = self.layers[layer].name.clone();
        self.problem(&name, message);
        None
    }

    fn value(
        &mut self,
        graph: &Graph,
        made: &[Vec<Value>],
        inputs: &[Value],
        source: Source,
    ) -> Option<Value> {
        let found = match source {
            Source::Input(input) => inputs.get(input),
            Source::Call(call, tensor) => made.get(call).and_then(|made| made.get(tensor)),
        };
        if found.is_none() && self.problems.is_empty() {
            let message = "a tensor is used that it does not give".to_owned();
            self.problem(maker(graph, source), message);
        }
        found.copied()
    }
}

/// The name of the layer that makes a tensor.
fn maker(graph: &Graph, source: Source) -> &str {
    match source {
        Source::Input(input) => &graph.inputs[input].name,
        Source::Call(call, _) => match graph.calls.get(call).map(|call| &graph.items[call.item]) {
            Some(Item::Layer(layer) | Item::Operation(layer)) => &layer.name,
            Some(Item::Model(nested)) => &nested.name,
            Some(Item::Input) | None => &graph.name,
        },
    }
}

/// `x`, `x_1`, `x_2`, ..
fn unique(taken: &mut HashSet<String>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    let mut n = 0;
    while !taken.insert(name.clone()) {
        n += 1;
        name = format!("{wanted}_{n}");
    }
    name
}
