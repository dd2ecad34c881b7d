//! The gradients of a whole model, as the macros have derived them, against finite differences.

use std::ops::Range;

use ndarray::ArrayD;

use crate::device::{Activation, Cpu64, held};
use crate::error::{Error, Result};
use crate::losses::{IntoLoss, Loss, LossInput};
use crate::model::{Compile, Model, Trace};
use crate::random::Key;
use crate::shape::Shape;

/// The samples of the batch: several, as some layers look at all of them together.
const BATCH: usize = 3;

/// What an axis of unknown size is tried with: the smallest size that the layers can take.
const SIZES: [usize; 6] = [4, 8, 16, 32, 64, 128];

/// How far weights are moved. A smaller step is tried where a larger one does not agree: it may have
/// gone over a corner of the loss, such as the zero of a relu.
const STEPS: [f64; 3] = [1e-5, 1e-6, 1e-7];

/// The most numbers of a weight that are looked at one by one for the one that is wrong.
const LOOKED_AT: usize = 256;

/// Holds the gradients of a model against finite differences: what the test emitted by
/// `#[model(gradcheck)]` does.
///
/// # Panics
/// If one of them is wrong; see [`model_gradients`].
#[track_caller]
pub fn check_model<M: Model<Device = Cpu64>>(model: &mut M) {
    if let Err(error) = model_gradients(model) {
        panic!("{error}");
    }
}

/// Compares the gradient of every trained weight and of every input of a model with finite
/// differences in `f64`, along random directions, on random data: of all the model's losses together,
/// those of outputs at random weights, and what the model adds by itself. Where the last layer has
/// logits, the way back from them is compared, too. What `stop_gradient` was given is held as it was
/// while something is moved: differences would see through it.
///
/// # Errors
/// If a gradient is wrong; the message names the weight and the number. Also if the model does not
/// declare the shapes of its inputs.
pub fn model_gradients<M: Model<Device = Cpu64>>(model: &mut M) -> Result<()> {
    let (x, y) = data(&*model)?;
    shake(model);
    for fuses in [false, true] {
        let mut check = Check {
            model: &mut *model,
            x: &x,
            y: &y,
            held: Vec::new(),
        };
        check
            .model
            .compile(Compile::new("sgd", Weighted { fuses }))?;
        check.model.watch_inputs(true);
        check.load(None)?;
        let run = check.model.run();
        let targets = run.compiled.as_ref().and_then(|c| c.targets.as_ref());
        if fuses && targets.is_none_or(|targets| targets.from_logits.is_empty()) {
            continue;
        }
        check.gradients()?;
    }
    Ok(())
}

/// The targets are the weights of the predictions, or of their logits: `Σ y_true y_pred / batch`.
struct Weighted {
    fuses: bool,
}

impl IntoLoss<Cpu64> for Weighted {
    fn into_loss(self) -> Result<Box<dyn Loss<Cpu64>>> {
        Ok(Box::new(self))
    }
}

impl Loss<Cpu64> for Weighted {
    fn name(&self) -> &str {
        "weighted"
    }

    fn fuses(&self, _activation: Activation, _y_true: &Shape, _y_pred: &Shape) -> bool {
        self.fuses
    }

    fn compute(&self, input: LossInput<'_, Cpu64>) {
        let values = input.logits.unwrap_or(input.y_pred);
        let pairs = input.y_true.iter().zip(values);
        input.sums[0] += pairs.map(|(weight, value)| weight * value).sum::<f64>();
        let Some(gradient) = input.gradient else {
            return;
        };
        let share = f64::from(input.weight) / input.batch as f64;
        for (gradient, weight) in gradient.iter_mut().zip(input.y_true) {
            *gradient = share * weight;
        }
    }
}

/// Random inputs of the declared shapes, and random targets of the outputs' shapes.
#[allow(clippy::type_complexity)]
fn data<M: Model>(model: &M) -> Result<(Vec<ArrayD<f32>>, Vec<ArrayD<f32>>)> {
    let network = &model.run().network;
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    let mut inferred = Ok(());
    for size in SIZES {
        inputs.clear();
        for input in &*network.inputs {
            if !input.shape.is_known() {
                return Err(Error::value(format!(
                    "Model '{}' does not declare the shape of its input '{}', of which data is to be made.",
                    network.name, input.name
                )));
            }
            let sizes = input.shape.dims().iter();
            let sizes: Vec<usize> = sizes
                .map(|&dim| if dim == Shape::NONE { size } else { dim })
                .collect();
            inputs.push(Shape::new(&sizes));
        }
        let mut trace = Trace::new(network, &inputs, BATCH, true);
        inferred = model.infer(&mut trace);
        let shapes = network.outputs.iter();
        outputs = shapes.map(|output| trace.shape(output.training)).collect();
        if inferred.is_ok()
            && outputs
                .iter()
                .all(|shape| shape.is_full() && !shape.is_empty())
        {
            break;
        }
    }
    inferred?;
    let random =
        |stream: u64| move |(at, shape): (usize, &Shape)| random(shape, stream + at as u64);
    Ok((
        inputs.iter().enumerate().map(random(0)).collect(),
        outputs.iter().enumerate().map(random(1 << 20)).collect(),
    ))
}

/// Numbers between -1 and 1.
fn random(shape: &Shape, stream: u64) -> ArrayD<f32> {
    let key = Key::new(11).fold(stream);
    let dims: Vec<usize> = [BATCH].iter().chain(shape.dims()).copied().collect();
    let mut at = 0;
    ArrayD::from_shape_simple_fn(dims, || {
        at += 1;
        (2.0 * key.uniform(at) - 1.0) as f32
    })
}

/// Moves every weight a little: where all biases are zero, a loss may have a corner.
fn shake<M: Model<Device = Cpu64>>(model: &mut M) {
    if let Some(parameters) = &mut model.split().0.parameters {
        let key = Key::new(13);
        for (at, value) in (0..).zip(&mut parameters.params) {
            *value += 0.2 * key.uniform(at) - 0.1;
        }
    }
}

/// What a gradient is of.
#[derive(Clone)]
enum Of {
    /// A weight, by its place among the weights of the model.
    Weight(Range<usize>),
    /// An input, by its number.
    Input(usize),
}

/// A move of a weight or an input along a direction.
type Move<'a> = (&'a Of, &'a [f64], f64);

/// A model and its data.
struct Check<'a, M> {
    model: &'a mut M,
    x: &'a [ArrayD<f32>],
    y: &'a [ArrayD<f32>],
    /// What `stop_gradient` was given when nothing was moved.
    held: Vec<f64>,
}

impl<M: Model<Device = Cpu64>> Check<'_, M> {
    /// Loads the batch, its inputs moved.
    fn load(&mut self, moved: Option<Move<'_>>) -> Result<()> {
        let (x, y): (Vec<_>, Vec<_>) = (self.x.iter().collect(), self.y.iter().collect());
        self.model.load_on_batch((x, y), true)?;
        let Some((Of::Input(input), direction, step)) = moved else {
            return Ok(());
        };
        let value = self.model.run().network.inputs[*input].value;
        let space = self.model.split().1.training.as_mut();
        if let Some(values) = space.and_then(|space| space.value_mut(value, BATCH)) {
            for (value, direction) in values.iter_mut().zip(direction) {
                *value += step * direction;
            }
        }
        Ok(())
    }

    /// The sum of all losses, with a weight or an input moved.
    fn loss(&mut self, moved: Option<Move<'_>>) -> Result<f64> {
        let mut before = None;
        if let (Some((Of::Weight(range), direction, step)), Some(parameters)) =
            (moved, &mut self.model.split().0.parameters)
        {
            let weights = &mut parameters.params[range.clone()];
            before = Some((range.clone(), weights.to_vec()));
            for (weight, direction) in weights.iter_mut().zip(direction) {
                *weight += step * direction;
            }
        }
        let loss = self.loss_as_it_is(moved);
        if let (Some((range, values)), Some(parameters)) =
            (before, &mut self.model.split().0.parameters)
        {
            parameters.params[range].copy_from_slice(&values);
        }
        loss
    }

    fn loss_as_it_is(&mut self, moved: Option<Move<'_>>) -> Result<f64> {
        self.load(moved)?;
        self.model.reset_metrics();
        match moved {
            Some(_) => held::replay(&self.held, || self.model.forward(true))?,
            None => {
                let (passed, values) = held::record(|| self.model.forward(true));
                self.held = values;
                passed?;
            }
        }
        self.model.compute_loss()?;
        let compiled = self.model.run().compiled.as_ref();
        let targets = compiled.and_then(|compiled| compiled.targets.as_ref());
        let outputs = self.model.run().network.outputs.len();
        // The losses of the outputs, and what is added to them.
        let sums = targets.map_or(&[][..], |targets| &targets.totals[..=outputs]);
        Ok(sums.iter().sum::<f64>() / BATCH as f64)
    }

    /// Compares all gradients.
    fn gradients(&mut self) -> Result<()> {
        self.loss(None)?;
        // A part leaves the gradients alone of weights that it does not have.
        self.model.zero_gradients()?;
        self.model.backward()?;
        for (what, of, found) in self.found() {
            for stream in 0..2 {
                let direction = direction(found.len(), stream);
                let along: f64 = found.iter().zip(&direction).map(|(g, d)| g * d).sum();
                if let Some(expected) = self.differs(&of, &direction, along)? {
                    return Err(self.wrong(&what, &of, &found, along, expected)?);
                }
            }
        }
        Ok(())
    }

    /// The gradients of the last pass back.
    fn found(&self) -> Vec<(String, Of, Vec<f64>)> {
        let network = &*self.model.run().network;
        let mut found = Vec::new();
        let core = self.model.core();
        if let Some(parameters) = &core.parameters {
            let layers = parameters.layers.iter().zip(&*network.layers).enumerate();
            let trained = layers.filter(|(layer, _)| core.trainable[*layer]);
            for (_, (weights, layer)) in trained {
                for (weight, range) in weights.trained() {
                    let gradient = parameters.grads[range.clone()].to_vec();
                    let what = format!("{}/{}", layer.name, weight.name);
                    found.push((what, Of::Weight(range), gradient));
                }
            }
        }
        if let Some(space) = &self.model.run().training {
            for (at, input) in network.inputs.iter().enumerate() {
                let slot = space.plan.gradients[input.value.0];
                let gradient = slot.and_then(|slot| space.slots[slot].as_ref());
                let len = BATCH * space.plan.shapes[input.value.0].size();
                if let Some(gradient) = gradient {
                    let gradient = gradient[..len].to_vec();
                    found.push((input.name.to_string(), Of::Input(at), gradient));
                }
            }
        }
        found
    }

    /// The slope along a direction by differences, if it is not the one that was found.
    fn differs(&mut self, of: &Of, direction: &[f64], found: f64) -> Result<Option<f64>> {
        let here = self.loss(None)?;
        let mut slope = f64::NAN;
        for step in STEPS {
            let mut side = |step: f64| {
                Ok::<f64, Error>((self.loss(Some((of, direction, step)))? - here) / step)
            };
            let (before, after) = (side(-step)?, side(step)?);
            slope = (before + after) / 2.0;
            let tolerance = 1e-6 + 1e-4 * slope.abs();
            let is_near = (found - slope).abs() <= tolerance;
            // Right at a corner, any slope between those of both sides is one.
            let is_between =
                found >= before.min(after) - tolerance && found <= before.max(after) + tolerance;
            if is_near || step == STEPS[2] && is_between {
                return Ok(None);
            }
        }
        Ok(Some(slope))
    }

    /// The sentence about a gradient that is wrong along a direction: the first number that is.
    fn wrong(
        &mut self,
        what: &str,
        of: &Of,
        found: &[f64],
        along: f64,
        expected: f64,
    ) -> Result<Error> {
        let model = self.model.run().network.name.clone();
        let sentence = |place: String, found: f64, expected: f64| {
            Error::value(format!(
                "Model '{model}': the gradient of `{what}` is wrong{place}. Expected: {expected}, by finite \
                 differences. Received: {found}"
            ))
        };
        for (at, &found_here) in found.iter().enumerate().take(LOOKED_AT) {
            let mut only = vec![0.0; found.len()];
            only[at] = 1.0;
            if let Some(expected) = self.differs(of, &only, found_here)? {
                return Ok(sentence(format!(", number {at}"), found_here, expected));
            }
        }
        Ok(sentence(
            " along a random direction".into(),
            along,
            expected,
        ))
    }
}

/// A random direction of length 1.
fn direction(len: usize, stream: u64) -> Vec<f64> {
    let key = Key::new(17).fold(stream);
    let mut direction: Vec<f64> = (0..len as u64).map(|at| key.normal(at)).collect();
    let length = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
    direction.iter_mut().for_each(|d| *d /= length);
    direction
}
