//! Steps -> Rust: the model's struct, its constants and its passes.
//!
//! What is emitted is meant to be read (`cargo expand`):
//!
//! ```text
//! struct Name<D>                        the state: weights, and what the model runs with
//! impl __Name_Layers { const DENSE: .. }  the layers, in the user's scope and Keras' words only
//! const X, S_X, R_X: ..                 values, their shapes, and what the rules said
//! impl Model for Name<D>                the network and the passes, call by call
//! fn infer_h1, forward_h1, backward_h1  one small function for each call and direction
//! ```

mod budget;
mod calls;
mod gradcheck;
mod keras_file;
mod layers;
mod model;
mod part;
mod shapes;
mod static_call;
pub mod tensor;
mod training;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};

use crate::graph::{CallId, Graph, Network};
use crate::names::screaming;
use crate::parse::keras_file::KerasFile;
use crate::parse::{At, Head, Options};

/// What is emitted, and under which names.
pub struct Emitter<'a> {
    /// The path of the runtime crate.
    pub keras: TokenStream,
    /// What the user wrote before the model's name, and the name.
    pub head: &'a Head,
    /// What the attribute `#[model(..)]` says.
    pub options: &'a Options,
    /// The model.
    pub graph: &'a Graph,
    /// The steps that the user wrote, such as `train_step`.
    pub own_steps: Vec<Ident>,
    /// The file that the weights are in.
    pub file: Option<&'a KerasFile>,
    /// One constant for each layer.
    constants: Vec<Ident>,
}

impl<'a> Emitter<'a> {
    /// An emitter of a model.
    pub fn new(
        keras: &TokenStream,
        head: &'a Head,
        options: &'a Options,
        graph: &'a Graph,
    ) -> Self {
        let mut names = crate::names::UniqueNames::default();
        // Other constants beside them.
        for budget in &options.budgets {
            names.reserve(budget.limit.constant());
        }
        for input in &graph.whole.inputs {
            let name = screaming(&graph.values[input.value].name);
            names.reserve(&format!("INPUT_{name}"));
        }
        let constants = graph.layers.iter().map(|layer| {
            let name = names.unique(&screaming(&layer.name));
            crate::graph::generated(&name)
        });
        Self {
            keras: keras.clone(),
            head,
            options,
            graph,
            own_steps: Vec::new(),
            file: None,
            constants: constants.collect(),
        }
    }

    /// A struct and everything that makes it a model.
    pub fn item(&self) -> TokenStream {
        let (the_struct, model) = (self.structs(), self.model());
        quote! { #the_struct #model }
    }

    /// A model as a value, of a type that only this block knows.
    pub fn expression(&self, errors: &TokenStream) -> TokenStream {
        let (item, name) = (self.item(), &self.head.ident);
        quote! { { #errors #item #name::new() } }
    }

    /// The path of the runtime crate with the span of something the user wrote.
    fn keras_at(&self, span: Span) -> TokenStream {
        let tokens = self.keras.clone().into_iter().map(|mut token| {
            token.set_span(span);
            token
        });
        tokens.collect()
    }

    /// The type that the layers' constants belong to.
    fn layers_type(&self) -> Ident {
        format_ident!("__{}_Layers", self.head.ident)
    }

    /// What it is called where the passes are.
    fn layers_alias(&self) -> Ident {
        let is_taken = self.head.ident == "L";
        crate::graph::generated(if is_taken { "Layers" } else { "L" })
    }

    /// The constant of a value: `H1`.
    fn value(&self, value: usize) -> Ident {
        crate::graph::generated(&screaming(&self.graph.values[value].name))
    }

    /// A constant of a value with a prefix: `S_H1`. Where a layer is in error, rustc notes once, at
    /// the model's name, that constants which follow from it are, too.
    fn value_constant(&self, prefix: &str, value: usize) -> Ident {
        let span = self.head.ident.span();
        format_ident!("{prefix}_{}", self.value(value), span = span)
    }

    /// The function of a call: `forward_h1`.
    fn function(&self, prefix: &str, call: CallId) -> Ident {
        let output = self.graph.calls[call].output;
        format_ident!("{prefix}_{}", self.graph.values[output].name)
    }

    /// All networks: the model's and its parts'.
    fn networks(&self) -> impl Iterator<Item = &Network> {
        let parts = self.graph.parts.iter().map(|part| &part.network);
        std::iter::once(&self.graph.whole).chain(parts)
    }
}

/// A call whose error rustc reports under the tokens at `at`; the function has their span already.
fn call_at(at: At, function: TokenStream, arguments: TokenStream) -> TokenStream {
    let mut group = Group::new(Delimiter::Parenthesis, arguments);
    group.set_span(at.end);
    let group = TokenTree::Group(group);
    quote! { #function #group }
}
