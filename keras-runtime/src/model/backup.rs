//! What a backup keeps of a model besides its weights and its optimizer: the running means of the epoch,
//! and what a step of the user's own has left behind.

use std::path::Path;

use ndarray::{Array1, ArrayD};

use super::backend::Backend;
use super::core::{Core, Run};
use super::history::Logs;
use super::parameters::Parameters;
use super::{Model, gradients, restore, state};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::saving::{Backup, Record};

/// Writes a backup of a model in a training.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write<M: Model>(
    model: &M,
    path: &Path,
    previous: Option<&Path>,
    training: Record,
) -> Result<()> {
    let training = training.with_records("model", [M::Device::record(model.core(), model.run())]);
    Backup::write(path, previous, &state::state(model)?, &training)
}

/// Sets a model to what is in a backup.
///
/// # Errors
/// If the backup is that of another model, or was made with another `compile`.
pub(crate) fn go_on<M: Model>(model: &mut M, backup: &Backup) -> Result<()> {
    restore::restore(model, backup)?;
    let (core, run) = model.split();
    M::Device::restore(core, run, backup.training.record("model")?)
}

fn vector(values: Vec<f32>) -> ArrayD<f32> {
    Array1::from(values).into_dyn()
}

/// See [`Backend::record`].
pub(crate) fn record<D: Device>(core: &Core<D>, run: &Run<D>) -> Record {
    let compiled = run.compiled.as_ref();
    let targets = compiled.and_then(|compiled| compiled.targets.as_ref());
    let totals = targets.map(|targets| {
        let mut totals = vec![0.0; targets.host.len()];
        let from = D::slice(&targets.totals, 0..totals.len());
        core.device.download(from, &mut totals);
        vector(totals)
    });
    let added = targets.iter().flat_map(|targets| &targets.added);
    let accumulated = gradients::accumulated(core, run).map(vector);
    let flags = |layers: &[bool]| {
        layers
            .iter()
            .map(|&layer| layer.into())
            .collect::<Vec<u64>>()
    };
    Record::new("Model")
        .with_numbers("trainable", flags(&core.trainable))
        .with_numbers("begun", flags(&begun(core, run)))
        .with_arrays("totals", totals.into_iter().collect())
        .with_floats("samples", targets.map(|targets| targets.samples))
        .with_numbers("batches", added.map(|metric| metric.batches.into()))
        .with_arrays("accumulated", accumulated.into_iter().collect())
        .with_records("own_logs", run.own_logs.as_ref().map(Logs::record))
}

/// The layers that the optimizer remembers something of, whether they are trained now or not.
fn begun<D: Device>(core: &Core<D>, run: &Run<D>) -> Vec<bool> {
    let mut layers = vec![false; core.trainable.len()];
    let state = run.compiled.as_ref().map(|compiled| &compiled.state);
    let places = core.parameters.iter().flat_map(Parameters::places);
    for place in places.filter(|place| place.trainable) {
        if state.is_some_and(|state| state.has_begun(place.range.start)) {
            layers[place.layer] = true;
        }
    }
    layers
}

/// See [`Backend::restore`].
pub(crate) fn restore_run<D: Device>(
    core: &Core<D>,
    run: &mut Run<D>,
    record: &Record,
) -> Result<()> {
    let compiled = run.compiled.as_mut();
    if let Some(targets) = compiled.and_then(|compiled| compiled.targets.as_mut()) {
        let totals = record.arrays("totals")?.first();
        let totals = totals
            .and_then(|totals| totals.as_slice())
            .unwrap_or_default();
        if totals.len() != targets.host.len() {
            return Err(Error::value(format!(
                "A training goes on with the losses and metrics that it began with. Expected {} numbers that they \
                 remember. Received: {}",
                totals.len(),
                targets.host.len()
            )));
        }
        let to = D::slice_mut(&mut targets.totals, 0..totals.len());
        core.device.upload(totals, to);
        targets.samples = record.floats("samples")?.iter().sum();
        let batches = record.numbers("batches")?;
        for (metric, &batches) in targets.added.iter_mut().zip(batches) {
            metric.batches = batches as u32;
        }
    }
    let own_logs = record.records("own_logs")?.first();
    run.own_logs = own_logs.map(Logs::from_record).transpose()?;
    let accumulated = record.arrays("accumulated")?.first();
    let accumulated = accumulated.and_then(|sum| sum.as_slice());
    gradients::set_accumulated(core, run, accumulated)
}
