//! Reading and writing the weights of a model, all of them or layer by layer.

use ndarray::{ArrayD, IxDyn};

use super::Model;
use super::describe::{self, is_functional};
use super::layer_ref::LayerRef;
use super::network::{Kind, Network};
use super::parameters::{Parameters, Place};
use super::trace::Trace;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::python;
use crate::shape::Shape;

/// The layers of a model, by number: a part has those that it calls, in the order of the whole.
pub(crate) fn own_layers<M: Model>(model: &M) -> Vec<usize> {
    let network = &model.run().network;
    let all = 0..network.layers.len();
    if network.kind != Kind::Part {
        return all.collect();
    }
    let shapes: Vec<Shape> = network.inputs.iter().map(|input| input.shape).collect();
    let mut is_called = vec![false; all.len()];
    for training in [false, true] {
        let mut trace = Trace::new(network, &shapes, 1, training);
        // The shapes were checked when the model was compiled, and unknown ones are carried through.
        let _ = model.infer(&mut trace);
        for call in &trace.calls {
            is_called[call.layer] = true;
        }
    }
    all.filter(|&layer| is_called[layer]).collect()
}

/// The same in the order in which Keras lists the layers of such a model, and its files have them: a model
/// that was made of one with models within it keeps the order that they had there, and a part that of the
/// whole.
pub(crate) fn listed_layers<M: Model>(model: &M) -> Vec<usize> {
    let (own, run) = (own_layers(model), model.run());
    if !is_functional(&run.network) {
        return own;
    }
    let declared = || run.network.inputs.iter().map(|input| input.shape).collect();
    let shapes: Vec<Shape> = run.built.clone().unwrap_or_else(declared);
    let mut trace = Trace::new(&run.network, &shapes, 1, false);
    // As far as shapes are known.
    let _ = model.infer(&mut trace);
    let mut listed = describe::listed_layers(&run.network, &trace.calls);
    listed.retain(|layer| own.binary_search(layer).is_ok());
    listed
}

/// The names of layers in their order; none if that is the order of their numbers.
pub(crate) fn names_in_order(network: &Network, listed: &[usize]) -> Vec<String> {
    if listed.is_sorted() {
        return Vec::new();
    }
    let names = listed
        .iter()
        .map(|&layer| network.layers[layer].name.to_string());
    names.collect()
}

/// The places of the weights of layers, in order.
fn places<D: Device>(own: &[usize], parameters: &Parameters<D>) -> Vec<Place> {
    let places = parameters.places();
    places
        .filter(|place| own.binary_search(&place.layer).is_ok())
        .collect()
}

pub(crate) fn count<M: Model>(model: &M) -> usize {
    let own = own_layers(model);
    let parameters = model.core().parameters.iter();
    let places = parameters.flat_map(|parameters| places(&own, parameters));
    places.map(|place| place.shape.size()).sum()
}

pub(crate) fn position<M: Model>(model: &M, name: &str) -> Result<usize> {
    let layers = &model.run().network.layers;
    let own = own_layers(model);
    let found = own
        .iter()
        .copied()
        .find(|&layer| layers[layer].name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = own.iter().map(|&layer| &*layers[layer].name).collect();
        Error::value(format!(
            "No such layer: {name}. Existing layers are: {names:?}.{}",
            Error::suggestion(name, &names)
        ))
    })
}

pub(crate) fn get_layer<'a, M: Model>(model: &'a M, name: &str) -> Result<LayerRef<'a, M::Device>> {
    Ok(layer_ref(model, position(model, name)?))
}

pub(crate) fn layers<M: Model>(model: &M) -> Vec<LayerRef<'_, M::Device>> {
    let own = own_layers(model).into_iter();
    own.map(|index| layer_ref(model, index)).collect()
}

fn layer_ref<M: Model>(model: &M, index: usize) -> LayerRef<'_, M::Device> {
    LayerRef {
        info: &model.run().network.layers[index],
        index,
        core: model.core(),
    }
}

pub(crate) fn get<M: Model>(model: &M) -> Vec<ArrayD<f32>> {
    let (core, own) = (model.core(), own_layers(model));
    let arrays = core.parameters.iter().flat_map(|parameters| {
        let places = places(&own, parameters).into_iter();
        places.map(|place| parameters.get(&core.device, &place))
    });
    arrays.collect()
}

/// The array of a shape. What is read is as long as its shape: another length cannot come about.
pub(crate) fn array_of(shape: &[usize], values: Vec<f32>) -> ArrayD<f32> {
    ArrayD::from_shape_vec(IxDyn(shape), values).unwrap_or_default()
}

pub(crate) fn set<M: Model>(model: &mut M, values: &[ArrayD<f32>]) -> Result<()> {
    let own = own_layers(model);
    let (core, run) = model.split();
    let name = &run.network.name;
    let Some(parameters) = &mut core.parameters else {
        core.device.get()?;
        return Err(Error::NotBuilt(format!(
            "You called `set_weights(weights)` on model '{name}', which has not been built yet. Call the model on \
             some data or its `build()` first."
        )));
    };
    let places = places(&own, parameters);
    if places.len() != values.len() {
        return Err(Error::value(format!(
            "You called `set_weights(weights)` on layer '{name}' with a weight list of length {}, but the layer was \
             expecting {} weights.",
            values.len(),
            places.len()
        )));
    }
    for (place, values) in places.iter().zip(values) {
        if place.shape.dims() != values.shape() {
            return Err(Error::value(format!(
                "Layer {name} weight shape {} is not compatible with provided weight shape {}.",
                python::shape(place.shape.dims()),
                python::shape(values.shape())
            )));
        }
    }
    for (place, values) in places.iter().zip(values) {
        let values = values.as_standard_layout();
        if let Some(values) = values.as_slice() {
            parameters.set(&core.device, place, values);
        }
    }
    Ok(())
}
