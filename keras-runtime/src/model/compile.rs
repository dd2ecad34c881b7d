//! `compile`: the optimizer, the losses and the metrics that a model is to train with.

use crate::device::Device;
use crate::error::Result;
use crate::losses::{IntoLoss, LossArg};
use crate::metrics::{IntoMetric, MetricArg};
use crate::optimizers::{IntoOptimizer, Optimizer};

/// The arguments of [`Model::compile`](super::Model::compile).
///
/// ```
/// use keras_runtime::prelude::*;
///
/// let one: Compile<Cpu> = Compile::new("adam", "mse").metrics(["mae", "mse"]);
/// let two: Compile<Cpu> = Compile::new("adam", Losses::by_output([("class", "ce"), ("score", "mse")]))
///     .loss_weights([("class", 1.0), ("score", 0.2)])
///     .metric_for("class", "accuracy");
/// ```
pub struct Compile<D: Device> {
    pub(super) optimizer: Option<Result<Box<dyn Optimizer<D>>>>,
    pub(super) loss: Option<Result<LossArg<D>>>,
    pub(super) loss_weights: Option<LossWeights>,
    pub(super) metrics: Requests<D>,
    pub(super) weighted_metrics: Requests<D>,
    pub(super) steps_per_execution: usize,
}

/// `metrics` or `weighted_metrics`.
pub(super) struct Requests<D: Device> {
    /// `None` where the argument was not given.
    pub metrics: Option<Vec<MetricRequest<D>>>,
    /// How many lists there are, where there is one for each output.
    pub lists: Option<usize>,
}

impl<D: Device> Requests<D> {
    const NONE: Self = Self {
        metrics: None,
        lists: None,
    };

    fn add<M: IntoMetric<D>>(&mut self, of: &Of, metrics: impl IntoIterator<Item = M>) {
        let metrics = metrics.into_iter().map(|metric| MetricRequest {
            of: of.clone(),
            metric: metric.into_metric(),
        });
        self.metrics.get_or_insert_default().extend(metrics);
    }

    fn add_lists<L>(&mut self, lists: impl IntoIterator<Item = L>)
    where
        L: IntoIterator<Item: IntoMetric<D>>,
    {
        let mut count = 0;
        for (at, list) in lists.into_iter().enumerate() {
            self.add(&Of::Position(at), list);
            count = at + 1;
        }
        self.metrics.get_or_insert_default();
        self.lists = Some(count);
    }
}

/// A metric and the outputs it is for.
pub(crate) struct MetricRequest<D: Device> {
    pub of: Of,
    pub metric: MetricArg<D>,
}

/// The outputs that a metric is for.
#[derive(Clone, Debug)]
pub(crate) enum Of {
    Every,
    Name(String),
    Position(usize),
}

impl Of {
    /// Whether an output is among them.
    pub fn includes(&self, at: usize, output: &str) -> bool {
        match self {
            Of::Every => true,
            Of::Name(name) => name == output,
            Of::Position(position) => *position == at,
        }
    }
}

impl<D: Device> Compile<D> {
    /// An optimizer and a loss, each by its Keras name or as an object;
    /// [`Losses`](crate::losses::Losses) has one for each output.
    ///
    /// An unknown name is reported by `compile`.
    pub fn new(optimizer: impl IntoOptimizer<D>, loss: impl IntoLoss<D>) -> Self {
        Self::with_optimizer(optimizer).loss(loss)
    }

    /// An optimizer alone: a model that was compiled before keeps its loss and its metrics, as in
    /// Keras with `loss=None`.
    pub fn with_optimizer(optimizer: impl IntoOptimizer<D>) -> Self {
        Self {
            optimizer: Some(optimizer.into_optimizer()),
            ..Self::again()
        }
    }

    /// Everything as the model was compiled before, the optimizer with what it remembers; what is
    /// set on top replaces it. In Keras this is the same optimizer object passed again.
    pub fn again() -> Self {
        Self {
            optimizer: None,
            loss: None,
            loss_weights: None,
            metrics: Requests::NONE,
            weighted_metrics: Requests::NONE,
            steps_per_execution: 1,
        }
    }

    /// The loss, or the losses.
    #[must_use]
    pub fn loss(mut self, loss: impl IntoLoss<D>) -> Self {
        self.loss = Some(loss.into_losses());
        self
    }

    /// How much the loss of each output counts: by the names of the outputs, 1 for those that are
    /// not named, or as a list in the order of the losses.
    #[must_use]
    pub fn loss_weights(mut self, weights: impl Into<LossWeights>) -> Self {
        self.loss_weights = Some(weights.into());
        self
    }

    /// One more metric, for every output.
    #[must_use]
    pub fn metric(self, metric: impl IntoMetric<D>) -> Self {
        self.metrics([metric])
    }

    /// Several metrics, for every output. Without metrics, a model that was compiled before keeps
    /// those it has; an empty list clears them.
    #[must_use]
    pub fn metrics<M: IntoMetric<D>>(mut self, metrics: impl IntoIterator<Item = M>) -> Self {
        self.metrics.add(&Of::Every, metrics);
        self
    }

    /// One more metric, for the output of this name.
    #[must_use]
    pub fn metric_for(self, output: impl Into<String>, metric: impl IntoMetric<D>) -> Self {
        self.metrics_for(output, [metric])
    }

    /// Several metrics, for the output of this name.
    #[must_use]
    pub fn metrics_for<M: IntoMetric<D>>(
        mut self,
        output: impl Into<String>,
        metrics: impl IntoIterator<Item = M>,
    ) -> Self {
        self.metrics.add(&Of::Name(output.into()), metrics);
        self
    }

    /// A list of metrics for each output, in their order.
    #[must_use]
    pub fn metrics_in_order<L>(mut self, lists: impl IntoIterator<Item = L>) -> Self
    where
        L: IntoIterator<Item: IntoMetric<D>>,
    {
        self.metrics.add_lists(lists);
        self
    }

    /// One more metric, for every output, that counts each sample as much as its `sample_weight`.
    #[must_use]
    pub fn weighted_metric(self, metric: impl IntoMetric<D>) -> Self {
        self.weighted_metrics([metric])
    }

    /// Several such metrics, for every output.
    #[must_use]
    pub fn weighted_metrics<M: IntoMetric<D>>(
        mut self,
        metrics: impl IntoIterator<Item = M>,
    ) -> Self {
        self.weighted_metrics.add(&Of::Every, metrics);
        self
    }

    /// One more such metric, for the output of this name.
    #[must_use]
    pub fn weighted_metric_for(
        mut self,
        output: impl Into<String>,
        metric: impl IntoMetric<D>,
    ) -> Self {
        self.weighted_metrics
            .add(&Of::Name(output.into()), [metric]);
        self
    }

    /// A list of such metrics for each output, in their order.
    #[must_use]
    pub fn weighted_metrics_in_order<L>(mut self, lists: impl IntoIterator<Item = L>) -> Self
    where
        L: IntoIterator<Item: IntoMetric<D>>,
    {
        self.weighted_metrics.add_lists(lists);
        self
    }

    /// How many batches are run between two calls of the batch hooks of callbacks; 1 by default.
    #[must_use]
    pub fn steps_per_execution(mut self, steps: usize) -> Self {
        self.steps_per_execution = steps;
        self
    }
}

/// How much each loss counts.
#[derive(Clone, Debug)]
pub enum LossWeights {
    /// By the name of the output.
    ByOutput(Vec<(String, f32)>),
    /// In the order of the losses.
    InOrder(Vec<f32>),
}

impl<S: Into<String>, const N: usize> From<[(S, f32); N]> for LossWeights {
    fn from(weights: [(S, f32); N]) -> Self {
        Vec::from(weights).into()
    }
}

impl<S: Into<String>> From<Vec<(S, f32)>> for LossWeights {
    fn from(weights: Vec<(S, f32)>) -> Self {
        let named = weights.into_iter().map(|(name, w)| (name.into(), w));
        Self::ByOutput(named.collect())
    }
}

impl<const N: usize> From<[f32; N]> for LossWeights {
    fn from(weights: [f32; N]) -> Self {
        Self::InOrder(weights.into())
    }
}

impl From<Vec<f32>> for LossWeights {
    fn from(weights: Vec<f32>) -> Self {
        Self::InOrder(weights)
    }
}

/// One number, for the loss of a model with one output.
impl From<f32> for LossWeights {
    fn from(weight: f32) -> Self {
        Self::InOrder(vec![weight])
    }
}
