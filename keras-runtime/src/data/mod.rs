//! Data: tables on the host, data sets, and the batches that are cut from them.

mod arrays;
mod columns;
mod csv;
mod dataset;
pub(crate) mod npy;
mod order;
mod prefetch;
mod source;
mod stream;
mod table;
mod tensor;
#[cfg(test)]
mod testing;

pub use arrays::Arrays;
pub use columns::{Columns, IntoColumns};
pub use csv::Csv;
pub use dataset::Dataset;
pub(crate) use order::{Elements, Op, Pass, cardinality, open};
pub(crate) use source::Source;
pub use source::{Data, IntoData};
pub(crate) use stream::{Batches as Stream, Stream as Streams};
pub use table::{Element, IntoTable, Table};

use crate::error::Result;

/// The rows of some tables that a step works on.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// One table for each input of the model.
    pub inputs: &'a [Table<'a>],
    /// One table for each output of the model; none when predicting.
    pub targets: &'a [Table<'a>],
    /// One table for each output of the model, or none.
    pub sample_weights: &'a [Table<'a>],
    /// The rows.
    pub rows: &'a [u32],
}

/// Batches one after the other: what a model's train, test and predict functions take.
pub trait Batches: Send {
    /// The next batch; `None` at the end.
    ///
    /// # Errors
    /// If the data cannot be read, or does not fit the model.
    fn next(&mut self) -> Result<Option<Batch<'_>>>;
}
