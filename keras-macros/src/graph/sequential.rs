//! Layers one after the other.

use std::collections::HashMap;

use syn::Ident;

use super::bound::Bound;
use super::draft::Draft;
use super::finish::{Plan, finish};
use super::interpret::Interpreter;
use super::network::{End, Ends};
use super::{Graph, Kind, LayerId, Structure};
use crate::ctxt::Ctxt;
use crate::names::snake_case;
use crate::parse::call::Expression;
use crate::parse::sequential::{Entry, Sequential};
use crate::parse::{At, Head, Shape};

/// The name of what the layers so far give, in what is added between them.
const OUTPUT: &str = "x";

/// A link of a chain.
pub enum Link<'a> {
    /// A layer that is called where the user wrote it.
    Layer(LayerId, At),
    /// What is added to the loss or the logs.
    Added(&'a Expression),
}

/// The graph of a sequential model.
pub fn graph(ctxt: &Ctxt, head: &Head, sequential: &Sequential) -> Graph {
    let mut draft = Draft::default();
    let entries = sequential.entries.iter();
    let links: Vec<Link<'_>> = entries
        .map(|entry| match entry {
            Entry::Layer(layer) => Link::Layer(draft.layer((**layer).clone()), layer.at),
            Entry::Added(added) => Link::Added(added),
        })
        .collect();
    if draft.layers.is_empty() && !ctxt.has_errors() {
        // Keras says so when the model is built.
        let name = snake_case(&head.ident.to_string());
        ctxt.error(
            &head.ident,
            format!("Sequential model {name} cannot be built because it has no layers."),
        );
    }
    let shape = sequential.input.clone();
    chain(ctxt, draft, head, Kind::Sequential, shape, &links)
}

/// Layers called one after the other, with what is added between them.
pub fn chain(
    ctxt: &Ctxt,
    mut draft: Draft,
    head: &Head,
    kind: Kind,
    shape: Shape,
    links: &[Link<'_>],
) -> Graph {
    let input = draft.input(OUTPUT, shape);
    let mut output = input;
    for link in links {
        match *link {
            Link::Layer(layer, at) => output = draft.call(layer, vec![output], at),
            Link::Added(added) => {
                let at = added.at;
                let name = Ident::new(OUTPUT, at.start);
                let mut interpreter = Interpreter {
                    ctxt,
                    draft: &mut draft,
                    fields: HashMap::new(),
                    training: true,
                    names: vec![(name, Bound::Tensor(output, at))],
                    models: Vec::new(),
                    rounds: 0,
                };
                interpreter.expression(added);
            }
        }
    }
    let end = |value| End {
        value,
        key: None,
        at: At::of(&head.ident),
    };
    let ends = Ends {
        inputs: vec![end(input)],
        outputs: vec![end(output)],
        structure: Structure::Single,
        nesting: None,
        added: std::mem::take(&mut draft.added),
    };
    let calls = draft.end_mode();
    let plan = Plan::new(snake_case(&head.ident.to_string()), kind, ends);
    finish(ctxt, &draft, [&calls, &calls], &plan, &[])
}
