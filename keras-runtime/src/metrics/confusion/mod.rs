//! What the metrics of the confusion matrix share: how much true and false, positive and negative
//! there is at each threshold.
//!
//! The state counts, for targets of 0 and for others, how many predictions have how many thresholds
//! below them. Everything else is sums over it.

mod define;
mod thresholds;

pub(super) use define::{classes_of, confusion_methods, constrained_metric, threshold_metric};
pub use thresholds::ThresholdList;
pub(super) use thresholds::read_count;
use thresholds::{even, is_even};

use super::{MetricInput, Own};
use crate::config::{Argument, Json, Object, Read};
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
