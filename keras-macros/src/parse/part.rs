//! What a model is trained with, as it is written in `#[model(..)]`: an optimizer, a loss, a metric, a callback.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Path};

use super::arguments::{Arguments, Signature, Value, place, split};
use super::layer::class_of;
use super::signatures::Role;
use super::{At, bare, literals};
use crate::ctxt::Ctxt;
use crate::names::nearest;

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
    /// Its class with its arguments: `Adam(0.01, beta_1 = 0.8)`.
    Class(Class),
    /// Any other value in braces.
    Value,
}

/// A class with its arguments.
#[derive(Clone)]
pub struct Class {
    path: Path,
    /// What `new` takes, with the names that are known.
    required: Vec<(Option<&'static str>, Given)>,
    /// What is set by methods.
    options: Vec<(Ident, Given)>,
}

/// The value of an argument.
#[derive(Clone)]
struct Given {
    expr: Expr,
    /// What it is, if it is a class that is known in this place: a schedule.
    part: Option<Box<Part>>,
}

impl Part {
    /// A part in its place.
    pub fn parse(ctxt: &Ctxt, role: Role, expr: &Expr) -> Option<Part> {
        let part = Part::read(ctxt, role, expr);
        let is_class = |expr: &Expr| class_of(expr).is_some();
        let is_class = match bare(expr) {
            Expr::Call(call) => is_class(&call.func),
            other => is_class(other),
        };
        // What is wrong with a class has been said.
        if part.is_none() && !is_class {
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

    fn read(ctxt: &Ctxt, role: Role, expr: &Expr) -> Option<Part> {
        let class = |path, args: &Arguments| {
            let at = At::of(bare(expr));
            Class::parse(ctxt, role, path, at, args).map(Kind::Class)
        };
        let kind = match bare(expr) {
            expr if let Some(text) = literals::text(expr) => Kind::Text(text.value()),
            Expr::Block(_) => Kind::Value,
            Expr::Call(call) => class(class_of(&call.func)?, &call.args)?,
            other => class(class_of(other)?, &Arguments::new())?,
        };
        let expr = bare(expr).clone();
        Some(Part { kind, expr })
    }

    /// The name of its class.
    pub fn class_name(&self) -> Option<String> {
        match &self.kind {
            Kind::Class(class) => Some(class.name()),
            _ => None,
        }
    }

    /// An argument by its name, also where it was given by its place.
    pub fn argument(&self, name: &str) -> Option<&Expr> {
        let Kind::Class(class) = &self.kind else {
            return None;
        };
        let required = class.required.iter();
        let required = required.filter_map(|(known, value)| Some(((*known)?, value)));
        let options = class.options.iter();
        let mut required = required.filter(|(known, _)| *known == name);
        let mut options = options.filter(|(key, _)| key == name);
        let value = required.next().map(|(_, value)| value);
        let value = value.or_else(|| options.next().map(|(_, value)| value));
        value.map(|value| &value.expr)
    }

    /// What it is as Rust: `Adam::new(0.01).beta_1(0.8)`.
    pub fn written(&self) -> TokenStream {
        let Kind::Class(class) = &self.kind else {
            return self.expr.to_token_stream();
        };
        // With the user's places, for the errors of rustc.
        let called = |arguments: TokenStream| {
            let mut group = Group::new(Delimiter::Parenthesis, arguments);
            group.set_span(At::of(&self.expr).end);
            group
        };
        let path = &class.path;
        let required = class.required.iter().map(|(_, value)| value.written());
        let new = called(quote! { #(#required),* });
        let new = quote_spanned! {path.span()=> <#path>::new #new };
        let methods = class.options.iter().map(|(key, value)| {
            let value = called(value.written());
            quote! { .#key #value }
        });
        quote! { #new #(#methods)* }
    }
}

impl Class {
    /// A class in its place; `None` if an argument is missing.
    fn parse(ctxt: &Ctxt, role: Role, path: Path, at: At, args: &Arguments) -> Option<Class> {
        let (positional, named) = split(ctxt, args);
        let given = |name: Option<&str>, expr: &Expr| Given::parse(ctxt, name, expr);
        let mut class = Class {
            path,
            required: Vec::new(),
            options: Vec::new(),
        };
        let name = class.name();
        let Some(signature) = role.signature(&name) else {
            let positional = positional.into_iter();
            class.required = positional.map(|expr| (None, given(None, expr))).collect();
            let named = named.into_iter();
            class.options = named
                .map(|(key, expr)| (key.clone(), given(None, expr)))
                .collect();
            return Some(class);
        };
        let named = known_names(ctxt, signature, &name, named);
        let named = named.into_iter().map(|(key, value)| (key.clone(), value));
        let optional: Vec<_> = signature.optional().collect();
        let (required, options) = place(
            ctxt,
            (&name, at),
            signature.required,
            &optional,
            positional,
            named.collect(),
        );
        let required = required.into_iter().map(|(name, value)| {
            let value = match &value {
                Value::Given(expr) => given(Some(name), expr),
                Value::Default(expr) => given(None, expr),
            };
            (Some(name), value)
        });
        class.required = required.collect();
        let options = options.into_iter().filter(|(key, _)| {
            let lacks = role.lacks(&name, &key.to_string());
            if lacks {
                let message = format!(
                    "`{key}` is an argument of Keras' {name} that this library does not have."
                );
                ctxt.error(key, message);
            }
            !lacks
        });
        class.options = options
            .map(|(key, expr)| {
                let value = given(Some(&key.to_string()), expr);
                (key, value)
            })
            .collect();
        (class.required.len() == signature.required.len()).then_some(class)
    }

    /// The last name of its path.
    fn name(&self) -> String {
        let last = self.path.segments.last();
        last.map_or_else(String::new, |segment| segment.ident.to_string())
    }
}

impl Given {
    fn parse(ctxt: &Ctxt, name: Option<&str>, expr: &Expr) -> Given {
        let role = name.and_then(Role::of_argument);
        let is_class = |role: &Role| {
            let class = match bare(expr) {
                Expr::Call(call) => class_of(&call.func),
                other => class_of(other),
            };
            let last = class.and_then(|class| Some(class.segments.last()?.ident.to_string()));
            last.is_some_and(|class| role.signature(&class).is_some())
        };
        let part = role
            .filter(is_class)
            .and_then(|role| Part::read(ctxt, role, expr));
        Given {
            expr: expr.clone(),
            part: part.map(Box::new),
        }
    }

    fn written(&self) -> TokenStream {
        match &self.part {
            Some(part) => part.written(),
            None => self.expr.to_token_stream(),
        }
    }
}

/// Those of the arguments by name that a class of Keras has; the others are errors.
fn known_names<'e>(
    ctxt: &Ctxt,
    signature: &Signature,
    class: &str,
    mut named: Vec<(&'e Ident, &'e Expr)>,
) -> Vec<(&'e Ident, &'e Expr)> {
    named.retain(|(key, _)| {
        let text = key.to_string();
        if signature.names().any(|name| name == text) {
            return true;
        }
        let hint = match nearest(&text, signature.names()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => {
                let names: Vec<_> = signature.names().map(|name| format!("`{name}`")).collect();
                format!("Its arguments: {}.", names.join(", "))
            }
        };
        ctxt.error(
            key,
            format!("{class} got an unexpected keyword argument `{key}`. {hint}"),
        );
        false
    });
    named
}
