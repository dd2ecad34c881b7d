//! What a compiled model trains with, and how it follows from the arguments of `compile`.

use std::sync::Arc;

use super::backend::Backend;
use super::compile::{Compile, LossWeights, MetricRequest, Of, Requests};
use super::network::{Network, Structure};
use super::targets::Targets;
use crate::config::Json;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::losses::{GivenLoss, Loss, LossArg};
use crate::metrics::{self, MetricArg};
use crate::optimizers::{Optimizer, State};

/// What a compiled model trains with.
pub(crate) struct Compiled<D: Device> {
    pub optimizer: Box<dyn Optimizer<D>>,
    /// What the optimizer remembers; made at the first step.
    pub state: State<D>,
    /// `metrics` and `weighted_metrics`.
    pub metrics: [Vec<MetricRequest<D>>; 2],
    pub losses: Vec<OutputLoss<D>>,
    pub steps_per_execution: usize,
    /// Known once the shapes of the targets are.
    pub targets: Option<Targets<D>>,
}

/// The loss of one output.
pub(crate) struct OutputLoss<D: Device> {
    pub loss: Option<Arc<dyn Loss<D>>>,
    /// The same as Keras' files have it.
    pub given: Json,
    pub weight: f32,
}

impl<D: Device> Compiled<D> {
    /// What the loss is multiplied with before its gradients are computed.
    pub fn loss_scale(&self) -> f32 {
        self.state.loss_scale(&*self.optimizer)
    }
}

impl<D: Backend> Compiled<D> {
    /// Checks the arguments of `compile` against the model's outputs. What they leave open is as it
    /// was in `before`, which is only taken if there is no error.
    pub fn new(network: &Network, compile: Compile<D>, before: &mut Option<Self>) -> Result<Self> {
        if compile.steps_per_execution == 0 {
            return Err(Error::value(
                "`steps_per_execution` expects a positive integer. Received: steps_per_execution=0",
            ));
        }
        let losses = match compile.loss {
            Some(loss) => Some(losses(network, loss?, compile.loss_weights)?),
            None => None,
        };
        let metrics = [
            requests(network, compile.metrics, "metrics")?,
            requests(network, compile.weighted_metrics, "weighted_metrics")?,
        ];
        let optimizer = compile.optimizer.transpose()?;
        let before = match (before.take(), optimizer) {
            (Some(before), None) => before,
            (None, None) => {
                return Err(Error::value(
                    "The model keeps the optimizer of an earlier `compile()`. Received: a model that was not compiled before",
                ));
            }
            (before, Some(optimizer)) => {
                let (metrics, losses) = match before {
                    Some(before) => (before.metrics, before.losses),
                    None => Default::default(),
                };
                Self {
                    optimizer,
                    state: State::new(),
                    metrics,
                    losses,
                    steps_per_execution: 1,
                    targets: None,
                }
            }
        };
        let none = || OutputLoss {
            loss: None,
            given: Json::Null,
            weight: 1.0,
        };
        let losses = match losses {
            Some(losses) => losses,
            None if before.losses.is_empty() => network.outputs.iter().map(|_| none()).collect(),
            None => before.losses,
        };
        let metrics = match metrics {
            [None, None] => before.metrics,
            given => given.map(Option::unwrap_or_default),
        };
        Ok(Self {
            metrics,
            losses,
            steps_per_execution: compile.steps_per_execution,
            targets: None,
            ..before
        })
    }
}

/// The names of a model's outputs.
fn names(network: &Network) -> Vec<&str> {
    network.outputs.iter().map(|output| &*output.name).collect()
}

/// Whether a model has an output of a name.
fn known(network: &Network, name: &str, what: &str) -> Result<()> {
    let names = names(network);
    if names.contains(&name) {
        return Ok(());
    }
    Err(Error::value(format!(
        "`{what}` names the output '{name}', which the model does not have. Expected one of {names:?}. Received: \
         {what}={name}.{}",
        Error::suggestion(name, &names)
    )))
}

/// The loss of each output.
fn losses<D: Device>(
    network: &Network,
    loss: LossArg<D>,
    weights: Option<LossWeights>,
) -> Result<Vec<OutputLoss<D>>> {
    let names = names(network);
    let losses: Vec<Option<GivenLoss<D>>> = match loss {
        LossArg::Every(given) => names.iter().map(|_| Some(given.clone())).collect(),
        LossArg::InOrder(mut losses) => {
            if losses.len() > names.len() {
                return Err(Error::value(format!(
                    "`loss` has an entry for each output. Model '{}' has {} output(s): {names:?}. Received: {} losses",
                    network.name,
                    names.len(),
                    losses.len()
                )));
            }
            losses.resize(names.len(), None);
            losses
        }
        LossArg::ByOutput(losses) => {
            for (name, _) in &losses {
                known(network, name, "loss")?;
            }
            let find = |name: &&str| {
                let found = losses.iter().find(|(output, _)| output == name);
                found.map(|(_, given)| given.clone())
            };
            let found: Vec<_> = names.iter().map(find).collect();
            // Keras lets outputs with names of their own go without a loss.
            if network.structure != Structure::Dict && found.iter().any(Option::is_none) {
                let keys: Vec<&String> = losses.iter().map(|(name, _)| name).collect();
                return Err(Error::value(format!(
                    "Expected keys {names:?} in loss dict, but found loss.keys()={keys:?}"
                )));
            }
            found
        }
    };
    let weights = weights_of(network, &losses, weights)?;
    let pairs = losses.into_iter().zip(weights);
    Ok(pairs
        .map(|(given, weight)| OutputLoss {
            given: given.as_ref().map(GivenLoss::to_json).into(),
            loss: given.map(|given| given.loss),
            weight,
        })
        .collect())
}

/// How much the loss of each output counts.
fn weights_of<D: Device>(
    network: &Network,
    losses: &[Option<GivenLoss<D>>],
    weights: Option<LossWeights>,
) -> Result<Vec<f32>> {
    Ok(match weights {
        None => vec![1.0; losses.len()],
        Some(LossWeights::ByOutput(weights)) => {
            for (name, _) in &weights {
                known(network, name, "loss_weights")?;
            }
            let find = |name: &str| weights.iter().find(|(output, _)| output == name);
            let outputs = network.outputs.iter();
            outputs
                .map(|output| find(&output.name).map_or(1.0, |(_, weight)| *weight))
                .collect()
        }
        Some(LossWeights::InOrder(weights)) => {
            if weights.len() != losses.len() {
                return Err(Error::value(format!(
                    "`loss_weights` must match the number of losses, got {} losses and {} weights.",
                    losses.len(),
                    weights.len()
                )));
            }
            weights
        }
    })
}

/// Checks the metrics that were asked for: their names, and the outputs they are for.
fn requests<D: Backend>(
    network: &Network,
    requests: Requests<D>,
    what: &str,
) -> Result<Option<Vec<MetricRequest<D>>>> {
    let names = names(network);
    if let Some(lists) = requests.lists
        && lists != names.len()
    {
        return Err(Error::value(format!(
            "Invalid `{what}`. `{what}` should contain metrics objects and either be a dict or a list matching the \
             output names of the functional model {names:?}. Received: {lists} lists"
        )));
    }
    for request in requests.metrics.iter().flatten() {
        if let Of::Name(name) = &request.of {
            known(network, name, what)?;
        }
        match &request.metric {
            MetricArg::Object(metric) => metric.validate()?,
            MetricArg::Name(name) => metrics::check_name::<D>(name)?,
        }
    }
    Ok(requests.metrics)
}
