//! The arguments of a layer in a Keras file as those of the language: `"units": 3` is `3`, and
//! `"kernel_initializer": {"class_name": "HeNormal", ..}` is `kernel_initializer = he_normal`.
//!
//! What has Keras' default is left out.

use keras_config::{Json, Object};

/// What an argument is.
#[derive(Clone, Copy)]
enum Kind {
    /// One or several whole numbers; a pair of equal ones is one.
    Whole,
    /// Several whole numbers, or one.
    Shape,
    /// A real number.
    Real,
    /// `true` or `false`.
    Flag,
    /// `"same"`.
    Word,
    Activation,
    Initializer,
    Regularizer,
    Constraint,
    /// There is only one value here.
    Only,
}
use Kind::{
    Activation, Constraint, Flag, Initializer, Only, Real, Regularizer, Shape, Whole, Word,
};

/// An argument: its name, what it is, and its default in the language or, where there is only one value, in
/// JSON; empty if there is none.
type Known = (&'static str, Kind, &'static str);

/// A class with its arguments.
type Class = (&'static str, &'static [Known]);

const AFFINE: [Known; 9] = [
    ("activation", Activation, "linear"),
    ("use_bias", Flag, "true"),
    ("kernel_initializer", Initializer, "glorot_uniform"),
    ("bias_initializer", Initializer, "zeros"),
    ("kernel_regularizer", Regularizer, ""),
    ("bias_regularizer", Regularizer, ""),
    ("activity_regularizer", Regularizer, ""),
    ("kernel_constraint", Constraint, ""),
    ("bias_constraint", Constraint, ""),
];

const LAST: Known = ("data_format", Only, "\"channels_last\"");

/// Arguments after others.
macro_rules! and_affine {
    ($($known:expr),*) => {
        &[$($known,)* AFFINE[0], AFFINE[1], AFFINE[2], AFFINE[3], AFFINE[4], AFFINE[5], AFFINE[6], AFFINE[7], AFFINE[8]]
    };
}

const POOL: &[Known] = &[
    ("pool_size", Whole, ""),
    // Where there are none, they are the size of the windows.
    ("strides", Whole, "pool_size"),
    ("padding", Word, "valid"),
    LAST,
];

const GLOBAL_POOL: &[Known] = &[("keepdims", Flag, "false"), LAST];

/// The layers there are, in the order of their names.
const CLASSES: [Class; 21] = [
    ("Activation", &[("activation", Activation, "")]),
    ("Add", &[]),
    ("Average", &[]),
    ("AveragePooling2D", POOL),
    (
        "BatchNormalization",
        &[
            ("axis", Whole, "-1"),
            ("momentum", Real, "0.99"),
            ("epsilon", Real, "0.001"),
            ("center", Flag, "true"),
            ("scale", Flag, "true"),
            ("beta_initializer", Initializer, "zeros"),
            ("gamma_initializer", Initializer, "ones"),
            ("moving_mean_initializer", Initializer, "zeros"),
            ("moving_variance_initializer", Initializer, "ones"),
            ("beta_regularizer", Regularizer, ""),
            ("gamma_regularizer", Regularizer, ""),
            ("beta_constraint", Constraint, ""),
            ("gamma_constraint", Constraint, ""),
            ("synchronized", Only, "false"),
            ("renorm", Only, "false"),
            ("renorm_momentum", Only, "0.99"),
        ],
    ),
    ("Concatenate", &[("axis", Whole, "-1")]),
    (
        "Conv2D",
        and_affine!(
            ("filters", Whole, ""),
            ("kernel_size", Whole, ""),
            ("strides", Whole, "1"),
            ("padding", Word, "valid"),
            LAST,
            ("dilation_rate", Whole, "1"),
            ("groups", Whole, "1")
        ),
    ),
    ("Dense", and_affine!(("units", Whole, ""))),
    ("Dropout", &[("rate", Real, ""), ("seed", Whole, "")]),
    (
        "Embedding",
        &[
            ("input_dim", Whole, ""),
            ("output_dim", Whole, ""),
            (
                "embeddings_initializer",
                Initializer,
                "RandomUniform(-0.05, 0.05)",
            ),
            ("embeddings_regularizer", Regularizer, ""),
            ("activity_regularizer", Regularizer, ""),
            ("embeddings_constraint", Constraint, ""),
            ("mask_zero", Only, "false"),
        ],
    ),
    ("Flatten", &[LAST]),
    ("GlobalAveragePooling2D", GLOBAL_POOL),
    ("GlobalMaxPooling2D", GLOBAL_POOL),
    ("MaxPooling2D", POOL),
    ("Maximum", &[]),
    ("Minimum", &[]),
    ("Multiply", &[]),
    (
        "RandomCrop",
        &[
            ("height", Whole, ""),
            ("width", Whole, ""),
            ("seed", Whole, ""),
            LAST,
        ],
    ),
    ("Rescaling", &[("scale", Real, ""), ("offset", Real, "0.0")]),
    ("Reshape", &[("target_shape", Shape, "")]),
    ("Subtract", &[]),
];

/// The arguments of a layer, each as `name = value`.
///
/// # Errors
/// With a sentence about each that is not supported.
pub fn arguments(class: &str, config: &Object) -> Result<Vec<String>, Vec<String>> {
    let Some((_, known)) = CLASSES.iter().find(|(known, _)| *known == class) else {
        let classes: Vec<&str> = CLASSES.iter().map(|(class, _)| *class).collect();
        return Err(vec![format!(
            "this class is not supported. Supported classes: {}. A layer of your own is named in \
             `custom_objects({class})`",
            classes.join(", ")
        )]);
    };
    let mut written: Vec<(&str, String)> = Vec::new();
    let mut mistakes = Vec::new();
    for (name, value) in config.iter().filter(|(_, value)| !value.is_null()) {
        let text = match known.iter().find(|(known, ..)| *known == name) {
            Some((_, Only, default)) => {
                if value.to_string() != *default {
                    mistakes.push(format!(
                        "`{name}` must be {default} here. Received: {name}={value}"
                    ));
                }
                continue;
            }
            Some((_, kind, default)) => kind.text(value).map(|text| (text, *default)),
            None if ["name", "trainable", "batch_input_shape"].contains(&name) => continue,
            None if name == "dtype" && is_single_precision(value) => continue,
            None => None,
        };
        let Some((text, default)) = text else {
            mistakes.push(format!(
                "the argument `{name}` is not supported with this value. Received: {name}={value}"
            ));
            continue;
        };
        let like = written.iter().find(|(other, _)| *other == default);
        if text != like.map_or(default, |(_, text)| text) {
            written.push((name, text));
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let text = |(name, value): (&str, String)| format!("{name} = {value}");
    Ok(written.into_iter().map(text).collect())
}

/// The arguments of a layer of the user's: those that `new` takes in their order, and then the others by their names.
///
/// # Errors
/// With a sentence about each that is missing or not supported.
pub fn own_arguments(required: &[String], config: &Object) -> Result<Vec<String>, Vec<String>> {
    let mut mistakes = Vec::new();
    let mut text = |name: &str, value: &Json| {
        let text = own_value(value);
        if text.is_none() {
            mistakes.push(format!(
                "the argument `{name}` is not supported with this value. Received: {name}={value}"
            ));
        }
        text.unwrap_or_default()
    };
    let mut written = Vec::new();
    let mut missing = Vec::new();
    for name in required {
        match config.get(name) {
            Some(value) => written.push(text(name, value)),
            None => missing.push(format!("expected the argument `{name}`. Received: none")),
        }
    }
    for (name, value) in config.iter() {
        let is_other = !required.iter().any(|required| required == name);
        match name {
            "name" | "trainable" | "batch_input_shape" => {}
            "dtype" if is_single_precision(value) => {}
            _ if is_other && !value.is_null() => {
                written.push(format!("{name} = {}", text(name, value)));
            }
            _ => {}
        }
    }
    mistakes.extend(missing);
    if mistakes.is_empty() {
        Ok(written)
    } else {
        Err(mistakes)
    }
}

/// A value whose kind only the value itself says.
fn own_value(value: &Json) -> Option<String> {
    let module = value.get("module").and_then(Json::as_str);
    match (value, module) {
        (Json::Bool(flag), _) => Some(flag.to_string()),
        (Json::Float(_), _) => real(value),
        (Json::Text(text), _) => Some(format!("{text:?}")),
        (Json::List(numbers), _) => several(numbers, "(", ")"),
        (_, Some("keras.initializers")) => initializer(value),
        (_, Some("keras.regularizers")) => regularizer(value),
        (_, Some("keras.constraints")) => constraint(value),
        _ => whole(value),
    }
}

fn is_single_precision(dtype: &Json) -> bool {
    let policy = dtype.get("config").and_then(|config| config.get("name"));
    policy.unwrap_or(dtype).as_str() == Some("float32")
}

impl Kind {
    /// A value in the language; `None` if it is none of this kind.
    fn text(self, value: &Json) -> Option<String> {
        match self {
            Whole => match value.as_list() {
                Some([first, second]) if first == second => whole(first),
                Some(numbers) => several(numbers, "(", ")"),
                None => whole(value),
            },
            Shape => match value.as_list() {
                Some(numbers) => several(numbers, "[", "]"),
                None => whole(value),
            },
            Real => real(value),
            Flag => match value {
                Json::Bool(flag) => Some(flag.to_string()),
                _ => None,
            },
            Word => value
                .as_str()
                .filter(|word| ["same", "valid"].contains(word))
                .map(str::to_owned),
            Activation => activation(value),
            Initializer => initializer(value),
            Regularizer => regularizer(value),
            Constraint => constraint(value),
            Only => None,
        }
    }
}

fn whole(value: &Json) -> Option<String> {
    value.as_int().map(|number| number.to_string())
}

fn several(numbers: &[Json], open: &str, close: &str) -> Option<String> {
    let numbers: Option<Vec<String>> = numbers.iter().map(whole).collect();
    Some(format!("{open}{}{close}", numbers?.join(", ")))
}

/// The shortest literal of the same `f32`; Keras writes all digits of it.
fn real(value: &Json) -> Option<String> {
    let number = value.as_f64()? as f32;
    number.is_finite().then(|| format!("{number:?}"))
}

/// A class and its arguments, or a name alone.
struct Function<'a> {
    class: &'a str,
    config: Option<&'a Object>,
}

impl<'a> Function<'a> {
    fn of(value: &'a Json) -> Option<Self> {
        if let Some(class) = value.as_str() {
            return Some(Self {
                class,
                config: None,
            });
        }
        Some(Self {
            class: value.get("class_name")?.as_str()?,
            config: value.get("config").and_then(Json::as_object),
        })
    }

    fn get(&self, name: &str) -> Option<&'a Json> {
        let value = self.config?.get(name)?;
        (!value.is_null()).then_some(value)
    }

    /// A real number, or the default of Keras.
    fn real(&self, name: &str, default: &str) -> Option<String> {
        match self.get(name) {
            None => Some(default.to_owned()),
            Some(value) => real(value),
        }
    }

    fn text(&self, name: &str, default: &'a str) -> Option<&'a str> {
        match self.get(name) {
            None => Some(default),
            Some(value) => value.as_str(),
        }
    }
}

/// Activations without arguments, or with Keras' defaults.
const ACTIVATIONS: [&str; 31] = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "soft_shrink",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
];

fn activation(value: &Json) -> Option<String> {
    let function = Function::of(value)?;
    if function.config.is_none() {
        let is_known = ACTIVATIONS.contains(&function.class);
        return is_known.then(|| function.class.to_owned());
    }
    Some(match function.class {
        "ELU" => format!("elu_with({})", function.real("alpha", "1.0")?),
        "LeakyReLU" => {
            let slope = function.real("negative_slope", "0.3")?;
            format!("leaky_relu_with({slope})")
        }
        "ReLU" => {
            let slope = function.real("negative_slope", "0.0")?;
            let most = function.real("max_value", "f32::INFINITY")?;
            let level = function.real("threshold", "0.0")?;
            match (slope.as_str(), most.as_str(), level.as_str()) {
                ("0.0", "f32::INFINITY", "0.0") => "relu".to_owned(),
                _ => format!("relu_with({slope}, {most}, {level})"),
            }
        }
        "celu" => format!("celu_with({})", function.real("alpha", "1.0")?),
        "gelu" => {
            let approximate = function.get("approximate") == Some(&Json::Bool(true));
            format!("gelu_with({approximate})")
        }
        "hard_shrink" => format!("hard_shrink_with({})", function.real("threshold", "0.5")?),
        "soft_shrink" => format!("soft_shrink_with({})", function.real("threshold", "0.5")?),
        "squareplus" => format!("squareplus_with({})", function.real("b", "4.0")?),
        "threshold" => {
            let level = function.real("threshold", "0.0")?;
            format!(
                "threshold({level}, {})",
                function.real("default_value", "0.0")?
            )
        }
        _ => return None,
    })
}

/// Initializers whose arguments are a seed and axes at most, by class and by name.
const SCALINGS: [(&str, &str); 6] = [
    ("GlorotUniform", "glorot_uniform"),
    ("GlorotNormal", "glorot_normal"),
    ("HeUniform", "he_uniform"),
    ("HeNormal", "he_normal"),
    ("LecunUniform", "lecun_uniform"),
    ("LecunNormal", "lecun_normal"),
];

fn initializer(value: &Json) -> Option<String> {
    let function = Function::of(value)?;
    let scaling = SCALINGS
        .iter()
        .find(|(class, name)| [*class, *name].contains(&function.class));
    let mut text = match function.class {
        _ if let Some((_, name)) = scaling => (*name).to_owned(),
        "Zeros" | "zeros" => "zeros".to_owned(),
        "Ones" | "ones" => "ones".to_owned(),
        "Constant" | "constant" => format!("Constant({})", function.real("value", "0.0")?),
        "Identity" | "IdentityInitializer" | "identity" => match function.real("gain", "1.0")? {
            gain if gain == "1.0" => "identity".to_owned(),
            gain => format!("identity.gain({gain})"),
        },
        "Orthogonal" | "OrthogonalInitializer" | "orthogonal" => {
            match function.real("gain", "1.0")? {
                gain if gain == "1.0" => "orthogonal".to_owned(),
                gain => format!("orthogonal.gain({gain})"),
            }
        }
        "RandomNormal" | "random_normal" => normal(&function, "RandomNormal")?,
        "TruncatedNormal" | "truncated_normal" => normal(&function, "TruncatedNormal")?,
        "RandomUniform" | "random_uniform" => {
            let (min, max) = (
                function.real("minval", "-0.05")?,
                function.real("maxval", "0.05")?,
            );
            format!("RandomUniform({min}, {max})")
        }
        "VarianceScaling" | "variance_scaling" => {
            let (mode, distribution) = (
                function.text("mode", "fan_in")?,
                function.text("distribution", "truncated_normal")?,
            );
            let scale = function.real("scale", "1.0")?;
            format!("VarianceScaling({scale}, {mode:?}, {distribution:?})")
        }
        _ => return None,
    };
    if let Some(seed) = function.get("seed") {
        text += &format!(".seed({})", whole(seed)?);
    }
    let axes = |name: &str| match function.get(name) {
        None => Some("&[]".to_owned()),
        Some(axes) => several(axes.as_list()?, "&[", "]"),
    };
    if function.get("input_axes").is_some() || function.get("output_axes").is_some() {
        text += &format!(".axes({}, {})", axes("input_axes")?, axes("output_axes")?);
    }
    Some(text)
}

fn normal(function: &Function<'_>, class: &str) -> Option<String> {
    let (mean, stddev) = (
        function.real("mean", "0.0")?,
        function.real("stddev", "0.05")?,
    );
    Some(format!("{class}({mean}, {stddev})"))
}

fn regularizer(value: &Json) -> Option<String> {
    let function = Function::of(value)?;
    Some(match function.class {
        "L1" | "l1" => format!("l1({})", function.real("l1", "0.01")?),
        "L2" | "l2" => format!("l2({})", function.real("l2", "0.01")?),
        "L1L2" | "l1_l2" => {
            let of_sizes = function.real("l1", "0.0")?;
            format!("l1_l2({of_sizes}, {})", function.real("l2", "0.0")?)
        }
        "OrthogonalRegularizer" | "orthogonal_regularizer" => {
            let mode = function.text("mode", "rows")?;
            let mode = ["rows", "columns"]
                .into_iter()
                .find(|known| *known == mode)?;
            format!(
                "orthogonal_regularizer({}, {mode})",
                function.real("factor", "0.01")?
            )
        }
        _ => return None,
    })
}

fn constraint(value: &Json) -> Option<String> {
    let function = Function::of(value)?;
    let mut text = match function.class {
        "NonNeg" | "non_neg" => return Some("non_neg".to_owned()),
        "MaxNorm" | "max_norm" => format!("max_norm({})", function.real("max_value", "2.0")?),
        "UnitNorm" | "unit_norm" => "UnitNorm()".to_owned(),
        "MinMaxNorm" | "min_max_norm" => {
            let (min, max) = (
                function.real("min_value", "0.0")?,
                function.real("max_value", "1.0")?,
            );
            format!(
                "min_max_norm({min}, {max}, {})",
                function.real("rate", "1.0")?
            )
        }
        _ => return None,
    };
    match function.get("axis").map(|axis| (axis, axis.as_list())) {
        None => {}
        Some((axis, None)) if axis.as_int() == Some(0) => {}
        Some((axis, None)) => text += &format!(".axis({})", whole(axis)?),
        Some((_, Some([first, .., last]))) => {
            text += &format!(".axes({}, {})", whole(first)?, whole(last)?);
        }
        Some((_, Some([axis]))) => text += &format!(".axis({})", whole(axis)?),
        Some(_) => return None,
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(class: &str, config: &str) -> Result<String, Vec<String>> {
        let json = Json::parse(config).expect("valid JSON");
        let config = json.as_object().expect("an object");
        arguments(class, config).map(|arguments| arguments.join(", "))
    }

    #[test]
    fn what_is_not_the_default_is_written() {
        for (class, config, expected) in [
            (
                "Dense",
                r#"{"name": "d", "trainable": true, "dtype": {"class_name": "DTypePolicy", "config": {"name": "float32"}},
                    "units": 3, "activation": "linear", "use_bias": true, "kernel_initializer":
                    {"class_name": "GlorotUniform", "config": {"seed": null, "input_axes": null}},
                    "bias_initializer": {"class_name": "Zeros", "config": {}}, "kernel_regularizer": null,
                    "quantization_config": null}"#,
                "units = 3",
            ),
            (
                "Dense",
                r#"{"units": 3, "activation": {"class_name": "LeakyReLU", "config": {"negative_slope": 0.1}},
                    "kernel_initializer": {"class_name": "VarianceScaling", "config": {"scale": 2, "mode": "fan_avg",
                    "distribution": "uniform", "seed": 7}}, "kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.1,
                    "l2": 1e-05}}, "kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 3, "axis": [0, 1]}}}"#,
                "units = 3, activation = leaky_relu_with(0.1), kernel_initializer = VarianceScaling(2.0, \"fan_avg\", \
                 \"uniform\").seed(7), kernel_regularizer = l1_l2(0.1, 1e-5), kernel_constraint = max_norm(3.0).axes(0, 1)",
            ),
            (
                "Conv2D",
                r#"{"filters": 4, "kernel_size": [2, 3], "strides": [2, 2], "padding": "same", "data_format":
                    "channels_last", "dilation_rate": [1, 1], "groups": 1, "activation": "relu", "use_bias": false}"#,
                "filters = 4, kernel_size = (2, 3), strides = 2, padding = same, activation = relu, use_bias = false",
            ),
            (
                "MaxPooling2D",
                r#"{"pool_size": [2, 2], "strides": [2, 2]}"#,
                "pool_size = 2",
            ),
            (
                "MaxPooling2D",
                r#"{"pool_size": [2, 1], "strides": [1, 1]}"#,
                "pool_size = (2, 1), strides = 1",
            ),
            (
                "Reshape",
                r#"{"target_shape": [6, -1]}"#,
                "target_shape = [6, -1]",
            ),
            (
                "Dropout",
                r#"{"rate": 0.5, "seed": null, "noise_shape": null}"#,
                "rate = 0.5",
            ),
            ("Rescaling", r#"{"scale": 2, "offset": 0.0}"#, "scale = 2.0"),
        ] {
            assert_eq!(written(class, config), Ok(expected.to_owned()), "{class}");
        }
    }

    #[test]
    fn each_argument_that_is_not_supported_has_its_sentence() {
        let found = written(
            "Conv2D",
            r#"{"filters": 4, "kernel_size": 3, "data_format": "channels_first", "activation": "my_function", "own": 1,
                "dtype": "float16"}"#,
        );
        let expected = [
            "`data_format` must be \"channels_last\" here. Received: data_format=\"channels_first\"",
            "the argument `activation` is not supported with this value. Received: activation=\"my_function\"",
            "the argument `own` is not supported with this value. Received: own=1",
            "the argument `dtype` is not supported with this value. Received: dtype=\"float16\"",
        ];
        assert_eq!(found, Err(expected.map(str::to_owned).to_vec()));
        let found = written("LSTM", "{}").expect_err("there is none");
        assert!(
            found[0]
                .starts_with("this class is not supported. Supported classes: Activation, Add,")
        );
    }
}
