//! A graph in the making: layers, values and calls as they come, whether anything needs them or not.

use std::collections::HashMap;

use super::network::End;
use super::{Call, CallId, Layer, LayerId, Source, Value, ValueId};
use crate::names::AutoNames;
use crate::parse;
use crate::parse::At;
use crate::parse::call::scalars::{Formula, Purpose};

/// Layers, values and calls in the order in which they were written.
#[derive(Default)]
pub struct Draft {
    /// The layers.
    pub layers: Vec<Layer>,
    /// The values; a name is empty until somebody gives one.
    pub values: Vec<Value>,
    /// The calls.
    pub calls: Vec<Call>,
    /// The calls of the mode that is being read, in order.
    pub sequence: Vec<CallId>,
    /// What has been added to the loss and the logs in the mode that is being read.
    pub added: Vec<Added>,
    names: AutoNames,
    known: HashMap<Key, CallId>,
    seen: HashMap<(Callee, Vec<ValueId>), usize>,
}

/// What tells calls apart: the n-th call of a layer on the same values is the same call in both
/// modes.
type Key = (Callee, Vec<ValueId>, usize);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Callee {
    Layer(LayerId),
    Merge(&'static str),
    /// The number, as text.
    Scalar(String),
}

/// A number of the model in its loss or its logs.
#[derive(Clone)]
pub struct Added {
    /// Which of the two.
    pub purpose: Purpose,
    /// The number, and where it was added.
    pub end: End,
}

impl Draft {
    /// A layer as the user wrote it, with Keras' automatic name if it has none.
    pub fn layer(&mut self, layer: parse::Layer) -> LayerId {
        let class = layer.class_name();
        let name = match &layer.name {
            Some(name) => name.value(),
            None => self.names.next(&class),
        };
        self.push_layer(name, class, Source::Written(Box::new(layer)))
    }

    /// A layer that is a field of a struct: it has the field's name.
    pub fn field(&mut self, field: &syn::Ident, layer: parse::Layer) -> LayerId {
        let name = match &layer.name {
            Some(name) => name.value(),
            None => crate::names::identifier(&field.to_string()),
        };
        let id = self.push_layer(name, layer.class_name(), Source::Written(Box::new(layer)));
        self.layers[id].field = crate::names::identifier(&field.to_string());
        id
    }

    fn push_layer(&mut self, name: String, class: String, source: Source) -> LayerId {
        self.layers.push(Layer {
            name,
            class,
            field: String::new(),
            source,
        });
        self.layers.len() - 1
    }

    /// An input of the model.
    pub fn input(&mut self, name: &str, shape: parse::Shape) -> ValueId {
        self.values.push(Value {
            name: crate::names::identifier(name),
            producer: None,
            shape,
        });
        self.values.len() - 1
    }

    /// A layer called on values.
    pub fn call(&mut self, layer: LayerId, inputs: Vec<ValueId>, at: At) -> ValueId {
        let key = self.key(Callee::Layer(layer), inputs);
        self.call_once(key, at, |_| layer)
    }

    /// `+`, `-` or `*`: a call of a merge layer made for it.
    pub fn merge(&mut self, class: &'static str, inputs: Vec<ValueId>, at: At) -> ValueId {
        let key = self.key(Callee::Merge(class), inputs);
        self.call_once(key, at, |draft| {
            let name = draft.names.next(class);
            draft.push_layer(name, class.to_string(), Source::Merge(at))
        })
    }

    /// A number of values, added to the loss or to the logs.
    pub fn add(&mut self, purpose: &Purpose, formula: &Formula, inputs: Vec<ValueId>, at: At) {
        let class = purpose.class();
        let metric = match purpose {
            Purpose::Loss => String::new(),
            Purpose::Metric(name) => name.value(),
        };
        let key = self.key(
            Callee::Scalar(format!("{class} {metric} {formula}")),
            inputs,
        );
        let value = self.call_once(key, at, |draft| {
            let name = draft.names.next(class);
            let source = Source::Scalar(Box::new(formula.clone()), at);
            draft.push_layer(name, class.to_string(), source)
        });
        self.name(value, &crate::names::snake_case(class));
        let (purpose, key) = (purpose.clone(), None);
        let end = End { value, key, at };
        self.added.push(Added { purpose, end });
    }

    fn key(&mut self, callee: Callee, inputs: Vec<ValueId>) -> Key {
        let count = self
            .seen
            .entry((callee.clone(), inputs.clone()))
            .or_insert(0);
        *count += 1;
        (callee, inputs, *count)
    }

    fn call_once(&mut self, key: Key, at: At, layer: impl Fn(&mut Self) -> LayerId) -> ValueId {
        let call = match self.known.get(&key) {
            Some(&call) => call,
            None => {
                let layer = layer(self);
                let (call, output) = (self.calls.len(), self.values.len());
                self.calls.push(Call {
                    layer,
                    inputs: key.1.clone(),
                    output,
                    at,
                });
                self.values.push(Value {
                    producer: Some(call),
                    ..Value::default()
                });
                self.known.insert(key, call);
                call
            }
        };
        self.sequence.push(call);
        self.calls[call].output
    }

    /// The user's name for a value; the first one stays.
    pub fn name(&mut self, value: ValueId, name: &str) {
        let value = &mut self.values[value];
        if value.name.is_empty() {
            value.name = crate::names::identifier(name);
        }
    }

    /// Gives the calls of the mode that has been read, in order, and begins another mode.
    pub fn end_mode(&mut self) -> Vec<CallId> {
        self.seen.clear();
        std::mem::take(&mut self.sequence)
    }
}
