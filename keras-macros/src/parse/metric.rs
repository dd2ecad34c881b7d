//! `#[metric] impl Name { fn update_state(..) { .. } fn result(&self) -> f32 { .. } }`.

use quote::ToTokens;
use syn::{FnArg, ImplItem, ImplItemFn, ItemImpl, ReturnType};

use super::tensor::{Body, Input, InputKind, Reader, inputs, plain};
use crate::ctxt::Ctxt;

/// The impl of a metric.
pub struct Metric {
    /// The tensors of `update_state`.
    pub inputs: Vec<Input>,
    /// The body of `update_state`.
    pub update: Body,
    /// The body of `result`.
    pub result: Body,
}

impl Metric {
    /// Reads the impl. `None` if one of its functions is missing.
    pub fn parse(ctxt: &Ctxt, item: &ItemImpl) -> Option<Metric> {
        if let Some((_, path, _)) = &item.trait_ {
            ctxt.error(
                path,
                "`#[metric]` belongs on the impl of the struct itself.",
            );
        }
        let (mut update, mut result) = (None, None);
        for item in &item.items {
            match item {
                ImplItem::Fn(function) if function.sig.ident == "update_state" => {
                    update = Some(update_state(ctxt, function));
                }
                ImplItem::Fn(function) if function.sig.ident == "result" => {
                    result = Some(self::result(ctxt, function));
                }
                other => ctxt.error(
                    other,
                    "The impl of a metric consists of `update_state` and `result`; `reset_state`, `merge_state` and \
                     the builder are generated. Other functions belong into an impl without `#[metric]`.",
                ),
            }
        }
        let missing = |name: &str, signature: &str| {
            ctxt.error(
                &item.self_ty,
                format!("The metric has no `{name}`: write `fn {name}{signature} {{ .. }}`."),
            );
        };
        if update.is_none() {
            missing(
                "update_state",
                "(&mut self, y_true: Tensor, y_pred: Tensor, sample_weight: Option<Tensor>)",
            );
        }
        if result.is_none() {
            missing("result", "(&self) -> f32");
        }
        let (inputs, update) = update?;
        Some(Metric {
            inputs,
            update,
            result: result?,
        })
    }
}

fn update_state(ctxt: &Ctxt, function: &ImplItemFn) -> (Vec<Input>, Body) {
    plain(ctxt, &function.sig);
    let is_changing = matches!(
        function.sig.inputs.first(),
        Some(FnArg::Receiver(receiver)) if receiver.mutability.is_some() && receiver.reference.is_some()
    );
    let (inputs, settings) = inputs(ctxt, &function.sig);
    for setting in &settings {
        ctxt.error(
            &setting.ident,
            "What configures a metric is a field of its struct.",
        );
    }
    let kinds: Vec<InputKind> = inputs.iter().map(|input| input.kind).collect();
    let fits = matches!(
        kinds.as_slice(),
        [InputKind::Tensor, InputKind::Tensor]
            | [InputKind::Tensor, InputKind::Tensor, InputKind::Optional]
    );
    if !fits || !is_changing || !matches!(function.sig.output, ReturnType::Default) {
        ctxt.error(
            &function.sig.ident,
            "The signature is `fn update_state(&mut self, y_true: Tensor, y_pred: Tensor, sample_weight: \
             Option<Tensor>)`, of which the last may be missing.",
        );
    }
    let reader = Reader {
        ctxt,
        has_state: true,
    };
    let body = reader.body(&function.block);
    if let Some(value) = &body.value {
        ctxt.error(
            value.at,
            "`update_state` changes the weights, by `self.name += value`, and gives no value.",
        );
    }
    (inputs, body)
}

fn result(ctxt: &Ctxt, function: &ImplItemFn) -> Body {
    plain(ctxt, &function.sig);
    let is_reading = matches!(
        function.sig.inputs.first(),
        Some(FnArg::Receiver(receiver)) if receiver.mutability.is_none() && receiver.reference.is_some()
    );
    let output = function.sig.output.to_token_stream().to_string();
    let fits = matches!(output.as_str(), "-> f32" | "-> Dict") || output.starts_with("-> [f32");
    if function.sig.inputs.len() != 1 || !is_reading || !fits {
        ctxt.error(
            &function.sig.ident,
            "The signature is `fn result(&self) -> f32`, or `-> [f32; N]` for a vector, or `-> Dict` for several \
             values with names.",
        );
    }
    value_of(ctxt, function)
}

/// A body that has a value.
pub fn value_of(ctxt: &Ctxt, function: &ImplItemFn) -> Body {
    let reader = Reader {
        ctxt,
        has_state: false,
    };
    let body = reader.body(&function.block);
    if body.value.is_none() && !ctxt.has_errors() {
        ctxt.error(
            &function.sig.ident,
            format!(
                "`{}` ends in its value: an expression without `;`.",
                function.sig.ident
            ),
        );
    }
    body
}
