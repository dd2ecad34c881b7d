//! How the outputs of a model are put together: `[[a, b], c]`, `Dict { a: [b, c] }`.

use std::borrow::Cow;
use std::fmt;

use super::network::{Network, Structure};
use crate::error::{Error, Result};

/// One thing for each output of a model, put together as the outputs are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nested<T> {
    /// That of one tensor.
    One(T),
    /// `(a, b)`.
    Tuple(Vec<Nested<T>>),
    /// `[a, b]`.
    List(Vec<Nested<T>>),
    /// `Dict { a, b }`.
    Dict(Vec<(Cow<'static, str>, Nested<T>)>),
}

impl<T> Nested<T> {
    /// All of them, in the order in which `predict_all` gives outputs.
    pub fn flat(self) -> Vec<T> {
        match self {
            Nested::One(one) => vec![one],
            Nested::Tuple(items) | Nested::List(items) => {
                items.into_iter().flat_map(Nested::flat).collect()
            }
            Nested::Dict(items) => {
                let items = items.into_iter();
                items.flat_map(|(_, item)| item.flat()).collect()
            }
        }
    }

    /// Others, one for each, put together in the same way.
    ///
    /// # Errors
    /// If there are more or fewer.
    pub fn pack<U>(&self, values: impl IntoIterator<Item = U>) -> Result<Nested<U>> {
        let mut values = values.into_iter();
        let wrong = || Error::value("`pack` expects one value for each output of the structure.");
        let packed = self.filled(&mut values).ok_or_else(wrong)?;
        match values.next() {
            None => Ok(packed),
            Some(_) => Err(wrong()),
        }
    }

    fn filled<U>(&self, values: &mut impl Iterator<Item = U>) -> Option<Nested<U>> {
        let each = |items: &[Nested<T>], values: &mut _| -> Option<Vec<Nested<U>>> {
            items.iter().map(|item| item.filled(values)).collect()
        };
        Some(match self {
            Nested::One(_) => Nested::One(values.next()?),
            Nested::Tuple(items) => Nested::Tuple(each(items, values)?),
            Nested::List(items) => Nested::List(each(items, values)?),
            Nested::Dict(items) => {
                let items = items
                    .iter()
                    .map(|(key, item)| Some((key.clone(), item.filled(values)?)));
                Nested::Dict(items.collect::<Option<_>>()?)
            }
        })
    }

    /// What is at a place of a tuple or a list, or under a key: `structure.get("a")`,
    /// `structure.get("0")`.
    pub fn get(&self, place: &str) -> Option<&Nested<T>> {
        match self {
            Nested::One(_) => None,
            Nested::Tuple(items) | Nested::List(items) => items.get(place.parse::<usize>().ok()?),
            Nested::Dict(items) => {
                let found = items.iter().find(|(key, _)| key == place);
                found.map(|(_, item)| item)
            }
        }
    }
}

impl<T: fmt::Display> fmt::Display for Nested<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, items: &[Nested<T>]| {
            items.iter().enumerate().try_for_each(|(at, item)| {
                let comma = if at > 0 { ", " } else { "" };
                write!(f, "{comma}{item}")
            })
        };
        match self {
            Nested::One(one) => write!(f, "{one}"),
            Nested::Tuple(items) => {
                f.write_str("(")?;
                list(f, items)?;
                f.write_str(if items.len() == 1 { ",)" } else { ")" })
            }
            Nested::List(items) => {
                f.write_str("[")?;
                list(f, items)?;
                f.write_str("]")
            }
            Nested::Dict(items) => {
                f.write_str("{")?;
                for (at, (key, item)) in items.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    write!(f, "{comma}{key}: {item}")?;
                }
                f.write_str("}")
            }
        }
    }
}

/// The names of outputs that are not nested, put together.
pub(crate) fn of_network(network: &Network) -> Nested<String> {
    let one = |name: &str| Nested::One(name.to_owned());
    let mut names = network.outputs.iter().map(|output| one(&output.name));
    match network.structure {
        Structure::Single => names.next().unwrap_or(Nested::List(Vec::new())),
        Structure::Tuple => Nested::Tuple(names.collect()),
        Structure::List => Nested::List(names.collect()),
        Structure::Dict => {
            let named = network.outputs.iter().map(|output| output.name.clone());
            Nested::Dict(named.zip(names).collect())
        }
    }
}
