//! `#[layer] impl Name { fn call(&self, x: Tensor) -> Tensor { .. } }`.

use quote::ToTokens;
use syn::{FnArg, ImplItem, ImplItemFn, ItemImpl};

use super::metric::value_of;
use super::tensor::{Body, InputKind, inputs, plain};
use crate::ctxt::Ctxt;

/// The impl of a layer that is an expression.
pub struct RowLayer {
    /// The name of the input.
    pub input: String,
    /// The body of `call`.
    pub call: Body,
}

impl RowLayer {
    /// Reads the impl. `None` if there is no `call`.
    pub fn parse(ctxt: &Ctxt, item: &ItemImpl) -> Option<RowLayer> {
        if let Some((_, path, _)) = &item.trait_ {
            ctxt.error(path, "`#[layer]` belongs on the impl of the struct itself.");
        }
        let mut layer = None;
        for item in &item.items {
            match item {
                ImplItem::Fn(function) if function.sig.ident == "call" => {
                    layer = Some(call(ctxt, function));
                }
                other => ctxt.error(
                    other,
                    "The impl of a layer consists of `call`; its shapes, its weights and its gradients are generated. \
                     Other functions belong into an impl without `#[layer]`.",
                ),
            }
        }
        if layer.is_none() {
            ctxt.error(
                &item.self_ty,
                "The layer has no `call`: write `fn call(&self, x: Tensor) -> Tensor { .. }`.",
            );
        }
        layer
    }
}

fn call(ctxt: &Ctxt, function: &ImplItemFn) -> RowLayer {
    plain(ctxt, &function.sig);
    let (inputs, settings) = inputs(ctxt, &function.sig);
    let is_reading = matches!(
        function.sig.inputs.first(),
        Some(FnArg::Receiver(receiver)) if receiver.mutability.is_none() && receiver.reference.is_some()
    );
    let is_one = matches!(inputs.as_slice(), [input] if input.kind == InputKind::Tensor);
    let gives_tensor = function.sig.output.to_token_stream().to_string() == "-> Tensor";
    if !is_reading || !is_one || !settings.is_empty() || !gives_tensor {
        ctxt.error(
            &function.sig.ident,
            "The signature is `fn call(&self, x: Tensor) -> Tensor`; what configures a layer is a field of its struct.",
        );
    }
    RowLayer {
        input: inputs
            .first()
            .map_or(String::new(), |input| input.ident.to_string()),
        call: value_of(ctxt, function),
    }
}
