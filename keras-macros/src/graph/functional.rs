//! The function of a functional model, run on its inputs.

use std::collections::{HashMap, HashSet};

use syn::Ident;

use super::bound::{Bound, BoundModel};
use super::draft::Draft;
use super::finish::{Plan, finish};
use super::interpret::Interpreter;
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
        rounds: 0,
    };
    let end = At::of(&function.head.ident);
    let result = interpreter.body(&function.body, end);
    let bound = std::mem::take(&mut interpreter.models);
    let calls = draft.end_mode();
    let added = std::mem::take(&mut draft.added);
    let parts = parts(ctxt, bound);
    let stub = || Graph::stub(parts.iter().map(|(ident, _)| ident));
    let (ends, name) = match result {
        Bound::Model(Some(ends), name, _) => (Ends { added, ..*ends }, name),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn graph_of(function: &str) -> (Graph, Vec<String>) {
        let ctxt = Ctxt::new();
        let function = syn::parse_str(function).unwrap();
        let function = Functional::parse(&ctxt, Default::default(), &function).unwrap();
        let graph = graph(&ctxt, &function);
        (graph, ctxt.messages())
    }

    fn names(graph: &Graph) -> [Vec<&str>; 3] {
        let layers = graph.layers.iter().map(|layer| layer.name.as_str());
        let values = graph.values.iter().map(|value| value.name.as_str());
        let outputs = graph
            .whole
            .outputs
            .iter()
            .map(|output| output.name.as_str());
        [layers.collect(), values.collect(), outputs.collect()]
    }

    #[test]
    fn layers_are_listed_as_keras_lists_them() {
        let (graph, messages) = graph_of(
            "fn two_heads(image: Input<28, 28, 1>, meta: Input<4>) -> TwoHeads {
                let shared = Dense(32);
                let a = shared(Flatten()(image));
                let b = shared(Dense(784)(meta));
                let joined = Concatenate()([a, b]);
                let class = Dense(10, name = \"class\")(joined);
                let score = Dense(1, name = \"score\")(a + b);
                Model((image, meta), Dict { class, points: score })
            }",
        );
        assert_eq!(messages, [""; 0]);
        let [layers, values, outputs] = names(&graph);
        let expected = [
            "flatten",
            "dense_1",
            "dense",
            "concatenate",
            "add",
            "class",
            "score",
        ];
        assert_eq!(layers, expected);
        let expected = [
            "image", "meta", "h1", "a", "h2", "b", "joined", "class", "h3", "score",
        ];
        assert_eq!(values, expected);
        assert_eq!(outputs, ["class", "points"]);
    }

    #[test]
    fn an_output_is_named_by_its_layer() {
        let (graph, messages) = graph_of(
            "fn shared(x: Input<3>) -> Shared {
                let d = Dense(2, name = \"out\");
                Model(x, [d(x), d(x)])
            }",
        );
        assert_eq!(messages, [""; 0]);
        assert_eq!(names(&graph)[2], ["out", "out_1"]);
        assert_eq!(graph.whole.structure, crate::graph::Structure::List);
        assert_eq!(graph.layers.len(), 1);
    }

    #[test]
    fn what_no_output_needs_goes() {
        let (graph, messages) = graph_of(
            "fn f(x: Input) -> F {
                let mut y = x;
                for _ in 0..=1 { y = Dense(3)(y); }
                let y = { let z = Dense(3)(y); Dense(4)(x); z };
                Model(x, y)
            }",
        );
        assert_eq!(messages, [""; 0]);
        assert_eq!(names(&graph)[0], ["dense", "dense_1", "dense_2"]);
    }

    #[test]
    fn parts_have_the_numbers_of_the_whole() {
        let (graph, messages) = graph_of(
            "fn f(x: Input<3>) -> F {
                let a = Dense(3)(x);
                let b = Dense(3)(a);
                let part = Model(inputs = a, outputs = b, name = \"p\");
                Model(x, b)
            }",
        );
        assert_eq!(messages, [""; 0]);
        let part = &graph.parts[0].network;
        assert_eq!((part.name.as_str(), part.inputs[0].value), ("p", 1));
        assert_eq!(
            (&graph.whole.training, &part.training),
            (&vec![0, 1], &vec![1])
        );
    }

    #[test]
    fn each_mistake_has_its_sentence() {
        for (body, message) in [
            (
                "Model(x, Dense(2)(z))",
                "`z` is not defined here. Known tensors: x, y",
            ),
            (
                "let a = Dense(2)(x); Model(x, a)",
                "The input `y` is not used: it is not among the inputs of `Model(..)`.",
            ),
            (
                "let a = Dense(2)(x); Model((x, y), a)",
                "The input `y` is not used: no output of the model depends on it.",
            ),
            (
                "Model((x, y), Dense(2)(x) + y + 1)",
                "A number is no tensor; `Rescaling(scale, offset)` is the layer that multiplies by numbers and adds them.",
            ),
            (
                "Model((x, y), Dense(2) + x)",
                "A tensor is expected here. Received: a layer, which is yet to be called: `Dense(10)(x)`",
            ),
            (
                "let p = Model(x, x + y); Model((x, y), x + y)",
                "Output with path `` is not connected to `inputs`: it depends on `y`, which is not among the inputs of this Model.",
            ),
            (
                "let p = Model(x, Dense(2)(x)); Model((x, y), x + y)",
                "`p` calls the layer `dense` where the model does not: its last `Model(..)` has to depend on every layer call of its parts.",
            ),
            (
                "let a = Dense(2, name = \"same\")(x); let b = Dense(2, name = \"same\")(y); Model((x, y), a + b)",
                "The name \"same\" is used 2 times in the model. All operation names should be unique.",
            ),
            (
                "let (a, b) = x + y; Model((x, y), a)",
                "Expected 2 values for these names. Received: one value",
            ),
            (
                "for _ in 0..9999 { for _ in 0..9999 { } } Model((x, y), x + y)",
                "The loops of a model have at most 100000 rounds in all.",
            ),
            (
                "x + y",
                "The function of a model ends with the model: `Model(inputs, outputs)`.",
            ),
            (
                "let new = Model((x, y), x + y); new",
                "Every model has something named `new`: give the part another name.",
            ),
        ] {
            let (_, messages) =
                graph_of(&format!("fn f(x: Input<3>, y: Input<3>) -> F {{ {body} }}"));
            assert_eq!(messages, [message], "{body}");
        }
    }
}
