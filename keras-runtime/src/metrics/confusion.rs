//! What the metrics of the confusion matrix share: how much true and false, positive and negative
//! there is at each threshold.
//!
//! The state counts, for targets of 0 and for others, how many predictions have how many thresholds
//! below them. Everything else is sums over it.

use super::{MetricInput, Own};
use crate::config::{Argument, Json, Object, Read, argument};
use crate::device::{Device, Grid, Spacing, Thresholds};
use crate::error::{Error, Result};
use crate::losses::same_shape;
use crate::shape::Shape;
use crate::short_sort;

/// A prediction that is never positive at any threshold: Keras' minus infinity.
const NEVER: f32 = -1e10;

/// How far the first and the last threshold of an [`AUC`](super::AUC) are from 0 and 1.
const EPSILON: f32 = 1e-7;

/// Which predictions are positive, and what is counted.
#[derive(Clone, Debug)]
pub(super) struct Confusion {
    /// Ascending.
    thresholds: Vec<f32>,
    /// The user's, as they were given.
    given: Option<ThresholdList>,
    /// Where each of them was among the user's.
    places: Vec<usize>,
    spacing: Spacing,
    pub from_logits: bool,
    top_k: Option<usize>,
    class_id: Option<usize>,
    pub by_column: bool,
}

impl Confusion {
    /// The one threshold of 0.5.
    pub fn new() -> Self {
        Self {
            thresholds: vec![0.5],
            given: None,
            places: vec![0],
            spacing: Spacing::Any,
            from_logits: false,
            top_k: None,
            class_id: None,
            by_column: false,
        }
    }

    /// Sets thresholds in the order of the user's.
    pub fn set_thresholds(&mut self, own: &mut Own, thresholds: Vec<f32>) {
        let is_outside = |threshold: &f32| *threshold < 0.0 || *threshold > 1.0;
        let outside: Vec<f32> = thresholds.iter().copied().filter(is_outside).collect();
        own.require(outside.is_empty(), || {
            format!("Threshold values must be in [0, 1]. Received: {outside:?}")
        });
        own.require(!thresholds.is_empty(), || {
            "Expected at least one threshold. Received: []".to_owned()
        });
        self.given = Some(ThresholdList(thresholds.clone()));
        self.spacing = match is_even(&thresholds) {
            true => Spacing::Even,
            false => Spacing::Any,
        };
        self.places = (0..thresholds.len()).collect();
        short_sort::sort_by(&mut self.places, |a, b| {
            thresholds[*a].total_cmp(&thresholds[*b]).is_lt()
        });
        self.thresholds = self.places.iter().map(|place| thresholds[*place]).collect();
    }

    /// So many thresholds from 0 to 1.
    pub fn spread(&mut self, count: usize) {
        self.thresholds = match count {
            0 | 1 => vec![0.5],
            count => even(count).collect(),
        };
        self.places = (0..self.thresholds.len()).collect();
        self.spacing = match count {
            0 | 1 => Spacing::Any,
            _ => Spacing::Even,
        };
    }

    /// These thresholds in ascending order, and one below 0 and one above 1.
    pub fn enclose(&mut self, mut thresholds: Vec<f32>) {
        short_sort::sort_by(&mut thresholds, |a, b| a.total_cmp(b).is_lt());
        self.given = Some(ThresholdList(thresholds.clone()));
        thresholds.insert(0, 0.0);
        thresholds.push(1.0);
        self.spacing = match is_even(&thresholds) {
            true => Spacing::EvenWithEnds,
            false => Spacing::Any,
        };
        self.set_ends(thresholds);
    }

    /// So many thresholds from 0 to 1, the ends a little below and above.
    pub fn enclose_spread(&mut self, count: usize) {
        self.given = None;
        self.set_ends(even(count.max(2)).collect());
        self.spacing = Spacing::EvenWithEnds;
    }

    fn set_ends(&mut self, mut thresholds: Vec<f32>) {
        if let [first, .., last] = &mut thresholds[..] {
            (*first, *last) = (-EPSILON, 1.0 + EPSILON);
        }
        self.places = (0..thresholds.len()).collect();
        self.thresholds = thresholds;
    }

    /// Only the k largest predictions of a row can be positive; without thresholds they are.
    pub fn set_top_k(&mut self, k: usize) {
        if self.given.is_none() {
            self.thresholds = vec![NEVER];
        }
        self.top_k = Some(k);
    }

    /// Only this class counts.
    pub fn set_class_id(&mut self, class: usize) {
        self.class_id = Some(class);
    }

    /// The thresholds as Keras' files have them: the user's, or nothing.
    pub fn given(&self) -> Json {
        self.given.to_json()
    }

    /// Appends what classes count, as Keras' files have it.
    pub fn write_classes(&self, config: &mut Object) {
        config.set("top_k", self.top_k.to_json());
        config.set("class_id", self.class_id.to_json());
    }

    /// The only class that counts.
    pub const fn class_id(&self) -> Option<usize> {
        self.class_id
    }

    /// Sets an argument; whether it is one of these.
    pub fn read(&mut self, own: &mut Own, name: &str, value: &Json) -> Result<bool> {
        match name {
            _ if value.is_null() => Ok(["thresholds", "top_k", "class_id"].contains(&name)),
            "thresholds" => {
                let ThresholdList(thresholds) = value.read(name)?;
                self.set_thresholds(own, thresholds);
                Ok(true)
            }
            "top_k" => {
                self.set_top_k(value.read(name)?);
                Ok(true)
            }
            "class_id" => {
                self.set_class_id(value.read(name)?);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// How many thresholds there are.
    pub fn len(&self) -> usize {
        self.thresholds.len()
    }

    /// Whether targets and predictions of these shapes can be counted.
    pub fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        same_shape(y_true, y_pred)?;
        let classes = y_pred.last();
        if let Some(k) = self.top_k.filter(|k| *k > classes) {
            return Err(Error::value(format!(
                "`top_k` must be at most the number of classes, which is {classes}. Received: top_k={k}"
            )));
        }
        let Some(class) = self.class_id else {
            return Ok(());
        };
        if y_pred.rank() == 0 {
            return Err(Error::value(format!(
                "When class_id is provided, y_pred must be a 2D array with shape (num_samples, num_classes), \
                 found shape: {y_pred}"
            )));
        }
        if class >= classes {
            return Err(Error::value(format!(
                "`class_id` must be in the range [0, {classes}). Received: class_id={class}"
            )));
        }
        Ok(())
    }

    /// How many numbers of state there are, for predictions of so many columns.
    pub fn variables(&self, columns: usize) -> usize {
        2 * self.on_device(&[]).counts(columns)
    }

    /// Counts a batch, with a weight for each column or none.
    pub fn update<D: Device>(&self, column_weights: &[f32], input: MetricInput<'_, D>) {
        let grid = Grid::of(input.rows(), input.weights_per_sample);
        input.device.threshold_counts(
            &self.on_device(column_weights),
            grid,
            input.y_true,
            input.y_pred,
            input.sample_weight,
            input.state,
        );
    }

    fn on_device<'a>(&'a self, column_weights: &'a [f32]) -> Thresholds<'a> {
        Thresholds {
            values: &self.thresholds,
            spacing: self.spacing,
            from_logits: self.from_logits,
            top_k: self.top_k,
            column: self.class_id,
            by_column: self.by_column,
            column_weights,
        }
    }

    /// How many columns a state has counts of.
    pub fn columns(&self, state: &[f32]) -> usize {
        state.len() / (4 * (self.len() + 1))
    }

    /// The matrix of a column at every threshold, from the highest to the lowest.
    pub fn descending<'a>(
        &'a self,
        state: &'a [f32],
        column: usize,
    ) -> impl Iterator<Item = Matrix> + 'a {
        let (columns, buckets) = (self.columns(state), self.len() + 1);
        let count = move |is_positive: usize, below: usize| {
            state[(is_positive * buckets + below) * columns + column]
        };
        let of = move |is_positive: usize| -> f32 {
            (0..buckets).map(|below| count(is_positive, below)).sum()
        };
        let (negatives, positives) = (of(0), of(1));
        let (mut fp, mut tp) = (0.0, 0.0);
        (1..buckets).rev().map(move |below| {
            fp += count(0, below);
            tp += count(1, below);
            Matrix {
                true_positives: tp,
                false_positives: fp,
                true_negatives: negatives - fp,
                false_negatives: positives - tp,
            }
        })
    }

    /// Appends what a function makes of the matrix at each threshold, in the order of the user's.
    pub fn results(&self, state: &[f32], value: fn(&Matrix) -> f32, values: &mut Vec<f32>) {
        let first = values.len();
        values.resize(first + self.len(), 0.0);
        let places = self.places.iter().rev();
        for (matrix, place) in self.descending(state, 0).zip(places) {
            values[first + place] = value(&matrix);
        }
    }
}

/// The confusion matrix at one threshold: weights of predictions, by what they are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Matrix {
    pub true_positives: f32,
    pub false_positives: f32,
    pub true_negatives: f32,
    pub false_negatives: f32,
}

impl Matrix {
    /// TP / (TP + FP).
    pub fn precision(&self) -> f32 {
        super::divide(
            self.true_positives,
            self.true_positives + self.false_positives,
        )
    }

    /// TP / (TP + FN), which is called sensitivity, too.
    pub fn recall(&self) -> f32 {
        super::divide(
            self.true_positives,
            self.true_positives + self.false_negatives,
        )
    }

    /// TN / (TN + FP).
    pub fn specificity(&self) -> f32 {
        super::divide(
            self.true_negatives,
            self.true_negatives + self.false_positives,
        )
    }
}

/// So many numbers from 0 to 1.
fn even(count: usize) -> impl Iterator<Item = f32> {
    (0..count).map(move |i| i as f32 / (count - 1) as f32)
}

/// Whether thresholds are evenly spread from 0 to 1, as Keras finds out.
fn is_even(thresholds: &[f32]) -> bool {
    let is_close =
        |(found, expected): (&f32, f32)| (found - expected).abs() <= 1e-7 + 1e-5 * expected;
    thresholds.len() > 2 && thresholds.iter().zip(even(thresholds.len())).all(is_close)
}

/// One threshold or several: what the builder methods take.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdList(pub(super) Vec<f32>);

argument! {
    ThresholdList, "a number or a list of numbers": |thresholds| match thresholds.0[..] {
        [threshold] => threshold.to_json(),
        _ => thresholds.0.to_json(),
    }, |json| match json.as_list() {
        Some(_) => Vec::from_json(json)?.map(Self),
        None => f32::from_json(json)?.map(|threshold| Self(vec![threshold])),
    };
}

/// How many thresholds a file may ask for.
const MOST: usize = 1 << 20;

/// A number of thresholds, as it stands in a file.
pub(super) fn read_count(name: &str, value: &Json) -> Result<usize> {
    let count = value.read(name)?;
    if count > MOST {
        return Err(Error::value(format!(
            "Expected at most {MOST} thresholds. Received: {name}={count}"
        )));
    }
    Ok(count)
}

impl From<f32> for ThresholdList {
    fn from(threshold: f32) -> Self {
        Self(vec![threshold])
    }
}

impl From<Vec<f32>> for ThresholdList {
    fn from(thresholds: Vec<f32>) -> Self {
        Self(thresholds)
    }
}

impl<const N: usize> From<[f32; N]> for ThresholdList {
    fn from(thresholds: [f32; N]) -> Self {
        Self(thresholds.into())
    }
}

/// What a metric with a field `confusion` does in the same way as every other one.
macro_rules! confusion_methods {
    () => {
        fn name(&self) -> &str {
            self.own.name()
        }

        fn variables(
            &self,
            _y_true: &$crate::shape::Shape,
            y_pred: &$crate::shape::Shape,
        ) -> usize {
            self.confusion.variables(y_pred.last())
        }

        fn values(
            &self,
            y_true: &$crate::shape::Shape,
            y_pred: &$crate::shape::Shape,
        ) -> $crate::shape::Shape {
            $crate::metrics::metric::elements(y_true, y_pred)
        }
    };
    // What has no arguments that shapes and weights depend on.
    (all) => {
        $crate::metrics::confusion::confusion_methods!();

        fn validate(&self) -> $crate::Result<()> {
            self.own.validate()
        }

        fn check(
            &self,
            y_true: &$crate::shape::Shape,
            y_pred: &$crate::shape::Shape,
        ) -> $crate::Result<()> {
            self.confusion.check(y_true, y_pred)
        }

        fn update(&self, input: $crate::metrics::MetricInput<'_, D>) -> $crate::Result<()> {
            self.confusion.update(&[], input);
            Ok(())
        }
    };
}
pub(super) use confusion_methods;

/// Defines a metric with a value for each of the user's thresholds.
macro_rules! threshold_metric {
    (
        $(#[$meta:meta])*
        struct $ty:ident: $name:literal;
        value: $value:expr;
        better: $direction:ident;
        $(with $write:ident;)?
    ) => {
        $(#[$meta])*
        ///
        /// A prediction is positive if it is greater than the threshold, a target if it is not 0. With
        /// several thresholds there is a value for each.
        #[derive(Clone, Debug)]
        pub struct $ty {
            pub(super) own: $crate::metrics::Own,
            confusion: $crate::metrics::confusion::Confusion,
        }

        impl $ty {
            /// The metric with a threshold of 0.5.
            pub fn new() -> Self {
                Self {
                    own: $crate::metrics::Own::numbered($name),
                    confusion: $crate::metrics::confusion::Confusion::new(),
                }
            }

            /// A threshold, or several, between 0 and 1.
            #[must_use]
            pub fn thresholds(
                mut self,
                thresholds: impl Into<$crate::metrics::ThresholdList>,
            ) -> Self {
                self.confusion.set_thresholds(&mut self.own, thresholds.into().0);
                self
            }
        }

        impl $crate::config::Arguments for $ty {
            fn write(&self, config: &mut $crate::config::Object) {
                self.own.write(config);
                config.set("thresholds", self.confusion.given());
                $(self.confusion.$write(config);)?
            }

            fn read(&mut self, name: &str, value: &$crate::config::Json) -> $crate::Result<bool> {
                Ok(self.own.read(name, value)? || self.confusion.read(&mut self.own, name, value)?)
            }
        }

        impl<D: $crate::device::Device> $crate::metrics::Metric<D> for $ty {
            $crate::metrics::metric::described!($ty);
            $crate::metrics::confusion::confusion_methods!(all);

            fn results(&self, state: &[f32], values: &mut Vec<f32>) {
                self.confusion.results(state, $value, values);
            }

            fn direction(&self) -> $crate::metrics::Direction {
                $crate::metrics::Direction::$direction
            }
        }
    };
}
pub(super) use threshold_metric;

/// The arguments of metrics that may look at some classes only.
macro_rules! classes_of {
    ($ty:ident) => {
        impl $ty {
            /// Only the k largest predictions of a row can be positive; without thresholds all of
            /// them are.
            #[must_use]
            pub fn top_k(mut self, k: usize) -> Self {
                self.confusion.set_top_k(k);
                self
            }

            /// The only class that counts; by default all do.
            #[must_use]
            pub fn class_id(mut self, class: usize) -> Self {
                self.confusion.set_class_id(class);
                self
            }
        }
    };
}
pub(super) use classes_of;

/// Defines a metric that is the best value at any threshold where another value is high enough.
macro_rules! constrained_metric {
    (
        $(#[$meta:meta])*
        struct $ty:ident($argument:ident): $name:literal;
        best: $best:ident;
        at_least: $constrained:ident;
    ) => {
        $(#[$meta])*
        ///
        /// A prediction is positive if it is greater than the threshold, a target if it is not 0.
        #[derive(Clone, Debug)]
        pub struct $ty {
            pub(super) own: $crate::metrics::Own,
            confusion: $crate::metrics::confusion::Confusion,
            $argument: f32,
        }

        impl $ty {
            #[doc = concat!("The metric for a `", stringify!($argument), "` between 0 and 1, with 200 thresholds.")]
            pub fn new($argument: f32) -> Self {
                let mut confusion = $crate::metrics::confusion::Confusion::new();
                confusion.spread(200);
                let metric = Self {
                    own: $crate::metrics::Own::numbered($name),
                    confusion,
                    $argument,
                };
                metric.checked()
            }

            fn checked(mut self) -> Self {
                let $argument = self.$argument;
                self.own.require((0.0..=1.0).contains(&$argument), || {
                    format!(
                        "Argument `{0}` must be in the range [0, 1]. Received: {0}={1:?}",
                        stringify!($argument),
                        $argument
                    )
                });
                self
            }

            /// How many thresholds are tried; 200 by default.
            #[must_use]
            pub fn num_thresholds(mut self, num_thresholds: usize) -> Self {
                self.own.require(num_thresholds > 0, || {
                    format!(
                        "Argument `num_thresholds` must be an integer > 0. Received: num_thresholds={num_thresholds}"
                    )
                });
                self.confusion.spread(num_thresholds);
                self
            }

            /// The only class that counts; by default all do.
            #[must_use]
            pub fn class_id(mut self, class: usize) -> Self {
                self.confusion.set_class_id(class);
                self
            }
        }

        impl $crate::config::Arguments for $ty {
            fn write(&self, config: &mut $crate::config::Object) {
                self.own.write(config);
                config.set("class_id", self.confusion.class_id().map($crate::config::Json::from));
                config.set("num_thresholds", self.confusion.len());
                config.set(
                    stringify!($argument),
                    $crate::config::Argument::to_json(&self.$argument),
                );
            }

            fn read(&mut self, name: &str, value: &$crate::config::Json) -> $crate::Result<bool> {
                match name {
                    "num_thresholds" => {
                        let count = $crate::metrics::confusion::read_count(name, value)?;
                        *self = self.clone().num_thresholds(count);
                    }
                    stringify!($argument) => {
                        self.$argument = $crate::config::Read::read(value, name)?;
                        *self = self.clone().checked();
                    }
                    _ => {
                        return Ok(self.own.read(name, value)?
                            || self.confusion.read(&mut self.own, name, value)?);
                    }
                }
                Ok(true)
            }
        }

        impl<D: $crate::device::Device> $crate::metrics::Metric<D> for $ty {
            $crate::metrics::metric::described!($ty);
            $crate::metrics::confusion::confusion_methods!(all);

            fn result(&self, state: &[f32]) -> f32 {
                self.confusion
                    .descending(state, 0)
                    .filter(|matrix| matrix.$constrained() >= self.$argument)
                    .map(|matrix| matrix.$best())
                    .fold(0.0, f32::max)
            }

            fn direction(&self) -> $crate::metrics::Direction {
                $crate::metrics::Direction::Up
            }
        }
    };
}
pub(super) use constrained_metric;
