//! A model's layers in the order in which `summary` lists them, with what they are connected to.
//!
//! Keras orders the layers of a functional model, and its inputs among them, by depth, the number of
//! calls from there to an output; layers of one depth in the order in which a walk from the outputs
//! down to the inputs meets them.

use std::cmp::Reverse;

use super::Model;
use super::network::{Kind, Network, Value};
use super::summary::{OptimizerSize, Row, Summary};
use super::trace::{Call, Trace};
use crate::shape::Shape;
use crate::short_sort;

/// What `summary` shows of a model.
pub(crate) fn describe<M: Model>(model: &M) -> Summary {
    let network = &model.run().network;
    let built = model.run().built.clone();
    let shapes = built.unwrap_or_else(|| network.inputs.iter().map(|input| input.shape).collect());
    let mut trace = Trace::new(network, &shapes, 1, false);
    // Layers after one whose shape is not known yet are shown as `?`.
    let _ = model.infer(&mut trace);
    let graph = Graph::new(network, &trace.calls);
    let mut summary = Summary {
        name: network.name.to_string(),
        is_graph: is_functional(network) && !graph.is_chain(),
        optimizer: optimizer(model),
        ..Summary::default()
    };
    let core = model.core();
    for part in graph.rows() {
        let row = match part {
            Part::Input(input) => Row {
                name: network.inputs[input].name.to_string(),
                class: "InputLayer".to_owned(),
                output_shape: text(trace.shape(network.inputs[input].value)),
                params: Some(0),
                is_trained: None,
                input_shapes: Vec::new(),
                connected_to: Vec::new(),
            },
            Part::Layer(layer) => {
                let last = trace.calls.iter().rfind(|call| call.layer == layer);
                let shape = last.map_or(Shape::UNKNOWN, |call| trace.shape(call.output));
                let mut row = Row {
                    name: network.layers[layer].name.to_string(),
                    class: network.layers[layer].class.to_string(),
                    output_shape: text(shape),
                    params: None,
                    is_trained: None,
                    input_shapes: (graph.inputs(layer).iter())
                        .map(|&value| text(trace.shape(value)))
                        .collect(),
                    connected_to: graph.connections(layer),
                };
                if let Some(parameters) = &core.parameters {
                    let weights = &parameters.layers[layer];
                    let (params, state) =
                        (weights.params_range().len(), weights.state_range().len());
                    row.params = Some(params + state);
                    row.is_trained = (params + state > 0).then_some(core.trainable[layer]);
                    let trained = if core.trainable[layer] { params } else { 0 };
                    summary.trainable += trained;
                    summary.non_trainable += params + state - trained;
                }
                row
            }
        };
        summary.rows.push(row);
    }
    summary
}

/// The layers of a functional model in the order in which Keras lists them, from its calls.
pub(crate) fn listed_layers(network: &Network, calls: &[Call]) -> Vec<usize> {
    let order = Graph::new(network, calls).order().into_iter();
    let layers = order.filter_map(|part| match part {
        Part::Layer(layer) => Some(layer),
        Part::Input(_) => None,
    });
    layers.collect()
}

/// What the optimizer has made for the weights that it trains.
fn optimizer<M: Model>(model: &M) -> Option<OptimizerSize> {
    let compiled = model.run().compiled.as_ref()?;
    if compiled.state.iterations == 0 {
        return None;
    }
    let variables = compiled.state.variables(&*compiled.optimizer, &[]);
    let count = variables.iter().map(|variable| variable.shape.size()).sum();
    // Integers, such as the number of its steps, have eight bytes.
    let long = variables
        .iter()
        .filter(|variable| variable.held.is_integer())
        .count();
    Some(OptimizerSize {
        count,
        bytes: 4 * (count + long),
    })
}

pub(crate) fn is_functional(network: &Network) -> bool {
    matches!(network.kind, Kind::Functional | Kind::Part)
}

fn text(shape: Shape) -> String {
    if shape.is_known() {
        shape.to_string()
    } else {
        "?".to_owned()
    }
}

/// A row of the summary, by the number of the input or the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Input(usize),
    Layer(usize),
}

/// Where a part is in the network.
#[derive(Clone, Copy, Default)]
struct Place {
    /// The calls, of its deepest call, to an output.
    depth: usize,
    /// When the walk from the outputs meets it; `None` if no output depends on it.
    met: Option<usize>,
    /// How often it is called; once for an input.
    calls: usize,
}

/// An input, or a call of a layer.
struct Node<'a> {
    part: Part,
    /// Which call of the layer this is.
    call: usize,
    inputs: &'a [Value],
    depth: usize,
    is_met: bool,
}

/// Who is connected to whom.
struct Graph<'a> {
    network: &'a Network,
    nodes: Vec<Node<'a>>,
    /// The node that makes a value.
    producers: Vec<Option<usize>>,
    /// The inputs, then the layers.
    places: Vec<Place>,
}

impl<'a> Graph<'a> {
    fn new(network: &'a Network, calls: &'a [Call]) -> Self {
        let mut graph = Self {
            network,
            nodes: Vec::with_capacity(network.inputs.len() + calls.len()),
            producers: vec![None; network.values],
            places: vec![Place::default(); network.inputs.len() + network.layers.len()],
        };
        for (index, input) in network.inputs.iter().enumerate() {
            graph.add(Part::Input(index), &[], input.value);
        }
        for call in calls {
            graph.add(Part::Layer(call.layer), &call.inputs, call.output);
        }
        let done = graph.walk();
        graph.measure(&done);
        graph
    }

    fn add(&mut self, part: Part, inputs: &'a [Value], output: Value) {
        self.producers[output.0] = Some(self.nodes.len());
        let place = self.place(part);
        let call = place.calls;
        place.calls += 1;
        self.nodes.push(Node {
            part,
            call,
            inputs,
            depth: 0,
            is_met: false,
        });
    }

    fn index(&self, part: Part) -> usize {
        match part {
            Part::Input(input) => input,
            Part::Layer(layer) => self.network.inputs.len() + layer,
        }
    }

    fn place(&mut self, part: Part) -> &mut Place {
        let index = self.index(part);
        &mut self.places[index]
    }

    /// Goes from the outputs down to the inputs and gives the nodes it meets, each after what it
    /// depends on. Networks can be thousands of layers deep, hence no recursion.
    fn walk(&mut self) -> Vec<usize> {
        let mut done = Vec::with_capacity(self.nodes.len());
        let mut count = 0;
        for output in self.network.outputs.iter() {
            let mut stack = Vec::new();
            let mut next = self.producers[output.inference.0];
            loop {
                if let Some(node) = next.filter(|&node| !self.nodes[node].is_met) {
                    self.nodes[node].is_met = true;
                    self.place(self.nodes[node].part).met.get_or_insert(count);
                    count += 1;
                    stack.push((node, self.nodes[node].inputs.iter()));
                }
                let Some((node, inputs)) = stack.last_mut() else {
                    break;
                };
                match inputs.next() {
                    Some(input) => next = self.producers[input.0],
                    None => {
                        done.push(*node);
                        stack.pop();
                        next = None;
                    }
                }
            }
        }
        done
    }

    /// Sets the depths, of what is nearest to the outputs first. A call is at least as deep as the
    /// later calls of its layer.
    fn measure(&mut self, done: &[usize]) {
        for &node in done.iter().rev() {
            let Node {
                part,
                inputs,
                depth,
                ..
            } = self.nodes[node];
            let place = self.place(part);
            place.depth = place.depth.max(depth);
            let depth = place.depth;
            self.nodes[node].depth = depth;
            for input in inputs {
                if let Some(below) = self.producers[input.0] {
                    let below = &mut self.nodes[below];
                    below.depth = below.depth.max(depth + 1);
                }
            }
        }
    }

    /// The rows of the summary.
    fn rows(&self) -> Vec<Part> {
        let mut rows = self.order();
        if self.network.kind == Kind::Part {
            rows.retain(|&part| self.places[self.index(part)].met.is_some());
        }
        rows
    }

    /// The inputs and all layers.
    fn order(&self) -> Vec<Part> {
        let layers = (0..self.network.layers.len()).map(Part::Layer);
        if !is_functional(self.network) {
            return layers.collect();
        }
        let parts = (0..self.network.inputs.len())
            .map(Part::Input)
            .chain(layers);
        let mut placed: Vec<(Part, Place)> = parts.zip(self.places.iter().copied()).collect();
        // What no output depends on, such as an added metric, comes after what one does.
        let met = |place: &Place| place.met.unwrap_or(usize::MAX);
        short_sort::sort_by_key(&mut placed, |(_, place)| (Reverse(place.depth), met(place)));
        placed.into_iter().map(|(part, _)| part).collect()
    }

    /// Whether the model is a chain of layers, each called once on one tensor.
    fn is_chain(&self) -> bool {
        let mut depths: Vec<usize> = self.nodes.iter().map(|node| node.depth).collect();
        depths.sort_unstable();
        depths.dedup();
        depths.len() == self.nodes.len()
            && self.nodes.iter().all(|node| node.inputs.len() <= 1)
            && self.places.iter().all(|place| place.calls <= 1)
    }

    /// The values that a layer is called on, one call after the other.
    fn inputs(&self, layer: usize) -> Vec<Value> {
        let calls = self.nodes.iter();
        let calls = calls.filter(|node| node.part == Part::Layer(layer));
        calls.flat_map(|node| node.inputs).copied().collect()
    }

    /// What a layer is called on: `dense[0][0]` is the first call of `dense`.
    fn connections(&self, layer: usize) -> Vec<String> {
        let inputs = self.inputs(layer).into_iter();
        inputs.filter_map(|value| self.source(value)).collect()
    }

    fn source(&self, value: Value) -> Option<String> {
        let node = &self.nodes[self.producers[value.0]?];
        let name = match node.part {
            Part::Input(input) => &self.network.inputs[input].name,
            Part::Layer(layer) => &self.network.layers[layer].name,
        };
        Some(format!("{name}[{}][0]", node.call))
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::layers::{Logits, Workspace};
    use crate::model::network::{Input, LayerInfo, Output, Structure};

    /// A network of some kind, and its calls: what is called on what, inputs coming first.
    struct Case {
        network: Network,
        calls: Vec<Call>,
    }

    /// Each call is a layer's name and what it is called on: the names of inputs, or the numbers of
    /// earlier calls as `#0`.
    fn case(inputs: &[&'static str], calls: &[(&'static str, &[&str])], outputs: &[usize]) -> Case {
        let mut layers: Vec<LayerInfo> = Vec::new();
        let mut made = Vec::new();
        for (number, (name, on)) in calls.iter().enumerate() {
            let known = layers.iter().position(|layer| layer.name == *name);
            let layer = known.unwrap_or(layers.len());
            if known.is_none() {
                layers.push(LayerInfo {
                    name: (*name).into(),
                    class: "Dense".into(),
                    field: "".into(),
                    trainable: true,
                });
            }
            let value = |name: &&str| match name.strip_prefix('#') {
                Some(call) => Value(inputs.len() + call.parse::<usize>().unwrap()),
                None => Value(inputs.iter().position(|input| input == name).unwrap()),
            };
            made.push(Call {
                call: number,
                layer,
                inputs: on.iter().map(value).collect(),
                output: Value(inputs.len() + number),
                is_view: false,
                workspace: Workspace::default(),
                logits: Logits::None,
                indices_below: None,
            });
        }
        let input = |(number, name): (usize, &&'static str)| Input {
            name: (*name).into(),
            value: Value(number),
            shape: Shape::new(&[8]),
        };
        let output = |&call: &usize| Output {
            name: "output".into(),
            training: Value(inputs.len() + call),
            inference: Value(inputs.len() + call),
        };
        let network = Network {
            name: "functional".into(),
            kind: Kind::Functional,
            values: inputs.len() + calls.len(),
            layers: layers.into(),
            inputs: inputs.iter().enumerate().map(input).collect(),
            outputs: outputs.iter().map(output).collect(),
            structure: Structure::Single,
            losses: Cow::Borrowed(&[]),
            metrics: Cow::Borrowed(&[]),
        };
        Case {
            network,
            calls: made,
        }
    }

    impl Case {
        fn is_chain(&self) -> bool {
            Graph::new(&self.network, &self.calls).is_chain()
        }

        /// The names of the rows, with what they are connected to.
        fn rows(&self) -> Vec<String> {
            let graph = Graph::new(&self.network, &self.calls);
            let row = |part: Part| match part {
                Part::Input(input) => self.network.inputs[input].name.to_string(),
                Part::Layer(layer) => {
                    let name = &self.network.layers[layer].name;
                    format!("{name}: {}", graph.connections(layer).join(", "))
                }
            };
            graph.rows().into_iter().map(row).collect()
        }
    }

    #[test]
    fn a_shared_layer_makes_a_graph() {
        let case = case(
            &["first", "second"],
            &[
                ("shared", &["first"]),
                ("shared", &["second"]),
                ("add", &["#0", "#1"]),
            ],
            &[2],
        );
        assert!(!case.is_chain());
        let rows = [
            "first",
            "second",
            "shared: first[0][0], second[0][0]",
            "add: shared[0][0], shared[1][0]",
        ];
        assert_eq!(case.rows(), rows);
        let twice = [("dense", &["x"][..]), ("dense", &["#0"])];
        assert!(!super::tests::case(&["x"], &twice, &[1]).is_chain());
    }

    #[test]
    fn a_chain_may_have_outputs_on_its_way_but_no_fork() {
        let (a, b): (&[&str], &[&str]) = (&["x"], &["#0"]);
        let calls = [("dense", a), ("dense_1", b), ("dense_2", b)];
        assert!(case(&["x"], &calls[..2], &[1]).is_chain());
        assert!(case(&["x"], &calls[..2], &[0, 1]).is_chain());
        assert!(!case(&["x"], &calls, &[2, 1]).is_chain());
        assert!(!case(&["x", "unused"], &calls[..2], &[1]).is_chain());
    }

    #[test]
    fn an_input_stands_as_deep_as_its_first_use() {
        let late = case(
            &["late", "early"],
            &[
                ("d1", &["early"]),
                ("d2", &["#0"]),
                ("add", &["#1", "late"]),
            ],
            &[2],
        );
        let rows = [
            "early",
            "d1: early[0][0]",
            "d2: d1[0][0]",
            "late",
            "add: d2[0][0], late[0][0]",
        ];
        assert_eq!(late.rows(), rows);
    }

    #[test]
    fn of_one_depth_comes_first_what_the_outputs_lead_to_first() {
        let order = |on: &[&str]| {
            let calls: [(&str, &[&str]); 4] = [
                ("d1", &["early"]),
                ("d2", &["#0"]),
                ("d3", &["late"]),
                ("add", on),
            ];
            let rows = case(&["late", "early"], &calls, &[3]).rows();
            let name = |row: String| row.split(':').next().unwrap_or_default().to_owned();
            rows.into_iter().map(name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order(&["#2", "#1"]), "early late d1 d3 d2 add");
        assert_eq!(order(&["#1", "#2"]), "early d1 late d2 d3 add");
    }

    #[test]
    fn a_part_has_some_of_the_layers_and_a_sequential_model_no_inputs() {
        let calls: [(&str, &[&str]); 1] = [("dense", &["x"])];
        let mut case = case(&["x"], &calls, &[0]);
        let mut layers = case.network.layers.to_vec();
        layers.push(LayerInfo {
            name: "elsewhere".into(),
            ..layers[0].clone()
        });
        case.network.layers = layers.into();
        case.network.kind = Kind::Part;
        assert_eq!(case.rows(), ["x", "dense: x[0][0]"]);
        case.network.kind = Kind::Sequential;
        assert_eq!(case.rows(), ["dense: x[0][0]", "elsewhere: "]);
    }
}
