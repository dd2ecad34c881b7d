//! Files that keep a model.
//!
//! A [`ModelState`] is everything of a model that is worth keeping, independent of devices and of
//! files. A format turns it into bytes and back; each has a file here and a line in `read` and `write`.

mod backup;
mod file;
pub(crate) mod hdf5;
mod keras;
pub(crate) mod legacy_h5;
mod names;
mod native;
pub(crate) mod npz;
pub(crate) mod paths;
mod record;
pub(crate) mod safetensors;
pub(crate) mod weights_h5;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Cursor};
use std::path::Path;

use hdf5::Reader;
use keras_config::zip;
use ndarray::{CowArray, IxDyn};

use crate::config::{Json, Object};
use crate::error::{Error, Result};

pub use backup::Backup;
pub use record::Record;

/// What the name of a whole model's file ends in.
pub(crate) const MODEL_EXTENSIONS: &[&str] = &[".keras", ".h5", ".hdf5"];

/// What the name of a file of weights ends in.
pub(crate) const WEIGHTS_EXTENSIONS: &[&str] = &[".weights.h5", ".hdf5", SAFETENSORS, NPZ];

const SAFETENSORS: &str = ".safetensors";
const NPZ: &str = ".npz";

/// Whether the name of a file ends in one of these; capitals are others.
pub(crate) fn ends_in(path: &Path, extensions: &[&str]) -> bool {
    let name = path.to_string_lossy();
    extensions.iter().any(|extension| name.ends_with(extension))
}

/// The values of a weight with its shape: borrowed from a model that is saved, if they lie in the host's
/// memory, and owned by what is read from a file.
pub type Values<'a> = CowArray<'a, f32, IxDyn>;

/// The values in a row, copied if they do not lie like this.
fn slice<'a>(values: &'a Values<'_>) -> Cow<'a, [f32]> {
    let slice = values.as_slice().map(Cow::Borrowed);
    slice.unwrap_or_else(|| values.iter().copied().collect())
}

/// Everything of a model that a file keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelState<'a> {
    /// The model's name.
    pub name: String,
    /// What the names of its weights begin with in Keras: its name and a slash, or nothing for a functional
    /// model.
    pub scope: String,
    /// What the model's random numbers follow from.
    pub seed: u64,
    /// The training steps taken since the model was made; random numbers depend on it, too.
    pub step: u64,
    /// The shape of each input without the batch axis, `None` where a dimension is not known.
    pub input_shapes: Vec<Vec<Option<usize>>>,
    /// The layers in order.
    pub layers: Vec<LayerState<'a>>,
    /// What the optimizer remembers, if the model is compiled.
    pub optimizer: Option<OptimizerState<'a>>,
}

/// One layer with its weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerState<'a> {
    /// Its name, such as `dense_1`.
    pub name: String,
    /// Its type, such as `Dense`; empty if the file does not say it.
    pub class: String,
    /// Where it is in Keras' files, such as `layers/dense_1`; empty if the file does not say it.
    pub path: String,
    /// Its weights in Keras' order; none before the model is built.
    pub weights: Vec<WeightState<'a>>,
}

/// One weight of a layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WeightState<'a> {
    /// Its name within the layer, such as `kernel`.
    pub name: String,
    /// Whether the optimizer changes it, as long as its layer is trained.
    pub trainable: bool,
    /// Its values.
    pub values: Values<'a>,
}

/// What an optimizer remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptimizerState<'a> {
    /// Its name, such as `adam`.
    pub name: String,
    /// The name of its class, such as `Adam`; empty if the file does not say it.
    pub class: String,
    /// Its variables in Keras' order: the number of its steps, its learning rate unless a schedule
    /// determines it, and, once it has taken a step, what it remembers of the weights that it trains.
    pub variables: Vec<VariableState<'a>>,
    /// The optimizer that it wraps, if it does: its name, and where its variables begin.
    pub inner: Option<(String, usize)>,
    /// The names of the layers in the order of their variables; none if that is the model's.
    pub layers: Vec<String>,
}

/// One variable of an optimizer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VariableState<'a> {
    /// Its name, such as `dense_kernel_momentum`; empty if the file does not say it.
    pub name: String,
    /// Its values.
    pub values: Numbers<'a>,
}

/// The values of an optimizer's variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers<'a> {
    /// Those of a weight, or a single one.
    Floats(Values<'a>),
    /// A number of steps.
    Count(u64),
}

impl Default for Numbers<'_> {
    fn default() -> Self {
        Self::Count(0)
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

/// What was read from a file.
#[derive(Debug, PartialEq)]
pub(crate) struct Loaded {
    /// What a file keeps of a model.
    pub state: ModelState<'static>,
    /// How its layers are found among those of a model.
    pub known_by: KnownBy,
    /// What the model is and what it was compiled with, in the file of a whole model.
    pub config: Option<Json>,
}

/// What tells which layer of a model a layer of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KnownBy {
    /// Its path in Keras' files.
    Path,
    /// Its place among the layers with weights.
    Order,
    /// Its name; its weights are known by their names, too.
    Name,
}

/// What the file of a whole model has beside its weights.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    /// The model's class and layers.
    pub model: Object,
    /// The arguments of `compile`, if it is compiled.
    pub compile: Option<Object>,
}

/// Writes a file, or leaves what was there: a reader never sees half of it. `whole` is what it says of a
/// whole model; without it, it has the weights. The name ends in one of [`MODEL_EXTENSIONS`] or
/// [`WEIGHTS_EXTENSIONS`].
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write(path: &Path, state: &ModelState<'_>, whole: Option<Whole>) -> Result<()> {
    let written = file::replace(path, |out| {
        if let (true, Some(whole)) = (ends_in(path, &[".keras"]), &whole) {
            keras::write(out, state, whole)
        } else if ends_in(path, &[".weights.h5"]) {
            weights_h5::layout(state)?.write(out)
        } else if ends_in(path, &[".h5", ".hdf5"]) {
            legacy_h5::layout(state, whole.as_ref())?.write(out)
        } else if ends_in(path, &[SAFETENSORS]) {
            safetensors::write(state, out)
        } else {
            npz::write(state, out)
        }
    });
    written.map_err(|error| match path.parent() {
        Some(directory) if error.kind() == io::ErrorKind::NotFound && !directory.exists() => {
            Error::file(
                path,
                format!("The directory '{}' does not exist", directory.display()),
            )
        }
        _ => Error::file(path, error),
    })
}

/// Reads a file.
///
/// # Errors
/// If it cannot be read, is damaged, or is none of the known formats.
pub(crate) fn read(path: &Path) -> Result<Loaded> {
    let failed = |message: String| Error::file(path, message);
    let told = |error: io::Error| Error::file(path, error);
    let mut file = File::open(path).map_err(told)?;
    let metadata = file.metadata().map_err(told)?;
    if !metadata.is_file() {
        return Err(failed(
            "Expected a file. Received: something else of this name".into(),
        ));
    }
    if metadata.len() == 0 {
        let message =
            "Expected a file that was written by `save` or `save_weights`. Received: an empty file";
        return Err(failed(message.into()));
    }
    let is_hdf5 = hdf5::is_hdf5(&mut file).map_err(told)?;
    let is_zip = zip::is_zip(&mut file).map_err(told)?;
    if is_zip && !ends_in(path, &[NPZ]) {
        return keras::read(file).map_err(failed);
    }
    let mut config = None;
    let (state, known_by) = if is_hdf5 {
        let (mut reader, root) = Reader::open(file).map_err(failed)?;
        match legacy_h5::weights(&root) {
            Some(weights) => {
                config = legacy_h5::config(&root).map_err(failed)?;
                let state = legacy_h5::read(&mut reader, &root, weights);
                (state, KnownBy::Order)
            }
            None => (weights_h5::read(&mut reader, &root), KnownBy::Path),
        }
    } else if ends_in(path, &[SAFETENSORS]) {
        (safetensors::read(file), KnownBy::Name)
    } else if is_zip {
        (npz::read(file), KnownBy::Name)
    } else {
        (native::read(file).map(|(state, _)| state), KnownBy::Path)
    };
    Ok(Loaded {
        state: state.map_err(failed)?,
        known_by,
        config,
    })
}

/// Reads a whole model of Keras: its configuration, its weights, and what its optimizer remembers.
///
/// # Errors
/// If it cannot be read, is damaged, or is none of Keras' formats.
pub(crate) fn read_model(path: &Path) -> Result<(Json, Loaded)> {
    let mut file = read(path)?;
    let config = file.config.take().ok_or_else(|| {
        Error::file(
            path,
            "Expected the file of a whole model. Received: one of weights alone",
        )
    })?;
    Ok((config, file))
}

/// Reads a `.keras` archive in memory: compiled here, and not with every model that has one.
///
/// # Errors
/// With a sentence about what is wrong with it.
pub(crate) fn read_bytes(file: &[u8]) -> hdf5::Result<Loaded> {
    keras::read(Cursor::new(file))
}

#[cfg(test)]
mod tests;
