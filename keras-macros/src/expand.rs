//! The entry points on `proc_macro2` tokens: all stages, one after the other.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Item, ItemFn};

use crate::ctxt::Ctxt;
use crate::emit::Emitter;
use crate::graph;
use crate::parse;

/// The path of the runtime crate, under whatever name the user gave it.
pub fn keras() -> TokenStream {
    let name = match crate_name("keras-runtime") {
        Ok(FoundCrate::Name(name)) => format_ident!("{name}"),
        // Its own tests and examples.
        Ok(FoundCrate::Itself) => format_ident!("keras_runtime"),
        Err(_) => format_ident!("keras"),
    };
    quote! { ::#name }
}

/// `sequential!`.
pub fn sequential(keras: &TokenStream, tokens: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let parsed = parse::sequential::Sequential::parse(&ctxt, tokens);
    let head = parsed.head.clone();
    let head = head.unwrap_or_else(parse::sequential::unnamed);
    let graph = graph::sequential::graph(&ctxt, &head, &parsed);
    let emitter = Emitter::new(keras, &head, &graph);
    let errors = ctxt.compile_errors();
    if parsed.head.is_some() {
        let model = emitter.item();
        quote! { #errors #model }
    } else {
        let model = emitter.expression();
        quote! { { #errors #model } }
    }
}

/// `#[model]`: on a function, a struct or an impl.
pub fn model(keras: &TokenStream, arguments: TokenStream, item: TokenStream) -> TokenStream {
    match syn::parse2::<Item>(item) {
        Ok(Item::Fn(function)) => functional(keras, arguments, &function),
        Ok(other) => syn::Error::new_spanned(
            other,
            "`#[model]` belongs on a function, on a struct of layers, or on the impl of such a struct.",
        )
        .to_compile_error(),
        Err(error) => error.to_compile_error(),
    }
}

fn functional(keras: &TokenStream, arguments: TokenStream, function: &ItemFn) -> TokenStream {
    let ctxt = Ctxt::new();
    let parsed = parse::functional::Functional::parse(&ctxt, arguments, function);
    let Some(parsed) = parsed else {
        return ctxt.compile_errors();
    };
    let graph = graph::functional::graph(&ctxt, &parsed);
    let model = Emitter::new(keras, &parsed.head, &graph).item();
    let errors = ctxt.compile_errors();
    quote! { #errors #model }
}
