//! Every model as the loops of `fit`, `evaluate` and `predict` see it, which are compiled once for all.

use std::path::Path;
use std::sync::Arc;

use super::Model;
use super::build::prepare;
use super::function::{Stage, StepFunction};
use super::history::Logs;
use super::indices;
use super::network::Network;
use super::predict::{collect, output_shapes};
use super::{backup, step};
use crate::callbacks::ModelHandle;
use crate::data::Batch;
use crate::device::Memory;
use crate::error::{Error, Result};
use crate::losses;
use crate::saving::{Backup, Record};
use crate::shape::Shape;

/// A model whose type is not known: what a [`StepFunction`] works with. Every [`Model`] is one.
pub trait Trainable: ModelHandle + Send {
    /// Its layers, inputs and outputs.
    fn network(&self) -> Arc<Network>;

    /// One step of training: see [`Model::train_step`].
    ///
    /// # Errors
    /// If the batch does not fit the model, or the model is not compiled.
    fn train_step(&mut self, batch: &Batch<'_>) -> Result<()>;

    /// One step of `evaluate`: see [`Model::test_step`].
    ///
    /// # Errors
    /// If the batch does not fit the model, or the model is not compiled.
    fn test_step(&mut self, batch: &Batch<'_>) -> Result<()>;

    /// One step of `predict`: see [`Model::predict_step`]. Inside `predict` the outputs are kept.
    ///
    /// # Errors
    /// If the batch does not fit the model.
    fn predict_step(&mut self, batch: &Batch<'_>) -> Result<()>;

    /// Prepares for steps on batches like this one: see [`Model::begin`].
    ///
    /// # Errors
    /// If the batch does not fit the model, or the model is not compiled.
    fn begin(&mut self, batch: &Batch<'_>, training: bool) -> Result<()>;

    /// Sets the running means of the loss and the metrics back to the start.
    fn reset_metrics(&mut self);

    /// The logs of the last step: see [`Model::batch_logs`].
    fn batch_logs(&mut self) -> Logs;

    /// The logs of all steps since the metrics were reset: see [`Model::epoch_logs`].
    ///
    /// # Errors
    /// If the device has failed at something that it was asked for before.
    fn epoch_logs(&mut self) -> Result<Logs>;

    /// The function that runs the steps of a stage; made if there is none since `compile`.
    fn function(&mut self, stage: Stage) -> StepFunction;

    /// What the loops ask, and nobody else.
    #[doc(hidden)]
    fn inner(&mut self) -> Inner<'_>;

    /// Prepares for steps on batches like this one, metrics left as they are.
    #[doc(hidden)]
    fn ready(&mut self, batch: &Batch<'_>, training: bool) -> Result<()>;

    /// Prepares for `predict` on batches like this one.
    #[doc(hidden)]
    fn prepare(&mut self, batch: &Batch<'_>) -> Result<Vec<Shape>>;

    /// About how many operations a step takes.
    #[doc(hidden)]
    fn work(&self, batch_size: usize, training: bool) -> usize;

    /// What the optimizer does with the weights at the end of a training.
    #[doc(hidden)]
    fn finalize(&mut self);

    /// Whether the numbers of a batch are valid, once the model has been prepared.
    #[doc(hidden)]
    fn batch_check(&self, training: bool) -> BatchCheck;

    /// Writes a backup of the model in a training; the one before it is kept under `previous`.
    #[doc(hidden)]
    fn back_up(&self, path: &Path, previous: Option<&Path>, training: Record) -> Result<()>;

    /// Goes on with what is in a backup.
    #[doc(hidden)]
    fn restore(&mut self, backup: &Backup) -> Result<()>;
}

/// A check of the numbers of a batch: inputs that have to be whole numbers, and targets.
pub type BatchCheck = Box<dyn Fn(&Batch<'_>) -> Result<()> + Send>;

/// What the loops read and set in a model.
pub struct Inner<'a> {
    pub(crate) is_compiled: bool,
    pub(crate) steps_per_execution: usize,
    pub(crate) seed: u64,
    pub(crate) step: u64,
    pub(crate) stop_training: &'a mut bool,
    pub(crate) stop_evaluating: &'a mut bool,
    pub(crate) stop_predicting: &'a mut bool,
    /// Where `predict` wants the outputs, one list for each.
    pub(crate) outputs: &'a mut Option<Vec<Vec<f32>>>,
}

impl<M: Model> Trainable for M {
    fn network(&self) -> Arc<Network> {
        self.run().network.clone()
    }

    fn train_step(&mut self, batch: &Batch<'_>) -> Result<()> {
        Model::train_step(self, batch)
    }

    fn test_step(&mut self, batch: &Batch<'_>) -> Result<()> {
        Model::test_step(self, batch)
    }

    fn predict_step(&mut self, batch: &Batch<'_>) -> Result<()> {
        Model::predict_step(self, batch)?;
        match self.split().1.outputs.take() {
            None => Ok(()),
            Some(mut outputs) => {
                let collected = collect(self, batch.rows.len(), &mut outputs);
                self.split().1.outputs = Some(outputs);
                collected
            }
        }
    }

    fn begin(&mut self, batch: &Batch<'_>, training: bool) -> Result<()> {
        Model::begin(self, batch, training)
    }

    fn reset_metrics(&mut self) {
        Model::reset_metrics(self);
    }

    fn batch_logs(&mut self) -> Logs {
        Model::batch_logs(self)
    }

    fn epoch_logs(&mut self) -> Result<Logs> {
        let logs = Model::epoch_logs(self);
        self.core().device.check()?;
        Ok(logs)
    }

    fn function(&mut self, stage: Stage) -> StepFunction {
        if let Some(function) = self.run().functions.get(stage) {
            return function.clone();
        }
        let function = match stage {
            Stage::Train => Model::make_train_function(self, false),
            Stage::Test => Model::make_test_function(self, false),
            Stage::Predict => Model::make_predict_function(self, false),
        };
        self.split().1.functions.set(stage, function.clone());
        function
    }

    fn inner(&mut self) -> Inner<'_> {
        let (core, run) = self.split();
        let compiled = run.compiled.as_ref();
        Inner {
            is_compiled: compiled.is_some(),
            steps_per_execution: compiled.map_or(1, |compiled| compiled.steps_per_execution),
            seed: core.seed,
            step: run.step,
            stop_training: &mut run.stop_training,
            stop_evaluating: &mut run.stop_evaluating,
            stop_predicting: &mut run.stop_predicting,
            outputs: &mut run.outputs,
        }
    }

    fn ready(&mut self, batch: &Batch<'_>, training: bool) -> Result<()> {
        step::ready(self, batch, training)
    }

    fn prepare(&mut self, batch: &Batch<'_>) -> Result<Vec<Shape>> {
        let shapes: Vec<Shape> = batch.inputs.iter().map(|table| table.shape).collect();
        prepare(self, &shapes, batch.rows.len(), false)?;
        step::check_indices(self.run(), batch.inputs, false)?;
        output_shapes(self)
    }

    fn work(&self, batch_size: usize, training: bool) -> usize {
        let parameters = self.core().parameters.as_ref();
        // Each weight is used once for every sample at least, and each value once.
        let weights = parameters.map_or(0, |parameters| M::Device::len(&parameters.params));
        let space = self.run().space(training);
        let values: usize = space.map_or(0, |space| space.plan.slots.iter().sum());
        (batch_size * weights).max(values)
    }

    fn finalize(&mut self) {
        let (core, run) = self.split();
        step::finalize_weights(core, run);
    }

    fn batch_check(&self, training: bool) -> BatchCheck {
        let network = self.run().network.clone();
        let space = self.run().space(training);
        let indices = space
            .map(|space| space.plan.indices.clone())
            .unwrap_or_default();
        let compiled = self.run().compiled.as_ref();
        let parts =
            compiled.and_then(|compiled| Some((&compiled.losses, compiled.targets.as_ref()?)));
        let checks = parts.into_iter().flat_map(|(losses, targets)| {
            let outputs = targets.outputs.iter().zip(&targets.predictions);
            let checks = losses.iter().zip(outputs);
            checks
                .map(|(loss, (target, prediction))| (loss.loss.clone(), target.shape, *prediction))
        });
        let checks: Vec<_> = checks.collect();
        Box::new(move |batch| {
            indices::check(&network, &indices, batch.inputs)?;
            for (at, (loss, shape, prediction)) in checks.iter().enumerate() {
                let Some(table) = batch.targets.get(at) else {
                    continue;
                };
                if table.shape != *shape {
                    return Err(Error::value(format!(
                        "The targets of all batches have one shape. Expected: shape={shape}. Received: shape={}",
                        table.shape
                    )));
                }
                if let Some(loss) = loss {
                    loss.check_targets(&table.values, shape, prediction)?;
                    if let Some(weights) = batch.sample_weights.get(at) {
                        losses::check_weights(&loss.axes(), shape, prediction, &weights.shape)?;
                    }
                }
            }
            Ok(())
        })
    }

    fn back_up(&self, path: &Path, previous: Option<&Path>, training: Record) -> Result<()> {
        backup::write(self, path, previous, training)
    }

    fn restore(&mut self, backup: &Backup) -> Result<()> {
        backup::go_on(self, backup)
    }
}
