//! The layer calls of a model on inputs of given shapes: what planning, summaries and files need.

use std::sync::Arc;

use super::network::{Network, Value};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::layers::{Layer, Logits, Weights, Workspace};
use crate::shape::{Shape, ShapeError};

/// One call of a layer.
#[derive(Clone, Debug)]
pub struct Call {
    /// The number of the call in the model.
    pub call: usize,
    /// The number of the layer.
    pub layer: usize,
    /// What it is called on.
    pub inputs: Vec<Value>,
    /// What it gives.
    pub output: Value,
    /// Whether the output is the input, number for number.
    pub is_view: bool,
    /// The memory it needs besides.
    pub workspace: Workspace,
    /// Where the input of its activation is.
    pub logits: Logits,
}

/// Records the calls of a model, in order, with the shapes they give.
#[derive(Debug)]
pub struct Trace {
    network: Arc<Network>,
    batch: usize,
    training: bool,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) calls: Vec<Call>,
    pub(crate) weights: Vec<Option<Weights>>,
    /// The configuration of each layer that is called, in a trace that asks for them.
    pub(crate) configs: Option<Vec<Option<Config>>>,
}

impl Trace {
    /// A trace that begins with inputs of these shapes, of `batch` samples.
    pub(crate) fn new(
        network: &Arc<Network>,
        inputs: &[Shape],
        batch: usize,
        training: bool,
    ) -> Self {
        let mut shapes = vec![Shape::UNKNOWN; network.values];
        for (input, &shape) in network.inputs.iter().zip(inputs) {
            shapes[input.value.0] = shape;
        }
        Self {
            network: network.clone(),
            batch,
            training,
            shapes,
            calls: Vec::new(),
            weights: vec![None; network.layers.len()],
            configs: None,
        }
    }

    /// The same, that also records the configurations of the layers.
    #[must_use]
    pub fn describing(mut self) -> Self {
        self.configs = Some(vec![None; self.network.layers.len()]);
        self
    }

    /// Records a call: runs the layer's rule on the shapes of its inputs.
    ///
    /// # Errors
    /// If the layer cannot take inputs of these shapes.
    #[allow(clippy::too_many_arguments)]
    pub fn call<L: Layer, const N: usize>(
        &mut self,
        call: usize,
        layer: usize,
        config: &L,
        inputs: [Value; N],
        output: Value,
        output_shape: fn(&[Shape]) -> Result<Shape, ShapeError>,
        weights: fn(&[Shape]) -> Weights,
    ) -> Result<()> {
        self.record(
            call,
            layer,
            config,
            &inputs,
            output,
            &output_shape,
            &weights,
        )
    }

    /// The same for rules that are known only when the program runs.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn record<L: Layer>(
        &mut self,
        call: usize,
        layer: usize,
        config: &L,
        inputs: &[Value],
        output: Value,
        output_shape: &dyn Fn(&[Shape]) -> Result<Shape, ShapeError>,
        weights: &dyn Fn(&[Shape]) -> Weights,
    ) -> Result<()> {
        let shapes: Vec<Shape> = inputs.iter().map(|value| self.shapes[value.0]).collect();
        let info = &self.network.layers[layer];
        let shape =
            output_shape(&shapes).map_err(|error| Error::shape(&info.class, &info.name, &error))?;
        self.shapes[output.0] = shape;
        if shapes.iter().all(Shape::is_known) {
            let weights = weights(&shapes);
            self.share(layer, &shapes, weights)?;
        }
        if let Some(configs) = &mut self.configs {
            configs[layer].get_or_insert_with(|| config.config());
        }
        self.calls.push(Call {
            call,
            layer,
            inputs: inputs.to_vec(),
            output,
            is_view: config.is_view(self.training),
            workspace: if shapes.iter().all(Shape::is_full) {
                config.workspace(&shapes, &shape, self.batch)
            } else {
                Workspace::default()
            },
            logits: config.logits(),
        });
        Ok(())
    }

    /// The weights of a layer are those of its first call; later calls must agree.
    fn share(&mut self, layer: usize, inputs: &[Shape], weights: Weights) -> Result<()> {
        let Some(first) = &self.weights[layer] else {
            self.weights[layer] = Some(weights);
            return Ok(());
        };
        if first
            .iter()
            .zip(weights.iter())
            .all(|(a, b)| a.shape.accepts(&b.shape))
        {
            return Ok(());
        }
        let info = &self.network.layers[layer];
        Err(Error::Shape {
            class: info.class.clone().into(),
            name: info.name.clone().into(),
            message: format!(
                "shares its weights between calls and cannot take input of shape {}",
                inputs[0]
            ),
        })
    }

    /// The configuration of each layer, by its number, of a trace that is
    /// [`describing`](Trace::describing); `None` for a layer that was not called.
    pub fn configs(&self) -> &[Option<Config>] {
        self.configs.as_deref().unwrap_or_default()
    }

    /// The model's layers, inputs and outputs.
    pub(crate) fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// Whether the calls of training are asked for, or those of inference.
    pub fn training(&self) -> bool {
        self.training
    }

    /// The shape of a value.
    pub fn shape(&self, value: Value) -> Shape {
        self.shapes[value.0]
    }
}
