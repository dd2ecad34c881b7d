//! Arrays from NumPy's `.npy` files, batch by batch.
//!
//! ```text
//! \x93NUMPY, version (2 bytes), length of the header (2 or 4 bytes), header, numbers
//! header: {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), }
//! ```

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arrays::Arrays;
use super::columns::Columns;
use super::dataset::Dataset;
use super::prefetch::Prefetch;
use super::stream::{Batches, Stream};
use super::table::Table;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The batches that are read ahead.
const AHEAD: usize = 2;

impl Dataset<'_> {
    /// Inputs and targets from two `.npy` files, in their order. The files are read in a thread of
    /// their own, a few batches ahead, anew in every epoch.
    ///
    /// # Errors
    /// If a file cannot be read, is no such file, or has another number of samples than the other.
    pub fn from_npy(
        x: impl AsRef<Path>,
        y: impl AsRef<Path>,
        batch_size: usize,
    ) -> Result<Dataset<'static>> {
        if batch_size == 0 {
            return Err(Error::value(
                "`batch_size` expects a positive integer. Received: batch_size=0",
            ));
        }
        let (x, y) = (Npy::open(x.as_ref())?, Npy::open(y.as_ref())?);
        if x.rows != y.rows {
            return Err(Error::value(format!(
                "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.'x' sizes: {}\n\
                 'y' sizes: {}\n",
                x.rows, y.rows
            )));
        }
        let rows = x.rows;
        let pair = Pair {
            paths: [x.path, y.path],
            rows,
            batch_size,
        };
        Ok(Dataset::stream(Prefetch {
            of: Arc::new(pair),
            ahead: AHEAD,
        }))
    }
}

/// Two files with as many rows each.
struct Pair {
    paths: [PathBuf; 2],
    rows: usize,
    batch_size: usize,
}

impl Stream for Pair {
    fn open<'s>(self: Arc<Self>) -> Result<Batches<'s>>
    where
        Self: 's,
    {
        let (mut x, mut y) = (Npy::open(&self.paths[0])?, Npy::open(&self.paths[1])?);
        let mut left = self.rows;
        Ok(Box::new(std::iter::from_fn(move || {
            let rows = left.min(self.batch_size);
            if rows == 0 {
                return None;
            }
            left -= rows;
            let mut read = || -> Result<Arrays<'static>> {
                Ok(Arrays {
                    inputs: Columns::new(vec![x.read(rows)?]),
                    targets: Some(Columns::new(vec![y.read(rows)?])),
                    sample_weights: None,
                })
            };
            let batch = read();
            if batch.is_err() {
                left = 0;
            }
            Some(batch)
        })))
    }

    fn batches(&self) -> Option<usize> {
        Some(self.rows.div_ceil(self.batch_size))
    }
}

/// A file that is being read.
struct Npy {
    path: PathBuf,
    reader: BufReader<File>,
    kind: Kind,
    shape: Shape,
    rows: usize,
}

/// How a number is stored: in so many bytes, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Float(usize),
    Signed(usize),
    Unsigned(usize),
}

impl Kind {
    fn parse(word: &str) -> Option<Kind> {
        let (order, rest) = word.split_at_checked(1)?;
        let (letter, size) = rest.split_at_checked(1)?;
        let size: usize = size.parse().ok()?;
        let is_native = size == 1 || order == "<";
        match (letter, size) {
            ("f", 4 | 8) if is_native => Some(Kind::Float(size)),
            ("i", 1 | 2 | 4 | 8) if is_native => Some(Kind::Signed(size)),
            ("u", 1 | 2 | 4 | 8) | ("b", 1) if is_native => Some(Kind::Unsigned(size)),
            _ => None,
        }
    }

    const fn size(self) -> usize {
        let (Kind::Float(size) | Kind::Signed(size) | Kind::Unsigned(size)) = self;
        size
    }

    /// The number in some bytes.
    fn number(self, bytes: &[u8]) -> f32 {
        // The lowest bytes first, filled up to eight.
        let fill = match (self, bytes.last()) {
            (Kind::Signed(_), Some(128..)) => 0xff,
            _ => 0,
        };
        let mut whole = [fill; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        let bits = u64::from_le_bytes(whole);
        match self {
            Kind::Float(4) => f32::from_bits(bits as u32),
            Kind::Float(_) => f64::from_bits(bits) as f32,
            Kind::Signed(_) => bits as i64 as f32,
            Kind::Unsigned(_) => bits as f32,
        }
    }
}

impl Npy {
    /// Reads the header of a file.
    fn open(path: &Path) -> Result<Npy> {
        let error = |message: String| Error::File {
            path: path.display().to_string(),
            message,
        };
        let failed = |failed: std::io::Error| error(failed.to_string());
        let mut reader = BufReader::new(File::open(path).map_err(failed)?);
        let mut start = [0; 8];
        reader.read_exact(&mut start).map_err(failed)?;
        if &start[..6] != b"\x93NUMPY" {
            return Err(error(
                "expected a file that NumPy's `save` has written. Received: other bytes".into(),
            ));
        }
        let mut length = [0; 4];
        let width = if start[6] == 1 { 2 } else { 4 };
        reader.read_exact(&mut length[..width]).map_err(failed)?;
        let mut header = Vec::new();
        let mut limited = reader.by_ref().take(u32::from_le_bytes(length).into());
        limited.read_to_end(&mut header).map_err(failed)?;
        let header = String::from_utf8_lossy(&header).into_owned();
        let unknown = || {
            error(format!(
                "expected an array of numbers, the lowest bytes first, in C order. Received: {}",
                header.trim()
            ))
        };
        let parsed = parse(&header).ok_or_else(unknown)?;
        let (kind, dims) = parsed;
        let Some((&rows, sample)) = dims.split_first() else {
            return Err(unknown());
        };
        if sample.len() > Shape::MAX_RANK {
            return Err(unknown());
        }
        Ok(Npy {
            path: path.to_owned(),
            reader,
            kind,
            shape: Shape::new(sample),
            rows,
        })
    }

    /// The next rows.
    fn read(&mut self, rows: usize) -> Result<Table<'static>> {
        let size = self.kind.size();
        let mut bytes = vec![0; rows * self.shape.size() * size];
        let read = self.reader.read_exact(&mut bytes);
        read.map_err(|error| Error::File {
            path: self.path.display().to_string(),
            message: error.to_string(),
        })?;
        let numbers = bytes.chunks_exact(size);
        let numbers: Vec<f32> = numbers.map(|number| self.kind.number(number)).collect();
        Ok(Table {
            values: numbers.into(),
            shape: self.shape,
            rows,
        })
    }
}

/// The kind of the numbers and the shape that a header tells.
fn parse(header: &str) -> Option<(Kind, Vec<usize>)> {
    let value = |key: &str| {
        let (_, after) = header.split_once(&format!("'{key}':"))?;
        Some(after.trim_start())
    };
    let kind = value("descr")?.strip_prefix('\'')?.split_once('\'')?.0;
    if !value("fortran_order")?.starts_with("False") {
        return None;
    }
    let dims = value("shape")?.strip_prefix('(')?.split_once(')')?.0;
    let dims = dims.split(',').map(str::trim).filter(|dim| !dim.is_empty());
    let dims: Option<Vec<usize>> = dims.map(|dim| dim.parse().ok()).collect();
    Some((Kind::parse(kind)?, dims?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{TempFile, batches};

    /// A file as NumPy writes it.
    fn npy(name: &str, descr: &str, shape: &str, numbers: &[u8]) -> TempFile {
        let mut header =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        while !(10 + header.len() + 1).is_multiple_of(64) {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(numbers);
        TempFile::new(name, &bytes)
    }

    #[test]
    fn arrays_of_several_types_are_read_in_batches() -> Result<()> {
        let floats: Vec<u8> = (0..6).flat_map(|i| (i as f32).to_le_bytes()).collect();
        let whole: Vec<u8> = [-1i16, 2, 300]
            .into_iter()
            .flat_map(i16::to_le_bytes)
            .collect();
        let x = npy("x.npy", "<f4", "(3, 2)", &floats);
        let y = npy("y.npy", "<i2", "(3,)", &whole);
        let data = Dataset::from_npy(&x.path, &y.path, 2)?;
        assert_eq!(data.cardinality(), Some(2));
        let read = batches(&data)?;
        assert_eq!(*read[0].inputs.tables[0].values, [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(read[0].inputs.tables[0].shape, Shape::new(&[2]));
        let targets: Vec<f32> = read
            .iter()
            .filter_map(|batch| batch.targets.as_ref())
            .flat_map(|targets| targets.tables[0].values.to_vec())
            .collect();
        assert_eq!(targets, [-1.0, 2.0, 300.0]);
        Ok(())
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let short = npy("short.npy", "<f4", "(2, 2)", &[0; 12]);
        let objects = npy("objects.npy", "|O", "(2,)", &[0; 8]);
        let text = TempFile::new("text.npy", b"no array at all");
        let read = |file: &TempFile| {
            let data = Dataset::from_npy(&file.path, &file.path, 4);
            let read = data.and_then(|data| batches(&data));
            read.map(|_| ()).unwrap_err().to_string()
        };
        assert!(read(&short).contains("short.npy"));
        assert!(read(&objects).contains("Received: {'descr': '|O'"));
        assert!(read(&text).contains("NumPy's `save`"));
    }
}
