//! `compile(optimizer = "adam", loss = .., metrics = [..])` and `callbacks(..)` in `#[model(..)]`: what a
//! model is to be trained with, declared where its layers are.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Ident, Lit, Path, Token};

use super::layer::class_of;
use super::{At, as_ident, bare};
use crate::ctxt::Ctxt;

/// The arguments of `compile`.
#[derive(Clone)]
pub struct Compile {
    /// The optimizer.
    pub optimizer: Part,
    /// The loss, of every output.
    pub loss: Part,
    /// The metrics, of every output.
    pub metrics: Vec<Part>,
}

/// An optimizer, a loss, a metric or a callback.
#[derive(Clone)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// All of it.
    pub expr: Expr,
}

/// The ways to write one.
#[derive(Clone)]
pub enum Kind {
    /// Its name in Keras: `"adam"`.
    Text(String),
    /// Its class, with what `new` takes and what is set by methods: `Adam(0.01, beta_1 = 0.8)`.
    Class(Path, Vec<Expr>, Vec<(Ident, Expr)>),
    /// Any other value in braces.
    Value,
}

type Arguments = Punctuated<Expr, Token![,]>;

impl Part {
    fn new(ctxt: &Ctxt, expr: &Expr) -> Option<Part> {
        let kind = match bare(expr) {
            Expr::Lit(lit) if let Lit::Str(text) = &lit.lit => Kind::Text(text.value()),
            Expr::Block(_) => Kind::Value,
            Expr::Call(call) => Self::class(ctxt, class_of(&call.func)?, &call.args),
            other => Self::class(ctxt, class_of(other)?, &Arguments::new()),
        };
        let expr = bare(expr).clone();
        Some(Part { kind, expr })
    }

    fn class(ctxt: &Ctxt, class: Path, args: &Arguments) -> Kind {
        let (mut positional, mut named) = (Vec::new(), Vec::new());
        for arg in args {
            match arg {
                Expr::Assign(assign) => match as_ident(&assign.left) {
                    Some(key) => named.push((key.clone(), (*assign.right).clone())),
                    None => ctxt.error(&assign.left, "The name of an argument is expected here."),
                },
                arg => positional.push(arg.clone()),
            }
        }
        Kind::Class(class, positional, named)
    }

    /// The name of its class.
    pub fn class_name(&self) -> Option<String> {
        match &self.kind {
            Kind::Class(class, ..) => Some(class.segments.last()?.ident.to_string()),
            _ => None,
        }
    }

    /// An argument by its name.
    pub fn named(&self, name: &str) -> Option<&Expr> {
        match &self.kind {
            Kind::Class(_, _, named) => {
                let found = named.iter().find(|(key, _)| key == name);
                found.map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// What it is as Rust: `Adam::new(0.01).beta_1(0.8)`.
    pub fn written(&self) -> TokenStream {
        match &self.kind {
            Kind::Text(_) | Kind::Value => self.expr.to_token_stream(),
            Kind::Class(class, positional, named) => {
                // With the user's places, for the errors of rustc.
                let called = |arguments: TokenStream| {
                    let mut group = Group::new(Delimiter::Parenthesis, arguments);
                    group.set_span(At::of(&self.expr).end);
                    group
                };
                let new = called(quote! { #(#positional),* });
                let new = quote_spanned! {class.span()=> <#class>::new #new };
                let methods = named.iter().map(|(key, value)| {
                    let value = called(quote! { #value });
                    quote! { .#key #value }
                });
                quote! { #new #(#methods)* }
            }
        }
    }
}

impl Compile {
    /// Reads the arguments of `compile(..)`.
    pub fn parse(ctxt: &Ctxt, call: &syn::ExprCall) -> Option<Compile> {
        let (mut optimizer, mut loss, mut metrics) = (None, None, Vec::new());
        for argument in &call.args {
            let (key, value) = match argument {
                Expr::Assign(assign) => (as_ident(&assign.left), &*assign.right),
                other => (None, other),
            };
            match (key.map(Ident::to_string).as_deref(), bare(value)) {
                (Some("optimizer"), value) => optimizer = part(ctxt, value),
                (Some("loss"), value) => loss = part(ctxt, value),
                (Some("metrics"), Expr::Array(array)) => {
                    let parts = array.elems.iter();
                    metrics = parts.filter_map(|expr| part(ctxt, expr)).collect();
                }
                _ => {
                    let received = argument.to_token_stream();
                    ctxt.error(
                        argument,
                        format!(
                            "`compile` takes `optimizer = \"adam\"`, `loss = \"mse\"` and `metrics = [\"mae\"]` here. \
                             Received: {received}"
                        ),
                    );
                }
            }
        }
        if optimizer.is_none() || loss.is_none() {
            let message = "`compile` takes an optimizer and a loss: `compile(optimizer = \"adam\", loss = \"mse\")`.";
            ctxt.error(call, message);
        }
        Some(Compile {
            optimizer: optimizer?,
            loss: loss?,
            metrics,
        })
    }
}

/// A part of a training.
pub fn part(ctxt: &Ctxt, expr: &Expr) -> Option<Part> {
    let part = Part::new(ctxt, expr);
    if part.is_none() {
        let received = expr.to_token_stream();
        ctxt.error(
            expr,
            format!(
                "A name in quotes, a class such as `Adam(0.01)`, or a value in braces is expected here. Received: \
                 {received}"
            ),
        );
    }
    part
}
