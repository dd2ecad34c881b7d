//! What training reports: the values of one batch or epoch, and of all epochs.

use std::sync::Arc;

/// Named values, such as `loss` and `accuracy`, in Keras' order: alphabetical, with `val_*` last.
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
        self.position(name).ok().map(|at| self.entries[at].1)
    }

    /// Sets the value of a name, at its place in the order.
    pub fn insert(&mut self, name: &str, value: f32) {
        match self.position(name) {
            Ok(at) => self.entries[at].1 = value,
            Err(at) => self.entries.insert(at, (name.into(), value)),
        }
    }

    /// Sets the value of the name at a [`slot`](Logs::slot).
    pub(crate) fn set(&mut self, slot: usize, value: f32) {
        if let Some(entry) = self.entries.get_mut(slot) {
            entry.1 = value;
        }
    }

    /// Where a name is among the entries, for setting it again and again.
    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        self.position(name).ok()
    }

    /// The names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f32)> {
        self.entries.iter().map(|(name, value)| (&**name, *value))
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

    /// Where a name is, or belongs.
    fn position(&self, name: &str) -> Result<usize, usize> {
        let order = |name: &str| (name.starts_with("val_"), name.to_owned());
        let key = order(name);
        if let Some(at) = self.entries.iter().position(|(entry, _)| &**entry == name) {
            return Ok(at);
        }
        Err(self
            .entries
            .partition_point(|(entry, _)| order(entry) < key))
    }
}
