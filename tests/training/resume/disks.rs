//! Saving where the disk refuses: what was there stays, and nothing else is left.
//!
//! The disks are real ones. The test starts itself as a child with a limit on the size of files, in a full file system of its own, or
//! in one that is read only; these need a namespace, which not every machine gives to a program. What cannot be tried is
//! said past the test harness, so that it shows.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use keras::prelude::*;
use ndarray::Array2;

use super::Directory;

sequential! {
    Wide<100>;
    Dense(1000),
    Dense(1),
}

/// The directory that a child saves to, and what it expects of its errors.
const CHILD: [&str; 2] = ["KERAS_DISK", "KERAS_DISK_SAYS"];

const TEST: &str = "resume::disks::a_child_saves_in_vain";

const FILES: [&str; 6] = [
    "model.keras",
    "model.weights.h5",
    "model.h5",
    "model.hdf5",
    "model.safetensors",
    "model.npz",
];

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("the directory");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let names = entries.map(|entry| name(entry).to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn save(model: &Wide<Cpu>, path: &Path) -> keras::Result<()> {
    let name = path.to_string_lossy();
    if name.ends_with(".keras") || name.ends_with("model.h5") {
        model.save(path)
    } else {
        model.save_weights(path)
    }
}

/// Nothing by itself: what the children of the other tests do. A file of 400 kB in every format, and a backup, where there are
/// only small ones.
#[test]
fn a_child_saves_in_vain() -> keras::Result<()> {
    let [Some(directory), Some(says)] = CHILD.map(std::env::var_os) else {
        return Ok(());
    };
    let (directory, says) = (Path::new(&directory), says.to_string_lossy().into_owned());
    let before = names(directory);
    let mut model = Wide::with_seed(1);
    model.compile(Compile::new("sgd", "mse"))?;
    for file in FILES {
        let path = directory.join(file);
        let old = fs::read(&path).ok();
        let error = save(&model, &path)
            .expect_err("no such file can be written")
            .to_string();
        assert!(error.contains(&*path.to_string_lossy()), "{error}");
        assert!(error.contains(&says), "{error}");
        assert_eq!(fs::read(&path).ok(), old, "{file}");
        assert_eq!(names(directory), before, "{file}");
    }
    let (x, y) = (Array2::<f32>::ones((4, 100)), Array2::<f32>::ones((4, 1)));
    let backup = BackupAndRestore::new(directory).save_freq(1);
    let error = model.fit((&x, &y), Fit::epochs(1).verbose(0).callback(backup));
    let error = error
        .map(|_| ())
        .expect_err("no backup can be written")
        .to_string();
    assert!(error.contains(&says), "{error}");
    assert_eq!(names(directory), before, "a backup");
    Ok(())
}

/// Starts the child by a script of the shell, in which `"$0" "$@"` is its command.
fn child(script: &str, directory: &Path, says: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .arg(std::env::current_exe().expect("a program"))
        .args([TEST, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD[0], directory)
        .env(CHILD[1], says);
    command
}

/// A directory with a small file of every name.
fn old_files(name: &str) -> Directory {
    let directory = Directory::new(name);
    for file in FILES {
        fs::write(directory.0.join(file), "what was there").expect("a file");
    }
    directory
}

fn unchanged(directory: &Directory) {
    for file in FILES {
        let found = fs::read(directory.0.join(file)).expect("the file");
        assert_eq!(found, b"what was there", "{file}");
    }
    assert_eq!(names(&directory.0).len(), FILES.len());
}

/// A test that failed in the child fails here; one that could not be started is skipped.
fn done(output: &Output, what: &str) -> bool {
    let said = String::from_utf8_lossy(&output.stdout);
    if said.contains("test result: ok. 1 passed") {
        return true;
    }
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("test result: FAILED"), "{said}{error}");
    let skipped = format!(
        "SKIPPED, {what}: {}\n",
        error.lines().next().unwrap_or_default()
    );
    // Not by a macro: the harness would keep it for tests that fail.
    std::io::stderr().write_all(skipped.as_bytes()).ok();
    false
}

/// Writes fail after 64 kB: the limit is in blocks of 512 bytes, and the signal that would end the program is ignored.
#[test]
#[cfg(unix)]
fn a_file_that_gets_too_large() {
    let directory = old_files("large");
    let script = r#"trap "" XFSZ; ulimit -f 128 && exec "$0" "$@""#;
    let output = child(script, &directory.0, "File too large").output();
    done(
        &output.expect("a shell"),
        "there is no limit on the size of files here",
    );
    unchanged(&directory);
}

/// The signal ends the program while it writes: what it leaves, the next writer removes.
#[test]
#[cfg(unix)]
fn a_program_that_ends_while_it_writes() -> keras::Result<()> {
    let directory = old_files("ends");
    let script = r#"ulimit -f 128 && exec "$0" "$@""#;
    let output = child(script, &directory.0, "").output().expect("a shell");
    assert!(!output.status.success());
    for file in FILES {
        let found = fs::read(directory.0.join(file)).expect("the file");
        assert_eq!(found, b"what was there", "{file}");
    }
    Wide::with_seed(1).save(directory.0.join("model.keras"))?;
    assert_eq!(names(&directory.0).len(), FILES.len());
    Ok(())
}

/// Runs a script as the root of a namespace, in which it may mount, or as the real one.
#[cfg(target_os = "linux")]
fn with_mounts(script: &str, directory: &Path, says: &str, what: &str) {
    for unshare in ["unshare -Urm", "unshare -m"] {
        let script = format!(r#"{unshare} sh -c '{script}' "$0" "$@""#);
        let output = child(&script, directory, says).output().expect("a shell");
        let started = !String::from_utf8_lossy(&output.stdout).is_empty();
        if started || unshare == "unshare -m" {
            done(&output, what);
            return;
        }
    }
}

/// A file system with room for the small files, and for no other one.
#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_full() {
    let directory = Directory::new("full");
    let script = r#"mount -t tmpfs -o size=128k none "$KERAS_DISK" && cd "$KERAS_DISK" &&
        for name in keras weights.h5 h5 hdf5 safetensors npz; do echo old > model.$name; done && exec "$0" "$@""#;
    with_mounts(
        script,
        &directory.0,
        "No space left on device",
        "no file system can be mounted here",
    );
}

/// The directory can be read, and not written to, by anybody.
#[test]
#[cfg(target_os = "linux")]
fn a_directory_that_is_read_only() {
    let directory = old_files("read-only");
    let script = r#"mount --bind "$KERAS_DISK" "$KERAS_DISK" && mount -o remount,bind,ro "$KERAS_DISK" && exec "$0" "$@""#;
    with_mounts(
        script,
        &directory.0,
        "Read-only file system",
        "no file system can be mounted here",
    );
    unchanged(&directory);
}

/// The permissions of a directory count for everybody but root.
#[test]
#[cfg(unix)]
fn a_directory_that_belongs_to_somebody_else() {
    use std::os::unix::fs::PermissionsExt;
    let directory = old_files("permissions");
    let set = |mode| fs::set_permissions(&directory.0, fs::Permissions::from_mode(mode));
    set(0o555).expect("permissions");
    let is_root = fs::write(directory.0.join("probe"), "").is_ok();
    if is_root {
        let _ = fs::remove_file(directory.0.join("probe"));
        let skipped = b"SKIPPED, root may write to every directory: a_directory_that_belongs_to_somebody_else\n";
        std::io::stderr().write_all(skipped).ok();
    } else {
        let output = child(r#"exec "$0" "$@""#, &directory.0, "Permission denied").output();
        done(&output.expect("a shell"), "the child did not start");
    }
    set(0o755).expect("permissions");
    unchanged(&directory);
}

/// A directory in the place of the file, a file in the place of the directory, and no directory at all.
#[test]
fn places_where_no_file_can_be() {
    let directory = Directory::new("places");
    let model = Wide::with_seed(1);
    fs::write(directory.0.join("file"), "what was there").expect("a file");
    for file in FILES {
        fs::create_dir(directory.0.join(file)).expect("a directory");
    }
    let before = names(&directory.0);
    for file in FILES {
        for path in [
            directory.0.join(file),
            directory.0.join("file").join(file),
            directory.0.join("none").join(file),
        ] {
            let error = save(&model, &path)
                .expect_err("no place for a file")
                .to_string();
            assert!(error.contains(&*path.to_string_lossy()), "{error}");
            assert_eq!(names(&directory.0), before, "{}", path.display());
        }
    }
    assert_eq!(
        fs::read(directory.0.join("file")).expect("the file"),
        b"what was there"
    );
}
