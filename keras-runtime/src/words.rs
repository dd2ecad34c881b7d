//! The lower-case words of the model language: `relu`, `same`, `glorot_uniform`, ...
//!
//! The macros import this module around a layer's arguments only, so that these names do not fill
//! the user's own scope.
#![allow(non_upper_case_globals)]

pub use crate::device::activation_words::*;
use crate::initializers::Initializer;
use crate::layers::Padding;

macro_rules! words {
    ($($(#[$meta:meta])* $name:ident: $ty:ty = $value:expr;)*) => {$(
        $(#[$meta])*
        pub const $name: $ty = $value;
    )*};
}

words! {
    /// Windows stay inside the image.
    valid: Padding = Padding::Valid;
    /// Zeros around the image.
    same: Padding = Padding::Same;

    /// See [`Initializer::Zeros`].
    zeros: Initializer = Initializer::Zeros;
    /// See [`Initializer::Ones`].
    ones: Initializer = Initializer::Ones;
    /// See [`Initializer::GlorotUniform`].
    glorot_uniform: Initializer = Initializer::GlorotUniform;
    /// See [`Initializer::GlorotNormal`].
    glorot_normal: Initializer = Initializer::GlorotNormal;
    /// See [`Initializer::HeUniform`].
    he_uniform: Initializer = Initializer::HeUniform;
    /// See [`Initializer::HeNormal`].
    he_normal: Initializer = Initializer::HeNormal;
    /// See [`Initializer::LecunUniform`].
    lecun_uniform: Initializer = Initializer::LecunUniform;
    /// See [`Initializer::LecunNormal`].
    lecun_normal: Initializer = Initializer::LecunNormal;
}
