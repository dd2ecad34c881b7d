//! What is in a file, for the tests of formats.

use std::path::Path;

use crate::data::{Data, Dataset as Samples, IntoData, Source};
use crate::error::{Error, Result};
use crate::saving::hdf5::{Attribute, Dataset, Group, Node, Reader};
use crate::saving::{self, Backup, Loaded, weights_h5};

/// One object of an HDF5 file.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its path, such as `layers/dense/vars/0`.
    pub path: String,
    /// The attribute `name` of a group.
    pub name: Option<String>,
    /// The shape of a dataset.
    pub shape: Option<Vec<usize>>,
    /// Its values; of an integer, too.
    pub values: Vec<f32>,
}

/// Every object of an HDF5 file, groups before their members, in the order of their names.
///
/// # Errors
/// If the file is none, or damaged.
pub fn hdf5_objects(path: impl AsRef<Path>) -> Result<Vec<Object>> {
    let path = path.as_ref();
    let failed = |message: String| Error::file(path, message);
    let file = std::fs::File::open(path).map_err(|error| Error::file(path, error))?;
    let (mut reader, root) = Reader::open(file).map_err(failed)?;
    let mut objects = Vec::new();
    list(&mut reader, "", &root, &mut objects).map_err(failed)?;
    Ok(objects)
}

/// Reads a file of weights, of any format: how many values it has.
///
/// # Errors
/// As [`load_weights`](crate::model::Model::load_weights).
pub fn read_weights(path: impl AsRef<Path>) -> Result<usize> {
    Ok(values(&saving::read(path.as_ref())?))
}

/// Reads a backup: how many values its weights have.
///
/// # Errors
/// If there is none, or it is damaged.
pub fn read_backup(path: impl AsRef<Path>) -> Result<usize> {
    let path = path.as_ref();
    let backup = Backup::read(path)?;
    let backup = backup.ok_or_else(|| Error::file(path, "Expected a backup. Received: no file"))?;
    Ok(values(&backup.model))
}

fn values(loaded: &Loaded) -> usize {
    let weights = loaded.state.layers.iter().flat_map(|layer| &layer.weights);
    weights.map(|weight| weight.values.len()).sum()
}

/// Reads all batches of a file of samples: how many there are.
///
/// # Errors
/// If the file is damaged.
pub fn read_samples(data: &Samples<'static>) -> Result<usize> {
    let Data {
        source: Source::Stream(stream),
        ..
    } = data.into_data()?
    else {
        return Ok(0);
    };
    let batches: Result<Vec<_>> = stream.open()?.collect();
    batches.map(|batches| batches.len())
}

fn list(
    reader: &mut Reader<std::fs::File>,
    path: &str,
    group: &Group<Dataset>,
    to: &mut Vec<Object>,
) -> Result<(), String> {
    for (name, node) in &group.members {
        let path = format!("{path}/{name}").trim_start_matches('/').to_owned();
        let (name, shape, values) = match node {
            Node::Group(group) => match group.attribute("name") {
                Some(Attribute::Text(name)) => (Some(name.clone()), None, Vec::new()),
                _ => (None, None, Vec::new()),
            },
            Node::Dataset(dataset) => {
                let values = weights_h5::floats(reader, dataset, &path)?;
                let shape = values.shape().to_vec();
                (None, Some(shape), values.into_iter().collect())
            }
        };
        to.push(Object {
            path: path.clone(),
            name,
            shape,
            values,
        });
        if let Node::Group(group) = node {
            list(reader, &path, group, to)?;
        }
    }
    Ok(())
}
