//! `#[loss] fn my_loss(y_true: Tensor, y_pred: Tensor, #[default(1.0)] delta: f32) -> Tensor { .. }`.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident};
use syn::{FnArg, ItemFn, ReturnType, Signature};

use super::Head;
use super::tensor::{Body, Input, InputKind, Reader, Settings, inputs, plain};
use crate::ctxt::Ctxt;
use crate::names::camel_case;

/// A function of targets and predictions: a loss, or a metric that is a mean.
pub struct Loss {
    /// The type to be made, with the function's visibility and documentation.
    pub head: Head,
    /// The function's name.
    pub name: String,
    /// Targets and predictions.
    pub inputs: Vec<Input>,
    /// What configures it.
    pub settings: Settings,
    /// The function's body.
    pub body: Body,
}

impl Loss {
    /// Reads the function; `what` is the attribute's name, `arguments` are the attribute's.
    pub fn parse(ctxt: &Ctxt, what: &str, arguments: TokenStream, function: &ItemFn) -> Loss {
        if !arguments.is_empty() {
            ctxt.error(
                arguments,
                format!(
                    "`#[{what}]` takes no arguments: what configures it is a parameter, such as `#[default(1.0)] \
                     delta: f32`."
                ),
            );
        }
        plain(ctxt, &function.sig);
        check_returns_tensor(ctxt, what, &function.sig);
        let (inputs, settings) = inputs(ctxt, &function.sig);
        check_two_tensors(ctxt, what, &function.sig, &inputs);
        let reader = Reader {
            ctxt,
            has_state: false,
        };
        let body = reader.body(&function.block);
        let name = function.sig.ident.to_string();
        if body.value.is_none() && !ctxt.has_errors() {
            ctxt.error(
                &function.sig.ident,
                format!("`{name}` ends in its value: an expression without `;`."),
            );
        }
        let ident = format_ident!("{}", camel_case(&name), span = function.sig.ident.span());
        Loss {
            head: Head {
                attrs: function.attrs.clone(),
                vis: function.vis.clone(),
                ident,
            },
            name,
            inputs,
            settings,
            body,
        }
    }
}

fn check_returns_tensor(ctxt: &Ctxt, what: &str, signature: &Signature) {
    let message = format!("A {what} gives a `Tensor`: write `-> Tensor`.");
    match &signature.output {
        ReturnType::Default => ctxt.error(&signature.ident, message),
        ReturnType::Type(_, ty) if ty.to_token_stream().to_string() != "Tensor" => {
            ctxt.error(ty, format!("{message} Received: {}", ty.to_token_stream()));
        }
        ReturnType::Type(..) => {}
    }
}

fn check_two_tensors(ctxt: &Ctxt, what: &str, signature: &Signature, inputs: &[Input]) {
    for parameter in &signature.inputs {
        if let FnArg::Receiver(receiver) = parameter {
            ctxt.error(
                receiver,
                format!("A {what} that is a function has no `self`."),
            );
        }
    }
    let tensors = inputs
        .iter()
        .filter(|input| input.kind == InputKind::Tensor);
    let tensors = tensors.count();
    if tensors == 2 && inputs.len() == 2 {
        return;
    }
    ctxt.error(
        &signature.ident,
        format!(
            "A {what} compares two tensors: `fn {}(y_true: Tensor, y_pred: Tensor) -> Tensor`. Received: {tensors}",
            signature.ident
        ),
    );
}
