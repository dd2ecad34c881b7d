//! Data in the order of a model's inputs and outputs.

use super::Model;
use super::build::network;
use crate::data::{Batch, Columns, Data, Table, batches};
use crate::error::{Error, Result};

/// The tables that a model reads.
pub(crate) struct Feed<'a> {
    pub inputs: Vec<Table<'a>>,
    pub targets: Vec<Table<'a>>,
    pub sample_weights: Vec<Table<'a>>,
    drop_remainder: bool,
}

impl<'a> Feed<'a> {
    /// The inputs of a model alone.
    pub fn inputs<M: Model>(columns: Columns<'a>) -> Result<Self> {
        let network = network::<M>();
        let received = columns.tables.len();
        let names: Vec<&str> = network.inputs.iter().map(|input| input.name).collect();
        if received != names.len() && !columns.is_named() {
            return Err(Error::value(format!(
                "Model '{}' expects {} input(s): {names:?}, but it received {received} input tensors.",
                network.name,
                names.len(),
            )));
        }
        let data = Data {
            inputs: columns,
            ..Data::default()
        };
        data.check()?;
        let inputs = data.inputs.ordered("input", &names)?;
        Ok(Self {
            inputs: inputs.into_iter().map(Table::expanded).collect(),
            targets: Vec::new(),
            sample_weights: Vec::new(),
            drop_remainder: false,
        })
    }

    /// Inputs, targets and sample weights of a model.
    pub fn new<M: Model>(data: Data<'a>) -> Result<Self> {
        let network = network::<M>();
        let names: Vec<&str> = network.outputs.iter().map(|output| output.name).collect();
        data.check()?;
        let mut feed = Self::inputs::<M>(data.inputs)?;
        feed.drop_remainder = data.drop_remainder;
        let Some(targets) = data.targets else {
            return Err(Error::value(format!(
                "Model '{}' needs targets to compare its outputs with. Expected `(x, y)`. Received: `x` alone.",
                network.name
            )));
        };
        let received = targets.tables.len();
        if received != names.len() && !targets.is_named() {
            return Err(Error::value(format!(
                "y_true and y_pred have different structures. Model '{}' has {} output(s): {names:?}. Received: {received} \
                 arrays of targets.",
                network.name,
                names.len(),
            )));
        }
        let targets = targets.ordered("output", &names)?;
        feed.targets = targets.into_iter().map(Table::expanded).collect();
        if let Some(weights) = data.sample_weights {
            feed.sample_weights = match (weights.is_named(), weights.tables.len()) {
                // One array of weights serves every output.
                (false, 1) => vec![weights.tables[0].clone(); names.len()],
                _ => weights.ordered("output", &names)?,
            };
        }
        Ok(feed)
    }

    /// The number of samples.
    pub fn samples(&self) -> usize {
        self.inputs.first().map_or(0, |table| table.rows)
    }

    /// The number of batches of a size.
    pub fn batches(&self, batch_size: usize) -> usize {
        batches(self.samples(), batch_size, self.drop_remainder)
    }

    /// Some of the rows, to be loaded.
    pub fn batch<'b>(&'b self, rows: &'b [u32]) -> Batch<'b> {
        Batch {
            inputs: &self.inputs,
            targets: &self.targets,
            sample_weights: &self.sample_weights,
            rows,
        }
    }
}
