//! What a compiled model knows once it has seen targets: shapes, the metrics that names mean, and the
//! running sums that logs are made of.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::backend::Backend;
use super::compile::MetricRequest;
use super::compiled::{Compiled, OutputLoss};
use super::history::Logs;
use super::network::{Network, Value};
use crate::device::Device;
use crate::error::Result;
use crate::metrics::{self, Metric, MetricArg};
use crate::shape::Shape;

/// What a compiled model knows once it has seen targets: their shapes, and which metrics the names
/// mean.
pub(crate) struct Targets<D: Device> {
    pub outputs: Vec<Target<D>>,
    /// In Keras' order: output by output, first those that take no notice of sample weights.
    pub metrics: Vec<NamedMetric<D>>,
    /// The metrics that the model adds by itself.
    pub added: Vec<Added>,
    /// The shapes of the outputs that these were resolved for.
    pub predictions: Vec<Shape>,
    /// The outputs whose gradient, while training, is that of their logits.
    pub from_logits: Vec<Value>,
    /// The sums of the losses, of the extra losses, the states of the metrics, and the sums of the added
    /// metrics, side by side, and
    /// a place for a loss that is not counted.
    pub totals: D::Buffer,
    /// The samples counted since the last reset.
    pub samples: f64,
    /// The totals on the host, while logs are made of them.
    pub host: Vec<f32>,
    /// The values of one metric, while logs are made of them.
    pub values: Vec<f32>,
    pub logs: Logs,
    /// Where each of [`names`](Targets::names) is among the logs.
    pub log_slots: Vec<usize>,
}

/// The targets of one output.
pub(crate) struct Target<D: Device> {
    pub name: Cow<'static, str>,
    /// The output in inference and in training.
    pub value: [Value; 2],
    pub shape: Shape,
    /// The batch's targets: (capacity, ..shape).
    pub buffer: D::Buffer,
    /// The batch's sample weights, if it has any.
    pub weights: Option<Weighting<D>>,
    /// Whether the loss is computed from the logits, in inference and in training.
    pub fused: [bool; 2],
}

/// The sample weights of a batch for one output.
pub(crate) struct Weighting<D: Device> {
    pub buffer: D::Buffer,
    pub per_sample: usize,
}

impl<D: Device> Weighting<D> {
    /// The weights of a batch.
    pub fn view(&self, batch: usize) -> D::Slice<'_> {
        D::slice(&self.buffer, 0..batch * self.per_sample)
    }
}

/// A metric of one output.
pub(crate) struct NamedMetric<D: Device> {
    /// What it is logged as: one name, or those of its dictionary.
    pub names: Vec<String>,
    /// The number of the output.
    pub output: usize,
    /// Whether sample weights count.
    pub is_weighted: bool,
    pub metric: Arc<dyn Metric<D>>,
    /// Its state among the totals.
    pub state: Range<usize>,
}

/// A metric that the model adds by itself: the mean over batches.
pub(crate) struct Added {
    pub name: String,
    /// What it is the mean of, in inference and in training.
    pub values: [Option<Value>; 2],
    /// The place of its sum among the totals.
    pub total: usize,
    /// The batches since the last reset.
    pub batches: u32,
}

impl<D: Device> Targets<D> {
    /// Resolves the metrics for targets and predictions of these shapes.
    pub fn new(
        device: &D,
        network: &Network,
        compiled: &Compiled<D>,
        shapes: &[Shape],
        predictions: Vec<Shape>,
    ) -> Result<Self>
    where
        D: Backend,
    {
        // The losses of the outputs, and the extra losses after them.
        let mut end = network.outputs.len() + 1;
        let mut outputs = Vec::with_capacity(network.outputs.len());
        for (index, output) in network.outputs.iter().enumerate() {
            if let Some(loss) = &compiled.losses[index].loss {
                loss.check(&shapes[index], &predictions[index])?;
            }
            outputs.push(Target {
                name: output.name.clone(),
                value: [output.inference, output.training],
                shape: shapes[index],
                buffer: device.alloc(0)?,
                weights: None,
                fused: [false; 2],
            });
        }
        let mut metrics: Vec<NamedMetric<D>> = Vec::new();
        for (is_weighted, requests) in [false, true].into_iter().zip(&compiled.metrics) {
            for (index, output) in outputs.iter().enumerate() {
                let includes =
                    |request: &&MetricRequest<D>| request.of.includes(index, &output.name);
                for request in requests.iter().filter(includes) {
                    let (shape, prediction) = (&shapes[index], &predictions[index]);
                    let metric: Arc<dyn Metric<D>> = match &request.metric {
                        MetricArg::Object(metric) => metric.clone(),
                        MetricArg::Name(name) => metrics::by_name(name, shape, prediction)?.into(),
                    };
                    metric.check(shape, prediction)?;
                    let bare = match &request.metric {
                        // What is registered as `my>gap` in Python is a function `gap`.
                        MetricArg::Name(name) => {
                            name.split_once('>').map_or(name.as_str(), |(_, name)| name)
                        }
                        MetricArg::Object(_) => metric.name(),
                    };
                    let prefix = if outputs.len() > 1 { &*output.name } else { "" };
                    let state = end..end + metric.variables(shape, prediction);
                    end = state.end;
                    let names = match metric.keys() {
                        keys if keys.is_empty() => {
                            vec![unique(prefix, bare, is_weighted, &metrics)]
                        }
                        keys => {
                            let name = |key: &str| unique("", key, is_weighted, &metrics);
                            keys.into_iter().map(name).collect()
                        }
                    };
                    metrics.push(NamedMetric {
                        names,
                        output: index,
                        is_weighted,
                        metric,
                        state,
                    });
                }
            }
        }
        let totals = end..;
        let added = network
            .metrics
            .iter()
            .zip(totals)
            .map(|(metric, total)| Added {
                name: unique("", &metric.name, false, &metrics),
                values: [metric.inference, metric.training],
                total,
                batches: 0,
            });
        let added: Vec<Added> = added.collect();
        end += added.len();
        let mut targets = Self {
            outputs,
            metrics,
            added,
            predictions,
            from_logits: Vec::new(),
            totals: device.alloc(end + 1)?,
            samples: 0.0,
            host: vec![0.0; end],
            values: Vec::new(),
            logs: Logs::new(),
            log_slots: Vec::new(),
        };
        let names = targets.names(&compiled.losses);
        for name in &names {
            targets.logs.insert(name, 0.0);
        }
        targets.logs.sort();
        let slots = names.iter().filter_map(|name| targets.logs.slot(name));
        targets.log_slots = slots.collect();
        targets.reset(device);
        Ok(targets)
    }

    /// The names of the logs in Keras' order: `loss`, the losses of the outputs, the metrics,
    /// those that the model adds by itself.
    pub fn names(&self, losses: &[OutputLoss<D>]) -> Vec<String> {
        let mut names = vec!["loss".to_owned()];
        if are_several(losses) {
            let with_loss = self
                .outputs
                .iter()
                .zip(losses)
                .filter(|(_, loss)| loss.loss.is_some());
            names.extend(with_loss.map(|(output, _)| format!("{}_loss", output.name)));
        }
        names.extend(
            self.metrics
                .iter()
                .flat_map(|metric| metric.names.iter().cloned()),
        );
        names.extend(self.added.iter().map(|metric| metric.name.clone()));
        names
    }

    /// All values of the metric that is logged under a name, as of the last [`update_logs`](Self::update_logs).
    pub fn results(&self, name: &str) -> Option<Vec<f32>> {
        let metric = self.metrics.iter().find(|metric| metric.names == [name])?;
        let mut values = Vec::new();
        metric
            .metric
            .results(&self.host[metric.state.clone()], &mut values);
        Some(values)
    }

    /// Begins to count anew.
    pub fn reset(&mut self, device: &D) {
        self.host.fill(0.0);
        for metric in &self.metrics {
            metric
                .metric
                .initialize(&mut self.host[metric.state.clone()]);
        }
        for metric in &mut self.added {
            metric.batches = 0;
        }
        let len = self.host.len();
        device.upload(&self.host, D::slice_mut(&mut self.totals, 0..len));
        self.samples = 0.0;
    }

    /// The means since the last reset, by name.
    pub fn update_logs(&mut self, device: &D, losses: &[OutputLoss<D>]) {
        device.download(D::slice(&self.totals, 0..self.host.len()), &mut self.host);
        let samples = if self.samples == 0.0 {
            1.0
        } else {
            self.samples
        };
        let several = are_several(losses);
        let mut slots = self.log_slots.iter();
        let total_slot = slots.next();
        let mut set = |slot: Option<&usize>, value: f32| {
            if let Some(&slot) = slot {
                self.logs.set(slot, value);
            }
        };
        let mut total = 0.0;
        let with_loss = self
            .host
            .iter()
            .zip(losses)
            .filter(|(_, loss)| loss.loss.is_some());
        for (sum, loss) in with_loss {
            let mean = f64::from(*sum) / samples;
            total += f64::from(loss.weight) * mean;
            if several {
                set(slots.next(), mean as f32);
            }
        }
        total += f64::from(self.host[losses.len()]) / samples;
        set(total_slot, total as f32);
        for metric in &self.metrics {
            self.values.clear();
            let state = &self.host[metric.state.clone()];
            metric.metric.results(state, &mut self.values);
            match &metric.names[..] {
                [_] => set(slots.next(), metrics::own::mean(&self.values)),
                names => {
                    for (_, value) in names.iter().zip(&self.values) {
                        set(slots.next(), *value);
                    }
                }
            }
        }
        for metric in &self.added {
            let batches = f64::from(metric.batches.max(1));
            let mean = f64::from(self.host[metric.total]) / batches;
            set(slots.next(), mean as f32);
        }
    }
}

/// Whether each loss is logged beside their sum: if there are several.
fn are_several<D: Device>(losses: &[OutputLoss<D>]) -> bool {
    losses.iter().filter(|loss| loss.loss.is_some()).count() > 1
}

/// A name that is not taken yet: Keras writes `weighted_` before a weighted metric that is called as
/// another one, and `_1`, `_2`, ... after any other.
fn unique<D: Device>(
    prefix: &str,
    bare: &str,
    is_weighted: bool,
    taken: &[NamedMetric<D>],
) -> String {
    let full = |bare: &str| match prefix {
        "" => bare.to_owned(),
        prefix => format!("{prefix}_{bare}"),
    };
    let is_free = |name: &String| taken.iter().all(|metric| !metric.names.contains(name));
    let name = full(bare);
    if is_free(&name) {
        return name;
    }
    let name = if is_weighted {
        full(&format!("weighted_{bare}"))
    } else {
        name
    };
    let numbered = (1..).map(|number| format!("{name}_{number}"));
    let mut candidates = std::iter::once(name.clone()).chain(numbered);
    candidates.find(is_free).unwrap_or_default()
}
