//! Every model as callbacks see it.

use std::path::Path;

use ndarray::ArrayD;

use super::predict::last_outputs;
use super::{Backend, Model, describe, state};
use crate::callbacks::{GraphNode, ModelHandle};
use crate::error::Result;
use crate::metrics::Direction;
use crate::saving::{LayerState, OptimizerState};

impl<M: Model> ModelHandle for M {
    fn name(&self) -> &str {
        Model::name(self)
    }

    fn layers(&self) -> Vec<LayerState<'_>> {
        M::Device::layer_states(self.core(), &self.run().network)
    }

    fn weight_paths(&self) -> Vec<String> {
        state::weight_paths(self.core(), &self.run().network)
    }

    fn graph(&self) -> Vec<GraphNode> {
        describe(self).graph()
    }

    fn get_weights(&self) -> Vec<ArrayD<f32>> {
        Model::get_weights(self)
    }

    fn set_weights(&mut self, weights: &[ArrayD<f32>]) -> Result<()> {
        Model::set_weights(self, weights)
    }

    fn save_weights(&self, path: &Path) -> Result<()> {
        Model::save_weights(self, path)
    }

    fn save(&self, path: &Path) -> Result<()> {
        Model::save(self, path)
    }

    fn optimizer(&self) -> Option<OptimizerState<'_>> {
        M::Device::optimizer_state(self.core(), self.run(), Vec::new())
    }

    fn iterations(&self) -> u64 {
        let compiled = self.run().compiled.as_ref();
        compiled.map_or(0, |compiled| compiled.state.iterations)
    }

    fn learning_rate(&self) -> Result<f32> {
        Model::learning_rate(self)
    }

    fn set_learning_rate(&mut self, learning_rate: f32) -> Result<()> {
        Model::set_learning_rate(self, learning_rate)
    }

    fn metrics_names(&self) -> Vec<String> {
        Model::metrics_names(self)
    }

    fn swap_ema_weights(&mut self) -> Result<()> {
        Model::swap_ema_weights(self)
    }

    fn keep_ema_weights(&mut self) -> Result<()> {
        let (core, run) = self.split();
        M::Device::keep_ema_weights(core, run)
    }

    fn metric_direction(&self, name: &str) -> Option<Direction> {
        let name = name.strip_prefix("val_").unwrap_or(name);
        if name == "loss" {
            return Some(Direction::Down);
        }
        let targets = self.run().compiled.as_ref()?.targets.as_ref()?;
        let is_loss = |output: &str| name.strip_suffix("_loss") == Some(output);
        if targets.outputs.iter().any(|output| is_loss(&output.name)) {
            return Some(Direction::Down);
        }
        let mut metrics = targets.metrics.iter();
        let metric = metrics.find(|metric| metric.names.iter().any(|logged| logged == name))?;
        Some(metric.metric.direction())
    }

    fn outputs(&self) -> Vec<ArrayD<f32>> {
        last_outputs(self)
    }

    fn stop_training(&mut self) {
        self.split().1.stop_training = true;
    }

    fn stop_evaluating(&mut self) {
        self.split().1.stop_evaluating = true;
    }

    fn stop_predicting(&mut self) {
        self.split().1.stop_predicting = true;
    }

    fn is_stopped(&self) -> bool {
        self.run().stop_training
    }
}
