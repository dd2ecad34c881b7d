//! The parts of a step that are the same for every model: loading a batch, the losses with their
//! gradients, the optimizer, the metrics.

use super::Model;
use super::backend::Backend;
use super::build::prepare;
use super::compiled::{Compiled, OutputLoss};
use super::core::{Core, Run, trained};
use super::history::Logs;
use super::indices;
use super::network::{Network, Value};
use super::pass::{Pass, Space};
use super::plan::{EMPTY, Plan};
use super::targets::{Target, Targets, Weighting};
use crate::console;
use crate::data::{Batch, Table};
use crate::device::{Activation, Device, Memory};
use crate::error::{Error, Result};
use crate::layers::Logits;
use crate::losses::{self, LossInput};
use crate::metrics::MetricInput;
use crate::optimizers::{Combine, State, members};
use crate::random::Key;
use crate::shape::Shape;

/// The stream of random numbers that layers draw from while training.
const STEPS: u64 = 2;

/// Prepares for steps on batches like this one: memory, and the meaning of losses and metrics.
pub(crate) fn ready<M: Model>(model: &mut M, batch: &Batch<'_>, training: bool) -> Result<()> {
    let network = model.run().network.clone();
    if model.run().compiled.is_none() {
        return Err(Error::NotCompiled);
    }
    if batch.targets.len() != network.outputs.len() {
        return Err(Error::value(format!(
            "The model has {} outputs. Expected targets for each. Received: {} arrays of targets.",
            network.outputs.len(),
            batch.targets.len()
        )));
    }
    let shapes: Vec<Shape> = batch.inputs.iter().map(|table| table.shape).collect();
    prepare(model, &shapes, batch.rows.len(), training)?;
    let (core, run) = model.split();
    check_indices(run, batch.inputs, training)?;
    M::Device::resolve(core, run, &network, batch.targets, training)?;
    check_weights(run, batch.sample_weights)
}

/// Whether the sample weights of each output go with its loss.
fn check_weights<D: Device>(run: &mut Run<D>, weights: &[Table<'_>]) -> Result<()> {
    let (losses, targets) = resolved(&mut run.compiled)?;
    let outputs = targets.outputs.iter().zip(&targets.predictions);
    for ((loss, (target, prediction)), weights) in losses.iter().zip(outputs).zip(weights) {
        if let Some(loss) = &loss.loss {
            losses::check_weights(&loss.axes(), &target.shape, prediction, &weights.shape)?;
        }
    }
    Ok(())
}

/// Whether the inputs that are numbers of rows are such. The memory of the mode is there.
pub(crate) fn check_indices<D: Device>(
    run: &Run<D>,
    inputs: &[Table<'_>],
    training: bool,
) -> Result<()> {
    let space = run.space(training).ok_or_else(not_loaded)?;
    indices::check(&run.network, &space.plan.indices, inputs)
}

/// Sets the totals of losses and metrics to zero.
pub(crate) fn reset<D: Device>(core: &Core<D>, run: &mut Run<D>) {
    run.own_logs = None;
    if let Ok((_, targets)) = resolved(&mut run.compiled) {
        targets.reset(&core.device);
    }
}

/// The running means of the loss and the metrics, fetched from the device.
pub(crate) fn logs<'a, D: Device>(core: &Core<D>, run: &'a mut Run<D>) -> Option<&'a Logs> {
    let (losses, targets) = resolved(&mut run.compiled).ok()?;
    targets.update_logs(&core.device, losses);
    Some(&targets.logs)
}

/// Copies the inputs of a batch into the memory of a mode, which is made if it does not fit.
pub(crate) fn load_inputs<M: Model>(
    model: &mut M,
    batch: &Batch<'_>,
    training: bool,
) -> Result<()> {
    let samples = batch.rows.len();
    if !fits(model.core(), model.run(), batch, training) {
        let shapes: Vec<Shape> = batch.inputs.iter().map(|table| table.shape).collect();
        prepare(model, &shapes, samples, training)?;
    }
    let (core, run) = model.split();
    run.batch = samples;
    run.is_training = training;
    let space = if training {
        &mut run.training
    } else {
        &mut run.inference
    };
    let space = space.as_mut().ok_or_else(not_loaded)?;
    for (input, table) in run.network.inputs.iter().zip(batch.inputs) {
        if let Some(to) = space.value_mut(input.value, samples) {
            core.device
                .gather(&table.values, table.shape.size(), batch.rows, to);
        }
    }
    Ok(())
}

/// Whether the memory of a mode has been planned for a batch like this one.
fn fits<D: Device>(core: &Core<D>, run: &Run<D>, batch: &Batch<'_>, training: bool) -> bool {
    run.space(training).is_some_and(|space| {
        let shapes = space.plan.inputs.iter();
        space.version == core.version
            && space.plan.batch >= batch.rows.len()
            && space.plan.inputs.len() == batch.inputs.len()
            && shapes
                .zip(batch.inputs)
                .all(|(shape, table)| *shape == table.shape)
    })
}

/// Copies the targets and the sample weights of a batch to the device.
pub(crate) fn load_targets<D: Device>(
    core: &Core<D>,
    run: &mut Run<D>,
    batch: &Batch<'_>,
) -> Result<()> {
    let device = &*core.device;
    let samples = batch.rows.len();
    let (_, targets) = resolved(&mut run.compiled)?;
    for (at, (target, table)) in targets.outputs.iter_mut().zip(batch.targets).enumerate() {
        let width = target.shape.size();
        grow(device, &mut target.buffer, samples * width)?;
        let to = D::slice_mut(&mut target.buffer, 0..samples * width);
        device.gather(&table.values, width, batch.rows, to);
        target.weights = match batch.sample_weights.get(at) {
            None => None,
            Some(table) => Some(weigh(device, target.weights.take(), table, batch.rows)?),
        };
    }
    Ok(())
}

/// Makes a buffer at least `len` long.
fn grow<D: Device>(device: &D, buffer: &mut D::Buffer, len: usize) -> Result<()> {
    if D::len(buffer) < len {
        *buffer = device.alloc(len)?;
    }
    Ok(())
}

/// Copies the sample weights of a batch to the device.
fn weigh<D: Device>(
    device: &D,
    weighting: Option<Weighting<D>>,
    table: &Table<'_>,
    rows: &[u32],
) -> Result<Weighting<D>> {
    let width = table.shape.size();
    let len = rows.len() * width;
    let mut buffer = match weighting {
        Some(weighting) => weighting.buffer,
        None => device.alloc(len)?,
    };
    grow(device, &mut buffer, len)?;
    device.gather(
        &table.values,
        width,
        rows,
        D::slice_mut(&mut buffer, 0..len),
    );
    Ok(Weighting {
        buffer,
        per_sample: width,
    })
}

/// A pass on the batch that has been loaded.
pub(crate) fn pass<'a, D: Device>(
    core: &'a mut Core<D>,
    run: &'a mut Run<D>,
    training: bool,
) -> Result<Pass<'a, D>> {
    let key = Key::new(core.seed).fold(STEPS).fold(run.step);
    let loss_scale = run.compiled.as_ref().map_or(1.0, Compiled::loss_scale);
    let batch = run.batch;
    let targets = run
        .compiled
        .as_ref()
        .and_then(|compiled| compiled.targets.as_ref());
    let targets = targets.filter(|_| !run.has_own_gradients);
    let from_logits = targets.map_or(&[][..], |targets| &targets.from_logits);
    let space = if training {
        &mut run.training
    } else {
        &mut run.inference
    };
    let (Some(parameters), Some(space)) = (&mut core.parameters, space) else {
        return Err(not_loaded());
    };
    Ok(Pass {
        device: &core.device,
        parameters,
        trainable: &core.trainable,
        space,
        batch,
        training,
        from_logits,
        key,
        loss_scale,
    })
}

/// A pass forward on the batch that has been loaded, which has added nothing to the loss yet.
pub(crate) fn forward_pass<'a, D: Device>(
    core: &'a mut Core<D>,
    run: &'a mut Run<D>,
    training: bool,
) -> Result<Pass<'a, D>> {
    let pass = pass(core, run, training)?;
    let activity = D::slice_mut(&mut pass.space.activity, 0..1);
    pass.device.fill(activity, 0.0);
    Ok(pass)
}

/// What a generated `forward` runs the layers with.
///
/// # Errors
/// If no batch has been loaded for this mode.
pub fn begin_forward<M: Model>(model: &mut M, training: bool) -> Result<Pass<'_, M::Device>> {
    let (core, run) = model.split();
    forward_pass(core, run, training)
}

/// Adds the losses of the batch to the totals and, while training, writes the gradients of the
/// outputs.
///
/// What is not `counted` goes to the place after the totals.
pub(crate) fn compute_loss<D: Device>(
    core: &Core<D>,
    run: &mut Run<D>,
    counted: bool,
) -> Result<()> {
    let (batch, training) = (run.batch, run.is_training);
    run.has_own_gradients = false;
    let space = if training {
        &mut run.training
    } else {
        &mut run.inference
    };
    let space = space.as_mut().ok_or_else(not_loaded)?;
    let loss_scale = run.compiled.as_ref().map_or(1.0, Compiled::loss_scale);
    let (losses, targets) = resolved(&mut run.compiled)?;
    let has_none = losses.iter().all(|output| output.loss.is_none());
    if has_none && space.plan.added_losses.is_empty() {
        return Err(Error::value(
            "No loss to compute. Provide a `loss` argument in `compile()`.",
        ));
    }
    for (at, output) in losses.iter().enumerate() {
        let value = targets.outputs[at].value[usize::from(training)];
        let is_repeated = targets.outputs[..at]
            .iter()
            .any(|target| target.value[usize::from(training)] == value);
        let mut gradient = match space.plan.gradients[value.0] {
            Some(slot) if training => space.slots[slot].take().map(|buffer| (slot, buffer)),
            _ => None,
        };
        let len = batch * space.plan.shapes[value.0].size();
        match &output.loss {
            None if is_repeated => {}
            None => {
                if let Some((_, buffer)) = &mut gradient {
                    core.device.fill(D::slice_mut(buffer, 0..len), 0.0);
                }
            }
            Some(loss) => {
                let sum = if counted { at } else { targets.host.len() };
                // A second loss of the same value is added to the first.
                let Space {
                    plan, slots, sums, ..
                } = &mut *space;
                let into = match (&mut gradient, is_repeated) {
                    (None, _) => None,
                    (Some(_), true) => Some(D::slice_mut(sums, 0..len)),
                    (Some((_, buffer)), false) => Some(D::slice_mut(buffer, 0..len)),
                };
                let target = &targets.outputs[at];
                let read =
                    |slot: usize| slots[slot].as_ref().map(|buffer| D::slice(buffer, 0..len));
                let logits = if target.fused[usize::from(training)] {
                    logits_slot(plan, value).and_then(read)
                } else {
                    None
                };
                let Some(y_pred) = read(plan.values[value.0]) else {
                    continue;
                };
                loss.compute(LossInput {
                    device: &core.device,
                    batch,
                    y_true: D::slice(&target.buffer, 0..batch * target.shape.size()),
                    y_true_shape: target.shape,
                    y_pred,
                    y_pred_shape: plan.shapes[value.0],
                    logits,
                    sample_weight: target
                        .weights
                        .as_ref()
                        .map(|weighting| weighting.view(batch)),
                    weights_per_sample: target
                        .weights
                        .as_ref()
                        .map_or(1, |weighting| weighting.per_sample),
                    gradient: into,
                    weight: output.weight * loss_scale,
                    values: None,
                    sums: D::slice_mut(&mut targets.totals, sum..sum + 1),
                });
                if let (Some((_, buffer)), true) = (&mut gradient, is_repeated) {
                    core.device
                        .add(D::slice(sums, 0..len), D::slice_mut(buffer, 0..len));
                }
            }
        }
        if let Some((slot, buffer)) = gradient {
            space.slots[slot] = Some(buffer);
        }
    }
    if counted {
        add_extra_losses(core, space, targets, losses.len(), batch);
        targets.samples += batch as f64;
    }
    Ok(())
}

/// Adds what belongs to the loss besides the losses of the outputs, times the samples of the batch,
/// to the total at `at`: the penalties on weights and on outputs of layers, and what `add_loss` adds.
/// Their gradients are added on the way back.
fn add_extra_losses<D: Device>(
    core: &Core<D>,
    space: &Space<D>,
    targets: &mut Targets<D>,
    at: usize,
    batch: usize,
) {
    let (device, totals) = (&*core.device, &mut targets.totals);
    if let Some(parameters) = &core.parameters {
        parameters.add_penalties(device, &space.plan.trained, batch as f32, totals, at);
    }
    let rule = Combine {
        keep: 1.0,
        new: batch as f32,
    };
    let activity = D::slice(&space.activity, 0..1);
    device.update(rule, D::slice_mut(totals, at..at + 1), activity, []);
}

/// Where the input of an output's last activation is, if anywhere.
pub(crate) fn logits_slot(plan: &Plan, output: Value) -> Option<usize> {
    let step = plan
        .steps
        .iter()
        .flatten()
        .find(|step| step.output == output)?;
    match step.logits {
        Logits::None => None,
        Logits::Kept(_) => Some(step.kept).filter(|&slot| slot != EMPTY),
        Logits::Input(_) => step.input.map(|input| plan.values[input.0]),
    }
}

/// Changes the weights by the gradients of the batch.
pub(crate) fn apply_gradients<D: Device>(core: &mut Core<D>, run: &mut Run<D>) -> Result<()> {
    let compiled = run.compiled.as_mut().ok_or(Error::NotCompiled)?;
    let parameters = core.parameters.as_mut().ok_or_else(not_loaded)?;
    let Compiled {
        optimizer, state, ..
    } = compiled;
    let trained = trained(&core.trainable, &run.training);
    if !state.is_ready(core.version) {
        let variables = parameters.variables(&core.names, trained);
        let params = &parameters.params;
        state.prepare(&**optimizer, &core.device, params, variables, core.version)?;
    }
    let params = &mut parameters.params;
    let grads = &mut parameters.grads;
    state.apply(&**optimizer, &core.device, params, grads);
    parameters.hold_constraints(&core.device, trained);
    run.loaded = None;
    run.step += 1;
    Ok(())
}

/// Puts the moving average of the weights in their place, if the optimizer keeps one.
pub(crate) fn finalize_weights<D: Device>(core: &mut Core<D>, run: &mut Run<D>) {
    if let (Some(compiled), Some(parameters)) = (&run.compiled, &mut core.parameters) {
        let state = &compiled.state;
        state.finalize(&core.device, &mut parameters.params);
    }
}

/// Exchanges the weights and their moving average.
pub(crate) fn swap_ema_weights<D: Device>(core: &mut Core<D>, run: &mut Run<D>) -> Result<()> {
    let (device, params, state) = averaged(core, run)?;
    state.swap_average(device, params)
}

/// Sets the moving average to the weights.
pub(crate) fn keep_ema_weights<D: Device>(core: &mut Core<D>, run: &mut Run<D>) -> Result<()> {
    let (device, params, state) = averaged(core, run)?;
    state.set_average(device, params);
    Ok(())
}

/// The device, the weights, and the state of an optimizer that keeps a moving average.
fn averaged<'a, D: Device>(
    core: &'a mut Core<D>,
    run: &'a mut Run<D>,
) -> Result<(&'a D, &'a mut D::Buffer, &'a mut State<D>)> {
    let compiled = run.compiled.as_mut().ok_or(Error::NotCompiled)?;
    let optimizer = &*compiled.optimizer;
    if !members(optimizer).any(|member| member.settings().use_ema()) {
        return Err(Error::value(if optimizer.members() > 1 {
            "SwapEMAWeights must be used when at least one inner optimizer has `use_ema=True` set. Received a \
             MultiOptimizer with all inner optimizers having `use_ema=False`."
        } else {
            "SwapEMAWeights must be used when `use_ema=True` is set on the optimizer. Received: \
             use_ema=False"
        }));
    }
    let parameters = core.parameters.as_mut().ok_or_else(not_loaded)?;
    Ok((&core.device, &mut parameters.params, &mut compiled.state))
}

/// Adds the batch to the metrics.
pub(crate) fn update_metrics<D: Device>(core: &Core<D>, run: &mut Run<D>) -> Result<()> {
    let (batch, training) = (run.batch, run.is_training);
    let space = if training {
        &run.training
    } else {
        &run.inference
    };
    let space = space.as_ref().ok_or_else(not_loaded)?;
    let (_, targets) = resolved(&mut run.compiled)?;
    let Targets {
        outputs,
        metrics,
        added,
        totals,
        ..
    } = targets;
    for metric in added {
        let value = metric.values[usize::from(training)];
        let Some(value) = value.and_then(|value| space.value(value, batch)) else {
            continue;
        };
        let total = D::slice_mut(totals, metric.total..metric.total + 1);
        core.device.add(D::part(value, 0..1), total);
        metric.batches += 1;
    }
    for metric in &*metrics {
        let target = &outputs[metric.output];
        let weights = target.weights.as_ref().filter(|_| metric.is_weighted);
        let value = target.value[usize::from(training)];
        let y_pred = space.value(value, batch).ok_or_else(not_loaded)?;
        metric.metric.update(MetricInput {
            device: &core.device,
            batch,
            y_true: D::slice(&target.buffer, 0..batch * target.shape.size()),
            y_true_shape: target.shape,
            y_pred,
            y_pred_shape: space.plan.shapes[value.0],
            sample_weight: weights.map(|weighting| weighting.view(batch)),
            weights_per_sample: weights.map_or(1, |weighting| weighting.per_sample),
            state: D::slice_mut(totals, metric.state.clone()),
        })?;
    }
    Ok(())
}

/// Finds out what the losses and metrics mean for targets of these shapes, and checks that they
/// fit the model's outputs. The memory of the mode is there.
pub(crate) fn resolve<D: Backend>(
    core: &Core<D>,
    run: &mut Run<D>,
    network: &Network,
    tables: &[Table<'_>],
    training: bool,
) -> Result<()> {
    let space = if training {
        &run.training
    } else {
        &run.inference
    };
    let plan = &space.as_ref().ok_or_else(not_loaded)?.plan;
    let compiled = run.compiled.as_mut().ok_or(Error::NotCompiled)?;
    let predictions = network
        .outputs
        .iter()
        .map(|output| plan.shapes[output.value(training).0]);
    let predictions: Vec<Shape> = predictions.collect();
    let is_known = compiled.targets.as_ref().is_some_and(|targets| {
        let same = |(target, table): (&Target<D>, &Table<'_>)| target.shape == table.shape;
        targets.outputs.iter().zip(tables).all(same) && targets.predictions == predictions
    });
    if !is_known {
        let shapes: Vec<Shape> = tables.iter().map(|table| table.shape).collect();
        warn(network, plan, &compiled.losses, &predictions, training);
        let targets = Targets::new(&*core.device, network, compiled, &shapes, predictions)?;
        compiled.targets = Some(targets);
    }
    let Compiled {
        losses, targets, ..
    } = compiled;
    let targets = targets.as_mut().ok_or(Error::NotCompiled)?;
    for (at, (target, loss)) in targets.outputs.iter_mut().zip(losses).enumerate() {
        let Some(loss) = &loss.loss else { continue };
        let prediction = &targets.predictions[at];
        loss.check_targets(&tables[at].values, &target.shape, prediction)?;
        let value = network.outputs[at].value(training);
        let is_single = network
            .outputs
            .iter()
            .filter(|output| output.value(training) == value)
            .count()
            == 1;
        let step = plan
            .steps
            .iter()
            .flatten()
            .find(|step| step.output == value);
        let fuses = step.is_some_and(|step| match step.logits {
            Logits::None => false,
            Logits::Input(activation) | Logits::Kept(activation) => {
                loss.fuses(activation, &target.shape, prediction) && step.is_last
            }
        });
        target.fused[usize::from(training)] = fuses && is_single;
    }
    if training {
        let fused = targets.outputs.iter().filter(|target| target.fused[1]);
        targets.from_logits = fused.map(|target| target.value[1]).collect();
    }
    Ok(())
}

/// Says what losses find doubtful about the outputs that they are computed of.
fn warn<D: Device>(
    network: &Network,
    plan: &Plan,
    losses: &[OutputLoss<D>],
    predictions: &[Shape],
    training: bool,
) {
    for (at, output) in network.outputs.iter().enumerate() {
        let Some(loss) = &losses[at].loss else {
            continue;
        };
        let value = output.value(training);
        let mut steps = plan.steps.iter().flatten();
        let logits = steps
            .rfind(|step| step.output == value)
            .map(|step| step.logits);
        let activation = match logits {
            Some(Logits::Input(activation) | Logits::Kept(activation)) => activation,
            _ => Activation::Linear,
        };
        if let Some(warning) = loss.warning(activation, &predictions[at]) {
            console::warn(&warning);
        }
    }
}

/// The losses of a compiled model, and what is known since targets were seen.
fn resolved<D: Device>(
    compiled: &mut Option<Compiled<D>>,
) -> Result<(&[OutputLoss<D>], &mut Targets<D>)> {
    let Compiled {
        losses, targets, ..
    } = compiled.as_mut().ok_or(Error::NotCompiled)?;
    Ok((losses, targets.as_mut().ok_or_else(not_loaded)?))
}

pub(crate) fn not_loaded() -> Error {
    Error::NotBuilt("No batch has been loaded. Call `load()` before the steps that use it.".into())
}
