//! `.safetensors`: weights by the names of their layers, and nothing else.
//!
//! ```text
//! u64     length of the header
//! header  JSON: {"dense/kernel": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}, ..}, spaces
//! values  little endian, one after the other without gaps; the offsets count from here
//! ```

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::{ModelState, Values, names, slice};
use crate::config::{Json, Object};
use crate::numbers::{Number, write_floats};

/// The longest header, as the original of the format has it.
const MAX_HEADER: u64 = 100_000_000;

/// What is in the header beside tensors.
const METADATA: &str = "__metadata__";

/// Writes the weights of a model.
pub(crate) fn write(state: &ModelState<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut end = 0;
    let tensors = names::weights(state).map(|(name, values)| {
        let begin = end;
        end += 4 * values.len();
        let tensor = Object::new()
            .with("dtype", "F32")
            .with("shape", values.shape().to_vec())
            .with("data_offsets", vec![begin, end]);
        (name, tensor)
    });
    let mut header = tensors.collect::<Object>().to_string();
    header.extend(std::iter::repeat_n(
        ' ',
        header.len().next_multiple_of(8) - header.len(),
    ));
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    for (_, values) in names::weights(state) {
        write_floats(out, &slice(values))?;
    }
    Ok(())
}

/// A tensor of the header.
struct Tensor {
    name: String,
    number: Number,
    shape: Vec<usize>,
    begin: u64,
    len: u64,
    count: usize,
}

/// Reads the weights of a model. Its layers are known by their names.
///
/// # Errors
/// With a sentence about what is wrong with the file.
pub(crate) fn read<R: Read + Seek>(mut source: R) -> Result<ModelState<'static>, String> {
    let told = |error: io::Error| error.to_string();
    let len = source.seek(SeekFrom::End(0)).map_err(told)?;
    source.rewind().map_err(told)?;
    let mut bytes = [0; 8];
    let another = || "Expected a safetensors file. Received: another kind of file".to_owned();
    source.read_exact(&mut bytes).map_err(|_| another())?;
    let header = u64::from_le_bytes(bytes);
    if header > MAX_HEADER || header > len - 8 {
        return Err(another());
    }
    let mut text = Vec::new();
    source
        .by_ref()
        .take(header)
        .read_to_end(&mut text)
        .map_err(told)?;
    let text = String::from_utf8(text).map_err(|_| another())?;
    let Json::Object(header) = Json::parse(&text)? else {
        return Err(another());
    };
    let mut tensors = Vec::with_capacity(header.len());
    for (name, described) in header.iter().filter(|(name, _)| *name != METADATA) {
        let damaged =
            || format!("The file is damaged: tensor '{name}' is not described as it should be");
        tensors.push(Tensor::of(name, described).ok_or_else(damaged)?);
    }
    tensors.sort_by_key(|tensor| tensor.begin);
    let mut end = 0;
    for tensor in &tensors {
        if tensor.begin != end {
            return Err(format!(
                "The file is damaged: tensor '{}' does not begin where the one before ends",
                tensor.name
            ));
        }
        end = tensor.begin.checked_add(tensor.len).ok_or_else(another)?;
    }
    let values = len - 8 - text.len() as u64;
    if end != values {
        return Err(format!(
            "The file is damaged: it should have {end} bytes of values and has {values}"
        ));
    }
    let mut weights = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let values = tensor
            .number
            .read(&mut source, tensor.count)
            .map_err(told)?;
        let values = Values::from_shape_vec(tensor.shape.as_slice(), values);
        weights.push((tensor.name, values.map_err(|error| error.to_string())?));
    }
    Ok(names::model(weights))
}

impl Tensor {
    fn of(name: &str, described: &Json) -> Option<Self> {
        let number = match described.get("dtype")?.as_str()? {
            "F16" => Number::Float16,
            "BF16" => Number::Bfloat16,
            "F32" => Number::Float32,
            "F64" => Number::Float64,
            "I8" => Number::Signed(1),
            "I16" => Number::Signed(2),
            "I32" => Number::Signed(4),
            "I64" => Number::Signed(8),
            "U8" | "BOOL" => Number::Unsigned(1),
            "U16" => Number::Unsigned(2),
            "U32" => Number::Unsigned(4),
            "U64" => Number::Unsigned(8),
            _ => return None,
        };
        let natural = |number: &Json| u64::try_from(number.as_int()?).ok();
        let dims = described.get("shape")?.as_list()?.iter();
        let shape: Vec<usize> = dims
            .map(|dim| usize::try_from(natural(dim)?).ok())
            .collect::<Option<_>>()?;
        let offsets = described.get("data_offsets")?.as_list()?;
        let [begin, end] = offsets else { return None };
        let (begin, end) = (natural(begin)?, natural(end)?);
        let count = shape
            .iter()
            .try_fold(1usize, |count, &dim| count.checked_mul(dim))?;
        let len = count.checked_mul(number.size())? as u64;
        (end.checked_sub(begin)? == len).then_some(Self {
            name: name.to_owned(),
            number,
            shape,
            begin,
            len,
            count,
        })
    }
}
