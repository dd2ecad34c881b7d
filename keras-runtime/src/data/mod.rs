//! Data: tables on the host, data sets, and the batches that are cut from them.

mod columns;
mod dataset;
mod table;

pub use columns::{Columns, IntoColumns};
pub(crate) use dataset::batches;
pub use dataset::{Data, Dataset, IntoData};
pub use table::{Element, IntoTable, Table};

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
