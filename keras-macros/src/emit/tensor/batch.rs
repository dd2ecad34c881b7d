//! What a batch does to the state of a metric: a pass over the rows for each time that everything
//! has to be known before the next thing can be computed.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;
use syn::Expr;

use super::row::{Body, Output, Source, end, start, step};
use super::write::{Uses, is_of_row};
use crate::graph::generated;
use crate::tensor::{Graph, Id, Input, Op, Reduce, Space};

/// How many passes have to be over before each value is known.
fn passes(graph: &Graph) -> Vec<usize> {
    let mut passes = vec![0; graph.nodes.len()];
    for id in 0..graph.nodes.len() {
        let operands = graph.operands(id);
        let pass = operands.iter().map(|x| passes[*x]).max().unwrap_or(0);
        passes[id] = pass + usize::from(matches!(graph.nodes[id].op, Op::Total(..)));
    }
    passes
}

/// What of the state becomes another value.
pub struct Change {
    /// Which of its numbers, or the row of them.
    pub to: Place,
    /// The value.
    pub value: Id,
}

/// A place in the state.
pub enum Place {
    /// A number.
    Number(usize),
    /// A row of numbers.
    Row(Ident),
}

/// The body of `update`; a row of the state has `width` numbers.
pub fn update(
    graph: &Graph,
    sources: &[Source],
    names: &[String; 2],
    width: Option<&Expr>,
    changes: &[Change],
) -> TokenStream {
    let results: Vec<Id> = changes.iter().map(|change| change.value).collect();
    let mut body = Body::new(graph, sources, &names[1], &results, &[]);
    let mut statements = body.given();
    statements.extend(counts(&mut body));
    let needed = (0..graph.nodes.len()).filter(|id| body.writer.is_needed(*id));
    let needed: Vec<Id> = needed.collect();
    let passes = passes(graph);
    let last = needed.iter().map(|id| passes[*id]).max().unwrap_or(0);
    for pass in 0..=last {
        let known = needed.iter().copied().filter(|id| passes[*id] == pass);
        for id in known {
            if is_before_rows(&body, &needed, id) {
                let value = body.writer.value(id);
                let name = body.writer.variable(id);
                statements.extend(quote! { let #name = #value; });
            }
        }
        let totals = needed.iter().filter_map(|id| match graph.nodes[*id].op {
            Op::Total(f, x) if passes[*id] == pass + 1 => Some((*id, f, x)),
            _ => None,
        });
        let totals: Vec<(Id, Reduce, Id)> = totals.collect();
        if !totals.is_empty() {
            statements.extend(over_rows(&mut body, sources, names, width, &totals));
            body.writer.uses = Uses::of(graph, &results, |_| false);
        }
    }
    let mut rows = Vec::new();
    for Change { to, value } in changes {
        match to {
            Place::Number(at) => {
                let at = Literal::usize_unsuffixed(*at);
                let value = body.writer.value(*value);
                statements.extend(quote! { state[#at] = #value; });
            }
            Place::Row(row) => {
                body.row = row.clone();
                let row = row.clone();
                rows.push(Output {
                    value: *value,
                    store: Box::new(move |value| quote! { #row[i] = #value; }),
                });
            }
        }
    }
    let roots: Vec<Id> = rows.iter().map(|output| output.value).collect();
    body.writer.uses = Uses::of(graph, &roots, |id| body.writer.is_known(id));
    statements.extend(body.row(&[], &rows).0);
    statements
}

/// Variables for the number of rows and of elements of a row.
fn counts(body: &mut Body<'_>) -> TokenStream {
    let mut statements = TokenStream::new();
    for (op, name, size) in [
        (Op::Width, "count", quote! { batch.width() }),
        (Op::Rows, "rows", quote! { batch.len() }),
    ] {
        let node = body.graph.nodes.iter().position(|node| node.op == op);
        if let Some(node) = node.filter(|node| body.writer.is_needed(*node)) {
            let name = generated(name);
            statements.extend(quote! { let #name = F::from_usize(#size); });
            body.writer.bound.insert(node, name);
        }
    }
    statements
}

/// Whether a value gets a variable outside of the loops: it is worth one, or a loop reads it.
fn is_before_rows(body: &Body<'_>, needed: &[Id], id: Id) -> bool {
    let graph = body.graph;
    let is_computed = match graph.nodes[id].op {
        Op::Unary(..) | Op::Binary(..) => true,
        Op::Total(..) => return false,
        _ => false,
    };
    let mut readers = needed.iter().filter(|by| {
        graph.space(**by) != Space::Scalar || matches!(graph.nodes[**by].op, Op::Total(..))
    });
    graph.space(id) == Space::Scalar
        && !body.writer.bound.contains_key(&id)
        && (body.writer.is_let(id)
            || is_computed && readers.any(|by| graph.operands(*by).contains(&id)))
}

/// The loop over the rows, which takes these values together.
fn over_rows(
    body: &mut Body<'_>,
    sources: &[Source],
    names: &[String; 2],
    width: Option<&Expr>,
    totals: &[(Id, Reduce, Id)],
) -> TokenStream {
    let graph = body.graph;
    let before = body.writer.bound.clone();
    let variables = totals.iter().map(|(id, ..)| body.writer.variable(*id));
    let variables: Vec<Ident> = variables.collect();
    let after = std::mem::replace(&mut body.writer.bound, before);
    let roots: Vec<Id> = totals.iter().map(|(_, _, x)| *x).collect();
    body.writer.uses = Uses::of(graph, &roots, |id| body.writer.is_known(id));
    let is_needed = |input: Input| {
        let mut nodes = 0..graph.nodes.len();
        nodes.any(|id| body.writer.is_needed(id) && graph.nodes[id].op == Op::Input(input))
    };
    let [y_true, y_pred] = [0, 1].map(|at| generated(&names[at]));
    let y_true = if is_needed(Input::YTrue) {
        quote! { #y_true }
    } else {
        quote! { _ }
    };
    let weight = sources
        .iter()
        .find(|source| source.input == Input::SampleWeight);
    let weight = weight
        .filter(|source| is_needed(source.input))
        .map(|source| {
            let name = generated(&source.name);
            quote! { let #name = batch.weight(row); }
        });
    let mut starts = TokenStream::new();
    let (mut of_rows, mut of_elements) = (Vec::new(), Vec::new());
    let mut steps = Vec::new();
    for ((id, f, x), name) in totals.iter().zip(&variables) {
        let first = start(*f);
        if graph.space(*id) == Space::Channel {
            starts.extend(quote! { let mut #name = [#first; #width]; });
            let (f, name) = (*f, name.clone());
            of_elements.push(Output {
                value: *x,
                store: Box::new(move |value| step(f, quote! { #name[i] }, value)),
            });
            continue;
        }
        starts.extend(quote! { let mut #name = #first; });
        if is_of_row(graph, *x) {
            of_rows.push(*x);
            steps.push((*f, name));
            continue;
        }
        let (f, name) = (*f, name.clone());
        of_elements.push(Output {
            value: *x,
            store: Box::new(move |value| step(f, name.clone(), value)),
        });
    }
    let (statements, values) = body.row(&of_rows, &of_elements);
    let steps = steps.iter().zip(values);
    let steps = steps.map(|((f, name), value)| step(*f, name, value));
    let ends = totals.iter().zip(&variables);
    let ends = ends.map(|((_, f, _), name)| end(*f, name));
    body.writer.bound = after;
    for ((id, ..), name) in totals.iter().zip(&variables) {
        if graph.space(*id) == Space::Channel {
            body.writer.bound.remove(id);
            body.writer.arrays.push((*id, name.clone()));
        }
    }
    quote! {
        #starts
        for row in 0..batch.len() {
            let (#y_true, #y_pred) = batch.row(row);
            #weight
            #statements
            #(#steps)*
        }
        #(#ends)*
    }
}
