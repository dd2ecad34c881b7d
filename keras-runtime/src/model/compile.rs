//! `compile`: an optimizer, losses and metrics for a model.

use std::ops::Range;
use std::sync::Arc;

use super::backend::Backend;
use super::history::Logs;
use super::network::{Network, Value};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::losses::{IntoLoss, Loss, LossArg};
use crate::metrics::{self, IntoMetric, Metric, MetricArg};
use crate::optimizers::{IntoOptimizer, Optimizer, State};
use crate::shape::Shape;

/// The arguments of [`Model::compile`](super::Model::compile).
pub struct Compile<D: Device> {
    optimizer: Result<Box<dyn Optimizer<D>>>,
    loss: Result<LossArg<D>>,
    loss_weights: Vec<(String, f32)>,
    metrics: Vec<MetricRequest<D>>,
}

/// A metric, for every output or for one.
pub(crate) struct MetricRequest<D: Device> {
    pub output: Option<String>,
    pub metric: MetricArg<D>,
}

impl<D: Device> Compile<D> {
    /// An optimizer and a loss, each by its Keras name or as an object.
    ///
    /// An unknown name is reported by `compile`.
    pub fn new(optimizer: impl IntoOptimizer<D>, loss: impl IntoLoss<D>) -> Self {
        Self {
            optimizer: optimizer.into_optimizer(),
            loss: loss.into_losses(),
            loss_weights: Vec::new(),
            metrics: Vec::new(),
        }
    }

    /// One more metric, for every output.
    #[must_use]
    pub fn metric(mut self, metric: impl IntoMetric<D>) -> Self {
        self.metrics.push(MetricRequest {
            output: None,
            metric: metric.into_metric(),
        });
        self
    }

    /// Several metrics, for every output.
    #[must_use]
    pub fn metrics<M: IntoMetric<D>>(self, metrics: impl IntoIterator<Item = M>) -> Self {
        metrics.into_iter().fold(self, Self::metric)
    }

    /// One more metric, for the output of this name.
    #[must_use]
    pub fn metric_for(mut self, output: impl Into<String>, metric: impl IntoMetric<D>) -> Self {
        self.metrics.push(MetricRequest {
            output: Some(output.into()),
            metric: metric.into_metric(),
        });
        self
    }

    /// How much the loss of each output counts, by name; 1 for outputs that are not named.
    #[must_use]
    pub fn loss_weights(
        mut self,
        weights: impl IntoIterator<Item = (impl Into<String>, f32)>,
    ) -> Self {
        self.loss_weights.extend(
            weights
                .into_iter()
                .map(|(name, weight)| (name.into(), weight)),
        );
        self
    }
}

/// What a compiled model trains with.
pub(crate) struct Compiled<D: Device> {
    pub optimizer: Box<dyn Optimizer<D>>,
    /// What the optimizer remembers; made at the first step.
    pub state: State<D>,
    pub metrics: Vec<MetricRequest<D>>,
    pub losses: Vec<OutputLoss<D>>,
    /// Known once the shapes of the targets are.
    pub targets: Option<Targets<D>>,
}

/// The loss of one output.
pub(crate) struct OutputLoss<D: Device> {
    pub loss: Option<Arc<dyn Loss<D>>>,
    pub weight: f32,
}

impl<D: Device> Compiled<D> {
    /// What the loss is multiplied with before its gradients are computed.
    pub fn loss_scale(&self) -> f32 {
        self.state.loss_scale(&*self.optimizer)
    }

    /// Checks the arguments of `compile` against the model's outputs.
    pub fn new(network: &Network, compile: Compile<D>) -> Result<Self> {
        let Compile {
            optimizer,
            loss,
            loss_weights,
            metrics,
        } = compile;
        let names: Vec<&str> = network.outputs.iter().map(|output| output.name).collect();
        let known = |name: &str, what: &str| {
            if names.contains(&name) {
                return Ok(());
            }
            Err(Error::value(format!(
                "`{what}` names the output '{name}', which the model does not have. Expected one of {names:?}. \
                 Received: {what}={name}"
            )))
        };
        for (name, _) in &loss_weights {
            known(name, "loss_weights")?;
        }
        for request in &metrics {
            if let MetricArg::Object(metric) = &request.metric {
                metric.validate()?;
            }
            if let Some(name) = &request.output {
                known(name, "metrics")?;
            }
        }
        let loss = loss?;
        if let LossArg::ByOutput(losses) = &loss {
            for (name, _) in losses {
                known(name, "loss")?;
            }
        }
        let of_output = |name: &&str| OutputLoss {
            loss: match &loss {
                LossArg::Every(loss) => Some(loss.clone()),
                LossArg::ByOutput(losses) => losses
                    .iter()
                    .find(|(output, _)| output == name)
                    .map(|(_, loss)| loss.clone()),
            },
            weight: loss_weights
                .iter()
                .find(|(output, _)| output == name)
                .map_or(1.0, |(_, weight)| *weight),
        };
        Ok(Self {
            optimizer: optimizer?,
            state: State::new(),
            metrics,
            losses: names.iter().map(of_output).collect(),
            targets: None,
        })
    }
}

/// What a compiled model knows once it has seen targets: their shapes, and which metrics the names
/// mean.
pub(crate) struct Targets<D: Device> {
    pub outputs: Vec<Target<D>>,
    /// The shapes of the outputs that these were resolved for.
    pub predictions: Vec<Shape>,
    /// The outputs whose gradient, while training, is that of their logits.
    pub from_logits: Vec<Value>,
    /// The sums of the losses, of the extra losses, and the states of the metrics, side by side, and
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
    pub name: &'static str,
    /// The output in inference and in training.
    pub value: [Value; 2],
    pub shape: Shape,
    /// The batch's targets: (capacity, ..shape).
    pub buffer: D::Buffer,
    /// The batch's sample weights, if it has any.
    pub weights: Option<Weighting<D>>,
    /// Whether the loss is computed from the logits, in inference and in training.
    pub fused: [bool; 2],
    pub metrics: Vec<NamedMetric<D>>,
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
    pub metric: Arc<dyn Metric<D>>,
    /// Its state among the totals.
    pub state: Range<usize>,
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
        let mut names: Vec<String> = Vec::new();
        let mut outputs = Vec::with_capacity(network.outputs.len());
        for (index, output) in network.outputs.iter().enumerate() {
            let (shape, prediction) = (&shapes[index], &predictions[index]);
            if let Some(loss) = &compiled.losses[index].loss {
                loss.check(shape, prediction)?;
            }
            let mut of_output = Vec::new();
            for request in &compiled.metrics {
                if request
                    .output
                    .as_deref()
                    .is_some_and(|name| name != output.name)
                {
                    continue;
                }
                let metric: Arc<dyn Metric<D>> = match &request.metric {
                    MetricArg::Object(metric) => metric.clone(),
                    MetricArg::Name(name) => metrics::by_name(name, shape, prediction)?.into(),
                };
                metric.check(shape, prediction)?;
                let bare = match &request.metric {
                    MetricArg::Name(name) => name.as_str(),
                    MetricArg::Object(_) => metric.name(),
                };
                let full = if network.outputs.len() > 1 {
                    format!("{}_{bare}", output.name)
                } else {
                    bare.to_owned()
                };
                let mut logged: Vec<String> = match metric.keys() {
                    keys if keys.is_empty() => vec![full],
                    keys => keys.into_iter().map(str::to_owned).collect(),
                };
                for name in &mut logged {
                    *name = unique(name, &names);
                    names.push(name.clone());
                }
                let state = end..end + metric.variables(shape, prediction);
                end = state.end;
                of_output.push(NamedMetric {
                    names: logged,
                    metric,
                    state,
                });
            }
            outputs.push(Target {
                name: output.name,
                value: [output.inference, output.training],
                shape: *shape,
                buffer: device.alloc(0)?,
                weights: None,
                fused: [false; 2],
                metrics: of_output,
            });
        }
        let mut targets = Self {
            outputs,
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

    /// The names of the logs in Keras' order: `loss`, the losses of the outputs, the metrics.
    pub fn names(&self, losses: &[OutputLoss<D>]) -> Vec<String> {
        let mut names = vec!["loss".to_owned()];
        if self.outputs.len() > 1 {
            let with_loss = self
                .outputs
                .iter()
                .zip(losses)
                .filter(|(_, loss)| loss.loss.is_some());
            names.extend(with_loss.map(|(output, _)| format!("{}_loss", output.name)));
        }
        names.extend(
            self.outputs
                .iter()
                .flat_map(|output| &output.metrics)
                .flat_map(|metric| metric.names.iter().cloned()),
        );
        names
    }

    /// Begins to count anew.
    pub fn reset(&mut self, device: &D) {
        self.host.fill(0.0);
        for metric in self.outputs.iter().flat_map(|output| &output.metrics) {
            metric
                .metric
                .initialize(&mut self.host[metric.state.clone()]);
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
        let several = self.outputs.len() > 1;
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
        for metric in self.outputs.iter().flat_map(|output| &output.metrics) {
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
    }
}

/// A name that is not taken yet: Keras appends `_1`, `_2`, ...
fn unique(name: &str, taken: &[String]) -> String {
    let is_free = |candidate: &String| !taken.contains(candidate);
    let numbered = (1..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(is_free)
        .unwrap_or_default()
}
