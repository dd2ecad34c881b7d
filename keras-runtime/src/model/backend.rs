//! The devices that models run on, and what every model does there whatever its layers are.

use super::compile::Compile;
use super::compiled::Compiled;
use super::core::{Core, Run};
use super::history::Logs;
use super::network::Network;
use super::parameters::Parameters;
use super::trace::Trace;
use super::{backup, build, restore, state, step};
use crate::data::{Batch, Table};
use crate::device::{Device, on_devices};
use crate::error::Result;
use crate::losses::LossCatalogue;
use crate::metrics::MetricCatalogue;
use crate::optimizers::OptimizerCatalogue;
use crate::saving::{LayerState, OptimizerState, Record};

/// A device with its losses, metrics and optimizers, and the parts of training, evaluation and saving
/// that are the same for every model. Implemented for each device and not for all at once, so that
/// these are compiled in this crate and not in every crate that has a model.
pub trait Backend: Device + LossCatalogue + MetricCatalogue + OptimizerCatalogue {
    /// Gives a model what it is compiled with.
    ///
    /// # Errors
    /// If it does not fit the model's outputs, or the device is not there.
    fn compile(core: &Core<Self>, run: &mut Run<Self>, compile: Compile<Self>) -> Result<()>;
    /// Makes the weights that a trace has found.
    ///
    /// # Errors
    /// If the device is not there or has no memory left.
    fn make_weights(core: &mut Core<Self>, network: &Network, trace: &Trace) -> Result<()>;
    /// Makes the memory of a mode for the calls of a trace.
    ///
    /// # Errors
    /// If the weights do not fit, or the device has no memory left.
    fn make_space(
        core: &Core<Self>,
        run: &mut Run<Self>,
        trace: &Trace,
        batch: usize,
        training: bool,
    ) -> Result<()>;
    /// Finds out what the losses and metrics mean for these targets, and checks that they fit.
    ///
    /// # Errors
    /// If they do not.
    fn resolve(
        core: &Core<Self>,
        run: &mut Run<Self>,
        network: &Network,
        tables: &[Table<'_>],
        training: bool,
    ) -> Result<()>;
    /// Copies the targets and the sample weights of a batch to the device.
    ///
    /// # Errors
    /// If the model is not compiled, or the device has no memory left.
    fn load_targets(core: &Core<Self>, run: &mut Run<Self>, batch: &Batch<'_>) -> Result<()>;
    /// Computes the losses of the batch and, while training, the gradients of the outputs.
    ///
    /// # Errors
    /// If the model is not compiled, or no batch has been loaded.
    fn compute_loss(core: &Core<Self>, run: &mut Run<Self>, counted: bool) -> Result<()>;
    /// Changes the weights by the gradients.
    ///
    /// # Errors
    /// If the model is not compiled or built.
    fn apply_gradients(core: &mut Core<Self>, run: &mut Run<Self>) -> Result<()>;
    /// Adds the batch to the metrics.
    ///
    /// # Errors
    /// If the model is not compiled, or no batch has been loaded.
    fn update_metrics(core: &Core<Self>, run: &mut Run<Self>) -> Result<()>;
    /// Sets the totals of losses and metrics to zero.
    fn reset_metrics(core: &Core<Self>, run: &mut Run<Self>);
    /// The running means of the loss and the metrics.
    fn logs<'a>(core: &Core<Self>, run: &'a mut Run<Self>) -> Option<&'a Logs>;
    /// Swaps the weights with the moving average that the optimizer keeps.
    ///
    /// # Errors
    /// If it keeps none.
    fn swap_ema_weights(core: &mut Core<Self>, run: &mut Run<Self>) -> Result<()>;
    /// Sets the moving average to the weights.
    ///
    /// # Errors
    /// If the optimizer keeps none.
    fn keep_ema_weights(core: &mut Core<Self>, run: &mut Run<Self>) -> Result<()>;
    /// Every layer with its weights.
    fn layer_states<'a>(core: &'a Core<Self>, network: &Network) -> Vec<LayerState<'a>>;
    /// What the optimizer remembers.
    /// `layers` are their names in the order in which it lists what it remembers of them; none if that is
    /// the model's.
    fn optimizer_state<'a>(
        core: &'a Core<Self>,
        run: &'a Run<Self>,
        layers: Vec<String>,
    ) -> Option<OptimizerState<'a>>;
    /// Sets what the optimizer remembers to what it did in a file, or says what is different about it.
    /// `begun` are the layers that it remembers something of, if the file says it.
    ///
    /// # Errors
    /// If a value is not valid, or the device has no memory left.
    fn set_optimizer_state(
        core: &Core<Self>,
        run: &mut Run<Self>,
        saved: &OptimizerState<'_>,
        begun: Option<&[bool]>,
    ) -> Result<Option<String>>;
    /// What a backup keeps besides the weights and the optimizer.
    fn record(core: &Core<Self>, run: &Run<Self>) -> Record;
    /// Sets it to what is in a backup.
    ///
    /// # Errors
    /// If the backup was made with another `compile`.
    fn restore(core: &Core<Self>, run: &mut Run<Self>, record: &Record) -> Result<()>;
}

on_devices! {
    impl Backend {
        fn compile(core: &Core<Self>, run: &mut Run<Self>, compile: Compile<Self>) -> Result<()> {
            core.device.get()?;
            run.compiled = Some(Compiled::new(&run.network, compile, &mut run.compiled)?);
            run.functions = Default::default();
            Ok(())
        }

        fn make_weights(core: &mut Core<Self>, network: &Network, trace: &Trace) -> Result<()> {
            let device = core.device.get()?;
            core.parameters = Some(Parameters::new(device, network, trace, core.seed)?);
            Ok(())
        }

        fn make_space(
            core: &Core<Self>,
            run: &mut Run<Self>,
            trace: &Trace,
            batch: usize,
            training: bool,
        ) -> Result<()> {
            build::make_space(core, run, trace, batch, training)
        }

        fn resolve(
            core: &Core<Self>,
            run: &mut Run<Self>,
            network: &Network,
            tables: &[Table<'_>],
            training: bool,
        ) -> Result<()> {
            step::resolve(core, run, network, tables, training)
        }

        fn load_targets(core: &Core<Self>, run: &mut Run<Self>, batch: &Batch<'_>) -> Result<()> {
            step::load_targets(core, run, batch)
        }

        fn compute_loss(core: &Core<Self>, run: &mut Run<Self>, counted: bool) -> Result<()> {
            step::compute_loss(core, run, counted)
        }

        fn apply_gradients(core: &mut Core<Self>, run: &mut Run<Self>) -> Result<()> {
            step::apply_gradients(core, run)
        }

        fn update_metrics(core: &Core<Self>, run: &mut Run<Self>) -> Result<()> {
            step::update_metrics(core, run)
        }

        fn reset_metrics(core: &Core<Self>, run: &mut Run<Self>) {
            step::reset(core, run);
        }

        fn logs<'a>(core: &Core<Self>, run: &'a mut Run<Self>) -> Option<&'a Logs> {
            step::logs(core, run)
        }

        fn swap_ema_weights(core: &mut Core<Self>, run: &mut Run<Self>) -> Result<()> {
            step::swap_ema_weights(core, run)
        }

        fn keep_ema_weights(core: &mut Core<Self>, run: &mut Run<Self>) -> Result<()> {
            step::keep_ema_weights(core, run)
        }

        fn layer_states<'a>(core: &'a Core<Self>, network: &Network) -> Vec<LayerState<'a>> {
            state::layers(core, network)
        }

        fn optimizer_state<'a>(
            core: &'a Core<Self>,
            run: &'a Run<Self>,
            layers: Vec<String>,
        ) -> Option<OptimizerState<'a>> {
            state::optimizer(core, &run.network, run.compiled.as_ref(), layers)
        }

        fn set_optimizer_state(
            core: &Core<Self>,
            run: &mut Run<Self>,
            saved: &OptimizerState<'_>,
            begun: Option<&[bool]>,
        ) -> Result<Option<String>> {
            match &mut run.compiled {
                Some(compiled) => restore::set_optimizer(core, compiled, saved, begun),
                None => Ok(None),
            }
        }

        fn record(core: &Core<Self>, run: &Run<Self>) -> Record {
            backup::record(core, run)
        }

        fn restore(core: &Core<Self>, run: &mut Run<Self>, record: &Record) -> Result<()> {
            backup::restore_run(core, run, record)
        }
    }
}
