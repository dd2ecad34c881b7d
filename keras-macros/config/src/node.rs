//! One of a layer's `inbound_nodes`: what the layer is called on.
//!
//! Keras 3 writes `{"args": [..], "kwargs": {..}}`, in which a tensor is an object of the class
//! `__keras_tensor__`; Keras 2 wrote a list of `[layer, node, tensor, kwargs]`.

use crate::ends::{History, tuple};
use crate::{Json, Object};

/// What a layer is called on.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// The tensors and the numbers, in order.
    pub operands: Vec<Operand>,
}

/// One of the things that a layer is called on.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A tensor.
    Tensor(History),
    /// A number.
    Number(f64),
}

impl Node {
    /// Reads one call.
    ///
    /// # Errors
    /// If it has arguments that are not supported.
    pub fn read(json: &Json) -> Result<Self, String> {
        let mut node = Self::default();
        if let Some(list) = json.as_list() {
            node.legacy(list)?;
            return Ok(node);
        }
        let args = json.get("args").and_then(Json::as_list).unwrap_or_default();
        for argument in args {
            node.operand(argument)?;
        }
        if let Some(kwargs) = json.get("kwargs").and_then(Json::as_object) {
            node.keywords(kwargs)?;
        }
        Ok(node)
    }

    /// `[["dense", 0, 0, {}], ..]`, or one of these alone.
    fn legacy(&mut self, list: &[Json]) -> Result<(), String> {
        let calls = match list.first() {
            Some(Json::Text(_)) => vec![Json::List(list.to_vec())],
            _ => list.to_vec(),
        };
        for call in &calls {
            let history = History::read(call).ok_or_else(|| unexpected(call))?;
            self.operands.push(Operand::Tensor(history));
            let keywords = call.as_list().and_then(|call| call.get(3));
            if let Some(kwargs) = keywords.and_then(Json::as_object) {
                self.keywords(kwargs)?;
            }
        }
        Ok(())
    }

    fn operand(&mut self, json: &Json) -> Result<(), String> {
        if let Some(items) = json.as_list().or_else(|| tuple(json.as_object()?)) {
            return items.iter().try_for_each(|item| self.operand(item));
        }
        if let Some(number) = json.as_f64() {
            self.operands.push(Operand::Number(number));
            return Ok(());
        }
        let class = json.get("class_name").and_then(Json::as_str);
        match (class, json.as_object()) {
            (Some("__keras_tensor__"), _) => {
                let history = json.get("config").and_then(|c| c.get("keras_history"));
                let history = history.and_then(History::read);
                let history = history.ok_or_else(|| unexpected(json))?;
                self.operands.push(Operand::Tensor(history));
                Ok(())
            }
            // A dictionary of tensors.
            (None, Some(tensors)) => tensors.iter().try_for_each(|(_, item)| self.operand(item)),
            _ => Err(unexpected(json)),
        }
    }

    fn keywords(&mut self, keywords: &Object) -> Result<(), String> {
        for (name, value) in keywords.iter() {
            match (name, value) {
                (_, Json::Null) => {}
                // `fit`, `evaluate` and `predict` give every layer their own mode, whatever is written here; of
                // every call of a Dropout that is False.
                ("training", Json::Bool(_)) => {}
                _ => {
                    return Err(format!(
                        "it is called with `{name}={}`, and calls with keyword arguments other than `training` are \
                         not supported",
                        value.shortened()
                    ));
                }
            }
        }
        Ok(())
    }
}

fn unexpected(json: &Json) -> String {
    format!(
        "expected to be called on tensors and numbers. Received: {}",
        json.shortened()
    )
}
