//! Files of trainings that go on: a model in this project's own format, and what the training does.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::record::Record;
use super::{KnownBy, Loaded, ModelState, file, native};
use crate::error::{Error, Result};

/// A training that is to go on.
pub struct Backup {
    /// The file that it is from.
    pub(crate) path: PathBuf,
    pub(crate) model: Loaded,
    /// What `fit` and the callbacks remember.
    pub(crate) training: Record,
}

impl Backup {
    /// Reads a backup; `None` if there is no such file.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, or is no backup.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>> {
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(Error::file(path, error)),
        }
        let file = File::open(path).map_err(|error| Error::file(path, error))?;
        let (mut state, training) = native::read(file).map_err(|error| Error::file(path, error))?;
        if let Some(optimizer) = &mut state.optimizer {
            let names = state.layers.iter().map(|layer| layer.name.clone());
            optimizer.layers = names.collect();
        }
        let known_by = KnownBy::Path;
        Ok(Some(Self {
            path: path.to_owned(),
            model: Loaded {
                state,
                known_by,
                config: None,
            },
            training,
        }))
    }

    /// Writes a backup; the one before it is kept under `previous`.
    ///
    /// # Errors
    /// If the file cannot be written; then the one before it is still there.
    pub(crate) fn write(
        path: &Path,
        previous: Option<&Path>,
        model: &ModelState<'_>,
        training: &Record,
    ) -> Result<()> {
        let encode = |out: &mut dyn Write| native::encode(model, training, out);
        let written = match previous {
            Some(previous) => file::replace_keeping(path, previous, encode),
            None => file::replace(path, encode),
        };
        written.map_err(|error| Error::file(path, error))
    }

    /// Makes the directory of backups, if it is not there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn create_directory(directory: &Path) -> Result<()> {
        file::create_directory(directory).map_err(|error| Error::file(directory, error))
    }

    /// Removes a backup, if there is one.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(crate) fn remove(path: &Path) -> Result<()> {
        file::remove(path).map_err(|error| Error::file(path, error))
    }

    /// Removes what a program has left in the directory of backups that was killed while it wrote one.
    pub(crate) fn remove_leftovers(directory: &Path) {
        file::remove_leftovers(directory);
    }
}
