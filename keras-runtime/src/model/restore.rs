//! Loading: the weights of a model and what its optimizer remembers, from a file.

use std::path::Path;

use super::Model;
use super::architecture::Architecture;
use super::backend::Backend;
use super::compare::Described;
use super::compiled::Compiled;
use super::core::{Core, Run};
use super::parameters::{Parameters, Place};
use super::state::paths;
use super::weights::{listed_layers, names_in_order};
use super::{build, compile_config};
use crate::config::{Json, Object};
use crate::console;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::optimizers::{Held, Optimizer, SlotVariable, State};
use crate::python;
use crate::saving::{
    self, Backup, KnownBy, LayerState, LoadWeights, Loaded, Numbers, OptimizerState, VariableState,
    WeightState,
};
use crate::shape::Shape;

/// `Model::load_weights`.
pub(crate) fn load_weights<M: Model>(
    model: &mut M,
    path: &Path,
    arguments: LoadWeights,
) -> Result<()> {
    if !model.is_built() {
        model.core().device.get()?;
        return Err(Error::NotBuilt(format!(
            "You are loading weights into a model that has not yet been built. Call model '{}' on some data or its \
             `build()` first.",
            model.name()
        )));
    }
    let file = saving::read(path)?;
    set_layers(model, &file, path, arguments)?;
    let (core, run) = model.split();
    if let (Some(_), Some(optimizer)) = (&run.compiled, &file.state.optimizer) {
        run.step = file.state.step;
        resume(core, run, optimizer)?;
    }
    Ok(())
}

/// A model of a type from a file, by a function that makes one from a seed.
///
/// Without what it was compiled with, what the optimizer remembered waits for `compile`.
///
/// # Errors
/// If the file cannot be read, or is that of another model.
pub fn load<M: Model>(path: &Path, make: impl FnOnce(u64) -> M) -> Result<M> {
    load_with(path, Load::new(), make)
}

/// The same with arguments.
///
/// # Errors
/// As [`load`].
pub fn load_with<M: Model>(path: &Path, arguments: Load, make: impl FnOnce(u64) -> M) -> Result<M> {
    let mut file = saving::read(path)?;
    let mut model = make(file.state.seed);
    let described = file.config.as_ref().map(Described::new);
    let shapes = match &described {
        Some(described) => described.input_shapes(),
        None => shapes(&file.state.input_shapes),
    };
    if let Some(described) = &described {
        let declared = model.run().network.inputs.iter().map(|input| input.shape);
        let declared: Vec<Shape> = declared.collect();
        // With the file's shapes the sizes are known that a model may leave open.
        let shapes = shapes
            .as_ref()
            .filter(|shapes| shapes.len() == declared.len());
        let is_built = model.is_built();
        let of = shapes.filter(|_| !is_built).unwrap_or(&declared);
        let own = Architecture::of(&model, of)?;
        refuse(&model, path, described.differences(&own))?;
        let trainable = described.trainable(&own);
        let (core, _) = model.split();
        for (layer, trainable) in trainable {
            core.trainable[layer] = trainable;
        }
        core.version += 1;
    }
    if let Some(shapes) = shapes.filter(|_| !model.is_built()) {
        build::build_weights(&mut model, &shapes)?;
    }
    set_layers(&mut model, &file, path, LoadWeights::new())?;
    let layers = names_in_order(&model.run().network, &listed_layers(&model));
    let (_, run) = model.split();
    run.step = file.state.step;
    run.loaded = file.state.optimizer.take();
    if let Some(optimizer) = &mut run.loaded {
        optimizer.layers = layers;
    }
    if let Some(config) = file.config.filter(|_| arguments.compile) {
        compile_as_saved(&mut model, &config);
    }
    Ok(model)
}

/// The arguments of a model's `load_with`.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub(crate) compile: bool,
}

impl Load {
    /// The model is compiled as it was when it was saved.
    pub const fn new() -> Self {
        Self { compile: true }
    }

    /// Whether the model is compiled as it was when it was saved; it is by default, and goes on with what
    /// its optimizer remembered.
    #[must_use]
    pub const fn compile(mut self, compile: bool) -> Self {
        self.compile = compile;
        self
    }
}

impl Default for Load {
    fn default() -> Self {
        Self::new()
    }
}

/// Compiles a model that was loaded as it was when it was saved, if it was compiled. As in Keras, a model
/// whose losses the program does not know is a model still.
pub(crate) fn compile_as_saved<M: Model>(model: &mut M, config: &Json) {
    let Some(compile) = config.get("compile_config") else {
        return;
    };
    if compile.as_object().is_none_or(Object::is_empty) {
        return;
    }
    let compile = compile_config::read(compile, &model.run().network);
    // What the optimizer remembered stays for the program's own `compile`, until the first step.
    let remembered = model.split().1.loaded.take();
    let compiled = compile
        .and_then(|compile| model.compile(compile))
        .and_then(|()| go_on(model, remembered.as_ref()));
    model.split().1.loaded = remembered;
    if let Err(error) = compiled {
        console::warn(&format!(
            "The model was loaded, but not compiled: {error} Call `compile()` before training it."
        ));
    }
}

/// An error that says what is different about the model in a file, if anything is.
fn refuse<M: Model>(model: &M, path: &Path, differences: Vec<String>) -> Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::file(
        path,
        format!(
            "The file has another model than '{}'.\n{}",
            model.name(),
            differences.join("\n")
        ),
    ))
}

/// Shapes of samples, if there are any.
fn shapes(dims: &[Vec<Option<usize>>]) -> Option<Vec<Shape>> {
    let shapes = dims
        .iter()
        .map(|dims| (dims.len() <= Shape::MAX_RANK).then(|| Shape::of(dims)));
    shapes
        .collect::<Option<Vec<_>>>()
        .filter(|shapes| !shapes.is_empty())
}

/// Sets a model that is compiled to what a backup has of it.
///
/// # Errors
/// If the backup is that of another model, or of another optimizer.
pub(crate) fn restore<M: Model>(model: &mut M, backup: &Backup) -> Result<()> {
    let (path, file) = (&backup.path, &backup.model);
    set_layers(model, file, path, LoadWeights::new())?;
    let (core, run) = model.split();
    core.seed = file.state.seed;
    run.step = file.state.step;
    let record = backup.training.record("model")?;
    let layers = |name: &str| match record.has(name) {
        false => Ok(None),
        true => Ok(Some(record.numbers(name)?)
            .filter(|layers| layers.len() == core.trainable.len())
            .map(|layers| {
                layers
                    .iter()
                    .map(|&layer| layer != 0)
                    .collect::<Vec<bool>>()
            })),
    };
    let (trainable, begun) = (layers("trainable")?, layers("begun")?);
    if let Some(trainable) = trainable.filter(|trainable| *trainable != core.trainable) {
        core.trainable = trainable;
        core.version += 1;
    }
    let difference = match (&run.compiled, &file.state.optimizer) {
        (Some(_), Some(optimizer)) => {
            M::Device::set_optimizer_state(core, run, optimizer, begun.as_deref())?
        }
        _ => return Err(Error::NotCompiled),
    };
    difference.map_or(Ok(()), |message| Err(Error::file(path, message)))
}

/// Gives a model that has just been compiled what the file had that it was loaded from.
pub(crate) fn compiled<M: Model>(model: &mut M) -> Result<()> {
    let loaded = model.split().1.loaded.take();
    go_on(model, loaded.as_ref())
}

/// Sets what a compiled model's optimizer remembers, if there is something, to what it did in a file.
fn go_on<M: Model>(model: &mut M, saved: Option<&OptimizerState<'_>>) -> Result<()> {
    let (core, run) = model.split();
    saved.map_or(Ok(()), |saved| resume(core, run, saved))
}

/// Sets the weights of a model's layers to those in a file.
pub(crate) fn set_layers<M: Model>(
    model: &mut M,
    file: &Loaded,
    path: &Path,
    arguments: LoadWeights,
) -> Result<()> {
    let own = listed_layers(model);
    let (core, run) = model.split();
    let network = &run.network;
    let Some(parameters) = &mut core.parameters else {
        return Ok(());
    };
    let places: Vec<Place> = parameters.places().collect();
    let of_layer = |layer: usize| places.iter().filter(move |place| place.layer == layer);
    let mut left: Vec<Option<&LayerState<'_>>> = file.state.layers.iter().map(Some).collect();
    let mut take = |is_it: &dyn Fn(&LayerState<'_>) -> bool| {
        let found = left.iter_mut().find(|layer| layer.is_some_and(is_it));
        found.and_then(Option::take)
    };
    let mut differences: Vec<String> = Vec::new();
    let mut found: Vec<(&Place, &WeightState<'_>)> = Vec::new();
    for (&layer, path) in own.iter().zip(paths(network, &own)) {
        let name = &*network.layers[layer].name;
        let places: Vec<&Place> = of_layer(layer).collect();
        let saved = match file.known_by {
            KnownBy::Path => take(&|saved| saved.path == path),
            KnownBy::Order if places.is_empty() => None,
            KnownBy::Order => take(&|saved| !saved.weights.is_empty()),
            KnownBy::Name => take(&|saved| saved.name == name),
        };
        let weights = saved.map_or(&[][..], |saved| &saved.weights);
        let mut weights: Vec<&WeightState<'_>> = weights.iter().collect();
        if file.known_by == KnownBy::Name {
            let named = |place: &&Place| weights.iter().find(|weight| weight.name == place.name);
            let in_order: Vec<_> = places.iter().filter_map(named).copied().collect();
            // A weight of another name is one too few, or one too many.
            if in_order.len() < places.len() || in_order.len() == weights.len() {
                weights = in_order;
            }
        }
        match difference(name, &places, &weights) {
            Some(difference) => differences.push(difference),
            None => found.extend(places.into_iter().zip(weights)),
        }
    }
    let surplus = left.iter().flatten();
    let surplus = surplus.filter(|layer| !layer.weights.is_empty());
    differences.extend(surplus.map(|layer| {
        let place = match layer.path.as_str() {
            "" => String::new(),
            path => format!(" ({path})"),
        };
        format!(
            "The file's layer '{}'{place} is not in the model.",
            layer.name
        )
    }));
    if !differences.is_empty() && !arguments.skip_mismatch {
        return Err(Error::file(
            path,
            format!(
                "A total of {} objects could not be loaded.\n{}",
                differences.len(),
                differences.join("\n")
            ),
        ));
    }
    for difference in &differences {
        console::warn(difference);
    }
    for (place, weight) in found {
        if let Some(values) = weight.values.as_slice() {
            parameters.set(&core.device, place, values);
        }
    }
    Ok(())
}

/// What is different about a layer in a file, in Keras' words.
fn difference(layer: &str, own: &[&Place], found: &[&WeightState<'_>]) -> Option<String> {
    if own.len() != found.len() {
        let names: Vec<&str> = own.iter().map(|place| place.name).collect();
        return Some(format!(
            "Layer '{layer}' expected {} variables, but received {} variables during loading. Expected: {names:?}",
            own.len(),
            found.len()
        ));
    }
    let mut pairs = own.iter().zip(found);
    let (place, weight) =
        pairs.find(|(place, weight)| place.shape.dims() != weight.values.shape())?;
    Some(format!(
        "Layer '{layer}' weight `{}` shape {} is not compatible with provided weight shape {}.",
        place.name,
        python::shape(place.shape.dims()),
        python::shape(weight.values.shape())
    ))
}

/// Sets what the optimizer remembers to what it did in a file, if it has as many variables there; if not,
/// it keeps what it has and says so.
fn resume<D: Backend>(core: &Core<D>, run: &mut Run<D>, saved: &OptimizerState<'_>) -> Result<()> {
    if let Some(difference) = D::set_optimizer_state(core, run, saved, None)? {
        console::warn(&difference);
    }
    Ok(())
}

fn differs(own: &SlotVariable, saved: &VariableState<'_>) -> bool {
    match &saved.values {
        Numbers::Floats(values) => values.shape() != own.shape.dims(),
        Numbers::Count(_) => own.shape != Shape::SCALAR,
    }
}

/// The most frozen layers of which any may be among those in a file.
const MOST_FROZEN: usize = 12;

/// The layers that the optimizer's variables in a file are of: those that are trained, and those of the frozen ones that
/// were frozen after a step. The file does not say which, so it is the only choice whose shapes fit. `own` are the variables
/// of all layers.
fn remembered<D: Device>(
    core: &Core<D>,
    parameters: &Parameters<D>,
    own: &[SlotVariable],
    saved: &OptimizerState<'_>,
) -> Option<Vec<bool>> {
    let trained: Vec<Place> = parameters
        .places()
        .filter(|place| place.trainable)
        .collect();
    let layer_of = |own: &SlotVariable| match &own.held {
        Held::Vector(_, at) => {
            let mut places = trained.iter();
            let place = places.find(|place| place.range.contains(&at.start));
            place.map(|place| place.layer)
        }
        _ => None,
    };
    let layers: Vec<Option<usize>> = own.iter().map(layer_of).collect();
    let is_frozen = |layer: &usize| !core.trainable[*layer] && layers.contains(&Some(*layer));
    let frozen: Vec<usize> = (0..core.trainable.len()).filter(is_frozen).collect();
    if frozen.len() > MOST_FROZEN {
        return None;
    }
    let mut fitting = (0..1usize << frozen.len()).filter_map(|choice| {
        let mut chosen = core.trainable.clone();
        for (at, &layer) in frozen.iter().enumerate() {
            chosen[layer] = choice >> at & 1 == 1;
        }
        let kept = own.iter().zip(&layers);
        let kept = kept.filter(|(_, layer)| layer.is_none_or(|layer| chosen[layer]));
        let mut pairs = kept.clone().zip(&saved.variables);
        let fits = kept.count() == saved.variables.len()
            && !pairs.any(|((own, _), saved)| differs(own, saved));
        fits.then_some(chosen)
    });
    let first = fitting.next()?;
    fitting.next().is_none().then_some(first)
}

/// Sets what the optimizer remembers to what it did in a file, or says what is different about it.
/// `begun` are the layers that it remembers something of, if the file says it.
pub(crate) fn set_optimizer<D: Device>(
    core: &Core<D>,
    compiled: &mut Compiled<D>,
    saved: &OptimizerState<'_>,
    begun: Option<&[bool]>,
) -> Result<Option<String>> {
    let Some(parameters) = &core.parameters else {
        return Ok(None);
    };
    let Compiled {
        optimizer, state, ..
    } = compiled;
    let params = &parameters.params;
    let prepare = |state: &mut State<D>, optimizer: &dyn Optimizer<D>, layers: &[bool]| {
        let variables = parameters.variables(&core.names, layers);
        state.prepare(optimizer, &core.device, params, variables, core.version)
    };
    let mut new = State::new();
    let mut own = new.variables(&**optimizer, &saved.layers);
    // What is saved before the first step are the variables that every optimizer has. There may be those of
    // layers that have been frozen after a step.
    let all = vec![true; core.trainable.len()];
    for layers in [begun.unwrap_or(&core.trainable), &all] {
        if saved.variables.len() > own.len() {
            new = State::new();
            prepare(&mut new, &**optimizer, layers)?;
            own = new.variables(&**optimizer, &saved.layers);
        }
    }
    if begun.is_none()
        && saved.variables.len() < own.len()
        && let Some(layers) = remembered(core, parameters, &own, saved)
    {
        new = State::new();
        prepare(&mut new, &**optimizer, &layers)?;
        own = new.variables(&**optimizer, &saved.layers);
    }
    let is_other = !saved.class.is_empty() && saved.class != optimizer.class();
    if is_other || own.len() != saved.variables.len() {
        return Ok(Some(format!(
            "Skipping variable loading for optimizer '{}', because it has {} variables whereas the saved optimizer \
             has {} variables.",
            optimizer.name(),
            own.len(),
            saved.variables.len(),
        )));
    }
    let mut pairs = own.iter().zip(&saved.variables);
    if let Some((own, saved)) = pairs.find(|(own, saved)| differs(own, saved)) {
        let found = match &saved.values {
            Numbers::Floats(values) => values.shape(),
            Numbers::Count(_) => &[],
        };
        return Ok(Some(format!(
            "Skipping variable loading for optimizer '{}', because its variable '{}' has shape {:?} whereas the saved \
             one has shape {found:?}.",
            optimizer.name(),
            own.name,
            own.shape.dims(),
        )));
    }
    for (own, saved) in own.into_iter().zip(&saved.variables) {
        let number = match &saved.values {
            Numbers::Floats(values) => values.first().copied().unwrap_or(0.0),
            Numbers::Count(count) => *count as f32,
        };
        match own.held {
            Held::Iterations => {
                let count = match saved.values {
                    Numbers::Count(count) => count,
                    Numbers::Floats(_) => number as u64,
                };
                // One of several optimizers that has no variables has taken no step.
                new.iterations = new.iterations.max(count);
            }
            Held::LearningRate(of) => {
                optimizer
                    .member_settings_mut(of)
                    .set_learning_rate(number)?;
            }
            Held::Scalar(at) | Held::Count(at) => new.scalars_mut()[at] = number,
            Held::Vector(at, range) => {
                let values = match &saved.values {
                    Numbers::Floats(values) => values.as_slice(),
                    Numbers::Count(_) => Some(&[number][..]),
                };
                if let (Some(vector), Some(values)) = (new.vectors_mut().nth(at), values) {
                    core.device.upload(values, D::slice_mut(vector, range));
                }
            }
            Held::Zero { .. } => {}
        }
    }
    if new.is_ready(core.version) {
        prepare(&mut new, &**optimizer, &core.trainable)?;
    }
    *state = new;
    Ok(None)
}
