//! Trainings that are interrupted and go on: they end as if nothing had happened, bit by bit.

mod cases;
mod kills;
mod saves;

use std::fs;
use std::path::{Path, PathBuf};

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

/// What a training has left: its table, and its best model.
fn left(directory: &Path) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let read = |name: &str| fs::read(directory.join(name)).ok();
    (read("log.csv"), read("best.keras"))
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
        let expected_files = left(&directory.0);
        let hooks = counter.called();
        assert!(hooks >= 40, "{case:?} has {hooks} hooks");
        for first in (0..hooks).step_by(STRIDE) {
            directory.clear();
            for after in [first, STRIDE * 2] {
                let interrupted = train(*case, &directory.0, &mut Interrupt::after(after));
                if let Ok(found) = interrupted {
                    assert_eq!(found, expected, "{case:?} after {first}");
                }
            }
            let found = train(*case, &directory.0, &mut Interrupt::after(usize::MAX))?;
            assert_eq!(found, expected, "{case:?} after {first}");
            assert!(
                left(&directory.0) == expected_files,
                "{case:?} after {first}"
            );
        }
    }
    Ok(())
}
