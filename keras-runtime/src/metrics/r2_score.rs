//! `1 - Σ w (t - p)² / Σ w (t - t̄)²` of each column.

use super::metric::described;
use super::{Direction, Metric, MetricInput, Own, metric};
use crate::config::{Json, argument, arguments};
use crate::console;
use crate::device::{ColumnFunction, Device, Float};
use crate::error::{Error, Result};
use crate::losses::same_shape;
use crate::shape::Shape;

/// The coefficient of determination: how much of the variance of the targets is predicted.
/// `keras.metrics.R2Score`.
#[derive(Clone, Debug)]
pub struct R2Score {
    pub(super) own: Own,
    aggregation: Aggregation,
    num_regressors: usize,
}

/// How the scores of the columns become one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Aggregation {
    None,
    UniformAverage,
    VarianceWeightedAverage,
}

/// The sums of a column.
const SUMS: usize = 5;

impl R2Score {
    /// The mean of the scores of all columns.
    pub const fn new() -> Self {
        Self {
            own: Own::new("r2_score"),
            aggregation: Aggregation::UniformAverage,
            num_regressors: 0,
        }
    }

    /// How the scores of the columns become one: `uniform_average`, the default, or
    /// `variance_weighted_average`; with `None` there is one value for each.
    #[must_use]
    pub fn class_aggregation<'a>(mut self, aggregation: impl Into<Option<&'a str>>) -> Self {
        let aggregation = aggregation.into();
        let found = match aggregation {
            None => Some(Aggregation::None),
            Some("uniform_average") => Some(Aggregation::UniformAverage),
            Some("variance_weighted_average") => Some(Aggregation::VarianceWeightedAverage),
            Some(_) => None,
        };
        self.own.require(found.is_some(), || {
            format!(
                "Invalid value for argument `class_aggregation`. Expected one of \
                 (None, 'uniform_average', 'variance_weighted_average'). Received: class_aggregation={}",
                aggregation.unwrap_or_default()
            )
        });
        self.aggregation = found.unwrap_or(self.aggregation);
        self
    }

    /// The number of independent regressors, for the adjusted score; 0, the default, for the plain
    /// one.
    #[must_use]
    pub const fn num_regressors(mut self, num_regressors: usize) -> Self {
        self.num_regressors = num_regressors;
        self
    }

    /// A score as it is after so many values, adjusted to the number of regressors.
    fn adjusted(&self, score: f32, count: f32) -> f32 {
        let regressors = self.num_regressors as f32;
        if self.num_regressors == 0 {
            score
        } else if regressors > count - 1.0 {
            console::warn(
                "More independent predictors than datapoints in adjusted R2 score. Falling back to standard R2 score.",
            );
            score
        } else if regressors == count - 1.0 {
            console::warn(
                "Division by zero in Adjusted R2 score. Falling back to standard R2 score.",
            );
            score
        } else {
            1.0 - (1.0 - score) * (count - 1.0) / (count - regressors - 1.0)
        }
    }
}

argument! {
    Aggregation, "`uniform_average`, `variance_weighted_average` or nothing": |aggregation| match aggregation {
        Self::None => Json::Null,
        Self::UniformAverage => Json::from("uniform_average"),
        Self::VarianceWeightedAverage => Json::from("variance_weighted_average"),
    }, |json| match json {
        Json::Null => Some(Self::None),
        _ => match json.as_str() {
            Some("uniform_average") => Some(Self::UniformAverage),
            Some("variance_weighted_average") => Some(Self::VarianceWeightedAverage),
            _ => None,
        },
    };
}

arguments!(R2Score: own {
    "class_aggregation": aggregation,
    "num_regressors": num_regressors,
});

impl<D: Device> Metric<D> for R2Score {
    described!(R2Score);

    fn name(&self) -> &str {
        self.own.name()
    }

    fn validate(&self) -> Result<()> {
        self.own.validate()
    }

    fn variables(&self, _y_true: &Shape, y_pred: &Shape) -> usize {
        2 * SUMS * y_pred.last()
    }

    fn check(&self, y_true: &Shape, y_pred: &Shape) -> Result<()> {
        if y_true.rank().max(y_pred.rank()) == 1 && same_shape(y_true, y_pred).is_ok() {
            return Ok(());
        }
        Err(Error::value(format!(
            "R2Score expects 2D inputs with shape (batch_size, output_dim). Received input shapes: \
             y_pred.shape={y_pred} and y_true.shape={y_true}."
        )))
    }

    fn values(&self, y_true: &Shape, y_pred: &Shape) -> Shape {
        metric::elements(y_true, y_pred)
    }

    fn update(&self, input: MetricInput<'_, D>) -> Result<()> {
        input.column_sums(Residuals);
        Ok(())
    }

    fn results(&self, state: &[f32], values: &mut Vec<f32>) {
        let columns = state.len() / (2 * SUMS);
        let sum = |n: usize, column: usize| state[n * columns + column];
        // Σ w (t - t̄)²
        let total = |column: usize| {
            let mean = sum(0, column) / sum(3, column);
            sum(1, column) - sum(0, column) * mean
        };
        let score = |column: usize| {
            let score = 1.0 - sum(2, column) / total(column);
            if score.is_infinite() { 0.0 } else { score }
        };
        let count: f32 = (0..columns).map(|column| sum(4, column)).sum();
        let all = 0..columns;
        match self.aggregation {
            Aggregation::None => {
                values.extend(all.map(|column| self.adjusted(score(column), count)))
            }
            Aggregation::UniformAverage => {
                let mean = all.map(score).sum::<f32>() / columns as f32;
                values.push(self.adjusted(mean, count));
            }
            Aggregation::VarianceWeightedAverage => {
                let weighted: f32 = all
                    .clone()
                    .map(|column| total(column) * score(column))
                    .sum();
                let mean = weighted / all.map(total).sum::<f32>();
                values.push(self.adjusted(mean, count));
            }
        }
    }

    fn direction(&self) -> Direction {
        Direction::Up
    }
}

/// Sums w t, w t², w (t - p)², w, and 1.
#[derive(Clone, Copy, Debug)]
struct Residuals;

impl ColumnFunction<SUMS> for Residuals {
    fn values<F: Float>(&self, y_true: F, y_pred: F, _max: F, weight: F) -> [F; SUMS] {
        let (weighted, residual) = (weight * y_true, y_true - y_pred);
        let squared = residual * residual * weight;
        [weighted, y_true * weighted, squared, weight, F::one()]
    }
}
