//! Arrays from NumPy's `.npy` files, batch by batch.
//!
//! ```text
//! \x93NUMPY, version (2 bytes), length of the header (2 or 4 bytes), header, numbers
//! header: {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), }
//! ```

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arrays::Arrays;
use super::columns::Columns;
use super::dataset::Dataset;
use super::prefetch::Prefetch;
use super::stream::{Batches, Stream};
use super::table::Table;
use crate::error::{Error, Result};
use crate::numbers::Number;
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
    number: Number,
    shape: Shape,
    rows: usize,
}

/// What the header of an array tells.
#[derive(Debug, PartialEq)]
pub(crate) struct Header {
    /// How its numbers are stored.
    pub number: Number,
    /// Its shape.
    pub dims: Vec<usize>,
}

/// The longest header; NumPy itself trusts none of more than 10,000 bytes.
const MAX_HEADER: u32 = 1 << 16;

impl Header {
    /// Reads the header, up to the first number.
    ///
    /// # Errors
    /// If it is none of NumPy's, or of another array than of numbers, the lowest bytes first, in C order.
    pub fn read(source: &mut impl Read) -> Result<Self, String> {
        let failed = |failed: std::io::Error| failed.to_string();
        let mut start = [0; 8];
        source.read_exact(&mut start).map_err(failed)?;
        if &start[..6] != b"\x93NUMPY" {
            return Err(
                "expected a file that NumPy's `save` has written. Received: other bytes".into(),
            );
        }
        let mut len = [0; 4];
        let width = if start[6] == 1 { 2 } else { 4 };
        source.read_exact(&mut len[..width]).map_err(failed)?;
        let mut header = Vec::new();
        let len = u32::from_le_bytes(len).min(MAX_HEADER);
        let mut limited = source.by_ref().take(len.into());
        limited.read_to_end(&mut header).map_err(failed)?;
        let header = String::from_utf8_lossy(&header);
        parse(&header).ok_or_else(|| {
            format!(
                "expected an array of numbers, the lowest bytes first, in C order. Received: {}",
                header.trim()
            )
        })
    }

    /// The header of an array of `f32`, filled up as NumPy does.
    pub fn encode(dims: &[usize]) -> Vec<u8> {
        let dims: String = dims.iter().map(|dim| format!("{dim}, ")).collect();
        // One number makes a tuple with a comma behind it.
        let dims = match dims.matches(',').count() {
            1 => dims.trim_end(),
            _ => dims.trim_end_matches(", "),
        };
        let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({dims}), }}");
        let len = (10 + header.len() + 1).next_multiple_of(64) - 11;
        header.extend(std::iter::repeat_n(' ', len - header.len()));
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes
    }

    /// How many bytes the numbers take; `None` if that is beyond all bounds.
    pub fn len(&self) -> Option<u64> {
        // What has no numbers because of one dimension may still not be huge along the others.
        let mut sizes = self.dims.iter().map(|&dim| dim.max(1));
        let size = sizes.try_fold(self.number.size(), |len, dim| len.checked_mul(dim))?;
        isize::try_from(size).ok()?;
        let is_empty = self.dims.contains(&0);
        Some(if is_empty { 0 } else { size as u64 })
    }
}

/// The way of storing numbers that a word such as `<f4` tells.
fn number(word: &str) -> Option<Number> {
    let (order, rest) = word.split_at_checked(1)?;
    let (letter, size) = rest.split_at_checked(1)?;
    let size: usize = size.parse().ok()?;
    let is_native = size == 1 || order == "<";
    match (letter, size) {
        _ if !is_native => None,
        ("f", 2) => Some(Number::Float16),
        ("f", 4) => Some(Number::Float32),
        ("f", 8) => Some(Number::Float64),
        ("i", 1 | 2 | 4 | 8) => Some(Number::Signed(size)),
        ("u", 1 | 2 | 4 | 8) | ("b", 1) => Some(Number::Unsigned(size)),
        _ => None,
    }
}

impl Npy {
    /// Reads the header of a file.
    fn open(path: &Path) -> Result<Npy> {
        let error = |message: String| Error::file(path, message);
        let failed = |failed: std::io::Error| Error::file(path, failed);
        let mut reader = BufReader::new(File::open(path).map_err(failed)?);
        let header = Header::read(&mut reader).map_err(error)?;
        let begin = reader.stream_position().map_err(failed)?;
        let end = reader.get_ref().metadata().map_err(failed)?.len();
        let len = header.len();
        if len.is_none_or(|len| len > end.saturating_sub(begin)) {
            return Err(error(format!(
                "the file ends too early. Expected an array of shape {:?}. Received: {end} bytes",
                header.dims
            )));
        }
        let Some((&rows, sample)) = header.dims.split_first() else {
            return Err(error(
                "expected an array of samples. Received: one number".into(),
            ));
        };
        // Any number of them would fit into the file.
        if sample.contains(&0) {
            return Err(error(format!(
                "expected samples that have values. Received: an array of shape {:?}",
                header.dims
            )));
        }
        if sample.len() > Shape::MAX_RANK {
            return Err(error(format!(
                "expected samples of at most {} axes. Received: {}",
                Shape::MAX_RANK,
                sample.len()
            )));
        }
        Ok(Npy {
            path: path.to_owned(),
            reader,
            number: header.number,
            shape: Shape::new(sample),
            rows,
        })
    }

    /// The next rows.
    fn read(&mut self, rows: usize) -> Result<Table<'static>> {
        let numbers = self.number.read(&mut self.reader, rows * self.shape.size());
        let numbers = numbers.map_err(|error| Error::file(&self.path, error))?;
        Ok(Table {
            values: numbers.into(),
            shape: self.shape,
            rows,
        })
    }
}

/// What a header tells.
fn parse(header: &str) -> Option<Header> {
    let value = |key: &str| {
        let (_, after) = header.split_once(&format!("'{key}':"))?;
        Some(after.trim_start())
    };
    let word = value("descr")?.strip_prefix('\'')?.split_once('\'')?.0;
    if !value("fortran_order")?.starts_with("False") {
        return None;
    }
    let dims = value("shape")?.strip_prefix('(')?.split_once(')')?.0;
    let dims = dims.split(',').map(str::trim).filter(|dim| !dim.is_empty());
    let dims: Option<Vec<usize>> = dims.map(|dim| dim.parse().ok()).collect();
    Some(Header {
        number: number(word)?,
        dims: dims?,
    })
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
    fn headers_that_are_written_are_read() {
        for dims in [&[][..], &[7], &[3, 2], &[2, 3, 4, 5]] {
            let bytes = Header::encode(dims);
            assert!(bytes.len().is_multiple_of(64));
            let header = Header {
                number: Number::Float32,
                dims: dims.to_vec(),
            };
            assert_eq!(Header::read(&mut &bytes[..]), Ok(header));
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let short = npy("short.npy", "<f4", "(2, 2)", &[0; 12]);
        let objects = npy("objects.npy", "|O", "(2,)", &[0; 8]);
        let empty = npy("empty.npy", "<f4", "(77777777777413, 0, 3)", &[]);
        let huge = npy("huge.npy", "<f4", "(4294967296, 4294967296)", &[0; 16]);
        let text = TempFile::new("text.npy", b"no array at all");
        let read = |file: &TempFile| {
            let data = Dataset::from_npy(&file.path, &file.path, 4);
            let read = data.and_then(|data| batches(&data));
            read.map(|_| ()).unwrap_err().to_string()
        };
        assert!(read(&short).contains("short.npy"));
        assert!(read(&empty).contains("samples that have values"));
        assert!(read(&huge).contains("ends too early"));
        assert!(read(&objects).contains("Received: {'descr': '|O'"));
        assert!(read(&text).contains("NumPy's `save`"));
    }
}
