//! Names: Keras' automatic ones, and the identifiers made of names.

use std::collections::{HashMap, HashSet};

/// The name Keras gives to the first layer of a class: `Conv2D` -> `conv2d`, `PReLU` -> `p_re_lu`.
///
/// An underscore goes before a capital that follows a lower-case letter or that one follows.
pub fn snake_case(class: &str) -> String {
    let chars: Vec<char> = class.chars().collect();
    let mut words = String::new();
    for (at, &c) in chars.iter().enumerate() {
        let is_lowercase = |c: Option<&char>| c.is_some_and(|c| c.is_lowercase());
        let previous = at.checked_sub(1).and_then(|at| chars.get(at));
        if previous.is_some()
            && c.is_uppercase()
            && (is_lowercase(previous) || is_lowercase(chars.get(at + 1)))
        {
            words.push('_');
        }
        words.extend(c.to_lowercase());
    }
    words
}

/// Keras' automatic names: `dense`, `dense_1`, `dense_2`.
#[derive(Default)]
pub struct AutoNames {
    seen: HashMap<String, usize>,
}

impl AutoNames {
    /// The name of the next layer of a class.
    pub fn next(&mut self, class: &str) -> String {
        let base = snake_case(class);
        let count = self.seen.entry(base.clone()).or_insert(0);
        *count += 1;
        match *count - 1 {
            0 => base,
            n => format!("{base}_{n}"),
        }
    }
}

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

/// The known name that a wrong one was probably meant to be.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = known
        .into_iter()
        .map(|known| (distance(name, known), known));
    let nearest = distances.min_by_key(|(distance, _)| *distance);
    nearest
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .map(|(_, known)| known)
}

/// How many letters have to be added, removed or replaced: Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["mean", "maximum", "minimum"];
        assert_eq!(nearest("maxmum", known), Some("maximum"));
        assert_eq!(nearest("men", known), Some("mean"));
        assert_eq!(nearest("convolve", known), None);
    }

    #[test]
    fn classes_are_named_as_in_keras() {
        for (class, name) in [
            ("Dense", "dense"),
            ("Conv2D", "conv2d"),
            ("Conv2DTranspose", "conv2d_transpose"),
            ("MaxPooling2D", "max_pooling2d"),
            ("GlobalAveragePooling2D", "global_average_pooling2d"),
            ("BatchNormalization", "batch_normalization"),
            ("ReLU", "re_lu"),
            ("PReLU", "p_re_lu"),
            ("LeakyReLU", "leaky_re_lu"),
            ("ELU", "elu"),
            ("GRU", "gru"),
            ("LSTM", "lstm"),
            ("TFSMLayer", "tfsm_layer"),
            ("MyBlock2D", "my_block2d"),
            ("HTTPLayer", "http_layer"),
        ] {
            assert_eq!(snake_case(class), name);
        }
    }

    #[test]
    fn later_layers_of_a_class_are_counted() {
        let mut names = AutoNames::default();
        let given: Vec<String> = ["Dense", "ReLU", "Dense", "Dense"]
            .iter()
            .map(|class| names.next(class))
            .collect();
        assert_eq!(given, ["dense", "re_lu", "dense_1", "dense_2"]);
    }

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
