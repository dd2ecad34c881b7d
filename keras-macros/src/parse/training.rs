//! `compile(optimizer = "adam", loss = .., metrics = [..])` and `callbacks(..)` in `#[model(..)]`: what a
//! model is to be trained with, declared where its layers are.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Path};

use super::arguments::{Arguments, split};
use super::layer::class_of;
use super::{At, bare, literals};
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

impl Part {
    fn new(ctxt: &Ctxt, expr: &Expr) -> Option<Part> {
        let kind = match bare(expr) {
            expr if let Some(text) = literals::text(expr) => Kind::Text(text.value()),
            Expr::Block(_) => Kind::Value,
            Expr::Call(call) => Self::class(ctxt, class_of(&call.func)?, &call.args),
            other => Self::class(ctxt, class_of(other)?, &Arguments::new()),
        };
        let expr = bare(expr).clone();
        Some(Part { kind, expr })
    }

    fn class(ctxt: &Ctxt, class: Path, args: &Arguments) -> Kind {
        let (positional, named) = split(ctxt, args);
        let named = named.into_iter();
        let named = named.map(|(key, value)| (key.clone(), value.clone()));
        Kind::Class(
            class,
            positional.into_iter().cloned().collect(),
            named.collect(),
        )
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
        let (positional, named) = split(ctxt, &call.args);
        let refuse = |received: TokenStream| {
            let message = format!(
                "`compile` takes `optimizer = \"adam\"`, `loss = \"mse\"` and `metrics = [\"mae\"]` here. Received: \
                 {received}"
            );
            ctxt.error(received, message);
        };
        for argument in positional {
            refuse(argument.to_token_stream());
        }
        for (key, value) in named {
            match (key.to_string().as_str(), bare(value)) {
                ("optimizer", value) => optimizer = part(ctxt, value),
                ("loss", value) => loss = part(ctxt, value),
                ("metrics", Expr::Array(array)) => {
                    let parts = array.elems.iter();
                    metrics = parts.filter_map(|expr| part(ctxt, expr)).collect();
                }
                _ => refuse(quote! { #key = #value }),
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
