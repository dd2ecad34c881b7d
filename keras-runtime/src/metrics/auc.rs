//! The area under the curve that the confusion matrix draws while the threshold falls.

use super::confusion::{Confusion, Matrix, confusion_methods, read_count};
use super::metric::described;
use super::{Direction, Metric, MetricInput, Own, ThresholdList, divide};
use crate::config::{self, Argument, Arguments, Json, Object, Read, argument};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The approximate area under a curve, by a Riemann sum over thresholds: `keras.metrics.AUC`.
///
/// A prediction is positive if it is greater than the threshold, a target if it is not 0.
#[derive(Clone, Debug)]
pub struct AUC {
    pub(super) own: Own,
    confusion: Confusion,
    curve: Curve,
    summation: Summation,
    num_labels: Option<usize>,
    label_weights: Vec<f32>,
}

/// What is drawn above what.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Curve {
    /// Recall above the rate of false positives.
    Roc,
    /// Precision above recall.
    Pr,
    /// The gain of precision above that of recall.
    PrGain,
}

/// The height of a strip between two thresholds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Summation {
    /// The mean of the two; precision is interpolated as Davis and Goadrich have it (2006).
    Interpolation,
    /// The smaller one.
    Minoring,
    /// The larger one.
    Majoring,
}

impl AUC {
    /// The area under the ROC curve, with 200 thresholds.
    pub fn new() -> Self {
        let mut confusion = Confusion::new();
        confusion.enclose_spread(200);
        Self {
            own: Own::numbered("auc"),
            confusion,
            curve: Curve::Roc,
            summation: Summation::Interpolation,
            num_labels: None,
            label_weights: Vec::new(),
        }
    }

    /// How many thresholds there are, with the two at the ends; 200 by default.
    #[must_use]
    pub fn num_thresholds(mut self, num_thresholds: usize) -> Self {
        self.own.require(num_thresholds > 1, || {
            format!(
                "Argument `num_thresholds` must be an integer > 1. Received: num_thresholds={num_thresholds}"
            )
        });
        self.confusion.enclose_spread(num_thresholds);
        self
    }

    /// The thresholds, without those at the ends, instead of evenly spread ones.
    #[must_use]
    pub fn thresholds(mut self, thresholds: impl Into<ThresholdList>) -> Self {
        self.confusion.enclose(thresholds.into().0);
        self
    }

    /// The curve: `ROC`, the default, `PR` or `PRGAIN`.
    #[must_use]
    pub fn curve(mut self, curve: &str) -> Self {
        let found = match curve {
            "roc" | "ROC" => Some(Curve::Roc),
            "pr" | "PR" => Some(Curve::Pr),
            "prgain" | "PRGAIN" => Some(Curve::PrGain),
            _ => None,
        };
        self.own.require(found.is_some(), || {
            format!(
                "Invalid AUC curve value: \"{curve}\". Expected values are [\"PR\", \"ROC\", \"PRGAIN\"]"
            )
        });
        self.curve = found.unwrap_or(self.curve);
        self
    }

    /// How the strips between thresholds are measured: `interpolation`, the default, `majoring` or
    /// `minoring`.
    #[must_use]
    pub fn summation_method(mut self, method: &str) -> Self {
        let found = match method {
            "interpolation" | "Interpolation" => Some(Summation::Interpolation),
            "majoring" | "Majoring" => Some(Summation::Majoring),
            "minoring" | "Minoring" => Some(Summation::Minoring),
            _ => None,
        };
        self.own.require(found.is_some(), || {
            format!(
                "Invalid AUC summation method value: \"{method}\". \
                 Expected values are [\"interpolation\", \"majoring\", \"minoring\"]"
            )
        });
        self.summation = found.unwrap_or(self.summation);
        self
    }

    /// Whether each column of the predictions is a label of its own, with an area of its own: the
    /// result is their mean. By default all columns are counted together.
    #[must_use]
    pub fn multi_label(mut self, multi_label: bool) -> Self {
        self.confusion.by_column = multi_label;
        self
    }

    /// How many labels there are, with `multi_label`; otherwise the predictions tell.
    #[must_use]
    pub fn num_labels(mut self, num_labels: usize) -> Self {
        self.num_labels = Some(num_labels);
        self
    }

    /// How much each column counts: with `multi_label` in the mean of the areas, otherwise as weights
    /// of its predictions.
    #[must_use]
    pub fn label_weights(mut self, label_weights: impl Into<Vec<f32>>) -> Self {
        self.label_weights = label_weights.into();
        self
    }

    /// Whether predictions are logits; by default they are probabilities.
    #[must_use]
    pub fn from_logits(mut self, from_logits: bool) -> Self {
        self.confusion.from_logits = from_logits;
        self
    }

    /// Where the curve is.
    fn point(&self, at: &Matrix) -> (f32, f32) {
        match self.curve {
            Curve::Roc => {
                let negatives = at.false_positives + at.true_negatives;
                (divide(at.false_positives, negatives), at.recall())
            }
            Curve::Pr => (at.recall(), at.precision()),
            Curve::PrGain => {
                let positives = at.true_positives + at.false_negatives;
                let scale = divide(positives, at.true_negatives + at.false_positives);
                let gain = |wrong: f32| 1.0 - scale * divide(wrong, at.true_positives);
                if at.true_positives == 0.0 {
                    return (0.0, 1.0);
                }
                (gain(at.false_negatives).max(0.0), gain(at.false_positives))
            }
        }
    }

    /// The area between a threshold and the next higher one.
    fn strip(&self, lower: &Matrix, higher: &Matrix) -> f32 {
        if self.curve == Curve::Pr && self.summation == Summation::Interpolation {
            return interpolated_precision(lower, higher);
        }
        let ((x, y), (next_x, next_y)) = (self.point(lower), self.point(higher));
        let height = match self.summation {
            Summation::Interpolation => (y + next_y) / 2.0,
            Summation::Minoring => y.min(next_y),
            Summation::Majoring => y.max(next_y),
        };
        (x - next_x) * height
    }

    /// The area of a column.
    fn area(&self, state: &[f32], column: usize) -> f32 {
        let mut matrices = self.confusion.descending(state, column);
        let Some(mut higher) = matrices.next() else {
            return 0.0;
        };
        let mut area = 0.0;
        for lower in matrices {
            area += self.strip(&lower, &higher);
            higher = lower;
        }
        area
    }
}

/// The area under a curve of precision above recall between two thresholds, where true positives
/// grow linearly with all positives: `Δx = dTP / dP (dTP + intercept · ln(P / P'))`, over TP + FN.
fn interpolated_precision(lower: &Matrix, higher: &Matrix) -> f32 {
    let positives = |at: &Matrix| at.true_positives + at.false_positives;
    let (p, next_p) = (positives(lower), positives(higher));
    let gained = lower.true_positives - higher.true_positives;
    let slope = divide(gained, (p - next_p).max(0.0));
    let intercept = higher.true_positives - slope * next_p;
    let ratio = if p > 0.0 && next_p > 0.0 {
        p / next_p
    } else {
        1.0
    };
    let targets = (higher.true_positives + higher.false_negatives).max(0.0);
    divide(slope * (gained + intercept * ratio.ln()), targets)
}

argument! {
    Curve, "`ROC`, `PR` or `PRGAIN`": |curve| Json::from(match curve {
        Self::Roc => "ROC",
        Self::Pr => "PR",
        Self::PrGain => "PRGAIN",
    }), |json| match json.as_str() {
        Some("roc" | "ROC") => Some(Self::Roc),
        Some("pr" | "PR") => Some(Self::Pr),
        Some("prgain" | "PRGAIN") => Some(Self::PrGain),
        _ => None,
    };
    Summation, "`interpolation`, `majoring` or `minoring`": |summation| Json::from(match summation {
        Self::Interpolation => "interpolation",
        Self::Minoring => "minoring",
        Self::Majoring => "majoring",
    }), |json| match json.as_str() {
        Some("interpolation" | "Interpolation") => Some(Self::Interpolation),
        Some("minoring" | "Minoring") => Some(Self::Minoring),
        Some("majoring" | "Majoring") => Some(Self::Majoring),
        _ => None,
    };
}

impl Arguments for AUC {
    fn write(&self, config: &mut Object) {
        self.own.write(config);
        let weights = &self.label_weights;
        config.set("num_thresholds", self.confusion.len());
        config.set("curve", self.curve.to_json());
        config.set("summation_method", self.summation.to_json());
        config.set("multi_label", self.confusion.by_column);
        config.set("num_labels", self.num_labels.to_json());
        config.set(
            "label_weights",
            (!weights.is_empty()).then(|| weights.to_json()),
        );
        config.set("from_logits", self.confusion.from_logits);
        if !self.confusion.given().is_null() {
            config.set("thresholds", self.confusion.given());
        }
    }

    fn read(&mut self, name: &str, value: &Json) -> Result<bool> {
        match name {
            "num_thresholds" => *self = self.clone().num_thresholds(read_count(name, value)?),
            "curve" => config::read(&mut self.curve, name, value)?,
            "summation_method" => config::read(&mut self.summation, name, value)?,
            "multi_label" => config::read(&mut self.confusion.by_column, name, value)?,
            "num_labels" => config::read(&mut self.num_labels, name, value)?,
            "label_weights" => config::read(&mut self.label_weights, name, value)?,
            "from_logits" => config::read(&mut self.confusion.from_logits, name, value)?,
            "thresholds" if value.is_null() => {}
            "thresholds" => {
                let ThresholdList(thresholds) = value.read(name)?;
                self.confusion.enclose(thresholds);
            }
            _ => return self.own.read(name, value),
        }
        Ok(true)
    }
}

impl<D: Device> Metric<D> for AUC {
    described!(AUC);
    confusion_methods!();

    fn validate(&self) -> Result<()> {
        self.own.validate()?;
        if self.num_labels.is_some() && !self.confusion.by_column {
            return Err(Error::value(
                "`num_labels` is needed only when `multi_label` is True.",
            ));
        }
        Ok(())
    }

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        if self.confusion.by_column && y_pred.rank() != 1 {
            return Err(Error::value(format!(
                "`y_pred` must have rank 2 when `multi_label=True`. Found rank {}. \
                 Full shape received for `y_pred`: {y_pred}",
                y_pred.rank() + 1
            )));
        }
        let columns = y_pred.last();
        let is_other = |labels: &usize| *labels != columns;
        if let Some(labels) = self.num_labels.filter(is_other) {
            return Err(Error::value(format!(
                "`y_pred` must have `num_labels` columns, which are {labels}. Received: y_pred.shape={y_pred}"
            )));
        }
        let weights = self.label_weights.len();
        if weights > 0 && weights != columns {
            return Err(Error::value(format!(
                "`label_weights` must have a weight for each of the {columns} columns of `y_pred`. \
                 Received: {weights} weights"
            )));
        }
        self.confusion.check(y_true, y_pred)
    }

    fn update(&self, input: MetricInput<'_, D>) -> Result<()> {
        let weights: &[f32] = match self.confusion.by_column {
            true => &[],
            false => &self.label_weights,
        };
        self.confusion.update(weights, input);
        Ok(())
    }

    fn result(&self, state: &[f32]) -> f32 {
        let columns = self.confusion.columns(state);
        let weight = |column: usize| match self.confusion.by_column {
            true => self.label_weights.get(column).copied().unwrap_or(1.0),
            false => 1.0,
        };
        let (mut area, mut weights) = (0.0, 0.0);
        for column in 0..columns {
            area += weight(column) * self.area(state, column);
            weights += weight(column);
        }
        divide(area, weights)
    }

    fn direction(&self) -> Direction {
        Direction::Up
    }
}
