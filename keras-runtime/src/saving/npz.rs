//! `.npz`: weights by the names of their layers, and nothing else, as `numpy.load` reads them.
//!
//! A zip archive whose entries are arrays: `dense/kernel.npy`, see `data/npy.rs`.

use std::io::{self, Read, Seek, Write};

use keras_config::zip::{Archive, Writer};

use super::{ModelState, Values, names, slice};
use crate::data::npy::Header;
use crate::numbers::write_floats;

const EXTENSION: &str = ".npy";

/// Writes the weights of a model.
pub(crate) fn write(state: &ModelState<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut archive = Writer::new(out);
    for (name, values) in names::weights(state) {
        archive.add(&(name + EXTENSION), |out| {
            out.write_all(&Header::encode(values.shape()))?;
            write_floats(out, &slice(values))
        })?;
    }
    archive.finish()
}

/// Reads the weights of a model. Its layers are known by their names.
///
/// # Errors
/// With a sentence about what is wrong with the file.
pub(crate) fn read<R: Read + Seek>(source: R) -> Result<ModelState<'static>, String> {
    let mut archive = Archive::open(source)?;
    let mut weights = Vec::new();
    let entries = archive.entries().map(|(name, len)| (name.to_owned(), len));
    for (name, len) in entries.collect::<Vec<_>>() {
        let Some(weight) = name.strip_suffix(EXTENSION) else {
            return Err(format!(
                "Expected arrays of NumPy. Received: an entry '{name}'"
            ));
        };
        let Some(mut content) = archive.content(&name)? else {
            continue;
        };
        let told = |error: String| format!("'{name}': {error}");
        let header = Header::read(&mut content).map_err(told)?;
        let (Some(bytes), Ok(begin)) = (header.len(), content.stream_position()) else {
            return Err(told("it is larger than the file".into()));
        };
        if begin.checked_add(bytes).is_none_or(|end| end > len) {
            return Err(told("it ends too early".into()));
        }
        let count = header.dims.iter().product();
        let values = header.number.read(&mut content, count);
        let values = values.map_err(|error| told(error.to_string()))?;
        let values = Values::from_shape_vec(header.dims.as_slice(), values);
        weights.push((
            weight.to_owned(),
            values.map_err(|error| told(error.to_string()))?,
        ));
    }
    Ok(names::model(weights))
}
