//! Trainings that are interrupted and go on: they end as if nothing had happened, bit by bit.

mod cases;
mod disks;
mod frozen;
mod kills;
mod saves;

use std::fs;
use std::path::{Path, PathBuf};

use keras::prelude::*;
use ndarray::ArrayD;

use self::cases::{CASES, Interrupt, train};

/// An empty directory of its own, which goes when it is dropped.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let process = std::process::id();
        let path = std::env::temp_dir().join(format!("keras-resume-{process}-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    /// Without the files in it.
    fn clear(&self) {
        fs::remove_dir_all(&self.0).expect("the directory");
        fs::create_dir_all(&self.0).expect("a directory");
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a training has left: its table, the weights of its best model, how often its values are among
/// the events.
#[derive(Debug, PartialEq)]
struct Left {
    table: Option<String>,
    best: Option<Vec<ArrayD<f32>>>,
    events: [usize; 3],
}

impl Left {
    fn in_directory(directory: &Path) -> Self {
        let best = directory.join("best.keras");
        let best = best
            .exists()
            .then(|| cases::Net::load(best).expect("a model"));
        let events = ["epoch_loss", "batch_loss", "evaluation_loss"];
        Self {
            table: fs::read_to_string(directory.join("log.csv")).ok(),
            best: best.map(|model| model.get_weights()),
            events: events.map(|tag| occurrences(&directory.join("logs"), tag)),
        }
    }
}

/// How often a text is in the files below a directory.
fn occurrences(directory: &Path, text: &str) -> usize {
    let Ok(entries) = fs::read_dir(directory) else {
        return 0;
    };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let of_path = |path: PathBuf| match fs::read(&path) {
        Ok(bytes) => bytes
            .windows(text.len())
            .filter(|part| *part == text.as_bytes())
            .count(),
        Err(_) => occurrences(&path, text),
    };
    paths.map(of_path).sum()
}

/// The hooks of a training that are tried: every one is too slow where each batch has its backup.
const STRIDE: usize = 7;

/// Every training ends at one of its hooks with an error, and once more at a later one, and goes on in a
/// new model each time.
#[test]
fn a_training_that_is_interrupted_at_any_hook_ends_as_if_it_was_not() -> keras::Result<()> {
    let directory = Directory::new("hooks");
    for case in CASES {
        directory.clear();
        let mut counter = Interrupt::after(usize::MAX);
        let expected = train(*case, &directory.0, &mut counter)?;
        let expected_left = Left::in_directory(&directory.0);
        let hooks = counter.called();
        assert!(hooks >= 40, "{case:?} has {hooks} hooks");
        // The last one is that of the end of the training.
        for first in (0..hooks).step_by(STRIDE).chain([hooks - 1]) {
            directory.clear();
            for after in [first, STRIDE * 2] {
                let interrupted = train(*case, &directory.0, &mut Interrupt::after(after));
                if let Ok(found) = interrupted {
                    assert_eq!(found, expected, "{case:?} after {first}");
                }
            }
            let found = train(*case, &directory.0, &mut Interrupt::after(usize::MAX))?;
            assert_eq!(found, expected, "{case:?} after {first}");
            let left = Left::in_directory(&directory.0);
            assert_eq!(left, expected_left, "{case:?} after {first}");
        }
    }
    Ok(())
}
