//! The static description of a model, as the macros write it down.

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

/// How the outputs of a model are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// One tensor.
    Single,
    /// A tuple of tensors.
    Tuple,
    /// An array of tensors.
    List,
    /// Tensors with names.
    Dict,
}

/// A layer of a model.
#[derive(Clone, Copy, Debug)]
pub struct LayerInfo {
    /// Its name, unique in the model.
    pub name: &'static str,
    /// Its type.
    pub class: &'static str,
    /// The field of the struct that it is, in a subclassed model; empty if it is none.
    pub field: &'static str,
    /// False for a frozen layer, whose weights training leaves alone.
    pub trainable: bool,
}

/// An input of a model.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// Its name.
    pub name: &'static str,
    /// The value it becomes.
    pub value: Value,
    /// Its declared shape.
    pub shape: Shape,
}

/// An output of a model.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// The name its losses and metrics are logged under.
    pub name: &'static str,
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
#[derive(Clone, Copy, Debug)]
pub struct AddedMetric {
    /// The name it is logged under.
    pub name: &'static str,
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
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// The model's name.
    pub name: &'static str,
    /// The form it was written in.
    pub kind: Kind,
    /// How many values flow between its layers.
    pub values: usize,
    /// The layers, in the order of the model.
    pub layers: &'static [LayerInfo],
    /// The inputs.
    pub inputs: &'static [Input],
    /// The outputs.
    pub outputs: &'static [Output],
    /// How the outputs are put together.
    pub structure: Structure,
    /// The losses that the model adds by itself, of both modes: `add_loss`.
    pub losses: &'static [Value],
    /// The metrics that it adds by itself.
    pub metrics: &'static [AddedMetric],
}
