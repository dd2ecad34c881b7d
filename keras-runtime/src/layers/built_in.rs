//! Any layer of Keras' that there is here, where only a configuration says which.

use super::{
    Activation, Add, Average, AveragePooling2D, Backward, BatchNormalization, Concatenate, Conv2D,
    Dense, Dropout, Embedding, Flatten, Forward, GlobalAveragePooling2D, GlobalMaxPooling2D, Layer,
    Logits, MaxPooling2D, Maximum, Minimum, Multiply, RandomCrop, Rescaling, Reshape, Subtract,
    Weights, Workspace,
};
use crate::arg::Size;
use crate::config::{Arguments, Config, Json, Object, Read};
use crate::device::{self, Device};
use crate::error::{Error, Result};
use crate::regularizers::Regularizer;
use crate::shape::{Shape, ShapeError};

/// The layers, the arguments that each has to be given, and what it is before its configuration is read.
macro_rules! built_in {
    ($d:tt $($class:ident $(($($required:literal),+))? = $first:expr;)*) => {
        /// One of Keras' layers.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum BuiltIn {
            $(
                #[doc = concat!("[`", stringify!($class), "`].")]
                $class($class),
            )*
        }

        /// The classes of Keras' layers that there are here.
        pub const CLASSES: &[&str] = &[$(stringify!($class)),*];

        /// Calls something on the layer that it is.
        macro_rules! each {
            ($d layer:expr, $d name:ident => $d call:expr) => {
                match $d layer {
                    $(BuiltIn::$class($d name) => $d call,)*
                }
            };
        }

        impl BuiltIn {
            /// A layer of a class, without the arguments that a configuration has.
            pub fn first(class: &str) -> Option<Self> {
                Some(match class {
                    $(stringify!($class) => Self::$class($first),)*
                    _ => return None,
                })
            }

            /// The arguments without a default.
            fn required(class: &str) -> &'static [&'static str] {
                match class {
                    $($(stringify!($class) => &[$($required),+],)?)*
                    _ => &[],
                }
            }
        }
    };
}

/// The number of an argument that has to be in the configuration.
const ONE: Size = Size::new(&[1]);

built_in! { $
    Activation("activation") = Activation::new(device::Activation::Linear);
    Add = Add::new();
    Average = Average::new();
    AveragePooling2D = AveragePooling2D::new(Size::new(&[2]));
    BatchNormalization = BatchNormalization::new();
    Concatenate = Concatenate::new();
    Conv2D("filters", "kernel_size") = Conv2D::new(ONE, ONE);
    Dense("units") = Dense::new(ONE);
    Dropout("rate") = Dropout::new(0.0);
    Embedding("input_dim", "output_dim") = Embedding::new(ONE, ONE);
    Flatten = Flatten::new();
    GlobalAveragePooling2D = GlobalAveragePooling2D::new();
    GlobalMaxPooling2D = GlobalMaxPooling2D::new();
    MaxPooling2D = MaxPooling2D::new(Size::new(&[2]));
    Maximum = Maximum::new();
    Minimum = Minimum::new();
    Multiply = Multiply::new();
    RandomCrop("height", "width") = RandomCrop::new(ONE, ONE);
    Rescaling("scale") = Rescaling::new(1.0);
    Reshape("target_shape") = Reshape::new(ONE);
    Subtract = Subtract::new();
}

/// Arguments that count something.
const POSITIVE: [&str; 11] = [
    "input_dim",
    "output_dim",
    "units",
    "filters",
    "kernel_size",
    "strides",
    "dilation_rate",
    "groups",
    "pool_size",
    "height",
    "width",
];

impl BuiltIn {
    /// The layer of a class with the arguments of a configuration.
    ///
    /// # Errors
    /// With everything that is not supported, in one sentence.
    pub fn from_config(class: &str, config: &Object) -> Result<Self> {
        let mut layer = Self::first(class).ok_or_else(|| {
            Error::value(format!(
                "layers of the class {class} are not supported.{} Supported classes: {}. A layer of your own is found \
                 once the program has called `keras::register_layer!({class}, \"{class}\")`",
                Error::suggestion(class, CLASSES),
                CLASSES.join(", ")
            ))
        })?;
        let mut mistakes = Vec::new();
        for (name, value) in config.iter() {
            if let Err(error) = layer.argument(class, name, value) {
                mistakes.push(error.to_string());
            }
        }
        if mistakes.is_empty()
            && let Err(error) = layer.check(class, config)
        {
            mistakes.push(error.to_string());
        }
        if mistakes.is_empty() {
            return Ok(layer);
        }
        Err(Error::value(format!("{class}: {}", mistakes.join("; "))))
    }

    /// Whether it is one of Keras' classes.
    pub fn is_one(class: &str) -> bool {
        CLASSES.contains(&class)
    }

    /// Whether a class has to be given an argument.
    pub fn requires(class: &str, argument: &str) -> bool {
        Self::required(class).contains(&argument)
    }

    /// Whether layers of a class are called on a list of tensors, also on one of a single tensor.
    pub fn takes_list(class: &str) -> bool {
        const MERGES: [&str; 7] = [
            "Add",
            "Average",
            "Concatenate",
            "Maximum",
            "Minimum",
            "Multiply",
            "Subtract",
        ];
        MERGES.contains(&class)
    }

    fn argument(&mut self, class: &str, name: &str, value: &Json) -> Result<()> {
        match name {
            "name" | "trainable" => return Ok(()),
            "dtype" => return Self::single_precision(value),
            _ => {}
        }
        if POSITIVE.contains(&name) {
            positive(name, value)?;
        }
        let is_known = each!(self, layer => layer.read(name, value))?;
        if is_known || value.is_null() {
            return Ok(());
        }
        Err(Error::value(format!(
            "the argument `{name}` of {class} is not supported. Received: {name}={value}"
        )))
    }

    /// Checks the `dtype` of a layer: `"float32"`, or Keras' policy of this name.
    ///
    /// # Errors
    /// If it is another one.
    pub fn single_precision(dtype: &Json) -> Result<()> {
        let policy = dtype.get("config").and_then(|config| config.get("name"));
        match policy.unwrap_or(dtype) {
            Json::Null => Ok(()),
            Json::Text(name) if name == "float32" => Ok(()),
            other => Err(Error::value(format!(
                "`dtype` must be \"float32\" here. Received: dtype={other}"
            ))),
        }
    }

    /// What the arguments have to be together.
    fn check(&self, class: &str, config: &Object) -> Result<()> {
        let mistake = match self {
            Self::Concatenate(layer) => layer.mistake(),
            Self::Conv2D(layer) => layer.mistake(),
            Self::Dense(layer) => layer.mistake(),
            Self::Dropout(layer) => layer.mistake(),
            Self::Reshape(layer) => layer.mistake(),
            _ => None,
        };
        if let Some(mistake) = mistake {
            return Err(Error::value(mistake.as_str()));
        }
        let missing = Self::required(class)
            .iter()
            .filter(|name| config.get(name).is_none_or(Json::is_null));
        let missing: Vec<String> = missing.map(|name| format!("`{name}`")).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::value(format!(
            "expected the argument {}. Received: none",
            missing.join(" and ")
        )))
    }

    /// Its shape rule.
    pub fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        each!(self, layer => layer.output_shape(inputs))
    }

    /// Its weights.
    pub fn weights(&self, inputs: &[Shape]) -> Weights {
        each!(self, layer => layer.weights(inputs))
    }
}

/// One or several numbers, none of which may be 0, nor so large that sizes of memory have no number.
fn positive(name: &str, value: &Json) -> Result<()> {
    const MOST: isize = 1 << 24;
    let size: Option<Size> = value.read(name)?;
    let numbers = size
        .iter()
        .flat_map(|size| (0..size.count()).map(|at| size.get(at)));
    let wrong = numbers
        .filter(|number| !(1..=MOST).contains(number))
        .count();
    if wrong == 0 {
        return Ok(());
    }
    Err(Error::value(format!(
        "Received an invalid value for `{name}`, expected a positive integer. Received: {name}={value}"
    )))
}

impl Layer for BuiltIn {
    fn config(&self) -> Config {
        each!(self, layer => layer.config())
    }

    fn workspace(&self, inputs: &[Shape], output: &Shape, batch: usize) -> Workspace {
        each!(self, layer => layer.workspace(inputs, output, batch))
    }

    fn is_view(&self, training: bool) -> bool {
        each!(self, layer => layer.is_view(training))
    }

    fn logits(&self) -> Logits {
        each!(self, layer => layer.logits())
    }

    fn indices_below(&self) -> Option<usize> {
        each!(self, layer => layer.indices_below())
    }

    fn activity_regularizer(&self) -> Regularizer {
        each!(self, layer => layer.activity_regularizer())
    }

    fn forward<D: Device>(&self, cx: Forward<'_, D>) {
        each!(self, layer => layer.forward(cx));
    }

    fn backward<D: Device>(&self, cx: Backward<'_, D>) {
        each!(self, layer => layer.backward(cx));
    }
}
