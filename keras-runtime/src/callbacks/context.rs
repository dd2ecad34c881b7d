//! What a callback can see and do.

use std::path::Path;

use ndarray::ArrayD;

use crate::error::Result;
use crate::metrics::Direction;
use crate::saving::{LayerState, OptimizerState};

/// The arguments of the `fit`, `evaluate` or `predict` that a callback is called from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// What is printed: nothing (0), a progress bar (1) or a line for each epoch (2).
    pub verbose: u8,
    /// The samples of a batch, where they are known.
    pub batch_size: Option<usize>,
    /// The number of epochs.
    pub epochs: usize,
    /// The batches of an epoch, where they are known.
    pub steps: Option<usize>,
}

/// A layer, or an input, in the graph of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphNode {
    /// Its name, such as `dense_1`.
    pub name: String,
    /// Its type, such as `Dense`; `InputLayer` for an input.
    pub class: String,
    /// The names of what it is called on, in all its calls.
    pub inputs: Vec<String>,
}

/// A model as a callback sees it.
pub trait ModelHandle {
    /// The model's name.
    fn name(&self) -> &str;
    /// The layers with their weights, in order; a layer has no weights before the model is built.
    fn layers(&self) -> Vec<LayerState<'_>>;
    /// The path of every weight in Keras' order, such as `sequential/dense/kernel`.
    fn weight_paths(&self) -> Vec<String>;
    /// The inputs and the layers, and what connects them.
    fn graph(&self) -> Vec<GraphNode>;
    /// All weights in Keras' order.
    fn get_weights(&self) -> Vec<ArrayD<f32>>;
    /// Sets all weights.
    ///
    /// # Errors
    /// If their number or a shape is not the model's.
    fn set_weights(&mut self, weights: &[ArrayD<f32>]) -> Result<()>;
    /// Writes the weights and what the optimizer remembers to a file.
    ///
    /// # Errors
    /// If the model is not built, or the file cannot be written.
    fn save_weights(&self, path: &Path) -> Result<()>;
    /// Writes the whole model to a file.
    ///
    /// # Errors
    /// As [`save_weights`](Self::save_weights).
    fn save(&self, path: &Path) -> Result<()>;
    /// What the optimizer remembers; `None` if the model is not compiled.
    fn optimizer(&self) -> Option<OptimizerState<'_>>;
    /// How many steps the optimizer has taken; 0 if the model is not compiled.
    fn iterations(&self) -> u64;
    /// The learning rate of the optimizer.
    ///
    /// # Errors
    /// If the model is not compiled.
    fn learning_rate(&self) -> Result<f32>;
    /// Changes the learning rate of the optimizer.
    ///
    /// # Errors
    /// If the model is not compiled, or a schedule determines the learning rate.
    fn set_learning_rate(&mut self, learning_rate: f32) -> Result<()>;
    /// The names of the loss and the metrics, as [`Model::metrics_names`] has them.
    ///
    /// [`Model::metrics_names`]: crate::model::Model::metrics_names
    fn metrics_names(&self) -> Vec<String>;
    /// Exchanges the weights and the moving average that the optimizer keeps of them.
    ///
    /// # Errors
    /// If the model is not compiled, or its optimizer keeps no average.
    fn swap_ema_weights(&mut self) -> Result<()>;
    /// Sets the moving average to the weights.
    ///
    /// # Errors
    /// As [`swap_ema_weights`](Self::swap_ema_weights).
    fn keep_ema_weights(&mut self) -> Result<()>;
    /// Whether larger or smaller values of a compiled metric are better; `None` if there is no
    /// metric of this name.
    fn metric_direction(&self, name: &str) -> Option<Direction>;
    /// The outputs for the batch that has just been evaluated or predicted: Keras'
    /// `logs["outputs"]`.
    fn outputs(&self) -> Vec<ArrayD<f32>>;
    /// Ends `fit` after this batch; the epoch's validation and end still take place.
    fn stop_training(&mut self);
    /// Ends `evaluate`, or the validation of an epoch, after this batch.
    fn stop_evaluating(&mut self);
    /// Ends `predict` after this batch: it returns what it has.
    fn stop_predicting(&mut self);
    /// Whether a callback has called [`stop_training`](Self::stop_training) since `fit` began.
    fn is_stopped(&self) -> bool;
}

/// What a callback is called with.
pub struct CallbackContext<'a> {
    params: &'a Params,
    model: &'a mut dyn ModelHandle,
}

impl<'a> CallbackContext<'a> {
    /// The context of a loop of one's own.
    pub fn new(params: &'a Params, model: &'a mut dyn ModelHandle) -> Self {
        Self { params, model }
    }

    /// The arguments of the call that is running.
    pub fn params(&self) -> &'a Params {
        self.params
    }

    /// The model that is being trained, evaluated or used.
    pub fn model(&mut self) -> &mut dyn ModelHandle {
        self.model
    }

    /// Ends the training: the epoch is cut short, its validation and its end still take place.
    pub fn stop_training(&mut self) {
        self.model.stop_training();
    }

    /// Ends `evaluate`, or a validation, after this batch.
    pub fn stop_evaluating(&mut self) {
        self.model.stop_evaluating();
    }

    /// Ends `predict` after this batch.
    pub fn stop_predicting(&mut self) {
        self.model.stop_predicting();
    }

    /// Whether the training is to end: for loops of one's own, which have to look.
    pub fn is_stopped(&self) -> bool {
        self.model.is_stopped()
    }
}
