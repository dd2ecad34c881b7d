//! The graph of a model that a file describes.

use super::draft::Draft;
use super::finish::{Plan, finish};
use super::network::{End, Ends};
use super::{Graph, Input, Kind, LayerId, ValueId};
use crate::ctxt::Ctxt;
use crate::parse::keras_file::KerasFile;
use crate::parse::shape::Dim;
use crate::parse::{At, Shape};

/// The graph of the model in a file, with the file's order and names.
pub fn graph(ctxt: &Ctxt, file: &KerasFile) -> Graph {
    let Some(description) = &file.description else {
        return Graph::default();
    };
    let at = At::of(&file.path);
    let mut draft = Draft::default();
    let layers = file.layers.iter();
    let layers: Vec<LayerId> = layers.map(|layer| draft.layer(layer.clone())).collect();
    let inputs = description.inputs.iter();
    let mut values: Vec<ValueId> = inputs
        .map(|input| draft.input(&input.name, shape(input.shape.as_deref())))
        .collect();
    for call in &description.calls {
        let inputs = call.inputs.iter().map(|&input| values[input]).collect();
        let output = draft.call(layers[call.layer], inputs, at);
        draft.name(output, &description.layers[call.layer].name);
        values.push(output);
    }
    let end = |value: &ValueId| End {
        value: values[*value],
        key: None,
        at,
    };
    let inputs: Vec<ValueId> = (0..description.inputs.len()).collect();
    let ends = Ends {
        inputs: inputs.iter().map(end).collect(),
        outputs: (description.outputs.iter())
            .map(|output| end(&output.value))
            .collect(),
        structure: description.structure,
        nesting: None,
        added: Vec::new(),
    };
    let kind = match description.kind {
        keras_config::Kind::Sequential => Kind::Sequential,
        keras_config::Kind::Functional => Kind::Functional,
    };
    let calls = draft.end_mode();
    let plan = Plan {
        is_in_order: true,
        ..Plan::new(description.name.clone(), kind, ends)
    };
    let mut graph = finish(ctxt, &draft, [&calls, &calls], &plan, &[]);
    // Names need not be identifiers here.
    let inputs = graph.whole.inputs.iter_mut().zip(&description.inputs);
    for (Input { name, .. }, input) in inputs {
        name.clone_from(&input.name);
    }
    let outputs = graph.whole.outputs.iter_mut().zip(&description.outputs);
    for (output, described) in outputs {
        output.name.clone_from(&described.name);
    }
    graph
}

fn shape(dims: Option<&[Option<usize>]>) -> Shape {
    let dim = |dim: &Option<usize>| match dim {
        Some(size) => Dim::Size(Box::new(syn::parse_quote! { #size })),
        None => Dim::Unknown,
    };
    Some(dims?.iter().map(dim).collect())
}
