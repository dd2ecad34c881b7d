//! What is wrong with the losses, metrics and callbacks that a model declares: what the tokens of the
//! layers and of `compile(..)` tell together, before anything runs.

use syn::LitStr;

use super::{Graph, Layer, Network, Source};
use crate::ctxt::Ctxt;
use crate::names::nearest;
use crate::parse::training::{Compile, Kind, Part};
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
    for output in &graph.whole.outputs {
        if let Some(layer) = producer(graph, output.training) {
            check_loss(ctxt, compile, layer);
        }
    }
    check_labels(ctxt, compile);
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
fn check_loss(ctxt: &Ctxt, compile: &Compile, layer: &Layer) {
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
    let from_logits = compile.loss.named("from_logits");
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
    if is_one && labels(&compile.loss).is_some() {
        ctxt.error(
            &compile.loss.expr,
            format!(
                "The loss is of several classes, and `{}` has one unit. Use 'binary_crossentropy' for two classes.",
                layer.name
            ),
        );
    }
}

/// The metrics against the loss: they see the same labels.
fn check_labels(ctxt: &Ctxt, compile: &Compile) {
    let Some(of_loss) = labels(&compile.loss) else {
        return;
    };
    for metric in &compile.metrics {
        if labels(metric).is_none_or(|of_metric| of_metric == of_loss) {
            continue;
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
        Kind::Class(..) => part
            .class_name()
            .map(|class| crate::names::snake_case(&class)),
        Kind::Value => None,
    }
}

/// The names of all logs of training; `None` if one of them is not known.
fn log_names(compile: &Compile, network: &Network) -> Option<Vec<String>> {
    let mut names = vec!["loss".to_string()];
    let are_several = network.outputs.len() > 1;
    let outputs = network.outputs.iter().map(|output| output.name.as_str());
    if are_several {
        names.extend(outputs.clone().map(|output| format!("{output}_loss")));
    }
    for metric in &compile.metrics {
        let bare = match (&metric.kind, metric.named("name")) {
            (Kind::Text(text), _) => text.clone(),
            (Kind::Class(..), Some(name)) => literals::text(name)?.value(),
            (Kind::Class(..), None) => {
                let class = metric.class_name()?;
                let is_known = NAMED_BY_CLASS.contains(&class.as_str());
                is_known.then(|| crate::names::snake_case(&class))?
            }
            (Kind::Value, _) => return None,
        };
        if are_several {
            names.extend(outputs.clone().map(|output| format!("{output}_{bare}")));
        } else {
            names.push(bare);
        }
    }
    names.extend(network.metrics.iter().map(|metric| metric.name.clone()));
    Some(names)
}

/// That what a callback monitors is logged.
fn check_monitor(ctxt: &Ctxt, callback: &Part, names: &[String]) {
    let Kind::Class(_, positional, _) = &callback.kind else {
        return;
    };
    let first = match callback.class_name().as_deref() {
        Some("EarlyStopping" | "ReduceLROnPlateau") => positional.first(),
        _ => None,
    };
    let Some(monitor) = first.or_else(|| callback.named("monitor")) else {
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
