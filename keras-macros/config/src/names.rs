//! Names that Keras makes of the names of classes.

use std::collections::HashMap;

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
}
