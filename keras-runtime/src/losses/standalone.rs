//! Losses outside of a model, on arrays.

use std::borrow::Cow;

use ndarray::{ArrayD, IxDyn};

use super::{Loss, LossInput};
use crate::device::Cpu;
use crate::error::{Error, Result};
use crate::metrics::Values;
use crate::shape::Shape;

/// The loss of some predictions: `loss(y_true, y_pred, sample_weight)` in Keras, for any loss. The
/// losses of this crate have it as a method. Without a reduction it is the mean.
///
/// # Errors
/// If the arrays do not fit each other.
pub fn call(
    loss: &dyn Loss<Cpu>,
    y_true: &dyn Values,
    y_pred: &dyn Values,
    sample_weight: Option<&ArrayD<f32>>,
) -> Result<f32> {
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

#[cfg(test)]
mod tests {
    use ndarray::{Array, Array2, arr0, arr1, arr2};

    use super::*;
    use crate::losses::{Dice, Huber, MeanSquaredError, Reduction, SparseCategoricalCrossentropy};

    #[test]
    fn arrays_of_every_type_are_taken() -> Result<()> {
        let y_pred = arr2(&[[0.25f64, 0.75], [0.5, 0.5]]);
        let loss = SparseCategoricalCrossentropy::new();
        let value = loss.call(&arr1(&[1u8, 0]), &y_pred, None)?;
        assert!((value - 0.490_414_6).abs() < 1e-6, "{value}");
        assert_eq!(loss.values(&arr1(&[1i64, 0]), &y_pred.view())?.shape(), [2]);
        Ok(())
    }

    #[test]
    fn weights_are_broadcast_to_the_values() -> Result<()> {
        let y_true = Array2::<f32>::zeros((2, 3));
        let y_pred = arr2(&[[1.0f32, 1.0, 1.0], [2.0, 2.0, 2.0]]);
        let loss = MeanSquaredError::new();
        let weighted = |weights: ArrayD<f32>| loss.call(&y_true, &y_pred, Some(&weights));
        assert_eq!(weighted(arr1(&[2.0, 1.0]).into_dyn()), Ok(3.0));
        assert_eq!(weighted(arr2(&[[2.0], [1.0]]).into_dyn()), Ok(3.0));
        assert_eq!(weighted(arr0(2.0).into_dyn()), Ok(5.0));
        assert_eq!(weighted(arr1(&[2.0]).into_dyn()), Ok(5.0));
        let error = weighted(arr1(&[1.0, 2.0, 3.0]).into_dyn()).unwrap_err();
        let expected = "`sample_weight` must be broadcastable to the values of the loss, which have shape [2]. \
                        Received: sample_weight.shape=[3]";
        assert_eq!(error.to_string(), expected);
        assert!(weighted(Array::ones((2, 3)).into_dyn()).is_err());
        // One value of the whole batch.
        let weights = arr1(&[1.0, 3.0]).into_dyn();
        let dice = Dice::new().call(&y_pred, &y_pred, Some(&weights))?;
        assert!((dice - 2.0 * Dice::new().call(&y_pred, &y_pred, None)?).abs() < 1e-6);
        Ok(())
    }

    #[test]
    fn arrays_that_do_not_fit_are_refused() {
        let (two, three) = (Array2::<f32>::zeros((2, 3)), Array2::<f32>::zeros((3, 3)));
        let error = Huber::new().call(&two, &three, None).unwrap_err();
        let expected =
            "`y_true` and `y_pred` must have the same number of samples. Received: 2 and 3";
        assert_eq!(error.to_string(), expected);
        assert!(Huber::new().call(&two, &two.t(), None).is_err());
        let labels = arr1(&[1.0, 3.0]);
        assert!(
            SparseCategoricalCrossentropy::new()
                .call(&labels, &two, None)
                .is_err()
        );
        let deep = Array::<f32, _>::zeros(vec![1; Shape::MAX_RANK + 2]);
        assert!(Huber::new().values(&deep, &deep).is_err());
        let unreduced = Huber::new().reduction(Reduction::None);
        assert!(unreduced.call(&two, &two, None).is_err());
        assert_eq!(
            unreduced.values(&two, &two),
            Ok(arr1(&[0.0, 0.0]).into_dyn())
        );
    }

    #[test]
    fn no_samples_are_no_error() -> Result<()> {
        let empty = Array2::<f32>::zeros((0, 3));
        assert_eq!(Huber::new().call(&empty, &empty, None)?, 0.0);
        assert_eq!(MeanSquaredError::new().call(&empty, &empty, None)?, 0.0);
        assert_eq!(Huber::new().values(&empty, &empty)?.shape(), [0]);
        Ok(())
    }
}
