//! A model's configuration -> its graph: what is called on what, with nested models as they are.

use std::collections::{BinaryHeap, HashMap};

use crate::description::{Description, Kind, Problem, Structure};
use crate::ends::{Ends, History};
use crate::expand::Expansion;
use crate::node::{Node, Operand};
use crate::operation::{is_operation, standing_for};
use crate::{Json, Object};

/// Reads the model in `config.json`, or in the attribute `model_config` of an older file.
///
/// # Errors
/// With everything that cannot be expressed.
pub fn read(config: &Json) -> Result<Description, Vec<Problem>> {
    let mut problems = Vec::new();
    let graph = Graph::read(config, &mut problems);
    match graph {
        Some(graph) if problems.is_empty() => Expansion::new(&graph).run(),
        _ => Err(problems),
    }
}

/// A layer as it stands in a file.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its class; `Activation` for a layer that is nothing else.
    pub class_name: String,
    /// The arguments of its constructor.
    pub config: Object,
}

/// All layers of a model and of those within it, also if the model as a whole cannot be expressed:
/// for whoever wants to find all that is wrong at once. Inputs and operations are none.
pub fn layers(model: &Json) -> Vec<Written<'_>> {
    let mut found = Vec::new();
    let mut open = vec![model];
    while let Some(json) = open.pop() {
        let Some(config) = json.get("config").and_then(Json::as_object) else {
            continue;
        };
        if let Some(layers) = config.get("layers").and_then(Json::as_list) {
            open.extend(layers.iter().rev());
            continue;
        }
        let text = |name: &str| json.get(name).and_then(Json::as_str);
        let class_name = text("class_name").unwrap_or_default();
        if class_name != "InputLayer" && !is_operation(text("module"), class_name) {
            let name = text("name").or_else(|| config.get("name")?.as_str());
            let (class_name, config) = standing_for(class_name, config);
            found.push(Written {
                name: name.unwrap_or_default(),
                class_name,
                config,
            });
        }
    }
    found
}

/// A model.
pub struct Graph {
    pub name: String,
    pub kind: Kind,
    pub trainable: bool,
    pub items: Vec<Item>,
    pub inputs: Vec<GraphInput>,
    /// In an order in which they can run.
    pub calls: Vec<GraphCall>,
    pub outputs: Vec<(Option<String>, Source)>,
    pub structure: Structure,
}

/// What is called.
pub enum Item {
    /// An input of the model is not called.
    Input,
    Layer(ItemLayer),
    Operation(ItemLayer),
    Model(Box<Graph>),
}

/// A layer, or an operation.
pub struct ItemLayer {
    pub name: String,
    pub class_name: String,
    pub config: Object,
}

pub struct GraphInput {
    pub name: String,
    pub shape: Option<Vec<Option<usize>>>,
}

/// A call of an item.
pub struct GraphCall {
    pub item: usize,
    pub operands: Vec<Operand>,
    /// Where the tensors among the operands come from, in their order.
    pub sources: Vec<Source>,
}

/// Where a tensor comes from.
#[derive(Clone, Copy)]
pub enum Source {
    Input(usize),
    /// The output of a call, by its number; a nested model has several.
    Call(usize, usize),
}

impl Graph {
    /// A Sequential or a Functional model.
    fn read(json: &Json, problems: &mut Vec<Problem>) -> Option<Self> {
        let class = json.get("class_name").and_then(Json::as_str);
        // Very old files have the layers of a Sequential model alone.
        let config = json.get("config").and_then(Json::as_object);
        let name = (config.and_then(|config| config.get("name"))).and_then(Json::as_str);
        let name = name.unwrap_or("model").to_owned();
        let (Some(class), Some(config)) = (class, config) else {
            let received = json.shortened();
            let message = format!(
                "expected an object with a `class_name` and a `config`. Received: {received}"
            );
            problems.push(Problem {
                layer: name,
                message,
            });
            return None;
        };
        match class {
            "Sequential" => Self::sequential(name, config, problems),
            "Functional" | "Model" if config.get("input_layers").is_some() => {
                Self::functional(name, config, problems)
            }
            _ => {
                let message = format!(
                    "models of the class {class} are made by Python code, which the file does not have. Supported \
                     models: Sequential, Functional"
                );
                problems.push(Problem {
                    layer: name,
                    message,
                });
                None
            }
        }
    }

    fn sequential(name: String, config: &Object, problems: &mut Vec<Problem>) -> Option<Self> {
        let layers = config.get("layers").and_then(Json::as_list);
        let mut graph = Self {
            trainable: is_trainable(config),
            name,
            kind: Kind::Sequential,
            items: Vec::new(),
            inputs: Vec::new(),
            calls: Vec::new(),
            outputs: Vec::new(),
            structure: Structure::Single,
        };
        for json in layers.unwrap_or_default() {
            let Some(item) = Item::read(json, &graph.name, problems) else {
                continue;
            };
            if graph.inputs.is_empty() {
                graph.inputs.push(match &item {
                    Item::Input => GraphInput::read(json),
                    Item::Model(nested) if nested.inputs.len() == 1 => GraphInput {
                        name: "input_layer".to_owned(),
                        shape: nested.inputs[0].shape.clone(),
                    },
                    // Before Keras 3 the first layer had the shape.
                    _ => GraphInput {
                        name: "input_layer".to_owned(),
                        shape: shape(json).or_else(|| batched(config.get("build_input_shape")?)),
                    },
                });
            }
            if !matches!(item, Item::Input) {
                let source = match graph.calls.len() {
                    0 => Source::Input(0),
                    calls => Source::Call(calls - 1, 0),
                };
                graph.calls.push(GraphCall {
                    item: graph.items.len(),
                    operands: Vec::new(),
                    sources: vec![source],
                });
            }
            graph.items.push(item);
        }
        if graph.calls.is_empty() && problems.is_empty() {
            problems.push(Problem {
                layer: graph.name,
                message: "a Sequential model without layers cannot be built".to_owned(),
            });
            return None;
        }
        let last = graph.calls.len().checked_sub(1)?;
        graph.outputs.push((None, Source::Call(last, 0)));
        Some(graph)
    }

    fn functional(name: String, config: &Object, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let layers = config.get("layers").and_then(Json::as_list);
        let layers = layers.unwrap_or_default();
        let mut found = Found::default();
        let mut inputs = HashMap::new();
        for json in layers {
            let layer = name_of(json);
            let item = Item::read(json, &name, problems);
            if let Some(Item::Input) = item {
                inputs.insert(layer.clone(), GraphInput::read(json));
            }
            let nodes = json.get("inbound_nodes").and_then(Json::as_list);
            let nodes = nodes.unwrap_or_default().iter().map(Node::read);
            match nodes.collect::<Result<Vec<Node>, String>>() {
                Ok(nodes) => found.add(layer, item, nodes),
                Err(message) => problems.push(Problem { layer, message }),
            }
        }
        let mut ends = |key: &str| match config.get(key).map(Ends::read) {
            Some(Ok(ends)) => Some(ends),
            Some(Err(message)) => {
                problems.push(Problem {
                    layer: name.clone(),
                    message: format!("`{key}`: {message}"),
                });
                None
            }
            None => None,
        };
        let (starts, ends) = (ends("input_layers"), ends("output_layers"));
        let (Some(starts), Some(ends)) = (starts, ends) else {
            if problems.len() == before {
                problems.push(Problem {
                    layer: name,
                    message: "the model has no `input_layers` or no `output_layers`".to_owned(),
                });
            }
            return None;
        };
        if problems.len() > before {
            return None;
        }
        found
            .connect(name.clone(), starts, ends, inputs)
            .map(|graph| Self {
                trainable: is_trainable(config),
                ..graph
            })
            .map_err(|message| {
                problems.push(Problem {
                    layer: name,
                    message,
                });
            })
            .ok()
    }
}

impl Item {
    /// An entry of `layers`; `within` is the name of the model.
    fn read(json: &Json, within: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        let class = json.get("class_name").and_then(Json::as_str);
        let config = json.get("config").and_then(Json::as_object);
        let (Some(class), Some(config)) = (class, config) else {
            problems.push(Problem {
                layer: within.to_owned(),
                message: format!(
                    "expected a layer with a `class_name` and a `config`. Received: {}",
                    json.shortened()
                ),
            });
            return None;
        };
        let layer = || ItemLayer {
            name: name_of(json),
            class_name: class.to_owned(),
            config: config.clone(),
        };
        let module = json.get("module").and_then(Json::as_str);
        Some(match class {
            "InputLayer" => Self::Input,
            "Sequential" | "Functional" | "Model" => {
                Self::Model(Box::new(Graph::read(json, problems)?))
            }
            _ if is_operation(module, class) => Self::Operation(layer()),
            _ => Self::Layer(layer()),
        })
    }
}

impl GraphInput {
    fn read(json: &Json) -> Self {
        Self {
            name: name_of(json),
            shape: shape(json),
        }
    }
}

/// `batch_shape`, as Keras 3 writes it, or `batch_input_shape`, without the batch.
fn shape(json: &Json) -> Option<Vec<Option<usize>>> {
    let config = json.get("config")?;
    let shape = config.get("batch_shape");
    batched(shape.or_else(|| config.get("batch_input_shape"))?)
}

fn batched(shape: &Json) -> Option<Vec<Option<usize>>> {
    let shape = match shape.as_object() {
        Some(object) => crate::ends::tuple(object)?,
        None => shape.as_list()?,
    };
    let size = |json: &Json| usize::try_from(json.as_int()?).ok();
    Some(shape.get(1..)?.iter().map(size).collect())
}

fn is_trainable(config: &Object) -> bool {
    config.get("trainable") != Some(&Json::Bool(false))
}

/// The name beside the configuration, as in a functional model, or in it.
fn name_of(json: &Json) -> String {
    let within = json.get("config").and_then(|config| config.get("name"));
    let name = json.get("name").or(within).and_then(Json::as_str);
    name.unwrap_or_default().to_owned()
}

/// The layers of a functional model, and their calls.
#[derive(Default)]
struct Found {
    items: Vec<Item>,
    by_name: HashMap<String, usize>,
    nodes: Vec<Vec<Node>>,
}

impl Found {
    fn add(&mut self, name: String, item: Option<Item>, nodes: Vec<Node>) {
        let Some(item) = item else { return };
        self.by_name.insert(name, self.items.len());
        self.items.push(item);
        self.nodes.push(nodes);
    }

    /// Orders the calls: each after what it depends on, apart from that in the order of the layers.
    fn connect(
        self,
        name: String,
        starts: Ends,
        ends: Ends,
        mut inputs: HashMap<String, GraphInput>,
    ) -> Result<Graph, String> {
        let mut of_input = HashMap::new();
        let mut graph_inputs = Vec::new();
        for (key, history) in starts.tensors {
            let input = inputs.remove(&history.layer).ok_or_else(|| {
                format!(
                    "`{}` is among the inputs, but is no InputLayer",
                    history.layer
                )
            })?;
            of_input.insert(self.by_name[&history.layer], graph_inputs.len());
            graph_inputs.push(GraphInput {
                name: key.unwrap_or(input.name),
                shape: input.shape,
            });
        }
        // The number of the first call of each layer, if all calls stand side by side.
        let mut first = Vec::with_capacity(self.items.len());
        let mut count = 0;
        for nodes in &self.nodes {
            first.push(count);
            count += nodes.len();
        }
        let place = |history: &History| -> Result<Place, String> {
            let item = self.by_name.get(&history.layer);
            let item = *item.ok_or_else(|| format!("there is no layer `{}`", history.layer))?;
            match of_input.get(&item) {
                Some(&input) => Ok(Place::Input(input)),
                None if history.node < self.nodes[item].len() => {
                    Ok(Place::Call(first[item] + history.node, history.tensor))
                }
                None => Err(format!(
                    "the layer `{}` is used as if it had been called {} times",
                    history.layer,
                    history.node.saturating_add(1)
                )),
            }
        };
        let mut waits = vec![0; count];
        let mut followers = vec![Vec::new(); count];
        let mut places = Vec::with_capacity(count);
        for node in self.nodes.iter().flatten() {
            let mut of_node = Vec::new();
            for operand in &node.operands {
                let Operand::Tensor(history) = operand else {
                    continue;
                };
                let place = place(history)?;
                if let Place::Call(call, _) = place {
                    waits[places.len()] += 1;
                    followers[call].push(places.len());
                }
                of_node.push(place);
            }
            places.push(of_node);
        }
        let mut ready: BinaryHeap<std::cmp::Reverse<usize>> = BinaryHeap::new();
        ready.extend(
            (0..count)
                .filter(|&call| waits[call] == 0)
                .map(std::cmp::Reverse),
        );
        let mut order = vec![usize::MAX; count];
        let mut sequence = Vec::with_capacity(count);
        while let Some(std::cmp::Reverse(call)) = ready.pop() {
            order[call] = sequence.len();
            sequence.push(call);
            for &follower in &followers[call] {
                waits[follower] -= 1;
                if waits[follower] == 0 {
                    ready.push(std::cmp::Reverse(follower));
                }
            }
        }
        if sequence.len() < count {
            return Err("the calls of its layers depend on each other in a circle".to_owned());
        }
        let source = |place: &Place| match *place {
            Place::Input(input) => Source::Input(input),
            Place::Call(call, tensor) => Source::Call(order[call], tensor),
        };
        let item_of = |call: usize| first.partition_point(|&first| first <= call) - 1;
        let calls = sequence.iter().map(|&call| {
            let item = item_of(call);
            let node = &self.nodes[item][call - first[item]];
            GraphCall {
                item,
                operands: node.operands.clone(),
                sources: places[call].iter().map(source).collect(),
            }
        });
        let calls = calls.collect();
        let outputs = ends.tensors.iter().map(|(key, history)| {
            let mut history = history.clone();
            let item = self.by_name.get(&history.layer);
            // Here, and only here, Keras counts the calls of a functional model from 1.
            if let Some(Item::Model(nested)) = item.map(|&item| &self.items[item])
                && nested.kind == Kind::Functional
            {
                history.node = history.node.saturating_sub(1);
            }
            Ok((key.clone(), source(&place(&history)?)))
        });
        let outputs = outputs.collect::<Result<_, String>>()?;
        Ok(Graph {
            name,
            kind: Kind::Functional,
            trainable: true,
            inputs: graph_inputs,
            calls,
            outputs,
            structure: ends.structure,
            items: self.items,
        })
    }
}

/// Where a tensor comes from, while the calls have no order.
enum Place {
    Input(usize),
    Call(usize, usize),
}
