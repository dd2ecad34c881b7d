//! The summary in a model's documentation: its layers with their output shapes and weights, where
//! every size is a literal.
//!
//! rustc alone knows the shapes of a model, and documentation is not made of what rustc has computed:
//! the rules of Keras' own layers are here once more, for literals, and for this table only. A model
//! with anything else in it has no table. `tests/language` holds the tables of the snapshots against the
//! summaries that their models print.

mod rules;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use keras_config::python;

use crate::graph::{CallId, Graph, Layer, Source};
use crate::parse::shape::Dim;
use rules::Weights;

/// The shape of one sample; `None` for a size that data will tell.
pub type Shape = Vec<Option<usize>>;

/// A layer of the table.
struct Row<'a> {
    layer: &'a Layer,
    /// `None` for a layer that only training calls: its output is none of the model's.
    output: Option<Shape>,
    weights: Weights,
}

/// The lines of the table, in Markdown; `None` if a shape is not known.
pub fn lines(graph: &Graph) -> Option<Vec<String>> {
    let rows = rows(graph)?;
    let mut lines = vec![
        String::new(),
        " | Layer (type) | Output shape | Param # |".to_string(),
        " |---|---|--:|".to_string(),
    ];
    let (mut trained, mut all) = (0_usize, 0_usize);
    for Row {
        layer,
        output,
        weights,
    } in &rows
    {
        let params = weights.trained.checked_add(weights.other)?;
        all = params.checked_add(all)?;
        if layer.trainable() {
            trained += weights.trained;
        }
        let (name, class) = (&layer.name, &layer.class);
        let shape = output.as_ref().map_or("?".to_string(), text);
        let params = python::thousands(params);
        lines.push(format!(" | {name} ({class}) | {shape} | {params} |"));
    }
    lines.push(String::new());
    lines.push(format!(
        " Total params: {}, trainable: {}, non-trainable: {}",
        python::thousands(all),
        python::thousands(trained),
        python::thousands(all - trained)
    ));
    Some(lines)
}

/// The layers in the order of the model, each with what its last call in inference gives.
fn rows(graph: &Graph) -> Option<Vec<Row<'_>>> {
    let mut shapes: Vec<Option<Shape>> = vec![None; graph.values.len()];
    for input in &graph.whole.inputs {
        let dims = graph.values[input.value].shape.as_ref()?.iter();
        let dims = dims.map(|dim| match dim {
            Dim::Size(expr) => rules::number(expr).map(Some),
            Dim::Unknown => Some(None),
        });
        shapes[input.value] = Some(dims.collect::<Option<_>>()?);
    }
    let mut first: Vec<Option<Weights>> = vec![None; graph.layers.len()];
    let mut last: Vec<Option<Shape>> = vec![None; graph.layers.len()];
    let inference: HashSet<CallId> = graph.whole.inference.iter().copied().collect();
    for (id, call) in graph.calls.iter().enumerate() {
        let inputs = call.inputs.iter().map(|&input| shapes[input].clone());
        let inputs: Vec<Shape> = inputs.collect::<Option<_>>()?;
        let (output, weights) = of_layer(&graph.layers[call.layer], &inputs)?;
        first[call.layer].get_or_insert(weights);
        if inference.contains(&id) {
            last[call.layer] = Some(output.clone());
        }
        shapes[call.output] = Some(output);
    }
    let known = graph.layers.iter().zip(first).zip(last);
    let rows = known.map(|((layer, weights), output)| {
        Some(Row {
            layer,
            output,
            weights: weights?,
        })
    });
    let rows: Vec<Row<'_>> = rows.collect::<Option<_>>()?;
    (!rows.is_empty()).then_some(rows)
}

/// What a layer makes of inputs of these shapes, and its weights.
fn of_layer(layer: &Layer, inputs: &[Shape]) -> Option<(Shape, Weights)> {
    match &layer.source {
        Source::Written(written) if written.class.get_ident().is_some() => {
            rules::of(&layer.class, written, inputs)
        }
        Source::Written(_) => None,
        Source::Merge(_) => Some((rules::merged(inputs)?, Weights::NONE)),
        Source::Scalar(..) => Some((Shape::new(), Weights::NONE)),
    }
}

/// `(None, 26, 26, 32)`.
fn text(shape: &Shape) -> String {
    let size = |dim: &Option<usize>| dim.map_or("None".to_string(), |size| size.to_string());
    let dims: Vec<String> = shape.iter().map(size).collect();
    match dims.as_slice() {
        [] => "(None,)".to_string(),
        dims => format!("(None, {})", dims.join(", ")),
    }
}
