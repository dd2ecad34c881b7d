//! Files and batches for the tests of the readers.

use std::path::PathBuf;

use super::{Arrays, Data, Dataset, IntoData, Source};
use crate::error::{Error, Result};

/// A file that goes with the test.
pub struct TempFile {
    pub path: PathBuf,
}

impl TempFile {
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("test").replace("::", "-");
        let path = std::env::temp_dir().join(format!("{}-{test}-{name}", std::process::id()));
        std::fs::write(&path, bytes).expect("a file for the test");
        Self { path }
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The batches of one pass.
pub fn batches(data: &Dataset<'static>) -> Result<Vec<Arrays<'static>>> {
    match data.into_data()? {
        Data {
            source: Source::Stream(stream),
            ..
        } => stream.open()?.collect(),
        _ => Err(Error::value("Expected a stream")),
    }
}
