//! Words given as texts, `activation = "relu"`: what Keras calls so, found by rustc or at run time.

use crate::constraints::Constraint;
use crate::device::Activation;
use crate::error::{Error, Result};
use crate::initializers::Initializer;
use crate::layers::Padding;
use crate::regularizers::Regularizer;
use crate::shape::Text;

/// Texts as arguments of layers, which the macros write as calls of these.
macro_rules! arguments {
    ($($(#[$meta:meta])* $name:ident $what:literal -> $ty:ty;)*) => {$(
        $(#[$meta])*
        ///
        /// # Panics
        /// If there is none; in a model this is a compile error that suggests the nearest.
        #[track_caller]
        pub const fn $name(name: &str) -> $ty {
            find($what, name, <$ty>::NAMES)
        }
    )*};
}

arguments! {
    /// The activation of a name.
    activation "activation function" -> Activation;
    /// The initializer of a name.
    initializer "initializer" -> Initializer;
    /// The regularizer of a name, with Keras' defaults.
    regularizer "regularizer" -> Regularizer;
    /// The constraint of a name, with Keras' defaults.
    constraint "constraint" -> Constraint;
    /// The padding of a name.
    padding "padding" -> Padding;
}

/// The value of a name, in a constant.
#[track_caller]
const fn find<T: Copy>(what: &str, name: &str, known: &[(&str, T)]) -> T {
    let mut at = 0;
    while at < known.len() {
        if is(known[at].0, name) {
            return known[at].1;
        }
        at += 1;
    }
    let text = Text::new()
        .str("Could not interpret ")
        .str(what)
        .str(" identifier: ")
        .str(name)
        .str(".");
    match nearest(name, known) {
        Some(near) => panic!(
            "{}",
            text.str(" Did you mean `").str(near).str("`?").as_str()
        ),
        None => panic!("{}", text.as_str()),
    }
}

/// The value of a name, at run time.
///
/// # Errors
/// If there is none; the message suggests the nearest.
pub(crate) fn by_name<T: Copy>(what: &str, name: &str, known: &[(&str, T)]) -> Result<T> {
    let found = known.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value).ok_or_else(|| {
        // Classes have names of functions, too, and these are suggested.
        let names = known.iter().map(|(known, _)| *known);
        let known: Vec<&str> = names.filter(|name| !is_class(name)).collect();
        Error::unknown(what, name, &known)
    })
}

/// Whether two texts are the same, in constants.
pub(crate) const fn is(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// The known name that a wrong one was probably meant to be.
const fn nearest<'n, T: Copy>(name: &str, known: &[(&'n str, T)]) -> Option<&'n str> {
    let mut nearest = None;
    let mut least = usize::MAX;
    let mut at = 0;
    while at < known.len() {
        let candidate = known[at].0;
        let distance = distance(name, candidate);
        if distance < least && distance <= 1 + candidate.len() / 4 && !is_class(candidate) {
            (nearest, least) = (Some(candidate), distance);
        }
        at += 1;
    }
    nearest
}

/// Whether a name is that of a class: `HeNormal`.
const fn is_class(name: &str) -> bool {
    match name.as_bytes() {
        [first, ..] => first.is_ascii_uppercase(),
        [] => false,
    }
}

/// The longest name that a distance is computed of.
const LONGEST: usize = 32;

/// How many letters have to be added, removed or replaced, capital or not: Levenshtein's distance.
const fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if b.len() > LONGEST {
        return usize::MAX;
    }
    let mut row = [0; LONGEST + 1];
    let mut j = 0;
    while j <= b.len() {
        row[j] = j;
        j += 1;
    }
    let mut i = 0;
    while i < a.len() {
        let mut diagonal = i;
        row[0] = i + 1;
        j = 0;
        while j < b.len() {
            let same = a[i].eq_ignore_ascii_case(&b[j]);
            let mut best = if same { diagonal } else { diagonal + 1 };
            diagonal = row[j + 1];
            if row[j] + 1 < best {
                best = row[j] + 1;
            }
            if diagonal + 1 < best {
                best = diagonal + 1;
            }
            row[j + 1] = best;
            j += 1;
        }
        i += 1;
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_constants() {
        const RELU: Activation = activation("relu");
        const HE: Initializer = initializer("HeNormal");
        assert_eq!(RELU, Activation::Relu);
        assert_eq!(HE, Initializer::HeNormal);
        assert_eq!(regularizer("l2"), Regularizer::l2(0.01));
        assert_eq!(constraint("non_neg"), Constraint::NonNeg);
        assert_eq!(padding("same"), Padding::Same);
    }

    #[test]
    fn the_nearest_name_is_the_one_that_is_suggested_at_run_time() {
        for name in ["rleu", "softmx", "TanH", "convolve", "gel", ""] {
            let near = nearest(name, Activation::NAMES);
            let error = Activation::by_name(name).unwrap_err().to_string();
            let hint = near.map(|near| format!(" Did you mean `{near}`?"));
            let expected = format!(
                "Could not interpret activation function identifier: {name}.{}",
                hint.unwrap_or_default()
            );
            assert_eq!(error, expected);
        }
    }

    #[test]
    #[should_panic(expected = "Could not interpret padding identifier: some. Did you mean `same`?")]
    fn unknown_names_have_a_suggestion() {
        padding("some");
    }
}
