//! `summary`: the table of a model's layers, as Keras prints it.

use super::Model;
use super::build::network;
use super::network::{Kind, Network, Value};
use super::table::{Align, Table};
use super::trace::Trace;
use crate::device::Memory;
use crate::shape::Shape;

/// The width that Keras uses where the terminal is not known to be wider.
const WIDTH: usize = 76;

/// The table, with a line break at its end.
pub(crate) fn summary<M: Model>(model: &M) -> String {
    let network = network::<M>();
    let built = model.run().built.clone();
    let shapes = built.unwrap_or_else(|| network.inputs.iter().map(|input| input.shape).collect());
    let mut trace = Trace::new(network, &shapes, 1, false);
    // Layers after one whose shape is not known yet are shown as `?`.
    let _ = M::infer(&mut trace);
    let graph = Graph {
        network,
        trace: &trace,
    };
    let is_chain = network.kind != Kind::Functional || graph.is_chain();
    let mut header = vec![
        ("Layer (type)", Align::Left),
        ("Output Shape", Align::Left),
        ("Param #", Align::Right),
    ];
    let ends: &[f64] = if is_chain {
        &[0.45, 0.8, 1.0]
    } else {
        &[0.3, 0.56, 0.74, 1.0]
    };
    if !is_chain {
        header.push(("Connected to", Align::Left));
    }
    let mut table = Table::new(WIDTH, ends, &header);
    let mut row = |name: &str, class: &str, shape: String, params: String, connections: String| {
        let mut cells = vec![format!("{name} ({class})"), shape, params];
        if !is_chain {
            cells.push(connections);
        }
        table.row(&cells);
    };
    if network.kind == Kind::Functional {
        for input in network.inputs {
            row(
                input.name,
                "InputLayer",
                text(trace.shape(input.value)),
                "0".into(),
                "-".into(),
            );
        }
    }
    let parameters = model.core().parameters.as_ref();
    for (index, layer) in network.layers.iter().enumerate() {
        let params = match parameters {
            Some(parameters) => {
                let weights = &parameters.layers[index];
                thousands(weights.params_range().len() + weights.state_range().len())
            }
            None => "0 (unbuilt)".into(),
        };
        let last = trace.calls.iter().rfind(|call| call.layer == index);
        let shape = last.map_or_else(|| "?".into(), |call| text(trace.shape(call.output)));
        row(
            layer.name,
            layer.class,
            shape,
            params,
            graph.connections(index),
        );
    }
    format!(
        "Model: \"{}\"\n{}{}",
        network.name,
        table.finish(),
        totals(model)
    )
}

/// The numbers of weights under the table.
fn totals<M: Model>(model: &M) -> String {
    let core = model.core();
    let (mut trained, mut state) = (0, 0);
    if let Some(parameters) = &core.parameters {
        let ranges = parameters.trained_ranges(&core.trainable);
        trained = ranges.iter().map(std::ops::Range::len).sum();
        state = M::Device::len(&parameters.params) - trained + M::Device::len(&parameters.state);
    }
    let compiled = model
        .run()
        .compiled
        .as_ref()
        .filter(|compiled| compiled.iterations > 0);
    // The optimizer counts its steps in eight bytes; then comes its learning rate.
    let optimizer = compiled.map(|compiled| 2 + compiled.slots.len() * trained);
    let optimizer_bytes = optimizer.map_or(0, |count| 4 * count + 4);
    let total = trained + state + optimizer.unwrap_or(0);
    let line = |name: &str, count: usize, bytes: usize| {
        format!(" {name}: {} ({})\n", thousands(count), memory_size(bytes))
    };
    let mut text = line(
        "Total params",
        total,
        4 * (trained + state) + optimizer_bytes,
    );
    text += &line("Trainable params", trained, 4 * trained);
    text += &line("Non-trainable params", state, 4 * state);
    if let Some(optimizer) = optimizer {
        text += &line("Optimizer params", optimizer, optimizer_bytes);
    }
    text
}

/// Who is connected to whom.
struct Graph<'a> {
    network: &'a Network,
    trace: &'a Trace,
}

impl Graph<'_> {
    /// Whether the model is a chain of layers, each called once.
    fn is_chain(&self) -> bool {
        let calls = &self.trace.calls;
        let consumers = |value: Value| {
            calls
                .iter()
                .filter(|call| call.inputs.contains(&value))
                .count()
        };
        let called = |layer: usize| calls.iter().filter(|call| call.layer == layer).count();
        self.network.inputs.len() == 1
            && self.network.outputs.len() == 1
            && calls.iter().all(|call| {
                call.inputs.len() == 1 && consumers(call.inputs[0]) == 1 && called(call.layer) == 1
            })
    }

    /// What a layer is called on: `dense[0][0]` is the first call of `dense`.
    fn connections(&self, layer: usize) -> String {
        let calls = self.trace.calls.iter().filter(|call| call.layer == layer);
        let names: Vec<String> = calls
            .flat_map(|call| &call.inputs)
            .map(|value| self.source(*value))
            .collect();
        names.join(", ")
    }

    fn source(&self, value: Value) -> String {
        if let Some(input) = self
            .network
            .inputs
            .iter()
            .find(|input| input.value == value)
        {
            return format!("{}[0][0]", input.name);
        }
        let calls = &self.trace.calls;
        let Some(at) = calls.iter().position(|call| call.output == value) else {
            return "-".into();
        };
        let layer = calls[at].layer;
        let node = calls[..at]
            .iter()
            .filter(|call| call.layer == layer)
            .count();
        format!("{}[{node}][0]", self.network.layers[layer].name)
    }
}

fn text(shape: Shape) -> String {
    if shape.is_known() {
        shape.to_string()
    } else {
        "?".into()
    }
}

/// `54090` as `54,090`.
fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn memory_size(bytes: usize) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "KB", "MB", "GB", "TB"] {
        if size < 1024.0 {
            return format!("{size:.2} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.2} PB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_in_keras() {
        assert_eq!(thousands(54_538), "54,538");
        assert_eq!(thousands(320), "320");
        assert_eq!(thousands(1_000_000), "1,000,000");
        assert_eq!(memory_size(4 * 54_538), "213.04 KB");
        assert_eq!(memory_size(256), "256.00 B");
    }
}
