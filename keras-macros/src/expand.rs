//! The entry points on `proc_macro2` tokens: all stages, one after the other.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, Item, ItemFn, ItemImpl, ItemStruct};

use crate::ctxt::Ctxt;
use crate::emit::Emitter;
use crate::graph::{self, Graph};
use crate::handover;
use crate::manifest;
use crate::parse::{self, Options};

/// The macro of both halves of a subclassed model.
const ENTRY: &str = "__model_impl";

/// The path of the runtime crate, under whatever name the user gave it.
pub fn keras() -> TokenStream {
    let name = manifest::crate_name("keras-runtime");
    let name = format_ident!("{}", name.as_deref().unwrap_or("keras"));
    quote! { ::#name }
}

/// The errors of an expansion. A model without outputs is a stub: it must not come without one.
fn errors(ctxt: &Ctxt, options: &Options, graph: &Graph, own_steps: &[Ident]) -> TokenStream {
    graph::training::check(ctxt, options, graph, !own_steps.is_empty());
    let shape = |input: &graph::Input| graph.values[input.value].shape.as_ref();
    if let Some(gradcheck) = &options.gradcheck
        && graph
            .whole
            .inputs
            .iter()
            .any(|input| shape(input).is_none())
    {
        ctxt.error(
            gradcheck,
            "`gradcheck` makes data of its own for the model: it needs the shape of each input.",
        );
    }
    if graph.whole.outputs.is_empty() && !ctxt.has_errors() {
        ctxt.error(TokenStream::new(), "The model has no outputs.");
    }
    ctxt.compile_errors()
}

/// The error about a model's name that is one of generated code.
fn taken(ident: &Ident) -> Option<TokenStream> {
    (ident == "D").then(|| {
        let message = "`D` is what generated code calls the device. Give the model another name.";
        syn::Error::new(ident.span(), message).to_compile_error()
    })
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
    if let Some(error) = taken(&head.ident) {
        return error;
    }
    let graph = graph::sequential::graph(&ctxt, &head, &parsed);
    let emitter = Emitter::new(keras, &head, &parsed.options, &graph);
    let errors = errors(&ctxt, &parsed.options, &graph, &[]);
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
        Ok(Item::Struct(item)) => match parse::keras_file::is_meant(&arguments) {
            true => from_file(keras, arguments, &item),
            false => declared(keras, &arguments, &item),
        },
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
    if let Some(error) = taken(&parsed.head.ident) {
        return error;
    }
    let graph = graph::functional::graph(&ctxt, &parsed);
    let model = Emitter::new(keras, &parsed.head, &parsed.options, &graph).item();
    let errors = errors(&ctxt, &parsed.options, &graph, &[]);
    quote! { #errors #model }
}

/// A model that a file of Keras describes.
fn from_file(keras: &TokenStream, arguments: TokenStream, item: &ItemStruct) -> TokenStream {
    if let Some(error) = taken(&item.ident) {
        return error;
    }
    let ctxt = Ctxt::new();
    // Cargo sets it for everything that it builds.
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let folder = std::path::PathBuf::from(folder);
    let file = parse::keras_file::KerasFile::parse(&ctxt, keras, arguments, &folder, item);
    let Some(file) = file else {
        return ctxt.compile_errors();
    };
    let graph = graph::keras_file::graph(&ctxt, &file);
    let mut emitter = Emitter::new(keras, &file.head, &file.options, &graph);
    // Without layers there is nothing that the weights belong to.
    emitter.file = Some(&file).filter(|file| file.description.is_some());
    let (model, replay) = (emitter.item(), emitter.replay());
    let errors = errors(&ctxt, &file.options, &graph, &[]);
    quote! { #errors #model #replay }
}

/// The struct of a subclassed model. Its layers go to the macro of the impl, which comes later, by
/// a `macro_rules` that the latter calls.
fn declared(keras: &TokenStream, arguments: &TokenStream, item: &ItemStruct) -> TokenStream {
    if let Some(error) = taken(&item.ident) {
        return error;
    }
    let ctxt = Ctxt::new();
    let parsed = parse::subclassed::Declared::parse(&ctxt, arguments.clone(), item);
    if parsed.options.in_order {
        let graph = graph::subclassed::in_order(&ctxt, &parsed);
        let model = Emitter::new(keras, &parsed.head, &parsed.options, &graph).item();
        let errors = errors(&ctxt, &parsed.options, &graph, &[]);
        return quote! { #errors #model };
    }
    let errors = ctxt.compile_errors();
    let the_struct =
        Emitter::new(keras, &parsed.head, &parsed.options, &Graph::default()).structs();
    let handed_over = handover::offer(keras, ENTRY, arguments, item);
    quote! { #errors #the_struct #handed_over }
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
    if matches!(&*item.self_ty, syn::Type::Path(path) if path.path.is_ident("D")) {
        // The struct's macro has said what is wrong.
        return TokenStream::new();
    }
    let taken_over = handover::accept(&ctxt, ENTRY, "model", item);
    let errors = ctxt.compile_errors();
    quote! { #errors #taken_over }
}

/// Both halves of a subclassed model: `[arguments] { struct } { impl }`.
pub fn model_impl(keras: &TokenStream, tokens: TokenStream) -> TokenStream {
    let (arguments, item, implementation) = match handover::halves(tokens) {
        Ok(halves) => halves,
        Err(error) => return error.to_compile_error(),
    };
    // Errors in the struct have been reported by its own macro.
    let of_struct = Ctxt::new();
    let declared = parse::subclassed::Declared::parse(&of_struct, arguments, &item);
    let ctxt = Ctxt::new();
    let parsed = parse::subclassed::Implemented::parse(&ctxt, &implementation);
    if declared.options.in_order {
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
        let errors = errors(&ctxt, &declared.options, &graph, &parsed.steps);
        (graph, errors)
    };
    let mut emitter = Emitter::new(keras, &declared.head, &declared.options, &graph);
    emitter.own_steps = parsed.steps;
    let model = emitter.model();
    let own = emitter.own_functions(&implementation.attrs, &parsed.rest);
    quote! { #errors #model #own }
}
