//! A look at one layer of a model.

use ndarray::ArrayD;

use super::core::Core;
use super::network::LayerInfo;
use crate::device::Device;

/// One layer of a model.
pub struct LayerRef<'a, D: Device> {
    pub(crate) info: &'a LayerInfo,
    pub(crate) index: usize,
    pub(crate) core: &'a Core<D>,
}

impl<'a, D: Device> LayerRef<'a, D> {
    /// Its name, such as `dense_1`.
    pub fn name(&self) -> &'a str {
        &self.info.name
    }

    /// Its type, such as `Dense`.
    pub fn class_name(&self) -> &'a str {
        &self.info.class
    }

    /// Whether training changes its weights.
    pub fn trainable(&self) -> bool {
        self.core.trainable[self.index]
    }

    /// Its weights in Keras' order, the trained ones first; none before the model is built.
    pub fn get_weights(&self) -> Vec<ArrayD<f32>> {
        let parameters = self.core.parameters.iter();
        let weights = parameters.flat_map(|parameters| {
            let places = parameters
                .places()
                .filter(|place| place.layer == self.index);
            places.map(|place| parameters.get(&self.core.device, &place))
        });
        weights.collect()
    }

    /// The names of its weights, in the same order, such as `kernel` and `bias`.
    pub fn weight_names(&self) -> Vec<&'static str> {
        let places = self
            .core
            .parameters
            .iter()
            .flat_map(|parameters| parameters.places());
        let own = places.filter(|place| place.layer == self.index);
        own.map(|place| place.name).collect()
    }

    /// The number of its weights' values.
    pub fn count_params(&self) -> usize {
        self.get_weights().iter().map(ArrayD::len).sum()
    }
}
