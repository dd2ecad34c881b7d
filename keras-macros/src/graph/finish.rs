//! The last step to a graph: what nobody needs goes, the rest gets its numbers and names.

use std::collections::{HashMap, HashSet};

use super::checks::{unique_metrics, unique_names, within_the_whole};
use super::draft::Draft;
use super::modes::{Group, merge};
use super::network::Ends;
use super::order::keras_order;
use super::{
    AddedMetric, Call, CallId, Graph, Input, Kind, Layer, LayerId, Nesting, Network, Output, Part,
    Value, ValueId,
};
use crate::ctxt::Ctxt;
use crate::names::{UniqueNames, screaming};
use crate::parse::call::scalars::Purpose;

/// A network that is yet to be connected.
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Its form.
    pub kind: Kind,
    /// What it begins and ends with while training.
    pub training: Ends,
    /// The same otherwise; the inputs and the structure are those of training.
    pub inference: Ends,
    /// Whether the layers of the draft are in the model's order; otherwise it follows from the calls.
    pub is_in_order: bool,
}

impl Plan {
    /// A network that is the same in both modes.
    pub fn new(name: String, kind: Kind, ends: Ends) -> Self {
        Self {
            name,
            kind,
            training: ends.clone(),
            inference: ends,
            is_in_order: matches!(kind, Kind::Sequential | Kind::Subclassed),
        }
    }
}

/// Connects the networks of a draft and writes them down. `sequences` are the calls of training and
/// of inference.
pub fn finish(
    ctxt: &Ctxt,
    draft: &Draft,
    sequences: [&[CallId]; 2],
    whole: &Plan,
    parts: &[(syn::Ident, Plan)],
) -> Graph {
    let whole_calls = calls(ctxt, draft, sequences, whole);
    let part_calls: Vec<_> = parts
        .iter()
        .map(|(_, plan)| calls(ctxt, draft, sequences, plan))
        .collect();
    if !ctxt.has_errors() {
        within_the_whole(ctxt, draft, &whole_calls[0], parts, &part_calls);
    }
    let layers = layers(draft, whole);
    unique_names(ctxt, draft, &layers, whole);
    unique_metrics(ctxt, whole);
    if ctxt.has_errors() {
        let parts = parts.iter().map(|(ident, _)| ident);
        return Graph::stub(parts);
    }

    let numbers = Numbers::new(draft, &layers, &whole_calls, whole);
    let network = |plan: &Plan, calls: &[Vec<CallId>; 2]| numbers.network(draft, plan, calls);
    let mut graph = Graph {
        layers: layers.iter().map(|&id| draft.layers[id].clone()).collect(),
        values: numbers
            .values
            .iter()
            .map(|&id| draft.values[id].clone())
            .collect(),
        calls: numbers
            .calls
            .iter()
            .map(|&id| numbers.call(&draft.calls[id]))
            .collect(),
        whole: network(whole, &whole_calls),
        parts: Vec::new(),
    };
    graph.parts = (parts.iter().zip(&part_calls))
        .map(|((ident, plan), calls)| Part {
            ident: ident.clone(),
            network: network(plan, calls),
        })
        .collect();
    for (call, id) in graph.calls.iter().zip(0..) {
        graph.values[call.output].producer = Some(id);
    }
    name_values(&mut graph.values);
    for (part, (_, plan)) in graph.parts.iter_mut().zip(parts) {
        name_inputs(&mut part.network, plan, &graph.values);
    }
    name_inputs(&mut graph.whole, whole, &graph.values);
    graph
}

/// The calls of training and of inference that a network needs.
fn calls(ctxt: &Ctxt, draft: &Draft, sequences: [&[CallId]; 2], plan: &Plan) -> [Vec<CallId>; 2] {
    let training = plan.training.connect(ctxt, draft, sequences[0]);
    let inference = plan.inference.connect(ctxt, draft, sequences[1]);
    if let (Some(training), Some(inference)) = (&training.inputs, &inference.inputs) {
        plan.training.all_used(ctxt, draft, &(training | inference));
    }
    [training.calls, inference.calls]
}

/// The layers that the model keeps, in its order.
fn layers(draft: &Draft, whole: &Plan) -> Vec<LayerId> {
    if whole.is_in_order {
        return (0..draft.layers.len()).collect();
    }
    let outputs: Vec<ValueId> = whole.training.outputs.iter().map(|end| end.value).collect();
    let mut layers = keras_order(draft, &outputs);
    // What is only added comes after what was there without it.
    let added = whole.training.added.iter().map(|added| added.end.value);
    let rest = keras_order(draft, &added.collect::<Vec<_>>());
    let rest: Vec<LayerId> = rest.into_iter().filter(|id| !layers.contains(id)).collect();
    layers.extend(rest);
    layers
}

/// The old numbers of what is kept, by their new ones, and the other way round.
struct Numbers {
    values: Vec<ValueId>,
    calls: Vec<CallId>,
    new_values: HashMap<ValueId, ValueId>,
    new_calls: HashMap<CallId, CallId>,
    new_layers: HashMap<LayerId, LayerId>,
}

impl Numbers {
    fn new(draft: &Draft, layers: &[LayerId], calls: &[Vec<CallId>; 2], whole: &Plan) -> Self {
        let mut in_order = Vec::new();
        let mut seen = HashSet::new();
        for group in merge(&calls[0], &calls[1]) {
            let group = match group {
                Group::Always(call) => vec![call],
                Group::Either {
                    training,
                    inference,
                } => [training, inference].concat(),
            };
            in_order.extend(group.into_iter().filter(|&call| seen.insert(call)));
        }
        let inputs = whole.training.inputs.iter().map(|input| input.value);
        let outputs = in_order.iter().map(|&call| draft.calls[call].output);
        let values: Vec<ValueId> = inputs.chain(outputs).collect();
        let new = |old: &[usize]| old.iter().copied().zip(0..).collect();
        Self {
            new_values: new(&values),
            new_calls: new(&in_order),
            new_layers: new(layers),
            values,
            calls: in_order,
        }
    }

    fn call(&self, call: &Call) -> Call {
        Call {
            layer: self.new_layers[&call.layer],
            inputs: call
                .inputs
                .iter()
                .map(|input| self.new_values[input])
                .collect(),
            output: self.new_values[&call.output],
            at: call.at,
        }
    }

    /// The losses that the network adds in either mode.
    fn losses(&self, plan: &Plan) -> Vec<ValueId> {
        let mut losses = Vec::new();
        for added in plan.training.added.iter().chain(&plan.inference.added) {
            let value = self.new_values[&added.end.value];
            if matches!(added.purpose, Purpose::Loss) && !losses.contains(&value) {
                losses.push(value);
            }
        }
        losses
    }

    /// The metrics that it adds; one name is one metric in both modes.
    fn metrics(&self, plan: &Plan) -> Vec<AddedMetric> {
        let mut metrics: Vec<AddedMetric> = Vec::new();
        for (ends, training) in [(&plan.training, true), (&plan.inference, false)] {
            for added in &ends.added {
                let Purpose::Metric(name) = &added.purpose else {
                    continue;
                };
                let (name, value) = (name.value(), self.new_values[&added.end.value]);
                let at = metrics.iter().position(|metric| metric.name == name);
                let at = at.unwrap_or_else(|| {
                    metrics.push(AddedMetric {
                        name,
                        training: None,
                        inference: None,
                    });
                    metrics.len() - 1
                });
                let metric = &mut metrics[at];
                if training {
                    metric.training = Some(value);
                } else {
                    metric.inference = Some(value);
                }
            }
        }
        metrics
    }

    fn network(&self, draft: &Draft, plan: &Plan, calls: &[Vec<CallId>; 2]) -> Network {
        let mut names = UniqueNames::default();
        let new = |calls: &[CallId]| calls.iter().map(|call| self.new_calls[call]).collect();
        let outputs = plan.training.outputs.iter().zip(&plan.inference.outputs);
        let nesting = plan.training.nesting.as_ref();
        let mut prefixes = nesting.map_or_else(Vec::new, Nesting::prefixes).into_iter();
        Network {
            name: plan.name.clone(),
            kind: plan.kind,
            inputs: plan
                .training
                .inputs
                .iter()
                .map(|input| Input {
                    name: String::new(),
                    value: self.new_values[&input.value],
                })
                .collect(),
            outputs: outputs
                .map(|(training, inference)| Output {
                    name: {
                        let prefix = prefixes.next().unwrap_or_default();
                        names.unique(&format!("{prefix}{}", output_name(draft, training)))
                    },
                    training: self.new_values[&training.value],
                    inference: self.new_values[&inference.value],
                })
                .collect(),
            structure: plan.training.structure,
            nesting: plan.training.nesting.clone(),
            losses: self.losses(plan),
            metrics: self.metrics(plan),
            training: new(&calls[0]),
            inference: new(&calls[1]),
        }
    }
}

/// The key in a `Dict`; otherwise the name of the layer that made the output.
fn output_name(draft: &Draft, output: &super::network::End) -> String {
    if let Some(key) = &output.key {
        return crate::names::identifier(&key.to_string());
    }
    let value: &Value = &draft.values[output.value];
    let layer = |call: CallId| -> &Layer { &draft.layers[draft.calls[call].layer] };
    match value.producer {
        Some(call) => layer(call).name.clone(),
        None => value.name.clone(),
    }
}

/// Every value gets a name that its constants (`X`, `S_X`, `R_X`) can be made of.
fn name_values(values: &mut [Value]) {
    let mut names = UniqueNames::default();
    // The alias of the layers.
    names.reserve("L");
    let constants = |name: &str| {
        let name = screaming(name);
        vec![format!("S_{name}"), format!("R_{name}"), name]
    };
    let mut unnamed = 0;
    for value in values {
        let wanted = if value.name.is_empty() {
            unnamed += 1;
            format!("h{unnamed}")
        } else {
            value.name.to_lowercase()
        };
        value.name = names.unique_with(&wanted, constants);
    }
}

fn name_inputs(network: &mut Network, plan: &Plan, values: &[Value]) {
    for (input, end) in network.inputs.iter_mut().zip(&plan.training.inputs) {
        input.name = match (&end.key, plan.kind) {
            (Some(key), _) => crate::names::identifier(&key.to_string()),
            (None, Kind::Sequential) => "input_layer".to_string(),
            (None, _) => values[input.value].name.clone(),
        };
    }
}
