//! Layers one after the other.

use super::draft::Draft;
use super::finish::{Plan, finish};
use super::network::{End, Ends};
use super::{Graph, Kind, Structure};
use crate::ctxt::Ctxt;
use crate::names::snake_case;
use crate::parse::sequential::Sequential;
use crate::parse::{At, Head};

/// The graph of a sequential model.
pub fn graph(ctxt: &Ctxt, head: &Head, sequential: &Sequential) -> Graph {
    let mut draft = Draft::default();
    let input = draft.input("x", sequential.input.clone());
    let mut value = input;
    for layer in &sequential.layers {
        let at = layer.at;
        let layer = draft.layer(layer.clone());
        value = draft.call(layer, vec![value], at);
    }
    let name = snake_case(&head.ident.to_string());
    let whole = at_head(head);
    if sequential.layers.is_empty() && !ctxt.has_errors() {
        // Keras says so when the model is built.
        ctxt.error(
            whole,
            format!("Sequential model {name} cannot be built because it has no layers."),
        );
    }
    let end = |value| End {
        value,
        key: None,
        at: whole,
    };
    let ends = Ends {
        inputs: vec![end(input)],
        outputs: vec![end(value)],
        structure: Structure::Single,
    };
    let calls = draft.end_mode();
    let plan = Plan {
        name,
        kind: Kind::Sequential,
        training: ends.clone(),
        inference: ends,
    };
    finish(ctxt, &draft, [&calls, &calls], &plan, &[])
}

fn at_head(head: &Head) -> At {
    At::of(&head.ident)
}
