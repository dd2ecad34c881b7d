//! Weights by the names of their layers, such as `dense/kernel`: what formats have that know nothing of
//! models.

use std::collections::HashMap;

use super::{LayerState, ModelState, Values, WeightState};

/// The weights of a model with their names.
pub(super) fn weights<'s, 'a>(
    state: &'s ModelState<'a>,
) -> impl Iterator<Item = (String, &'s Values<'a>)> {
    let layers = state.layers.iter();
    layers.flat_map(|layer| {
        let weights = layer.weights.iter();
        weights.map(|weight| (format!("{}/{}", layer.name, weight.name), &weight.values))
    })
}

/// A model with weights of these names, its layers in the order of their first weights.
pub(super) fn model(
    weights: impl IntoIterator<Item = (String, Values<'static>)>,
) -> ModelState<'static> {
    let mut layers: Vec<LayerState<'static>> = Vec::new();
    let mut places = HashMap::new();
    for (name, values) in weights {
        let (layer, weight) = name.rsplit_once('/').unwrap_or(("", &name));
        let place = *places.entry(layer.to_owned()).or_insert_with(|| {
            layers.push(LayerState {
                name: layer.to_owned(),
                ..LayerState::default()
            });
            layers.len() - 1
        });
        layers[place].weights.push(WeightState {
            name: weight.to_owned(),
            trainable: true,
            values,
        });
    }
    ModelState {
        layers,
        ..ModelState::default()
    }
}
