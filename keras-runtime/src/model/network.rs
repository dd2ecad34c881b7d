//! The description of a model: written down by the macros, or made from a file when the program runs.

use std::borrow::Cow;

pub use keras_config::Structure;

use crate::shape::Shape;

/// One of the values that flow between the layers of a model, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(
    /// The number.
    pub usize,
);

/// Where the gradient of a layer's input goes.
#[derive(Clone, Copy, Debug)]
pub struct GradientOf {
    pub(crate) value: Value,
    pub(crate) adds: bool,
}

/// This call is the first to write the gradient of `value`.
pub const fn set(value: Value) -> GradientOf {
    GradientOf { value, adds: false }
}

/// The gradient of `value` has a part already; this call's is added.
pub const fn add(value: Value) -> GradientOf {
    GradientOf { value, adds: true }
}

/// In which of Keras' three forms a model was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `sequential!`.
    Sequential,
    /// `#[model]` on a function.
    Functional,
    /// A part of a functional model: it has the layers and the weights of the whole.
    Part,
    /// `#[model]` on a struct and its impl.
    Subclassed,
}

/// A layer of a model.
#[derive(Clone, Debug)]
pub struct LayerInfo {
    /// Its name, unique in the model.
    pub name: Cow<'static, str>,
    /// Its type.
    pub class: Cow<'static, str>,
    /// The field of the struct that it is, in a subclassed model; empty if it is none.
    pub field: Cow<'static, str>,
    /// False for a frozen layer, whose weights training leaves alone.
    pub trainable: bool,
}

/// An input of a model.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name.
    pub name: Cow<'static, str>,
    /// The value it becomes.
    pub value: Value,
    /// Its declared shape.
    pub shape: Shape,
}

/// An output of a model.
#[derive(Clone, Debug)]
pub struct Output {
    /// The name its losses and metrics are logged under.
    pub name: Cow<'static, str>,
    /// The value that is this output while training.
    pub training: Value,
    /// The value that is this output otherwise.
    pub inference: Value,
}

impl Output {
    /// The value of a mode.
    pub const fn value(&self, training: bool) -> Value {
        if training {
            self.training
        } else {
            self.inference
        }
    }
}

/// A metric that a model adds by itself: `add_metric`.
#[derive(Clone, Debug)]
pub struct AddedMetric {
    /// The name it is logged under.
    pub name: Cow<'static, str>,
    /// The value that it is the mean of while training, if it is there then.
    pub training: Option<Value>,
    /// The same otherwise.
    pub inference: Option<Value>,
}

impl AddedMetric {
    /// The value of a mode.
    pub const fn value(&self, training: bool) -> Option<Value> {
        if training {
            self.training
        } else {
            self.inference
        }
    }
}

/// A model's layers, inputs and outputs.
#[derive(Clone, Debug)]
pub struct Network {
    /// The model's name.
    pub name: Cow<'static, str>,
    /// The form it was written in.
    pub kind: Kind,
    /// How many values flow between its layers.
    pub values: usize,
    /// The layers, in the order of the model.
    pub layers: Cow<'static, [LayerInfo]>,
    /// The inputs.
    pub inputs: Cow<'static, [Input]>,
    /// The outputs.
    pub outputs: Cow<'static, [Output]>,
    /// How the outputs are put together.
    pub structure: Structure,
    /// The losses that the model adds by itself, of both modes: `add_loss`.
    pub losses: Cow<'static, [Value]>,
    /// The metrics that it adds by itself.
    pub metrics: Cow<'static, [AddedMetric]>,
}
