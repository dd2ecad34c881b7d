//! The network as values and layer calls: syntax -> graph.

mod bound;
mod checks;
pub mod draft;
mod finish;
pub mod functional;
mod interpret;
pub mod keras_file;
mod modes;
mod network;
mod order;
pub mod sequential;
pub mod subclassed;
pub mod training;

use proc_macro2::Span;
use syn::Ident;

use crate::parse;
use crate::parse::At;
use crate::parse::call::scalars::Formula;

pub use keras_config::Structure;
pub use modes::{Group, merge};

/// The number of a layer.
pub type LayerId = usize;
/// The number of a value: an input or what a call gives.
pub type ValueId = usize;
/// The number of a call.
pub type CallId = usize;

/// A model: its layers, the calls of them, and what of that are its networks.
#[derive(Default)]
pub struct Graph {
    /// The layers, in Keras' order.
    pub layers: Vec<Layer>,
    /// The values, inputs first.
    pub values: Vec<Value>,
    /// The calls, in an order in which they can run.
    pub calls: Vec<Call>,
    /// The model itself.
    pub whole: Network,
    /// Models of some of its calls.
    pub parts: Vec<Part>,
}

impl Graph {
    /// What is emitted after errors: a model without layers, and its parts.
    pub fn stub<'a>(parts: impl IntoIterator<Item = &'a Ident>) -> Graph {
        let part = |ident: &Ident| Part {
            ident: ident.clone(),
            network: Network::default(),
        };
        Graph {
            parts: parts.into_iter().map(part).collect(),
            ..Graph::default()
        }
    }
}

/// A layer.
#[derive(Clone)]
pub struct Layer {
    /// Unique in the model.
    pub name: String,
    /// The name of its type.
    pub class: String,
    /// The field of a struct that it is; empty if it is none.
    pub field: String,
    /// Where it comes from.
    pub source: Source,
}

/// What a layer is made of.
#[derive(Clone)]
pub enum Source {
    /// The user's tokens.
    Written(Box<parse::Layer>),
    /// `+`, `-` or `*` on tensors: the merge layer of this class.
    Merge(At),
    /// `add_loss` or `add_metric`: the number that it is called with.
    Scalar(Box<Formula>, At),
}

impl Source {
    /// Where the layer is made.
    pub fn at(&self) -> At {
        match self {
            Source::Written(layer) => layer.at,
            Source::Merge(at) | Source::Scalar(_, at) => *at,
        }
    }
}

impl Layer {
    /// Whether it may be trained.
    pub fn trainable(&self) -> bool {
        match &self.source {
            Source::Written(layer) => layer.trainable,
            Source::Merge(_) | Source::Scalar(..) => true,
        }
    }
}

/// A value that flows between layers.
#[derive(Clone, Default)]
pub struct Value {
    /// Unique in the model: the user's name for it, or `h1`, `h2`, ..
    pub name: String,
    /// The call that gives it; none for an input.
    pub producer: Option<CallId>,
    /// The declared shape of an input.
    pub shape: parse::Shape,
}

/// A layer called on values.
#[derive(Clone)]
pub struct Call {
    /// The layer.
    pub layer: LayerId,
    /// What it is called on.
    pub inputs: Vec<ValueId>,
    /// What it gives.
    pub output: ValueId,
    /// Where the user called it.
    pub at: At,
}

/// In which form a model was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// `sequential!`.
    #[default]
    Sequential,
    /// `#[model] fn`.
    Functional,
    /// `let part = Model(..)` in it.
    Part,
    /// `#[model] struct`.
    Subclassed,
}

/// Outputs within outputs: `[[a, b], c]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// One tensor.
    Output,
    /// Several, with keys in a `Dict`.
    Several(Structure, Vec<(Option<String>, Nesting)>),
}

impl Nesting {
    /// Where each tensor is, as Keras writes it before a name: `0/`, `a/`; nothing on the first level.
    pub fn prefixes(&self) -> Vec<String> {
        let Nesting::Several(_, items) = self else {
            return vec![String::new()];
        };
        let of_item = |(at, (key, item)): (usize, &(Option<String>, Nesting))| {
            let key = key.clone().unwrap_or_else(|| at.to_string());
            let within = item.prefixes().into_iter();
            let within: Vec<String> = match item {
                Nesting::Output => within.collect(),
                Nesting::Several(..) => within.map(|path| format!("{key}/{path}")).collect(),
            };
            within
        };
        items.iter().enumerate().flat_map(of_item).collect()
    }
}

/// Inputs, outputs and the calls between them.
#[derive(Clone, Default)]
pub struct Network {
    /// Keras' name for it.
    pub name: String,
    /// Its form.
    pub kind: Kind,
    /// Its inputs.
    pub inputs: Vec<Input>,
    /// Its outputs.
    pub outputs: Vec<Output>,
    /// How its outputs are put together.
    pub structure: Structure,
    /// The same where they are nested.
    pub nesting: Option<Nesting>,
    /// The losses that it adds by itself, of both modes.
    pub losses: Vec<ValueId>,
    /// The metrics that it adds by itself.
    pub metrics: Vec<AddedMetric>,
    /// The calls of training, in order.
    pub training: Vec<CallId>,
    /// The calls of inference, in order.
    pub inference: Vec<CallId>,
}

/// An input of a network.
#[derive(Clone)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// The value it becomes.
    pub value: ValueId,
}

/// An output of a network.
#[derive(Clone)]
pub struct Output {
    /// The name its losses and metrics are logged under.
    pub name: String,
    /// The value that is this output while training.
    pub training: ValueId,
    /// The value that is this output otherwise.
    pub inference: ValueId,
}

/// A metric that a network adds by itself.
#[derive(Clone)]
pub struct AddedMetric {
    /// The name it is logged under.
    pub name: String,
    /// The value that it is the mean of while training.
    pub training: Option<ValueId>,
    /// The same otherwise.
    pub inference: Option<ValueId>,
}

/// A model of some of the calls of a functional model.
#[derive(Clone)]
pub struct Part {
    /// The name it was bound to.
    pub ident: Ident,
    /// Its inputs, outputs and calls.
    pub network: Network,
}

/// An identifier of generated code.
pub fn generated(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}
