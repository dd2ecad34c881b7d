//! What an expression is if it is written out: a text, a flag, a whole number, a word.

use syn::{Expr, Lit, LitStr};

use super::{as_ident, bare};

fn literal(expr: &Expr) -> Option<&Lit> {
    match bare(expr) {
        Expr::Lit(lit) => Some(&lit.lit),
        _ => None,
    }
}

/// `"relu"`.
pub fn text(expr: &Expr) -> Option<&LitStr> {
    match literal(expr)? {
        Lit::Str(text) => Some(text),
        _ => None,
    }
}

/// `true` or `false`.
pub fn flag(expr: &Expr) -> Option<bool> {
    match literal(expr)? {
        Lit::Bool(flag) => Some(flag.value),
        _ => None,
    }
}

/// `3`.
pub fn whole(expr: &Expr) -> Option<usize> {
    match literal(expr)? {
        Lit::Int(int) => int.base10_parse().ok(),
        _ => None,
    }
}

/// `relu`, or the text that stands for it.
pub fn word(expr: &Expr) -> Option<String> {
    let text = text(expr).map(LitStr::value);
    text.or_else(|| as_ident(expr).map(ToString::to_string))
}
