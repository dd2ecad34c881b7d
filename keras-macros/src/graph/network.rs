//! Which calls a network consists of: those that its outputs and what it adds to its
//! loss and its logs need, down to its inputs.

use std::collections::HashSet;

use super::draft::{Added, Draft};
use super::{CallId, Nesting, Structure, ValueId};
use crate::ctxt::Ctxt;
use crate::parse::At;

/// A tensor that a network begins or ends with, and where the user said so.
#[derive(Clone)]
pub struct End {
    /// The value.
    pub value: ValueId,
    /// The key in a `Dict`.
    pub key: Option<syn::Ident>,
    /// The user's tokens.
    pub at: At,
}

/// The inputs and outputs of a network, as they were written.
#[derive(Clone, Default)]
pub struct Ends {
    /// The inputs.
    pub inputs: Vec<End>,
    /// The outputs.
    pub outputs: Vec<End>,
    /// How the outputs are put together.
    pub structure: Structure,
    /// The same where they are nested.
    pub nesting: Option<Nesting>,
    /// What it adds to its loss and its logs besides.
    pub added: Vec<Added>,
}

/// The calls between the ends of a network.
pub struct Connected {
    /// The calls that the outputs need, in order.
    pub calls: Vec<CallId>,
    /// The inputs that they need; `None` if an output needs something else.
    pub inputs: Option<HashSet<ValueId>>,
}

impl Ends {
    /// The calls of `sequence` that the outputs need.
    pub fn connect(&self, ctxt: &Ctxt, draft: &Draft, sequence: &[CallId]) -> Connected {
        let inputs: HashSet<ValueId> = self.inputs.iter().map(|input| input.value).collect();
        let mut needed = HashSet::new();
        let mut used = HashSet::new();
        let mut is_connected = true;
        let added = self.added.iter().map(|added| &added.end);
        for (at, output) in self.outputs.iter().chain(added).enumerate() {
            let mut seen = HashSet::new();
            let mut open = vec![output.value];
            while let Some(value) = open.pop() {
                if !seen.insert(value) {
                    continue;
                }
                if inputs.contains(&value) {
                    used.insert(value);
                    continue;
                }
                match draft.values[value].producer {
                    Some(call) => {
                        needed.insert(call);
                        open.extend(draft.calls[call].inputs.iter().rev());
                    }
                    None => {
                        self.not_connected(ctxt, at, output, &draft.values[value].name);
                        is_connected = false;
                    }
                }
            }
        }
        let sequence = sequence.iter().copied();
        Connected {
            calls: sequence.filter(|call| needed.contains(call)).collect(),
            inputs: is_connected.then_some(used),
        }
    }

    /// An input that is written down serves something.
    pub fn all_used(&self, ctxt: &Ctxt, draft: &Draft, used: &HashSet<ValueId>) {
        for input in &self.inputs {
            if !used.contains(&input.value) {
                let name = &draft.values[input.value].name;
                ctxt.error(
                    input.at,
                    format!(
                        "The input `{name}` is not used: no output of the model depends on it."
                    ),
                );
            }
        }
    }

    fn not_connected(&self, ctxt: &Ctxt, at: usize, output: &End, input: &str) {
        let path = match (&output.key, self.structure) {
            (Some(key), _) => key.to_string(),
            (None, Structure::Single) => String::new(),
            (None, _) => at.to_string(),
        };
        ctxt.error(
            output.at,
            format!(
                "Output with path `{path}` is not connected to `inputs`: it depends on `{input}`, which is not among \
                 the inputs of this Model."
            ),
        );
    }
}
