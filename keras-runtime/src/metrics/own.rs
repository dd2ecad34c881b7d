//! What a metric has for its use without a model: a name, and a state of its own on the host.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ndarray::{ArrayBase, ArrayD, Data, Dimension, IxDyn};

use super::{Metric, MetricInput};
use crate::config::{Json, Object, Read};
use crate::data::Element;
use crate::device::{Arith, Cpu, Float, MeanOf, PairFunction, RowSums, Rows};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The name of a metric, and the state that `update_state` adds to.
///
/// In a model the states of all metrics lie side by side on the device, and this one is not used.
#[derive(Clone, Debug)]
pub struct Own {
    name: Cow<'static, str>,
    /// Which one of its class it is, where the class counts.
    number: Option<usize>,
    dtype: Cow<'static, str>,
    is_whole: bool,
    invalid: Option<Error>,
    state: Vec<f32>,
}

/// How many metrics of a name have been made: Keras names them `auc`, `auc_1`, `auc_2`.
static MADE: Mutex<BTreeMap<&'static str, usize>> = Mutex::new(BTreeMap::new());

impl Own {
    /// A name, and no state yet.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            number: None,
            dtype: Cow::Borrowed("float32"),
            is_whole: false,
            invalid: None,
            state: Vec::new(),
        }
    }

    /// The next free name of a class whose metrics are numbered: `auc`, `auc_1`, ...
    pub fn numbered(class: &'static str) -> Self {
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let count = made.entry(class).or_default();
        let number = *count;
        *count += 1;
        let mut own = Self::new(class);
        own.number = Some(number);
        if number > 0 {
            own.name = Cow::Owned(format!("{class}_{number}"));
        }
        own
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives the metric another name. The number of a metric that was just made is free again: in
    /// Keras it would not have got one.
    pub fn rename(&mut self, name: String) {
        if let Some(number) = self.number.take() {
            let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
            let class = self.name.strip_suffix(&format!("_{number}"));
            if let Some(count) = made.get_mut(class.unwrap_or(&self.name)) {
                *count -= usize::from(*count == number + 1);
            }
        }
        self.name = Cow::Owned(name);
    }

    /// Takes the name of a number type, such as `float32` or `int32`. Metrics compute in `f32`; those
    /// that count in whole numbers round weights down to them.
    pub fn set_dtype(&mut self, dtype: &str) {
        const FLOATS: [&str; 5] = ["float", "float16", "bfloat16", "float32", "float64"];
        const INTEGERS: [&str; 9] = [
            "int", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        ];
        self.dtype = match dtype {
            "float" => Cow::Borrowed("float32"),
            "int" => Cow::Borrowed("int32"),
            _ => Cow::Owned(dtype.into()),
        };
        self.is_whole = INTEGERS.contains(&dtype);
        self.require(self.is_whole || FLOATS.contains(&dtype), || {
            format!("Invalid dtype: {dtype}. Expected one of {FLOATS:?} or {INTEGERS:?}.")
        });
    }

    /// The name or the number type, as Keras' files have it.
    pub(super) fn argument(&self, name: &str) -> Json {
        match name {
            "name" => Json::from(&*self.name),
            "dtype" => Json::from(&*self.dtype),
            _ => Json::Null,
        }
    }

    /// Appends the name and the number type, which every metric has.
    pub(super) fn write(&self, config: &mut Object) {
        for name in ["name", "dtype"] {
            config.set(name, self.argument(name));
        }
    }

    /// Sets the name or the number type; whether the argument is one of them.
    pub(super) fn read(&mut self, argument: &str, value: &Json) -> Result<bool> {
        match (argument, value) {
            ("name" | "dtype", Json::Null) => {}
            ("name", _) => self.rename(value.read(argument)?),
            // A policy has its name in its configuration.
            ("dtype", Json::Object(policy)) => {
                let name = policy.get("config").and_then(|config| config.get("name"));
                self.set_dtype(&name.unwrap_or(value).read::<String>(argument)?);
            }
            ("dtype", _) => self.set_dtype(&value.read::<String>(argument)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether the number type is one of whole numbers.
    pub(super) const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Keeps the sentence about an argument out of range until somebody can be told: the first one.
    pub fn require(&mut self, holds: bool, sentence: impl FnOnce() -> String) {
        if !holds && self.invalid.is_none() {
            self.invalid = Some(Error::Value(sentence()));
        }
    }

    /// Whether every argument was in range.
    ///
    /// # Errors
    /// With the first sentence that [`require`](Own::require) kept.
    pub fn validate(&self) -> Result<()> {
        self.invalid.clone().map_or(Ok(()), Err)
    }

    /// The state; empty before the first update.
    pub fn state(&self) -> &[f32] {
        &self.state
    }

    /// The state, taken out to be updated.
    pub fn take(&mut self) -> Vec<f32> {
        std::mem::take(&mut self.state)
    }

    /// Puts the state back.
    pub fn put(&mut self, state: Vec<f32>) {
        self.state = state;
    }

    /// Begins anew.
    pub fn reset(&mut self) {
        self.state.clear();
    }
}

/// The methods of a metric with a field `own` for its use without a model: `name`, `dtype`,
/// `update_state`, `result`, `results`, `call`, `reset_state` and `merge_state`; and its conversion
/// into what `compile` takes.
///
/// The type implements [`Metric`](crate::metrics::Metric) for every device, and has
/// `own: `[`Own`](crate::metrics::Own).
#[macro_export]
#[doc(hidden)]
macro_rules! __standalone_metric {
    ($ty:ident) => {
        $crate::__standalone_metric!(@methods $ty);

        impl<D: $crate::device::Device> $crate::metrics::IntoMetric<D> for $ty {
            fn into_metric(self) -> $crate::metrics::MetricArg<D> {
                $crate::metrics::MetricArg::Object(::std::sync::Arc::new(self))
            }
        }
    };
    (@methods $ty:ident) => {
        $crate::__standalone_metric!(@own $ty);

        impl $ty {
            /// Adds targets and predictions to the metric's own state. A `sample_weight` belongs to
            /// each sample, to each row along the last axis, or can be broadcast to these.
            ///
            /// # Errors
            /// If an argument of the metric is out of range, or the shapes do not fit each other.
            pub fn update_state(
                &mut self,
                y_true: &impl $crate::metrics::Values,
                y_pred: &impl $crate::metrics::Values,
                sample_weight: ::std::option::Option<&$crate::metrics::ArrayD<f32>>,
            ) -> $crate::Result<()> {
                let mut state = self.own.take();
                let updated =
                    $crate::metrics::own::update(self, &mut state, y_true, y_pred, sample_weight);
                self.own.put(state);
                updated
            }

            /// Adds targets and predictions to the metric's own state, and gives its value.
            ///
            /// # Errors
            /// Those of `update_state`.
            pub fn call(
                &mut self,
                y_true: &impl $crate::metrics::Values,
                y_pred: &impl $crate::metrics::Values,
            ) -> $crate::Result<f32> {
                self.update_state(y_true, y_pred, ::std::option::Option::None)?;
                ::std::result::Result::Ok(self.result())
            }

            /// The value of the metric's own state; of several values, such as one for each class,
            /// their mean.
            pub fn result(&self) -> f32 {
                $crate::metrics::own::mean(&self.results())
            }

            /// Every value of the metric's own state: one, unless it has one for each class or
            /// threshold.
            pub fn results(&self) -> ::std::vec::Vec<f32> {
                $crate::metrics::own::results(self, self.own.state())
            }

            /// Adds what another metric of the same arguments has counted.
            ///
            /// # Errors
            /// If it has counted another number of classes or thresholds.
            pub fn merge_state(&mut self, other: &Self) -> $crate::Result<()> {
                let mut state = self.own.take();
                let merged = $crate::metrics::own::merge(self, &mut state, other.own.state());
                self.own.put(state);
                merged
            }
        }
    };
    (@own $ty:ident) => {
        impl $ty {
            /// The name it is logged under, instead of the default one.
            #[must_use]
            pub fn name(mut self, name: impl ::std::convert::Into<::std::string::String>) -> Self {
                self.own.rename(name.into());
                self
            }

            /// The number type, such as `float32`. Metrics compute in `f32`; a metric that counts in
            /// whole numbers rounds weights down to them.
            #[must_use]
            pub fn dtype(mut self, dtype: &str) -> Self {
                self.own.set_dtype(dtype);
                self
            }

            /// Begins anew.
            pub fn reset_state(&mut self) {
                self.own.reset();
            }
        }
    };
}
pub use __standalone_metric as standalone;

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
///
/// # Errors
/// If an argument of the metric is out of range, or the shapes do not fit each other.
pub fn update(
    metric: &dyn Metric<Cpu>,
    state: &mut Vec<f32>,
    y_true: &dyn Values,
    y_pred: &dyn Values,
    sample_weight: Option<&ArrayD<f32>>,
) -> Result<()> {
    metric.validate()?;
    let (mut samples, mut y_true_shape) = split(y_true.dims())?;
    let (mut predictions, mut y_pred_shape) = split(y_pred.dims())?;
    // Two arrays of one axis are one row, as in Keras, for what looks at rows.
    let is_row =
        y_true.dims().len() == 1 && y_pred.dims() == y_true.dims() && sample_weight.is_none();
    let row = Shape::new(&[samples]);
    if is_row && metric.values(&row, &row) == Shape::SCALAR {
        (samples, predictions) = (1, 1);
        (y_true_shape, y_pred_shape) = (row, row);
    }
    if samples != predictions {
        return Err(Error::value(format!(
            "`y_true` and `y_pred` must have the same number of samples. Received: {samples} and {predictions}"
        )));
    }
    metric.check(&y_true_shape, &y_pred_shape)?;
    let shape = metric.values(&y_true_shape, &y_pred_shape);
    let values: Vec<usize> = [samples].iter().chain(shape.dims()).copied().collect();
    let weights = sample_weight
        .map(|weights| broadcast(weights, &values))
        .transpose()?;
    let variables = metric.variables(&y_true_shape, &y_pred_shape);
    begin(metric, state, variables)?;
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
    })
}

/// Makes a state of `variables` numbers, unless there is one.
fn begin(metric: &dyn Metric<Cpu>, state: &mut Vec<f32>, variables: usize) -> Result<()> {
    if state.is_empty() {
        state.resize(variables, 0.0);
        metric.initialize(state);
    }
    if state.len() == variables {
        return Ok(());
    }
    Err(Error::value(format!(
        "The metric '{}' has counted values of another shape: its state has {} variables. Received: {variables} variables",
        metric.name(),
        state.len()
    )))
}

/// The values of a metric's own state.
pub fn results(metric: &dyn Metric<Cpu>, state: &[f32]) -> Vec<f32> {
    let mut values = Vec::new();
    if state.is_empty() {
        let mut first = vec![0.0; metric.variables(&Shape::SCALAR, &Shape::SCALAR)];
        metric.initialize(&mut first);
        metric.results(&first, &mut values);
    } else {
        metric.results(state, &mut values);
    }
    values
}

/// Adds another state to a state.
///
/// # Errors
/// If they are not of one length.
pub fn merge(metric: &dyn Metric<Cpu>, state: &mut Vec<f32>, other: &[f32]) -> Result<()> {
    if !other.is_empty() {
        begin(metric, state, other.len())?;
        metric.merge(state, other);
    }
    Ok(())
}

/// One number for several values, as a progress bar shows them.
pub fn mean(values: &[f32]) -> f32 {
    match values {
        [value] => *value,
        values => values.iter().sum::<f32>() / values.len() as f32,
    }
}

/// Adds plain values to `[Σ w v / r, Σ w / r]`, with r values a sample.
pub(super) fn add_values(
    state: &mut [f32],
    values: &dyn Values,
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
