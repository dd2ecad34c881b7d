//! The arguments of `compile` as Keras' files have them, and back.
//!
//! ```text
//! optimizer           class and arguments
//! loss                a name or class and arguments; for several outputs a list or by the outputs' names
//! loss_weights        numbers, likewise
//! metrics             lists of names or classes, likewise; weighted_metrics
//! run_eagerly, steps_per_execution, jit_compile
//! ```

use std::sync::Arc;

use super::backend::Backend;
use super::compile::{Compile, LossWeights, MetricRequest, Of};
use super::compiled::Compiled;
use super::network::{Network, Structure};
use crate::config::{Argument, Config, Json, Object, Read, function, named};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::losses::{self, GivenLoss, LossArg};
use crate::metrics::{self, MetricArg};
use crate::optimizers::{self, IntoOptimizer};

impl<D: Device> Compiled<D> {
    /// What the model was compiled with.
    pub fn config(&self, network: &Network) -> Object {
        let losses = self.losses.iter();
        let loss = structured(
            network,
            losses.clone().map(|loss| loss.given.clone()).collect(),
        );
        let is_weighted = losses.clone().any(|loss| loss.weight != 1.0);
        let weights = losses.map(|loss| Argument::to_json(&loss.weight)).collect();
        let loss_weights = is_weighted.then(|| match structured(network, weights) {
            Json::Float(weight) => vec![weight].into(),
            weights => weights,
        });
        let [metrics, weighted] = [0, 1].map(|list| requested(&self.metrics[list], network));
        Object::new()
            .with("optimizer", self.optimizer.config().to_json())
            .with("loss", loss)
            .with("loss_weights", loss_weights)
            .with("metrics", metrics)
            .with("weighted_metrics", weighted)
            .with("run_eagerly", false)
            .with("steps_per_execution", self.steps_per_execution)
            .with("jit_compile", "auto")
    }
}

/// The metrics of every output.
fn requested<D: Device>(requests: &[MetricRequest<D>], network: &Network) -> Json {
    if requests.is_empty() {
        return Json::Null;
    }
    let outputs = network.outputs.iter().enumerate();
    let lists = outputs.map(|(at, output)| {
        let own = requests
            .iter()
            .filter(|request| request.of.includes(at, &output.name));
        let own = own.map(|request| match &request.metric {
            MetricArg::Name(name) if !metrics::is_keras_name(name) => function(name),
            MetricArg::Name(name) => Json::from(name),
            MetricArg::Object(metric) => metric.config().to_json(),
        });
        Json::List(own.collect())
    });
    structured(network, lists.collect())
}

/// What every output has, in the structure of the outputs.
fn structured(network: &Network, mut values: Vec<Json>) -> Json {
    match network.structure {
        Structure::Dict => {
            let names = network.outputs.iter().map(|output| &*output.name);
            Json::Object(names.zip(values).collect())
        }
        _ if values.len() == 1 => values.pop().unwrap_or_default(),
        _ => Json::List(values),
    }
}

/// The arguments of `compile` that a file has.
///
/// # Errors
/// If the optimizer, a loss or a metric cannot be made from what the file says.
pub(crate) fn read<D: Backend>(config: &Json, network: &Network) -> Result<Compile<D>> {
    let of = |name: &str| config.get(name).filter(|value| !value.is_null());
    let optimizer = of("optimizer").unwrap_or(&Json::Null);
    let optimizer = named(optimizer, optimizers::by_name, |config| {
        optimizers::from_config(config)?.into_optimizer()
    })?;
    let optimizer = optimizer.ok_or_else(|| {
        Error::value("Expected the optimizer that the model was compiled with. Received: none")
    })?;
    let mut compile = Compile::with_optimizer(optimizer);
    if let Some(loss) = of("loss") {
        compile.loss = Some(Ok(read_loss(loss)?));
    }
    if let Some(weights) = of("loss_weights") {
        compile.loss_weights = Some(match weights {
            Json::Object(weights) => {
                let weights = weights
                    .iter()
                    .map(|(name, weight)| Ok((name.to_owned(), weight.read("loss_weights")?)));
                LossWeights::ByOutput(weights.collect::<Result<_>>()?)
            }
            Json::List(_) => LossWeights::InOrder(weights.read("loss_weights")?),
            weight => LossWeights::InOrder(vec![weight.read("loss_weights")?]),
        });
    }
    compile.metrics.metrics = of("metrics")
        .map(|given| read_metrics(given, network))
        .transpose()?;
    let weighted = of("weighted_metrics").map(|given| read_metrics(given, network));
    compile.weighted_metrics.metrics = weighted.transpose()?;
    if let Some(steps) = of("steps_per_execution") {
        compile.steps_per_execution = steps.read("steps_per_execution")?;
    }
    Ok(compile)
}

/// Whether it is a class with arguments, and not values by the names of outputs.
fn is_class(json: &Json) -> bool {
    json.get("class_name").is_some() && json.get("config").is_some()
}

fn read_loss<D: Backend>(json: &Json) -> Result<LossArg<D>> {
    let given = |json: &Json| {
        let loss = named(json, losses::by_name, losses::from_config)?;
        let loss = loss.map(|loss| GivenLoss::named(loss.into(), json.as_str()));
        loss.ok_or_else(|| Error::value(format!("Could not interpret loss identifier: {json}")))
    };
    Ok(match json {
        Json::List(losses) => {
            let losses = losses
                .iter()
                .map(|loss| (!loss.is_null()).then(|| given(loss)).transpose());
            LossArg::InOrder(losses.collect::<Result<_>>()?)
        }
        Json::Object(losses) if !is_class(json) => {
            let losses = losses.iter().filter(|(_, loss)| !loss.is_null());
            let losses = losses.map(|(output, loss)| Ok((output.to_owned(), given(loss)?)));
            LossArg::ByOutput(losses.collect::<Result<_>>()?)
        }
        _ => LossArg::Every(given(json)?),
    })
}

/// In Keras a flat list of as many metrics as there are outputs has one for each.
fn read_metrics<D: Backend>(json: &Json, network: &Network) -> Result<Vec<MetricRequest<D>>> {
    let outputs = network.outputs.len();
    let mut requests = Vec::new();
    let mut add = |of: Of, json: &Json| -> Result<()> {
        let metrics = match json {
            Json::Null => return Ok(()),
            Json::List(metrics) => metrics.as_slice(),
            metric => std::slice::from_ref(metric),
        };
        for metric in metrics.iter().filter(|metric| !metric.is_null()) {
            requests.push(MetricRequest {
                of: of.clone(),
                metric: read_metric(metric)?,
            });
        }
        Ok(())
    };
    match json {
        Json::Object(by_output) if !is_class(json) => {
            for (output, metrics) in by_output.iter() {
                add(Of::Name(output.to_owned()), metrics)?;
            }
        }
        Json::List(lists) if outputs > 1 && lists.len() == outputs => {
            for (at, metrics) in lists.iter().enumerate() {
                add(Of::Position(at), metrics)?;
            }
        }
        Json::List(lists) if lists.iter().any(|list| list.as_list().is_some()) => {
            lists
                .iter()
                .try_for_each(|metrics| add(Of::Every, metrics))?;
        }
        metrics => add(Of::Every, metrics)?,
    }
    Ok(requests)
}

fn read_metric<D: Backend>(json: &Json) -> Result<MetricArg<D>> {
    let name = |name: &str| Ok(MetricArg::Name(name.to_owned()));
    let object = |config: &Config| match config.module.as_deref() {
        Some("keras.losses") => Ok(metrics::of_loss(losses::from_config(config)?)),
        _ => Ok(MetricArg::Object(Arc::from(metrics::from_config(config)?))),
    };
    let metric = named(json, name, object)?;
    metric.ok_or_else(|| Error::value(format!("Could not interpret metric identifier: {json}")))
}
