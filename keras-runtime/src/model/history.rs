//! What training reports: the values of one batch or epoch, and of all epochs.

use std::sync::Arc;

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
}

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
