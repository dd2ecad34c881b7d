//! The arguments of `fit`.

use super::training::{Shuffle, ValidationFrequency};
use crate::callbacks::{Callback, CallbackList};
use crate::data::{Columns, Data, IntoColumns, IntoData};
use crate::error::Result;

/// The arguments of [`Model::fit`](super::Model::fit).
pub struct Fit<'a> {
    pub(super) epochs: usize,
    pub(super) initial_epoch: usize,
    pub(super) batch_size: Option<usize>,
    pub(super) steps_per_epoch: Option<usize>,
    pub(super) verbose: u8,
    pub(super) shuffle: Shuffle,
    pub(super) class_weight: Vec<(usize, f32)>,
    pub(super) sample_weight: Option<Result<Columns<'a>>>,
    pub(super) validation_split: f32,
    pub(super) validation: Option<Result<Data<'a>>>,
    pub(super) validation_steps: Option<usize>,
    pub(super) validation_batch_size: Option<usize>,
    pub(super) validation_freq: ValidationFrequency,
    pub(super) callbacks: CallbackList<'a>,
}

impl<'a> Fit<'a> {
    /// Training until this many epochs are done.
    pub fn epochs(epochs: usize) -> Self {
        Self {
            epochs,
            initial_epoch: 0,
            batch_size: None,
            steps_per_epoch: None,
            verbose: 1,
            shuffle: Shuffle::Samples,
            class_weight: Vec::new(),
            sample_weight: None,
            validation_split: 0.0,
            validation: None,
            validation_steps: None,
            validation_batch_size: None,
            validation_freq: ValidationFrequency::Every(1),
            callbacks: CallbackList::empty(),
        }
    }

    /// The samples of one step, 32 by default. A [`Dataset`](crate::data::Dataset) has its own.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = Some(batch_size);
        self
    }

    /// The number of the first epoch, to go on with earlier training; 0 by default.
    #[must_use]
    pub fn initial_epoch(mut self, epoch: usize) -> Self {
        self.initial_epoch = epoch;
        self
    }

    /// So many batches in each epoch; by default all of them. The next epoch goes on where the last
    /// one stopped, and one that comes to the end of the data is shorter.
    #[must_use]
    pub fn steps_per_epoch(mut self, steps: usize) -> Self {
        self.steps_per_epoch = Some(steps);
        self
    }

    /// What is printed: nothing (0), a progress bar (1, the default) or a line for each epoch (2).
    #[must_use]
    pub fn verbose(mut self, verbose: u8) -> Self {
        self.verbose = verbose;
        self
    }

    /// Whether the samples are put into a new order for each epoch: `true`, the default, `false`, or
    /// `"batch"`, which changes the order within each batch alone. A
    /// [`Dataset`](crate::data::Dataset) has its own order.
    #[must_use]
    pub fn shuffle(mut self, shuffle: impl Into<Shuffle>) -> Self {
        self.shuffle = shuffle.into();
        self
    }

    /// How much the samples of each class count in the loss, 1 where it is not said.
    #[must_use]
    pub fn class_weight(mut self, weights: impl IntoIterator<Item = (usize, f32)>) -> Self {
        self.class_weight.extend(weights);
        self
    }

    /// How much each sample counts in the loss and in weighted metrics: one array, or one for each
    /// output. The same as the third array of `(x, y, sample_weight)`.
    #[must_use]
    pub fn sample_weight(mut self, weights: impl IntoColumns<'a>) -> Self {
        self.sample_weight = Some(weights.into_columns());
        self
    }

    /// The fraction of the samples, taken from the end, that is kept for validation.
    #[must_use]
    pub fn validation_split(mut self, fraction: f32) -> Self {
        self.validation_split = fraction;
        self
    }

    /// Data to evaluate on after each epoch.
    #[must_use]
    pub fn validation(mut self, data: impl IntoData<'a>) -> Self {
        self.validation = Some(data.into_data());
        self
    }

    /// So many batches of the validation data, always the first ones; by default all of them.
    #[must_use]
    pub fn validation_steps(mut self, steps: usize) -> Self {
        self.validation_steps = Some(steps);
        self
    }

    /// The samples of one step of validation; as many as in training by default.
    #[must_use]
    pub fn validation_batch_size(mut self, batch_size: usize) -> Self {
        self.validation_batch_size = Some(batch_size);
        self
    }

    /// Validation after every so many epochs, or after those of a list, which count from 1; after
    /// each by default.
    #[must_use]
    pub fn validation_freq(mut self, epochs: impl Into<ValidationFrequency>) -> Self {
        self.validation_freq = epochs.into();
        self
    }

    /// One more callback.
    #[must_use]
    pub fn callback(mut self, callback: impl Callback + 'a) -> Self {
        self.callbacks.push(callback);
        self
    }
}
