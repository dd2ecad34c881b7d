//! What is wrong with the losses, metrics and callbacks that a model declares: what the tokens of the
//! layers and of `compile(..)` tell together, before anything runs.

use syn::LitStr;

use super::{Graph, Layer, Network, Source, Structure};
use crate::ctxt::Ctxt;
use crate::names::nearest;
use crate::parse::outputs::Outputs;
use crate::parse::part::{Kind, Part};
use crate::parse::training::{Argument, Compile};
use crate::parse::{Options, literals};

/// What labels are to a loss or a metric.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Labels {
    /// The number of a class for each row.
    Numbers,
    /// A number for each class.
    OneHot,
}

/// The losses and metrics of classes: their class in Keras, and what labels are to them.
const OF_CLASSES: &[(&str, Labels)] = &[
    ("CategoricalCrossentropy", Labels::OneHot),
    ("CategoricalFocalCrossentropy", Labels::OneHot),
    ("CategoricalAccuracy", Labels::OneHot),
    ("TopKCategoricalAccuracy", Labels::OneHot),
    ("SparseCategoricalCrossentropy", Labels::Numbers),
    ("SparseCategoricalAccuracy", Labels::Numbers),
    ("SparseTopKCategoricalAccuracy", Labels::Numbers),
];

/// Metrics that are logged under the snake-case name of their class.
const NAMED_BY_CLASS: &[&str] = &[
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "FalseNegatives",
    "FalsePositives",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
];

/// Callbacks that add nothing to the logs that those after them see; others may.
const LOG_NOTHING: &[&str] = &[
    "BackupAndRestore",
    "CSVLogger",
    "EarlyStopping",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
];

/// Checks what a model declares against its layers. `has_own_steps`: it may log anything.
pub fn check(ctxt: &Ctxt, options: &Options, graph: &Graph, has_own_steps: bool) {
    let Some(compile) = &options.compile else {
        return;
    };
    check_outputs(ctxt, compile, &graph.whole);
    for (at, output) in graph.whole.outputs.iter().enumerate() {
        let Some(loss) = compile.loss.outputs.of(at, &output.name) else {
            continue;
        };
        if let Some(layer) = producer(graph, output.training) {
            check_loss(ctxt, loss, layer);
        }
        for metrics in compile.metrics() {
            for metric in metrics.outputs.of(at, &output.name).into_iter().flatten() {
                check_labels(ctxt, loss, metric);
            }
        }
    }
    if let Some(names) = log_names(compile, &graph.whole).filter(|_| !has_own_steps) {
        for callback in &options.callbacks {
            check_monitor(ctxt, callback, &names);
            let class = callback.class_name();
            if class.is_none_or(|class| !LOG_NOTHING.contains(&class.as_str())) {
                break;
            }
        }
    }
}

/// The layer that gives a value.
fn producer(graph: &Graph, value: usize) -> Option<&Layer> {
    let call = graph.values[value].producer?;
    Some(&graph.layers[graph.calls[call].layer])
}

/// The loss against the last layer before it.
fn check_loss(ctxt: &Ctxt, loss: &Part, layer: &Layer) {
    let Source::Written(written) = &layer.source else {
        return;
    };
    let option = written.options.iter().find(|(key, _)| key == "activation");
    let argument = match (option, layer.class.as_str()) {
        (Some((_, argument)), _) => Some(argument),
        (None, "Activation") => written.required.first(),
        (None, _) => None,
    };
    let activation = argument.and_then(|argument| literals::word(argument.expr()));
    let from_logits = loss.argument("from_logits");
    if let (Some(activation @ ("softmax" | "sigmoid")), Some(flag)) =
        (activation.as_deref(), from_logits)
        && literals::flag(flag) == Some(true)
    {
        ctxt.error(
            flag,
            format!(
                "The loss received `from_logits = true`, but the output of `{}` is produced by a {activation} \
                 activation and thus does not represent logits.",
                layer.name
            ),
        );
    }
    let units = written.required.first().map(|units| units.expr());
    let is_one = layer.class == "Dense" && units.and_then(literals::whole) == Some(1);
    if is_one && labels(loss).is_some() {
        ctxt.error(
            &loss.expr,
            format!(
                "The loss is of several classes, and `{}` has one unit. Use 'binary_crossentropy' for two classes.",
                layer.name
            ),
        );
    }
}

/// A metric against the loss of its output: they see the same labels.
fn check_labels(ctxt: &Ctxt, loss: &Part, metric: &Part) {
    let (Some(of_loss), Some(of_metric)) = (labels(loss), labels(metric)) else {
        return;
    };
    if of_metric == of_loss {
        return;
    }
    let name = name_of(metric).unwrap_or_default();
    let (are, expected, other) = match of_loss {
        Labels::Numbers => (
            "the numbers of classes",
            "one-hot labels",
            format!("sparse_{name}"),
        ),
        Labels::OneHot => (
            "one-hot",
            "the numbers of classes",
            name.trim_start_matches("sparse_").to_string(),
        ),
    };
    ctxt.error(
        &metric.expr,
        format!("The labels of the loss are {are}, and `{name}` expects {expected}. Did you mean `{other}`?"),
    );
}

/// What is said of outputs against the outputs that there are, as `compile` does it when a program runs.
fn check_outputs(ctxt: &Ctxt, compile: &Compile, network: &Network) {
    let names: Vec<&str> = network
        .outputs
        .iter()
        .map(|output| output.name.as_str())
        .collect();
    if names.is_empty() {
        return;
    }
    known(ctxt, "loss", &compile.loss, &names);
    match &compile.loss.outputs {
        Outputs::InOrder(losses) if losses.len() > names.len() => ctxt.error(
            compile.loss.at,
            format!(
                "`loss` has an entry for each output. Model '{}' has {} output(s): {names:?}. Received: {} losses",
                network.name,
                names.len(),
                losses.len()
            ),
        ),
        // Keras lets outputs with names of their own go without a loss.
        Outputs::Named(losses) if network.structure != Structure::Dict => {
            let keys: Vec<&String> = losses.iter().map(|(name, _)| name).collect();
            let is_missing = |name: &&str| keys.iter().all(|key| key != name);
            if names.iter().any(is_missing) && keys.iter().all(|key| names.contains(&key.as_str())) {
                ctxt.error(
                    compile.loss.at,
                    format!("Expected keys {names:?} in loss dict, but found loss.keys()={keys:?}"),
                );
            }
        }
        _ => {}
    }
    if let Some(weights) = &compile.loss_weights {
        known(ctxt, "loss_weights", weights, &names);
        let given = match &weights.outputs {
            Outputs::Every(_) => 1,
            Outputs::InOrder(weights) => weights.len(),
            Outputs::Named(_) => names.len(),
        };
        if given != names.len() {
            ctxt.error(
                weights.at,
                format!(
                    "`loss_weights` must match the number of losses, got {} losses and {given} weights.",
                    names.len()
                ),
            );
        }
    }
    let weighted = compile
        .weighted_metrics
        .iter()
        .map(|given| ("weighted_metrics", given));
    let metrics = compile.metrics.iter().map(|given| ("metrics", given));
    for (what, given) in metrics.chain(weighted) {
        known(ctxt, what, given, &names);
        if let Outputs::InOrder(lists) = &given.outputs
            && lists.len() != names.len()
        {
            ctxt.error(
                given.at,
                format!(
                    "Invalid `{what}`. `{what}` should contain metrics objects and either be a dict or a list matching \
                     the output names of the functional model {names:?}. Received: {} lists",
                    lists.len()
                ),
            );
        }
    }
}

/// That the outputs that an argument names are there.
fn known<T>(ctxt: &Ctxt, what: &str, given: &Argument<T>, names: &[&str]) {
    let Outputs::Named(named) = &given.outputs else {
        return;
    };
    for (name, _) in named {
        if names.contains(&name.as_str()) {
            continue;
        }
        let hint = nearest(name, names.iter().copied());
        let hint = hint.map(|near| format!(". Did you mean `{near}`?"));
        ctxt.error(
            given.at,
            format!(
                "`{what}` names the output '{name}', which the model does not have. Expected one of {names:?}. Received: \
                 {what}={name}{}",
                hint.unwrap_or_default()
            ),
        );
    }
}

/// What labels are to a part; `None` where it may be anything.
fn labels(part: &Part) -> Option<Labels> {
    let name = name_of(part)?;
    let found = OF_CLASSES
        .iter()
        .find(|(class, _)| crate::names::snake_case(class) == name);
    found.map(|(_, labels)| *labels)
}

/// Keras' name of a part in snake case, whichever way it was written.
fn name_of(part: &Part) -> Option<String> {
    match &part.kind {
        Kind::Text(text) => Some(crate::names::snake_case(text)),
        Kind::Class(_) => part
            .class_name()
            .map(|class| crate::names::snake_case(&class)),
        Kind::Value => None,
    }
}

/// The names of all logs of training; `None` if one of them is not known.
fn log_names(compile: &Compile, network: &Network) -> Option<Vec<String>> {
    let mut names = vec!["loss".to_string()];
    let outputs = || network.outputs.iter().enumerate();
    let with_loss =
        outputs().filter(|(at, output)| compile.loss.outputs.of(*at, &output.name).is_some());
    let with_loss: Vec<_> = with_loss.collect();
    if with_loss.len() > 1 {
        names.extend(
            with_loss
                .iter()
                .map(|(_, output)| format!("{}_loss", output.name)),
        );
    }
    for (is_weighted, metrics) in [(false, &compile.metrics), (true, &compile.weighted_metrics)] {
        let Some(metrics) = metrics else {
            continue;
        };
        for (at, output) in outputs() {
            for metric in metrics.outputs.of(at, &output.name).into_iter().flatten() {
                let bare = logged(metric)?;
                let full = |bare: &str| match network.outputs.len() {
                    1 => bare.to_owned(),
                    _ => format!("{}_{bare}", output.name),
                };
                let name = full(&bare);
                if is_weighted && names.contains(&name) {
                    names.push(full(&format!("weighted_{bare}")));
                } else {
                    names.push(name);
                }
            }
        }
    }
    names.extend(network.metrics.iter().map(|metric| metric.name.clone()));
    Some(names)
}

/// What a metric is logged as, without its output; `None` if that is not known.
fn logged(metric: &Part) -> Option<String> {
    match (&metric.kind, metric.argument("name")) {
        (Kind::Text(text), _) => Some(text.clone()),
        (Kind::Class(_), Some(name)) => Some(literals::text(name)?.value()),
        (Kind::Class(_), None) => {
            let class = metric.class_name()?;
            let is_known = NAMED_BY_CLASS.contains(&class.as_str());
            is_known.then(|| crate::names::snake_case(&class))
        }
        (Kind::Value, _) => None,
    }
}

/// That what a callback monitors is logged.
fn check_monitor(ctxt: &Ctxt, callback: &Part, names: &[String]) {
    let Some(monitor) = callback.argument("monitor") else {
        return;
    };
    let Some(name) = literals::text(monitor).map(LitStr::value) else {
        return;
    };
    let bare = name.strip_prefix("val_").unwrap_or(&name);
    // Metrics of one name are numbered.
    let is_numbered = |known: &String| {
        let rest = bare
            .strip_prefix(known.as_str())
            .and_then(|rest| rest.strip_prefix('_'));
        rest.is_some_and(|rest| rest.parse::<usize>().is_ok())
    };
    if names
        .iter()
        .any(|known| known == bare || is_numbered(known))
    {
        return;
    }
    let hint = nearest(bare, names.iter().map(String::as_str)).map(|near| {
        let prefix = if bare == name { "" } else { "val_" };
        format!(" Did you mean `{prefix}{near}`?")
    });
    ctxt.error(
        monitor,
        format!(
            "Nothing is logged as `{name}`. The logs: {}, and each with `val_` where there is validation data.{}",
            names.join(", "),
            hint.unwrap_or_default()
        ),
    );
}
