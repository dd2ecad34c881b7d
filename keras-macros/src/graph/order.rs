//! The order in which Keras lists the layers of a functional model, and with them their weights.
//!
//! By depth, the number of calls between a layer and the outputs, deepest first; layers of one depth
//! in the order in which a walk from the outputs down to the inputs meets them.

use std::collections::HashMap;

use super::draft::Draft;
use super::{CallId, LayerId, ValueId};

/// The layers that `outputs` are made with.
pub fn keras_order(draft: &Draft, outputs: &[ValueId]) -> Vec<LayerId> {
    let mut walk = Walk {
        draft,
        finished: vec![false; draft.calls.len()],
        done: Vec::new(),
        met: HashMap::new(),
    };
    for &output in outputs {
        walk.visit(output);
    }
    let mut calls: HashMap<CallId, usize> = HashMap::new();
    let mut layers: HashMap<LayerId, usize> = HashMap::new();
    // Calls nearest to the outputs first.
    for &call in walk.done.iter().rev() {
        let layer = draft.calls[call].layer;
        let depth = calls.get(&call).copied().unwrap_or(0);
        let depth = depth.max(layers.get(&layer).copied().unwrap_or(0));
        layers.insert(layer, depth);
        calls.insert(call, depth);
        for &input in &draft.calls[call].inputs {
            if let Some(below) = draft.values[input].producer {
                let known = calls.entry(below).or_insert(0);
                *known = (*known).max(depth + 1);
            }
        }
    }
    let mut order: Vec<LayerId> = layers.keys().copied().collect();
    order.sort_by_key(|layer| (std::cmp::Reverse(layers[layer]), walk.met[layer]));
    order
}

struct Walk<'a> {
    draft: &'a Draft,
    finished: Vec<bool>,
    /// Calls whose inputs' calls come before them.
    done: Vec<CallId>,
    /// When each layer was met.
    met: HashMap<LayerId, usize>,
}

impl Walk<'_> {
    /// Depth first, without recursion: networks can be thousands of layers deep.
    fn visit(&mut self, output: ValueId) {
        let mut path = Vec::new();
        self.enter(output, &mut path);
        while let Some((call, next)) = path.last_mut() {
            let call = *call;
            match self.draft.calls[call].inputs.get(*next) {
                Some(&input) => {
                    *next += 1;
                    self.enter(input, &mut path);
                }
                None => {
                    self.done.push(call);
                    path.pop();
                }
            }
        }
    }

    fn enter(&mut self, value: ValueId, path: &mut Vec<(CallId, usize)>) {
        let Some(call) = self.draft.values[value].producer else {
            return;
        };
        if std::mem::replace(&mut self.finished[call], true) {
            return;
        }
        let count = self.met.len();
        self.met
            .entry(self.draft.calls[call].layer)
            .or_insert(count);
        path.push((call, 0));
    }
}
