//! Data sets: arrays with an order and a batch size, as `tf.data` has them.

use ndarray::{ArrayBase, Dimension};

use super::columns::{Columns, IntoColumns};
use super::table::Element;
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
    /// Whether a last batch with fewer samples is left out.
    pub drop_remainder: bool,
    /// The seed of a new order for each epoch, where the data says.
    pub shuffle: Option<u64>,
}

impl<'a> Data<'a> {
    fn new(
        inputs: Columns<'a>,
        targets: Option<Columns<'a>>,
        sample_weights: Option<Columns<'a>>,
    ) -> Result<Self> {
        let data = Self {
            inputs,
            targets,
            sample_weights,
            ..Self::default()
        };
        data.check()?;
        Ok(data)
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
        let rows = self.inputs.rows();
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
    pub fn split(self, validation_split: f32) -> Result<(Self, Self)> {
        let rows = self.inputs.rows();
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
        let (inputs, last_inputs) = self.inputs.split(at);
        let (targets, last_targets) = split(self.targets, at);
        let (sample_weights, last_weights) = split(self.sample_weights, at);
        let first = Self {
            inputs,
            targets,
            sample_weights,
            batch_size: self.batch_size,
            drop_remainder: self.drop_remainder,
            shuffle: self.shuffle,
        };
        let last = Self {
            inputs: last_inputs,
            targets: last_targets,
            sample_weights: last_weights,
            ..Self::default()
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

/// What `fit` and `evaluate` take: `(x, y)`, `(x, y, sample_weight)` or a [`Dataset`]. A data set is
/// made from these, too, and from `x` alone: an array or, for several inputs, `(x,)`.
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
        self.check()?;
        Ok(self)
    }
}

impl<'a, A: Element, S: ndarray::Data<Elem = A>, D: Dimension> IntoData<'a>
    for &'a ArrayBase<S, D>
{
    fn into_data(self) -> Result<Data<'a>> {
        (self,).into_data()
    }
}

impl<'a, A: Element, S: ndarray::Data<Elem = A>, D: Dimension> IntoData<'a> for ArrayBase<S, D> {
    fn into_data(self) -> Result<Data<'a>> {
        Data::new(self.into_columns()?, None, None)
    }
}

impl<'a, X: IntoColumns<'a>> IntoData<'a> for (X,) {
    fn into_data(self) -> Result<Data<'a>> {
        Data::new(self.0.into_columns()?, None, None)
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
    /// A data set of `(x, y)`, `(x, y, sample_weight)` or `x` alone, one sample at a time.
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

    /// Leaves out a last batch that has fewer samples than the others.
    #[must_use]
    pub fn drop_remainder(mut self) -> Self {
        self.data.drop_remainder = true;
        self
    }

    /// The number of batches.
    pub fn cardinality(&self) -> usize {
        batches(
            self.data.inputs.rows(),
            self.batch_size.max(1),
            self.data.drop_remainder,
        )
    }
}

/// The number of batches that some rows make.
pub(crate) fn batches(rows: usize, batch_size: usize, drop_remainder: bool) -> usize {
    if drop_remainder {
        rows / batch_size
    } else {
        rows.div_ceil(batch_size)
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
            drop_remainder,
            shuffle,
            ..
        } = &self.data;
        Ok(Data {
            inputs: inputs.borrowed(),
            targets: targets.as_ref().map(Columns::borrowed),
            sample_weights: sample_weights.as_ref().map(Columns::borrowed),
            batch_size: Some(self.batch_size),
            drop_remainder: *drop_remainder,
            shuffle: *shuffle,
        })
    }
}

/// The inputs of a data set, for `predict`: every sample, in the order given.
impl<'a> IntoColumns<'a> for &'a Dataset<'_> {
    fn into_columns(self) -> Result<Columns<'a>> {
        Ok(self.data.inputs.borrowed())
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
        for (fraction, rows) in [(0.25, 7), (0.2, 8), (0.1, 9), (0.3, 7), (0.01, 9)] {
            let (training, validation) = (&x, &x).into_data()?.split(fraction)?;
            assert_eq!(training.inputs.rows(), rows, "{fraction}");
            assert_eq!(validation.inputs.rows(), 10 - rows, "{fraction}");
            assert_eq!(validation.inputs.tables[0].values[0], rows as f32);
        }
        let error = (&x, &x).into_data()?.split(1.0).map(|_| ());
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
        let mut data = Array1::<f32>::zeros(4).into_data()?;
        data.inputs.tables[0].rows = 5;
        let error = data.into_data().map(|_| ()).unwrap_err().to_string();
        assert!(error.ends_with("Received: 4 numbers"), "{error}");
        Ok(())
    }

    #[test]
    fn a_last_short_batch_may_be_left_out() -> Result<()> {
        let x = Array1::<f32>::zeros(70);
        let data = Dataset::from_tensor_slices(&x)?.batch(32);
        assert_eq!(data.cardinality(), 3);
        assert_eq!(data.drop_remainder().cardinality(), 2);
        Ok(())
    }

    #[test]
    fn arrays_come_in_many_forms() -> Result<()> {
        let (x, y) = (Array2::<f32>::zeros((4, 2)), Array1::<u8>::zeros(4));
        let weights = Array1::<f64>::ones(4);
        let tables = |data: Data<'_>| {
            let count = |columns: &Columns<'_>| columns.tables.len();
            (
                count(&data.inputs),
                data.targets.as_ref().map(count),
                data.sample_weights.as_ref().map(count),
            )
        };
        assert_eq!(tables((&x, &y).into_data()?), (1, Some(1), None));
        assert_eq!(
            tables((&x, &y, &weights).into_data()?),
            (1, Some(1), Some(1))
        );
        assert_eq!(
            tables(((&x, &x), (&y, &x)).into_data()?),
            (2, Some(2), None)
        );
        assert_eq!(tables(((&x, &x),).into_data()?), (2, None, None));
        assert_eq!(
            tables((x.view(), [("a", &y)]).into_data()?),
            (1, Some(1), None)
        );
        assert_eq!(
            tables(([&x, &x], vec![&y]).into_data()?),
            (2, Some(1), None)
        );
        let data = Dataset::from_tensor_slices(((x.clone(), x), y))?;
        assert_eq!((&data).into_columns()?.tables.len(), 2);
        assert_eq!(tables((&data).into_data()?), (2, Some(1), None));
        assert_eq!(tables(data.into_data()?), (2, Some(1), None));
        Ok(())
    }
}
