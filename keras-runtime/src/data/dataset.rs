//! Data sets: samples with an order and a batch size, as `tf.data` has them.

use std::sync::{Arc, Mutex};

use super::arrays::Arrays;
use super::columns::{Columns, IntoColumns};
use super::order::{self, Op};
use super::prefetch::Prefetch;
use super::source::{Data, IntoData, Source};
use super::stream::{Batches, Change, Changed, Generator, Once, Stream};
use crate::error::{Error, Result};

/// Samples that are read in batches: rows of arrays, or batches from an iterator or a file.
///
/// What is said before [`batch`](Self::batch) concerns samples, what is said after it batches:
/// `take(100).batch(32)` are 100 samples, `batch(32).take(100)` are 100 batches.
///
/// ```
/// use keras_runtime::data::Dataset;
/// use ndarray::{Array1, Array2};
///
/// let (x, y) = (Array2::<f32>::zeros((100, 8)), Array1::<f32>::zeros(100));
/// let data = Dataset::from_tensor_slices((&x, &y))?.shuffle(7).batch(32);
/// assert_eq!(data.cardinality(), Some(4));
/// let batches = Dataset::from_generator(|| {
///     (0..3).map(|_| (Array2::<f32>::ones((32, 8)), Array1::<f32>::ones(32)))
/// });
/// assert_eq!(batches.cardinality(), None);
/// # Ok::<(), keras_runtime::Error>(())
/// ```
#[derive(Clone)]
pub struct Dataset<'a> {
    samples: Samples<'a>,
}

#[derive(Clone)]
enum Samples<'a> {
    Rows(Arrays<'a>, Vec<Op>),
    Stream(Arc<dyn Stream + 'a>),
}

impl<'a> Dataset<'a> {
    /// A data set of `(x, y)`, `(x, y, sample_weight)` or `x` alone, one sample at a time until it is
    /// [`batch`](Self::batch)ed.
    ///
    /// # Errors
    /// As [`IntoData::into_data`].
    pub fn from_tensor_slices(data: impl IntoData<'a>) -> Result<Self> {
        Ok(Self {
            samples: Samples::Rows(data.into_data()?.into_arrays()?, Vec::new()),
        })
    }

    /// Batches, `(x, y)` each, of the iterator that a closure makes for every pass.
    pub fn from_generator<F, I>(generator: F) -> Self
    where
        F: Fn() -> I + Send + Sync + 'a,
        I: IntoIterator<Item: IntoData<'static>, IntoIter: Send> + 'a,
        I::IntoIter: 'a,
    {
        let open = move || -> Batches<'a> { Box::new(generator().into_iter().map(batch)) };
        Self::stream(Generator::new(move || Ok(open())))
    }

    /// Batches, `(x, y)` each, of an iterator. It can be read once: where an epoch needs more, the
    /// first two batches are all that is left, as in Keras.
    pub fn from_batches<I>(batches: I) -> Self
    where
        I: IntoIterator<Item: IntoData<'static> + 'a, IntoIter: Send + 'a>,
    {
        Self::stream(Once::new(batches.into_iter().map(batch)))
    }

    pub(super) fn stream(stream: impl Stream + 'a) -> Self {
        Self {
            samples: Samples::Stream(Arc::new(stream)),
        }
    }

    /// One more step of the pipeline; a stream stays as it is without a `change`.
    fn with(self, op: Op, change: Option<Change>) -> Self {
        let samples = match (self.samples, change) {
            (Samples::Rows(arrays, mut ops), _) => {
                ops.push(op);
                Samples::Rows(arrays, ops)
            }
            (Samples::Stream(of), Some(change)) => {
                Samples::Stream(Arc::new(Changed { of, change }))
            }
            (stream, None) => stream,
        };
        Self { samples }
    }

    /// A new order for each epoch, which depends on the seed and the number of the epoch only.
    ///
    /// Batches that come one after the other stay as they come.
    #[must_use]
    pub fn shuffle(self, seed: u64) -> Self {
        self.with(Op::Shuffle(seed), None)
    }

    /// So many samples in a batch; the last one may have fewer.
    #[must_use]
    pub fn batch(self, size: usize) -> Self {
        let op = Op::Batch {
            size,
            drop_remainder: false,
        };
        self.with(op, None)
    }

    /// Leaves out a last batch that has fewer samples than the others.
    #[must_use]
    pub fn drop_remainder(mut self) -> Self {
        if let Samples::Rows(_, ops) = &mut self.samples {
            for op in ops {
                if let Op::Batch { drop_remainder, .. } = op {
                    *drop_remainder = true;
                }
            }
        }
        self
    }

    /// The first `count` samples or batches alone.
    #[must_use]
    pub fn take(self, count: usize) -> Self {
        self.with(Op::Take(count), Some(Change::Take(count)))
    }

    /// All but the first `count` samples or batches.
    #[must_use]
    pub fn skip(self, count: usize) -> Self {
        self.with(Op::Skip(count), Some(Change::Skip(count)))
    }

    /// Several passes in one: `repeat(2)`; without an end: `repeat(None)`, which needs
    /// `steps_per_epoch`.
    #[must_use]
    pub fn repeat(self, times: impl Into<Option<usize>>) -> Self {
        let times = times.into();
        self.with(Op::Repeat(times), Some(Change::Repeat(times)))
    }

    /// Keeps the batches of the first pass in memory for the others. Arrays are there already.
    #[must_use]
    pub fn cache(self) -> Self {
        let samples = match self.samples {
            Samples::Stream(of) => Samples::Stream(Arc::new(Changed {
                of,
                change: Change::Cache(Mutex::new(None)),
            })),
            rows => rows,
        };
        Self { samples }
    }

    /// The number of batches; `None` if it is not known, or there is no end.
    pub fn cardinality(&self) -> Option<usize> {
        match &self.samples {
            Samples::Rows(arrays, ops) => order::cardinality(&batched(ops.clone()), arrays.rows()),
            Samples::Stream(stream) => stream.batches(),
        }
    }
}

impl Dataset<'static> {
    /// Reads up to `ahead` batches in a thread of their own while the model works on another. Arrays
    /// are there already.
    #[must_use]
    pub fn prefetch(self, ahead: usize) -> Self {
        let samples = match self.samples {
            Samples::Stream(of) => Samples::Stream(Arc::new(Prefetch { of, ahead })),
            rows => rows,
        };
        Self { samples }
    }
}

impl std::fmt::Debug for Dataset<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = f.debug_struct("Dataset");
        if let Samples::Rows(arrays, ops) = &self.samples {
            text.field("rows", &arrays.rows()).field("order", ops);
        }
        text.field("batches", &self.cardinality())
            .finish_non_exhaustive()
    }
}

/// A batch of a stream.
fn batch(data: impl IntoData<'static>) -> Result<Arrays<'static>> {
    data.into_data()?.into_arrays()
}

/// A pipeline whose elements are batches: of one sample, if nothing else was said.
fn batched(mut ops: Vec<Op>) -> Vec<Op> {
    if !ops.iter().any(|op| matches!(op, Op::Batch { .. })) {
        ops.push(Op::Batch {
            size: 1,
            drop_remainder: false,
        });
    }
    ops
}

/// The batches of a data set as `fit` reads them.
fn source<'a>(samples: Samples<'a>) -> Result<Source<'a>> {
    let (arrays, ops) = match samples {
        Samples::Stream(stream) => return Ok(Source::Stream(stream)),
        Samples::Rows(arrays, ops) => (arrays, ops),
    };
    let sizes = ops.iter().filter_map(|op| match op {
        Op::Batch { size, .. } => Some(*size),
        _ => None,
    });
    match sizes.collect::<Vec<usize>>()[..] {
        [0] => Err(Error::value(
            "`batch_size` expects a positive integer. Received: batch_size=0",
        )),
        [] | [_] => Ok(Source::Rows(arrays, batched(ops))),
        _ => Err(Error::value(
            "A data set is batched once. Received: `batch` called again on its batches",
        )),
    }
}

impl<'a> IntoData<'a> for Dataset<'a> {
    fn into_data(self) -> Result<Data<'a>> {
        Ok(Data::new(source(self.samples)?))
    }
}

impl<'a> IntoData<'a> for &'a Dataset<'_> {
    fn into_data(self) -> Result<Data<'a>> {
        let samples = match &self.samples {
            Samples::Rows(arrays, ops) => Samples::Rows(arrays.borrowed(), ops.clone()),
            Samples::Stream(stream) => Samples::Stream(stream.clone()),
        };
        Ok(Data::new(source(samples)?))
    }
}

/// The inputs of a data set, for `predict`: in the order given, not shuffled.
impl<'a> IntoColumns<'a> for &'a Dataset<'_> {
    fn into_columns(self) -> Result<Columns<'a>> {
        match &self.samples {
            Samples::Rows(arrays, _) => Ok(arrays.inputs.borrowed()),
            Samples::Stream(_) => Err(Error::value(
                "Expected arrays. Received: a data set that comes in batches",
            )),
        }
    }

    fn into_inputs(self) -> Result<Data<'a>> {
        let mut data = self.into_data()?;
        if let Source::Rows(_, ops) = &mut data.source {
            ops.retain(|op| !matches!(op, Op::Shuffle(_)));
        }
        Ok(data)
    }
}
