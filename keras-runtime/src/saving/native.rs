//! This project's own format for backups, version 2: a model's weights, what its optimizer remembers, and
//! what the training does.
//!
//! Everything is little endian; a `text` is its length in bytes (u32) and its UTF-8.
//!
//! ```text
//! magic           89 4b 52 57 0d 0a 1a 0a ("KRW"; a transfer as text damages it)
//! version         u32, 2
//! sections        of each: tag of 4 bytes, u64 length of the content, content; unknown ones are passed over
//! checksum        u32, CRC-32C of everything before it
//!
//! section MODL, the model
//! name, scope     text, the model's; text, what the names of its weights begin with
//! seed, step      u64, u64
//! input shapes    u32 how many; of each: u32 rank, u64 per dimension (all ones: not known)
//! layers          u32 how many; of each: text name, text class, text path,
//!                 u32 how many weights; of each: text name, u8 trainable, u32 rank, u64 per dimension, f32 values
//! optimizer       u8 whether there is one; then: text name, text class, text the name of the one that it wraps
//!                 or none, u32 where the variables of that one begin,
//!                 u32 how many variables; of each: text name, u8 whether it is a count; if so, u64;
//!                 if not, u32 rank, u64 per dimension, f32 values
//!
//! section TRNG, the training: a record, see `record.rs`
//! ```

use std::fs::File;
use std::io::{self, BufReader, Read, Write};

use ndarray::{ArrayViewD, CowArray, IxDyn};

use super::record::Record;
use super::{LayerState, ModelState, Numbers, OptimizerState, Values, VariableState, WeightState};
use keras_config::crc::Crc32c;

const MAGIC: [u8; 8] = *b"\x89KRW\r\n\x1a\n";
const VERSION: u32 = 2;

/// The tags of the sections.
const MODEL: [u8; 4] = *b"MODL";
const TRAINING: [u8; 4] = *b"TRNG";

/// The bytes of the checksum.
const CHECKSUM: u64 = 4;

/// A dimension that is not known.
const UNKNOWN: u64 = u64::MAX;

/// The most axes that a weight may have.
const MAX_RANK: u32 = 32;

/// Values are converted in pieces of so many.
const PIECE: usize = 4096;

/// Writes a model and what its training does.
pub(super) fn encode(
    state: &ModelState<'_>,
    training: &Record,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut out = Encoder {
        out: Some(out),
        crc: Crc32c::new(),
        len: 0,
    };
    out.bytes(&MAGIC)?;
    out.count(VERSION as usize)?;
    out.section(MODEL, |out| model(state, out))?;
    out.section(TRAINING, |out| training.encode(out))?;
    let checksum = out.crc.value();
    out.bytes(&checksum.to_le_bytes())
}

fn model(state: &ModelState<'_>, out: &mut Encoder<'_>) -> io::Result<()> {
    out.text(&state.name)?;
    out.text(&state.scope)?;
    out.number(state.seed)?;
    out.number(state.step)?;
    out.count(state.input_shapes.len())?;
    for shape in &state.input_shapes {
        let dims = shape
            .iter()
            .map(|dim| dim.map_or(UNKNOWN, |dim| dim as u64));
        out.dims(dims)?;
    }
    out.count(state.layers.len())?;
    for layer in &state.layers {
        out.text(&layer.name)?;
        out.text(&layer.class)?;
        out.text(&layer.path)?;
        out.count(layer.weights.len())?;
        for weight in &layer.weights {
            out.text(&weight.name)?;
            out.bytes(&[weight.trainable.into()])?;
            out.array(&weight.values)?;
        }
    }
    out.bytes(&[state.optimizer.is_some().into()])?;
    if let Some(optimizer) = &state.optimizer {
        out.text(&optimizer.name)?;
        out.text(&optimizer.class)?;
        let inner = optimizer.inner.as_ref();
        let (name, at) = inner.map_or(("", 0), |(name, at)| (name.as_str(), *at));
        out.text(name)?;
        out.count(at)?;
        out.count(optimizer.variables.len())?;
        for variable in &optimizer.variables {
            out.text(&variable.name)?;
            match &variable.values {
                Numbers::Count(count) => {
                    out.bytes(&[1])?;
                    out.number(*count)?;
                }
                Numbers::Floats(values) => {
                    out.bytes(&[0])?;
                    out.array(values)?;
                }
            }
        }
    }
    Ok(())
}

/// What is written to, or measured if there is nothing.
pub(super) struct Encoder<'a> {
    out: Option<&'a mut dyn Write>,
    crc: Crc32c,
    len: u64,
}

impl Encoder<'_> {
    /// A section: its content is measured before it is written.
    fn section(
        &mut self,
        tag: [u8; 4],
        content: impl Fn(&mut Encoder<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut measure = Encoder {
            out: None,
            crc: Crc32c::new(),
            len: 0,
        };
        content(&mut measure)?;
        self.bytes(&tag)?;
        self.number(measure.len)?;
        content(self)
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.len += bytes.len() as u64;
        let Some(out) = &mut self.out else {
            return Ok(());
        };
        self.crc.update(bytes);
        out.write_all(bytes)
    }

    /// Numbers of eight bytes each.
    pub(super) fn list(
        &mut self,
        mut numbers: impl ExactSizeIterator<Item = u64>,
    ) -> io::Result<()> {
        self.number(numbers.len() as u64)?;
        numbers.try_for_each(|number| self.number(number))
    }

    fn number(&mut self, number: u64) -> io::Result<()> {
        self.bytes(&number.to_le_bytes())
    }

    pub(super) fn count(&mut self, count: usize) -> io::Result<()> {
        let count = u32::try_from(count).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.bytes(&count.to_le_bytes())
    }

    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        self.count(text.len())?;
        self.bytes(text.as_bytes())
    }

    fn dims(&mut self, mut dims: impl ExactSizeIterator<Item = u64>) -> io::Result<()> {
        self.count(dims.len())?;
        dims.try_for_each(|dim| self.number(dim))
    }

    fn array(&mut self, values: &Values<'_>) -> io::Result<()> {
        self.tensor(values.view())
    }

    pub(super) fn tensor(&mut self, values: ArrayViewD<'_, f32>) -> io::Result<()> {
        self.dims(values.shape().iter().map(|&dim| dim as u64))?;
        match values.as_slice() {
            Some(values) => self.values(values),
            None => self.values(&values.iter().copied().collect::<Vec<_>>()),
        }
    }

    fn values(&mut self, values: &[f32]) -> io::Result<()> {
        if self.out.is_none() {
            self.len += 4 * values.len() as u64;
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(4 * PIECE.min(values.len()));
        for values in values.chunks(PIECE) {
            bytes.clear();
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            self.bytes(&bytes)?;
        }
        Ok(())
    }
}

/// Reads a file: a model and what its training does.
///
/// # Errors
/// With a sentence about what is wrong with it.
pub(super) fn read(file: File) -> Result<(ModelState<'static>, Record), String> {
    let len = file.metadata().map_err(|error| error.to_string())?.len();
    decode(BufReader::new(file), len)
}

/// Reads a source of `len` bytes. Nothing is allocated that is longer than what is left to read.
pub(super) fn decode(source: impl Read, len: u64) -> Result<(ModelState<'static>, Record), String> {
    let mut source = Decoder {
        source,
        left: len,
        crc: Crc32c::new(),
    };
    if len < MAGIC.len() as u64 || source.array()? != MAGIC {
        return Err("Expected a file that was written by `save` or `save_weights`. Received: another kind of file".into());
    }
    let version = source.count()?;
    if version != VERSION {
        return Err(format!(
            "Expected version {VERSION} of the file format. Received: version {version}"
        ));
    }
    let (mut state, mut training) = (None, None);
    while source.left > CHECKSUM {
        source.section(|tag, source| match (tag, &state, &training) {
            (MODEL, None, _) => {
                state = Some(source.model()?);
                Ok(())
            }
            (TRAINING, _, None) => {
                training = Some(Record::decode(source, 0)?);
                Ok(())
            }
            (MODEL | TRAINING, ..) => Err("The file is damaged: it has a section twice".into()),
            _ => source.pass_over(),
        })?;
    }
    let found = source.crc.value();
    if u32::from_le_bytes(source.array()?) != found {
        return Err("The file is damaged: its checksum is not that of its content".into());
    }
    let state = state.ok_or("The file is damaged: it has no model")?;
    let training = training.ok_or("The file is damaged: it has no training")?;
    Ok((state, training))
}

fn too_large() -> String {
    "The file is damaged: it has a weight that is larger than the file".into()
}

/// What is read from: the rest of a file, or of a section.
pub(super) struct Decoder<R> {
    source: R,
    left: u64,
    crc: Crc32c,
}

impl<R: Read> Decoder<R> {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), String> {
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.ok_or("The file is damaged: it ends too early")?;
        let read = self.source.read_exact(bytes);
        read.map_err(|error| error.to_string())?;
        self.crc.update(bytes);
        Ok(())
    }

    /// Reads a section, to whose content `read` is limited.
    fn section(
        &mut self,
        read: impl FnOnce([u8; 4], &mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        let (tag, len) = (self.array()?, self.number()?);
        let after = self.left.checked_sub(len);
        let after = after.ok_or("The file is damaged: a section is longer than the file")?;
        self.left = len;
        read(tag, self)?;
        if self.left > 0 {
            return Err("The file is damaged: a section goes on after its end".into());
        }
        self.left = after;
        Ok(())
    }

    /// Reads what is left of a section that nobody knows.
    fn pass_over(&mut self) -> Result<(), String> {
        let mut bytes = [0; PIECE];
        while self.left > 0 {
            let piece = self.left.min(PIECE as u64) as usize;
            self.fill(&mut bytes[..piece])?;
        }
        Ok(())
    }

    fn model(&mut self) -> Result<ModelState<'static>, String> {
        let mut state = ModelState {
            name: self.text()?,
            scope: self.text()?,
            seed: self.number()?,
            step: self.number()?,
            ..ModelState::default()
        };
        for _ in 0..self.count()? {
            let dims = self.dims()?;
            let dim = |dim| match dim {
                UNKNOWN => Ok(None),
                dim => usize::try_from(dim).map(Some).map_err(|_| too_large()),
            };
            let shape = dims.into_iter().map(dim).collect::<Result<_, _>>()?;
            state.input_shapes.push(shape);
        }
        for _ in 0..self.count()? {
            state.layers.push(self.layer()?);
        }
        if self.flag()? {
            state.optimizer = Some(self.optimizer()?);
        }
        Ok(state)
    }

    /// Numbers of eight bytes each.
    pub(super) fn list<T>(&mut self, value: impl Fn(u64) -> T) -> Result<Vec<T>, String> {
        let len = self.number()?;
        if len > self.left / 8 {
            return Err("The file is damaged: it has a list that is longer than the file".into());
        }
        (0..len).map(|_| Ok(value(self.number()?))).collect()
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<u64, String> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(super) fn count(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn flag(&mut self) -> Result<bool, String> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [byte] => Err(format!(
                "The file is damaged: expected 0 or 1. Received: {byte}"
            )),
        }
    }

    pub(super) fn text(&mut self) -> Result<String, String> {
        let len = self.count()?;
        if u64::from(len) > self.left {
            return Err("The file is damaged: it has a name that is longer than the file".into());
        }
        let mut bytes = vec![0; len as usize];
        self.fill(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| "The file is damaged: a name is no text".into())
    }

    fn dims(&mut self) -> Result<Vec<u64>, String> {
        let rank = self.count()?;
        if rank > MAX_RANK {
            return Err(format!(
                "The file is damaged: expected at most {MAX_RANK} axes. Received: {rank}"
            ));
        }
        (0..rank).map(|_| self.number()).collect()
    }

    fn values(&mut self, len: u64) -> Result<Vec<f32>, String> {
        let size = len.checked_mul(4).filter(|&size| size <= self.left);
        let (Some(_), Ok(len)) = (size, usize::try_from(len)) else {
            return Err(too_large());
        };
        let mut values = Vec::with_capacity(len);
        let mut bytes = vec![0; 4 * PIECE.min(len)];
        while values.len() < len {
            let piece = &mut bytes[..4 * PIECE.min(len - values.len())];
            self.fill(piece)?;
            let (quads, _) = piece.as_chunks::<4>();
            values.extend(quads.iter().map(|&quad| f32::from_le_bytes(quad)));
        }
        Ok(values)
    }

    pub(super) fn tensor(&mut self) -> Result<Values<'static>, String> {
        let dims = self.dims()?;
        let len = dims.iter().try_fold(1u64, |len, &dim| len.checked_mul(dim));
        let values = self.values(len.ok_or_else(too_large)?)?;
        // A dimension that does not fit has made the length too large, unless another one is 0.
        let dims: Vec<usize> = dims
            .into_iter()
            .map(|dim| usize::try_from(dim).map_err(|_| too_large()))
            .collect::<Result<_, _>>()?;
        CowArray::from_shape_vec(IxDyn(&dims), values).map_err(|_| too_large())
    }

    fn layer(&mut self) -> Result<LayerState<'static>, String> {
        let mut layer = LayerState {
            name: self.text()?,
            class: self.text()?,
            path: self.text()?,
            weights: Vec::new(),
        };
        for _ in 0..self.count()? {
            layer.weights.push(WeightState {
                name: self.text()?,
                trainable: self.flag()?,
                values: self.tensor()?,
            });
        }
        Ok(layer)
    }

    fn optimizer(&mut self) -> Result<OptimizerState<'static>, String> {
        let (name, class) = (self.text()?, self.text()?);
        let inner = (self.text()?, self.count()? as usize);
        let mut optimizer = OptimizerState {
            name,
            class,
            inner: Some(inner).filter(|(name, _)| !name.is_empty()),
            variables: Vec::new(),
            layers: Vec::new(),
        };
        for _ in 0..self.count()? {
            optimizer.variables.push(VariableState {
                name: self.text()?,
                values: match self.flag()? {
                    true => Numbers::Count(self.number()?),
                    false => Numbers::Floats(self.tensor()?),
                },
            });
        }
        Ok(optimizer)
    }
}
