//! Layers one after the other.

use super::draft::Draft;
use super::finish::{Plan, finish};
use super::network::{End, Ends};
use super::{Graph, Kind, LayerId, Structure};
use crate::ctxt::Ctxt;
use crate::names::snake_case;
use crate::parse::sequential::Sequential;
use crate::parse::{At, Head, Shape};

/// The graph of a sequential model.
pub fn graph(ctxt: &Ctxt, head: &Head, sequential: &Sequential) -> Graph {
    let mut draft = Draft::default();
    let layers = sequential.layers.iter();
    let layers: Vec<(LayerId, At)> = layers
        .map(|layer| (draft.layer(layer.clone()), layer.at))
        .collect();
    if layers.is_empty() && !ctxt.has_errors() {
        // Keras says so when the model is built.
        let name = snake_case(&head.ident.to_string());
        ctxt.error(
            &head.ident,
            format!("Sequential model {name} cannot be built because it has no layers."),
        );
    }
    let shape = sequential.input.clone();
    chain(ctxt, draft, head, Kind::Sequential, shape, &layers)
}

/// Layers called one after the other, each where the user wrote it.
pub fn chain(
    ctxt: &Ctxt,
    mut draft: Draft,
    head: &Head,
    kind: Kind,
    shape: Shape,
    layers: &[(LayerId, At)],
) -> Graph {
    let input = draft.input("x", shape);
    let output = layers.iter().fold(input, |value, &(layer, at)| {
        draft.call(layer, vec![value], at)
    });
    let end = |value| End {
        value,
        key: None,
        at: At::of(&head.ident),
    };
    let ends = Ends {
        inputs: vec![end(input)],
        outputs: vec![end(output)],
        structure: Structure::Single,
        added: Vec::new(),
    };
    let calls = draft.end_mode();
    let plan = Plan::new(snake_case(&head.ident.to_string()), kind, ends);
    finish(ctxt, &draft, [&calls, &calls], &plan, &[])
}
