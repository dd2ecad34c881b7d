//! Names that Keras makes of the names of classes, and those that were meant by wrong ones.

use std::collections::HashMap;

/// The name Keras gives to the first layer of a class: `Conv2D` -> `conv2d`, `PReLU` -> `p_re_lu`.
///
/// An underscore goes before a capital that follows a letter in lower case, or that such a letter follows.
/// What is no part of a word is left out.
pub fn snake_case(class: &str) -> String {
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    let chars: Vec<char> = class.chars().filter(is_word).collect();
    let is_lower = |at: usize| chars.get(at).is_some_and(char::is_ascii_lowercase);
    let mut words = String::new();
    for (at, c) in chars.iter().enumerate() {
        if at > 0 && c.is_ascii_uppercase() && (is_lower(at - 1) || is_lower(at + 1)) {
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

/// The known name that a wrong one was probably meant to be, capitals or not.
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&name, &known.to_lowercase());
    known
        .into_iter()
        .map(|known| (distance(known), known))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("My_Layer2D", "my__layer2d"),
            ("Of<Two>", "of_two"),
        ] {
            assert_eq!(snake_case(class), name);
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["mean", "maximum", "minimum", "sgd"];
        for (name, near) in [
            ("maxmum", Some("maximum")),
            ("men", Some("mean")),
            ("Mena", Some("mean")),
            ("sdg", Some("sgd")),
            ("convolve", None),
        ] {
            assert_eq!(nearest(name, known), near, "{name}");
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
}
