//! The functions that run the steps: what `make_train_function` and its siblings make.

use std::sync::Arc;

use super::core::Run;
use super::trainable::Trainable;
use crate::data::Batches;
use crate::device::Device;
use crate::error::Result;

/// What a model does with batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// `fit` and `train_on_batch`.
    Train,
    /// `evaluate` and `test_on_batch`.
    Test,
    /// `predict`.
    Predict,
}

/// Takes batches and runs one step on each: as many as `steps_per_execution` says, or fewer at the
/// end of the data. It gives the number of the steps.
///
/// [`Model::make_train_function`](super::Model::make_train_function) makes the one that `fit` calls.
#[derive(Clone)]
pub struct StepFunction(Arc<Steps>);

type Steps = dyn Fn(&mut dyn Trainable, &mut dyn Batches) -> Result<usize> + Send + Sync;

impl StepFunction {
    /// A function of one's own.
    ///
    /// ```
    /// use keras_runtime::model::StepFunction;
    ///
    /// // Every batch twice.
    /// let twice = StepFunction::new(|model, batches| {
    ///     let Some(batch) = batches.next()? else {
    ///         return Ok(0);
    ///     };
    ///     model.train_step(&batch)?;
    ///     model.train_step(&batch)?;
    ///     Ok(1)
    /// });
    /// ```
    pub fn new(
        run: impl Fn(&mut dyn Trainable, &mut dyn Batches) -> Result<usize> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(run))
    }

    /// The one of a stage as the library makes it.
    pub(crate) fn of(stage: Stage, steps: usize) -> Self {
        Self::new(move |model, batches| {
            let mut done = 0;
            while done < steps {
                let Some(batch) = batches.next()? else { break };
                match stage {
                    Stage::Train => model.train_step(&batch)?,
                    Stage::Test => model.test_step(&batch)?,
                    Stage::Predict => model.predict_step(&batch)?,
                }
                done += 1;
            }
            Ok(done)
        })
    }

    /// Runs the steps.
    ///
    /// # Errors
    /// The data's, or a step's.
    pub fn call(&self, model: &mut dyn Trainable, batches: &mut dyn Batches) -> Result<usize> {
        (self.0)(model, batches)
    }
}

impl std::fmt::Debug for StepFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepFunction").finish_non_exhaustive()
    }
}

/// The function of each stage, once it was asked for.
#[derive(Debug, Default)]
pub(crate) struct Functions([Option<StepFunction>; 3]);

impl Functions {
    /// The function of a stage.
    pub fn get(&self, stage: Stage) -> Option<&StepFunction> {
        self.0[stage as usize].as_ref()
    }

    /// Keeps a function.
    pub fn set(&mut self, stage: Stage, function: StepFunction) {
        self.0[stage as usize] = Some(function);
    }
}

/// The function of a stage, made at the first call, after `compile` and with `force`.
pub(crate) fn make<D: Device>(run: &mut Run<D>, stage: Stage, force: bool) -> StepFunction {
    match run.functions.get(stage) {
        Some(function) if !force => function.clone(),
        _ => {
            let compiled = run.compiled.as_ref();
            let steps = compiled.map_or(1, |compiled| compiled.steps_per_execution);
            let function = StepFunction::of(stage, steps);
            run.functions.set(stage, function.clone());
            function
        }
    }
}
