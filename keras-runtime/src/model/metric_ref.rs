//! The loss and the metrics of a model, to be looked at.

use super::Model;

/// A metric of a model: the mean of the loss, or one that `compile` was given.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricRef {
    name: String,
    result: f32,
    results: Vec<f32>,
}

impl MetricRef {
    /// The name it is logged under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value since the last [`reset_metrics`](Model::reset_metrics).
    pub fn result(&self) -> f32 {
        self.result
    }

    /// All of its values: one, unless it has one for each class or threshold, whose mean is the
    /// [`result`](MetricRef::result).
    pub fn results(&self) -> &[f32] {
        &self.results
    }
}

/// The metrics of a model, in Keras' order.
pub(crate) fn metrics<M: Model>(model: &mut M) -> Vec<MetricRef> {
    let logs = model.logs();
    let names = model.metrics_names().into_iter();
    let compiled = model.run().compiled.as_ref();
    let targets = compiled.and_then(|compiled| compiled.targets.as_ref());
    let metric = |name: String| {
        let result = logs.get(&name).unwrap_or_default();
        let results = targets.and_then(|targets| targets.results(&name));
        MetricRef {
            name,
            result,
            results: results.unwrap_or_else(|| vec![result]),
        }
    };
    names.map(metric).collect()
}
