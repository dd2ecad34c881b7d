//! Files that keep a model.
//!
//! A [`ModelState`] is everything of a model that is worth keeping, independent of devices and of
//! files. A format turns it into bytes and back; `native.rs` has this project's own. A format to come is
//! a file beside it and a line in `read` and `write`.

pub(crate) mod crc32c;
mod file;
mod native;
mod record;

use std::fmt::Display;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use ndarray::ArrayD;

use crate::error::{Error, Result};

pub use record::Record;

/// What the name of a whole model's file ends in.
pub(crate) const MODEL_EXTENSIONS: &[&str] = &[".keras", ".h5", ".hdf5"];

/// What the name of a file of weights ends in.
pub(crate) const WEIGHTS_EXTENSIONS: &[&str] = &[".weights.h5", ".hdf5"];

/// Whether the name of a file ends in one of these; capitals are others.
pub(crate) fn ends_in(path: &Path, extensions: &[&str]) -> bool {
    let name = path.to_string_lossy();
    extensions.iter().any(|extension| name.ends_with(extension))
}

/// Everything of a model that a file keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelState {
    /// The model's name.
    pub name: String,
    /// What the model's random numbers follow from.
    pub seed: u64,
    /// The training steps taken since the model was made; random numbers depend on it, too.
    pub step: u64,
    /// The shape of each input without the batch axis, `None` where a dimension is not known.
    pub input_shapes: Vec<Vec<Option<usize>>>,
    /// The layers in order.
    pub layers: Vec<LayerState>,
    /// What the optimizer remembers, if the model is compiled.
    pub optimizer: Option<OptimizerState>,
}

/// One layer with its weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerState {
    /// Its name, such as `dense_1`.
    pub name: String,
    /// Its type, such as `Dense`.
    pub class: String,
    /// Its weights in Keras' order; none before the model is built.
    pub weights: Vec<WeightState>,
}

/// One weight of a layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WeightState {
    /// Its name within the layer, such as `kernel`.
    pub name: String,
    /// Whether the optimizer changes it, as long as its layer is trained.
    pub trainable: bool,
    /// Its values.
    pub values: ArrayD<f32>,
}

/// What an optimizer remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptimizerState {
    /// Its name, such as `adam`.
    pub name: String,
    /// The name of its class, such as `Adam`.
    pub class: String,
    /// The steps it has taken.
    pub iterations: u64,
    /// Its learning rate, unless a schedule determines it.
    pub learning_rate: Option<f32>,
    /// The numbers that it remembers of the whole model.
    pub scalars: Vec<f32>,
    /// One vector for each value that it remembers of a parameter, as long as all trainable weights
    /// together and in their order; none before its first step.
    pub slots: Vec<Vec<f32>>,
}

impl ModelState {
    /// The number of variables that Keras' optimizer would have: its iterations, its learning rate, and
    /// for each slot one for each trainable weight.
    pub(crate) fn optimizer_variables(&self, slots: usize) -> usize {
        let weights = self.layers.iter().flat_map(|layer| &layer.weights);
        2 + slots * weights.filter(|weight| weight.trainable).count()
    }
}

/// The arguments of [`Model::load_weights_with`](crate::model::Model::load_weights_with).
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadWeights {
    pub(crate) skip_mismatch: bool,
}

impl LoadWeights {
    /// Every layer has to be in the file, with weights of the same shapes.
    pub const fn new() -> Self {
        Self {
            skip_mismatch: false,
        }
    }

    /// Whether layers that differ keep their weights, with a warning for each.
    #[must_use]
    pub const fn skip_mismatch(mut self, skip_mismatch: bool) -> Self {
        self.skip_mismatch = skip_mismatch;
        self
    }
}

/// Writes a file, or leaves what was there: a reader never sees half of it.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write(path: &Path, state: &ModelState) -> Result<()> {
    let encode = |out: &mut dyn Write| native::encode(state, None, out);
    file::replace(path, encode).map_err(|error| failed(path, &error))
}

/// Reads a file.
///
/// # Errors
/// If it cannot be read, is damaged, or is none of the known formats.
pub(crate) fn read(path: &Path) -> Result<ModelState> {
    Ok(read_native(path)?.0)
}

fn read_native(path: &Path) -> Result<(ModelState, Option<Record>)> {
    let file = File::open(path).map_err(|error| failed(path, &error))?;
    let metadata = file.metadata().map_err(|error| failed(path, &error))?;
    if !metadata.is_file() {
        return Err(failed(
            path,
            &"Expected a file. Received: something else of this name",
        ));
    }
    let decoded = native::decode(BufReader::new(file), metadata.len());
    decoded.map_err(|message| failed(path, &message))
}

fn failed(path: &Path, reason: &dyn Display) -> Error {
    Error::File {
        path: path.display().to_string(),
        message: reason.to_string(),
    }
}

/// A training that is to go on.
pub struct Backup {
    /// The file that it is from.
    pub(crate) path: PathBuf,
    pub(crate) model: ModelState,
    /// What `fit` and the callbacks remember.
    pub(crate) training: Record,
}

impl Backup {
    /// Reads a backup; `None` if there is no such file.
    ///
    /// # Errors
    /// As [`read`], or if the file is no backup.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>> {
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(failed(path, &error)),
        }
        let (model, training) = read_native(path)?;
        let training = training.ok_or_else(|| {
            failed(
                path,
                &"Expected a backup of a training. Received: a model alone",
            )
        })?;
        Ok(Some(Self {
            path: path.to_owned(),
            model,
            training,
        }))
    }
}

/// Writes a backup; the one before it is kept under `previous`.
///
/// # Errors
/// If the file cannot be written; then the one before it is still there.
pub(crate) fn write_backup(
    path: &Path,
    previous: Option<&Path>,
    model: &ModelState,
    training: &Record,
) -> Result<()> {
    let encode = |out: &mut dyn Write| native::encode(model, Some(training), out);
    let written = match previous {
        Some(previous) => file::replace_keeping(path, previous, encode),
        None => file::replace(path, encode),
    };
    written.map_err(|error| failed(path, &error))
}

/// Makes a directory, and those above it, if it is not there.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn create_directory(path: &Path) -> Result<()> {
    file::create_directory(path).map_err(|error| failed(path, &error))
}

/// Removes a file, if there is one.
///
/// # Errors
/// If it cannot be removed.
pub(crate) fn remove(path: &Path) -> Result<()> {
    file::remove(path).map_err(|error| failed(path, &error))
}

pub(crate) use file::remove_leftovers;

#[cfg(test)]
mod tests;
