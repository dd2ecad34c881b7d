//! `(1 + β²) P R / (β² P + R)` of the precision P and the recall R of each class.

use super::Own;
use crate::config::{Json, argument};
use crate::device::{ColumnFunction, Float};
use crate::error::{Error, Result};
use crate::shape::Shape;

/// What keeps quotients finite: `keras.backend.epsilon()`.
const EPSILON: f32 = 1e-7;

/// How the scores of the classes become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Average {
    /// They stay as they are.
    None,
    /// Everything is counted together.
    Micro,
    /// Their mean.
    Macro,
    /// Their mean, weighted by how often each class is the target.
    Weighted,
}

argument! {
    Average, "`micro`, `macro`, `weighted` or nothing": |average| match average {
        Self::None => Json::Null,
        Self::Micro => Json::from("micro"),
        Self::Macro => Json::from("macro"),
        Self::Weighted => Json::from("weighted"),
    }, |json| match json {
        Json::Null => Some(Self::None),
        _ => match json.as_str() {
            Some("micro") => Some(Self::Micro),
            Some("macro") => Some(Self::Macro),
            Some("weighted") => Some(Self::Weighted),
            _ => None,
        },
    };
}

/// The score of the classes, without its name: also [`F1Score`](super::F1Score)'s.
#[derive(Clone, Debug)]
pub(super) struct Score {
    pub beta: f32,
    pub average: Average,
    pub positive: Positive,
}

/// The sums of a column.
const SUMS: usize = 4;

impl Score {
    pub const fn new() -> Self {
        Self {
            beta: 1.0,
            average: Average::None,
            positive: Positive { threshold: None },
        }
    }

    pub fn set_beta(&mut self, beta: f32) {
        self.beta = beta;
    }

    pub fn set_average(&mut self, own: &mut Own, average: Option<&str>) {
        let found = match average {
            None => Some(Average::None),
            Some("micro") => Some(Average::Micro),
            Some("macro") => Some(Average::Macro),
            Some("weighted") => Some(Average::Weighted),
            Some(_) => None,
        };
        own.require(found.is_some(), || {
            format!(
                "Invalid `average` argument value. Expected one of: {{None, 'micro', 'macro', 'weighted'}}. \
                 Received: average={}",
                average.unwrap_or_default()
            )
        });
        self.average = found.unwrap_or(self.average);
    }

    pub fn set_threshold(&mut self, threshold: f32) {
        self.positive.threshold = Some(threshold);
    }

    /// Whether the numbers are in range.
    pub fn validate(&self) -> Result<()> {
        let Self { beta, positive, .. } = self;
        if beta.is_nan() || *beta <= 0.0 {
            return Err(Error::value(format!(
                "Invalid `beta` argument value. It should be > 0. Received: beta={beta:?}"
            )));
        }
        match positive.threshold {
            Some(threshold) if !(threshold > 0.0 && threshold <= 1.0) => {
                Err(Error::value(format!(
                    "Invalid `threshold` argument value. It should verify 0 < threshold <= 1. \
                 Received: threshold={threshold:?}"
                )))
            }
            _ => Ok(()),
        }
    }

    /// What is summed up.
    pub fn function(&self) -> impl ColumnFunction<SUMS> + use<> {
        self.positive
    }

    /// Two halves, as [`Counts`](crate::device::Counts) has them.
    pub fn variables(&self, y_pred: &Shape) -> usize {
        2 * SUMS * y_pred.last()
    }

    pub fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        if y_true.rank() == 1 && y_true == y_pred {
            return Ok(());
        }
        Err(Error::value(format!(
            "FBetaScore expects 2D inputs with shape (batch_size, output_dim). Received input shapes: \
             y_pred.shape={y_pred} and y_true.shape={y_true}."
        )))
    }

    pub fn results(&self, state: &[f32], values: &mut Vec<f32>) {
        let columns = state.len() / (2 * SUMS);
        let sum = |n: usize, column: usize| state[n * columns + column];
        let of_all = |n: usize| (0..columns).map(|column| sum(n, column)).sum::<f32>();
        let scores =
            (0..columns).map(|column| self.score(sum(0, column), sum(1, column), sum(2, column)));
        match self.average {
            Average::None => values.extend(scores),
            Average::Micro => values.push(self.score(of_all(0), of_all(1), of_all(2))),
            Average::Macro => values.push(scores.sum::<f32>() / columns as f32),
            Average::Weighted => {
                let all = of_all(3) + EPSILON;
                let weighted = scores
                    .enumerate()
                    .map(|(column, score)| score * (sum(3, column) / all));
                values.push(weighted.sum());
            }
        }
    }

    /// The score of true and false positives and false negatives.
    fn score(&self, tp: f32, fp: f32, fn_: f32) -> f32 {
        let precision = tp / (tp + fp + EPSILON);
        let recall = tp / (tp + fn_ + EPSILON);
        let squared = self.beta * self.beta;
        let mean = precision * recall / (squared * precision + recall + EPSILON);
        mean * (1.0 + squared)
    }
}

/// Sums true positives, false positives, false negatives and targets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Positive {
    /// Predictions above it are positive; without one the largest of each row.
    pub threshold: Option<f32>,
}

impl ColumnFunction<SUMS> for Positive {
    fn values<F: Float>(&self, y_true: F, y_pred: F, max: F, weight: F) -> [F; SUMS] {
        let is_positive = match self.threshold {
            Some(threshold) => y_pred > F::from_f32(threshold),
            None => y_pred >= max && y_pred.abs() > F::from_f64(1e-9),
        };
        let p = if is_positive { F::one() } else { F::zero() };
        let t = y_true;
        [p * t, p * (F::one() - t), (F::one() - p) * t, t].map(|value| value * weight)
    }
}

/// Defines a metric with a field `score`.
macro_rules! score_metric {
    ($(#[$meta:meta])* struct $ty:ident: $name:literal; config { $($config:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $ty {
            pub(super) own: $crate::metrics::Own,
            score: $crate::metrics::f_beta_score::Score,
        }

        impl $ty {
            /// The score of each class, where the largest prediction of a row is positive.
            pub const fn new() -> Self {
                Self {
                    own: $crate::metrics::Own::new($name),
                    score: $crate::metrics::f_beta_score::Score::new(),
                }
            }

            /// How the scores of the classes become one: `micro` counts all together, `macro` is
            /// their mean, `weighted` their mean weighted by how often each is the target. By default
            /// there is one value for each class.
            #[must_use]
            pub fn average<'a>(mut self, average: impl Into<Option<&'a str>>) -> Self {
                self.score.set_average(&mut self.own, average.into());
                self
            }

            /// Predictions above it are positive; by default the largest one of each row is.
            #[must_use]
            pub fn threshold(mut self, threshold: f32) -> Self {
                self.score.set_threshold(threshold);
                self
            }
        }

        $crate::config::arguments!($ty: own { $($config)* });

        impl<D: $crate::device::Device> $crate::metrics::Metric<D> for $ty {
            $crate::metrics::metric::described!($ty);

            fn name(&self) -> &str {
                self.own.name()
            }

            fn validate(&self) -> $crate::Result<()> {
                self.own.validate()?;
                self.score.validate()
            }

            fn variables(
                &self,
                _y_true: &$crate::shape::Shape,
                y_pred: &$crate::shape::Shape,
            ) -> usize {
                self.score.variables(y_pred)
            }

            fn check(
                &self,
                y_true: &$crate::shape::Shape,
                y_pred: &$crate::shape::Shape,
            ) -> $crate::Result<()> {
                self.score.check(y_true, y_pred)
            }

            fn values(
                &self,
                y_true: &$crate::shape::Shape,
                y_pred: &$crate::shape::Shape,
            ) -> $crate::shape::Shape {
                $crate::metrics::metric::elements(y_true, y_pred)
            }

            fn update(&self, input: $crate::metrics::MetricInput<'_, D>) -> $crate::Result<()> {
                input.column_sums(self.score.function());
                Ok(())
            }

            fn results(&self, state: &[f32], values: &mut Vec<f32>) {
                self.score.results(state, values);
            }

            fn direction(&self) -> $crate::metrics::Direction {
                $crate::metrics::Direction::Up
            }
        }
    };
}
pub(super) use score_metric;

score_metric! {
    /// The weighted harmonic mean of precision and recall of each class: `keras.metrics.FBetaScore`.
    struct FBetaScore: "fbeta_score";
    config {
        "average": score.average,
        "beta": score.beta,
        "threshold": score.positive.threshold,
    }
}

impl FBetaScore {
    /// How much more recall counts than precision; 1 by default.
    #[must_use]
    pub fn beta(mut self, beta: f32) -> Self {
        self.score.set_beta(beta);
        self
    }
}
