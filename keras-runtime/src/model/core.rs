//! The state of a model: what all its parts share, and what each runs with.

use std::borrow::Cow;
use std::sync::Arc;

use super::compiled::Compiled;
use super::function::Functions;
use super::gradients::Spare;
use super::history::Logs;
use super::network::Network;
use super::parameters::Parameters;
use super::pass::Space;
use crate::device::{Device, Shared};
use crate::saving::OptimizerState;
use crate::shape::Shape;

/// The device, the seed and the weights of a model; its parts share them.
pub struct Core<D: Device> {
    pub(crate) device: Shared<D>,
    pub(crate) seed: u64,
    /// The names of the layers.
    pub(crate) names: Vec<Cow<'static, str>>,
    /// For each layer whether training changes its weights.
    pub(crate) trainable: Vec<bool>,
    /// Counts the changes of `trainable`: plans made before are out of date.
    pub(crate) version: u64,
    pub(crate) parameters: Option<Parameters<D>>,
    /// The file of Keras whose weights the model begins with.
    pub(crate) first_weights: Option<&'static [u8]>,
}

impl<D: Device> Core<D> {
    /// The state of a model that is yet to be built.
    pub fn new(network: &Network, device: D, seed: u64) -> Self {
        let trainable = network.layers.iter().map(|layer| layer.trainable).collect();
        Self {
            device: Shared(device),
            seed,
            names: (network.layers.iter())
                .map(|layer| layer.name.clone())
                .collect(),
            trainable,
            version: 0,
            parameters: None,
            first_weights: None,
        }
    }
}

/// What a model, or a part of one, runs with: its memory and what `compile` gave it.
pub struct Run<D: Device> {
    /// Its layers, inputs and outputs.
    pub(crate) network: Arc<Network>,
    pub(crate) training: Option<Space<D>>,
    pub(crate) inference: Option<Space<D>>,
    pub(crate) compiled: Option<Compiled<D>>,
    /// The input shapes given to `build`, or found in the first data.
    pub(crate) built: Option<Vec<Shape>>,
    /// The samples of the batch that is loaded.
    pub(crate) batch: usize,
    /// The mode that the batch was loaded for.
    pub(crate) is_training: bool,
    /// The training steps taken since the model was made; random numbers depend on it.
    pub(crate) step: u64,
    /// What the optimizer remembered in the file that the model was loaded from, until it is compiled.
    pub(crate) loaded: Option<OptimizerState<'static>>,
    /// Set by callbacks: the training, evaluation or prediction that is running is to end.
    pub(crate) stop_training: bool,
    /// Where `predict` wants the outputs of its batches, one list for each output.
    pub(crate) outputs: Option<Vec<Vec<f32>>>,
    pub(crate) functions: Functions,
    pub(crate) stop_evaluating: bool,
    pub(crate) stop_predicting: bool,
    /// Whether training computes the gradients of the inputs, too.
    pub(crate) watches_inputs: bool,
    /// Whether the gradients of the outputs are the user's, and not those of the losses.
    pub(crate) has_own_gradients: bool,
    /// Buffers for what is done with gradients.
    pub(crate) spare: Spare<D>,
    /// What a step of the user's own returned last.
    pub(crate) own_logs: Option<Logs>,
}

impl<D: Device> Run<D> {
    /// What a model of this network runs with: nothing yet.
    pub fn new(network: &Network) -> Self {
        Self {
            network: Arc::new(network.clone()),
            training: None,
            inference: None,
            compiled: None,
            built: None,
            batch: 0,
            is_training: false,
            step: 0,
            loaded: None,
            stop_training: false,
            outputs: None,
            functions: Functions::default(),
            stop_evaluating: false,
            stop_predicting: false,
            watches_inputs: false,
            has_own_gradients: false,
            spare: Spare::new(),
            own_logs: None,
        }
    }

    /// The memory of a mode.
    pub(crate) fn space(&self, training: bool) -> Option<&Space<D>> {
        if training {
            self.training.as_ref()
        } else {
            self.inference.as_ref()
        }
    }

    /// The same, to replace.
    pub(crate) fn space_mut(&mut self, training: bool) -> &mut Option<Space<D>> {
        if training {
            &mut self.training
        } else {
            &mut self.inference
        }
    }
}

/// For each layer whether a model with this memory for training trains it: of the layers that are
/// `trainable`, a part of a model trains its own alone.
pub(crate) fn trained<'a, D: Device>(
    trainable: &'a [bool],
    training: &'a Option<Space<D>>,
) -> &'a [bool] {
    let plan = training.as_ref().map(|space| &space.plan);
    plan.map_or(trainable, |plan| &plan.trained)
}
