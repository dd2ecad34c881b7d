//! The parameters of an expression: tensors, and numbers that configure it.

use quote::ToTokens;
use syn::{Attribute, Expr, FnArg, Ident, Pat, PatType, Signature, Type};

use crate::ctxt::Ctxt;

/// A tensor that the expression is given.
pub struct Input {
    /// Its name.
    pub ident: Ident,
    /// What it is.
    pub kind: Kind,
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `Tensor`.
    Tensor,
    /// `Option<Tensor>`.
    Optional,
}

/// A number or a flag that configures a loss, a metric or a layer.
pub struct Setting {
    /// The user's documentation of it.
    pub docs: Vec<Attribute>,
    /// Its name.
    pub ident: Ident,
    /// `f32` or `bool`.
    pub ty: Type,
    /// Whether it is a flag.
    pub is_flag: bool,
    /// What it is unless it is given: `#[default(1.0)]`. Without one it is an argument of `new`.
    pub default: Option<Expr>,
}

/// All of them.
pub type Settings = Vec<Setting>;

/// The parameters of a function: tensors, and what configures it.
pub fn inputs(ctxt: &Ctxt, signature: &Signature) -> (Vec<Input>, Settings) {
    let (mut inputs, mut settings) = (Vec::new(), Vec::new());
    for parameter in &signature.inputs {
        let FnArg::Typed(parameter) = parameter else {
            continue;
        };
        let Some(ident) = name(ctxt, parameter) else {
            continue;
        };
        if let Some(kind) = tensor(&parameter.ty) {
            for attr in &parameter.attrs {
                ctxt.error(
                    attr,
                    "A tensor has no attributes: it is given with every call.",
                );
            }
            let ident = ident.clone();
            inputs.push(Input { ident, kind });
            continue;
        }
        match Setting::parse(ctxt, &parameter.attrs, ident, &parameter.ty) {
            Some(setting) => settings.push(setting),
            None => ctxt.error(
                &parameter.ty,
                format!(
                    "A parameter is a `Tensor`, or an `f32` or a `bool` that configures. Received: {}",
                    parameter.ty.to_token_stream()
                ),
            ),
        }
    }
    (inputs, settings)
}

fn name<'p>(ctxt: &Ctxt, parameter: &'p PatType) -> Option<&'p Ident> {
    match &*parameter.pat {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Some(&name.ident),
        other => {
            ctxt.error(other, "A parameter has a name.");
            None
        }
    }
}

/// `Tensor` or `Option<Tensor>`.
fn tensor(ty: &Type) -> Option<Kind> {
    match ty.to_token_stream().to_string().as_str() {
        "Tensor" => Some(Kind::Tensor),
        "Option < Tensor >" => Some(Kind::Optional),
        _ => None,
    }
}

impl Setting {
    /// An `f32` or a `bool`; `None` for any other type.
    pub fn parse(ctxt: &Ctxt, attrs: &[Attribute], ident: &Ident, ty: &Type) -> Option<Self> {
        let is_flag = match ty.to_token_stream().to_string().as_str() {
            "f32" => false,
            "bool" => true,
            _ => return None,
        };
        let mut setting = Self {
            docs: Vec::new(),
            ident: ident.clone(),
            ty: ty.clone(),
            is_flag,
            default: None,
        };
        for attr in attrs {
            if attr.path().is_ident("default") {
                setting.default = ctxt.ok(attr.parse_args());
            } else if attr.path().is_ident("doc") {
                setting.docs.push(attr.clone());
            } else {
                ctxt.error(
                    attr,
                    "The attribute of a parameter is its default: `#[default(1.0)]`.",
                );
            }
        }
        Some(setting)
    }
}

/// The function is a description: nothing of it is called.
pub fn plain(ctxt: &Ctxt, signature: &Signature) {
    let what = "is not part of an expression: this function is a description.";
    if let Some(token) = &signature.asyncness {
        ctxt.error(token, format!("`async` {what}"));
    }
    if let Some(token) = &signature.unsafety {
        ctxt.error(token, format!("`unsafe` {what}"));
    }
    if let Some(token) = &signature.constness {
        ctxt.error(token, format!("`const` {what}"));
    }
    if let Some(abi) = &signature.abi {
        ctxt.error(abi, format!("`extern` {what}"));
    }
    if !signature.generics.params.is_empty() {
        ctxt.error(
            &signature.generics,
            "An expression has no generic parameters: it is compiled for the number type of every device.",
        );
    }
}
