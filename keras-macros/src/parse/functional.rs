//! `#[model] fn name(x: Input<28, 28, 1>) -> Name { .. }`.

use proc_macro2::TokenStream;
use syn::{FnArg, Ident, ItemFn, Pat, PathArguments, ReturnType, Signature, Type};

use super::call::{Body, Form, Reader};
use super::options::Form as On;
use super::{Head, Options, Shape, shape};
use crate::ctxt::Ctxt;

/// A model written as a function.
pub struct Functional {
    /// The struct that the return type names, with the function's visibility and documentation.
    pub head: Head,
    /// What the attribute says.
    pub options: Options,
    /// The parameters.
    pub inputs: Vec<(Ident, Shape)>,
    /// The function's body.
    pub body: Body,
}

impl Functional {
    /// Reads the function; `arguments` are those of the attribute. `None` if it does not even name
    /// a struct.
    pub fn parse(ctxt: &Ctxt, arguments: TokenStream, function: &ItemFn) -> Option<Functional> {
        let options = Options::parse(ctxt, On::Functional, arguments);
        plain(ctxt, &function.sig);
        let ident = name(ctxt, &function.sig);
        let inputs = function.sig.inputs.iter();
        let inputs: Vec<_> = inputs
            .filter_map(|input| self::input(ctxt, input))
            .collect();
        if function.sig.inputs.is_empty() {
            ctxt.error(
                &function.sig.ident,
                "A functional model has at least one input: a parameter such as `x: Input<28, 28, 1>`.",
            );
        }
        let reader = Reader {
            ctxt,
            form: Form::Functional,
        };
        let body = reader.body(&function.block);
        Some(Functional {
            head: Head {
                attrs: function.attrs.clone(),
                vis: function.vis.clone(),
                ident: ident?,
            },
            options,
            inputs,
            body,
        })
    }
}

/// The function is a description: nothing of it is called.
fn plain(ctxt: &Ctxt, signature: &Signature) {
    let what = "is not part of a model: nobody calls this function, it describes a struct.";
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
            "A model has no generic parameters: rustc checks its shapes once, for constants.",
        );
    }
}

/// The return type is the name of the struct.
fn name(ctxt: &Ctxt, signature: &Signature) -> Option<Ident> {
    let ident = match &signature.output {
        ReturnType::Type(_, ty) => match &**ty {
            Type::Path(path) => path.path.get_ident().cloned(),
            _ => None,
        },
        ReturnType::Default => None,
    };
    if ident.is_none() {
        let message = "The return type of a model's function is the name of the struct to be made, such as \
                       `-> MyModel`.";
        match &signature.output {
            ReturnType::Type(_, ty) => ctxt.error(ty, message),
            ReturnType::Default => ctxt.error(&signature.ident, message),
        }
    }
    ident
}

fn input(ctxt: &Ctxt, input: &FnArg) -> Option<(Ident, Shape)> {
    let FnArg::Typed(input) = input else {
        ctxt.error(
            input,
            "A model's function has no `self`: it makes a struct.",
        );
        return None;
    };
    let ident = match &*input.pat {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => name.ident.clone(),
        other => {
            ctxt.error(other, "An input has a name: its parameter's.");
            return None;
        }
    };
    let last = match &*input.ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    };
    let shape = match last {
        Some(last) if last.ident == "Input" => match &last.arguments {
            PathArguments::None => None,
            PathArguments::AngleBracketed(sizes) => shape::from_generics(ctxt, sizes),
            PathArguments::Parenthesized(_) => wrong(ctxt, &input.ty),
        },
        _ => wrong(ctxt, &input.ty),
    };
    Some((ident, shape))
}

fn wrong(ctxt: &Ctxt, ty: &Type) -> Shape {
    ctxt.error(
        ty,
        format!(
            "The type of an input is `Input<28, 28, 1>`, without the batch axis; `_` stands for a size that is not \
             known. Received: {}",
            quote::ToTokens::to_token_stream(ty)
        ),
    );
    None
}
