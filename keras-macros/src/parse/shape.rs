//! The shape of an input: `<28, 28, 1>` or `[28, 28, 1]`, `_` for what data will tell.

use quote::ToTokens;
use syn::{AngleBracketedGenericArguments, Expr, ExprPath, GenericArgument, Type};

use super::bare;
use crate::ctxt::Ctxt;

/// The size of one axis.
#[derive(Clone)]
pub enum Dim {
    /// A constant of the user's.
    Size(Box<Expr>),
    /// `_`.
    Unknown,
}

/// The declared shape of one sample of an input; `None` if not even the rank is known.
pub type Shape = Option<Vec<Dim>>;

/// `<28, SIZE, { 2 * N }, _>`.
pub fn from_generics(ctxt: &Ctxt, generics: &AngleBracketedGenericArguments) -> Shape {
    let dims = generics.args.iter().map(|argument| match argument {
        GenericArgument::Type(Type::Infer(_)) => Dim::Unknown,
        GenericArgument::Type(Type::Path(path)) => size(
            ctxt,
            Expr::Path(ExprPath {
                attrs: Vec::new(),
                qself: path.qself.clone(),
                path: path.path.clone(),
            }),
        ),
        GenericArgument::Const(expr) => size(ctxt, expr.clone()),
        other => refuse(ctxt, other),
    });
    Some(dims.collect())
}

/// `[28, SIZE, 2 * N, _]`.
pub fn from_array(ctxt: &Ctxt, expr: &Expr) -> Shape {
    let Expr::Array(array) = bare(expr) else {
        ctxt.error(
            expr,
            "The shape of an input is written `[28, 28, 1]`, without the batch axis; `_` stands for a size that is \
             not known.",
        );
        return None;
    };
    let dims = array.elems.iter().map(|expr| match bare(expr) {
        Expr::Infer(_) => Dim::Unknown,
        expr => size(ctxt, expr.clone()),
    });
    Some(dims.collect())
}

/// A size; one that is written out must be a positive whole number, of others rustc knows more.
fn size(ctxt: &Ctxt, expr: Expr) -> Dim {
    let is_size = match bare(&expr) {
        Expr::Lit(lit) => match &lit.lit {
            syn::Lit::Int(int) => int.base10_parse::<u128>().is_ok_and(|size| size > 0),
            _ => false,
        },
        Expr::Unary(_) | Expr::Tuple(_) | Expr::Array(_) => false,
        _ => true,
    };
    if is_size {
        Dim::Size(Box::new(expr))
    } else {
        refuse(ctxt, &expr)
    }
}

fn refuse(ctxt: &Ctxt, tokens: &impl ToTokens) -> Dim {
    ctxt.error(
        tokens,
        format!(
            "The size of an axis is a positive whole number, a constant or `_`. Received: {}",
            tokens.to_token_stream()
        ),
    );
    Dim::Unknown
}
