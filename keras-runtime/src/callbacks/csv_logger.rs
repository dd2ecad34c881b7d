//! Writes the logs of every epoch to a table.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Callback, CallbackContext, Record};
use crate::error::{Error, Result};
use crate::model::Logs;
use crate::python::repr;

/// Writes a line of comma-separated values for every epoch: `keras.callbacks.CSVLogger`.
///
/// The columns are `epoch`, from 0, and the logs of the first epoch in the order of their names; if
/// that had no validation, columns for it come after them. What an epoch does not have is `NA`.
#[derive(Debug)]
pub struct CSVLogger {
    filename: PathBuf,
    separator: String,
    append: bool,

    file: Option<File>,
    needs_header: bool,
    columns: Option<Vec<String>>,
}

impl CSVLogger {
    /// Writes to a file, which is made anew for each training.
    pub fn new(filename: impl AsRef<Path>) -> Self {
        Self {
            filename: filename.as_ref().to_owned(),
            separator: ",".into(),
            append: false,
            file: None,
            needs_header: true,
            columns: None,
        }
    }

    /// What is between two values; a comma by default.
    #[must_use]
    pub fn separator(mut self, separator: impl Into<String>) -> Self {
        self.separator = separator.into();
        self
    }

    /// Whether the lines come after those that the file has, to go on with a training.
    #[must_use]
    pub fn append(mut self, append: bool) -> Self {
        self.append = append;
        self
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        Error::file(&self.filename, error)
    }

    fn open(&mut self) -> std::io::Result<()> {
        self.columns = None;
        if self.append && self.filename.exists() {
            self.needs_header = std::fs::metadata(&self.filename)?.len() == 0;
        }
        let mut options = OpenOptions::new();
        if self.append {
            options.append(true);
        } else {
            options.write(true).truncate(true);
        }
        self.file = Some(options.create(true).open(&self.filename)?);
        Ok(())
    }

    /// The file with its first `len` bytes alone.
    fn cut(&self, len: u64) -> std::io::Result<File> {
        let file = OpenOptions::new().append(true).open(&self.filename)?;
        let found = file.metadata()?.len();
        if found < len {
            return Err(std::io::Error::other(format!(
                "A training goes on with the file that it wrote. Expected at least {len} bytes. Received: {found} bytes"
            )));
        }
        file.set_len(len)?;
        Ok(file)
    }

    /// A line, as Python's `csv` writes it.
    fn line(&self, cells: impl Iterator<Item = String>) -> String {
        let quoted = |cell: String| {
            let is_special = cell.contains(['"', '\r', '\n']) || cell.contains(&self.separator);
            if is_special {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell
            }
        };
        let cells: Vec<String> = cells.map(quoted).collect();
        cells.join(&self.separator) + "\r\n"
    }
}

/// The columns for logs.
fn columns(logs: &Logs) -> Vec<String> {
    let mut names: Vec<String> = logs.names().map(str::to_owned).collect();
    names.sort();
    if !names.iter().any(|name| name.starts_with("val_")) {
        let validation: Vec<String> = names.iter().map(|name| format!("val_{name}")).collect();
        names.extend(validation);
    }
    names
}

impl Callback for CSVLogger {
    fn set_model(&mut self, _: &mut CallbackContext) -> Result<()> {
        let mut characters = self.separator.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) if !"\"\r\n".contains(character) => Ok(()),
            _ => Err(Error::value(format!(
                "`separator` of CSVLogger expects one character. Received: separator={:?}",
                self.separator
            ))),
        }
    }

    fn on_train_begin(&mut self, _: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.open().map_err(|error| self.failed(&error))
    }

    fn on_epoch_end(
        &mut self,
        _: &mut CallbackContext,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        let mut text = String::new();
        let names = match self.columns.take() {
            Some(names) => names,
            None => {
                let names = columns(logs);
                if self.needs_header {
                    let header = std::iter::once("epoch".to_owned()).chain(names.iter().cloned());
                    text += &self.line(header);
                }
                names
            }
        };
        let cell = |name: &String| {
            logs.get(name)
                .map_or("NA".to_owned(), |value| repr(value.into()))
        };
        text += &self.line(std::iter::once(epoch.to_string()).chain(names.iter().map(cell)));
        self.columns = Some(names);
        let written = match &mut self.file {
            Some(file) => file.write_all(text.as_bytes()),
            None => Ok(()),
        };
        written.map_err(|error| self.failed(&error))
    }

    fn on_train_end(&mut self, _: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.file = None;
        Ok(())
    }

    fn state(&mut self) -> Result<Record> {
        let record = Record::new("CSVLogger");
        let Some(file) = &self.file else {
            return Ok(record);
        };
        // The lines of a backup are on the disk before it is.
        let len = file.sync_data().and_then(|()| file.metadata());
        let len = len.map_err(|error| self.failed(&error))?.len();
        let columns = self.columns.iter().flatten().cloned();
        Ok(record
            .with_number("len", len)
            .with_number("needs_header", self.needs_header.into())
            .with_number("has_columns", self.columns.is_some().into())
            .with_texts("columns", columns))
    }

    /// The lines that came after the backup are written again.
    fn restore(&mut self, _: &mut CallbackContext, state: &Record) -> Result<()> {
        let len = state.number("len")?;
        let columns = state.flag("has_columns")?.then(|| state.texts("columns"));
        self.columns = columns.transpose()?.map(<[String]>::to_vec);
        self.needs_header = state.flag("needs_header")?;
        let file = self.cut(len).map_err(|error| self.failed(&error))?;
        self.file = Some(file);
        Ok(())
    }
}
