//! The entry points of what is described by expressions: all stages, one after the other.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Item, ItemFn};

use crate::ctxt::Ctxt;
use crate::emit;
use crate::emit::tensor::{Computed, Derived};
use crate::handover;
use crate::names::snake_case;
use crate::parse::loss::Loss;
use crate::parse::metric::Metric;
use crate::parse::row_layer::RowLayer;
use crate::parse::tensor::{self, Binary, InputKind, Setting};
use crate::parse::weighted::{Size, Weight, Weighted};
use crate::tensor::derive::gradients;
use crate::tensor::{Graph, Id, Input, Lowered, Op, Reduce, Scope, Space, Unary, lower};

#[cfg(test)]
mod tests;

/// The macro of both halves of a metric with weights.
const METRIC: &str = "__metric_impl";

/// The macro of both halves of a layer.
const LAYER: &str = "__layer_impl";

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

/// `#[metric]`: on a function, a struct or an impl.
pub fn metric(keras: &TokenStream, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    match syn::parse2::<Item>(item) {
        Ok(Item::Fn(function)) => mean_metric(keras, arguments, &function),
        Ok(Item::Struct(item)) => {
            let declared = Weighted::parse(&ctxt, "metric", arguments.clone(), &item);
            let errors = ctxt.compile_errors();
            let structure = emit::tensor::structure(keras, &declared.head, &declared.settings);
            let handed_over = handover::offer(keras, METRIC, &arguments, &item);
            quote! { #errors #structure #handed_over }
        }
        Ok(Item::Impl(item)) => {
            if !arguments.is_empty() {
                ctxt.error(arguments, "`#[metric]` on an impl takes no arguments.");
            }
            let taken_over = handover::accept(&ctxt, METRIC, "metric", &item);
            let errors = ctxt.compile_errors();
            quote! { #errors #taken_over }
        }
        Ok(other) => syn::Error::new_spanned(
            other,
            "`#[metric]` belongs on a function of targets and predictions, on a struct with weights, or on the impl of \
             such a struct.",
        )
        .to_compile_error(),
        Err(error) => error.to_compile_error(),
    }
}

fn mean_metric(keras: &TokenStream, arguments: TokenStream, function: &ItemFn) -> TokenStream {
    let ctxt = Ctxt::new();
    let metric = Loss::parse(&ctxt, "metric", arguments, function);
    let mut graph = Graph::default();
    let value = value_of_row(&ctxt, &mut graph, "metric", &metric);
    let value = value.filter(|_| !ctxt.has_errors());
    let value = value.map(|value| (&graph, value));
    let (errors, emitted) = (
        ctxt.compile_errors(),
        emit::tensor::mean(keras, &metric, value),
    );
    quote! { #errors #emitted }
}

/// Both halves of a metric with weights.
pub fn metric_impl(keras: &TokenStream, tokens: TokenStream) -> TokenStream {
    let (arguments, item, implementation) = match handover::halves(tokens) {
        Ok(halves) => halves,
        Err(error) => return error.to_compile_error(),
    };
    // Errors in the struct have been reported by its own macro.
    let of_struct = Ctxt::new();
    let declared = Weighted::parse(&of_struct, "metric", arguments, &item);
    let ctxt = Ctxt::new();
    let metric = Metric::parse(&ctxt, &implementation);
    let computed = metric
        .as_ref()
        .filter(|_| !of_struct.has_errors())
        .and_then(|metric| computed_metric(&ctxt, &declared, metric));
    let parts = metric.as_ref().zip(computed.as_ref());
    let parts = parts.filter(|_| !ctxt.has_errors());
    let name = snake_case(&declared.head.ident.to_string());
    let emitted = emit::tensor::with_weights(keras, &declared, &name, parts);
    let errors = ctxt.compile_errors();
    quote! { #errors #emitted }
}

fn computed_metric(ctxt: &Ctxt, declared: &Weighted, metric: &Metric) -> Option<Computed> {
    check_widths(ctxt, declared);
    let first = declared
        .weights
        .iter()
        .map(|weight| weight.first_value(ctxt));
    let mut computed = Computed {
        first: first.collect::<Option<_>>()?,
        ..Computed::default()
    };
    let fields = |graph: &mut Graph| {
        let mut fields = settings(graph, &declared.settings);
        for (at, weight) in declared.weights.iter().enumerate() {
            let id = state_of(graph, at, weight);
            fields.push((weight.ident.to_string(), id));
        }
        fields.into_iter().collect()
    };
    let state: Vec<String> = declared
        .weights
        .iter()
        .map(|weight| weight.ident.to_string())
        .collect();
    let weight = metric
        .inputs
        .iter()
        .find(|input| input.kind == InputKind::Optional);
    let graph = &mut computed.update;
    let mut scope = Scope {
        what: "metric",
        names: tensors(graph, &metric.inputs),
        fields: fields(graph),
        state: state.clone(),
        sample_weight: weight.map(|input| input.ident.to_string()),
        has_totals: true,
        has_vectors: declared.weights.iter().any(Weight::is_vector),
    };
    lower(ctxt, graph, &mut scope, &metric.update);
    for (at, weight) in declared.weights.iter().enumerate() {
        let before = state_of(graph, at, weight);
        let after = scope.fields[&weight.ident.to_string()];
        if after != before {
            computed.changes.push((at, after));
        }
    }
    let graph = &mut computed.result;
    let mut scope = Scope {
        what: "metric",
        fields: fields(graph),
        ..Scope::default()
    };
    match lower(ctxt, graph, &mut scope, &metric.result)? {
        Lowered::Value(value) => {
            let value = graph.unary(Unary::Number, value);
            computed.values.push(value);
        }
        Lowered::Dict(items) => {
            for (key, value) in items {
                computed.keys.push(key.to_string());
                computed.values.push(value);
            }
        }
    }
    Some(computed)
}

/// `#[layer]`: on a struct or an impl.
pub fn layer(keras: &TokenStream, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    match syn::parse2::<Item>(item) {
        Ok(Item::Struct(item)) => {
            let declared = Weighted::parse(&ctxt, "layer", arguments.clone(), &item);
            let errors = ctxt.compile_errors();
            let structure = emit::tensor::layer_structure(keras, &declared);
            let handed_over = handover::offer(keras, LAYER, &arguments, &item);
            quote! { #errors #structure #handed_over }
        }
        Ok(Item::Impl(item)) => {
            if !arguments.is_empty() {
                ctxt.error(arguments, "`#[layer]` on an impl takes no arguments.");
            }
            let taken_over = handover::accept(&ctxt, LAYER, "layer", &item);
            let errors = ctxt.compile_errors();
            quote! { #errors #taken_over }
        }
        Ok(other) => syn::Error::new_spanned(
            other,
            "`#[layer]` belongs on a struct with what configures it and its weights, or on the impl of such a struct.",
        )
        .to_compile_error(),
        Err(error) => error.to_compile_error(),
    }
}

/// Both halves of a layer that is an expression.
pub fn layer_impl(keras: &TokenStream, tokens: TokenStream) -> TokenStream {
    let (arguments, item, implementation) = match handover::halves(tokens) {
        Ok(halves) => halves,
        Err(error) => return error.to_compile_error(),
    };
    // Errors in the struct have been reported by its own macro.
    let of_struct = Ctxt::new();
    let declared = Weighted::parse(&of_struct, "layer", arguments, &item);
    let ctxt = Ctxt::new();
    let layer = RowLayer::parse(&ctxt, &implementation);
    let derived = layer
        .as_ref()
        .filter(|_| !of_struct.has_errors())
        .and_then(|layer| derived_layer(&ctxt, &declared, layer));
    let parts = layer.as_ref().zip(derived.as_ref());
    let parts = parts.filter(|_| !ctxt.has_errors());
    let emitted = emit::tensor::layer(keras, &declared, parts);
    let errors = ctxt.compile_errors();
    quote! { #errors #emitted }
}

fn derived_layer(ctxt: &Ctxt, declared: &Weighted, layer: &RowLayer) -> Option<Derived> {
    let mut graph = Graph::default();
    let x = graph.input(Input::X, Space::Elements);
    let weights = declared.weights.iter().enumerate().map(|(at, weight)| {
        let space = match weight.size {
            Size::One => Space::Scalar,
            Size::Several(_) | Size::Channels => Space::Channel,
        };
        graph.input(Input::Weight(at), space)
    });
    let weights: Vec<Id> = weights.collect();
    let mut fields: HashMap<String, Id> = settings(&mut graph, &declared.settings)
        .into_iter()
        .collect();
    let names = declared
        .weights
        .iter()
        .map(|weight| weight.ident.to_string());
    fields.extend(names.zip(weights.iter().copied()));
    let mut scope = Scope {
        what: "layer",
        names: HashMap::from([(layer.input.clone(), x)]),
        fields,
        ..Scope::default()
    };
    let output = match lower(ctxt, &mut graph, &mut scope, &layer.call)? {
        Lowered::Value(value) => graph.unary(Unary::Number, value),
        Lowered::Dict(_) => {
            ctxt.error(
                &declared.head.ident,
                "A layer that is an expression has one output, and no `Dict` of them.",
            );
            return None;
        }
    };
    if graph.space(output) != Space::Elements {
        let message = format!(
            "The output of a layer that is an expression has the shape of its input, (batch, features). Received: {}",
            graph.space(output).text()
        );
        match layer.call.value.as_deref() {
            Some(value) => ctxt.error(value.at, message),
            None => ctxt.error(&declared.head.ident, message),
        }
        return None;
    }
    let d_output = graph.input(Input::DOutput, Space::Elements);
    let wanted: Vec<Id> = [x].into_iter().chain(weights).collect();
    let mut gradients = gradients(ctxt, &mut graph, output, d_output, &wanted).into_iter();
    Some(Derived {
        output,
        input: gradients.next().flatten(),
        weights: gradients.collect(),
        graph,
    })
}

/// All weights with several numbers have one for each place along the last axis.
fn check_widths(ctxt: &Ctxt, declared: &Weighted) {
    let widths = declared
        .weights
        .iter()
        .filter_map(|weight| match &weight.size {
            Size::Several(width) => Some((weight, width.to_token_stream().to_string())),
            Size::One | Size::Channels => None,
        });
    let widths: Vec<_> = widths.collect();
    for (weight, width) in widths.iter().skip(1) {
        if *width != widths[0].1 {
            ctxt.error(
                &weight.ident,
                format!(
                    "The weights of a metric that have several numbers have as many, one for each place along the last \
                     axis. Received: {} and {width}",
                    widths[0].1
                ),
            );
        }
    }
}

/// A weight of a metric, or each of its numbers.
fn state_of(graph: &mut Graph, at: usize, weight: &Weight) -> Id {
    let space = if weight.is_vector() {
        Space::Channel
    } else {
        Space::Scalar
    };
    graph.input(Input::State(at), space)
}

/// Targets and predictions, by name.
fn tensors(graph: &mut Graph, inputs: &[tensor::Input]) -> HashMap<String, Id> {
    let tensors = inputs
        .iter()
        .filter(|input| input.kind == InputKind::Tensor);
    let tensors = tensors.zip([Input::YTrue, Input::YPred]);
    let tensors = tensors.map(|(parameter, input)| {
        (
            parameter.ident.to_string(),
            graph.input(input, Space::Elements),
        )
    });
    tensors.collect()
}

/// The value of a row of a function, or of each of its elements.
fn value_of_row(ctxt: &Ctxt, graph: &mut Graph, what: &'static str, function: &Loss) -> Option<Id> {
    let mut scope = Scope {
        what,
        names: tensors(graph, &function.inputs),
        ..Scope::default()
    };
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
