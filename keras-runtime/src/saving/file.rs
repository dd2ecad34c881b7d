//! Files that are replaced as a whole.
//!
//! A file is written beside its place under a name of its own, and locked until it is there. What a
//! writer leaves that was killed is not locked any more: the next program that writes to the directory
//! removes it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What the names of files that are being written end in.
const SUFFIX: &str = ".keras-tmp";

/// Writes a file beside the one of this path, makes sure that it is on the disk, and then gives it the
/// path: whoever reads it, also after a crash, finds the old file or the new one.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    replace_through(path, None, |file| file, write)
}

/// As [`replace`]; what was there is kept under another path.
pub(super) fn replace_keeping(
    path: &Path,
    previous: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    replace_through(path, Some(previous), |file| file, write)
}

/// A file; tests have one that fails.
trait Disk: Write {
    /// Waits until everything that was written is on the disk.
    fn sync(&self) -> io::Result<()>;
}

impl Disk for File {
    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }
}

fn replace_through<D: Disk>(
    path: &Path,
    previous: Option<&Path>,
    disk: impl FnOnce(File) -> D,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    // A link stays: the file that it names is replaced. Who may read it stays, too.
    let named = fs::canonicalize(path);
    let path = named.as_deref().unwrap_or(path);
    let directory = directory_of(path);
    remove_leftovers(directory);
    let (mut temporary, file) = Temporary::beside(path)?;
    if let Ok(old) = fs::metadata(path) {
        // Not every system has them.
        let _ = file.set_permissions(old.permissions());
    }
    let mut out = BufWriter::with_capacity(1 << 16, disk(file));
    write(&mut out)?;
    // It is locked until it has its path.
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync()?;
    if let Some(previous) = previous {
        keep(path, previous)?;
    }
    fs::rename(&temporary.path, path)?;
    temporary.is_in_place = true;
    sync(directory);
    Ok(())
}

/// The directory that a file is in.
fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

/// Makes sure that the names in a directory are on the disk. Not every system can do it.
fn sync(directory: &Path) {
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
}

/// Makes a directory, and those above it, if it is not there.
pub(super) fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)?;
    sync(directory_of(path));
    Ok(())
}

/// Gives a file, if there is one, a second path.
fn keep(path: &Path, previous: &Path) -> io::Result<()> {
    remove(previous)?;
    match fs::hard_link(path, previous) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // There are file systems without links.
        Err(_) => fs::copy(path, previous).map(drop),
        Ok(()) => Ok(()),
    }
}

/// Removes a file, if there is one.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A file that is being written: it is removed unless it gets to its place.
struct Temporary {
    path: PathBuf,
    is_in_place: bool,
}

impl Temporary {
    /// A new file in the same directory, of a name that no other process or thread takes.
    fn beside(path: &Path) -> io::Result<(Self, File)> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let Some(name) = path.file_name() else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        loop {
            let mut temporary = OsString::from(".");
            temporary.push(name);
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            temporary.push(format!(".{}-{number}{SUFFIX}", std::process::id()));
            let path = path.with_file_name(temporary);
            let created = OpenOptions::new().write(true).create_new(true).open(&path);
            let file = match created {
                // A program that was killed may have had the same number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                created => created?,
            };
            // Where files cannot be locked, nobody removes what is left.
            let _ = file.lock();
            // Another program may have taken it for a leftover before it was locked.
            if path.try_exists()? {
                let temporary = Self {
                    path,
                    is_in_place: false,
                };
                return Ok((temporary, file));
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_in_place {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes what writers that were killed have left in a directory; once in a run of the program.
pub(super) fn remove_leftovers(directory: &Path) {
    static SEEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if seen.insert(directory.to_owned()) {
        // A directory that cannot be read is none that could be written to.
        let _ = remove_unlocked(directory);
    }
}

fn remove_unlocked(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !(name.starts_with('.') && name.ends_with(SUFFIX)) {
            continue;
        }
        let file = OpenOptions::new().write(true).open(entry.path())?;
        if file.try_lock().is_ok() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own for a test.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let process = std::process::id();
            let path = std::env::temp_dir().join(format!("keras-file-{process}-{name}"));
            fs::create_dir_all(&path).expect("a directory");
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).expect("the directory");
            let mut names: Vec<String> = entries
                .map(|entry| {
                    entry
                        .expect("an entry")
                        .file_name()
                        .to_string_lossy()
                        .into()
                })
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// A file on a disk that is full after some writes, or that cannot be synced.
    struct Failing {
        file: File,
        writes_left: usize,
        syncs: bool,
    }

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.writes_left == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.writes_left -= 1;
            // Half of it, as a disk may that is nearly full.
            self.file.write(&bytes[..bytes.len().div_ceil(2)])
        }

        fn flush(&mut self) -> io::Result<()> {
            self.file.flush()
        }
    }

    impl Disk for Failing {
        fn sync(&self) -> io::Result<()> {
            if self.syncs {
                Ok(())
            } else {
                Err(io::ErrorKind::StorageFull.into())
            }
        }
    }

    /// Writes so many bytes in pieces.
    fn pieces(len: usize, byte: u8) -> impl FnOnce(&mut dyn Write) -> io::Result<()> {
        move |out| {
            let bytes = vec![byte; len];
            bytes
                .chunks(5000)
                .try_for_each(|piece| out.write_all(piece))
        }
    }

    #[test]
    fn a_disk_that_fails_at_any_write_leaves_the_old_file_and_nothing_else() {
        let directory = Directory::new("failing");
        let path = directory.0.join("model");
        replace(&path, pieces(10, 1)).expect("a file");
        let mut failures = 0;
        for writes_left in 0.. {
            for syncs in [false, true] {
                let disk = |file| Failing {
                    file,
                    writes_left,
                    syncs,
                };
                let written = replace_through(&path, None, disk, pieces(300_000, 2));
                if written.is_ok() {
                    assert!(failures > 20 && syncs, "{failures} failures");
                    assert_eq!(fs::read(&path).expect("the file"), vec![2; 300_000]);
                    return;
                }
                failures += 1;
                assert_eq!(fs::read(&path).expect("the file"), [1; 10]);
                assert_eq!(directory.names(), ["model"]);
            }
        }
    }

    #[test]
    fn what_was_there_can_be_kept() {
        let directory = Directory::new("kept");
        let (path, previous) = (directory.0.join("model"), directory.0.join("before"));
        for byte in 0..4 {
            replace_keeping(&path, &previous, pieces(10, byte)).expect("a file");
            assert_eq!(fs::read(&path).expect("the file"), [byte; 10]);
            let before = fs::read(&previous).ok();
            assert_eq!(before, (byte > 0).then(|| vec![byte.wrapping_sub(1); 10]));
        }
        assert_eq!(directory.names(), ["before", "model"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_and_who_may_read_the_file_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let directory = Directory::new("link");
        let (path, link) = (directory.0.join("model"), directory.0.join("latest"));
        replace(&path, pieces(10, 1)).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("permissions");
        symlink("model", &link).expect("a link");
        replace(&link, pieces(10, 2)).expect("a file");
        assert_eq!(fs::read_link(&link).expect("a link"), Path::new("model"));
        assert_eq!(fs::read(&path).expect("the file"), [2; 10]);
        let mode = fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(directory.names(), ["latest", "model"]);
    }

    #[test]
    fn what_a_killed_writer_left_is_removed_and_what_another_writes_is_not() {
        let directory = Directory::new("left");
        let path = directory.0.join("model");
        let left = directory.0.join(format!(".model.1-0{SUFFIX}"));
        fs::write(&left, "half").expect("a file");
        let (_writing, _file) = Temporary::beside(&path).expect("a file");
        fs::write(directory.0.join(".other.tmp"), "of another program").expect("a file");
        assert_eq!(directory.names().len(), 3);
        remove_unlocked(&directory.0).expect("the directory");
        assert!(!left.exists());
        assert_eq!(directory.names().len(), 2);
        // What is done for a directory is done once.
        remove_leftovers(&directory.0);
        fs::write(&left, "half").expect("a file");
        replace(&path, pieces(10, 1)).expect("a file");
        assert!(left.exists());
    }

    #[test]
    fn a_writer_that_panics_leaves_nothing() {
        let directory = Directory::new("panics");
        let path = directory.0.join("model");
        let panics = || replace(&path, |_| std::panic::panic_any("no reason"));
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!(directory.names(), [""; 0]);
    }

    #[test]
    fn a_place_where_no_file_can_be_is_an_error() {
        let directory = Directory::new("nowhere");
        let write = || pieces(10, 1);
        assert!(replace(&directory.0, write()).is_err());
        assert!(replace(&directory.0.join("no such directory/model"), write()).is_err());
        assert!(replace(Path::new("/"), write()).is_err());
        assert!(replace(Path::new(""), write()).is_err());
    }
}
