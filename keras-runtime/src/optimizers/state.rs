//! What an optimizer remembers, and the step that is the same for all of them: gradients are
//! accumulated, scaled and clipped before the rule of the optimizer, and averaged weights kept after
//! it.

use std::collections::HashMap;
use std::ops::Range;

use super::step::Combine;
use super::step::Part;
use super::{Optimizer, Slot, SlotStart, Step, Variable, member, members};
use crate::device::{Device, Float, NormRule};
use crate::error::Result;
use crate::shape::Shape;
use crate::short_sort;

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
    /// All of them.
    variables: Vec<Variable>,
    /// Those of each of the optimizers: of one, if the optimizer takes its steps itself.
    groups: Vec<Group>,
    /// The version of the model's trainable layers that the variables belong to.
    version: Option<u64>,
}

/// What one optimizer changes.
#[derive(Debug, Default)]
struct Group {
    variables: Vec<Variable>,
    /// Those whose memory has begun, in order: with those of layers that have been frozen since.
    begun: Vec<Variable>,
    parts: Vec<Part>,
    /// How many slots it has. The optimizers share the vectors, as they have no variables in common.
    slots: usize,
    /// Its numbers among the scalars.
    scalars: Range<usize>,
    /// Whether it keeps a moving average.
    has_average: bool,
}

impl Group {
    /// Finds the parts that the optimizer treats alike.
    fn divide<D: Device>(&mut self, optimizer: &dyn Optimizer<D>) {
        let is_elementwise = optimizer.is_elementwise() && optimizer.settings().clipnorm.is_none();
        for variable in &self.variables {
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
    }
}

/// Whether an optimizer adds gradients up over several steps.
fn accumulates<D: Device>(optimizer: &dyn Optimizer<D>) -> bool {
    optimizer.settings().gradient_accumulation_steps.is_some()
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
    /// That of one of the optimizers.
    LearningRate(usize),
    /// One of the numbers of the whole model.
    Scalar(usize),
    /// The same, an integer in Keras.
    Count(usize),
    /// A part of one of the [`vectors`](State::vectors).
    Vector(usize, Range<usize>),
    /// Nowhere: it is always 0.
    Zero { is_integer: bool },
}

impl Held {
    /// Whether it is an integer in Keras.
    pub fn is_integer(&self) -> bool {
        match self {
            Self::Iterations | Self::Count(_) => true,
            Self::Zero { is_integer } => *is_integer,
            Self::LearningRate(_) | Self::Scalar(_) | Self::Vector(..) => false,
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
            groups: Vec::new(),
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

    /// Whether the memory has begun of the variable that begins here.
    pub(crate) fn has_begun(&self, start: usize) -> bool {
        let mut begun = self.groups.iter().flat_map(|group| &group.begun);
        begun.any(|variable| variable.range.start == start)
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
        let members: Vec<&dyn Optimizer<D>> = members(optimizer).collect();
        let slots: Vec<Vec<Slot>> = members.iter().map(|member| member.slots()).collect();
        let mut before = std::mem::take(&mut self.groups).into_iter();
        let group = |_| Group {
            begun: before.next().unwrap_or_default().begun,
            ..Group::default()
        };
        self.groups = members.iter().map(group).collect();
        for variable in &variables {
            let of = optimizer.member_of(variable)?;
            self.groups[of].variables.push(variable.clone());
        }
        let len = D::len(params);
        if self.version.is_none() {
            self.scalars = optimizer.scalars();
            for _ in 0..slots.iter().map(Vec::len).max().unwrap_or(0) {
                self.slots.push(device.alloc(len)?);
            }
            if members.iter().any(|member| member.settings().use_ema) {
                self.average = Some(device.alloc(len)?);
            }
            if members.iter().any(|member| accumulates(*member)) {
                self.accumulated = Some(device.alloc(len)?);
            }
        }
        let scratch = members.iter().zip(&self.groups);
        let scratch = scratch.map(|(member, group)| member.scratch(&group.variables));
        self.scratch = Some(device.alloc(scratch.max().unwrap_or(0))?);
        // Those of the members come after those of a wrapper.
        let mut scalars = self.scalars.len();
        for ((member, group), slots) in members.iter().zip(&mut self.groups).zip(&slots).rev() {
            group.slots = slots.len();
            group.scalars = scalars - member.scalars().len()..scalars;
            group.has_average = member.settings().use_ema;
            group.divide(*member);
            if members.len() > 1 {
                scalars = group.scalars.start;
            }
            for variable in &group.variables {
                let range = &variable.range;
                let begins = group.begun.iter().map(|begun| begun.range.start);
                let begins: Vec<usize> = begins.collect();
                let Err(at) = begins.binary_search(&range.start) else {
                    continue;
                };
                group.begun.insert(at, variable.clone());
                let weights = || D::slice(params, range.clone());
                let average = self.average.as_mut().filter(|_| group.has_average);
                let vectors = self
                    .slots
                    .iter_mut()
                    .zip(slots.iter().map(|slot| slot.start));
                for (vector, start) in
                    vectors.chain(average.map(|vector| (vector, SlotStart::Weights)))
                {
                    let vector = D::slice_mut(vector, range.clone());
                    match start {
                        SlotStart::Zeros => {}
                        SlotStart::Constant(value) => device.fill(vector, value),
                        SlotStart::Weights => device.copy(weights(), vector),
                    }
                }
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

    /// Changes the weights by their gradients, which are those of the scaled loss. Their norms may be
    /// bounded in place.
    pub fn apply(
        &mut self,
        optimizer: &dyn Optimizer<D>,
        device: &D,
        params: &mut D::Buffer,
        grads: &mut D::Buffer,
    ) {
        let loss_scale = optimizer.loss_scale(&self.scalars);
        if !optimizer.accepts(device, grads, &self.variables, &mut self.scalars) {
            return;
        }
        for at in 0..self.groups.len() {
            self.step(member(optimizer, at), at, loss_scale, device, params, grads);
        }
        self.iterations += 1;
    }

    /// The step of one of the optimizers.
    fn step(
        &mut self,
        optimizer: &dyn Optimizer<D>,
        at: usize,
        loss_scale: f32,
        device: &D,
        params: &mut D::Buffer,
        grads: &mut D::Buffer,
    ) {
        let group = &mut self.groups[at];
        let Some(scratch) = self.scratch.as_mut().filter(|_| !group.parts.is_empty()) else {
            return;
        };
        let settings = optimizer.settings();
        let every = settings.gradient_accumulation_steps.unwrap_or(1);
        let mut accumulated = self.accumulated.as_mut().filter(|_| accumulates(optimizer));
        let grads = match &mut accumulated {
            None => grads,
            Some(sum) => {
                for part in &group.parts {
                    device.add(part.read::<D>(grads), part.write::<D>(sum));
                }
                sum
            }
        };
        if (self.iterations + 1).is_multiple_of(every) {
            let scale = 1.0 / (loss_scale * every as f32);
            clip(optimizer, device, grads, &mut group.parts, scale);
            optimizer.update(Step {
                device,
                params,
                grads,
                slots: &mut self.slots[..group.slots],
                scalars: &mut self.scalars[group.scalars.clone()],
                scratch,
                variables: &group.variables,
                learning_rate: settings.learning_rate.at(self.iterations),
                iteration: self.iterations / every + 1,
                parts: &group.parts,
                clip: match settings.clipvalue {
                    Some(value) if value > 0.0 => value,
                    _ => f32::INFINITY,
                },
            });
            if let Some(sum) = &mut accumulated {
                for part in &group.parts {
                    device.fill(part.write::<D>(sum), 0.0);
                }
            }
        }
        if let Some(average) = self.average.as_mut().filter(|_| group.has_average) {
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
            for part in &group.parts {
                device.update(rule, part.write::<D>(average), part.read::<D>(params), []);
                if overwrites {
                    device.copy(part.read::<D>(average), part.write::<D>(params));
                }
            }
        }
    }

    /// The parts whose moving average is kept.
    fn averaged(&self) -> impl Iterator<Item = &Part> {
        let groups = self.groups.iter().filter(|group| group.has_average);
        groups.flat_map(|group| &group.parts)
    }

    /// The moving average of the weights, where the optimizer keeps one and has taken a step.
    pub fn average(&self) -> Option<&D::Buffer> {
        self.average.as_ref()
    }

    /// Puts the moving average in the place of the weights, if the optimizer keeps one: Keras'
    /// `finalize_variable_values`.
    pub fn finalize(&self, device: &D, params: &mut D::Buffer) {
        let Some(average) = &self.average else { return };
        for part in self.averaged() {
            device.copy(part.read::<D>(average), part.write::<D>(params));
        }
    }

    /// Sets the moving average to the weights, if the optimizer keeps one.
    pub fn set_average(&mut self, device: &D, params: &D::Buffer) {
        let Some(mut average) = self.average.take() else {
            return;
        };
        for part in self.averaged() {
            device.copy(part.read::<D>(params), part.write::<D>(&mut average));
        }
        self.average = Some(average);
    }

    /// Exchanges the weights and their moving average, if the optimizer keeps one.
    ///
    /// # Errors
    /// If the device has no memory left.
    pub fn swap_average(&mut self, device: &D, params: &mut D::Buffer) -> Result<()> {
        let longest = self.averaged().map(|part| part.range.len()).max();
        let mut weights = device.alloc(longest.unwrap_or(0))?;
        let Some(mut average) = self.average.take() else {
            return Ok(());
        };
        for part in self.averaged() {
            let all = 0..part.range.len();
            device.copy(
                part.read::<D>(params),
                D::slice_mut(&mut weights, all.clone()),
            );
            device.copy(part.read::<D>(&average), part.write::<D>(params));
            device.copy(D::slice(&weights, all), part.write::<D>(&mut average));
        }
        self.average = Some(average);
        Ok(())
    }

    /// The variables that Keras makes for an optimizer, in Keras' order: the number of its steps, its
    /// learning rate unless a schedule determines it, and, once it has taken a step, what it remembers of
    /// the weights, also of those that were frozen later. `layers` are the names of the layers in the order
    /// of their weights; none if that is the model's.
    pub fn variables(&self, optimizer: &dyn Optimizer<D>, layers: &[String]) -> Vec<SlotVariable> {
        let mut listed = Vec::new();
        let zero = |is_integer| Held::Zero { is_integer };
        let mut own = 0..self.scalars.len();
        if let Some(wrapper) = optimizer.wrapper() {
            // It does not count its steps and has no learning rate, but variables for both.
            listed.push(SlotVariable::scalar("iteration", zero(true)));
            listed.push(SlotVariable::scalar("learning_rate", zero(false)));
            for (name, at) in wrapper.counts.iter().zip(&mut own) {
                listed.push(SlotVariable::scalar(name, Held::Count(at)));
            }
            for (name, at) in wrapper.scalars.iter().zip(&mut own) {
                listed.push(SlotVariable::scalar(name, Held::Scalar(at)));
            }
        }
        if optimizer.members() > 1 {
            listed.push(SlotVariable::scalar("iteration", Held::Iterations));
            listed.push(SlotVariable::scalar("learning_rate", zero(false)));
        }
        for (at, member) in members(optimizer).enumerate() {
            // One of several that changes no variable takes no steps.
            let begun = self
                .groups
                .get(at)
                .is_none_or(|group| !group.begun.is_empty());
            let steps = if begun || optimizer.members() == 1 {
                Held::Iterations
            } else {
                zero(true)
            };
            listed.push(SlotVariable::scalar("iteration", steps));
            if !member.settings().is_scheduled() {
                let rate = SlotVariable::scalar("learning_rate", Held::LearningRate(at));
                listed.push(rate);
            }
            let Some(group) = self.groups.get(at).filter(|group| !group.begun.is_empty()) else {
                continue;
            };
            self.list(member, group, layers, &mut listed);
            let scalars = group.scalars.start.max(own.start)..group.scalars.end;
            listed.extend(scalars.map(|at| SlotVariable::scalar("variable", Held::Scalar(at))));
        }
        listed
    }

    /// Lists what one of the optimizers remembers of the weights.
    fn list(
        &self,
        optimizer: &dyn Optimizer<D>,
        group: &Group,
        layers: &[String],
        listed: &mut Vec<SlotVariable>,
    ) {
        let places = layers.iter().enumerate();
        let places: HashMap<&str, usize> = places.map(|(at, name)| (name.as_str(), at)).collect();
        let mut begun: Vec<&Variable> = group.begun.iter().collect();
        short_sort::sort_by_key(&mut begun, |variable| places.get(variable.layer()));
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
        let average = self.slots.len();
        let accumulated = average + usize::from(self.average.is_some());
        for (is_there, name, vector) in [
            (group.has_average, "average", average),
            (accumulates(optimizer), "gradient_accumulator", accumulated),
        ] {
            for &variable in begun.iter().filter(|_| is_there) {
                list(variable, name, variable.shape, vector);
            }
        }
        let slots: Vec<Slot> = optimizer.slots();
        let blocks = slots.iter().map(|slot| slot.block).max();
        for block in blocks.map_or(0..0, |last| 0..last + 1) {
            for &variable in &begun {
                let in_block = slots.iter().enumerate();
                for (at, slot) in in_block.filter(|(_, slot)| slot.block == block) {
                    if let Some(shape) = optimizer.slot_shape(at, variable) {
                        list(variable, slot.name, shape, at);
                    }
                }
            }
        }
    }
}

impl<D: Device> Default for State<D> {
    fn default() -> Self {
        Self::new()
    }
}

/// Sets what the gradients of each part are multiplied with: `scale`, and less where a norm is too
/// large, unless the device has done that itself.
fn clip<D: Device>(
    optimizer: &dyn Optimizer<D>,
    device: &D,
    grads: &mut D::Buffer,
    parts: &mut [Part],
    scale: f32,
) {
    let settings = optimizer.settings();
    parts.iter_mut().for_each(|part| part.scale = scale);
    match (settings.clipnorm, settings.global_clipnorm) {
        (Some(limit), _) if limit > 0.0 => {
            for part in parts {
                let range = std::iter::once(part.range.clone());
                part.scale *= device.norm_factor(Bounded { limit }, None, scale, grads, range);
            }
        }
        (_, Some(limit)) if limit > 0.0 => {
            let ranges = parts.iter().map(|part| part.range.clone());
            let factor = device.norm_factor(Bounded { limit }, None, scale, grads, ranges);
            parts.iter_mut().for_each(|part| part.scale *= factor);
        }
        _ => {}
    }
}

/// What makes a norm at most a limit. One that is no number makes every gradient none.
#[derive(Clone, Copy)]
struct Bounded {
    limit: f32,
}

impl NormRule for Bounded {
    fn factor<F: Float>(&self, _of_others: F, of_own: F) -> F {
        let (norm, limit) = (of_own.sqrt(), F::from_f32(self.limit));
        if norm <= limit {
            F::one()
        } else {
            limit / norm
        }
    }
}
