//! Running the compiler on single files, against the library that this test is linked with.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use serde_json::Value;

/// An error of the compiler.
#[derive(Debug)]
pub struct Diagnostic {
    /// The line that it points at.
    pub line: usize,
    /// Its message.
    pub message: String,
    /// What the user sees.
    pub rendered: String,
    /// The compiler's number of it.
    code: Option<String>,
}

impl Diagnostic {
    /// Whether the sentence is one of ours, from a macro or from a constant.
    pub fn is_ours(&self) -> bool {
        self.code.as_deref().is_none_or(|code| code == "E0080")
    }
}

/// The folder with the compiled dependencies of this test.
fn dependencies() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.parent().expect("a test lies in a folder").to_owned()
}

/// The libraries of a crate, the newest first: other builds may lie in the same folder, with other
/// features or of other versions.
fn libraries(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).expect("the dependencies can be listed");
    let libraries = files.filter_map(|file| {
        let path = file.ok()?.path();
        let name = path.file_name()?.to_str()?;
        let modified = path.metadata().ok()?.modified().ok()?;
        (name.starts_with(prefix) && name.ends_with(".rlib")).then_some((modified, path))
    });
    let mut libraries: Vec<_> = libraries.collect();
    libraries.sort_by(|(a, _), (b, _)| b.cmp(a));
    libraries.into_iter().map(|(_, path)| path).collect()
}

/// What compiles only with the libraries that this test is linked with.
const PROBE: &str = "pub fn same(a: ndarray::ArrayD<f32>) -> keras::metrics::ArrayD<f32> { a }
pub use keras::testing;
fn main() {}";

/// The library itself and its ndarray.
fn own_libraries() -> &'static [PathBuf; 2] {
    static FOUND: OnceLock<[PathBuf; 2]> = OnceLock::new();
    FOUND.get_or_init(|| {
        let folder = dependencies();
        let probe = std::env::temp_dir().join(format!("keras-probe-{}.rs", std::process::id()));
        std::fs::write(&probe, PROBE).expect("a temporary file can be written");
        let ndarrays = libraries(&folder, "libndarray-");
        let pairs = libraries(&folder, "libkeras_runtime-")
            .into_iter()
            .flat_map(|runtime| {
                ndarrays
                    .iter()
                    .map(move |ndarray| [runtime.clone(), ndarray.clone()])
            });
        let found = pairs
            .into_iter()
            .find(|pair| errors(&probe, pair).is_empty());
        let _ = std::fs::remove_file(&probe);
        found.unwrap_or_else(|| panic!("no library of this test in {}", folder.display()))
    })
}

/// The errors of one file.
pub fn check(path: &Path) -> Vec<Diagnostic> {
    errors(path, own_libraries())
}

fn errors(path: &Path, [runtime, ndarray]: &[PathBuf; 2]) -> Vec<Diagnostic> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let out = std::env::temp_dir().join(format!("keras-check-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&out).expect("a temporary folder can be made");
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args([
            "--edition=2024",
            "--emit=metadata",
            "--error-format=json",
            "--cap-lints=allow",
        ])
        .args(["--crate-name=case", "--crate-type=bin"])
        .arg(format!("--extern=keras={}", runtime.display()))
        .arg(format!("--extern=ndarray={}", ndarray.display()))
        .arg("-L")
        .arg(format!("dependency={}", dependencies().display()))
        .arg("--out-dir")
        .arg(&out)
        .arg(path)
        .output()
        .expect("rustc runs");
    let _ = std::fs::remove_dir_all(&out);
    let text = String::from_utf8_lossy(&output.stderr);
    let values = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    values.filter_map(|value| diagnostic(&value)).collect()
}

/// The error that the compiler has written down, unless it is a warning or the sum of others.
pub fn diagnostic(value: &Value) -> Option<Diagnostic> {
    if value["level"] != "error" || value["message"].as_str()?.starts_with("aborting due to") {
        return None;
    }
    let spans = value["spans"].as_array()?;
    let primary = spans.iter().find(|span| span["is_primary"] == true);
    Some(Diagnostic {
        line: primary.map_or(0, |span| {
            outermost(span)["line_start"].as_u64().unwrap_or(0)
        }) as usize,
        message: value["message"].as_str()?.to_owned(),
        rendered: value["rendered"].as_str()?.to_owned(),
        code: value["code"]["code"].as_str().map(str::to_owned),
    })
}

/// The place in the file itself that a span inside a macro's output comes from.
fn outermost(span: &Value) -> &Value {
    let mut span = span;
    while span["expansion"].is_object() {
        span = &span["expansion"]["span"];
    }
    span
}

/// Runs `work` on every item, on all cores, and gives the results in order.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    let result = work(item);
                    results
                        .lock()
                        .expect("no thread panicked")
                        .push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no thread panicked");
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}
