//! The readers of files, with any bytes: they may refuse them, but not panic, hang or take memory that the
//! file does not account for. See `docs/fuzzing.md`.

use std::path::PathBuf;

use keras::data::{Csv, Dataset};
use keras::testing;

/// Reads bytes as a file of weights whose name ends like this.
pub fn weights(extension: &str, bytes: &[u8]) {
    let _ = testing::read_weights(file(extension, bytes));
}

/// Reads bytes as a backup, in this project's own format.
pub fn native(bytes: &[u8]) {
    let _ = testing::read_backup(file("krw", bytes));
}

/// Reads bytes as an array of NumPy.
pub fn npy(bytes: &[u8]) {
    let path = file("npy", bytes);
    if let Ok(data) = Dataset::from_npy(&path, &path, 4) {
        let _ = testing::read_samples(&data);
    }
}

/// Reads bytes as a table.
pub fn csv(bytes: &[u8]) {
    if let Ok(data) = Csv::new(file("csv", bytes)).batch(4).open() {
        let _ = testing::read_samples(&data);
    }
}

/// A file with these bytes, in memory where the system has a place for that.
fn file(extension: &str, bytes: &[u8]) -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let directory = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let path = directory.join(format!("keras-fuzz-{}.{extension}", std::process::id()));
    std::fs::write(&path, bytes).expect("a file for the input");
    path
}
