//! Data sets: arrays with an order and a batch size, as `tf.data` has them.

use super::columns::{Columns, IntoColumns};
use crate::error::{Error, Result};

/// What `fit` and `evaluate` work on: inputs, targets and sample weights with as many rows each.
#[derive(Clone, Debug, Default)]
pub struct Data<'a> {
    /// The inputs of the model.
    pub inputs: Columns<'a>,
    /// What its outputs are compared with.
    pub targets: Option<Columns<'a>>,
    /// How much each sample counts.
    pub sample_weights: Option<Columns<'a>>,
    /// The samples of a batch, where the data says.
    pub batch_size: Option<usize>,
    /// The seed of a new order for each epoch, where the data says.
    pub shuffle: Option<u64>,
}

impl<'a> Data<'a> {
    fn new(
        inputs: Columns<'a>,
        targets: Option<Columns<'a>>,
        weights: Option<Columns<'a>>,
    ) -> Result<Self> {
        let data = Self {
            inputs,
            targets,
            sample_weights: weights,
            batch_size: None,
            shuffle: None,
        };
        let rows = data.inputs.rows();
        let parts = [
            ("x", Some(&data.inputs)),
            ("y", data.targets.as_ref()),
            ("sample_weight", data.sample_weights.as_ref()),
        ];
        let given = || {
            parts
                .iter()
                .filter_map(|(name, columns)| columns.map(|columns| (*name, columns)))
        };
        if given().any(|(_, columns)| columns.tables.iter().any(|table| table.rows != rows)) {
            let mut message = String::from(
                "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.",
            );
            for (name, columns) in given() {
                let sizes: Vec<String> = columns
                    .tables
                    .iter()
                    .map(|table| table.rows.to_string())
                    .collect();
                message += &format!("'{name}' sizes: {}\n", sizes.join(", "));
            }
            return Err(Error::value(message));
        }
        Ok(data)
    }

    /// The data without its last rows, and these: the fraction `validation_split` of all.
    ///
    /// # Errors
    /// If one of the two would have no rows.
    pub fn split(self, validation_split: f32) -> Result<(Self, Self)> {
        let rows = self.inputs.rows();
        let at = (rows as f64 * (1.0 - f64::from(validation_split))).floor();
        if !(0.0..1.0).contains(&validation_split) || at < 1.0 || at >= rows as f64 {
            return Err(Error::value(format!(
                "Training data contains {rows} samples, which is not sufficient to split it into a validation and \
                 training set as specified by `validation_split={validation_split}`. Either provide more data, or a \
                 different value for the `validation_split` argument."
            )));
        }
        let at = at as usize;
        let (inputs, last_inputs) = self.inputs.split(at);
        let (targets, last_targets) = split(self.targets, at);
        let (sample_weights, last_weights) = split(self.sample_weights, at);
        let Self {
            batch_size,
            shuffle,
            ..
        } = Self::default();
        let first = Self {
            inputs,
            targets,
            sample_weights,
            batch_size: self.batch_size,
            shuffle: self.shuffle,
        };
        let last = Self {
            inputs: last_inputs,
            targets: last_targets,
            sample_weights: last_weights,
            batch_size,
            shuffle,
        };
        Ok((first, last))
    }
}

fn split<'a>(
    columns: Option<Columns<'a>>,
    at: usize,
) -> (Option<Columns<'a>>, Option<Columns<'a>>) {
    match columns {
        Some(columns) => {
            let (first, last) = columns.split(at);
            (Some(first), Some(last))
        }
        None => (None, None),
    }
}

/// What `fit` and `evaluate` take: `(x, y)`, `(x, y, sample_weight)` or a [`Dataset`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not data to train or evaluate on",
    label = "expected `(x, y)`, `(x, y, sample_weight)` or a `Dataset`, of ndarray arrays"
)]
pub trait IntoData<'a> {
    /// The data.
    ///
    /// # Errors
    /// If an array has no samples axis, or the arrays have not the same number of samples.
    fn into_data(self) -> Result<Data<'a>>;
}

impl<'a> IntoData<'a> for Data<'a> {
    fn into_data(self) -> Result<Data<'a>> {
        Ok(self)
    }
}

impl<'a, X: IntoColumns<'a>, Y: IntoColumns<'a>> IntoData<'a> for (X, Y) {
    fn into_data(self) -> Result<Data<'a>> {
        Data::new(self.0.into_columns()?, Some(self.1.into_columns()?), None)
    }
}

impl<'a, X, Y, W> IntoData<'a> for (X, Y, W)
where
    X: IntoColumns<'a>,
    Y: IntoColumns<'a>,
    W: IntoColumns<'a>,
{
    fn into_data(self) -> Result<Data<'a>> {
        let (x, y, weights) = (
            self.0.into_columns()?,
            self.1.into_columns()?,
            self.2.into_columns()?,
        );
        Data::new(x, Some(y), Some(weights))
    }
}

/// Arrays that are read in batches, in the order given or, shuffled, in another for each epoch.
///
/// ```
/// use keras_runtime::data::Dataset;
/// use ndarray::{Array1, Array2};
///
/// let (x, y) = (Array2::<f32>::zeros((100, 8)), Array1::<f32>::zeros(100));
/// let data = Dataset::from_tensor_slices((&x, &y))?.shuffle(7).batch(32);
/// assert_eq!(data.cardinality(), 4);
/// # Ok::<(), keras_runtime::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dataset<'a> {
    data: Data<'a>,
    batch_size: usize,
}

impl<'a> Dataset<'a> {
    /// A data set of `(x, y)` or `(x, y, sample_weight)`, one sample at a time.
    ///
    /// # Errors
    /// As [`IntoData::into_data`].
    pub fn from_tensor_slices(data: impl IntoData<'a>) -> Result<Self> {
        Ok(Self {
            data: data.into_data()?,
            batch_size: 1,
        })
    }

    /// A new order for each epoch, which depends on the seed and the number of the epoch only.
    #[must_use]
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.data.shuffle = Some(seed);
        self
    }

    /// So many samples in a batch; the last one may have fewer.
    #[must_use]
    pub fn batch(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// The number of batches.
    pub fn cardinality(&self) -> usize {
        self.data.inputs.rows().div_ceil(self.batch_size.max(1))
    }
}

impl<'a> IntoData<'a> for Dataset<'a> {
    fn into_data(mut self) -> Result<Data<'a>> {
        self.data.batch_size = Some(self.batch_size);
        Ok(self.data)
    }
}

impl<'a> IntoData<'a> for &'a Dataset<'_> {
    fn into_data(self) -> Result<Data<'a>> {
        let Data {
            inputs,
            targets,
            sample_weights,
            shuffle,
            ..
        } = &self.data;
        Ok(Data {
            inputs: inputs.borrowed(),
            targets: targets.as_ref().map(Columns::borrowed),
            sample_weights: sample_weights.as_ref().map(Columns::borrowed),
            batch_size: Some(self.batch_size),
            shuffle: *shuffle,
        })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2};

    use super::*;

    #[test]
    fn different_numbers_of_samples_are_an_error_in_keras_words() {
        let (x, y) = (Array2::<f32>::zeros((4, 2)), Array1::<f32>::zeros(3));
        let error = (&x, &y).into_data().map(|_| ()).unwrap_err().to_string();
        assert_eq!(
            error,
            "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.'x' sizes: 4\n\
             'y' sizes: 3\n"
        );
    }

    #[test]
    fn a_split_takes_the_last_rows() -> Result<()> {
        let x = Array1::from_iter((0..10).map(|i| i as f32));
        let (training, validation) = (&x, &x).into_data()?.split(0.25)?;
        assert_eq!((training.inputs.rows(), validation.inputs.rows()), (7, 3));
        assert_eq!(validation.inputs.tables[0].values[0], 7.0);
        let error = (&x, &x)
            .into_data()?
            .split(1.0)
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("Training data contains 10 samples"),
            "{error}"
        );
        Ok(())
    }
}
