//! How windows meet the border of an image.

use crate::config::{Json, argument};

/// Whether windows may reach over the border of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Windows stay inside: the output is smaller than the input.
    Valid,
    /// Zeros around the image, evenly, the odd one after it: with strides of 1 the output is as
    /// large as the input.
    Same,
}

argument! {
    Padding, "`valid` or `same`": |padding| Json::from(match padding {
        Padding::Valid => "valid",
        Padding::Same => "same",
    }), |json| match json.as_str() {
        Some("valid") => Some(Padding::Valid),
        Some("same") => Some(Padding::Same),
        _ => None,
    };
}

impl Padding {
    /// The paddings by their names.
    pub(crate) const NAMES: &[(&str, Self)] = &[("valid", Self::Valid), ("same", Self::Same)];
}
