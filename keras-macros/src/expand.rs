//! The entry points on `proc_macro2` tokens: all stages, one after the other.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Item, ItemFn, ItemImpl, ItemStruct, Type};

use crate::ctxt::Ctxt;
use crate::emit::Emitter;
use crate::graph::{self, Graph};
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

/// The errors of an expansion. A model without outputs is a stub: it must not come without one.
fn errors(ctxt: &Ctxt, graph: &Graph) -> TokenStream {
    if graph.whole.outputs.is_empty() && !ctxt.has_errors() {
        ctxt.error(TokenStream::new(), "The model has no outputs.");
    }
    ctxt.compile_errors()
}

/// `sequential!`.
pub fn sequential(keras: &TokenStream, tokens: TokenStream) -> TokenStream {
    let ctxt = Ctxt::new();
    let parsed = parse::sequential::Sequential::parse(&ctxt, tokens);
    let head = match &parsed.head {
        Some(head) => head.clone(),
        // An item that does not even have a name.
        None if parsed.is_item => return ctxt.compile_errors(),
        None => parse::sequential::unnamed(),
    };
    let graph = graph::sequential::graph(&ctxt, &head, &parsed);
    let emitter = Emitter::new(keras, &head, &graph);
    let errors = errors(&ctxt, &graph);
    if !parsed.is_item {
        return emitter.expression(&errors);
    }
    let model = emitter.item();
    quote! { #errors #model }
}

/// `#[model]`: on a function, a struct or an impl.
pub fn model(keras: &TokenStream, arguments: TokenStream, item: TokenStream) -> TokenStream {
    match syn::parse2::<Item>(item) {
        Ok(Item::Fn(function)) => functional(keras, arguments, &function),
        Ok(Item::Struct(item)) => declared(keras, &arguments, &item),
        Ok(Item::Impl(item)) => implemented(arguments, &item),
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
    let errors = errors(&ctxt, &graph);
    quote! { #errors #model }
}

/// The struct of a subclassed model. Its layers go to the macro of the impl, which comes later, by
/// a `macro_rules` that the latter calls.
fn declared(keras: &TokenStream, arguments: &TokenStream, item: &ItemStruct) -> TokenStream {
    let ctxt = Ctxt::new();
    let parsed = parse::subclassed::Declared::parse(&ctxt, arguments.clone(), item);
    if parsed.in_order {
        let graph = graph::subclassed::in_order(&ctxt, &parsed);
        let model = Emitter::new(keras, &parsed.head, &graph).item();
        let errors = errors(&ctxt, &graph);
        return quote! { #errors #model };
    }
    let errors = ctxt.compile_errors();
    let the_struct = Emitter::new(keras, &parsed.head, &Graph::default()).structs();
    let layers = layers_macro(&item.ident, item.ident.span());
    // Rustc does not let a generated macro shadow one of a module around it, that of another model
    // of this name: each has a name of its own, by its place, and this one is its alias here.
    let place: String = format!("{:?}", item.ident.span())
        .chars()
        .map(|c| if c.is_ascii_digit() { c } else { '_' })
        .collect();
    let own = format_ident!("{layers}{place}");
    quote! {
        #errors
        #the_struct
        #[doc(hidden)]
        #[allow(unused_macros)]
        macro_rules! #own {
            ($($implementation:tt)*) => {
                #keras::__model_impl! { [#arguments] { #item } { $($implementation)* } }
            };
        }
        #[allow(unused_imports)]
        use #own as #layers;
    }
}

/// The impl of a subclassed model.
fn implemented(arguments: TokenStream, item: &ItemImpl) -> TokenStream {
    let ctxt = Ctxt::new();
    if !arguments.is_empty() {
        ctxt.error(
            arguments,
            "`#[model]` on an impl takes no arguments; they belong on the struct.",
        );
    }
    let name = match &*item.self_ty {
        Type::Path(path) => path.path.get_ident(),
        _ => None,
    };
    let Some(name) = name else {
        ctxt.error(
            &item.self_ty,
            "The name of the model's struct is expected here.",
        );
        return ctxt.compile_errors();
    };
    let layers = layers_macro(name, name.span());
    let errors = ctxt.compile_errors();
    quote! { #errors #layers! { #item } }
}

fn layers_macro(model: &syn::Ident, span: Span) -> syn::Ident {
    format_ident!("__keras_{model}_layers", span = span)
}

/// Both halves of a subclassed model: `[arguments] { struct } { impl }`.
pub fn model_impl(keras: &TokenStream, tokens: TokenStream) -> TokenStream {
    let halves = |stream: ParseStream| {
        let group = |_| stream.parse::<Group>();
        Ok([group(0)?, group(1)?, group(2)?])
    };
    let read = || {
        let [arguments, item, implementation] = halves.parse2(tokens)?;
        let implementation: ItemImpl = syn::parse2(implementation.stream())?;
        // The struct comes out of a `macro_rules`; errors in it are reported as if it did not.
        let written = implementation.impl_token.span;
        let arguments = resolved_at(arguments.stream(), written);
        let item: ItemStruct = syn::parse2(resolved_at(item.stream(), written))?;
        Ok((arguments, item, implementation))
    };
    let (arguments, item, implementation): (_, ItemStruct, ItemImpl) = match read() {
        Ok(read) => read,
        Err(error) => {
            let error: syn::Error = error;
            return error.to_compile_error();
        }
    };
    // Errors in the struct have been reported by its own macro.
    let of_struct = Ctxt::new();
    let declared = parse::subclassed::Declared::parse(&of_struct, arguments, &item);
    let ctxt = Ctxt::new();
    let parsed = parse::subclassed::Implemented::parse(&ctxt, &implementation);
    if declared.in_order {
        ctxt.error(
            &implementation.self_ty,
            "The struct says `in_order`: its layers follow each other, and it has no `call`.",
        );
        return ctxt.compile_errors();
    }
    let (graph, errors) = if of_struct.has_errors() {
        (Graph::default(), ctxt.compile_errors())
    } else {
        let graph = graph::subclassed::graph(&ctxt, &declared, &parsed);
        let errors = errors(&ctxt, &graph);
        (graph, errors)
    };
    let mut emitter = Emitter::new(keras, &declared.head, &graph);
    emitter.own_steps = parsed.steps;
    let model = emitter.model();
    let own = emitter.own_functions(&implementation.attrs, &parsed.rest);
    quote! { #errors #model #own }
}

/// The same tokens, at the same places, with names meaning what they mean at `span`.
fn resolved_at(tokens: TokenStream, span: Span) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let inner = resolved_at(group.stream(), span);
            let mut resolved = Group::new(group.delimiter(), inner);
            resolved.set_span(group.span().resolved_at(span));
            TokenTree::Group(resolved)
        }
        mut token => {
            token.set_span(token.span().resolved_at(span));
            token
        }
    });
    tokens.collect()
}
