//! The function of a functional model, run on its inputs.

use std::collections::{HashMap, HashSet};

use syn::Ident;

use super::draft::Draft;
use super::finish::{Plan, finish};
use super::interpret::{Bound, BoundModel, Interpreter};
use super::network::Ends;
use super::{Graph, Kind};
use crate::ctxt::Ctxt;
use crate::names::snake_case;
use crate::parse::At;
use crate::parse::functional::Functional;

/// The methods and fields that a model's struct has anyway.
const TAKEN: &[&str] = &["core", "run", "new", "with_seed", "on", "on_with_seed"];

/// The graph of a functional model.
pub fn graph(ctxt: &Ctxt, function: &Functional) -> Graph {
    let mut draft = Draft::default();
    let mut names = Vec::new();
    for (ident, shape) in &function.inputs {
        if names.iter().any(|(known, _)| known == ident) {
            ctxt.error(ident, format!("There are two inputs named `{ident}`."));
        }
        let value = draft.input(&ident.to_string(), shape.clone());
        names.push((ident.clone(), Bound::Tensor(value, At::of(ident))));
    }
    let inputs: Vec<_> = names.clone();
    let mut interpreter = Interpreter {
        ctxt,
        draft: &mut draft,
        fields: HashMap::new(),
        training: true,
        names,
        models: Vec::new(),
    };
    let end = At::of(&function.head.ident);
    let result = interpreter.body(&function.body, end);
    let bound = std::mem::take(&mut interpreter.models);
    let calls = draft.end_mode();
    let parts = parts(ctxt, bound);
    let stub = || Graph::stub(parts.iter().map(|(ident, _)| ident));
    let (ends, name) = match result {
        Bound::Model(Some(ends), name, _) => (*ends, name),
        Bound::Model(None, ..) | Bound::Invalid => return stub(),
        other => {
            let place = match other {
                Bound::Tensor(_, at) | Bound::Layer(_, at) | Bound::Several(_, _, at) => at,
                _ => end,
            };
            ctxt.error(
                place,
                "The function of a model ends with the model: `Model(inputs, outputs)`.",
            );
            return stub();
        }
    };
    all_inputs(ctxt, &inputs, &ends);
    let name = name.unwrap_or_else(|| snake_case(&function.head.ident.to_string()));
    let whole = Plan::new(name, Kind::Functional, ends);
    finish(ctxt, &draft, [&calls, &calls], &whole, &parts)
}

/// Every parameter is an input of the model, in the order of `Model(..)`; and nothing else is.
fn all_inputs(ctxt: &Ctxt, inputs: &[(Ident, Bound)], ends: &Ends) {
    let mut seen = HashSet::new();
    for end in &ends.inputs {
        let is =
            |(_, bound): &(Ident, Bound)| matches!(bound, Bound::Tensor(v, _) if *v == end.value);
        if !inputs.iter().any(is) {
            ctxt.error(
                end.at,
                "The inputs of the whole model are the parameters of its function.",
            );
        } else if !seen.insert(end.value) {
            ctxt.error(end.at, "This input is there twice.");
        }
    }
    for (ident, bound) in inputs {
        if let Bound::Tensor(value, _) = bound
            && !seen.contains(value)
        {
            ctxt.error(
                ident,
                format!(
                    "The input `{ident}` is not used: it is not among the inputs of `Model(..)`."
                ),
            );
        }
    }
}

/// The models that are bound to names: each is a method of the whole.
fn parts(ctxt: &Ctxt, bound: Vec<BoundModel>) -> Vec<(Ident, Plan)> {
    let mut parts: Vec<(Ident, Plan)> = Vec::new();
    for BoundModel { ident, ends, name } in bound {
        if TAKEN.iter().any(|taken| ident == taken) {
            ctxt.error(
                &ident,
                format!("Every model has something named `{ident}`: give the part another name."),
            );
            continue;
        }
        if parts.iter().any(|(other, _)| *other == ident) {
            ctxt.error(&ident, format!("There are two parts named `{ident}`."));
            continue;
        }
        let name = name.unwrap_or_else(|| crate::names::identifier(&ident.to_string()));
        // Of a part in error there is still its method.
        let ends = ends.unwrap_or_default();
        parts.push((ident, Plan::new(name, Kind::Part, ends)));
    }
    parts
}
