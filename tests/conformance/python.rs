//! Real Keras, where there is a Python that has it.
//!
//! It is the one that `KERAS_PYTHON` names, or that of `tests/reference/.venv`, or `python3`. Where none of them has the Keras
//! of the fixtures, what needs it is skipped, which is said past the test harness, so that it shows.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// The versions that `tests/reference/requirements.txt` asks for, so far as they matter.
const HAS_KERAS: &str =
    "import importlib.metadata as m; assert m.version('keras') == '3.15.1'; m.version('jax')";

fn reference() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference"))
}

fn has_keras(python: &OsString) -> bool {
    let run = Command::new(python).args(["-c", HAS_KERAS]).output();
    run.is_ok_and(|run| run.status.success())
}

fn python() -> Option<&'static OsString> {
    static PYTHON: OnceLock<Option<OsString>> = OnceLock::new();
    let find = || {
        if let Some(python) = std::env::var_os("KERAS_PYTHON") {
            assert!(
                has_keras(&python),
                "KERAS_PYTHON is {python:?}, which has no Keras 3.15.1 with JAX"
            );
            return Some(python);
        }
        let own = reference().join(".venv/bin/python").into_os_string();
        [own, "python3".into()].into_iter().find(has_keras)
    };
    PYTHON.get_or_init(find).as_ref()
}

/// Runs a script of `tests/reference/` with an argument, and fails where it does; whether it ran. `what` is what is
/// not done without it.
pub fn run(script: &str, argument: &Path, what: &str) -> bool {
    let Some(python) = python() else {
        let skipped = format!("SKIPPED, no Python with Keras 3.15.1 (set KERAS_PYTHON): {what}\n");
        // Not by a macro: the harness would keep it for tests that fail.
        std::io::stderr().write_all(skipped.as_bytes()).ok();
        return false;
    };
    let run = Command::new(python)
        .arg(reference().join(script))
        .arg(argument)
        .env("KERAS_BACKEND", "jax")
        .env("JAX_PLATFORMS", "cpu")
        .output()
        .expect("Python");
    let (out, error) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    assert!(run.status.success(), "{script}: {out}{error}");
    println!("{out}");
    true
}
