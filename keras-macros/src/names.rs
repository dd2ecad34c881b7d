//! Names: Keras' automatic ones, and the identifiers made of names.

use std::collections::HashSet;

pub use keras_config::names::{AutoNames, nearest, snake_case};

/// Names that are each given once: `x`, `x_1`, `x_2`.
#[derive(Default)]
pub struct UniqueNames {
    taken: HashSet<String>,
}

impl UniqueNames {
    /// A name like `wanted` that nobody has yet.
    pub fn unique(&mut self, wanted: &str) -> String {
        self.unique_with(wanted, |name| vec![name.to_string()])
    }

    /// The same for a name that several identifiers are made of.
    pub fn unique_with(&mut self, wanted: &str, made: impl Fn(&str) -> Vec<String>) -> String {
        let mut name = wanted.to_string();
        let mut n = 0;
        while made(&name).iter().any(|made| self.taken.contains(made)) {
            n += 1;
            name = format!("{wanted}_{n}");
        }
        self.taken.extend(made(&name));
        name
    }

    /// Gives a name to nobody.
    pub fn reserve(&mut self, name: &str) {
        self.taken.insert(name.to_string());
    }
}

/// What a name looks like as an identifier: `my layer` -> `my_layer`, `3d` -> `_3d`.
pub fn identifier(name: &str) -> String {
    let name = name.strip_prefix("r#").unwrap_or(name);
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut ident: String = name
        .chars()
        .map(|c| if is_part(c) { c } else { '_' })
        .collect();
    if !ident.starts_with(|c: char| c.is_alphabetic()) {
        ident.insert(0, '_');
    }
    ident
}

/// The name of a constant: `dense_1` -> `DENSE_1`.
pub fn screaming(name: &str) -> String {
    identifier(name).to_uppercase()
}

/// The name of a type: `backbone` -> `Backbone`, `conv_part` -> `ConvPart`.
pub fn camel_case(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    words
        .flat_map(|word| {
            let mut chars = word.chars();
            let first = chars.next().into_iter().flat_map(char::to_uppercase);
            first.chain(chars).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_valid_and_given_once() {
        assert_eq!(screaming("my layer-1"), "MY_LAYER_1");
        assert_eq!(screaming("3d"), "_3D");
        assert_eq!(screaming("r#type"), "TYPE");
        assert_eq!(camel_case("conv_part"), "ConvPart");
        let mut names = UniqueNames::default();
        names.reserve("x_1");
        let given = ["x", "x", "x"].map(|name| names.unique(name));
        assert_eq!(given, ["x", "x_2", "x_3"]);
    }
}
