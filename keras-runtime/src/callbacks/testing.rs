//! What the tests of callbacks share: a model that is none.

use std::path::Path;

use ndarray::{ArrayD, arr0};

use super::{CallbackContext, GraphNode, ModelHandle, Params};
use crate::error::{Error, Result};
use crate::metrics::Direction;
use crate::saving::{LayerState, OptimizerState};

/// A model with one weight, a loss, and metrics named after their directions.
#[derive(Default)]
pub(super) struct Fake {
    pub weight: f32,
    pub learning_rate: f32,
    pub stopped: bool,
}

impl ModelHandle for Fake {
    fn name(&self) -> &str {
        "fake"
    }
    fn get_weights(&self) -> Vec<ArrayD<f32>> {
        vec![arr0(self.weight).into_dyn()]
    }
    fn set_weights(&mut self, weights: &[ArrayD<f32>]) -> Result<()> {
        self.weight = weights[0].sum();
        Ok(())
    }
    fn layers(&self) -> Vec<LayerState<'_>> {
        Vec::new()
    }
    fn weight_paths(&self) -> Vec<String> {
        vec!["weight".into()]
    }
    fn graph(&self) -> Vec<GraphNode> {
        Vec::new()
    }
    fn save_weights(&self, path: &Path) -> Result<()> {
        self.save(path)
    }
    fn save(&self, path: &Path) -> Result<()> {
        std::fs::write(path, self.weight.to_string()).map_err(|error| Error::file(path, error))
    }
    fn optimizer(&self) -> Option<OptimizerState<'_>> {
        None
    }
    fn iterations(&self) -> u64 {
        0
    }
    fn learning_rate(&self) -> Result<f32> {
        Ok(self.learning_rate)
    }
    fn set_learning_rate(&mut self, learning_rate: f32) -> Result<()> {
        self.learning_rate = learning_rate;
        Ok(())
    }
    fn metrics_names(&self) -> Vec<String> {
        vec!["loss".into()]
    }
    fn outputs(&self) -> Vec<ArrayD<f32>> {
        Vec::new()
    }
    fn swap_ema_weights(&mut self) -> Result<()> {
        Err(Error::NotCompiled)
    }
    fn keep_ema_weights(&mut self) -> Result<()> {
        Err(Error::NotCompiled)
    }
    fn metric_direction(&self, name: &str) -> Option<Direction> {
        match name.strip_prefix("val_").unwrap_or(name) {
            "loss" | "down" => Some(Direction::Down),
            "up" => Some(Direction::Up),
            _ => None,
        }
    }
    fn stop_training(&mut self) {
        self.stopped = true;
    }
    fn stop_evaluating(&mut self) {}
    fn stop_predicting(&mut self) {}
    fn is_stopped(&self) -> bool {
        self.stopped
    }
}

/// The context of a call that has no arguments.
pub(super) fn context(model: &mut Fake) -> CallbackContext<'_> {
    static PARAMS: Params = Params {
        verbose: 0,
        batch_size: None,
        epochs: 1,
        steps: None,
    };
    CallbackContext::new(&PARAMS, model)
}
