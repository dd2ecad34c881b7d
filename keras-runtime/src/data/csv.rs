//! Numbers from a CSV file, batch by batch.

use std::fs::File;
use std::io::{BufRead, BufReader};
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

/// How a CSV file is read.
///
/// Every line is a sample: numbers with commas between them, the targets last. A first line that is
/// not made of numbers is a header.
#[derive(Clone, Debug)]
pub struct Csv {
    path: PathBuf,
    delimiter: char,
    targets: usize,
    batch_size: usize,
}

impl Csv {
    /// A file whose last column is the target.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            delimiter: ',',
            targets: 1,
            batch_size: 32,
        }
    }

    /// How many of the last columns are targets; 1 by default. With 0 there are inputs alone.
    #[must_use]
    pub fn targets(mut self, columns: usize) -> Self {
        self.targets = columns;
        self
    }

    /// What stands between two numbers; a comma by default.
    #[must_use]
    pub fn delimiter(mut self, delimiter: char) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// So many samples in a batch; 32 by default.
    #[must_use]
    pub fn batch(mut self, size: usize) -> Self {
        self.batch_size = size;
        self
    }

    /// The samples in the order of the lines. The file is read in a thread of its own, a few batches
    /// ahead, anew in every epoch.
    ///
    /// # Errors
    /// If the file cannot be opened, or the batches are to be empty.
    pub fn open(self) -> Result<Dataset<'static>> {
        if self.batch_size == 0 {
            return Err(Error::value(
                "`batch_size` expects a positive integer. Received: batch_size=0",
            ));
        }
        self.reader()?;
        Ok(Dataset::stream(Prefetch {
            of: Arc::new(self),
            ahead: AHEAD,
        }))
    }

    fn reader(&self) -> Result<BufReader<File>> {
        let file = File::open(&self.path).map_err(|error| self.error(error.to_string()))?;
        Ok(BufReader::new(file))
    }

    fn error(&self, message: String) -> Error {
        Error::file(&self.path, message)
    }
}

impl Dataset<'_> {
    /// The samples of a CSV file of numbers: [`Csv`] says more.
    ///
    /// # Errors
    /// As [`Csv::open`].
    pub fn from_csv(path: impl AsRef<Path>, batch_size: usize) -> Result<Dataset<'static>> {
        Csv::new(path).batch(batch_size).open()
    }
}

impl Stream for Csv {
    fn open<'s>(self: Arc<Self>) -> Result<Batches<'s>>
    where
        Self: 's,
    {
        let mut lines = Lines {
            reader: self.reader()?,
            csv: self,
            line: String::new(),
            number: 0,
            width: None,
        };
        Ok(Box::new(std::iter::from_fn(move || {
            lines.batch().transpose()
        })))
    }
}

/// A file that is being read.
struct Lines {
    csv: Arc<Csv>,
    reader: BufReader<File>,
    line: String,
    number: usize,
    /// The columns of the first sample.
    width: Option<usize>,
}

impl Lines {
    fn batch(&mut self) -> Result<Option<Arrays<'static>>> {
        let (mut values, mut rows) = (Vec::new(), 0);
        while rows < self.csv.batch_size && self.sample(&mut values)? {
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        let width = values.len() / rows;
        let targets = self.csv.targets;
        let columns = |from: usize, to: usize| {
            let rows_of = values.chunks(width);
            let values: Vec<f32> = rows_of.flat_map(|row| row[from..to].to_vec()).collect();
            Columns::new(vec![Table {
                values: values.into(),
                shape: Shape::new(&[to - from]),
                rows,
            }])
        };
        Ok(Some(Arrays {
            inputs: columns(0, width - targets),
            targets: (targets > 0).then(|| columns(width - targets, width)),
            sample_weights: None,
        }))
    }

    /// Appends the numbers of the next line that has any.
    fn sample(&mut self, values: &mut Vec<f32>) -> Result<bool> {
        loop {
            self.line.clear();
            let read = self.reader.read_line(&mut self.line);
            if read.map_err(|error| self.csv.error(error.to_string()))? == 0 {
                return Ok(false);
            }
            self.number += 1;
            let line = self.line.trim();
            if line.is_empty() {
                continue;
            }
            let start = values.len();
            match numbers(line, self.csv.delimiter, values) {
                Ok(()) => {}
                Err(_) if self.number == 1 => {
                    values.truncate(start);
                    continue;
                }
                Err(received) => {
                    let number = self.number;
                    return Err(self.csv.error(format!(
                        "line {number}: expected a number. Received: '{received}'"
                    )));
                }
            }
            self.check_width(values.len() - start)?;
            return Ok(true);
        }
    }

    fn check_width(&mut self, found: usize) -> Result<()> {
        let (targets, number) = (self.csv.targets, self.number);
        let width = *self.width.get_or_insert(found);
        if found <= targets {
            return Err(self.csv.error(format!(
                "line {number}: expected inputs and {targets} target(s). Received: {found} numbers"
            )));
        }
        if found != width {
            return Err(self.csv.error(format!(
                "line {number}: expected {width} numbers, as in the lines before. Received: {found}"
            )));
        }
        Ok(())
    }
}

/// Appends the numbers of a line, or gives what is none.
fn numbers<'a>(line: &'a str, delimiter: char, values: &mut Vec<f32>) -> Result<(), &'a str> {
    for field in line.split(delimiter) {
        let field = field.trim().trim_matches('"');
        values.push(field.parse().map_err(|_| field)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{TempFile, batches};

    #[test]
    fn lines_are_samples_and_the_last_column_is_the_target() -> Result<()> {
        let file = TempFile::new("lines.csv", b"a,b,y\n1,2,3\n\n4, 5,6\n-7.5,1e2,\"0\"\n");
        let data = Dataset::from_csv(&file.path, 2)?;
        for _ in 0..2 {
            let read = batches(&data)?;
            assert_eq!(read.len(), 2);
            assert_eq!(*read[0].inputs.tables[0].values, [1.0, 2.0, 4.0, 5.0]);
            let targets = read[1].targets.as_ref().map(|y| y.tables[0].values[0]);
            assert_eq!((read[1].rows(), targets), (1, Some(0.0)));
        }
        Ok(())
    }

    #[test]
    fn what_is_no_number_is_named_with_its_line() {
        let cases = [
            ("1,2\n3,x\n", "line 2: expected a number. Received: 'x'"),
            ("1,2\n3,4,5\n", "line 2: expected 2 numbers"),
            ("1\n", "line 1: expected inputs and 1 target(s)"),
        ];
        for (text, expected) in cases {
            let file = TempFile::new("wrong.csv", text.as_bytes());
            let read = Dataset::from_csv(&file.path, 2).and_then(|data| batches(&data));
            let error = read.map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(Dataset::from_csv("nowhere.csv", 2).is_err());
    }
}
