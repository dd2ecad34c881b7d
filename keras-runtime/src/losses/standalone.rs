//! Losses outside of a model, on arrays.

use std::borrow::Cow;

use ndarray::{ArrayD, IxDyn};

use super::{Loss, LossInput, Reduction};
use crate::device::Cpu;
use crate::error::{Error, Result};
use crate::metrics::Values;
use crate::shape::Shape;

/// The loss of some predictions: `loss(y_true, y_pred, sample_weight)` in Keras, for any loss. The
/// losses of this crate have it as a method.
///
/// # Errors
/// If the arrays do not fit each other, or the reduction leaves more than one number.
pub fn call(
    loss: &dyn Loss<Cpu>,
    reduction: Reduction,
    y_true: &dyn Values,
    y_pred: &dyn Values,
    sample_weight: Option<&ArrayD<f32>>,
) -> Result<f32> {
    if reduction == Reduction::None {
        return Err(Error::value(
            "A loss with the reduction `none` is not one number. Use `values` for the loss of each sample.",
        ));
    }
    let pair = Pair::new(loss, y_true, y_pred)?;
    let weights = sample_weight
        .map(|weights| pair.broadcast(weights))
        .transpose()?;
    Ok(pair.compute(loss, weights.as_deref(), None))
}

/// What a loss reduces to one number: a value for each sample or row, as Keras' functions have it.
///
/// # Errors
/// If the arrays do not fit each other.
pub fn values(
    loss: &dyn Loss<Cpu>,
    y_true: &dyn Values,
    y_pred: &dyn Values,
) -> Result<ArrayD<f32>> {
    let pair = Pair::new(loss, y_true, y_pred)?;
    let mut values = ArrayD::from_elem(IxDyn(&pair.values), f32::NAN);
    pair.compute(loss, None, values.as_slice_mut());
    Ok(values)
}

/// Targets and predictions that fit each other and a loss.
struct Pair<'a> {
    samples: usize,
    y_true: Cow<'a, [f32]>,
    y_true_shape: Shape,
    y_pred: Cow<'a, [f32]>,
    y_pred_shape: Shape,
    /// The shape of the values of the loss.
    values: Vec<usize>,
}

impl<'a> Pair<'a> {
    fn new(loss: &dyn Loss<Cpu>, y_true: &'a dyn Values, y_pred: &'a dyn Values) -> Result<Self> {
        loss.check_arguments()?;
        // Two arrays of one axis are one line, as in Keras.
        let is_line = y_true.dims().len() == 1 && y_pred.dims().len() == 1;
        let (targets, y_true_shape) = split(y_true.dims(), is_line)?;
        let (samples, y_pred_shape) = split(y_pred.dims(), is_line)?;
        if targets != samples {
            return Err(Error::value(format!(
                "`y_true` and `y_pred` must have the same number of samples. Received: {targets} and {samples}"
            )));
        }
        loss.check(&y_true_shape, &y_pred_shape)?;
        let mut values = loss.axes().rest(samples, &y_true_shape, &y_pred_shape);
        if is_line && values.len() == 1 {
            values.clear();
        }
        let pair = Self {
            samples,
            y_true: y_true.numbers(),
            y_true_shape,
            y_pred: y_pred.numbers(),
            y_pred_shape,
            values,
        };
        loss.check_targets(&pair.y_true, &y_true_shape, &y_pred_shape)?;
        Ok(pair)
    }

    fn compute(
        &self,
        loss: &dyn Loss<Cpu>,
        weights: Option<&[f32]>,
        values: Option<&mut [f32]>,
    ) -> f32 {
        let samples = self.samples.max(1);
        let mut sums = [0.0];
        loss.compute(LossInput {
            device: &Cpu::default(),
            batch: self.samples,
            y_true: &self.y_true,
            y_true_shape: self.y_true_shape,
            y_pred: &self.y_pred,
            y_pred_shape: self.y_pred_shape,
            logits: None,
            sample_weight: weights,
            weights_per_sample: weights.map_or(1, |weights| (weights.len() / samples).max(1)),
            gradient: None,
            weight: 1.0,
            values,
            sums: &mut sums,
        });
        sums[0] / samples as f32
    }

    /// Weights for the first axes of the values, as Keras broadcasts them: an axis of 1 stands for
    /// all, last axes of 1 are dropped. One value of everything takes any number of weights.
    fn broadcast<'w>(&self, weights: &'w ArrayD<f32>) -> Result<Cow<'w, [f32]>> {
        let ones = weights.shape().iter().rev().take_while(|dim| **dim == 1);
        let dims = &weights.shape()[..weights.ndim() - ones.count()];
        let target = match self.values.len() {
            0 => dims,
            _ => self.values.get(..dims.len().max(1)).unwrap_or_default(),
        };
        let spread = weights
            .to_shape(IxDyn(dims))
            .ok()
            .and_then(|weights| Some(weights.broadcast(IxDyn(target))?.iter().copied().collect()));
        match weights.as_slice() {
            Some(numbers) if dims == target => Ok(Cow::Borrowed(numbers)),
            _ => spread.map(Cow::Owned).ok_or_else(|| {
                Error::value(format!(
                    "`sample_weight` must be broadcastable to the values of the loss, which have shape {:?}. \
                     Received: sample_weight.shape={:?}",
                    self.values,
                    weights.shape()
                ))
            }),
        }
    }
}

/// The number of samples, and the shape of one.
fn split(dims: &[usize], is_line: bool) -> Result<(usize, Shape)> {
    let (samples, sample) = match dims {
        [] => (1, &[][..]),
        line if is_line => (1, line),
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
