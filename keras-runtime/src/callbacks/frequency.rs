//! How often a callback does something.

/// `"epoch"`, or a number of batches: what a [`ModelCheckpoint`](super::ModelCheckpoint) takes as
/// `save_freq` and a [`TensorBoard`](super::TensorBoard) as `update_freq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// At the end of every epoch.
    Epoch,
    /// After every so many batches.
    Batches(i64),
    /// Another word; whether it means anything is for the callback to say.
    Word(String),
}

impl From<&str> for Frequency {
    fn from(word: &str) -> Self {
        match word {
            "epoch" => Self::Epoch,
            _ => Self::Word(word.into()),
        }
    }
}

impl From<i32> for Frequency {
    fn from(batches: i32) -> Self {
        Self::Batches(batches.into())
    }
}

impl From<usize> for Frequency {
    fn from(batches: usize) -> Self {
        Self::Batches(i64::try_from(batches).unwrap_or(i64::MAX))
    }
}
