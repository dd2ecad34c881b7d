//! What an argument of `compile` says of a model's outputs: the same of each, or something of each by its name or
//! in their order.

use syn::{Expr, Member};

use super::{as_ident, bare, literals};
use crate::ctxt::Ctxt;

/// What is said of the outputs.
#[derive(Clone)]
pub enum Outputs<T> {
    /// The same of every one.
    Every(T),
    /// By their names: `Dict { class: .., score: .. }` or `[("class", ..), ("score", ..)]`.
    Named(Vec<(String, T)>),
    /// In their order, `None` where nothing is said: `[.., ..]`.
    InOrder(Vec<Option<T>>),
}

impl<T> Outputs<T> {
    /// Reads a dictionary, or a list by names; `None` if it is neither.
    pub fn named(
        ctxt: &Ctxt,
        expr: &Expr,
        mut one: impl FnMut(&Expr) -> Option<T>,
    ) -> Option<Self> {
        let pairs: Vec<(String, &Expr)> = match bare(expr) {
            Expr::Struct(dict) if dict.path.is_ident("Dict") => {
                let fields = dict.fields.iter().map(|field| {
                    let name = match &field.member {
                        Member::Named(name) => name.to_string(),
                        Member::Unnamed(index) => index.index.to_string(),
                    };
                    (name.trim_start_matches("r#").to_owned(), &field.expr)
                });
                fields.collect()
            }
            Expr::Array(array) if !array.elems.is_empty() => {
                let pairs = array.elems.iter().map(|pair| match bare(pair) {
                    Expr::Tuple(pair) if pair.elems.len() == 2 => {
                        let name = literals::text(&pair.elems[0])?.value();
                        Some((name, &pair.elems[1]))
                    }
                    _ => None,
                });
                pairs.collect::<Option<_>>()?
            }
            _ => return None,
        };
        let mut named: Vec<(String, T)> = Vec::new();
        for (name, value) in pairs {
            if named.iter().any(|(other, _)| *other == name) {
                ctxt.error(value, format!("The output `{name}` is repeated."));
                continue;
            }
            named.extend(one(value).map(|value| (name, value)));
        }
        Some(Outputs::Named(named))
    }

    /// Reads a list in the order of the outputs.
    pub fn in_order<'e>(
        exprs: impl IntoIterator<Item = &'e Expr>,
        mut one: impl FnMut(&Expr) -> Option<T>,
    ) -> Self {
        let is_none = |expr: &Expr| as_ident(expr).is_some_and(|word| word == "None");
        let exprs = exprs.into_iter();
        let entries = exprs.map(|expr| if is_none(expr) { None } else { one(expr) });
        Outputs::InOrder(entries.collect())
    }

    /// What is said of an output.
    pub fn of(&self, at: usize, output: &str) -> Option<&T> {
        match self {
            Outputs::Every(value) => Some(value),
            Outputs::Named(named) => {
                let found = named.iter().find(|(name, _)| name == output);
                found.map(|(_, value)| value)
            }
            Outputs::InOrder(values) => values.get(at)?.as_ref(),
        }
    }
}
