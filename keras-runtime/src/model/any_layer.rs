//! Layers that are known only when the program runs: Keras', and those that the program has registered.

use std::sync::Arc;

use super::network::{GradientOf, Value};
use super::pass::Pass;
use super::trace::Trace;
use crate::config::{Config, Object, registry};
use crate::device::{AutoDevice, Cpu, Device};
use crate::error::{Error, Result};
use crate::layers::{BuiltIn, Layer, Weights};
use crate::shape::{Shape, ShapeError};

/// A call of a layer, which gives the value after those of the calls before it.
pub(super) struct Call {
    pub at: usize,
    pub layer: usize,
    pub inputs: Vec<Value>,
    pub output: Value,
    /// Where the gradients of the inputs go; `None` if the output has no gradient.
    pub gradients: Option<Vec<GradientOf>>,
}

/// The most tensors that a layer is called on.
pub(super) const MAX_INPUTS: usize = 16;

/// Calls a method of a pass with an array in the place of a slice, whose length is one of these.
macro_rules! with_array {
    ($pass:ident.$method:ident($call:expr, $config:expr, $inputs:expr): $($len:literal)*) => {
        match $inputs.len() {
            $($len => {
                if let Ok(inputs) = <[_; $len]>::try_from($inputs) {
                    $pass.$method($call.at, $call.layer, $config, inputs, $call.output);
                }
            })*
            // There is no call with more: see `MAX_INPUTS`.
            _ => {}
        }
    };
    ($pass:ident.$method:ident $arguments:tt) => {
        with_array!($pass.$method $arguments: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    };
}

/// A layer of any type, as a model calls it.
pub(super) trait AnyLayer<D: Device>: Send + Sync {
    /// Runs the rules on the shapes of the inputs.
    fn record(&self, call: &Call, trace: &mut Trace) -> Result<()>;
    /// Writes the output.
    fn forward(&self, call: &Call, pass: &mut Pass<'_, D>);
    /// Writes the gradients, if the output has one.
    fn backward(&self, call: &Call, pass: &mut Pass<'_, D>);
}

/// A layer with its rules, which are inherent functions of its type.
#[derive(Clone, Copy)]
struct Ruled<L> {
    layer: L,
    output_shape: fn(&L, &[Shape]) -> Result<Shape, ShapeError>,
    weights: fn(&L, &[Shape]) -> Weights,
}

impl<D: Device, L: Layer> AnyLayer<D> for Ruled<L> {
    fn record(&self, call: &Call, trace: &mut Trace) -> Result<()> {
        trace.record(
            call.at,
            call.layer,
            &self.layer,
            &call.inputs,
            call.output,
            &|inputs| (self.output_shape)(&self.layer, inputs),
            &|inputs| (self.weights)(&self.layer, inputs),
        )
    }

    fn forward(&self, call: &Call, pass: &mut Pass<'_, D>) {
        with_array!(pass.forward(call, &self.layer, &call.inputs[..]));
    }

    fn backward(&self, call: &Call, pass: &mut Pass<'_, D>) {
        if let Some(gradients) = &call.gradients {
            with_array!(pass.backward(call, &self.layer, &gradients[..]));
        }
    }
}

/// Makes a layer of its configuration for the devices of one type.
type Make<D> = Arc<dyn Fn(&Config) -> Result<Arc<dyn AnyLayer<D>>> + Send + Sync>;

/// The layer of a class with the arguments of a configuration.
///
/// # Errors
/// If there is none, or with everything that is not supported.
pub(super) fn from_config<D: Device>(class: &str, config: &Object) -> Result<Arc<dyn AnyLayer<D>>> {
    let Some(make) = registry::registered::<Make<D>>(class).filter(|_| !BuiltIn::is_one(class))
    else {
        return Ok(Arc::new(Ruled {
            layer: BuiltIn::from_config(class, config)?,
            output_shape: BuiltIn::output_shape,
            weights: BuiltIn::weights,
        }));
    };
    let mut own = Config::own(class);
    for (name, value) in config.iter() {
        match name {
            // What every layer has, which is the model's.
            "name" | "trainable" => {}
            "dtype" => BuiltIn::single_precision(value)?,
            _ => own.config.set(name, value.clone()),
        }
    }
    make(&own).map_err(|error| match error {
        Error::Value(message) if !message.starts_with(class) => {
            Error::value(format!("{class}: {message}"))
        }
        error => error,
    })
}

/// See the macro `register_layer!`.
#[doc(hidden)]
pub fn register_layer<L: Layer>(
    names: &[&str],
    from_config: fn(&Config) -> Result<L>,
    output_shape: fn(&L, &[Shape]) -> Result<Shape, ShapeError>,
    weights: fn(&L, &[Shape]) -> Weights,
) {
    let make = move |config: &Config| {
        Ok(Ruled {
            layer: from_config(config)?,
            output_shape,
            weights,
        })
    };
    let of_cpu: Make<Cpu> = Arc::new(move |config| Ok(Arc::new(make(config)?)));
    let of_auto: Make<AutoDevice> = Arc::new(move |config| Ok(Arc::new(make(config)?)));
    registry::register::<L, _>(names, &of_cpu);
    registry::register::<L, _>(names, &of_auto);
}

/// Makes `load_model` and `model_from_json` find a layer of your own by these names; files name it by the first. Keras'
/// own names stay Keras'. The type needs `from_config(&Config) -> Result<Self>`, and as every layer `output_shape` and
/// `weights`; its `config` says what `from_config` reads. A layer of `#[layer]` has all of it, and a method `register`.
///
/// What `keras.saving.register_keras_serializable(package="my")` registers in Python is named `my>Name`.
///
/// ```
/// # use keras_runtime as keras;
/// use keras::prelude::*;
///
/// /// `x sigmoid(beta x)` with a trained beta.
/// #[layer]
/// struct Swish {
///     #[weight(1.0)]
///     beta: f32,
/// }
///
/// #[layer]
/// impl Swish {
///     fn call(&self, x: Tensor) -> Tensor {
///         x * sigmoid(self.beta * x)
///     }
/// }
///
/// sequential! {
///     Net<4>;
///     Dense(3),
///     Swish,
/// }
///
/// keras::register_layer!(Swish, "my>Swish");
/// let mut model = keras::model_from_json(&Net::new().to_json()?)?;
/// assert_eq!(model.layers()[1].class_name(), "Swish");
/// # Ok::<(), keras::Error>(())
/// ```
#[macro_export]
macro_rules! register_layer {
    ($layer:ty, $($name:expr),+ $(,)?) => {{
        // A shape error holds its sentence, for it is made in constants.
        #[allow(clippy::result_large_err)]
        let output_shape = |layer: &$layer, inputs: &[$crate::shape::Shape]| layer.output_shape(inputs);
        $crate::model::register_layer::<$layer>(
            &[$($name),+],
            <$layer>::from_config,
            output_shape,
            |layer, inputs| layer.weights(inputs),
        )
    }};
}
