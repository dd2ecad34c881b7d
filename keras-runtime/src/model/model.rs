//! The trait of every model.

use std::path::Path;

use ndarray::ArrayD;

use super::backend::Backend;
use super::compile::Compile;
use super::core::{Core, Run};
use super::evaluate::{self, Evaluate};
use super::fit::Fit;
use super::function::{self, Stage, StepFunction};
use super::gradients::Ends;
use super::history::{History, Logs};
use super::layer_ref::LayerRef;
use super::metric_ref::MetricRef;
use super::nested::{self, Nested};
use super::on_batch::OnBatch;
use super::pass::Pass;
use super::predict::{self, Predict};
use super::summary::SummaryOptions;
use super::trace::Trace;
use super::{
    build, compile_config, describe, gradients, metric_ref, on_batch, python_source, restore,
    state, step, step_logs, training, weights,
};
use crate::config::Json;
use crate::console;
use crate::data::{Batch, IntoColumns, IntoData};
use crate::error::{Error, Result};
use crate::saving::LoadWeights;

/// A model: what the macros generate, and everything that Keras' `Model` does with it.
///
/// The required items are generated; a model's own `train_step` replaces the generated one.
pub trait Model: Sized + Send {
    /// The device it runs on.
    type Device: Backend;

    /// The device, the seed and the weights.
    fn core(&self) -> &Core<Self::Device>;
    /// What the model runs with.
    fn run(&self) -> &Run<Self::Device>;
    /// Both, to change.
    fn split(&mut self) -> (&mut Core<Self::Device>, &mut Run<Self::Device>);

    /// Runs the layers' rules on the shapes of a trace, call by call.
    ///
    /// # Errors
    /// If a layer cannot take its inputs.
    fn infer(&self, trace: &mut Trace) -> Result<()>;

    /// Runs the layers on the batch that has been loaded.
    ///
    /// # Errors
    /// If no batch has been loaded for this mode.
    fn forward(&mut self, training: bool) -> Result<()>;

    /// Computes the gradients of all trained weights, after
    /// [`compute_loss`](Model::compute_loss).
    ///
    /// # Errors
    /// If no batch has been loaded for training.
    fn backward(&mut self) -> Result<()>;

    /// One step of training: load, forward, loss, backward, optimizer, metrics.
    ///
    /// # Errors
    /// If the batch does not fit the model, or the model is not compiled.
    fn train_step(&mut self, batch: &Batch<'_>) -> Result<()>;

    /// One step of `evaluate`: load, forward, loss, metrics.
    ///
    /// # Errors
    /// If the batch does not fit the model, or the model is not compiled.
    fn test_step(&mut self, batch: &Batch<'_>) -> Result<()> {
        self.load(batch, false)?;
        self.forward(false)?;
        self.compute_loss()?;
        self.update_metrics()
    }

    /// One step of `predict`: load, forward.
    ///
    /// # Errors
    /// If the batch does not fit the model.
    fn predict_step(&mut self, batch: &Batch<'_>) -> Result<()> {
        self.load(batch, false)?;
        self.forward(false)
    }

    /// Copies a batch to the device. Its memory is made on the first batch and whenever a batch
    /// is larger, or of another shape, than all before.
    ///
    /// # Errors
    /// If the batch does not fit the model.
    fn load(&mut self, batch: &Batch<'_>, training: bool) -> Result<()> {
        step::load_inputs(self, batch, training)?;
        if batch.targets.is_empty() {
            return Ok(());
        }
        let (core, run) = self.split();
        Self::Device::load_targets(core, run, batch)
    }

    /// A pass over the batch that has been loaded: what the layers' functions are called with.
    ///
    /// # Errors
    /// If no batch has been loaded for this mode.
    fn pass(&mut self, training: bool) -> Result<Pass<'_, Self::Device>> {
        let (core, run) = self.split();
        step::pass(core, run, training)
    }

    /// Adds the losses of the batch to the running means and, while training, computes the
    /// gradients of the outputs.
    ///
    /// # Errors
    /// If the model is not compiled or no batch has been loaded.
    fn compute_loss(&mut self) -> Result<()> {
        let (core, run) = self.split();
        Self::Device::compute_loss(core, run, true)
    }

    /// Computes the gradients of the outputs as [`compute_loss`](Model::compute_loss) does, and
    /// leaves the running means as they are: for further passes in one step.
    ///
    /// # Errors
    /// As [`compute_loss`](Model::compute_loss).
    fn compute_loss_gradients(&mut self) -> Result<()> {
        let (core, run) = self.split();
        Self::Device::compute_loss(core, run, false)
    }

    /// Changes the weights by the gradients.
    ///
    /// # Errors
    /// If the model is not compiled or built.
    fn apply_gradients(&mut self) -> Result<()> {
        let (core, run) = self.split();
        Self::Device::apply_gradients(core, run)
    }

    /// Adds the batch to the metrics.
    ///
    /// # Errors
    /// If the model is not compiled or no batch has been loaded.
    fn update_metrics(&mut self) -> Result<()> {
        let (core, run) = self.split();
        Self::Device::update_metrics(core, run)
    }

    /// Chooses the optimizer, the losses and the metrics to train with.
    ///
    /// # Errors
    /// If a name is not known, or an output is named that the model does not have.
    fn compile(&mut self, compile: Compile<Self::Device>) -> Result<()> {
        let (core, run) = self.split();
        Self::Device::compile(core, run, compile)?;
        restore::compiled(self)
    }

    /// The function that takes batches and runs one step of training, or as many as
    /// `steps_per_execution` says: what `fit` and `train_on_batch` call. It is made at the first
    /// call, after every [`compile`](Model::compile), and anew with `force`.
    ///
    /// A model may have its own, which `fit` asks for once after every `compile`.
    fn make_train_function(&mut self, force: bool) -> StepFunction {
        function::make(self.split().1, Stage::Train, force)
    }

    /// The same for `evaluate` and `test_on_batch`.
    fn make_test_function(&mut self, force: bool) -> StepFunction {
        function::make(self.split().1, Stage::Test, force)
    }

    /// The same for `predict`.
    fn make_predict_function(&mut self, force: bool) -> StepFunction {
        function::make(self.split().1, Stage::Predict, force)
    }

    /// Makes the weights of a model whose input shape was not known when it was made: the shape of
    /// a batch, such as `&[None, Some(32)]`.
    ///
    /// # Errors
    /// If it is no valid shape, or a layer cannot be built from it.
    fn build(&mut self, input_shape: &[Option<usize>]) -> Result<()> {
        build::build(self, &[input_shape])
    }

    /// The same for a model with several inputs: a shape for each, in their order.
    ///
    /// # Errors
    /// As [`build`](Model::build).
    fn build_all(&mut self, input_shapes: &[&[Option<usize>]]) -> Result<()> {
        build::build(self, input_shapes)
    }

    /// The same for a model with several inputs: a shape for each, by name.
    ///
    /// # Errors
    /// As [`build`](Model::build), or if a name is missing or unknown.
    fn build_by_name(&mut self, input_shapes: &[(&str, &[Option<usize>])]) -> Result<()> {
        build::build(self, &build::ordered(self, input_shapes)?)
    }

    /// Trains the model: for each epoch, over all batches of the data.
    ///
    /// The data is `(x, y)`, `(x, y, sample_weight)` or a [`Dataset`](crate::data::Dataset); `x`
    /// and `y` are arrays of any rank whose first axis counts the samples, or tuples of them for a
    /// model with several inputs or outputs.
    ///
    /// # Errors
    /// If the model is not compiled, the data does not fit it, or a callback fails.
    fn fit<'a>(&mut self, data: impl IntoData<'a>, arguments: Fit<'a>) -> Result<History> {
        training::fit(self, data.into_data()?, arguments)
    }

    /// The loss and the metrics on data.
    ///
    /// # Errors
    /// As [`fit`](Model::fit).
    fn evaluate<'a>(&mut self, data: impl IntoData<'a>, arguments: Evaluate<'a>) -> Result<Logs> {
        evaluate::evaluate(self, data.into_data()?, arguments)
    }

    /// The output for every sample: (samples, ..output shape).
    ///
    /// # Errors
    /// If the data does not fit the model, or the model has several outputs: see
    /// [`predict_all`](Model::predict_all).
    fn predict<'a>(
        &mut self,
        x: impl IntoColumns<'a>,
        arguments: Predict<'a>,
    ) -> Result<ArrayD<f32>> {
        let outputs = self.predict_all(x, arguments)?;
        predict::single(self, outputs)
    }

    /// The names of the outputs, in the order in which [`predict_all`](Model::predict_all) gives them.
    /// Those within others are called as in the logs of Keras: `0/dense`, `a/dense`.
    fn output_names(&self) -> Vec<String> {
        self.output_structure().flat()
    }

    /// How the outputs are put together: their names, nested as the outputs are.
    fn output_structure(&self) -> Nested<String> {
        nested::of_network(&self.run().network)
    }

    /// Every output for every sample, put together as the model's outputs are.
    ///
    /// # Errors
    /// If the data does not fit the model.
    fn predict_nested<'a>(
        &mut self,
        x: impl IntoColumns<'a>,
        arguments: Predict<'a>,
    ) -> Result<Nested<ArrayD<f32>>> {
        let outputs = self.predict_all(x, arguments)?;
        self.output_structure().pack(outputs)
    }

    /// Every output for every sample, in the order of the model's outputs.
    ///
    /// # Errors
    /// If the data does not fit the model.
    fn predict_all<'a>(
        &mut self,
        x: impl IntoColumns<'a>,
        arguments: Predict<'a>,
    ) -> Result<Vec<ArrayD<f32>>> {
        predict::predict(self, x.into_inputs()?, arguments)
    }

    /// One step of training on one batch; gives the loss and the metrics of this batch.
    ///
    /// # Errors
    /// As [`fit`](Model::fit).
    fn train_on_batch<'a>(&mut self, data: impl IntoData<'a>) -> Result<Logs> {
        self.train_on_batch_with(data, OnBatch::new())
    }

    /// The same with arguments: weights, or running means over several batches.
    ///
    /// # Errors
    /// As [`fit`](Model::fit).
    fn train_on_batch_with<'a>(
        &mut self,
        data: impl IntoData<'a>,
        arguments: OnBatch<'a>,
    ) -> Result<Logs> {
        on_batch::run(self, data.into_data()?, arguments, Stage::Train)
    }

    /// The loss and the metrics of one batch.
    ///
    /// # Errors
    /// As [`fit`](Model::fit).
    fn test_on_batch<'a>(&mut self, data: impl IntoData<'a>) -> Result<Logs> {
        self.test_on_batch_with(data, OnBatch::new())
    }

    /// The same with arguments: weights, or running means over several batches.
    ///
    /// # Errors
    /// As [`fit`](Model::fit).
    fn test_on_batch_with<'a>(
        &mut self,
        data: impl IntoData<'a>,
        arguments: OnBatch<'a>,
    ) -> Result<Logs> {
        on_batch::run(self, data.into_data()?, arguments, Stage::Test)
    }

    /// The output for one batch.
    ///
    /// # Errors
    /// As [`predict`](Model::predict).
    fn predict_on_batch<'a>(&mut self, x: impl IntoColumns<'a>) -> Result<ArrayD<f32>> {
        let outputs = on_batch::predict(self, x.into_inputs()?)?;
        predict::single(self, outputs)
    }

    /// The model's name.
    fn name(&self) -> &str {
        &self.run().network.name
    }

    /// Whether the model has its weights.
    fn is_built(&self) -> bool {
        self.core().parameters.is_some()
    }

    /// Prints a table of the layers.
    fn summary(&self) {
        console::print(&self.summary_string());
    }

    /// The table of the layers that [`summary`](Model::summary) prints.
    fn summary_string(&self) -> String {
        describe::describe(self).to_string()
    }

    /// Prints a table of the layers as the options want it.
    ///
    /// # Errors
    /// If a layer is named that the model does not have, or the columns are too narrow.
    fn summary_with(&self, options: SummaryOptions) -> Result<()> {
        console::print(&describe::describe(self).with(options)?.to_string());
        Ok(())
    }

    /// The number of all weights; 0 for a model that is not built.
    fn count_params(&self) -> usize {
        weights::count(self)
    }

    /// The layers, in order.
    fn layers(&self) -> Vec<LayerRef<'_, Self::Device>> {
        weights::layers(self)
    }

    /// The layer of a name.
    ///
    /// # Errors
    /// If there is none; the message lists the names.
    fn get_layer(&self, name: &str) -> Result<LayerRef<'_, Self::Device>> {
        weights::get_layer(self, name)
    }

    /// Whether training changes the weights of a layer.
    ///
    /// # Errors
    /// If there is no layer of this name.
    fn set_trainable(&mut self, layer: &str, trainable: bool) -> Result<()> {
        let index = weights::position(self, layer)?;
        let (core, _) = self.split();
        core.trainable[index] = trainable;
        core.version += 1;
        Ok(())
    }

    /// All weights in Keras' order: layer by layer, each layer's trained weights first.
    fn get_weights(&self) -> Vec<ArrayD<f32>> {
        weights::get(self)
    }

    /// Sets all weights.
    ///
    /// # Errors
    /// If their number or a shape is not the model's; then nothing is changed.
    fn set_weights(&mut self, values: &[ArrayD<f32>]) -> Result<()> {
        weights::set(self, values)
    }

    /// Writes the whole model to a file whose name ends in `.keras`, `.h5` or `.hdf5`: its layers and
    /// weights, what it was compiled with, what its optimizer remembers, and what its random numbers
    /// follow from.
    ///
    /// The generated `load` of the model's type reads it, and so does Keras' `load_model`; the loaded
    /// model goes on training as this one would have, bit for bit.
    ///
    /// # Errors
    /// If the name ends in something else, the model is not built, or the file cannot be written; then
    /// what was there is still there.
    fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        state::save_model(self, path.as_ref())
    }

    /// Writes the weights to a file whose name ends in `.weights.h5` or `.hdf5`, and what the optimizer
    /// remembers.
    ///
    /// # Errors
    /// As [`save`](Model::save).
    fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        state::save_weights(self, path.as_ref())
    }

    /// Sets the weights to those in a file. A compiled model also goes on with what its optimizer
    /// remembered, if it is the same one.
    ///
    /// Layers are matched by their class and by which of the layers of this class they are; their
    /// names do not matter.
    ///
    /// # Errors
    /// If the model is not built, the file cannot be read, or its layers are not the model's: the
    /// message says what differs, layer by layer. Then nothing is changed.
    fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
        restore::load_weights(self, path.as_ref(), LoadWeights::new())
    }

    /// The same with arguments: layers that differ can be skipped.
    ///
    /// # Errors
    /// As [`load_weights`](Model::load_weights).
    fn load_weights_with(&mut self, path: impl AsRef<Path>, arguments: LoadWeights) -> Result<()> {
        restore::load_weights(self, path.as_ref(), arguments)
    }

    /// The model as Keras describes it: its class and its layers with their arguments, in JSON.
    ///
    /// # Errors
    /// If a layer cannot take inputs of the declared shapes.
    fn to_json(&self) -> Result<String> {
        let architecture = state::architecture(self)?;
        Ok(architecture.to_json().to_string())
    }

    /// The model as Python that makes the same model with Keras, Sequential or Functional, without its weights.
    /// Nested models and arithmetic of a file that it was loaded from have become layers.
    ///
    /// # Errors
    /// As [`to_json`](Model::to_json), or if the model is a subclassed one.
    fn to_keras_python(&self) -> Result<String> {
        let architecture = state::architecture(self)?;
        python_source::source(&architecture.to_json().into())
    }

    /// What the model was compiled with, as Keras' files have it; nothing if it is not compiled.
    fn get_compile_config(&self) -> Json {
        let run = self.run();
        let config = run
            .compiled
            .as_ref()
            .map(|compiled| compiled.config(&run.network));
        config.unwrap_or_default().into()
    }

    /// Compiles the model with what [`get_compile_config`](Model::get_compile_config) of a model gave, or
    /// Keras' of one in Python.
    ///
    /// # Errors
    /// If the optimizer, a loss or a metric is not known here.
    fn compile_from_config(&mut self, config: &Json) -> Result<()> {
        let compile = compile_config::read(config, &self.run().network)?;
        self.compile(compile)
    }

    /// Prepares for steps on batches like this one: memory, the meaning of losses and metrics, the
    /// metrics at zero. `fit` and `evaluate` do it; a loop of one's own calls it once.
    ///
    /// # Errors
    /// If the batch does not fit the model, or the model is not compiled.
    fn begin(&mut self, batch: &Batch<'_>, training: bool) -> Result<()> {
        step::ready(self, batch, training)?;
        self.reset_metrics();
        Ok(())
    }

    /// Sets the running means of the loss and the metrics back to the start.
    fn reset_metrics(&mut self) {
        let (core, run) = self.split();
        Self::Device::reset_metrics(core, run);
    }

    /// The running means of the loss and the metrics.
    fn logs(&mut self) -> Logs {
        let (core, run) = self.split();
        Self::Device::logs(core, run).cloned().unwrap_or_default()
    }

    /// The logs of the last step: what an own `train_step` or `test_step` returned, otherwise the
    /// running means of the loss and the metrics.
    fn batch_logs(&mut self) -> Logs {
        step_logs::of_batch(self)
    }

    /// The logs of all steps since the metrics were reset: the means of the loss and the metrics;
    /// if the last step returned other names than these, what it returned.
    fn epoch_logs(&mut self) -> Logs {
        step_logs::of_epoch(self)
    }

    /// Loads a batch of arrays, all rows of them: what `load` does in `fit`, for a loop of one's
    /// own. `x` alone does for a model that is not compared with targets.
    ///
    /// # Errors
    /// If the data does not fit the model; with targets also if the model is not compiled.
    fn load_on_batch<'a>(&mut self, data: impl IntoData<'a>, training: bool) -> Result<()> {
        on_batch::load(self, data.into_data()?, training)
    }

    /// The gradients of the last [`backward`](Model::backward), one for each trained weight, in
    /// Keras' order.
    fn gradients(&self) -> Vec<ArrayD<f32>> {
        gradients::all(self.core(), self.run())
    }

    /// Sets the gradients that [`apply_gradients`](Model::apply_gradients) will use, one for each
    /// trained weight, in Keras' order.
    ///
    /// # Errors
    /// If their number or a shape is not that of the trained weights.
    fn set_gradients(&mut self, values: &[ArrayD<f32>]) -> Result<()> {
        let (core, run) = self.split();
        gradients::set_all(core, run, values)
    }

    /// The gradient of one weight, such as `gradient("dense", "kernel")`.
    ///
    /// # Errors
    /// If there is no such weight, or it is not trained.
    fn gradient(&self, layer: &str, weight: &str) -> Result<ArrayD<f32>> {
        gradients::one(self, layer, weight)
    }

    /// Sets the gradient of one weight.
    ///
    /// # Errors
    /// As [`gradient`](Model::gradient), or if the shape is not the weight's.
    fn set_gradient(&mut self, layer: &str, weight: &str, values: &ArrayD<f32>) -> Result<()> {
        gradients::set_one(self, layer, weight, values)
    }

    /// The value of one weight, such as `weight("dense", "kernel")`.
    ///
    /// # Errors
    /// If there is no such weight, or the model is not built.
    fn weight(&self, layer: &str, weight: &str) -> Result<ArrayD<f32>> {
        gradients::weight(self, layer, weight)
    }

    /// Sets one weight.
    ///
    /// # Errors
    /// As [`weight`](Model::weight), or if the shape is another.
    fn set_weight(&mut self, layer: &str, weight: &str, values: &ArrayD<f32>) -> Result<()> {
        gradients::set_weight(self, layer, weight, values)
    }

    /// Sets the gradients to zero, and forgets what
    /// [`accumulate_gradients`](Model::accumulate_gradients) has added up.
    ///
    /// # Errors
    /// If the model is not built.
    fn zero_gradients(&mut self) -> Result<()> {
        let (core, run) = self.split();
        gradients::zero(core, run)
    }

    /// Adds the gradients of the last [`backward`](Model::backward) to those before it, since
    /// [`zero_gradients`](Model::zero_gradients). The gradients are then the sum.
    ///
    /// # Errors
    /// If the model is not built.
    fn accumulate_gradients(&mut self) -> Result<()> {
        let (core, run) = self.split();
        gradients::accumulate(core, run)
    }

    /// Multiplies the gradients; what has been accumulated stays as it is.
    ///
    /// # Errors
    /// If the model is not built.
    fn scale_gradients(&mut self, factor: f32) -> Result<()> {
        let (core, run) = self.split();
        gradients::scale(core, run, factor)
    }

    /// Whether training computes the gradients of the inputs, too: see
    /// [`input_gradients`](Model::input_gradients). It does not unless asked to.
    fn watch_inputs(&mut self, watch: bool) {
        gradients::watch(self.split().1, watch);
    }

    /// The gradients of the inputs of the batch, after [`backward`](Model::backward):
    /// (batch, ..shape) each.
    ///
    /// # Errors
    /// If they are not computed: see [`watch_inputs`](Model::watch_inputs).
    fn input_gradients(&self) -> Result<Vec<ArrayD<f32>>> {
        gradients::values(self, Ends::InputGradients)
    }

    /// The inputs of the batch that has been loaded: (batch, ..shape) each.
    ///
    /// # Errors
    /// If no batch has been loaded.
    fn inputs(&self) -> Result<Vec<ArrayD<f32>>> {
        gradients::values(self, Ends::Inputs)
    }

    /// Changes the inputs of the batch that has been loaded.
    ///
    /// # Errors
    /// If their number or a shape is another.
    fn set_inputs(&mut self, values: &[ArrayD<f32>]) -> Result<()> {
        gradients::set_values(self, Ends::Inputs, values)
    }

    /// The outputs of the last [`forward`](Model::forward): (batch, ..shape) each.
    ///
    /// # Errors
    /// If no batch has been loaded.
    fn outputs(&self) -> Result<Vec<ArrayD<f32>>> {
        gradients::values(self, Ends::Outputs)
    }

    /// Changes the outputs, for instance in an own `predict_step`.
    ///
    /// # Errors
    /// If their number or a shape is another.
    fn set_outputs(&mut self, values: &[ArrayD<f32>]) -> Result<()> {
        gradients::set_values(self, Ends::Outputs, values)
    }

    /// Sets the gradients of the outputs, from which [`backward`](Model::backward) goes on: in place
    /// of [`compute_loss`](Model::compute_loss), where the loss is computed elsewhere.
    ///
    /// # Errors
    /// If their number or a shape is not that of the outputs, or the batch has not been loaded for
    /// training.
    fn set_output_gradients(&mut self, values: &[ArrayD<f32>]) -> Result<()> {
        gradients::set_values(self, Ends::OutputGradients, values)
    }

    /// The learning rate of the optimizer: that of its next step, if a schedule determines it.
    ///
    /// # Errors
    /// If the model is not compiled, or there are several optimizers.
    fn learning_rate(&self) -> Result<f32> {
        let compiled = self.run().compiled.as_ref().ok_or(Error::NotCompiled)?;
        let learning_rate = compiled.optimizer.settings().one_learning_rate()?;
        Ok(learning_rate.at(compiled.state.iterations))
    }

    /// Changes the learning rate of the optimizer.
    ///
    /// # Errors
    /// If the model is not compiled, or a schedule determines the learning rate.
    fn set_learning_rate(&mut self, learning_rate: f32) -> Result<()> {
        let (_, run) = self.split();
        let compiled = run.compiled.as_mut().ok_or(Error::NotCompiled)?;
        let settings = compiled.optimizer.settings_mut();
        settings.set_learning_rate(learning_rate)
    }

    /// Exchanges the weights and the moving average that the optimizer keeps of them; nothing is
    /// exchanged before the first step.
    ///
    /// # Errors
    /// If the model is not compiled or built, or its optimizer keeps no average.
    fn swap_ema_weights(&mut self) -> Result<()> {
        let (core, run) = self.split();
        Self::Device::swap_ema_weights(core, run)
    }

    /// The loss and the metrics with their values, in Keras' order; none before the model has seen
    /// targets.
    fn metrics(&mut self) -> Vec<MetricRef> {
        metric_ref::metrics(self)
    }

    /// The names of the loss and the metrics, in Keras' order; none before the model has seen
    /// targets.
    fn metrics_names(&self) -> Vec<String> {
        let compiled = self.run().compiled.as_ref();
        let names = compiled.and_then(|compiled| {
            let targets = compiled.targets.as_ref()?;
            Some(targets.names(&compiled.losses))
        });
        names.unwrap_or_default()
    }
}
