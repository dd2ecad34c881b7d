//! The weights of a model: one flat buffer for what is trained, one for its gradients, one for
//! what layers update themselves.

use std::borrow::Cow;
use std::ops::Range;

use ndarray::{ArrayD, ArrayView, IxDyn};

use super::network::Network;
use super::trace::Trace;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::layers::{Weight, Weights};
use crate::optimizers::Variable;
use crate::random::Key;
use crate::regularizers::matrix;
use crate::saving::Values;
use crate::shape::Shape;

/// Where the weights of one layer are.
#[derive(Clone, Debug)]
pub(crate) struct LayerWeights {
    pub spec: Weights,
    /// Each trained weight in the flat buffer of parameters.
    pub params: Vec<Range<usize>>,
    /// Each other weight in the flat buffer of state.
    pub state: Vec<Range<usize>>,
    /// Whether there is a penalty on a trained weight.
    pub is_regularized: bool,
    /// Whether a trained weight has a constraint.
    pub is_constrained: bool,
}

impl LayerWeights {
    /// All trained weights of the layer, which lie side by side.
    pub fn params_range(&self) -> Range<usize> {
        joined(&self.params)
    }

    /// The trained weights, each with where it is.
    pub fn trained(&self) -> impl Iterator<Item = (&Weight, Range<usize>)> {
        self.spec.iter().zip(self.params.iter().cloned())
    }

    /// All other weights of the layer.
    pub fn state_range(&self) -> Range<usize> {
        joined(&self.state)
    }
}

fn joined(ranges: &[Range<usize>]) -> Range<usize> {
    match (ranges.first(), ranges.last()) {
        (Some(first), Some(last)) => first.start..last.end,
        _ => 0..0,
    }
}

/// The weights of a model that has been built.
pub(crate) struct Parameters<D: Device> {
    pub layers: Vec<LayerWeights>,
    pub params: D::Buffer,
    pub grads: D::Buffer,
    pub state: D::Buffer,
}

impl<D: Device> Parameters<D> {
    /// Lays out the weights that a trace has found and gives them their first values.
    pub fn new(device: &D, network: &Network, trace: &Trace, seed: u64) -> Result<Self> {
        let (mut params, mut state) = (0, 0);
        let mut layers = Vec::with_capacity(network.layers.len());
        for (info, weights) in network.layers.iter().zip(&trace.weights) {
            let spec = weights.unwrap_or(Weights::NONE);
            let mut layer = LayerWeights {
                spec,
                params: Vec::new(),
                state: Vec::new(),
                is_regularized: false,
                is_constrained: false,
            };
            for weight in spec.iter() {
                let Some(len) = weight.shape.len() else {
                    return Err(Error::NotBuilt(format!(
                        "Layer `{}` cannot be built: its weight `{}` would have the shape {}, which is not fully \
                         defined. Call `build()` with an input shape in which the last axis is known.",
                        info.name,
                        weight.name,
                        crate::shape::Text::new().shape(&weight.shape).as_str(),
                    )));
                };
                weight.initializer.check(&weight.shape)?;
                weight.regularizer.check(&weight.shape)?;
                weight.constraint.check(&weight.shape)?;
                layer.is_regularized |= weight.trainable && !weight.regularizer.is_none();
                layer.is_constrained |= weight.trainable && !weight.constraint.is_none();
                let (ranges, end) = if weight.trainable {
                    (&mut layer.params, &mut params)
                } else {
                    (&mut layer.state, &mut state)
                };
                ranges.push(*end..*end + len);
                *end += len;
            }
            layers.push(layer);
        }
        let mut built = Self {
            layers,
            params: device.alloc(params)?,
            grads: device.alloc(params)?,
            state: device.alloc(state)?,
        };
        built.initialize(device, seed);
        Ok(built)
    }

    fn initialize(&mut self, device: &D, seed: u64) {
        let key = Key::new(seed).fold(INITIALIZATION);
        for (index, layer) in self.layers.iter().enumerate() {
            let ranges = layer.params.iter().chain(&layer.state);
            for (number, (weight, range)) in layer.spec.iter().zip(ranges).enumerate() {
                let mut values = vec![0.0; range.len()];
                let key = key.fold(index as u64).fold(number as u64);
                weight.initializer.fill(&weight.shape, key, &mut values);
                let buffer = if weight.trainable {
                    &mut self.params
                } else {
                    &mut self.state
                };
                device.upload(&values, D::slice_mut(buffer, range.clone()));
            }
        }
    }

    /// `sums[0] += weight · penalty`, of the penalties on the weights that are trained.
    pub fn add_penalties(
        &self,
        device: &D,
        trainable: &[bool],
        weight: f32,
        sums: &mut D::Buffer,
        at: usize,
    ) {
        for (layer, _) in self
            .layers
            .iter()
            .zip(trainable)
            .filter(|(layer, trainable)| layer.is_regularized && **trainable)
        {
            for (of, range) in layer.trained() {
                let w = D::slice(&self.params, range);
                let sums = D::slice_mut(sums, at..at + 1);
                of.regularizer
                    .add_penalty(device, matrix(of.shape.dims()), weight, w, sums);
            }
        }
    }

    /// Makes the weights that are trained keep their constraints.
    pub fn hold_constraints(&mut self, device: &D, trainable: &[bool]) {
        for (layer, _) in self
            .layers
            .iter()
            .zip(trainable)
            .filter(|(layer, trainable)| layer.is_constrained && **trainable)
        {
            for (of, range) in layer.trained() {
                let w = D::slice_mut(&mut self.params, range);
                of.constraint.hold(device, &of.shape, w);
            }
        }
    }

    /// The trained weights of the layers that are not frozen.
    pub fn variables(&self, names: &[Cow<'static, str>], trainable: &[bool]) -> Vec<Variable> {
        let trained = |place: &Place| place.trainable && trainable[place.layer];
        let variable = |place: Place| Variable {
            path: format!("{}/{}", names[place.layer], place.name),
            shape: place.shape,
            range: place.range,
        };
        self.places().filter(trained).map(variable).collect()
    }

    /// Every weight in Keras' order, layer by layer: its shape and where it is.
    pub fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.layers.iter().enumerate().flat_map(|(layer, weights)| {
            let ranges = weights.params.iter().chain(&weights.state);
            weights
                .spec
                .iter()
                .zip(ranges)
                .map(move |(weight, range)| Place {
                    layer,
                    name: weight.name,
                    shape: weight.shape,
                    trainable: weight.trainable,
                    range: range.clone(),
                })
        })
    }

    /// The values of a weight, borrowed if they lie in the host's memory.
    pub fn values(&self, device: &D, place: &Place) -> Values<'_> {
        let buffer = if place.trainable {
            &self.params
        } else {
            &self.state
        };
        values(device, buffer, place.range.clone(), &place.shape)
    }

    /// A copy of the values of a weight.
    pub fn get(&self, device: &D, place: &Place) -> ArrayD<f32> {
        self.values(device, place).into_owned()
    }

    /// Sets the values of a weight.
    pub fn set(&mut self, device: &D, place: &Place, values: &[f32]) {
        let buffer = if place.trainable {
            &mut self.params
        } else {
            &mut self.state
        };
        device.upload(values, D::slice_mut(buffer, place.range.clone()));
    }
}

/// A part of a buffer as an array of a shape, borrowed if it lies in the host's memory.
pub(crate) fn values<'a, D: Device>(
    device: &D,
    buffer: &'a D::Buffer,
    range: Range<usize>,
    shape: &Shape,
) -> Values<'a> {
    let shape = IxDyn(shape.dims());
    if let Some(values) = D::host(buffer, range.clone()) {
        let view = ArrayView::from_shape(shape, values);
        // The range is as long as the shape says.
        return view.map(Values::from).unwrap_or_default();
    }
    let mut values = vec![0.0; range.len()];
    device.download(D::slice(buffer, range), &mut values);
    Values::from_shape_vec(shape, values).unwrap_or_default()
}

/// The stream of random numbers that weights begin with.
const INITIALIZATION: u64 = 1;

/// Where one weight is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub layer: usize,
    pub name: &'static str,
    pub shape: Shape,
    pub trainable: bool,
    pub range: Range<usize>,
}
