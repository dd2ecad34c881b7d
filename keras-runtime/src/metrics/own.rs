//! What a metric has for its use without a model: a name and a state of its own, on the host.

use std::borrow::Cow;

use ndarray::{ArrayBase, ArrayD, Data, Dimension, IxDyn};

use super::{Metric, MetricInput};
use crate::data::Element;
use crate::device::{Arith, Cpu, Float, MeanOf, PairFunction, RowSums, Rows};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The name of a metric and the state that `update_state` adds to.
///
/// In a model the states of all metrics lie side by side on the device, and this one is not used.
#[derive(Clone, Debug)]
pub struct Own {
    name: Cow<'static, str>,
    state: Vec<f32>,
}

impl Own {
    /// A name, and no state yet.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            state: Vec::new(),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives the metric another name.
    pub fn rename(&mut self, name: String) {
        self.name = Cow::Owned(name);
    }

    /// The state; empty before the first update.
    pub(super) fn state(&self) -> &[f32] {
        &self.state
    }

    /// The state, `len` numbers, taken out to be updated.
    pub(super) fn take(&mut self, len: usize) -> Vec<f32> {
        let mut state = std::mem::take(&mut self.state);
        state.resize(len, 0.0);
        state
    }

    /// Puts the state back.
    pub(super) fn put(&mut self, state: Vec<f32>) {
        self.state = state;
    }

    /// Sets the state to zero.
    pub(super) fn reset(&mut self) {
        self.state.fill(0.0);
    }
}

/// Numbers that a metric is updated with: an array of any rank and element type, or a single number.
pub trait Values {
    /// The size of every axis, the batch first.
    fn dims(&self) -> &[usize];
    /// The numbers in their logical order.
    fn numbers(&self) -> Cow<'_, [f32]>;
}

impl<A: Element, S: Data<Elem = A>, D: Dimension> Values for ArrayBase<S, D> {
    fn dims(&self) -> &[usize] {
        self.shape()
    }

    fn numbers(&self) -> Cow<'_, [f32]> {
        match self.as_slice().and_then(A::as_f32) {
            Some(numbers) => Cow::Borrowed(numbers),
            None => Cow::Owned(self.iter().map(|number| number.to_f32()).collect()),
        }
    }
}

impl Values for f32 {
    fn dims(&self) -> &[usize] {
        &[]
    }

    fn numbers(&self) -> Cow<'_, [f32]> {
        Cow::Borrowed(std::slice::from_ref(self))
    }
}

/// Adds targets and predictions to a state.
pub(super) fn update<M: Metric<Cpu>>(
    metric: &M,
    state: &mut [f32],
    y_true: &impl Values,
    y_pred: &impl Values,
    sample_weight: Option<&ArrayD<f32>>,
) -> Result<()> {
    let (samples, y_true_shape) = split(y_true.dims())?;
    let (predictions, y_pred_shape) = split(y_pred.dims())?;
    if samples != predictions {
        return Err(Error::value(format!(
            "`y_true` and `y_pred` must have the same number of samples. Received: {samples} and {predictions}"
        )));
    }
    metric.check(&y_true_shape, &y_pred_shape)?;
    let is_elementwise = metric.is_elementwise() && y_true_shape.size() == y_pred_shape.size();
    let is_squeezed = y_pred_shape.rank() == y_true_shape.rank() + 1 && y_pred_shape.last() == 1;
    let dims = match (is_squeezed, y_true_shape.dims(), y_pred_shape.dims()) {
        (true, dims @ [_, ..], _) | (_, _, dims) => dims,
    };
    let dims = match dims {
        [outer @ .., _] if !is_elementwise => outer,
        dims => dims,
    };
    let values: Vec<usize> = [samples].iter().chain(dims).copied().collect();
    let weights = sample_weight
        .map(|weights| broadcast(weights, &values))
        .transpose()?;
    metric.update(MetricInput {
        device: &Cpu::default(),
        batch: samples,
        y_true: &y_true.numbers(),
        y_true_shape,
        y_pred: &y_pred.numbers(),
        y_pred_shape,
        sample_weight: weights.as_deref(),
        weights_per_sample: per_sample(&weights, samples),
        state,
    });
    Ok(())
}

/// The value of a metric's own state.
pub(super) fn result<M: Metric<Cpu>>(metric: &M, own: &Own) -> f32 {
    if own.state.is_empty() {
        return metric.result(&vec![0.0; metric.variables()]);
    }
    metric.result(&own.state)
}

/// Adds plain values to `[Σ w v / r, Σ w / r]`, with r values a sample.
pub(super) fn add_values(
    state: &mut [f32],
    values: &impl Values,
    sample_weight: Option<&ArrayD<f32>>,
    is_mean: bool,
) -> Result<()> {
    let dims = match values.dims() {
        [] => &[1],
        dims => dims,
    };
    let (samples, shape) = split(dims)?;
    let weights = sample_weight
        .map(|weights| broadcast(weights, dims))
        .transpose()?;
    let mut rows = Rows::of_elements(samples, &shape, &shape, per_sample(&weights, samples));
    if !is_mean {
        rows.samples = rows.rows;
    }
    let numbers = values.numbers();
    let device = Cpu::default();
    device.row_mean(
        MeanOf(Value),
        rows,
        &numbers,
        &numbers,
        weights.as_deref(),
        state,
    );
    Ok(())
}

/// The value itself.
#[derive(Clone, Copy)]
struct Value;

impl PairFunction for Value {
    #[inline(always)]
    fn value<F: Float, A: Arith>(&self, _y_true: F, y_pred: F) -> F {
        y_pred
    }
}

/// The number of samples, and the shape of one.
fn split(dims: &[usize]) -> Result<(usize, Shape)> {
    let (samples, sample) = match dims {
        [] => (1, &[][..]),
        [samples, sample @ ..] => (*samples, sample),
    };
    if sample.len() > Shape::MAX_RANK {
        return Err(Error::value(format!(
            "Expected an array of at most {} axes. Received: an array of shape {dims:?}",
            Shape::MAX_RANK + 1
        )));
    }
    Ok((samples, Shape::new(sample)))
}

/// Weights for the first axes of values of these sizes, as Keras broadcasts them: an axis of 1 stands
/// for all, a last axis of 1 that the values do not have is dropped.
fn broadcast<'a>(weights: &'a ArrayD<f32>, values: &[usize]) -> Result<Cow<'a, [f32]>> {
    let dims = match weights.shape() {
        [outer @ .., 1] if outer.len() == values.len() => outer,
        dims => dims,
    };
    let misfit = || {
        Error::value(format!(
            "`sample_weight` must be broadcastable to the values of the metric, which have shape {values:?}. \
             Received: sample_weight.shape={:?}",
            weights.shape()
        ))
    };
    let target = values.get(..dims.len().max(1)).ok_or_else(misfit)?;
    if let (true, Some(numbers)) = (dims == target, weights.as_slice()) {
        return Ok(Cow::Borrowed(numbers));
    }
    let shaped = weights.to_shape(IxDyn(dims)).map_err(|_| misfit())?;
    let spread = shaped.broadcast(IxDyn(target)).ok_or_else(misfit)?;
    Ok(Cow::Owned(spread.iter().copied().collect()))
}

fn per_sample(weights: &Option<Cow<'_, [f32]>>, samples: usize) -> usize {
    weights
        .as_ref()
        .map_or(1, |weights| weights.len() / samples.max(1))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, arr0, arr1, arr2};

    use super::*;
    use crate::metrics::{BinaryAccuracy, Mean, SparseCategoricalAccuracy};

    #[test]
    fn weights_are_broadcast_to_the_first_axes_of_the_values() {
        let spread = |weights: ArrayD<f32>, values: &[usize]| {
            broadcast(&weights, values).map(|weights| weights.into_owned())
        };
        let two = arr1(&[2.0, 3.0]).into_dyn();
        assert_eq!(spread(two.clone(), &[2]), Ok(vec![2.0, 3.0]));
        assert_eq!(spread(two.clone(), &[2, 4]), Ok(vec![2.0, 3.0]));
        assert_eq!(spread(arr0(2.0).into_dyn(), &[2, 4]), Ok(vec![2.0, 2.0]));
        let column = arr2(&[[2.0], [3.0]]).into_dyn();
        assert_eq!(spread(column.clone(), &[2]), Ok(vec![2.0, 3.0]));
        assert_eq!(spread(column, &[2, 2]), Ok(vec![2.0, 2.0, 3.0, 3.0]));
        assert!(spread(two, &[3]).is_err());
        let error = spread(Array::zeros((2, 3)).into_dyn(), &[2]).unwrap_err();
        let expected = "`sample_weight` must be broadcastable to the values of the metric, which have shape [2]. \
                        Received: sample_weight.shape=[2, 3]";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn arrays_of_every_type_and_layout_are_taken() -> Result<()> {
        let mut metric = SparseCategoricalAccuracy::new();
        let columns = arr2(&[[0.1f32, 0.8], [0.9, 0.2]]);
        metric.update_state(&arr1(&[1i64, 0]), &columns.t(), None)?;
        assert_eq!(metric.result(), 1.0);
        metric.update_state(&arr1(&[1u8, 0]), &columns, None)?;
        assert_eq!(metric.result(), 1.0);
        metric.update_state(&arr2(&[[0.0], [1.0]]), &columns, None)?;
        assert!((metric.result() - 2.0 / 3.0).abs() < 1e-6);
        Ok(())
    }

    #[test]
    fn an_update_in_error_changes_nothing() -> Result<()> {
        let mut metric = BinaryAccuracy::new();
        metric.update_state(&arr1(&[1.0, 0.0]), &arr1(&[0.9, 0.6]), None)?;
        let wide = arr2(&[[0.9, 0.1], [0.1, 0.9], [0.1, 0.9]]);
        let weights = arr1(&[1.0; 5]).into_dyn();
        assert!(
            metric
                .update_state(&arr1(&[1.0]), &arr1(&[0.9, 0.6]), None)
                .is_err()
        );
        assert!(metric.update_state(&wide.t(), &wide, None).is_err());
        assert!(metric.update_state(&wide, &wide, Some(&weights)).is_err());
        let deep = Array::<f32, _>::zeros(vec![1; Shape::MAX_RANK + 2]);
        assert!(metric.update_state(&deep, &deep, None).is_err());
        assert_eq!(metric.result(), 0.5);
        Ok(())
    }

    #[test]
    fn a_weight_may_belong_to_one_element() -> Result<()> {
        let mut metric = BinaryAccuracy::new();
        let y_pred = arr2(&[[0.9, 0.1], [0.1, 0.1]]);
        let weights = arr2(&[[1.0, 3.0], [0.0, 4.0]]).into_dyn();
        metric.update_state(&arr2(&[[1.0, 1.0], [1.0, 0.0]]), &y_pred, Some(&weights))?;
        assert_eq!(metric.result(), 5.0 / 8.0);
        Ok(())
    }

    #[test]
    fn no_samples_are_no_error() -> Result<()> {
        let empty = Array::<f32, _>::zeros((0, 3));
        let mut metric = BinaryAccuracy::new();
        metric.update_state(&empty, &empty, None)?;
        let mut mean = Mean::new();
        mean.update_state(&empty, None)?;
        assert_eq!((metric.result(), mean.result()), (0.0, 0.0));
        Ok(())
    }
}
