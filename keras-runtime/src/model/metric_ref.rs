//! The loss and the metrics of a model, to be looked at.

use super::Model;

/// A metric of a model: the mean of the loss, or one that `compile` was given.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricRef {
    name: String,
    result: f32,
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
}

/// The metrics of a model, in Keras' order.
pub(crate) fn metrics<M: Model>(model: &mut M) -> Vec<MetricRef> {
    let logs = model.logs();
    let names = model.metrics_names().into_iter();
    let metric = |name: String| MetricRef {
        result: logs.get(&name).unwrap_or_default(),
        name,
    };
    names.map(metric).collect()
}
