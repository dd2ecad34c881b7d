//! `call` of a subclassed model, run once for training and once for inference.

use std::collections::HashMap;

use proc_macro2::Span;
use quote::format_ident;
use syn::Ident;

use super::bound::{Bound, ends};
use super::draft::Draft;
use super::finish::{Plan, finish};
use super::interpret::Interpreter;
use super::network::Ends;
use super::sequential::{Link, chain};
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
            rounds: 0,
        };
        for (parameter, bound) in implemented.parameters.iter().zip(&parameters) {
            interpreter.bind(&parameter.pattern, bound.clone());
        }
        let outputs = interpreter.body(call, at);
        let bound = parameters.iter().map(|bound| (None, bound.clone()));
        let inputs = Bound::Several(Structure::Tuple, bound.collect(), at);
        let added = std::mem::take(&mut draft.added);
        let ends = ends(ctxt, inputs, outputs).map(|ends| Ends { added, ..ends });
        (ends, draft.end_mode())
    });
    let [(training, training_calls), (inference, inference_calls)] = &mut modes;
    let (Some(training), Some(inference)) = (training.take(), inference.take()) else {
        return Graph::default();
    };
    if (
        training.structure,
        training.outputs.len(),
        &training.nesting,
    ) != (
        inference.structure,
        inference.outputs.len(),
        &inference.nesting,
    ) {
        let (in_training, in_inference) = (training.outputs.len(), inference.outputs.len());
        let how = if in_training == in_inference {
            "puts its outputs together in another way in training than in inference".to_string()
        } else {
            format!("gives {in_training} outputs in training and {in_inference} in inference")
        };
        ctxt.error(
            training.outputs.first().map_or(at, |output| output.at),
            format!("`call` {how}. A model has the same outputs in both."),
        );
        return Graph::default();
    }
    let plan = Plan {
        is_in_order: true,
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
    let shape = match declared.options.inputs.as_deref() {
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
    let links: Vec<Link<'_>> = layers
        .map(|(field, layer)| Link::Layer(draft.field(field, layer.clone()), At::of(field)))
        .collect();
    if links.is_empty() {
        ctxt.error(&declared.head.ident, "The model has no layers.");
    }
    chain(ctxt, draft, &declared.head, Kind::Subclassed, shape, &links)
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
    let shapes = declared.options.inputs.as_ref();
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

#[cfg(test)]
mod tests {
    use super::super::modes::{Group, merge};
    use super::*;

    fn graph_of(arguments: &str, parameters: &str, call: &str) -> (Graph, Vec<String>) {
        let ctxt = Ctxt::new();
        let item = "struct Net { #[layer(4)] a: Dense, #[layer(4)] b: Dense, #[layer(0.5)] drop: Dropout }";
        let item = syn::parse_str(item).unwrap();
        let declared = Declared::parse(&ctxt, arguments.parse().unwrap(), &item);
        let implementation =
            format!("impl Net {{ fn call(&self, {parameters}) -> Tensor {{ {call} }} }}");
        let implementation = syn::parse_str(&implementation).unwrap();
        let implemented = Implemented::parse(&ctxt, &implementation);
        let graph = graph(&ctxt, &declared, &implemented);
        (graph, ctxt.messages())
    }

    /// The names of the values of each group of calls.
    fn groups(graph: &Graph) -> Vec<String> {
        let name = |call: &usize| graph.values[graph.calls[*call].output].name.clone();
        let names = |calls: &[usize]| calls.iter().map(name).collect::<Vec<_>>().join(" ");
        merge(&graph.whole.training, &graph.whole.inference)
            .iter()
            .map(|group| match group {
                Group::Always(call) => name(call),
                Group::Either {
                    training,
                    inference,
                } => format!("{} | {}", names(training), names(inference)),
            })
            .collect()
    }

    #[test]
    fn what_only_training_does_is_apart() {
        let (graph, messages) = graph_of(
            "input = [3]",
            "x: Tensor, training: bool",
            "let y = self.a(x); let z = if training { self.drop(y) } else { y }; self.b(z)",
        );
        assert_eq!(messages, [""; 0]);
        assert_eq!(groups(&graph), ["y", "z h1 | h2"]);
        let output = &graph.whole.outputs[0];
        assert_eq!(output.name, "b");
        assert_ne!(output.training, output.inference);
        let layers: Vec<&str> = graph
            .layers
            .iter()
            .map(|layer| layer.name.as_str())
            .collect();
        assert_eq!(layers, ["a", "b", "drop"]);
    }

    #[test]
    fn equal_calls_of_both_modes_are_one() {
        let (graph, messages) = graph_of(
            "input = [3]",
            "x: Tensor, training: bool",
            "let mut y = self.a(x); if !training { y = self.a(x) + y; } self.b(x) * self.b(x)",
        );
        assert_eq!(messages, [""; 0]);
        // `b` is called twice on the same values in each mode: two calls, not four.
        assert_eq!(graph.calls.len(), 3);
        assert_eq!(groups(&graph), ["h1", "h2", "h3"]);
    }

    #[test]
    fn several_inputs_have_several_shapes() {
        for (parameters, inputs) in [
            ("x: Tensor, y: Tensor", ["x", "y"]),
            ("(x, y): (Tensor, Tensor)", ["x", "y"]),
            ("all: [Tensor; 2]", ["all_0", "all_1"]),
        ] {
            let call = if parameters.starts_with("all") {
                "let (x, y) = all; x + y"
            } else {
                "x + y"
            };
            let (graph, messages) = graph_of("input = ([3], [3])", parameters, call);
            assert_eq!(messages, [""; 0]);
            let names: Vec<&str> = graph.whole.inputs.iter().map(|i| i.name.as_str()).collect();
            assert_eq!(names, inputs);
        }
        let (_, messages) = graph_of("input = [3]", "x: Tensor, y: Tensor", "x + y");
        assert_eq!(
            messages,
            ["`input` declares 1 shapes, and `call` takes 2 tensors."]
        );
    }

    #[test]
    fn each_mistake_has_its_sentence() {
        for (call, message) in [
            (
                "self.c(x)",
                "The model has no layer `c`. Its layers: a, b, drop",
            ),
            (
                "self.a(training)",
                "`training` is no tensor; it is the condition of `if training`.",
            ),
            (
                "if x { x } else { x }",
                "The only condition that a model knows is `training`.",
            ),
            (
                "Dense(3)(x)",
                "The layers of this model are the fields of its struct: declare it there and call `self.name(x)`.",
            ),
            (
                "if training { (x, x) } else { x }",
                "`call` gives 2 outputs in training and 1 in inference. A model has the same outputs in both.",
            ),
            (
                "for _ in 0..N { x = self.a(x); } x",
                "A loop of a model is over a constant range of at most 10000 rounds, such as `0..3`. Received: 0 .. N",
            ),
            (
                "self.a(x);",
                "A tensor is expected here. Received: a block that ends without a value",
            ),
            (
                "return x;",
                "`return` is not part of the model language. Allowed are `let`, calls of the struct's layers such as `self.dense(x)`, `+`, `-` and `*` on tensors, tuples, arrays, `if training` and loops over a constant range.",
            ),
            (
                "self.a(x, training = true)",
                "A layer runs in the mode of the model; write `if training` around its call.",
            ),
        ] {
            let (_, messages) = graph_of("input = [3]", "x: Tensor, training: bool", call);
            assert_eq!(messages, [message], "{call}");
        }
    }
}
