//! The entry points on `proc_macro2` tokens: all stages, one after the other.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

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
