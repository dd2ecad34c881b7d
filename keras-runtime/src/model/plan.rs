//! Which buffer each value, each gradient and each layer's memory gets in a step.
//!
//! A step is a sequence of moments: the calls forward, the loss, the calls backward, the metrics.
//! Everything lives from one moment to another; two things share a buffer ("slot") if their lives
//! do not overlap.

use std::ops::RangeInclusive;

use super::network::{Kind, Network, Value};
use super::trace::{Call, Indices, Trace};
use crate::layers::Logits;
use crate::shape::Shape;
use crate::short_sort;

/// The number of a buffer of a workspace.
pub(crate) type Slot = usize;

/// The slot of everything that needs no memory.
pub(crate) const EMPTY: Slot = 0;

/// What one call uses.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The first of its inputs.
    pub input: Option<Value>,
    /// Its output.
    pub output: Value,
    /// Nothing is to be done: the output is the input.
    pub is_view: bool,
    /// What the forward pass leaves for the backward pass.
    pub kept: Slot,
    /// The numbers in it.
    pub kept_len: usize,
    /// Where the logits of the output are.
    pub logits: Logits,
    /// No loss depends on its output through another call.
    pub is_last: bool,
    /// A gradient is needed by something below or in this layer.
    pub needs_backward: bool,
    /// An earlier call of the same layer, in backward order, has written its weight gradients.
    pub adds_to_weights: bool,
}

/// The memory of a forward pass and, for training, of the backward pass.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The samples that fit.
    pub batch: usize,
    /// The shapes of the inputs that this was planned for.
    pub inputs: Vec<Shape>,
    /// The inputs that are numbers of rows.
    pub indices: Vec<Option<Indices>>,
    /// The shape of each value.
    pub shapes: Vec<Shape>,
    /// The slot of each value.
    pub values: Vec<Slot>,
    /// The slot of each value's gradient; `None` where nobody needs it.
    pub gradients: Vec<Option<Slot>>,
    /// By the number of the call in the model; `None` for calls of the other mode.
    pub steps: Vec<Option<Step>>,
    /// The length of each slot.
    pub slots: Vec<usize>,
    /// The losses that the model adds by itself in this mode.
    pub added_losses: Vec<Value>,
    /// The most scratch memory that a call asks for.
    pub scratch: usize,
    /// The most that one call's added gradients need.
    pub sums: usize,
    /// For each layer whether it is trained: by a part, those that it calls.
    pub trained: Vec<bool>,
}

/// What a value is to the planner.
struct Use {
    consumers: Vec<usize>,
    producer: Option<usize>,
    /// Whether it is read after the pass.
    is_output: bool,
    /// Whether a loss depends on it.
    reaches_loss: bool,
}

/// Something that lives for a while.
struct Tenant {
    len: usize,
    life: RangeInclusive<usize>,
    place: Place,
}

enum Place {
    Value(usize),
    Gradient(usize),
    Kept(usize),
}

impl Plan {
    /// Plans a pass. `trainable` says for each layer whether its weights have gradients,
    /// `watches_inputs` whether the inputs have.
    pub fn new(
        network: &Network,
        trace: &Trace,
        trainable: &[bool],
        batch: usize,
        training: bool,
        watches_inputs: bool,
    ) -> Self {
        let calls = &trace.calls;
        let outputs: Vec<Value> = network
            .outputs
            .iter()
            .map(|output| output.value(training))
            .collect();
        let uses = uses(network, trace, &outputs, training);
        let has_weights = |layer: usize| {
            trainable[layer]
                && trace.weights[layer].is_some_and(|weights| weights.iter().any(|w| w.trainable))
        };
        let mut wants = vec![false; network.values];
        for input in network.inputs.iter() {
            wants[input.value.0] = watches_inputs;
        }
        for call in calls {
            wants[call.output.0] =
                has_weights(call.layer) || call.inputs.iter().any(|input| wants[input.0]);
        }
        for (wants, value) in wants.iter_mut().zip(&uses) {
            *wants &= training && value.reaches_loss;
        }

        let roots = view_roots(calls, &uses, |_| true);
        let gradient_roots = view_roots(calls, &uses, |value| {
            uses[value].consumers.len() == 1 && !uses[value].is_output
        });
        let tenants = Lives {
            calls,
            uses: &uses,
            trace,
            wants: &wants,
            batch,
            training,
        }
        .tenants(&roots, &gradient_roots);

        let mut plan = Plan {
            batch,
            inputs: network
                .inputs
                .iter()
                .map(|input| trace.shape(input.value))
                .collect(),
            indices: trace.indices(),
            shapes: trace.shapes.clone(),
            values: vec![EMPTY; network.values],
            gradients: vec![None; network.values],
            steps: Vec::new(),
            slots: vec![0],
            added_losses: added_losses(network, trace).collect(),
            scratch: calls
                .iter()
                .map(|call| call.workspace.scratch)
                .max()
                .unwrap_or(0),
            trained: trained(network, trace, trainable),
            sums: most_sums(calls, &uses, trace, batch).max(repeated(&outputs, trace, batch)),
        };
        let mut kept = vec![EMPTY; calls.len()];
        for (tenant, slot) in assign(&tenants, &mut plan.slots) {
            match tenant.place {
                Place::Value(value) => plan.values[value] = slot,
                Place::Gradient(value) => plan.gradients[value] = Some(slot),
                Place::Kept(index) => kept[index] = slot,
            }
        }
        for value in 0..network.values {
            plan.values[value] = plan.values[roots[value]];
            plan.gradients[value] = if wants[value] {
                plan.gradients[gradient_roots[value]]
            } else {
                None
            };
        }
        plan.steps = steps(calls, &uses, &kept, &wants, &gradient_roots);
        plan
    }
}

/// The layers that a network trains.
fn trained(network: &Network, trace: &Trace, trainable: &[bool]) -> Vec<bool> {
    let calls = |layer: usize| trace.calls.iter().any(|call| call.layer == layer);
    let is_trained = |(layer, trainable): (usize, &bool)| {
        *trainable && (network.kind != Kind::Part || calls(layer))
    };
    trainable.iter().enumerate().map(is_trained).collect()
}

/// The losses that the model adds by itself in the mode of the trace.
fn added_losses(network: &Network, trace: &Trace) -> impl Iterator<Item = Value> {
    let is_there = |value: &Value| trace.calls.iter().any(|call| call.output == *value);
    network.losses.iter().copied().filter(is_there)
}

fn uses(network: &Network, trace: &Trace, outputs: &[Value], training: bool) -> Vec<Use> {
    let metrics = network.metrics.iter();
    let metrics: Vec<Value> = metrics.filter_map(|m| m.value(training)).collect();
    let losses: Vec<Value> = added_losses(network, trace).collect();
    let mut uses: Vec<Use> = (0..network.values)
        .map(|value| Use {
            consumers: Vec::new(),
            producer: None,
            is_output: outputs.contains(&Value(value)) || metrics.contains(&Value(value)),
            reaches_loss: outputs.contains(&Value(value)) || losses.contains(&Value(value)),
        })
        .collect();
    for (index, call) in trace.calls.iter().enumerate() {
        uses[call.output.0].producer = Some(index);
        for input in &call.inputs {
            uses[input.0].consumers.push(index);
        }
    }
    for call in trace.calls.iter().rev() {
        if uses[call.output.0].reaches_loss {
            for input in &call.inputs {
                uses[input.0].reaches_loss = true;
            }
        }
    }
    uses
}

/// For each value the one whose memory it shares, through views whose input may be `shared`.
fn view_roots(calls: &[Call], uses: &[Use], shared: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut roots: Vec<usize> = (0..uses.len()).collect();
    for call in calls.iter().filter(|call| call.is_view) {
        if let [input] = call.inputs[..]
            && shared(input.0)
        {
            roots[call.output.0] = roots[input.0];
        }
    }
    roots
}

/// Computes who lives when.
struct Lives<'a> {
    calls: &'a [Call],
    uses: &'a [Use],
    trace: &'a Trace,
    wants: &'a [bool],
    batch: usize,
    training: bool,
}

impl Lives<'_> {
    /// The moment of a call on the way back.
    fn backward(&self, call: usize) -> usize {
        2 * self.calls.len() - call
    }

    /// The moment after everything.
    fn end(&self) -> usize {
        2 * self.calls.len() + 1
    }

    fn len(&self, value: usize) -> usize {
        self.batch * self.trace.shapes[value].size()
    }

    fn value(&self, value: usize) -> RangeInclusive<usize> {
        let usage = &self.uses[value];
        let first = usage.producer.unwrap_or(0);
        // Inputs stay for another pass over the same batch.
        let stays = usage.is_output || usage.producer.is_none();
        let last = match (stays, self.training) {
            (true, _) => self.end(),
            // The way back reads the inputs and the output of each call.
            (false, true) => {
                let producer = usage.producer.map(|call| self.backward(call));
                let consumer = usage.consumers.first().map(|&call| self.backward(call));
                producer.max(consumer).unwrap_or(first)
            }
            (false, false) if self.holds_logits(usage) => self.end(),
            (false, false) => usage.consumers.last().copied().unwrap_or(first),
        };
        first..=last
    }

    /// Whether the loss of an output is computed from this value.
    fn holds_logits(&self, usage: &Use) -> bool {
        usage.consumers.iter().any(|&call| {
            let call = &self.calls[call];
            matches!(call.logits, Logits::Input(_)) && self.uses[call.output.0].is_output
        })
    }

    fn gradient(&self, value: usize) -> RangeInclusive<usize> {
        let usage = &self.uses[value];
        let loss = self.calls.len();
        let first = match usage.consumers.last() {
            Some(&call) if !usage.is_output => self.backward(call),
            _ => loss,
        };
        // That of an input is there to be read after the step.
        first
            ..=usage
                .producer
                .map_or(self.end(), |call| self.backward(call))
    }

    fn kept(&self, index: usize) -> RangeInclusive<usize> {
        let is_output = self.uses[self.calls[index].output.0].is_output;
        match (self.training, is_output) {
            (true, _) => index..=self.backward(index),
            (false, true) => index..=self.end(),
            (false, false) => index..=index,
        }
    }

    fn tenants(&self, roots: &[usize], gradient_roots: &[usize]) -> Vec<Tenant> {
        let union = |lives: &mut Option<RangeInclusive<usize>>, life: RangeInclusive<usize>| {
            *lives = Some(match lives.take() {
                Some(other) => *other.start().min(life.start())..=*other.end().max(life.end()),
                None => life,
            });
        };
        let mut values = vec![None; roots.len()];
        let mut gradients = vec![None; roots.len()];
        for value in 0..roots.len() {
            let is_used =
                self.uses[value].producer.is_some() || !self.uses[value].consumers.is_empty();
            if is_used || self.uses[value].is_output {
                union(&mut values[roots[value]], self.value(value));
            }
            if self.wants[value] {
                union(&mut gradients[gradient_roots[value]], self.gradient(value));
            }
        }
        let of = |lives: Vec<Option<RangeInclusive<usize>>>, place: fn(usize) -> Place| {
            lives
                .into_iter()
                .enumerate()
                .filter_map(move |(value, life)| Some((value, life?, place)))
                .map(|(value, life, place)| Tenant {
                    len: self.len(value),
                    life,
                    place: place(value),
                })
                .collect::<Vec<_>>()
        };
        let mut tenants = of(values, Place::Value);
        tenants.extend(of(gradients, Place::Gradient));
        tenants.extend(
            (0..self.calls.len())
                .filter(|&index| self.calls[index].workspace.kept > 0)
                .map(|index| Tenant {
                    len: self.calls[index].workspace.kept,
                    life: self.kept(index),
                    place: Place::Kept(index),
                }),
        );
        short_sort::sort_by_key(&mut tenants, |tenant| {
            (*tenant.life.start(), std::cmp::Reverse(tenant.len))
        });
        tenants
    }
}

/// Gives each tenant, in the order of their lives, the free slot that fits best, or a new one.
fn assign<'a>(tenants: &'a [Tenant], slots: &mut Vec<usize>) -> Vec<(&'a Tenant, Slot)> {
    let mut free_from = vec![usize::MAX];
    let mut assigned = Vec::with_capacity(tenants.len());
    for tenant in tenants {
        let free = (1..slots.len()).filter(|&slot| free_from[slot] <= *tenant.life.start());
        let slot = free
            .min_by_key(|&slot| slots[slot].abs_diff(tenant.len))
            .unwrap_or_else(|| {
                slots.push(0);
                free_from.push(0);
                slots.len() - 1
            });
        slots[slot] = slots[slot].max(tenant.len);
        free_from[slot] = tenant.life.end() + 1;
        assigned.push((tenant, slot));
    }
    assigned
}

/// The most numbers that the gradients a single call adds to others can have.
fn most_sums(calls: &[Call], uses: &[Use], trace: &Trace, batch: usize) -> usize {
    let of_call = |call: &Call| -> usize {
        let added = call
            .inputs
            .iter()
            .filter(|input| uses[input.0].consumers.len() > 1 || uses[input.0].is_output);
        added.map(|input| batch * trace.shape(*input).size()).sum()
    };
    calls.iter().map(of_call).max().unwrap_or(0)
}

/// The most numbers in the gradient of an output that is given more than once.
fn repeated(outputs: &[Value], trace: &Trace, batch: usize) -> usize {
    let again = outputs
        .iter()
        .enumerate()
        .filter(|(at, output)| outputs[..*at].contains(output));
    again
        .map(|(_, output)| batch * trace.shape(*output).size())
        .max()
        .unwrap_or(0)
}

fn steps(
    calls: &[Call],
    uses: &[Use],
    kept: &[Slot],
    wants: &[bool],
    gradient_roots: &[usize],
) -> Vec<Option<Step>> {
    let leads_on = |value: Value| {
        let mut consumers = uses[value.0].consumers.iter();
        consumers.any(|&call| uses[calls[call].output.0].reaches_loss)
    };
    let mut steps = vec![None; calls.iter().map(|call| call.call + 1).max().unwrap_or(0)];
    for (index, call) in calls.iter().enumerate() {
        let shares_gradient = call
            .inputs
            .iter()
            .any(|input| gradient_roots[call.output.0] == gradient_roots[input.0]);
        steps[call.call] = Some(Step {
            input: call.inputs.first().copied(),
            output: call.output,
            is_view: call.is_view,
            kept: kept[index],
            kept_len: call.workspace.kept,
            logits: call.logits,
            is_last: !leads_on(call.output),
            needs_backward: wants[call.output.0] && !(call.is_view && shares_gradient),
            adds_to_weights: calls[index + 1..]
                .iter()
                .any(|later| later.layer == call.layer),
        });
    }
    steps
}
