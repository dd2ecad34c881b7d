//! `compile(optimizer = "adam", loss = .., metrics = [..])` in `#[model(..)]`: what a model is to be trained
//! with, declared where its layers are.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Expr;

use super::argument::real;
use super::arguments::split;
use super::outputs::Outputs;
use super::part::Part;
use super::signatures::Role;
use super::{At, bare};
use crate::ctxt::Ctxt;

/// The arguments of `compile`.
#[derive(Clone)]
pub struct Compile {
    /// The optimizer.
    pub optimizer: Part,
    /// The losses.
    pub loss: Argument<Part>,
    /// How much each loss counts.
    pub loss_weights: Option<Argument<Expr>>,
    /// The metrics.
    pub metrics: Option<Argument<Vec<Part>>>,
    /// Those that count samples by their weights.
    pub weighted_metrics: Option<Argument<Vec<Part>>>,
    /// How many batches are run between two calls of callbacks' hooks.
    pub steps_per_execution: Option<Expr>,
}

/// An argument that may say something else of each output.
#[derive(Clone)]
pub struct Argument<T> {
    /// What it says.
    pub outputs: Outputs<T>,
    /// Where.
    pub at: At,
}

/// What stands in `compile(..)`.
const TAKES: &str = "`compile` takes `optimizer = \"adam\"`, `loss = \"mse\"` and `metrics = [\"mae\"]` here, \
                     `loss_weights`, `weighted_metrics` and `steps_per_execution`";

impl Compile {
    /// Reads the arguments of `compile(..)`.
    pub fn parse(ctxt: &Ctxt, call: &syn::ExprCall) -> Option<Compile> {
        let (mut optimizer, mut loss, mut loss_weights) = (None, None, None);
        let (mut metrics, mut weighted_metrics, mut steps_per_execution) = (None, None, None);
        let (positional, named) = split(ctxt, &call.args);
        let refuse = |received: TokenStream| {
            let message = format!("{TAKES}. Received: {received}");
            ctxt.error(received, message);
        };
        for argument in positional {
            refuse(argument.to_token_stream());
        }
        let is_given = |name: &str| named.iter().any(|(key, _)| *key == name);
        if !is_given("optimizer") || !is_given("loss") {
            let message = "`compile` takes an optimizer and a loss: `compile(optimizer = \"adam\", loss = \"mse\")`.";
            ctxt.error(call, message);
        }
        for (key, value) in named {
            match key.to_string().as_str() {
                "optimizer" => optimizer = Part::parse(ctxt, Role::Optimizer, value),
                "loss" => {
                    let one = |expr: &Expr| Part::parse(ctxt, Role::Loss, expr);
                    loss = outputs(ctxt, value, one);
                }
                "loss_weights" => {
                    loss_weights = outputs(ctxt, value, |expr| Some(real(expr)));
                }
                "metrics" if let Some(given) = lists(ctxt, value) => metrics = Some(given),
                "weighted_metrics" if let Some(given) = lists(ctxt, value) => {
                    weighted_metrics = Some(given);
                }
                "steps_per_execution" => steps_per_execution = Some(bare(value).clone()),
                _ => refuse(quote! { #key = #value }),
            }
        }
        Some(Compile {
            optimizer: optimizer?,
            loss: loss?,
            loss_weights,
            metrics,
            weighted_metrics,
            steps_per_execution,
        })
    }

    /// `metrics` and `weighted_metrics`.
    pub fn metrics(&self) -> impl Iterator<Item = &Argument<Vec<Part>>> {
        self.metrics.iter().chain(&self.weighted_metrics)
    }
}

/// One for every output, a dictionary, or a list.
fn outputs<T>(
    ctxt: &Ctxt,
    value: &Expr,
    mut one: impl FnMut(&Expr) -> Option<T>,
) -> Option<Argument<T>> {
    let outputs = match (Outputs::named(ctxt, value, &mut one), bare(value)) {
        (Some(named), _) => named,
        (None, Expr::Array(array)) => Outputs::in_order(&array.elems, one),
        (None, value) => Outputs::Every(one(value)?),
    };
    Some(Argument {
        outputs,
        at: At::of(value),
    })
}

/// Metrics: a list for every output, a dictionary of lists, or a list of lists.
fn lists(ctxt: &Ctxt, value: &Expr) -> Option<Argument<Vec<Part>>> {
    let one = |expr: &Expr| Part::parse(ctxt, Role::Metric, expr);
    let list = |expr: &Expr| match bare(expr) {
        Expr::Array(array) => Some(array.elems.iter().filter_map(one).collect()),
        metric => one(metric).map(|metric| vec![metric]),
    };
    let is_list = |expr: &Expr| matches!(bare(expr), Expr::Array(_));
    let outputs = match (Outputs::named(ctxt, value, list), bare(value)) {
        (Some(named), _) => named,
        (None, Expr::Array(array))
            if !array.elems.is_empty() && array.elems.iter().all(is_list) =>
        {
            Outputs::in_order(&array.elems, list)
        }
        (None, Expr::Array(_)) => Outputs::Every(list(value)?),
        _ => return None,
    };
    Some(Argument {
        outputs,
        at: At::of(value),
    })
}
