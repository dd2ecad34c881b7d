//! Graph -> steps: the calls of a pass, forward and backward.
//!
//! Reverse mode over layers: the calls of training in reverse order, each of which gives the
//! gradients of its inputs. The first call to give the gradient of a value sets it, the others add
//! to it; the gradient of an output is set by the loss, before all of them.

use std::collections::HashSet;

use crate::graph::Graph;
use crate::graph::{CallId, Group, Network, ValueId, merge};

/// A call on the way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backward {
    /// The call.
    pub call: CallId,
    /// One for each of its inputs.
    pub gradients: Vec<Gradient>,
}

/// What a call does to the gradient of one of its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gradient {
    /// The input.
    pub value: ValueId,
    /// Whether the gradient has a part already.
    pub adds: bool,
}

/// The calls on the way forward, those of training and of inference side by side.
pub fn forward(network: &Network) -> Vec<Group> {
    merge(&network.training, &network.inference)
}

/// The calls on the way back.
pub fn backward(graph: &Graph, network: &Network) -> Vec<Backward> {
    let outputs = network.outputs.iter().map(|output| output.training);
    let mut written: HashSet<ValueId> = outputs.collect();
    let mut of_call = |&call: &CallId| Backward {
        call,
        gradients: graph.calls[call]
            .inputs
            .iter()
            .map(|&value| Gradient {
                value,
                adds: !written.insert(value),
            })
            .collect(),
    };
    network.training.iter().rev().map(&mut of_call).collect()
}
