//! The lower-case words of the model language: `relu`, `same`, `glorot_uniform`, ...
//!
//! The macros import this module around a layer's arguments only, so that these names do not fill
//! the user's own scope.
#![allow(non_upper_case_globals, non_snake_case)]

use crate::constraints::Constraint;
pub use crate::device::activation_words::*;
use crate::initializers::Initializer;
use crate::layers::Padding;
use crate::regularizers::{OrthogonalMode, Regularizer};

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
    /// See [`Initializer::Identity`].
    identity: Initializer = Initializer::Identity;
    /// See [`Initializer::Orthogonal`].
    orthogonal: Initializer = Initializer::Orthogonal;
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
    /// See [`Initializer::VarianceScaling`].
    variance_scaling: Initializer = Initializer::VarianceScaling;
    /// See [`Initializer::RandomNormal`].
    random_normal: Initializer = Initializer::RandomNormal;
    /// See [`Initializer::TruncatedNormal`].
    truncated_normal: Initializer = Initializer::TruncatedNormal;
    /// See [`Initializer::RandomUniform`].
    random_uniform: Initializer = Initializer::RandomUniform;
    /// See [`Initializer::STFT`].
    stft: Initializer = Initializer::STFT;

    /// The rows of a matrix are to be orthogonal.
    rows: OrthogonalMode = OrthogonalMode::Rows;
    /// The columns of a matrix are to be orthogonal.
    columns: OrthogonalMode = OrthogonalMode::Columns;

    /// See [`Constraint::NonNeg`].
    non_neg: Constraint = Constraint::NonNeg;
    /// See [`Constraint::unit_norm`].
    unit_norm: Constraint = Constraint::unit_norm();
}

/// Words with arguments, each under the name of Keras' class and, where there is one, that of its
/// function.
macro_rules! constructors {
    ($($(#[$meta:meta])* $($name:ident)+ ($($argument:ident: $of:ty),*) -> $ty:ty = $value:expr;)*) => {
        $(constructors!(@ { $(#[$meta])* } [$($name)+] ($($argument: $of),*) $ty, $value);)*
    };
    (@ $meta:tt [$($name:ident)+] $arguments:tt $ty:ty, $value:expr) => {
        $(constructors!(@ $meta $name $arguments $ty, $value);)+
    };
    (@ { $(#[$meta:meta])* } $name:ident ($($argument:ident: $of:ty),*) $ty:ty, $value:expr) => {
        $(#[$meta])*
        #[track_caller]
        pub const fn $name($($argument: $of),*) -> $ty {
            $value
        }
    };
}

constructors! {
    /// See [`Regularizer::l1`].
    l1 L1 (strength: f32) -> Regularizer = Regularizer::l1(strength);
    /// See [`Regularizer::l2`].
    l2 L2 (strength: f32) -> Regularizer = Regularizer::l2(strength);
    /// See [`Regularizer::l1_l2`].
    l1_l2 L1L2 (of_sizes: f32, of_squares: f32) -> Regularizer
        = Regularizer::l1_l2(of_sizes, of_squares);
    /// See [`Regularizer::orthogonal`].
    orthogonal_regularizer OrthogonalRegularizer (factor: f32, mode: OrthogonalMode) -> Regularizer
        = Regularizer::orthogonal(factor, mode);

    /// See [`Constraint::max_norm`].
    max_norm MaxNorm (max_value: f32) -> Constraint = Constraint::max_norm(max_value);
    /// See [`Constraint::min_max_norm`].
    min_max_norm MinMaxNorm (min_value: f32, max_value: f32, rate: f32) -> Constraint
        = Constraint::min_max_norm(min_value, max_value, rate);
    /// See [`Constraint::unit_norm`].
    UnitNorm () -> Constraint = Constraint::unit_norm();
    /// See [`Constraint::NonNeg`].
    NonNeg () -> Constraint = Constraint::NonNeg;

    /// See [`Initializer::constant`].
    constant Constant (value: f32) -> Initializer = Initializer::constant(value);
    /// See [`Initializer::Zeros`].
    Zeros () -> Initializer = Initializer::Zeros;
    /// See [`Initializer::Ones`].
    Ones () -> Initializer = Initializer::Ones;
    /// See [`Initializer::GlorotUniform`].
    GlorotUniform () -> Initializer = Initializer::GlorotUniform;
    /// See [`Initializer::GlorotNormal`].
    GlorotNormal () -> Initializer = Initializer::GlorotNormal;
    /// See [`Initializer::HeUniform`].
    HeUniform () -> Initializer = Initializer::HeUniform;
    /// See [`Initializer::HeNormal`].
    HeNormal () -> Initializer = Initializer::HeNormal;
    /// See [`Initializer::LecunUniform`].
    LecunUniform () -> Initializer = Initializer::LecunUniform;
    /// See [`Initializer::LecunNormal`].
    LecunNormal () -> Initializer = Initializer::LecunNormal;
    /// See [`Initializer::Identity`].
    Identity (gain: f32) -> Initializer = Initializer::Identity.gain(gain);
    /// See [`Initializer::Orthogonal`].
    Orthogonal (gain: f32) -> Initializer = Initializer::Orthogonal.gain(gain);
    /// See [`Initializer::random_normal`].
    RandomNormal (mean: f32, stddev: f32) -> Initializer = Initializer::random_normal(mean, stddev);
    /// See [`Initializer::truncated_normal`].
    TruncatedNormal (mean: f32, stddev: f32) -> Initializer
        = Initializer::truncated_normal(mean, stddev);
    /// See [`Initializer::random_uniform`].
    RandomUniform (minval: f32, maxval: f32) -> Initializer
        = Initializer::random_uniform(minval, maxval);
    /// See [`Initializer::variance_scaling`].
    VarianceScaling (scale: f32, mode: &str, distribution: &str) -> Initializer
        = Initializer::variance_scaling(scale, mode, distribution);
    /// See [`Initializer::stft`].
    STFT (side: &str, window: Option<&str>, scaling: Option<&str>, periodic: bool) -> Initializer
        = Initializer::stft(side, window, scaling, periodic);
}
