//! Inputs that are numbers of rows: what `Embedding` reads.

use super::network::Network;
use super::trace::Indices;
use crate::data::Table;
use crate::error::{Error, Result};

/// What Keras says of `build()`, which knows shapes and no types of numbers.
pub(crate) fn refuse_floats(network: &Network, indices: &[Option<Indices>]) -> Result<()> {
    let Some(indices) = indices.iter().flatten().next() else {
        return Ok(());
    };
    let layer = &network.layers[indices.layer];
    Err(Error::value(format!(
        "You cannot build your model by calling `build` if your layers do not support float type inputs. Instead, in \
         order to instantiate and build your model, call your model on real tensor data (of the correct dtype). \
         Received: the layer `{}` ({}), which reads whole numbers below {}",
        layer.name, layer.class, indices.below
    )))
}

/// Whether the numbers of every such input are whole and in range.
pub(crate) fn check(
    network: &Network,
    indices: &[Option<Indices>],
    inputs: &[Table<'_>],
) -> Result<()> {
    for (indices, table) in indices.iter().zip(inputs) {
        let Some(Indices { layer, below }) = *indices else {
            continue;
        };
        let is_index = |value: f32| value >= 0.0 && value < below as f32 && value.fract() == 0.0;
        let Some(at) = table.values.iter().position(|&value| !is_index(value)) else {
            continue;
        };
        let (value, layer) = (table.values[at], &network.layers[layer]);
        let mut place = vec![0; 1 + table.shape.rank()];
        let mut rest = at;
        for (place, size) in place[1..].iter_mut().zip(table.shape.dims()).rev() {
            (*place, rest) = (rest % size, rest / size);
        }
        place[0] = rest;
        let place: Vec<String> = place.iter().map(usize::to_string).collect();
        let place = place.join(",");
        let (class, name) = (&layer.class, &layer.name);
        return Err(Error::value(if value.fract() == 0.0 {
            format!("{class} layer `{name}`: indices[{place}] = {value} is not in [0, {below})")
        } else {
            format!(
                "{class} layer `{name}` does not support float type inputs. Expected: whole numbers below {below}. \
                 Received: indices[{place}] = {value}"
            )
        }));
    }
    Ok(())
}
