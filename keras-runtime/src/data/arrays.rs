//! Inputs, targets and sample weights with as many rows each.

use super::columns::Columns;
use crate::error::{Error, Result};

/// Inputs, targets and sample weights with as many rows each: all data, or one batch of it.
#[derive(Clone, Debug, Default)]
pub struct Arrays<'a> {
    /// The inputs of the model.
    pub inputs: Columns<'a>,
    /// What its outputs are compared with.
    pub targets: Option<Columns<'a>>,
    /// How much each sample counts.
    pub sample_weights: Option<Columns<'a>>,
}

impl<'a> Arrays<'a> {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.inputs.rows()
    }

    /// Checks that all tables are whole and have the same number of rows.
    ///
    /// # Errors
    /// If they are or have not.
    pub(crate) fn check(&self) -> Result<()> {
        let parts = [
            ("x", Some(&self.inputs)),
            ("y", self.targets.as_ref()),
            ("sample_weight", self.sample_weights.as_ref()),
        ];
        let given = || {
            parts
                .iter()
                .filter_map(|(name, columns)| Some((name, (*columns)?)))
        };
        let tables = || given().flat_map(|(_, columns)| &columns.tables);
        for table in tables() {
            let (found, expected) = (table.values.len(), table.rows * table.shape.size());
            if found != expected {
                return Err(Error::value(format!(
                    "A table of {} samples of shape {} has {expected} numbers. Received: {found} numbers",
                    table.rows, table.shape
                )));
            }
        }
        let rows = self.rows();
        if tables().all(|table| table.rows == rows) {
            return Ok(());
        }
        let mut message = String::from(
            "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.",
        );
        for (name, columns) in given() {
            let sizes = columns.tables.iter().map(|table| table.rows.to_string());
            let sizes: Vec<String> = sizes.collect();
            message += &format!("'{name}' sizes: {}\n", sizes.join(", "));
        }
        Err(Error::value(message))
    }

    /// The data without its last rows, and these: the fraction `validation_split` of all.
    ///
    /// # Errors
    /// If one of the two would have no rows.
    pub(crate) fn split(self, validation_split: f32) -> Result<(Self, Self)> {
        let rows = self.rows();
        // The fraction as it is written: 0.2 of 10 rows are 2, although the nearest `f32` is larger.
        let fraction = validation_split.to_string().parse::<f64>();
        let at = (rows as f64 * (1.0 - fraction.unwrap_or(f64::NAN))).floor();
        if !(0.0..1.0).contains(&validation_split) || at < 1.0 || at >= rows as f64 {
            return Err(Error::value(format!(
                "Training data contains {rows} samples, which is not sufficient to split it into a validation and \
                 training set as specified by `validation_split={validation_split:?}`. Either provide more data, or a \
                 different value for the `validation_split` argument."
            )));
        }
        let at = at as usize;
        let halves = |columns: Option<Columns<'a>>| match columns {
            Some(columns) => {
                let (first, last) = columns.split(at);
                (Some(first), Some(last))
            }
            None => (None, None),
        };
        let (inputs, last_inputs) = self.inputs.split(at);
        let (targets, last_targets) = halves(self.targets);
        let (sample_weights, last_weights) = halves(self.sample_weights);
        let first = Self {
            inputs,
            targets,
            sample_weights,
        };
        let last = Self {
            inputs: last_inputs,
            targets: last_targets,
            sample_weights: last_weights,
        };
        Ok((first, last))
    }

    /// The same arrays, without copying them.
    pub(crate) fn borrowed(&self) -> Arrays<'_> {
        Arrays {
            inputs: self.inputs.borrowed(),
            targets: self.targets.as_ref().map(Columns::borrowed),
            sample_weights: self.sample_weights.as_ref().map(Columns::borrowed),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use super::*;
    use crate::data::IntoData;

    #[test]
    fn a_split_takes_the_last_rows() -> Result<()> {
        let x = Array1::from_iter((0..10).map(|i| i as f32));
        for (fraction, rows) in [(0.25, 7), (0.2, 8), (0.1, 9), (0.3, 7), (0.01, 9)] {
            let (training, validation) = (&x, &x).into_data()?.into_arrays()?.split(fraction)?;
            assert_eq!(training.rows(), rows, "{fraction}");
            assert_eq!(validation.rows(), 10 - rows, "{fraction}");
            assert_eq!(validation.inputs.tables[0].values[0], rows as f32);
        }
        let error = (&x, &x).into_data()?.into_arrays()?.split(1.0).map(|_| ());
        assert_eq!(
            error.unwrap_err().to_string(),
            "Training data contains 10 samples, which is not sufficient to split it into a validation and training set \
             as specified by `validation_split=1.0`. Either provide more data, or a different value for the \
             `validation_split` argument."
        );
        Ok(())
    }

    #[test]
    fn a_table_made_by_hand_is_checked() -> Result<()> {
        let mut arrays = Array1::<f32>::zeros(4).into_data()?.into_arrays()?;
        arrays.inputs.tables[0].rows = 5;
        let error = arrays.check().unwrap_err().to_string();
        assert!(error.ends_with("Received: 4 numbers"), "{error}");
        Ok(())
    }
}
