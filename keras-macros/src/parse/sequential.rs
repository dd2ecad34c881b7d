//! `sequential! { pub Mlp<784>; Dense(10), .. }` and `sequential![Dense(10), ..]`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{AngleBracketedGenericArguments, Attribute, Expr, Ident, Token, Visibility};

use super::call::{Expression, Form, Reader, adds};
use super::{Head, Layer, Options, Shape, as_ident, bare, shape};
use crate::ctxt::Ctxt;

/// What `sequential!` was given.
pub struct Sequential {
    /// Whether it stands where an item does, or an expression.
    pub is_item: bool,
    /// The struct that an item declares; an expression's model has no name.
    pub head: Option<Head>,
    /// What its attribute `#[model(..)]` says.
    pub options: Options,
    /// The declared input shape.
    pub input: Shape,
    /// The layers, in order, and what is added between them.
    pub entries: Vec<Entry>,
}

/// An entry of the list.
pub enum Entry {
    /// A layer, which is called on what the layers before it give.
    Layer(Box<Layer>),
    /// `add_loss(..)` or `add_metric(..)`, of what the layers before it give: `x`.
    Added(Expression),
}

impl Sequential {
    /// Reads all that can be read; what cannot is an error in `ctxt`.
    pub fn parse(ctxt: &Ctxt, tokens: TokenStream) -> Sequential {
        let mut is_item = false;
        let read = |stream: ParseStream| {
            is_item = begins_item(stream);
            let (mut options, mut head, mut input) = (Options::default(), None, None);
            if is_item {
                let mut attrs = stream.call(Attribute::parse_outer)?;
                options = Options::take(ctxt, &mut attrs);
                head = Some(Head {
                    attrs,
                    vis: stream.parse()?,
                    ident: stream.parse()?,
                });
                input = input_shape(ctxt, stream)?;
            }
            Ok((head, options, input, entries(ctxt, stream)?))
        };
        let (head, options, input, entries) = ctxt.ok(read.parse2(tokens)).unwrap_or_default();
        Sequential {
            is_item,
            head,
            options,
            input,
            entries,
        }
    }
}

/// An item begins with attributes, a visibility, or a name that `;` or its input shape and `;`
/// follow.
fn begins_item(stream: ParseStream) -> bool {
    if stream.peek(Token![#]) || stream.peek(Token![pub]) {
        return true;
    }
    let fork = stream.fork();
    if fork.parse::<Ident>().is_err() {
        return false;
    }
    if fork.peek(Token![<]) {
        return fork.parse::<AngleBracketedGenericArguments>().is_ok();
    }
    fork.peek(Token![;])
}

fn input_shape(ctxt: &Ctxt, stream: ParseStream) -> syn::Result<Shape> {
    let input = if stream.peek(Token![<]) {
        shape::from_generics(ctxt, &stream.parse()?)
    } else {
        None
    };
    // The layers can be read without it.
    if let Err(error) = stream.parse::<Token![;]>() {
        ctxt.push(syn::Error::new(
            error.span(),
            "A `;` is expected between the model's name and its layers.",
        ));
        if stream.peek(Token![,]) {
            stream.parse::<Token![,]>()?;
        }
    }
    Ok(input)
}

/// Entries up to the end, each read on its own, so that one mistake does not hide another.
fn entries(ctxt: &Ctxt, stream: ParseStream) -> syn::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    while !stream.is_empty() {
        // On a fork, which may fail without the whole failing.
        let fork = stream.fork();
        match Expr::parse(&fork) {
            Ok(expr) => {
                stream.advance_to(&fork);
                entries.extend(entry(ctxt, &expr));
            }
            Err(error) => {
                ctxt.push(error);
                while !stream.is_empty() && !stream.peek(Token![,]) {
                    stream.parse::<proc_macro2::TokenTree>()?;
                }
            }
        }
        if stream.is_empty() {
            break;
        }
        if let Err(error) = stream.parse::<Token![,]>() {
            ctxt.push(syn::Error::new(
                error.span(),
                "A `,` is expected between two layers.",
            ));
            if stream.peek(Token![;]) {
                stream.parse::<Token![;]>()?;
            }
        }
    }
    Ok(entries)
}

fn entry(ctxt: &Ctxt, expr: &Expr) -> Option<Entry> {
    if let Expr::Call(call) = bare(expr)
        && as_ident(&call.func).is_some_and(adds)
    {
        let reader = Reader {
            ctxt,
            form: Form::Sequential,
        };
        return Some(Entry::Added(reader.expression(expr)));
    }
    let layer = Layer::from_expr(ctxt, bare(expr)).map(Box::new);
    if layer.is_none() {
        ctxt.error(
            expr,
            format!(
                "Only layers can be added to a Sequential model, such as `Dense(10)` or `Flatten`. Received: {}",
                expr.to_token_stream()
            ),
        );
    }
    layer.map(Entry::Layer)
}

/// The visibility of a model without a name.
pub fn unnamed() -> Head {
    Head {
        attrs: Vec::new(),
        vis: Visibility::Inherited,
        ident: Ident::new("Sequential", proc_macro2::Span::call_site()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::Dim;
    use super::*;

    fn parse(text: &str) -> (Sequential, Vec<String>) {
        let ctxt = Ctxt::new();
        let sequential = Sequential::parse(&ctxt, text.parse().unwrap());
        (sequential, ctxt.messages())
    }

    #[test]
    fn items_and_expressions_are_told_apart() {
        for (text, name, layers) in [
            ("pub Mlp; Dense(1)", Some("Mlp"), 1),
            ("#[doc = \"..\"] Mlp<3>; Dense(1), Flatten,", Some("Mlp"), 2),
            ("Mlp<_, _, 3>; Dense(1)", Some("Mlp"), 1),
            ("Dense(1), Flatten", None, 2),
            ("Flatten", None, 1),
        ] {
            let (sequential, messages) = parse(text);
            let ident = sequential.head.map(|head| head.ident.to_string());
            assert_eq!(ident.as_deref(), name, "{text}");
            assert_eq!(sequential.entries.len(), layers, "{text}");
            assert!(messages.is_empty(), "{messages:?}");
        }
    }

    #[test]
    fn unknown_sizes_and_constants_are_shapes() {
        let (sequential, messages) = parse("Net<_, SIZE, { 2 * N }, 3>; Flatten");
        let dims = sequential.input.unwrap();
        let known: Vec<bool> = dims.iter().map(|dim| matches!(dim, Dim::Size(_))).collect();
        assert_eq!(known, [false, true, true, true]);
        assert!(messages.is_empty(), "{messages:?}");
    }

    #[test]
    fn every_mistake_is_reported() {
        let (sequential, messages) =
            parse("Net<0, 3>; Dense(10) Flatten, x + 1, Dense(4,, 5), Dense(2)");
        assert_eq!(sequential.entries.len(), 3);
        assert_eq!(
            messages,
            [
                "The size of an axis is a positive whole number, a constant or `_`. Received: 0",
                "A `,` is expected between two layers.",
                "Only layers can be added to a Sequential model, such as `Dense(10)` or `Flatten`. Received: x + 1",
                "expected an expression",
            ]
        );
    }
}
