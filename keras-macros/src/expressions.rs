//! The entry points of what is described by expressions: all stages, one after the other.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, ItemFn};

use crate::ctxt::Ctxt;
use crate::emit;
use crate::parse::loss::Loss;
use crate::parse::tensor::{Binary, InputKind, Setting};
use crate::tensor::derive::gradients;
use crate::tensor::{Graph, Id, Input, Lowered, Op, Reduce, Scope, Space, Unary, lower};

#[cfg(test)]
mod tests;

/// `#[loss]`.
pub fn loss(keras: &TokenStream, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function: ItemFn = match syn::parse2(item) {
        Ok(Item::Fn(function)) => function,
        Ok(other) => {
            let message = "`#[loss]` belongs on a function of targets and predictions.";
            return syn::Error::new_spanned(other, message).to_compile_error();
        }
        Err(error) => return error.to_compile_error(),
    };
    let ctxt = Ctxt::new();
    let loss = Loss::parse(&ctxt, "loss", arguments, &function);
    let mut graph = Graph::default();
    let derived = derived_loss(&ctxt, &mut graph, &loss);
    let derived = derived.filter(|_| !ctxt.has_errors());
    let derived = derived.map(|(value, gradient)| (&graph, value, gradient));
    let (errors, emitted) = (
        ctxt.compile_errors(),
        emit::tensor::loss(keras, &loss, derived),
    );
    quote! { #errors #emitted }
}

/// The value of a row, and the gradient of its elements.
fn derived_loss(ctxt: &Ctxt, graph: &mut Graph, loss: &Loss) -> Option<(Id, Id)> {
    let value = value_of_row(ctxt, graph, "loss", loss)?;
    let y_pred = graph.input(Input::YPred, Space::Elements);
    // Of a mean of pairs the gradient of one pair is enough.
    let (result, seed) = match emit::tensor::pairs(graph, value) {
        Some(pair) => (pair, graph.number(1.0)),
        None => (value, graph.input(Input::Factor, Space::Scalar)),
    };
    let gradient = gradients(ctxt, graph, result, seed, &[y_pred]);
    let gradient = gradient.first().copied().flatten();
    if gradient.is_none() && !ctxt.has_errors() {
        let name = loss
            .inputs
            .get(1)
            .map_or(String::new(), |input| input.ident.to_string());
        ctxt.error(
            &loss.head.ident,
            format!("The loss has no gradient with regard to `{name}`: training could not make it smaller."),
        );
    }
    Some((value, gradient?))
}

/// The value of a row of a function, or of each of its elements.
fn value_of_row(ctxt: &Ctxt, graph: &mut Graph, what: &'static str, function: &Loss) -> Option<Id> {
    let mut scope = Scope {
        what,
        ..Scope::default()
    };
    let tensors = function
        .inputs
        .iter()
        .filter(|input| input.kind == InputKind::Tensor);
    for (parameter, input) in tensors.zip([Input::YTrue, Input::YPred]) {
        let id = graph.input(input, Space::Elements);
        scope.names.insert(parameter.ident.to_string(), id);
    }
    for (name, id) in settings(graph, &function.settings) {
        scope.names.insert(name, id);
    }
    let value = match lower(ctxt, graph, &mut scope, &function.body)? {
        Lowered::Value(value) => value,
        Lowered::Dict(_) => {
            ctxt.error(
                &function.head.ident,
                format!("A {what} that is a function has one value, and no `Dict` of them."),
            );
            return None;
        }
    };
    let value = graph.unary(Unary::Number, value);
    if graph.space(value) == Space::Elements && emit::tensor::pairs(graph, value).is_none() {
        // One value for each element of a row that has to be seen as a whole: their mean.
        let sum = graph.reduce(Reduce::Sum, value, Space::Row);
        let width = graph.node(Op::Width, Space::Scalar);
        return Some(graph.binary(Binary::Div, sum, width));
    }
    Some(value)
}

/// What configures, by name.
fn settings(graph: &mut Graph, settings: &[Setting]) -> Vec<(String, Id)> {
    let ids = settings.iter().enumerate().map(|(at, setting)| {
        let id = if setting.is_flag {
            graph.flag_setting(at)
        } else {
            graph.input(Input::Setting(at), Space::Scalar)
        };
        (setting.ident.to_string(), id)
    });
    ids.collect()
}
