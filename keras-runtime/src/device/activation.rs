//! The activation functions of Keras: which there are, their arguments and their names.

use std::mem::discriminant;

use crate::config::{Argument, Config, Json, Read, named};
use crate::error::Result;
use crate::texts;

/// A function from `keras.activations`.
///
/// `cpu/activation/functions.rs` has the formulas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `x` above 0, `alpha (e^(x / alpha) - 1)` below.
    Celu {
        /// 1 by default.
        alpha: f32,
    },
    /// `x` above 0, `alpha (e^x - 1)` below.
    Elu {
        /// 1 by default.
        alpha: f32,
    },
    /// `e^x`.
    Exponential,
    /// `x Φ(x)`, Φ the normal distribution.
    Gelu {
        /// Whether Φ is approximated by a tanh; it is not by default.
        approximate: bool,
    },
    /// `a sigmoid(b)`, a and b the halves of the last axis.
    Glu,
    /// `x` where `|x| > threshold`, else 0.
    HardShrink {
        /// 0.5 by default.
        threshold: f32,
    },
    /// `x / 6 + 1 / 2`, between 0 and 1.
    HardSigmoid,
    /// `x hard_sigmoid(x)`.
    HardSilu,
    /// `x`, between -1 and 1.
    HardTanh,
    /// `x` from 0 on, `negative_slope x` below.
    LeakyRelu {
        /// 0.2 by default.
        negative_slope: f32,
    },
    /// `x`.
    Linear,
    /// `ln(sigmoid(x))`.
    LogSigmoid,
    /// `ln(softmax(x))`.
    LogSoftmax,
    /// `x tanh(softplus(x))`.
    Mish,
    /// `max(x, 0)`.
    Relu,
    /// `x` above the threshold, at most `max_value`; `negative_slope (x - threshold)` below.
    ReluWith {
        /// 0 by default.
        negative_slope: f32,
        /// Infinite by default.
        max_value: f32,
        /// 0 by default.
        threshold: f32,
    },
    /// `x`, between 0 and 6.
    Relu6,
    /// `1.0507 x` above 0, `1.7581 (e^x - 1)` below.
    Selu,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// `x sigmoid(x)`.
    Silu,
    /// `e^x / Σ e^x` along the last axis.
    Softmax,
    /// `x` drawn towards 0 by `threshold`.
    SoftShrink {
        /// 0.5 by default.
        threshold: f32,
    },
    /// `ln(1 + e^x)`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// 0 below -1, `x` above 1, `(x + 1)² / 4` between.
    SparsePlus,
    /// `(x + 1) / 2`, between 0 and 1.
    SparseSigmoid,
    /// The nearest point to x, along the last axis, whose numbers are at least 0 and add up to 1.
    Sparsemax,
    /// `(x + √(x² + b)) / 2`.
    Squareplus {
        /// 4 by default.
        b: f32,
    },
    /// The hyperbolic tangent.
    Tanh,
    /// `x - tanh(x)`.
    TanhShrink,
    /// `x` above the threshold, else `default_value`.
    Threshold {
        /// What x is compared with.
        threshold: f32,
        /// What takes its place.
        default_value: f32,
    },
}

/// The words for activations, and the table of their names. A function with arguments has a word
/// for Keras' defaults and a `_with` for others.
macro_rules! words {
    ($($name:ident = $variant:ident $({ $($default:tt)* })? $(, $with:ident($($arg:ident: $ty:ty),*))?;)*) => {
        /// The activations as words of the model language: `relu`, `swish`, `elu_with(0.3)`.
        #[allow(non_upper_case_globals)]
        pub mod words {
            use super::Activation;
            $(
                #[doc = concat!("See [`Activation::", stringify!($variant), "`].")]
                pub const $name: Activation = Activation::$variant $({ $($default)* })?;
                $(
                    #[doc = concat!("See [`Activation::", stringify!($variant), "`].")]
                    pub const fn $with($($arg: $ty),*) -> Activation {
                        Activation::$variant { $($arg),* }
                    }
                )?
            )*

            /// See [`Activation::Threshold`].
            pub const fn threshold(threshold: f32, default_value: f32) -> Activation {
                Activation::Threshold { threshold, default_value }
            }

            /// See [`Activation::relu_with`].
            pub const fn relu_with(negative_slope: f32, max_value: f32, threshold: f32) -> Activation {
                Activation::relu_with(negative_slope, max_value, threshold)
            }
        }

        impl Activation {
            /// The words and what they mean; of two names the first one is the function's own.
            pub(crate) const NAMES: &[(&str, Activation)] = &[$((stringify!($name), words::$name)),*];
        }
    };
}

words! {
    celu = Celu { alpha: 1.0 }, celu_with(alpha: f32);
    elu = Elu { alpha: 1.0 }, elu_with(alpha: f32);
    exponential = Exponential;
    gelu = Gelu { approximate: false }, gelu_with(approximate: bool);
    glu = Glu;
    hard_shrink = HardShrink { threshold: 0.5 }, hard_shrink_with(threshold: f32);
    hard_sigmoid = HardSigmoid;
    hard_silu = HardSilu;
    hard_swish = HardSilu;
    hard_tanh = HardTanh;
    leaky_relu = LeakyRelu { negative_slope: 0.2 }, leaky_relu_with(negative_slope: f32);
    linear = Linear;
    log_sigmoid = LogSigmoid;
    log_softmax = LogSoftmax;
    mish = Mish;
    relu = Relu;
    relu6 = Relu6;
    selu = Selu;
    sigmoid = Sigmoid;
    silu = Silu;
    swish = Silu;
    softmax = Softmax;
    soft_shrink = SoftShrink { threshold: 0.5 }, soft_shrink_with(threshold: f32);
    softplus = Softplus;
    softsign = Softsign;
    sparse_plus = SparsePlus;
    sparse_sigmoid = SparseSigmoid;
    sparsemax = Sparsemax;
    squareplus = Squareplus { b: 4.0 }, squareplus_with(b: f32);
    tanh = Tanh;
    tanh_shrink = TanhShrink;
}

impl Argument for Activation {
    const EXPECTED: &'static str = "an activation function";

    /// A name, if the arguments are Keras' defaults.
    fn to_json(&self) -> Json {
        match Self::by_name(self.name()) {
            Ok(named) if named == *self => Json::from(self.name()),
            _ => self.config().to_json(),
        }
    }

    fn from_json(json: &Json) -> Result<Option<Self>> {
        if json.is_null() {
            return Ok(Some(Self::Linear));
        }
        named(json, Self::by_name, Self::from_config)
    }
}

impl Activation {
    /// Keras' `relu` with arguments. `max_value` is infinite where there is none.
    pub const fn relu_with(negative_slope: f32, max_value: f32, threshold: f32) -> Activation {
        if threshold != 0.0 || max_value != f32::INFINITY {
            return Activation::ReluWith {
                negative_slope,
                max_value,
                threshold,
            };
        }
        if negative_slope == 0.0 {
            Activation::Relu
        } else {
            Activation::LeakyRelu { negative_slope }
        }
    }

    /// The function that Keras calls so, with Keras' defaults.
    ///
    /// # Errors
    /// If there is none.
    pub fn by_name(name: &str) -> Result<Activation> {
        texts::by_name("activation function", name, Self::NAMES)
    }

    /// Keras' name, without the arguments.
    pub fn name(&self) -> &'static str {
        match self {
            Activation::ReluWith { .. } => "relu",
            Activation::Threshold { .. } => "threshold",
            _ => Self::NAMES
                .iter()
                .find(|(_, known)| discriminant(known) == discriminant(self))
                .map_or("", |(name, _)| name),
        }
    }

    /// Its class and arguments. Keras has layers for some functions with arguments; for the others
    /// it has no name.
    fn config(&self) -> Config {
        let layer = |class| Config::keras("keras.layers", class);
        match *self {
            Self::LeakyRelu { negative_slope } => {
                layer("LeakyReLU").with("negative_slope", negative_slope)
            }
            Self::Elu { alpha } => layer("ELU").with("alpha", alpha),
            Self::ReluWith {
                negative_slope,
                max_value,
                threshold,
            } => layer("ReLU")
                .with("max_value", max_value.is_finite().then_some(max_value))
                .with("negative_slope", negative_slope)
                .with("threshold", threshold),
            Self::Celu { alpha } => Config::own("celu").with("alpha", alpha),
            Self::Gelu { approximate } => Config::own("gelu").with("approximate", approximate),
            Self::HardShrink { threshold } => {
                Config::own("hard_shrink").with("threshold", threshold)
            }
            Self::SoftShrink { threshold } => {
                Config::own("soft_shrink").with("threshold", threshold)
            }
            Self::Squareplus { b } => Config::own("squareplus").with("b", b),
            Self::Threshold {
                threshold,
                default_value,
            } => Config::own("threshold")
                .with("threshold", threshold)
                .with("default_value", default_value),
            _ => Config::own(self.name()),
        }
    }

    /// The function of a configuration.
    ///
    /// # Errors
    /// If there is no such function, or a value does not fit its argument.
    pub fn from_config(config: &Config) -> Result<Self> {
        let (mut slope, mut max_value, mut level) = (0.0, f32::INFINITY, 0.0);
        let mut function = match config.class_name.as_str() {
            "LeakyReLU" => words::leaky_relu_with(0.3),
            "ELU" => words::elu,
            "ReLU" => Self::Relu,
            "threshold" => words::threshold(0.0, 0.0),
            name => Self::by_name(name)?,
        };
        for (name, value) in config.config.iter() {
            let number = match (&mut function, name) {
                // What the layer has in any case.
                _ if ["name", "trainable", "dtype"].contains(&name) => continue,
                (Self::Gelu { approximate }, "approximate") => {
                    *approximate = value.read(name)?;
                    continue;
                }
                (Self::Relu, "max_value") => {
                    max_value = value.read::<Option<f32>>(name)?.unwrap_or(f32::INFINITY);
                    continue;
                }
                (Self::Relu, "negative_slope") => &mut slope,
                (Self::Relu, "threshold") => &mut level,
                (Self::LeakyRelu { negative_slope }, "negative_slope") => negative_slope,
                (Self::Elu { alpha } | Self::Celu { alpha }, "alpha") => alpha,
                (
                    Self::HardShrink { threshold }
                    | Self::SoftShrink { threshold }
                    | Self::Threshold { threshold, .. },
                    "threshold",
                ) => threshold,
                (Self::Squareplus { b }, "b") => b,
                (Self::Threshold { default_value, .. }, "default_value") => default_value,
                _ => return Err(config.unexpected(name)),
            };
            *number = value.read(name)?;
        }
        Ok(match function {
            Self::Relu => Self::relu_with(slope, max_value, level),
            function => function,
        })
    }

    /// Whether the derivative cannot be computed from the function's value alone.
    pub const fn gradient_needs_input(&self) -> bool {
        match self {
            Activation::Gelu { .. }
            | Activation::Glu
            | Activation::HardSilu
            | Activation::Mish
            | Activation::ReluWith { .. }
            | Activation::Silu
            | Activation::TanhShrink
            | Activation::Threshold { .. } => true,
            // With these the sign of the value is no longer that of the input.
            Activation::Elu { alpha } => *alpha < 0.0,
            Activation::LeakyRelu { negative_slope } => *negative_slope <= 0.0,
            _ => false,
        }
    }

    /// Whether the value has the shape of the input: all but `glu`, which halves the last axis.
    pub const fn keeps_shape(&self) -> bool {
        !matches!(self, Activation::Glu)
    }

    /// Whether numbers of a row depend on each other.
    pub const fn is_row_wise(&self) -> bool {
        matches!(
            self,
            Activation::Glu | Activation::LogSoftmax | Activation::Softmax | Activation::Sparsemax
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_functions_and_back() -> Result<()> {
        for (name, activation) in Activation::NAMES {
            assert_eq!(Activation::by_name(name)?, *activation);
            let own = activation.name();
            assert!(
                own == *name || ["hard_swish", "swish"].contains(name),
                "{own}"
            );
        }
        assert_eq!(Activation::by_name("swish")?.name(), "silu");
        assert_eq!(Activation::relu_with(0.0, 2.0, 0.0).name(), "relu");
        assert_eq!(words::threshold(0.4, -2.0).name(), "threshold");
        Ok(())
    }

    #[test]
    fn unknown_names_are_errors() {
        let error = Activation::by_name("rellu").unwrap_err().to_string();
        assert!(error.starts_with("Could not interpret activation function identifier: rellu."));
        assert!(error.contains("`relu`"), "{error}");
    }

    #[test]
    fn relu_with_defaults_is_relu() {
        assert_eq!(
            Activation::relu_with(0.0, f32::INFINITY, 0.0),
            Activation::Relu
        );
        let leaky = Activation::relu_with(0.1, f32::INFINITY, 0.0);
        assert_eq!(leaky, words::leaky_relu_with(0.1));
    }
}
