//! Tokens -> syntax: what the user wrote, checked as far as one place can tell.

pub mod argument;
pub mod arguments;
pub mod call;
pub mod functional;
pub mod keras_file;
mod keras_layer;
pub mod layer;
pub mod literals;
pub mod loss;
pub mod metric;
pub mod options;
pub mod outputs;
pub mod part;
pub mod row_layer;
pub mod sequential;
pub mod shape;
pub mod signatures;
pub mod subclassed;
pub mod tensor;
pub mod training;
pub mod weighted;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, TokenStreamExt};
use syn::{Attribute, Expr, Ident, Visibility};

pub use argument::Argument;
pub use layer::Layer;
pub use options::Options;
pub use shape::Shape;

/// Keras' sentence about inputs within inputs.
pub const NESTED_INPUTS: &str = "Only dicts, lists, and tuples of input tensors are supported. Nested inputs are not supported (e.g. lists of \
     list or dicts of dict).";

/// What a model's struct begins with.
#[derive(Clone)]
pub struct Head {
    /// The user's attributes, documentation among them.
    pub attrs: Vec<Attribute>,
    /// The user's visibility.
    pub vis: Visibility,
    /// The struct's name.
    pub ident: Ident,
}

/// Where a layer is called: generated checks carry these spans, so that rustc underlines what the
/// user wrote.
#[derive(Clone, Copy)]
pub struct At {
    /// The first token.
    pub start: Span,
    /// The last token, or the parentheses that end the call.
    pub end: Span,
}

impl At {
    /// All of the tokens.
    pub fn of(tokens: &impl ToTokens) -> At {
        let trees: Vec<_> = tokens.to_token_stream().into_iter().collect();
        let span = |tree: Option<&proc_macro2::TokenTree>| {
            tree.map_or_else(Span::call_site, proc_macro2::TokenTree::span)
        };
        At {
            start: span(trees.first()),
            end: span(trees.last()),
        }
    }
}

impl ToTokens for At {
    /// Tokens that an error can be put under.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append(Ident::new("_", self.start));
        tokens.append(Ident::new("_", self.end));
    }
}

/// An expression without the invisible groups that `macro_rules` puts around its fragments, and
/// without parentheses.
pub fn bare(mut expr: &Expr) -> &Expr {
    loop {
        expr = match expr {
            Expr::Group(group) => &group.expr,
            Expr::Paren(paren) => &paren.expr,
            _ => return expr,
        }
    }
}

/// The identifier that an expression consists of.
pub fn as_ident(expr: &Expr) -> Option<&Ident> {
    match bare(expr) {
        Expr::Path(path) if path.qself.is_none() && path.attrs.is_empty() => path.path.get_ident(),
        _ => None,
    }
}
