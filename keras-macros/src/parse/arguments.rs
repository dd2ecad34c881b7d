//! Arguments of layers: Keras' order of them, and which of them are wrapped.

use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Lit, LitFloat, LitInt, Token, UnOp};

use super::{At, bare};
use crate::ctxt::Ctxt;

/// One argument of a layer.
#[derive(Clone)]
pub enum Argument {
    /// A word of the language, a string, a bool, or what stands in `{ .. }`: passed as it is.
    AsItIs(Expr),
    /// Any other constant expression: a number, several, or what the user calls so. It goes through
    /// `Arg(..).get()`, with which one argument can have several forms.
    Constant(Expr),
}

impl Argument {
    /// Tells the two apart; literals get their type.
    pub fn new(expr: &Expr) -> Argument {
        match bare(expr) {
            Expr::Block(block) if block.attrs.is_empty() && block.label.is_none() => {
                Argument::AsItIs(contents(block))
            }
            Expr::Lit(lit) if matches!(lit.lit, Lit::Str(_) | Lit::Bool(_)) => {
                Argument::AsItIs(expr.clone())
            }
            Expr::Call(call) if is_word(&call.func) => Argument::AsItIs(expr.clone()),
            inner if is_word(inner) => Argument::AsItIs(expr.clone()),
            inner => {
                let mut typed = inner.clone();
                let signed = has_negative(inner);
                type_literals(&mut typed, signed);
                Argument::Constant(typed)
            }
        }
    }

    /// The user's tokens.
    pub fn expr(&self) -> &Expr {
        match self {
            Argument::AsItIs(expr) | Argument::Constant(expr) => expr,
        }
    }
}

/// What stands in `{ .. }`: one expression without its braces, a block with statements with them.
fn contents(block: &syn::ExprBlock) -> Expr {
    match block.block.stmts.as_slice() {
        [syn::Stmt::Expr(expr, None)] => expr.clone(),
        _ => Expr::Block(block.clone()),
    }
}

/// A lower-case name such as `relu`: a constant of the user's is in capitals.
fn is_word(expr: &Expr) -> bool {
    super::as_ident(expr).is_some_and(|ident| {
        let name = ident.to_string();
        name.starts_with(char::is_lowercase)
    })
}

/// Whether one of the literals of an argument is negative: then its numbers are signed.
fn has_negative(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Unary(unary) => matches!(unary.op, UnOp::Neg(_)),
        Expr::Tuple(tuple) => tuple.elems.iter().any(has_negative),
        Expr::Array(array) => array.elems.iter().any(has_negative),
        Expr::Repeat(repeat) => has_negative(&repeat.expr),
        Expr::Binary(binary) => has_negative(&binary.left) || has_negative(&binary.right),
        _ => false,
    }
}

/// Whether nothing but its literals tells the type of an expression: `2 * 3`, but not `2 * SIZE`.
fn is_of_literals(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Lit(_) => true,
        Expr::Unary(unary) => is_of_literals(&unary.expr),
        Expr::Binary(binary) => is_of_literals(&binary.left) && is_of_literals(&binary.right),
        _ => false,
    }
}

/// `3` -> `3usize`, `-1` -> `-1isize`, `0.5` -> `0.5f32`; also inside tuples and arrays.
fn type_literals(expr: &mut Expr, signed: bool) {
    match expr {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) if int.suffix().is_empty() => {
                let suffix = if signed { "isize" } else { "usize" };
                let typed = format!("{int}{suffix}");
                lit.lit = Lit::Int(LitInt::new(&typed, int.span()));
            }
            Lit::Float(float) if float.suffix().is_empty() => {
                // `1.` with a suffix would be a field.
                let digits = float.to_string();
                let zero = if digits.ends_with('.') { "0" } else { "" };
                let typed = format!("{digits}{zero}f32");
                lit.lit = Lit::Float(LitFloat::new(&typed, float.span()));
            }
            _ => {}
        },
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            type_literals(&mut unary.expr, signed);
        }
        Expr::Binary(binary) if is_of_literals(&binary.left) && is_of_literals(&binary.right) => {
            type_literals(&mut binary.left, signed);
            type_literals(&mut binary.right, signed);
        }
        Expr::Tuple(tuple) => each(&mut tuple.elems, signed),
        Expr::Array(array) => each(&mut array.elems, signed),
        Expr::Repeat(repeat) => type_literals(&mut repeat.expr, signed),
        Expr::Paren(paren) => type_literals(&mut paren.expr, signed),
        Expr::Group(group) => type_literals(&mut group.expr, signed),
        _ => {}
    }
}

fn each(exprs: &mut Punctuated<Expr, Token![,]>, signed: bool) {
    for expr in exprs {
        type_literals(expr, signed);
    }
}

/// Keras' order of a class's arguments.
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
        ],
    ),
    order_of("Activation", &[("activation", None)], &[]),
    order_of(
        "Embedding",
        &[("input_dim", None), ("output_dim", None)],
        &["embeddings_initializer"],
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
    order_of("ZeroPadding2D", &[("padding", Some("1usize"))], &[]),
    order_of("Cropping2D", &[("cropping", None)], &[]),
    order_of("UpSampling2D", &[("size", Some("2usize"))], &[]),
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
const POOL: &[(&str, Option<&str>)] = &[("pool_size", Some("2usize"))];
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

/// The arguments of `new`, and those that are methods.
pub fn order(
    ctxt: &Ctxt,
    class: &str,
    at: At,
    positional: Vec<Argument>,
    mut named: Vec<(Ident, Argument)>,
) -> (Vec<Argument>, Vec<(Ident, Argument)>) {
    let Some(order) = ORDERS.iter().find(|order| order.class == class) else {
        return (positional, named);
    };
    let most = order.required.len() + order.optional.len();
    if let Some(extra) = positional.get(most) {
        ctxt.error(
            extra.expr(),
            format!(
                "{class} takes {most} positional arguments. Received: {}",
                positional.len()
            ),
        );
    }
    let mut positional = positional.into_iter();
    let mut required = Vec::new();
    let mut missing = Vec::new();
    for (name, default) in order.required {
        let by_name = named.iter().position(|(key, _)| key == name);
        let by_name = by_name.map(|at| named.remove(at));
        match (positional.next(), by_name) {
            (Some(argument), by_name) => {
                if let Some((key, _)) = by_name {
                    twice(ctxt, class, &key);
                }
                required.push(argument);
            }
            (None, Some((_, argument))) => required.push(argument),
            (None, None) => match default.and_then(|default| syn::parse_str(default).ok()) {
                Some(default) => required.push(Argument::Constant(default)),
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
    for (name, argument) in order.optional.iter().zip(positional) {
        if let Some((key, _)) = named.iter().find(|(key, _)| key == name) {
            twice(ctxt, class, key);
        }
        let span = super::span_of(argument.expr());
        options.push((Ident::new(name, span), argument));
    }
    options.extend(named);
    (required, options)
}

fn twice(ctxt: &Ctxt, class: &str, key: &Ident) {
    ctxt.error(
        key,
        format!("{class} got multiple values for argument `{key}`."),
    );
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::super::Layer;
    use super::*;

    fn written(layer: &str) -> (String, Vec<String>) {
        let ctxt = Ctxt::new();
        let expr = syn::parse_str(layer).unwrap();
        let layer = Layer::from_expr(&ctxt, &expr).unwrap();
        let text = |argument: &Argument| match argument {
            Argument::AsItIs(expr) => expr.to_token_stream().to_string(),
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
                "Dense(4, name = \"a/b\")",
                "Argument `name` must be a string and cannot contain character `/`. Received: name=\"a/b\"",
            ),
        ] {
            assert_eq!(written(layer).1, [message]);
        }
    }
}
