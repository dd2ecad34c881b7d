//! Arguments by position and by name, and those of a layer in Keras' order.

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Ident, Token};

use super::{Argument, At, as_ident};
use crate::ctxt::Ctxt;

/// The arguments of a call.
pub type Arguments = Punctuated<Expr, Token![,]>;

/// Those by position and those by name, by Python's rules.
pub fn split<'a>(
    ctxt: &Ctxt,
    arguments: &'a Arguments,
) -> (Vec<&'a Expr>, Vec<(&'a Ident, &'a Expr)>) {
    let (mut positional, mut named) = (Vec::new(), Vec::<(&Ident, &Expr)>::new());
    for argument in arguments {
        match (argument, named.last()) {
            (Expr::Assign(assign), _) => match as_ident(&assign.left) {
                None => ctxt.error(&assign.left, "The name of an argument is expected here."),
                Some(key) if named.iter().any(|(other, _)| *other == key) => {
                    ctxt.error(key, format!("The keyword argument `{key}` is repeated."));
                }
                Some(key) => named.push((key, &assign.right)),
            },
            // After a name, which place would a nameless argument be in?
            (argument, Some((last, _))) => ctxt.error(
                argument,
                format!("A positional argument follows the keyword argument `{last}`."),
            ),
            (argument, None) => positional.push(argument),
        }
    }
    (positional, named)
}

/// Keras' order of the arguments of classes that have the same.
pub struct Signature {
    /// The classes.
    pub classes: &'static [&'static str],
    /// The arguments of `new`, with the default of those that have one in Keras.
    pub required: &'static [(&'static str, Option<&'static str>)],
    /// The arguments after them, which are methods, in several lists.
    pub optional: &'static [&'static [&'static str]],
}

impl Signature {
    /// The arguments that are methods.
    pub fn optional(&self) -> impl Iterator<Item = &'static str> {
        self.optional.iter().copied().flatten().copied()
    }

    /// All arguments.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let required = self.required.iter().map(|(name, _)| *name);
        required.chain(self.optional())
    }
}

/// Keras' order of a layer's arguments.
struct Order {
    class: &'static str,
    /// The arguments of `new`, with the default of those that have one in Keras.
    required: &'static [(&'static str, Option<&'static str>)],
    /// The arguments after them, which are methods.
    optional: &'static [&'static str],
}

/// For the classes whose required arguments may be given by name, or others by position. A class
/// that is not here, such as a user's, takes positional arguments in `new` and named ones as
/// methods.
const ORDERS: &[Order] = &[
    order_of(
        "Dense",
        &[("units", None)],
        &[
            "activation",
            "use_bias",
            "kernel_initializer",
            "bias_initializer",
            "kernel_regularizer",
            "bias_regularizer",
            "activity_regularizer",
            "kernel_constraint",
            "bias_constraint",
        ],
    ),
    order_of("Activation", &[("activation", None)], &[]),
    order_of(
        "Embedding",
        &[("input_dim", None), ("output_dim", None)],
        &[
            "embeddings_initializer",
            "embeddings_regularizer",
            "embeddings_constraint",
            "mask_zero",
        ],
    ),
    order_of("Conv1D", CONV, CONV_OPTIONS),
    order_of("Conv2D", CONV, CONV_OPTIONS),
    order_of("Conv3D", CONV, CONV_OPTIONS),
    order_of(
        "DepthwiseConv2D",
        &[("kernel_size", None)],
        &["strides", "padding", "depth_multiplier", "data_format"],
    ),
    order_of(
        "SeparableConv2D",
        CONV,
        &["strides", "padding", "data_format", "dilation_rate"],
    ),
    order_of(
        "Conv2DTranspose",
        CONV,
        &["strides", "padding", "output_padding", "data_format"],
    ),
    order_of("MaxPooling1D", POOL, POOL_OPTIONS),
    order_of("MaxPooling2D", POOL, POOL_OPTIONS),
    order_of("MaxPooling3D", POOL, POOL_OPTIONS),
    order_of("AveragePooling1D", POOL, POOL_OPTIONS),
    order_of("AveragePooling2D", POOL, POOL_OPTIONS),
    order_of("AveragePooling3D", POOL, POOL_OPTIONS),
    order_of("ZeroPadding2D", &[("padding", Some("1"))], &[]),
    order_of("Cropping2D", &[("cropping", None)], &[]),
    order_of("UpSampling2D", &[("size", Some("2"))], &[]),
    order_of("Reshape", &[("target_shape", None)], &[]),
    order_of("Permute", &[("dims", None)], &[]),
    order_of("RepeatVector", &[("n", None)], &[]),
    order_of("Concatenate", &[], &["axis"]),
    order_of(
        "BatchNormalization",
        &[],
        &["axis", "momentum", "epsilon", "center", "scale"],
    ),
    order_of(
        "LayerNormalization",
        &[],
        &["axis", "epsilon", "center", "scale"],
    ),
    order_of("Dropout", &[("rate", None)], &["noise_shape", "seed"]),
    order_of("SpatialDropout2D", &[("rate", None)], &["seed"]),
    order_of("GaussianDropout", &[("rate", None)], &["seed"]),
    order_of("GaussianNoise", &[("stddev", None)], &["seed"]),
    order_of(
        "RandomCrop",
        &[("height", None), ("width", None)],
        &["seed"],
    ),
    order_of("Rescaling", &[("scale", None)], &["offset"]),
    order_of("ReLU", &[], &["max_value", "negative_slope", "threshold"]),
    order_of("LeakyReLU", &[], &["negative_slope"]),
    order_of("ELU", &[], &["alpha"]),
    order_of("Softmax", &[], &["axis"]),
];

/// The arguments of these classes that are real numbers: `Rescaling(2)` is `Rescaling(2.0)`.
const REALS: &[&str] = &[
    "rate",
    "scale",
    "offset",
    "momentum",
    "epsilon",
    "stddev",
    "max_value",
    "negative_slope",
    "threshold",
    "alpha",
];

fn is_real(name: &str) -> bool {
    REALS.contains(&name)
}

const CONV: &[(&str, Option<&str>)] = &[("filters", None), ("kernel_size", None)];
const CONV_OPTIONS: &[&str] = &[
    "strides",
    "padding",
    "data_format",
    "dilation_rate",
    "groups",
    "activation",
    "use_bias",
];
const POOL: &[(&str, Option<&str>)] = &[("pool_size", Some("2"))];
const POOL_OPTIONS: &[&str] = &["strides", "padding"];

const fn order_of(
    class: &'static str,
    required: &'static [(&'static str, Option<&'static str>)],
    optional: &'static [&'static str],
) -> Order {
    Order {
        class,
        required,
        optional,
    }
}

/// The arguments of a layer's `new`, and those that are methods.
pub fn order(
    ctxt: &Ctxt,
    class: &str,
    at: At,
    positional: Vec<Argument>,
    named: Vec<(Ident, Argument)>,
) -> (Vec<Argument>, Vec<(Ident, Argument)>) {
    let Some(order) = ORDERS.iter().find(|order| order.class == class) else {
        let typed = |argument: Argument| argument.typed(false);
        let named = named.into_iter().map(|(key, argument)| {
            let argument = argument.named(&key.to_string(), false);
            (key, typed(argument))
        });
        return (positional.into_iter().map(typed).collect(), named.collect());
    };
    let (required, options) = place(
        ctxt,
        (class, at),
        order.required,
        order.optional,
        positional,
        named,
    );
    let of = |argument: Argument, name: &str| argument.named(name, true).typed(is_real(name));
    let required = required.into_iter().map(|(name, value)| match value {
        Value::Given(argument) => of(argument, name),
        Value::Default(default) => Argument::Constant(default).typed(false),
    });
    let options = options.into_iter().map(|(key, argument)| {
        let argument = of(argument, &key.to_string());
        (key, argument)
    });
    (required.collect(), options.collect())
}

/// An argument of `new`.
pub enum Value<A> {
    /// It was given.
    Given(A),
    /// It was not, and has a default in Keras.
    Default(Expr),
}

/// An argument of `new`, with its name.
pub type Placed<A> = (&'static str, Value<A>);

/// Puts arguments by position and by name where a class of Keras has them: those of `new` with their names, and
/// those that are methods.
pub fn place<A: ToTokens>(
    ctxt: &Ctxt,
    (class, at): (&str, At),
    required: &[(&'static str, Option<&'static str>)],
    optional: &[&'static str],
    positional: Vec<A>,
    mut named: Vec<(Ident, A)>,
) -> (Vec<Placed<A>>, Vec<(Ident, A)>) {
    let most = required.len() + optional.len();
    if let Some(extra) = positional.get(most) {
        ctxt.error(
            extra,
            format!(
                "{class} takes {most} positional arguments. Received: {}",
                positional.len()
            ),
        );
    }
    let mut positional = positional.into_iter();
    let mut placed = Vec::new();
    let mut missing = Vec::new();
    for &(name, default) in required {
        let by_name = named.iter().position(|(key, _)| key == name);
        let by_name = by_name.map(|at| named.remove(at));
        match (positional.next(), by_name) {
            (Some(argument), by_name) => {
                if let Some((key, _)) = by_name {
                    twice(ctxt, class, &key);
                }
                placed.push((name, Value::Given(argument)));
            }
            (None, Some((_, argument))) => placed.push((name, Value::Given(argument))),
            (None, None) => match default.and_then(|default| syn::parse_str(default).ok()) {
                Some(default) => placed.push((name, Value::Default(default))),
                None => missing.push(format!("`{name}`")),
            },
        }
    }
    if !missing.is_empty() {
        let (count, missing) = (missing.len(), missing.join(" and "));
        let plural = if count == 1 { "" } else { "s" };
        ctxt.error(
            at,
            format!("{class} is missing {count} required positional argument{plural}: {missing}"),
        );
    }
    let mut options = Vec::new();
    for (name, argument) in optional.iter().zip(positional) {
        if let Some((key, _)) = named.iter().find(|(key, _)| key == name) {
            twice(ctxt, class, key);
        }
        options.push((Ident::new(name, argument.span()), argument));
    }
    options.extend(named);
    (placed, options)
}

fn twice(ctxt: &Ctxt, class: &str, key: &Ident) {
    ctxt.error(
        key,
        format!("{class} got multiple values for argument `{key}`."),
    );
}

#[cfg(test)]
mod tests {
    use super::super::Layer;
    use super::*;

    fn written(layer: &str) -> (String, Vec<String>) {
        let ctxt = Ctxt::new();
        let expr = syn::parse_str(layer).unwrap();
        let layer = Layer::from_expr(&ctxt, &expr).unwrap();
        let text = |argument: &Argument| match argument {
            Argument::AsItIs(expr) | Argument::Text(expr) => expr.to_token_stream().to_string(),
            Argument::Named(kind, expr) => {
                format!("{}({})", kind.function(), expr.to_token_stream())
            }
            Argument::Constant(expr) => format!("Arg({})", expr.to_token_stream()),
        };
        let mut call: Vec<String> = layer.required.iter().map(text).collect();
        let options = layer.options.iter();
        call.extend(options.map(|(key, argument)| format!("{key}={}", text(argument))));
        (call.join(" "), ctxt.messages())
    }

    #[test]
    fn positions_and_names_follow_keras() {
        for (layer, call) in [
            ("Conv2D(64, kernel_size = 3)", "Arg(64usize) Arg(3usize)"),
            (
                "Conv2D(kernel_size = 3, filters = 64, padding = same)",
                "Arg(64usize) Arg(3usize) padding=same",
            ),
            ("Dense(4, relu)", "Arg(4usize) activation=relu"),
            ("MaxPooling2D()", "Arg(2usize)"),
            (
                "MaxPooling2D(strides = 1)",
                "Arg(2usize) strides=Arg(1usize)",
            ),
            ("Concatenate(-1)", "axis=Arg(- 1isize)"),
            (
                "Mine(1, 0.5, key = [1, -2])",
                "Arg(1usize) Arg(0.5f32) key=Arg([1isize , - 2isize])",
            ),
            (
                "Rescaling(1 / 255, offset = -1)",
                "Arg(1.0f32 / 255.0f32) offset=Arg(- 1.0f32)",
            ),
            ("Flatten", ""),
        ] {
            assert_eq!(written(layer), (call.to_string(), vec![]));
        }
    }

    #[test]
    fn words_strings_bools_and_blocks_are_passed_as_they_are() {
        for (layer, call) in [
            ("Mine(relu, l2(1e-4))", "relu l2 (1e-4)"),
            (
                "Mine(\"text\", true, { Table { rows: 3 } })",
                "\"text\" true Table { rows : 3 }",
            ),
            (
                "Mine((SIZE, 3), SIZE * 2)",
                "Arg((SIZE , 3usize)) Arg(SIZE * 2)",
            ),
            (
                "Mine(2 * 3, 1.0 / 3.0, 2 * SIZE)",
                "Arg(2usize * 3usize) Arg(1.0f32 / 3.0f32) Arg(2 * SIZE)",
            ),
            ("Mine(1., 2f64, 3u8)", "Arg(1.0f32) Arg(2f64) Arg(3u8)"),
        ] {
            assert_eq!(written(layer), (call.to_string(), vec![]));
        }
    }

    #[test]
    fn a_text_may_stand_for_a_word() {
        for (layer, call) in [
            (
                "Dense(4, \"relu\", kernel_initializer = \"he_normal\", bias_regularizer = \"l2\")",
                "Arg(4usize) activation=activation(\"relu\") kernel_initializer=initializer(\"he_normal\") \
                 bias_regularizer=regularizer(\"l2\")",
            ),
            (
                "Conv2D(4, 3, padding = \"same\")",
                "Arg(4usize) Arg(3usize) padding=padding(\"same\")",
            ),
            ("Activation(\"tanh\")", "activation(\"tanh\")"),
            (
                "Mine(\"relu\", padding = \"reflect\", activation = \"relu\", gain_constraint = { \"none\" })",
                "\"relu\" padding=\"reflect\" activation=activation(\"relu\") gain_constraint=\"none\"",
            ),
        ] {
            assert_eq!(written(layer), (call.to_string(), vec![]));
        }
    }

    #[test]
    fn mistakes_are_told_in_pythons_words() {
        for (layer, message) in [
            (
                "Dense(4, units = 3)",
                "Dense got multiple values for argument `units`.",
            ),
            (
                "Dense(4, relu, activation = relu)",
                "Dense got multiple values for argument `activation`.",
            ),
            (
                "Conv2D(4)",
                "Conv2D is missing 1 required positional argument: `kernel_size`",
            ),
            (
                "Conv2D",
                "Conv2D is missing 2 required positional arguments: `filters` and `kernel_size`",
            ),
            (
                "Activation(relu, 3)",
                "Activation takes 1 positional arguments. Received: 2",
            ),
            (
                "Dense(units = 4, relu)",
                "A positional argument follows the keyword argument `units`.",
            ),
            (
                "Dense(4, use_bias = true, use_bias = true)",
                "The keyword argument `use_bias` is repeated.",
            ),
            (
                "Dense(4, name = \"a\", name = \"b\")",
                "The keyword argument `name` is repeated.",
            ),
            (
                "Dense(4, name = \"a/b\")",
                "Argument `name` must be a string and cannot contain character `/`. Received: name=\"a/b\"",
            ),
        ] {
            assert_eq!(written(layer).1, [message]);
        }
    }
}
