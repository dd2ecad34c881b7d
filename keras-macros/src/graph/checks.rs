//! What must hold of a whole graph.

use std::collections::{HashMap, HashSet};

use super::draft::Draft;
use super::finish::Plan;
use super::{CallId, Kind, LayerId, Source};
use crate::ctxt::Ctxt;
use crate::parse::call::scalars::Purpose;

/// The weights of a part are made with the whole model, hence all its calls belong to it.
pub fn within_the_whole(
    ctxt: &Ctxt,
    draft: &Draft,
    whole: &[CallId],
    parts: &[(syn::Ident, Plan)],
    calls: &[[Vec<CallId>; 2]],
) {
    let whole: HashSet<CallId> = whole.iter().copied().collect();
    for ((ident, plan), calls) in parts.iter().zip(calls) {
        let ends = plan.training.inputs.iter().chain(&plan.training.outputs);
        let ends = ends.filter_map(|end| draft.values[end.value].producer);
        let outside = ends
            .chain(calls[0].iter().copied())
            .find(|call| !whole.contains(call));
        if let Some(call) = outside {
            let layer = &draft.layers[draft.calls[call].layer].name;
            ctxt.error(
                ident,
                format!(
                    "`{ident}` calls the layer `{layer}` where the model does not: its last `Model(..)` has to depend \
                     on every layer call of its parts."
                ),
            );
        }
    }
}

/// An added metric is found by its name in the logs.
pub fn unique_metrics(ctxt: &Ctxt, whole: &Plan) {
    for ends in [&whole.training, &whole.inference] {
        let mut seen = HashSet::new();
        for added in &ends.added {
            if let Purpose::Metric(name) = &added.purpose
                && !seen.insert(name.value())
            {
                let message = format!("There are two metrics named \"{}\".", name.value());
                ctxt.error(name, message);
                return;
            }
        }
    }
}

/// Names are how weights, files and logs find a layer.
pub fn unique_names(ctxt: &Ctxt, draft: &Draft, layers: &[LayerId], whole: &Plan) {
    // In the order in which they were written, so that the error is under the second.
    let mut layers = layers.to_vec();
    layers.sort_unstable();
    let mut uses: HashMap<&str, usize> = HashMap::new();
    let mut seen = HashSet::new();
    if whole.kind == Kind::Functional {
        // An input is an operation of a functional model, too.
        for input in &whole.training.inputs {
            let name = &draft.values[input.value].name;
            uses.insert(name, 1);
            seen.insert(name);
        }
    }
    for &layer in &layers {
        *uses.entry(&draft.layers[layer].name).or_insert(0) += 1;
    }
    for layer in layers {
        let layer = &draft.layers[layer];
        let (name, count) = (&layer.name, uses[layer.name.as_str()]);
        if seen.insert(name) {
            continue;
        }
        let message = if whole.kind == Kind::Sequential {
            format!(
                "All layers added to a Sequential model should have unique names. Name '{name}' is already the name \
                 of a layer in this model. Update the `name` argument to pass a unique name."
            )
        } else {
            format!(
                "The name \"{name}\" is used {count} times in the model. All operation names should be unique."
            )
        };
        match &layer.source {
            Source::Written(written) => match &written.name {
                Some(name) => ctxt.error(name, message),
                None => ctxt.error(written.at, message),
            },
            source => ctxt.error(source.at(), message),
        }
    }
}
