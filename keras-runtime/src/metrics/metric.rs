//! What a metric is: a state on the device, how a batch changes it, and what is read from it.

use ndarray::{ArrayD, IxDyn};

use crate::config::Config;
use crate::device::{
    Axes, BatchFunction, BatchView, ColumnFunction, Device, Grid, LineLoss, Lines, RowFunction,
    Rows,
};
use crate::error::{Error, Result};
use crate::losses;
use crate::shape::Shape;

/// Whether a larger or a smaller value of a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Larger is better: accuracies.
    Up,
    /// Smaller is better: errors.
    Down,
    /// Neither.
    None,
}

/// A quantity followed over the batches of an epoch.
///
/// Its state is [`variables`](Metric::variables) numbers. In a model they live on the device, beside
/// those of the other metrics.
pub trait Metric<D: Device>: Send + Sync {
    /// The name it is logged under, such as `mean_squared_error`.
    fn name(&self) -> &str;

    /// Its class and the arguments of its constructor, as Keras' files have them. By default it is a
    /// class of the user's own without arguments.
    fn config(&self) -> Config {
        Config::of_type::<Self>()
    }

    /// Whether its arguments are in range. `compile` and `update_state` ask, because a builder method
    /// has no way to say so.
    ///
    /// # Errors
    /// With Keras' sentence, if they are not.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// How many numbers of state it has for targets and predictions of these shapes: a total and a
    /// count, for a mean.
    fn variables(&self, y_true: &Shape, y_pred: &Shape) -> usize {
        let _ = (y_true, y_pred);
        2
    }

    /// Changes a state of zeros to the one that counting begins with.
    fn initialize(&self, state: &mut [f32]) {
        let _ = state;
    }

    /// Whether targets of one shape can be compared with predictions of another.
    ///
    /// # Errors
    /// With Keras' sentence, if they cannot.
    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        losses::same_shape(y_true, y_pred)
    }

    /// The shape of the values that one sample has before they are summed up: by default one for each
    /// row along the last axis. A sample weight may belong to each of them.
    fn values(&self, y_true: &Shape, y_pred: &Shape) -> Shape {
        rows(y_true, y_pred)
    }

    /// Adds a batch to the state.
    ///
    /// # Errors
    /// If it calls a function of the user's whose values do not fit.
    fn update(&self, input: MetricInput<'_, D>) -> Result<()>;

    /// The names of the values, where the result is a dictionary: each has its own entry in the logs.
    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The value of a state; by default `state[0] / state[1]`, 0 before any batch. A metric with
    /// several values has [`results`](Metric::results) instead.
    fn result(&self, state: &[f32]) -> f32 {
        mean(state)
    }

    /// Appends every value of a state: one, those of a vector, or those of a dictionary in the order
    /// of [`keys`](Metric::keys). A vector is logged as its mean, as in Keras' progress bar.
    fn results(&self, state: &[f32], values: &mut Vec<f32>) {
        values.push(self.result(state));
    }

    /// Adds the state of another part of the data to a state.
    fn merge(&self, state: &mut [f32], other: &[f32]) {
        add(state, other);
    }

    /// Whether larger or smaller values are better.
    fn direction(&self) -> Direction;
}

/// What a metric is updated with.
pub struct MetricInput<'a, D: Device> {
    /// The device.
    pub device: &'a D,
    /// The number of samples.
    pub batch: usize,
    /// The targets: (batch, ..y_true_shape).
    pub y_true: D::Slice<'a>,
    /// The shape of one sample's target.
    pub y_true_shape: Shape,
    /// The predictions: (batch, ..y_pred_shape).
    pub y_pred: D::Slice<'a>,
    /// The shape of one sample's prediction.
    pub y_pred_shape: Shape,
    /// A weight for each sample, or for each row.
    pub sample_weight: Option<D::Slice<'a>>,
    /// How many numbers `sample_weight` has for one sample.
    pub weights_per_sample: usize,
    /// The metric's state, to be updated.
    pub state: D::SliceMut<'a>,
}

impl<D: Device> MetricInput<'_, D> {
    /// The rows along the last axis.
    pub fn rows(&self) -> Rows {
        Rows::of(
            self.batch,
            &self.y_true_shape,
            &self.y_pred_shape,
            self.weights_per_sample,
        )
    }

    /// Every element as a row.
    pub fn elements(&self) -> Rows {
        Rows::of_elements(
            self.batch,
            &self.y_true_shape,
            &self.y_pred_shape,
            self.weights_per_sample,
        )
    }

    /// Updates the mean of a function of rows, what most metrics are: adds `Σ w f / r` and `Σ w / r`,
    /// with r rows a sample, to the two numbers of the state.
    pub fn row_mean<F: RowFunction>(self, function: F, rows: Rows) {
        self.device.row_mean(
            function,
            rows,
            self.y_true,
            self.y_pred,
            self.sample_weight,
            self.state,
        );
    }

    /// As [`row_mean`](MetricInput::row_mean), for a function of lines along some axes.
    pub(crate) fn line_mean(self, function: &dyn LineLoss<D::Elem>, axes: &Axes) {
        self.batch_mean(&Lines { function, axes });
    }

    /// As [`row_mean`](MetricInput::row_mean), for a function of the whole batch.
    pub(crate) fn batch_mean(self, function: &dyn BatchFunction<D::Elem>) {
        let batch = BatchView {
            samples: self.batch,
            y_true: self.y_true,
            y_true_shape: self.y_true_shape,
            y_pred: self.y_pred,
            y_pred_shape: self.y_pred_shape,
        };
        self.device
            .batch_mean(function, batch, self.sample_weight, self.state);
    }

    /// Adds the sums of a function over each column to the state, (N, columns), twice: the second half
    /// is the device's.
    pub(crate) fn column_sums<const N: usize>(self, function: impl ColumnFunction<N>) {
        let grid = Grid::of(self.rows(), self.weights_per_sample);
        self.device.column_sums(
            function,
            grid,
            self.y_true,
            self.y_pred,
            self.sample_weight,
            self.state,
        );
    }

    /// Updates a state of `variables` numbers on the host, with the batch as arrays: for a function of
    /// the user's, and for what is asked for so rarely that no kernel is worth it. It waits for the
    /// device and allocates.
    ///
    /// # Errors
    /// Those of `update`.
    pub fn on_host(
        mut self,
        variables: usize,
        update: impl FnOnce(&HostBatch, &mut [f32]) -> Result<()>,
    ) -> Result<()> {
        let fetch = |from: D::Slice<'_>, dims: &[usize]| {
            let dims: Vec<usize> = [self.batch].iter().chain(dims).copied().collect();
            let mut numbers = vec![0.0; dims.iter().product()];
            self.device.download(from, &mut numbers);
            ArrayD::from_shape_vec(IxDyn(&dims), numbers)
                .map_err(|error| Error::value(error.to_string()))
        };
        let batch = HostBatch {
            y_true: fetch(self.y_true, self.y_true_shape.dims())?,
            y_pred: fetch(self.y_pred, self.y_pred_shape.dims())?,
            sample_weight: match self.sample_weight {
                Some(weights) => Some(fetch(weights, self.weight_dims())?),
                None => None,
            },
        };
        let mut state = vec![0.0; variables];
        self.device.download(D::read(&self.state), &mut state);
        update(&batch, &mut state)?;
        self.device.upload(&state, D::reborrow(&mut self.state));
        Ok(())
    }

    /// The axes of the predictions that the sample weights have, too: the first ones.
    fn weight_dims(&self) -> &[usize] {
        let dims = self.y_pred_shape.dims();
        let count = |axes: &usize| dims[..*axes].iter().product::<usize>();
        let axes = (0..=dims.len()).find(|axes| count(axes) == self.weights_per_sample);
        &dims[..axes.unwrap_or(0)]
    }
}

/// A batch on the host: see [`MetricInput::on_host`].
#[derive(Clone, Debug)]
pub struct HostBatch {
    /// The targets: (batch, ..).
    pub y_true: ArrayD<f32>,
    /// The predictions: (batch, ..).
    pub y_pred: ArrayD<f32>,
    /// The sample weights: (batch,) or (batch, ..).
    pub sample_weight: Option<ArrayD<f32>>,
}

/// A value for every row along the last axis.
pub(crate) fn rows(y_true: &Shape, y_pred: &Shape) -> Shape {
    match squeezed(y_true, y_pred).dims() {
        [outer @ .., _] => Shape::new(outer),
        [] => Shape::SCALAR,
    }
}

/// A value for every element; where one target stands beside a row of predictions, for every row.
pub(crate) fn elements(y_true: &Shape, y_pred: &Shape) -> Shape {
    if y_true.size() == y_pred.size() {
        squeezed(y_true, y_pred)
    } else {
        rows(y_true, y_pred)
    }
}

/// The shape of predictions without a last axis of 1 that the targets do not have.
fn squeezed(y_true: &Shape, y_pred: &Shape) -> Shape {
    match (y_true.rank(), y_pred.rank()) {
        (1.., rank) if rank == y_true.rank() + 1 && y_pred.last() == 1 => *y_true,
        _ => *y_pred,
    }
}

/// `state[0] / state[1]`, or 0 if nothing has been counted.
pub(crate) fn mean(state: &[f32]) -> f32 {
    match *state {
        [total, count] => divide(total, count),
        _ => 0.0,
    }
}

/// `a / b`, or 0 if b is 0: `keras.ops.divide_no_nan`.
pub(crate) fn divide(a: f32, b: f32) -> f32 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// Adds one state to another: compiled once, not for each metric.
fn add(state: &mut [f32], other: &[f32]) {
    for (number, other) in state.iter_mut().zip(other) {
        *number += other;
    }
}

/// The configuration of a metric of Keras' whose arguments are known, within its `impl Metric`.
macro_rules! described {
    ($ty:ident) => {
        fn config(&self) -> $crate::config::Config {
            $crate::config::Config::keras("keras.metrics", stringify!($ty)).arguments(self)
        }
    };
}
pub(super) use described;
