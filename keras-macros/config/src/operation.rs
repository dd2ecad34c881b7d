//! Operations on tensors, such as `a + b` and `2 * x`, as the layers that do the same.

use crate::node::Operand;
use crate::{Json, Object};

/// The operations of these names are layers of the same names.
const MERGES: [&str; 5] = ["Add", "Subtract", "Multiply", "Maximum", "Minimum"];

/// Division, under its two names.
const QUOTIENTS: [&str; 2] = ["Divide", "TrueDivide"];

/// Operations of one tensor, and the activations that do the same.
const ACTIVATIONS: [(&str, &str); 19] = [
    ("Celu", "celu"),
    ("Elu", "elu"),
    ("Exp", "exponential"),
    ("Gelu", "gelu"),
    ("HardSigmoid", "hard_sigmoid"),
    ("HardSilu", "hard_silu"),
    ("HardTanh", "hard_tanh"),
    ("LeakyRelu", "leaky_relu"),
    ("LogSigmoid", "log_sigmoid"),
    ("LogSoftmax", "log_softmax"),
    ("Relu", "relu"),
    ("Relu6", "relu6"),
    ("Selu", "selu"),
    ("Sigmoid", "sigmoid"),
    ("Silu", "silu"),
    ("Softmax", "softmax"),
    ("Softplus", "softplus"),
    ("Softsign", "softsign"),
    ("Tanh", "tanh"),
];

/// Whether something is an operation, and no layer. Files of Keras 2's format have no modules.
pub fn is_operation(module: Option<&str>, class: &str) -> bool {
    match module {
        Some(module) => module.starts_with("keras.src.ops") || module == "keras.ops",
        None => {
            let is_function = ACTIVATIONS.iter().any(|(known, _)| *known == class);
            // There is a layer of this name.
            (is_function && class != "Softmax") || QUOTIENTS.contains(&class) || class == "Negative"
        }
    }
}

/// The class of a layer and its arguments.
pub type AsLayer = (String, Object);

/// The layer that does what an operation does with its operands.
///
/// # Errors
/// If there is none.
pub fn as_layer(class: &str, config: &Object, operands: &[Operand]) -> Result<AsLayer, String> {
    let layer = |class: &str, arguments: Object| Ok((class.to_owned(), arguments));
    let rescaling = |scale: f64, offset: f64| {
        let arguments = Object::new().with("scale", scale).with("offset", offset);
        layer("Rescaling", arguments)
    };
    let activation = |name: &str| layer("Activation", Object::new().with("activation", name));
    match (class, operands) {
        ("Add", [Operand::Tensor(_), Operand::Number(c)])
        | ("Add", [Operand::Number(c), Operand::Tensor(_)]) => rescaling(1.0, *c),
        ("Subtract", [Operand::Tensor(_), Operand::Number(c)]) => rescaling(1.0, -c),
        ("Subtract", [Operand::Number(c), Operand::Tensor(_)]) => rescaling(-1.0, *c),
        ("Multiply", [Operand::Tensor(_), Operand::Number(c)])
        | ("Multiply", [Operand::Number(c), Operand::Tensor(_)]) => rescaling(*c, 0.0),
        (quotient, [Operand::Tensor(_), Operand::Number(c)]) if QUOTIENTS.contains(&quotient) => {
            rescaling(1.0 / c, 0.0)
        }
        ("Negative", [Operand::Tensor(_)]) => rescaling(-1.0, 0.0),
        ("Maximum", [Operand::Tensor(_), Operand::Number(0.0)])
        | ("Maximum", [Operand::Number(0.0), Operand::Tensor(_)]) => activation("relu"),
        ("Concatenate", [_, ..]) if all_tensors(operands) => {
            let axis = config.get("axis").cloned().unwrap_or(Json::Int(0));
            layer("Concatenate", Object::new().with("axis", axis))
        }
        (merge, [_, _]) if MERGES.contains(&merge) && all_tensors(operands) => {
            layer(merge, Object::new())
        }
        (function, [Operand::Tensor(_)]) => {
            let known = ACTIVATIONS.iter().find(|(class, _)| *class == function);
            match known {
                Some((_, name)) if has_defaults(config) => activation(name),
                _ => Err(unsupported(class)),
            }
        }
        _ => Err(unsupported(class)),
    }
}

/// A layer that is one of another class with other arguments: those that are nothing but an activation.
pub fn standing_for(class: &str, config: &Object) -> AsLayer {
    let is_softmax = class == "Softmax"
        && config
            .get("axis")
            .is_none_or(|axis| axis.as_int() == Some(-1));
    let activation = if is_softmax {
        Json::from("softmax")
    } else if ["ELU", "LeakyReLU", "ReLU"].contains(&class) {
        let function = Object::new().with("module", "keras.layers");
        let function = function.with("class_name", class);
        function.with("config", config.clone()).into()
    } else {
        return (class.to_owned(), config.clone());
    };
    let mut arguments = Object::new();
    if let Some(dtype) = config.get("dtype") {
        arguments.set("dtype", dtype.clone());
    }
    (
        "Activation".to_owned(),
        arguments.with("activation", activation),
    )
}

fn all_tensors(operands: &[Operand]) -> bool {
    let is_tensor = |operand: &Operand| matches!(operand, Operand::Tensor(_));
    operands.iter().all(is_tensor)
}

/// Whether an activation works along the last axis with the arguments that its name alone stands for.
fn has_defaults(config: &Object) -> bool {
    config.iter().all(|(name, value)| match (name, value) {
        ("name" | "dtype" | "trainable", _) | (_, Json::Null) => true,
        ("axis", axis) => axis.as_int() == Some(-1),
        ("alpha", alpha) => alpha.as_f64() == Some(1.0),
        ("negative_slope", slope) => slope.as_f64() == Some(0.2),
        ("approximate", Json::Bool(approximate)) => !approximate,
        _ => false,
    })
}

fn unsupported(class: &str) -> String {
    let mut known: Vec<&str> = MERGES.to_vec();
    known.extend(["Concatenate", "Divide", "Negative"]);
    known.extend(ACTIVATIONS.iter().map(|(class, _)| *class));
    format!(
        "the operation {class} is not supported with these operands and arguments. Supported operations: {}",
        known.join(", ")
    )
}
