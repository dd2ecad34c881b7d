//! `call` of a subclassed model, run once for training and once for inference.

use std::collections::HashMap;

use proc_macro2::Span;
use quote::format_ident;
use syn::Ident;

use super::draft::Draft;
use super::finish::{Plan, finish};
use super::interpret::{Bound, Interpreter};
use super::sequential::chain;
use super::{Graph, Kind, LayerId, Structure};
use crate::ctxt::Ctxt;
use crate::names::snake_case;
use crate::parse::At;
use crate::parse::call::Pattern;
use crate::parse::subclassed::{Declared, Implemented, Parameter};

/// The graph of a struct with its `call`.
pub fn graph(ctxt: &Ctxt, declared: &Declared, implemented: &Implemented) -> Graph {
    let mut draft = Draft::default();
    let fields = fields(&mut draft, declared);
    let parameters = inputs(ctxt, &mut draft, declared, &implemented.parameters);
    let Some(call) = &implemented.call else {
        return Graph::default();
    };
    let at = At::of(&declared.head.ident);
    let mut modes = [true, false].map(|training| {
        let mut interpreter = Interpreter {
            ctxt,
            draft: &mut draft,
            fields: fields.clone(),
            training,
            names: Vec::new(),
            models: Vec::new(),
        };
        for (parameter, bound) in implemented.parameters.iter().zip(&parameters) {
            interpreter.bind(&parameter.pattern, bound.clone());
        }
        let outputs = interpreter.body(call, at);
        let bound = parameters.iter().map(|bound| (None, bound.clone()));
        let inputs = Bound::Several(Structure::Tuple, bound.collect(), at);
        let ends = interpreter.ends(inputs, outputs);
        (ends, draft.end_mode())
    });
    let [(training, training_calls), (inference, inference_calls)] = &mut modes;
    let (Some(training), Some(inference)) = (training.take(), inference.take()) else {
        return Graph::default();
    };
    if (training.structure, training.outputs.len())
        != (inference.structure, inference.outputs.len())
    {
        ctxt.error(
            training.outputs.first().map_or(at, |output| output.at),
            format!(
                "`call` gives {} outputs in training and {} in inference. A model has the same outputs in both.",
                training.outputs.len(),
                inference.outputs.len()
            ),
        );
        return Graph::default();
    }
    let plan = Plan {
        name: snake_case(&declared.head.ident.to_string()),
        kind: Kind::Subclassed,
        training,
        inference,
    };
    finish(ctxt, &draft, [training_calls, inference_calls], &plan, &[])
}

/// The graph of a struct whose layers follow each other.
pub fn in_order(ctxt: &Ctxt, declared: &Declared) -> Graph {
    let mut draft = Draft::default();
    let shape = match declared.inputs.as_deref() {
        Some([shape]) => shape.clone(),
        None => None,
        Some(_) => {
            ctxt.error(
                &declared.head.ident,
                "Layers in order have one input: `input = [3]`.",
            );
            return Graph::default();
        }
    };
    let layers = declared.fields.iter();
    let layers: Vec<(LayerId, At)> = layers
        .map(|(field, layer)| (draft.field(field, layer.clone()), At::of(field)))
        .collect();
    if layers.is_empty() {
        ctxt.error(&declared.head.ident, "The model has no layers.");
    }
    chain(
        ctxt,
        draft,
        &declared.head,
        Kind::Subclassed,
        shape,
        &layers,
    )
}

fn fields(draft: &mut Draft, declared: &Declared) -> HashMap<String, LayerId> {
    let layers = declared.fields.iter();
    layers
        .map(|(field, layer)| (field.to_string(), draft.field(field, layer.clone())))
        .collect()
}

/// The inputs of the model, and what the parameters of `call` are bound to.
fn inputs(
    ctxt: &Ctxt,
    draft: &mut Draft,
    declared: &Declared,
    parameters: &[Parameter],
) -> Vec<Bound> {
    let count: usize = parameters.iter().map(|p| p.several.unwrap_or(1)).sum();
    let shapes = declared.inputs.as_ref();
    if let Some(shapes) = shapes
        && shapes.len() != count
        && count > 0
    {
        ctxt.error(
            &declared.head.ident,
            format!(
                "`input` declares {} shapes, and `call` takes {count} tensors.",
                shapes.len()
            ),
        );
    }
    let mut shapes = shapes.into_iter().flatten().cloned();
    let mut input = |name: &Ident| {
        let value = draft.input(&name.to_string(), shapes.next().flatten());
        Bound::Tensor(value, At::of(name))
    };
    let mut bind = |parameter: &Parameter| {
        let mut inputs = names(parameter).iter().map(&mut input).collect::<Vec<_>>();
        match (parameter.several, inputs.pop()) {
            (None, Some(tensor)) => tensor,
            (_, last) => {
                let items = inputs.into_iter().chain(last).map(|input| (None, input));
                Bound::Several(Structure::Tuple, items.collect(), parameter.at)
            }
        }
    };
    parameters.iter().map(&mut bind).collect()
}

/// The names of the inputs that a parameter stands for.
fn names(parameter: &Parameter) -> Vec<Ident> {
    let of = |pattern: &Pattern| match pattern {
        Pattern::Name(name) => name.clone(),
        _ => Ident::new("inputs", Span::call_site()),
    };
    match (parameter.several, &parameter.pattern) {
        (None, pattern) => vec![of(pattern)],
        (Some(count), Pattern::Several(patterns, _)) if patterns.len() == count => {
            patterns.iter().map(of).collect()
        }
        (Some(count), pattern) => {
            let base = of(pattern);
            (0..count).map(|at| format_ident!("{base}_{at}")).collect()
        }
    }
}
