//! Keras 3's `.weights.h5`, which is also the file of weights in a `.keras` archive.
//!
//! ```text
//! /layers/<class>[_N]/vars/0, 1, ..    the weights of a layer; attribute name
//! /<attribute>/vars/0, 1, ..           the same in a subclassed model
//! /vars                                weights of the model itself; attribute name: the model's
//! /optimizer/vars/0, 1, ..             the variables of the optimizer; attribute name
//! /optimizer/inner_optimizer/vars/..   those of the optimizer that it wraps, once more
//! ```
//!
//! The number of steps is an integer, everything else floats. Layers without weights have their group,
//! too. Keras ignores the attributes of the root: `seed` and `step` are there, which the random numbers of
//! this project depend on.

use std::io::{self, Read, Seek};

use super::hdf5::{self, Attribute, Data, Dataset, Group, Layout, Node, Reader};
use super::{LayerState, ModelState, Numbers, OptimizerState, Values, VariableState, WeightState};
use crate::short_sort;

const OPTIMIZER: &str = "optimizer";
const VARIABLES: &str = "vars";

/// Lays out the file of a model.
pub(crate) fn layout<'a>(state: &'a ModelState<'_>) -> io::Result<Layout<'a>> {
    let mut root = Group::default();
    root.attributes.extend(state_attributes(state));
    for layer in &state.layers {
        let data = layer.weights.iter().map(|weight| Data::of(&weight.values));
        add(&mut root, &layer.path, &layer.name, data)?;
    }
    if let Some(optimizer) = &state.optimizer {
        let data = || optimizer.variables.iter().map(|variable| variable.data());
        add(&mut root, OPTIMIZER, &optimizer.name, data())?;
        if let Some((inner, at)) = &optimizer.inner {
            add(
                &mut root,
                "optimizer/inner_optimizer",
                inner,
                data().skip(*at),
            )?;
        }
    }
    add(&mut root, "", &state.name, std::iter::empty())?;
    Layout::new(&root)
}

/// What the random numbers of a model depend on, as attributes of the root.
pub(super) fn state_attributes(state: &ModelState<'_>) -> [(String, Attribute); 2] {
    let numbers = [("seed", state.seed), ("step", state.step)];
    numbers.map(|(name, number)| (name.to_owned(), Attribute::Count(number)))
}

/// The same, read; 0 in a file of Keras.
pub(super) fn read_state(root: &Group<Dataset>, state: &mut ModelState<'_>) {
    for (name, number) in [("seed", &mut state.seed), ("step", &mut state.step)] {
        if let Some(Attribute::Count(count)) = root.attribute(name) {
            *number = *count;
        }
    }
}

impl VariableState<'_> {
    /// Its values as a dataset.
    pub(super) fn data(&self) -> Data<'_> {
        match &self.values {
            Numbers::Floats(values) => Data::of(values),
            Numbers::Count(count) => Data::Integer(*count),
        }
    }
}

/// Adds the variables of an object with a name.
fn add<'a>(
    root: &mut Group<Data<'a>>,
    path: &str,
    name: &str,
    data: impl Iterator<Item = Data<'a>>,
) -> io::Result<()> {
    let path = [path, VARIABLES].join("/");
    let variables = root.make(path.trim_start_matches('/'));
    let variables = variables.ok_or(io::ErrorKind::InvalidInput)?;
    let name = ("name".to_owned(), Attribute::Text(name.to_owned()));
    variables.attributes = vec![name];
    for (number, data) in data.enumerate() {
        let members = &mut variables.members;
        members.insert(number.to_string(), Node::Dataset(data));
    }
    Ok(())
}

/// Reads the file of a model. Its layers are in no order; they are known by their paths.
///
/// # Errors
/// With a sentence about what is wrong with the file.
pub(crate) fn read<R: Read + Seek>(
    reader: &mut Reader<R>,
    root: &Group<Dataset>,
) -> hdf5::Result<ModelState<'static>> {
    let mut state = ModelState::default();
    read_state(root, &mut state);
    let mut groups = vec![(String::new(), root)];
    while let Some((path, group)) = groups.pop() {
        if path == OPTIMIZER {
            continue;
        }
        for (name, node) in &group.members {
            let Node::Group(member) = node else { continue };
            if name != VARIABLES {
                groups.push((
                    format!("{path}/{name}").trim_start_matches('/').into(),
                    member,
                ));
                continue;
            }
            let mut weights = Vec::with_capacity(member.members.len());
            for (number, dataset) in numbered(member) {
                weights.push(WeightState {
                    name: number.to_owned(),
                    trainable: true,
                    values: floats(reader, dataset, &format!("{path}/vars/{number}"))?,
                });
            }
            if path.is_empty() {
                state.name = own_name(member);
                if weights.is_empty() {
                    continue;
                }
            }
            state.layers.push(LayerState {
                name: own_name(member),
                path: path.clone(),
                weights,
                ..LayerState::default()
            });
        }
    }
    if let Some(variables) = root.group("optimizer/vars") {
        let mut optimizer = OptimizerState {
            name: own_name(variables),
            ..OptimizerState::default()
        };
        for (number, dataset) in numbered(variables) {
            optimizer.variables.push(VariableState {
                name: number.to_owned(),
                values: numbers(reader, dataset, &format!("optimizer/vars/{number}"))?,
            });
        }
        state.optimizer = Some(optimizer);
    }
    Ok(state)
}

/// The datasets of a group in the order of their numbers.
fn numbered(group: &Group<Dataset>) -> Vec<(&str, &Dataset)> {
    let datasets = group.members.iter().filter_map(|(name, node)| match node {
        Node::Dataset(dataset) => Some((name.as_str(), dataset)),
        Node::Group(_) => None,
    });
    let mut datasets: Vec<_> = datasets.collect();
    short_sort::sort_by_key(&mut datasets, |(name, _)| (name.len(), *name));
    datasets
}

fn own_name(variables: &Group<Dataset>) -> String {
    match variables.attribute("name") {
        Some(Attribute::Text(name)) => name.clone(),
        _ => String::new(),
    }
}

/// The values of an optimizer's variable.
pub(super) fn numbers<R: Read + Seek>(
    reader: &mut Reader<R>,
    dataset: &Dataset,
    path: &str,
) -> hdf5::Result<Numbers<'static>> {
    match reader.count(dataset)? {
        Some(count) => Ok(Numbers::Count(count)),
        None => Ok(Numbers::Floats(floats(reader, dataset, path)?)),
    }
}

/// The values of a dataset with their shape.
pub(crate) fn floats<R: Read + Seek>(
    reader: &mut Reader<R>,
    dataset: &Dataset,
    path: &str,
) -> hdf5::Result<Values<'static>> {
    let of = |error: String| format!("dataset '{path}': {error}");
    let values = reader.floats(dataset).map_err(of)?;
    let values = Values::from_shape_vec(dataset.shape.as_slice(), values);
    values.map_err(|error| of(error.to_string()))
}
