//! What `fit`, `evaluate` and the others work on, and what can be that.

use std::sync::Arc;

use ndarray::{ArrayBase, Dimension};

use super::arrays::Arrays;
use super::columns::{Columns, IntoColumns};
use super::order::Op;
use super::stream::Stream;
use super::table::Element;
use crate::error::{Error, Result};

/// What `fit` and `evaluate` work on: arrays, or a [`Dataset`](super::Dataset).
pub struct Data<'a> {
    pub(crate) source: Source<'a>,
    pub(crate) class_weight: Vec<(usize, f32)>,
}

/// Where the samples come from.
pub(crate) enum Source<'a> {
    /// Arrays that are shuffled and batched as the arguments of `fit` say.
    Arrays(Arrays<'a>),
    /// The same with an order of their own.
    Rows(Arrays<'a>, Vec<Op>),
    /// Batches that come one after the other.
    Stream(Arc<dyn Stream + 'a>),
}

impl<'a> Data<'a> {
    pub(crate) fn new(source: Source<'a>) -> Self {
        Self {
            source,
            class_weight: Vec::new(),
        }
    }

    fn arrays(
        inputs: Columns<'a>,
        targets: Option<Columns<'a>>,
        sample_weights: Option<Columns<'a>>,
    ) -> Result<Self> {
        let arrays = Arrays {
            inputs,
            targets,
            sample_weights,
        };
        arrays.check()?;
        Ok(Self::new(Source::Arrays(arrays)))
    }

    /// How much the samples of each class count, 1 where it is not said. The class is the target, or
    /// the largest of several numbers.
    #[must_use]
    pub fn class_weight(mut self, weights: impl IntoIterator<Item = (usize, f32)>) -> Self {
        self.class_weight.extend(weights);
        self
    }

    /// How much each sample counts: an array, or one for each output.
    ///
    /// # Errors
    /// If the data has its sample weights already, or is a data set.
    pub fn sample_weight(mut self, weights: impl IntoColumns<'a>) -> Result<Self> {
        match &mut self.source {
            Source::Arrays(arrays) if arrays.sample_weights.is_none() => {
                arrays.sample_weights = Some(weights.into_columns()?);
                arrays.check()?;
                Ok(self)
            }
            Source::Arrays(_) => Err(Error::value(
                "Expected one `sample_weight`. Received: `(x, y, sample_weight)` and the argument `sample_weight`",
            )),
            Source::Rows(..) | Source::Stream(_) => Err(Error::value(
                "When providing `x` as a data set, `sample_weight` should not be passed. Instead, the sample weights \
                 should be included as part of the data set.",
            )),
        }
    }

    /// The samples of a batch: those asked for, or those of a data set, where it says so.
    pub(crate) fn batch_size(&self, asked_for: usize) -> Option<usize> {
        match &self.source {
            Source::Arrays(_) => Some(asked_for),
            Source::Rows(_, ops) => ops.iter().find_map(|op| match op {
                Op::Batch { size, .. } => Some(*size),
                _ => None,
            }),
            Source::Stream(_) => None,
        }
    }

    /// Whether there is something to compare a model's outputs with; of a stream it is expected.
    pub(crate) fn has_targets(&self) -> bool {
        match &self.source {
            Source::Arrays(arrays) | Source::Rows(arrays, _) => arrays.targets.is_some(),
            Source::Stream(_) => true,
        }
    }

    /// The arrays that this is.
    pub(crate) fn into_arrays(self) -> Result<Arrays<'a>> {
        match self.source {
            Source::Arrays(arrays) => Ok(arrays),
            Source::Rows(..) | Source::Stream(_) => Err(Error::value(
                "Expected arrays. Received: a data set in batches",
            )),
        }
    }
}

/// What `fit` and `evaluate` take: `(x, y)`, `(x, y, sample_weight)` or a [`Dataset`](super::Dataset).
/// A data set is made from these, too, and from `x` alone: an array or, for several inputs, `(x,)`.
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

impl<'a> IntoData<'a> for Arrays<'a> {
    fn into_data(self) -> Result<Data<'a>> {
        self.check()?;
        Ok(Data::new(Source::Arrays(self)))
    }
}

/// For data that may have failed to be read.
impl<'a, T: IntoData<'a>> IntoData<'a> for Result<T> {
    fn into_data(self) -> Result<Data<'a>> {
        self?.into_data()
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
        Data::arrays(self.into_columns()?, None, None)
    }
}

impl<'a, X: IntoColumns<'a>> IntoData<'a> for (X,) {
    fn into_data(self) -> Result<Data<'a>> {
        Data::arrays(self.0.into_columns()?, None, None)
    }
}

impl<'a, X: IntoColumns<'a>, Y: IntoColumns<'a>> IntoData<'a> for (X, Y) {
    fn into_data(self) -> Result<Data<'a>> {
        Data::arrays(self.0.into_columns()?, Some(self.1.into_columns()?), None)
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
        Data::arrays(x, Some(y), Some(weights))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2};

    use super::*;
    use crate::data::Dataset;

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
    fn arrays_come_in_many_forms() -> Result<()> {
        let (x, y) = (Array2::<f32>::zeros((4, 2)), Array1::<u8>::zeros(4));
        let weights = Array1::<f64>::ones(4);
        let tables = |data: Data<'_>| -> Result<_> {
            let (Source::Arrays(arrays) | Source::Rows(arrays, _)) = data.source else {
                return Err(Error::value("a stream"));
            };
            let count = |columns: &Columns<'_>| columns.tables.len();
            Ok((
                count(&arrays.inputs),
                arrays.targets.as_ref().map(count),
                arrays.sample_weights.as_ref().map(count),
            ))
        };
        assert_eq!(tables((&x, &y).into_data()?)?, (1, Some(1), None));
        let weighted = tables((&x, &y, &weights).into_data()?)?;
        assert_eq!(weighted, (1, Some(1), Some(1)));
        let argument = (&x, &y).into_data()?.sample_weight(&weights)?;
        assert_eq!(tables(argument)?, (1, Some(1), Some(1)));
        let both = (&x, &y, &weights).into_data()?.sample_weight(&weights);
        assert!(both.map(|_| ()).is_err());
        assert_eq!(
            tables(((&x, &x), (&y, &x)).into_data()?)?,
            (2, Some(2), None)
        );
        assert_eq!(tables(((&x, &x),).into_data()?)?, (2, None, None));
        assert_eq!(
            tables((x.view(), [("a", &y)]).into_data()?)?,
            (1, Some(1), None)
        );
        assert_eq!(
            tables(([&x, &x], vec![&y]).into_data()?)?,
            (2, Some(1), None)
        );
        let data = Dataset::from_tensor_slices(((x.clone(), x), y))?;
        assert_eq!((&data).into_columns()?.tables.len(), 2);
        assert_eq!(tables((&data).into_data()?)?, (2, Some(1), None));
        assert_eq!(tables(data.into_data()?)?, (2, Some(1), None));
        Ok(())
    }
}
