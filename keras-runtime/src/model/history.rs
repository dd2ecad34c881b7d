//! What training reports: the values of one batch or epoch, and of all epochs.

use std::sync::Arc;

use crate::config::{Argument, Json, Object, Read};
use crate::error::{Error, Result};

use ndarray::Array1;

use crate::saving::Record;

/// Named values, such as `loss` and `accuracy`, in the order in which they came.
///
/// `fit` has them in Keras' order: those of training by their names, those of validation likewise,
/// then what callbacks add at the end of an epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logs {
    entries: Vec<(Arc<str>, f32)>,
}

impl Logs {
    /// No values.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<f32> {
        self.slot(name).map(|at| self.entries[at].1)
    }

    /// Sets the value of a name; a new one comes last.
    pub fn insert(&mut self, name: &str, value: f32) {
        match self.slot(name) {
            Some(at) => self.entries[at].1 = value,
            None => self.entries.push((name.into(), value)),
        }
    }

    /// Forgets the value of a name.
    pub fn remove(&mut self, name: &str) {
        self.entries.retain(|(entry, _)| &**entry != name);
    }

    /// Sets the value of the name at a [`slot`](Logs::slot).
    pub(crate) fn set(&mut self, slot: usize, value: f32) {
        if let Some(entry) = self.entries.get_mut(slot) {
            entry.1 = value;
        }
    }

    /// Where a name is among the entries, for setting it again and again.
    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|(entry, _)| &**entry == name)
    }

    /// Puts the entries into the order of their names.
    pub(crate) fn sort(&mut self) {
        self.entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    }

    /// The names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f32)> {
        self.entries.iter().map(|(name, value)| (&**name, *value))
    }

    /// The same in double precision, as a progress bar takes them.
    pub(crate) fn wide(&self) -> impl Iterator<Item = (&str, f64)> {
        self.iter().map(|(name, value)| (name, value.into()))
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets every value.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// The same for a backup.
    pub(crate) fn record(&self) -> Record {
        Record::new("Logs")
            .with_texts("names", self.names().map(str::to_owned))
            .with_floats("values", self.wide().map(|(_, value)| value))
    }

    /// What is in a backup.
    pub(crate) fn from_record(record: &Record) -> Result<Self> {
        let mut logs = Self::new();
        let values = record.floats("values")?;
        for (name, value) in record.texts("names")?.iter().zip(values) {
            logs.insert(name, *value as f32);
        }
        Ok(logs)
    }
}

/// The logs of every epoch: what `fit` returns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    epochs: Vec<usize>,
    columns: Vec<(Arc<str>, Vec<f32>)>,
}

impl History {
    /// No epochs yet.
    pub const fn new() -> Self {
        Self {
            epochs: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// The values of a name, one for each epoch that has one: `val_loss` may have fewer than
    /// `loss`.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        let column = self.columns.iter().find(|(column, _)| &**column == name);
        column.map(|(_, values)| values.as_slice())
    }

    /// The numbers of the epochs, from 0 or from `initial_epoch`.
    pub fn epochs(&self) -> &[usize] {
        &self.epochs
    }

    /// The names, in the order of the logs.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| &**name)
    }

    /// What Keras' `History` has, in JSON: `{"epoch": [0, 1], "history": {"loss": [0.5, 0.25]}}`.
    pub fn to_json(&self) -> Json {
        let columns = self.columns.iter();
        let columns = columns.map(|(name, values)| (&**name, Argument::to_json(values)));
        Object::new()
            .with("epoch", Argument::to_json(&self.epochs))
            .with("history", columns.collect::<Object>())
            .into()
    }

    /// The history of such a JSON.
    ///
    /// # Errors
    /// If it is none.
    pub fn from_json(json: &Json) -> Result<Self> {
        let of = |name: &str| json.get(name).unwrap_or(&Json::Null);
        let columns = of("history").as_object().ok_or_else(|| {
            Error::value("Expected an object with `epoch` and `history`. Received: something else")
        })?;
        let columns = columns.iter();
        let columns = columns.map(|(name, values)| Ok((name.into(), values.read(name)?)));
        Ok(Self {
            epochs: of("epoch").read("epoch")?,
            columns: columns.collect::<Result<_>>()?,
        })
    }

    /// Adds the logs of an epoch.
    pub fn push(&mut self, epoch: usize, logs: &Logs) {
        self.epochs.push(epoch);
        for (name, value) in &logs.entries {
            match self.columns.iter_mut().find(|(column, _)| column == name) {
                Some((_, values)) => values.push(*value),
                None => self.columns.push((name.clone(), vec![*value])),
            }
        }
    }

    /// The same for a backup.
    pub(crate) fn record(&self) -> Record {
        let values = self.columns.iter().map(|(_, values)| values.clone());
        let values = values.map(|values| Array1::from(values).into_dyn());
        Record::new("History")
            .with_numbers("epochs", self.epochs.iter().map(|&epoch| epoch as u64))
            .with_texts("names", self.names().map(str::to_owned))
            .with_arrays("values", values.collect())
    }

    /// What is in a backup.
    pub(crate) fn from_record(record: &Record) -> Result<Self> {
        let names = record.texts("names")?.iter();
        let columns = names.zip(record.arrays("values")?.iter());
        let epochs = record.numbers("epochs")?.iter();
        Ok(Self {
            epochs: epochs.map(|&epoch| epoch as usize).collect(),
            columns: columns
                .map(|(name, values)| (name.as_str().into(), values.iter().copied().collect()))
                .collect(),
        })
    }
}

#[cfg(feature = "serde")]
crate::config::serde::by_json! { History }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_comes_last_and_a_known_one_keeps_its_place() {
        let mut logs = Logs::new();
        for name in ["loss", "acc"] {
            logs.insert(name, 1.0);
        }
        logs.sort();
        for name in ["val_acc", "val_loss", "learning_rate", "loss"] {
            logs.insert(name, 2.0);
        }
        let names: Vec<&str> = logs.names().collect();
        assert_eq!(
            names,
            ["acc", "loss", "val_acc", "val_loss", "learning_rate"]
        );
        assert_eq!((logs.get("loss"), logs.get("nope")), (Some(2.0), None));
    }

    #[test]
    fn a_history_is_json() -> Result<()> {
        let mut history = History::new();
        let mut logs = Logs::new();
        logs.insert("loss", 0.1);
        history.push(2, &logs);
        logs.insert("loss", f32::NAN);
        history.push(3, &logs);
        let json = history.to_json();
        let text = r#"{"epoch": [2, 3], "history": {"loss": [0.1, NaN]}}"#;
        assert_eq!(json.to_string(), text);
        let again = History::from_json(&Json::parse(text).map_err(Error::Value)?)?;
        assert_eq!(again.to_json().to_string(), text);
        assert!(History::from_json(&Json::Null).is_err());
        Ok(())
    }

    #[test]
    fn validation_may_skip_epochs() {
        let mut history = History::new();
        let mut logs = Logs::new();
        logs.insert("loss", 1.0);
        history.push(2, &logs);
        logs.insert("val_loss", 3.0);
        history.push(3, &logs);
        assert_eq!(history.epochs(), [2, 3]);
        assert_eq!(history.get("loss"), Some(&[1.0, 1.0][..]));
        assert_eq!(history.get("val_loss"), Some(&[3.0][..]));
    }
}
