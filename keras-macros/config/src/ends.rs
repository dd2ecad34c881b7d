//! `input_layers` and `output_layers`: which tensors a model begins and ends with.
//!
//! A tensor is `[layer, node, tensor]`. Around it stand lists, dictionaries, or
//! `{"class_name": "__tuple__", "items": [..]}`.

use crate::description::Structure;
use crate::{Json, Object};

/// A tensor: what the `node`-th call of a layer gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct History {
    /// The name of the layer.
    pub layer: String,
    /// Which of its calls.
    pub node: usize,
    /// Which of the tensors that the call gives.
    pub tensor: usize,
}

impl History {
    /// `["dense", 0, 0]`; older files have more after it.
    pub fn read(json: &Json) -> Option<Self> {
        let [layer, node, tensor, ..] = json.as_list()? else {
            return None;
        };
        let number = |json: &Json| usize::try_from(json.as_int()?).ok();
        Some(Self {
            layer: layer.as_str()?.to_owned(),
            node: number(node)?,
            tensor: number(tensor)?,
        })
    }
}

/// The tensors that a model begins or ends with.
#[derive(Clone, Debug)]
pub struct Ends {
    /// The tensors, with the names they have in a dictionary.
    pub tensors: Vec<(Option<String>, History)>,
    /// How they are put together.
    pub structure: Structure,
}

impl Ends {
    /// Reads one of the two.
    ///
    /// # Errors
    /// If it is neither a tensor, nor a list, a tuple or a dictionary of tensors.
    pub fn read(json: &Json) -> Result<Self, String> {
        let failed = || {
            format!(
                "expected a tensor, or a list, a tuple or a dictionary of tensors. Received: {}",
                json.shortened()
            )
        };
        if let Some(tensor) = History::read(json) {
            return Ok(Self {
                tensors: vec![(None, tensor)],
                structure: Structure::Single,
            });
        }
        let (items, structure) = match (json.as_list(), json.as_object()) {
            (Some(items), _) => (unnamed(items), Structure::List),
            (_, Some(object)) => match tuple(object) {
                Some(items) => (unnamed(items), Structure::Tuple),
                None => (named(object), Structure::Dict),
            },
            _ => (None, Structure::Single),
        };
        let tensors = items.filter(|items| !items.is_empty()).ok_or_else(failed)?;
        // What stands in a list of its own in older files is one tensor.
        let structure = if tensors.len() == 1 && structure == Structure::List {
            Structure::Single
        } else {
            structure
        };
        Ok(Self { tensors, structure })
    }
}

/// The items of `{"class_name": "__tuple__", "items": [..]}`.
pub fn tuple(object: &Object) -> Option<&[Json]> {
    let class = object.get("class_name").and_then(Json::as_str)?;
    if class == "__tuple__" {
        object.get("items")?.as_list()
    } else {
        None
    }
}

fn unnamed(items: &[Json]) -> Option<Vec<(Option<String>, History)>> {
    let tensors = items.iter().map(|item| Some((None, History::read(item)?)));
    tensors.collect()
}

fn named(object: &Object) -> Option<Vec<(Option<String>, History)>> {
    let tensors = object.iter();
    tensors
        .map(|(name, item)| Some((Some(name.to_owned()), History::read(item)?)))
        .collect()
}
