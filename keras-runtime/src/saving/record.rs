//! Named values: what a callback, or another part of a training, has to remember.
//!
//! ```text
//! record      text class, u32 how many entries; of each: text name, u8 kind, values
//! values      0 whole numbers: u64 how many, u64 each
//!             1 other numbers: u64 how many, f64 each
//!             2 texts: u32 how many, text each
//!             3 arrays: u32 how many; of each: u32 rank, u64 per dimension, f32 values
//!             4 records: u32 how many, record each
//! ```

use std::io::{self, Read};
use std::sync::Arc;

use ndarray::ArrayD;

use super::native::{Decoder, Encoder};
use crate::error::{Error, Result};

/// The most records that may lie in one another.
const MAX_DEPTH: usize = 16;

/// What a part of a training remembers, by name: what it gives a backup and gets back from it.
///
/// Every value is a list, so that what may be missing is an empty one.
///
/// ```
/// use keras_runtime::callbacks::Record;
///
/// let (wait, best) = (3, Some(0.25));
/// let record = Record::new("Patience").with_number("wait", wait).with_floats("best", best);
/// assert_eq!(record.number("wait")?, 3);
/// assert_eq!(record.floats("best")?.first(), Some(&0.25));
/// # Ok::<(), keras_runtime::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub(super) class: String,
    pub(super) entries: Vec<(String, Values)>,
}

/// The values of one name.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    Numbers(Vec<u64>),
    Floats(Vec<f64>),
    Texts(Vec<String>),
    Arrays(Arc<[ArrayD<f32>]>),
    Records(Vec<Record>),
}

impl Record {
    /// Nothing yet, of a part of this class, such as `EarlyStopping`.
    pub fn new(class: &str) -> Self {
        Self {
            class: class.to_owned(),
            entries: Vec::new(),
        }
    }

    /// The class of what remembers this.
    pub fn class(&self) -> &str {
        &self.class
    }

    fn with(mut self, name: &str, values: Values) -> Self {
        self.entries.push((name.to_owned(), values));
        self
    }

    /// One whole number: a count, a position, 0 or 1 for something that is or is not.
    #[must_use]
    pub fn with_number(self, name: &str, number: u64) -> Self {
        self.with_numbers(name, [number])
    }

    /// Whole numbers.
    #[must_use]
    pub fn with_numbers(self, name: &str, numbers: impl IntoIterator<Item = u64>) -> Self {
        self.with(name, Values::Numbers(numbers.into_iter().collect()))
    }

    /// Other numbers.
    #[must_use]
    pub fn with_floats(self, name: &str, floats: impl IntoIterator<Item = f64>) -> Self {
        self.with(name, Values::Floats(floats.into_iter().collect()))
    }

    /// Texts.
    #[must_use]
    pub fn with_texts(self, name: &str, texts: impl IntoIterator<Item = String>) -> Self {
        self.with(name, Values::Texts(texts.into_iter().collect()))
    }

    /// Arrays, such as weights, which are shared and not copied.
    #[must_use]
    pub fn with_arrays(self, name: &str, arrays: Arc<[ArrayD<f32>]>) -> Self {
        self.with(name, Values::Arrays(arrays))
    }

    /// Records of parts.
    #[must_use]
    pub fn with_records(self, name: &str, records: impl IntoIterator<Item = Record>) -> Self {
        self.with(name, Values::Records(records.into_iter().collect()))
    }

    fn get(&self, name: &str) -> Option<&Values> {
        let entry = self.entries.iter().find(|(entry, _)| entry == name);
        entry.map(|(_, values)| values)
    }

    /// Whether there are values of this name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// One whole number.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn number(&self, name: &str) -> Result<u64> {
        match self.numbers(name)? {
            [number] => Ok(*number),
            numbers => Err(Error::value(format!(
                "Expected one number as `{name}` of {}. Received: {} numbers",
                self.class,
                numbers.len()
            ))),
        }
    }

    /// One whole number that counts things in memory.
    ///
    /// # Errors
    /// As [`number`](Self::number).
    pub fn count(&self, name: &str) -> Result<usize> {
        let number = self.number(name)?;
        usize::try_from(number).map_err(|_| self.missing(name, "a number of things"))
    }

    /// Something that is or is not.
    ///
    /// # Errors
    /// As [`number`](Self::number).
    pub fn flag(&self, name: &str) -> Result<bool> {
        Ok(self.number(name)? != 0)
    }

    fn missing(&self, name: &str, what: &str) -> Error {
        let names: Vec<&str> = self.entries.iter().map(|(name, _)| name.as_str()).collect();
        Error::value(format!(
            "Expected {what} as `{name}` of {}. Received: {names:?}",
            self.class
        ))
    }
}

/// A method that gives the values of a kind.
macro_rules! kinds {
    ($($(#[$meta:meta])* $method:ident: $kind:ident -> $of:ty, $what:literal;)*) => {
        impl Record {
            $($(#[$meta])*
            ///
            /// # Errors
            /// If there are none of this name.
            pub fn $method(&self, name: &str) -> Result<&$of> {
                match self.get(name) {
                    Some(Values::$kind(values)) => Ok(values),
                    _ => Err(self.missing(name, $what)),
                }
            })*
        }
    };
}

kinds! {
    /// Whole numbers.
    numbers: Numbers -> [u64], "numbers";
    /// Other numbers.
    floats: Floats -> [f64], "numbers";
    /// Texts.
    texts: Texts -> [String], "texts";
    /// Arrays.
    arrays: Arrays -> Arc<[ArrayD<f32>]>, "arrays";
    /// Records of parts.
    records: Records -> [Record], "records";
}

impl Record {
    /// The record of one part.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn record(&self, name: &str) -> Result<&Record> {
        let first = self.records(name)?.first();
        first.ok_or_else(|| self.missing(name, "a record"))
    }
}

impl Record {
    /// Writes it.
    pub(super) fn encode(&self, out: &mut Encoder<'_>) -> io::Result<()> {
        out.text(&self.class)?;
        out.count(self.entries.len())?;
        for (name, values) in &self.entries {
            out.text(name)?;
            match values {
                Values::Numbers(numbers) => {
                    out.bytes(&[0])?;
                    out.list(numbers.iter().copied())?;
                }
                Values::Floats(floats) => {
                    out.bytes(&[1])?;
                    out.list(floats.iter().map(|float| float.to_bits()))?;
                }
                Values::Texts(texts) => {
                    out.bytes(&[2])?;
                    out.count(texts.len())?;
                    texts.iter().try_for_each(|text| out.text(text))?;
                }
                Values::Arrays(arrays) => {
                    out.bytes(&[3])?;
                    out.count(arrays.len())?;
                    arrays
                        .iter()
                        .try_for_each(|array| out.tensor(array.view()))?;
                }
                Values::Records(records) => {
                    out.bytes(&[4])?;
                    out.count(records.len())?;
                    records.iter().try_for_each(|record| record.encode(out))?;
                }
            }
        }
        Ok(())
    }

    /// Reads one that lies in so many others.
    pub(super) fn decode(source: &mut Decoder<impl Read>, depth: usize) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err(format!(
                "The file is damaged: expected at most {MAX_DEPTH} records in one another"
            ));
        }
        let mut record = Self {
            class: source.text()?,
            entries: Vec::new(),
        };
        for _ in 0..source.count()? {
            let name = source.text()?;
            let values = match source.array()? {
                [0] => Values::Numbers(source.list(|number| number)?),
                [1] => Values::Floats(source.list(f64::from_bits)?),
                [2] => Values::Texts(several(source, |source| source.text())?),
                [3] => Values::Arrays(
                    several(source, |source| Ok(source.tensor()?.into_owned()))?.into(),
                ),
                [4] => Values::Records(several(source, |source| Self::decode(source, depth + 1))?),
                [kind] => {
                    return Err(format!(
                        "The file is damaged: expected values of the kinds 0 to 4. Received: {kind}"
                    ));
                }
            };
            record.entries.push((name, values));
        }
        Ok(record)
    }
}

/// Reads a number of things, each of which takes at least a byte.
fn several<R: Read, T>(
    source: &mut Decoder<R>,
    read: impl Fn(&mut Decoder<R>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let mut found = Vec::new();
    for _ in 0..source.count()? {
        found.push(read(source)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_and_others_are_errors() -> Result<()> {
        let arrays: Arc<[ArrayD<f32>]> = vec![ArrayD::zeros(vec![2, 3])].into();
        let record = Record::new("Part")
            .with_number("wait", 3)
            .with_numbers("last", None)
            .with_floats("best", Some(0.5))
            .with_texts("names", ["loss".to_owned()])
            .with_arrays("weights", arrays.clone())
            .with_records("inner", [Record::new("Inner").with_number("is_on", 1)]);
        assert_eq!((record.class(), record.count("wait")?), ("Part", 3));
        assert_eq!(record.numbers("last")?.first(), None);
        assert_eq!(record.floats("best")?, [0.5]);
        assert_eq!(record.texts("names")?, ["loss"]);
        assert_eq!(record.arrays("weights")?, &arrays);
        assert!(record.record("inner")?.flag("is_on")?);
        let sentence = |error: Error| error.to_string();
        assert_eq!(
            record.floats("wait").map_err(sentence),
            Err("Expected numbers as `wait` of Part. Received: [\"wait\", \"last\", \"best\", \"names\", \"weights\", \
                 \"inner\"]"
                .to_owned())
        );
        assert!(record.number("last").is_err());
        assert!(record.number("nothing").is_err());
        assert!(Record::default().record("inner").is_err());
        Ok(())
    }
}
