//! What a model consists of, once its configuration has been read: layers, values, and calls of the
//! layers on the values.

use crate::Object;

/// The number of a value: the inputs come first, then what the calls give, in their order.
pub type Value = usize;

/// A model.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// The form it was written in.
    pub kind: Kind,
    /// The layers, in Keras' order; those of nested models stand where the nested model stood.
    pub layers: Vec<Layer>,
    /// The inputs.
    pub inputs: Vec<Input>,
    /// The calls, in an order in which they can run.
    pub calls: Vec<Call>,
    /// The outputs.
    pub outputs: Vec<Output>,
    /// How the outputs are put together.
    pub structure: Structure,
}

/// In which form a model was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Layers one after the other.
    Sequential,
    /// Layers called on tensors.
    Functional,
}

/// How the outputs of a model are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Structure {
    /// One tensor.
    #[default]
    Single,
    /// A tuple of tensors.
    Tuple,
    /// A list of tensors: in Rust an array.
    List,
    /// Tensors with names.
    Dict,
}

/// A layer with the arguments of its constructor.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name, unique in the model.
    pub name: String,
    /// Its class, such as `Dense`.
    pub class_name: String,
    /// False if it is frozen, or a model that it is in.
    pub trainable: bool,
    /// The arguments of its constructor, as they stand in the file.
    pub config: Object,
    /// Where its weights are in a file of Keras 3, such as `layers/dense_1`; in a nested model
    /// `layers/functional/layers/dense`. Empty for an operation, which is no layer in Keras.
    pub group: String,
    /// The layer of the outermost model that it is, or is in.
    pub outermost: String,
}

/// An input.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// The shape of one sample; `None` if nothing is known of it.
    pub shape: Option<Vec<Option<usize>>>,
}

/// A call of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The number of the layer.
    pub layer: usize,
    /// What it is called on.
    pub inputs: Vec<Value>,
}

/// An output.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The name its losses and metrics are logged under.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// Something of a model that cannot be expressed here.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The layer, or the model, that it is in.
    pub layer: String,
    /// What it is, and what is supported.
    pub message: String,
}

impl Description {
    /// What a call gives.
    pub fn output_of(&self, call: usize) -> Value {
        self.inputs.len() + call
    }
}
