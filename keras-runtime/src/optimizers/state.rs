//! What an optimizer remembers, and the step that is the same for all of them: gradients are
//! accumulated, scaled and clipped before the rule of the optimizer, and averaged weights kept after
//! it.

use std::ops::Range;

use super::step::Combine;
use super::step::Part;
use super::{Optimizer, Slot, SlotStart, Step, Variable};
use crate::device::Device;
use crate::error::Result;
use crate::shape::Shape;

/// What an optimizer remembers of the weights it trains. It belongs to the model, so that it can be
/// saved with it.
pub struct State<D: Device> {
    /// The steps that the optimizer has taken.
    pub iterations: u64,
    slots: Vec<D::Buffer>,
    scalars: Vec<f32>,
    average: Option<D::Buffer>,
    accumulated: Option<D::Buffer>,
    scratch: Option<D::Buffer>,
    variables: Vec<Variable>,
    parts: Vec<Part>,
    /// The version of the model's trainable layers that the variables belong to.
    version: Option<u64>,
}

/// One variable of an optimizer, as Keras saves it.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotVariable {
    /// Its name in Keras, such as `dense_kernel_momentum`.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    pub(crate) held: Held,
}

/// Where the values of a variable are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Held {
    /// The number of steps, an integer.
    Iterations,
    LearningRate,
    /// One of the numbers of the whole model.
    Scalar(usize),
    /// The same, an integer in Keras.
    Count(usize),
    /// A part of one of the [`vectors`](State::vectors).
    Vector(usize, Range<usize>),
    /// Nowhere: it is always 0.
    Zero {
        is_integer: bool,
    },
}

impl Held {
    /// Whether it is an integer in Keras.
    pub fn is_integer(&self) -> bool {
        match self {
            Self::Iterations | Self::Count(_) => true,
            Self::Zero { is_integer } => *is_integer,
            Self::LearningRate | Self::Scalar(_) | Self::Vector(..) => false,
        }
    }
}

impl SlotVariable {
    fn scalar(name: &str, held: Held) -> Self {
        Self {
            name: name.to_owned(),
            shape: Shape::SCALAR,
            held,
        }
    }
}

impl<D: Device> State<D> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            iterations: 0,
            slots: Vec::new(),
            scalars: Vec::new(),
            average: None,
            accumulated: None,
            scratch: None,
            variables: Vec::new(),
            parts: Vec::new(),
            version: None,
        }
    }

    /// The vectors, each as long as all weights, that an optimizer remembers: its slots, a moving
    /// average, a sum of gradients. None before the first step.
    pub(crate) fn vectors(&self) -> impl Iterator<Item = &D::Buffer> {
        let others = self.average.iter().chain(&self.accumulated);
        self.slots.iter().chain(others)
    }

    /// The same, to set.
    pub(crate) fn vectors_mut(&mut self) -> impl Iterator<Item = &mut D::Buffer> {
        let others = self.average.iter_mut().chain(&mut self.accumulated);
        self.slots.iter_mut().chain(others)
    }

    /// The numbers that an optimizer remembers of the whole model.
    pub(crate) fn scalars(&self) -> &[f32] {
        &self.scalars
    }

    /// The same, to set.
    pub(crate) fn scalars_mut(&mut self) -> &mut [f32] {
        &mut self.scalars
    }

    /// Whether the memory for this version of the model's trainable layers is there.
    pub fn is_ready(&self, version: u64) -> bool {
        self.version == Some(version)
    }

    /// Makes the memory for the variables that are trained. What is there already stays.
    ///
    /// # Errors
    /// If the device has no memory left.
    pub fn prepare(
        &mut self,
        optimizer: &dyn Optimizer<D>,
        device: &D,
        params: &D::Buffer,
        variables: Vec<Variable>,
        version: u64,
    ) -> Result<()> {
        let settings = optimizer.settings();
        let len = D::len(params);
        if self.version.is_none() {
            self.scalars = optimizer.scalars();
            for slot in optimizer.slots() {
                let mut buffer = device.alloc(len)?;
                match slot.start {
                    SlotStart::Zeros => {}
                    SlotStart::Constant(value) => {
                        device.fill(D::slice_mut(&mut buffer, 0..len), value);
                    }
                    SlotStart::Weights => {
                        device.copy(D::slice(params, 0..len), D::slice_mut(&mut buffer, 0..len));
                    }
                }
                self.slots.push(buffer);
            }
            if settings.use_ema {
                let mut average = device.alloc(len)?;
                device.copy(D::slice(params, 0..len), D::slice_mut(&mut average, 0..len));
                self.average = Some(average);
            }
            if settings.gradient_accumulation_steps.is_some() {
                self.accumulated = Some(device.alloc(len)?);
            }
        }
        self.scratch = Some(device.alloc(optimizer.scratch(&variables))?);
        let is_elementwise = optimizer.is_elementwise() && settings.clipnorm.is_none();
        self.parts.clear();
        for variable in &variables {
            let decay = optimizer.weight_decay(variable);
            let range = variable.range.clone();
            match self.parts.last_mut() {
                Some(last)
                    if is_elementwise && last.range.end == range.start && last.decay == decay =>
                {
                    last.range.end = range.end;
                }
                _ => self.parts.push(Part {
                    range,
                    decay,
                    scale: 1.0,
                }),
            }
        }
        self.variables = variables;
        self.version = Some(version);
        Ok(())
    }

    /// What the loss is multiplied with before its gradients are computed.
    pub fn loss_scale(&self, optimizer: &dyn Optimizer<D>) -> f32 {
        if self.version.is_none() {
            return optimizer.loss_scale(&optimizer.scalars());
        }
        optimizer.loss_scale(&self.scalars)
    }

    /// Changes the weights by their gradients, which are those of the scaled loss.
    pub fn apply(
        &mut self,
        optimizer: &dyn Optimizer<D>,
        device: &D,
        params: &mut D::Buffer,
        grads: &D::Buffer,
    ) {
        let Some(scratch) = &mut self.scratch else {
            return;
        };
        let settings = optimizer.settings();
        let loss_scale = optimizer.loss_scale(&self.scalars);
        if !optimizer.accepts(device, grads, &self.variables, &mut self.scalars) {
            return;
        }
        let every = settings.gradient_accumulation_steps.unwrap_or(1);
        let grads = match &mut self.accumulated {
            None => grads,
            Some(sum) => {
                let len = D::len(sum);
                device.add(D::slice(grads, 0..len), D::slice_mut(sum, 0..len));
                &*sum
            }
        };
        if (self.iterations + 1).is_multiple_of(every) {
            let scale = 1.0 / (loss_scale * every as f32);
            clip(optimizer, device, grads, &mut self.parts, scale);
            optimizer.update(Step {
                device,
                params,
                grads,
                slots: &mut self.slots,
                scalars: &mut self.scalars,
                scratch,
                variables: &self.variables,
                learning_rate: settings.learning_rate.at(self.iterations),
                iteration: self.iterations / every + 1,
                parts: &self.parts,
                clip: match settings.clipvalue {
                    Some(value) if value > 0.0 => value,
                    _ => f32::INFINITY,
                },
            });
            if let Some(sum) = &mut self.accumulated {
                let len = D::len(sum);
                device.fill(D::slice_mut(sum, 0..len), 0.0);
            }
        }
        if let Some(average) = &mut self.average {
            let steps = self.iterations / every;
            let keep = if steps == 0 {
                0.0
            } else {
                settings.ema_momentum
            };
            let rule = Combine {
                keep,
                new: 1.0 - keep,
            };
            let is_due = |every: u64| (steps + 1).is_multiple_of(every);
            let overwrites = settings.ema_overwrite_frequency.is_some_and(is_due);
            for part in &self.parts {
                let weights = D::slice(params, part.range.clone());
                let to = D::slice_mut(average, part.range.clone());
                device.update(rule, to, weights, []);
                if overwrites {
                    let average = D::slice(average, part.range.clone());
                    device.copy(average, D::slice_mut(params, part.range.clone()));
                }
            }
        }
        self.iterations += 1;
    }

    /// The moving average of the weights, where the optimizer keeps one and has taken a step.
    pub fn average(&self) -> Option<&D::Buffer> {
        self.average.as_ref()
    }

    /// Puts the moving average in the place of the weights, if the optimizer keeps one: Keras'
    /// `finalize_variable_values`.
    pub fn finalize(&self, device: &D, params: &mut D::Buffer) {
        let Some(average) = &self.average else { return };
        for part in &self.parts {
            let average = D::slice(average, part.range.clone());
            device.copy(average, D::slice_mut(params, part.range.clone()));
        }
    }

    /// Sets the moving average to the weights, if the optimizer keeps one.
    pub fn set_average(&mut self, device: &D, params: &D::Buffer) {
        let Some(average) = &mut self.average else {
            return;
        };
        for part in &self.parts {
            let weights = D::slice(params, part.range.clone());
            device.copy(weights, D::slice_mut(average, part.range.clone()));
        }
    }

    /// Exchanges the weights and their moving average, if the optimizer keeps one.
    ///
    /// # Errors
    /// If the device has no memory left.
    pub fn swap_average(&mut self, device: &D, params: &mut D::Buffer) -> Result<()> {
        let Some(average) = &mut self.average else {
            return Ok(());
        };
        for part in &self.parts {
            let (range, len) = (part.range.clone(), part.range.len());
            let mut weights = device.alloc(len)?;
            let all = |buffer| D::slice_mut(buffer, 0..len);
            device.copy(D::slice(params, range.clone()), all(&mut weights));
            let to = D::slice_mut(params, range.clone());
            device.copy(D::slice(average, range.clone()), to);
            device.copy(D::slice(&weights, 0..len), D::slice_mut(average, range));
        }
        Ok(())
    }

    /// The variables that Keras makes for an optimizer, in Keras' order: the number of its steps, its
    /// learning rate unless a schedule determines it, and, once it has taken a step, what it remembers of
    /// the weights.
    pub fn variables(&self, optimizer: &dyn Optimizer<D>) -> Vec<SlotVariable> {
        let settings = optimizer.settings();
        let is_ready = self.version.is_some();
        let mut listed = Vec::new();
        let mut scalars = 0..self.scalars.len();
        if let Some(wrapper) = optimizer.wrapper() {
            // It does not count its steps and has no learning rate, but variables for both.
            let zero = |is_integer| Held::Zero { is_integer };
            listed.push(SlotVariable::scalar("iteration", zero(true)));
            listed.push(SlotVariable::scalar("learning_rate", zero(false)));
            for (name, at) in wrapper.counts.iter().zip(&mut scalars) {
                listed.push(SlotVariable::scalar(name, Held::Count(at)));
            }
            for (name, at) in wrapper.scalars.iter().zip(&mut scalars) {
                listed.push(SlotVariable::scalar(name, Held::Scalar(at)));
            }
        }
        listed.push(SlotVariable::scalar("iteration", Held::Iterations));
        if !settings.is_scheduled() {
            listed.push(SlotVariable::scalar("learning_rate", Held::LearningRate));
        }
        if !is_ready {
            return listed;
        }
        let slots: Vec<Slot> = optimizer.slots();
        let mut list = |variable: &Variable, name: &str, shape: Shape, vector: usize| {
            let path = variable.path.replace('/', "_");
            let name = match name {
                "" => path,
                name => format!("{path}_{name}"),
            };
            let start = variable.range.start;
            listed.push(SlotVariable {
                name,
                shape,
                held: Held::Vector(vector, start..start + shape.size()),
            });
        };
        let before = [
            (settings.use_ema, "average"),
            (
                settings.gradient_accumulation_steps.is_some(),
                "gradient_accumulator",
            ),
        ];
        let before = before.into_iter().filter(|(is_there, _)| *is_there);
        for (vector, (_, name)) in (slots.len()..).zip(before) {
            for variable in &self.variables {
                list(variable, name, variable.shape, vector);
            }
        }
        let blocks = slots.iter().map(|slot| slot.block).max();
        for block in blocks.map_or(0..0, |last| 0..last + 1) {
            for variable in &self.variables {
                let in_block = slots.iter().enumerate();
                for (at, slot) in in_block.filter(|(_, slot)| slot.block == block) {
                    if let Some(shape) = optimizer.slot_shape(at, variable) {
                        list(variable, slot.name, shape, at);
                    }
                }
            }
        }
        listed.extend(scalars.map(|at| SlotVariable::scalar("variable", Held::Scalar(at))));
        listed
    }
}

impl<D: Device> Default for State<D> {
    fn default() -> Self {
        Self::new()
    }
}

/// Sets what the gradients of each part are multiplied with: `scale`, and less where a norm is too
/// large.
fn clip<D: Device>(
    optimizer: &dyn Optimizer<D>,
    device: &D,
    grads: &D::Buffer,
    parts: &mut [Part],
    scale: f32,
) {
    let settings = optimizer.settings();
    let squares = |part: &Part| device.sum_of_squares(D::slice(grads, part.range.clone()));
    // A norm that is no number makes every gradient none.
    let clipped = |squares: f64, limit: f32| {
        let norm = squares.sqrt() as f32 * scale;
        if norm <= limit {
            scale
        } else {
            scale * (limit / norm)
        }
    };
    match (settings.clipnorm, settings.global_clipnorm) {
        (Some(limit), _) if limit > 0.0 => {
            for part in parts {
                part.scale = clipped(squares(part), limit);
            }
        }
        (_, Some(limit)) if limit > 0.0 => {
            let scale = clipped(parts.iter().map(squares).sum(), limit);
            parts.iter_mut().for_each(|part| part.scale = scale);
        }
        _ => parts.iter_mut().for_each(|part| part.scale = scale),
    }
}
