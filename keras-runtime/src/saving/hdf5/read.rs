//! Reading: the tree of groups and datasets first, the values of a dataset when they are asked for.
//!
//! A hostile file may say anything. What holds whatever it says:
//!
//! * An address and a length that are not within the file are an error before anything is allocated.
//! * Every byte read for the tree is paid for from an account that the length of the file fills; a file
//!   whose parts overlap, or lead back to themselves, runs out of it.
//! * An object is reached once, groups are at most [`MAX_DEPTH`] deep, and a B-tree goes down by one level
//!   in each step.
//! * The values of all datasets that are read are together not longer than the file.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek, SeekFrom};

use keras_config::bytes::Fields;

use super::{
    Attribute, Datatype, Group, MAX_RANK, NOWHERE, Node, Result, SIGNATURE, message, padded, size,
};
use crate::numbers::Number;

/// How deep groups may lie in each other.
const MAX_DEPTH: usize = 64;

/// How many bytes are read for the tree for each byte of the file: names are in the heap of their group
/// and in the tree.
const READS: u64 = 4;

/// What a string takes in memory beside its bytes.
const TEXT: usize = 40;

/// A file whose tree has been read.
pub(crate) struct Reader<R> {
    source: R,
    /// The length of the file.
    len: u64,
    /// The bytes that may still be read for the tree.
    left: u64,
    /// The bytes that may still be read for values.
    values_left: u64,
    /// The headers of objects that have been read.
    seen: HashSet<u64>,
    /// The collections of the global heap that have been read.
    heaps: HashMap<u64, Collection>,
}

/// A part of the global heap: its bytes, and where in them its objects are.
struct Collection {
    bytes: Vec<u8>,
    objects: HashMap<u16, std::ops::Range<usize>>,
}

/// A dataset: where its values are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dataset {
    pub shape: Vec<usize>,
    pub datatype: Datatype,
    pub attributes: Vec<(String, Attribute)>,
    at: u64,
    /// The number of its values.
    count: usize,
    /// Why they cannot be read.
    refusal: Option<&'static str>,
}

/// What the header of an object says.
#[derive(Default)]
struct Header {
    /// The type, the address and the bytes of each message.
    messages: Vec<(u16, u64, Vec<u8>)>,
}

impl Header {
    fn find(&self, kind: u16) -> Option<(u64, &[u8])> {
        let found = self.messages.iter().find(|(known, ..)| *known == kind);
        found.map(|(_, at, bytes)| (*at, bytes.as_slice()))
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Reads the tree of a file.
    pub fn open(mut source: R) -> Result<(Self, Group<Dataset>)> {
        let len = source
            .seek(SeekFrom::End(0))
            .map_err(|error| error.to_string())?;
        let mut reader = Self {
            source,
            len,
            left: len.saturating_mul(READS),
            values_left: len,
            seen: HashSet::new(),
            heaps: HashMap::new(),
        };
        let root = reader.superblock()?;
        let tree = match reader.object(root, 0)? {
            Node::Group(tree) => tree,
            Node::Dataset(_) => return Err("The file is damaged: its root is no group".into()),
        };
        Ok((reader, tree))
    }

    /// The values of a dataset as `f32`.
    pub fn floats(&mut self, dataset: &Dataset) -> Result<Vec<f32>> {
        if let Some(refusal) = dataset.refusal {
            return Err(refusal.into());
        }
        let Datatype::Number(number) = dataset.datatype else {
            return Err(
                "Expected a dataset of floats or integers. Received: one of another type".into(),
            );
        };
        let bytes = (dataset.count * number.size()) as u64;
        let left = self.values_left.checked_sub(bytes);
        self.values_left = left.ok_or("The file is damaged: its datasets overlap")?;
        self.seek(dataset.at)?;
        let read = number.read(&mut self.source, dataset.count);
        read.map_err(|error| error.to_string())
    }

    /// The value of a dataset that is one integer, which is not negative.
    pub fn count(&mut self, dataset: &Dataset) -> Result<Option<u64>> {
        let Datatype::Number(number @ (Number::Signed(size) | Number::Unsigned(size))) =
            dataset.datatype
        else {
            return Ok(None);
        };
        if dataset.count != 1 || dataset.refusal.is_some() {
            return Ok(None);
        }
        let mut bytes = [0; 8];
        self.seek(dataset.at)?;
        self.fill(&mut bytes[..size])?;
        Ok(number.count(&bytes))
    }

    fn seek(&mut self, at: u64) -> Result<()> {
        let sought = self.source.seek(SeekFrom::Start(at));
        sought.map(drop).map_err(|error| error.to_string())
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        let read = self.source.read_exact(bytes);
        read.map_err(|error| error.to_string())
    }

    /// Pays for bytes of the tree.
    fn pay(&mut self, bytes: usize) -> Result<()> {
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.ok_or("The file is damaged: its parts overlap")?;
        Ok(())
    }

    /// Whether some bytes of the file are there.
    fn within(&self, at: u64, len: u64) -> Result<usize> {
        let end = at.checked_add(len).filter(|&end| end <= self.len);
        let len = end.and_then(|_| usize::try_from(len).ok());
        len.ok_or_else(|| "The file is damaged: it ends before something in it does".into())
    }

    /// Some bytes of the file.
    fn bytes(&mut self, at: u64, len: u64) -> Result<Vec<u8>> {
        let len = self.within(at, len)?;
        self.pay(len)?;
        let mut bytes = vec![0; len];
        self.seek(at)?;
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The address of the root's header.
    ///
    /// ```text
    /// 0   signature, 8 bytes
    /// 8   u8 versions of the superblock, of the free space, of the root; 0; u8 of shared messages
    /// 13  u8 size of addresses, u8 size of lengths, 0
    /// 16  u16 half the entries of a symbol table, u16 half the children of a node; u32 flags
    /// 24  base address, free space, end of the file, driver: u64 each
    /// 56  entry of the root: u64 name, u64 header, ..
    /// ```
    fn superblock(&mut self) -> Result<u64> {
        let head = self.bytes(0, self.len.min(96))?;
        if head.get(..8) != Some(&SIGNATURE) {
            return Err("Expected an HDF5 file. Received: another kind of file".into());
        }
        let mut fields = Fields(&head[8..]);
        let version = fields.u8()?;
        if version > 1 {
            return Err(format!(
                "Expected an HDF5 file as h5py and Keras write it, with a superblock of version 0. Received: one of \
                 version {version}"
            ));
        }
        fields.take(4)?;
        let sizes = [fields.u8()?, fields.u8()?];
        if sizes != [8, 8] {
            return Err(format!(
                "Expected an HDF5 file whose addresses and lengths have 8 bytes. Received: {sizes:?}"
            ));
        }
        fields.take(if version == 0 { 9 } else { 13 })?;
        let (base, _, end) = (fields.u64()?, fields.u64()?, fields.u64()?);
        if base != 0 {
            return Err("Expected an HDF5 file that begins at its first byte".into());
        }
        if end > self.len {
            return Err(format!(
                "The file is damaged: it should have {end} bytes and has {}",
                self.len
            ));
        }
        fields.take(16)?;
        fields.u64()
    }

    /// The messages of an object.
    ///
    /// ```text
    /// u8 version 1, 0, u16 how many messages, u32 references, u32 length of the first block, 4 bytes of 0
    /// of each message: u16 type, u16 length, u8 flags, 3 bytes of 0, the message
    /// ```
    fn header(&mut self, at: u64) -> Result<Header> {
        let prefix = self.bytes(at, 16)?;
        let mut fields = Fields(&prefix);
        let version = fields.u8()?;
        if version != 1 {
            return Err("Expected an object of the kind that h5py and Keras write. Received: one of a newer kind".into());
        }
        fields.take(1)?;
        let count = usize::from(fields.u16()?);
        fields.take(4)?;
        let mut blocks = vec![(at + 16, u64::from(fields.u32()?))];
        let mut header = Header::default();
        let mut seen = 0;
        while let Some((at, len)) = blocks.pop() {
            let block = self.bytes(at, len)?;
            let mut fields = Fields(&block);
            while seen < count && fields.0.len() >= 8 {
                seen += 1;
                let (kind, len) = (fields.u16()?, fields.u16()?);
                let is_shared = fields.u8()? & 2 != 0;
                fields.take(3)?;
                let at = at + (block.len() - fields.0.len()) as u64;
                let bytes = fields.take(usize::from(len))?;
                if kind == message::CONTINUATION {
                    let mut fields = Fields(bytes);
                    blocks.push((fields.u64()?, fields.u64()?));
                } else if is_shared {
                    return Err("Expected an object that says everything itself. Received: one with shared messages".into());
                } else {
                    header.messages.push((kind, at, bytes.to_vec()));
                }
            }
        }
        Ok(header)
    }

    /// A group or a dataset, from the address of its header.
    fn object(&mut self, at: u64, depth: usize) -> Result<Node<Dataset>> {
        if depth > MAX_DEPTH {
            return Err(format!(
                "Expected groups that are at most {MAX_DEPTH} deep. Received: deeper ones"
            ));
        }
        if !self.seen.insert(at) {
            return Err(
                "Expected objects with one name each. Received: a link to an object that has one"
                    .into(),
            );
        }
        let header = self.header(at)?;
        let mut attributes = Vec::new();
        for (kind, _, bytes) in &header.messages {
            if *kind == message::ATTRIBUTE {
                attributes.push(self.attribute(bytes)?);
            }
        }
        if let Some((_, table)) = header.find(message::SYMBOL_TABLE) {
            let mut fields = Fields(table);
            let (tree, heap) = (fields.u64()?, fields.u64()?);
            let mut group = Group {
                attributes,
                ..Group::default()
            };
            let names = self.local_heap(heap)?;
            let mut entries = Vec::new();
            self.entries(tree, None, &names, &mut entries)?;
            for (name, at) in entries {
                let node = self.object(at, depth + 1)?;
                if group.members.insert(name, node).is_some() {
                    return Err("The file is damaged: a group has two members of one name".into());
                }
            }
            return Ok(Node::Group(group));
        }
        self.dataset(&header, attributes).map(Node::Dataset)
    }

    /// The names of a group's members.
    ///
    /// ```text
    /// "HEAP", u8 version 0, 3 bytes of 0, u64 length of the names, u64 free list, u64 address of the names
    /// ```
    fn local_heap(&mut self, at: u64) -> Result<Vec<u8>> {
        let head = self.bytes(at, 32)?;
        let mut fields = Fields(&head);
        signature(&mut fields, b"HEAP", 0)?;
        fields.take(3)?;
        let (len, _, at) = (fields.u64()?, fields.u64()?, fields.u64()?);
        self.bytes(at, len)
    }

    /// The members of a group: names and addresses of headers.
    ///
    /// ```text
    /// "TREE", u8 type 0, u8 level, u16 how many children, u64 left, u64 right, then in turns u64 key, u64 child
    /// "SNOD", u8 version 1, 0, u16 how many members; of each: u64 name, u64 header, u32 type, 20 bytes
    /// ```
    ///
    /// The children of level 0 are symbol tables. `level` is the one that the node must have.
    fn entries(
        &mut self,
        at: u64,
        level: Option<u8>,
        names: &[u8],
        to: &mut Vec<(String, u64)>,
    ) -> Result<()> {
        let head = self.bytes(at, 24)?;
        let mut fields = Fields(&head);
        signature(&mut fields, b"TREE", 0)?;
        let (found, count) = (fields.u8()?, fields.u16()?);
        if level.is_some_and(|level| level != found) || found > 16 {
            return Err("The file is damaged: the levels of a tree are not in order".into());
        }
        let children = self.bytes(at + 24, u64::from(count) * 16)?;
        let mut fields = Fields(&children);
        for _ in 0..count {
            fields.u64()?;
            let child = fields.u64()?;
            match found.checked_sub(1) {
                Some(level) => self.entries(child, Some(level), names, to)?,
                None => self.symbols(child, names, to)?,
            }
        }
        Ok(())
    }

    fn symbols(&mut self, at: u64, names: &[u8], to: &mut Vec<(String, u64)>) -> Result<()> {
        let head = self.bytes(at, 8)?;
        let mut fields = Fields(&head);
        signature(&mut fields, b"SNOD", 1)?;
        fields.take(1)?;
        let count = fields.u16()?;
        let symbols = self.bytes(at + 8, u64::from(count) * 40)?;
        let mut fields = Fields(&symbols);
        for _ in 0..count {
            let (name, header, kind) = (fields.u64()?, fields.u64()?, fields.u32()?);
            fields.take(20)?;
            let name = usize::try_from(name).ok().and_then(|at| names.get(at..));
            let name = name.and_then(|rest| rest.split(|&byte| byte == 0).next());
            let name = name.and_then(|name| str::from_utf8(name).ok());
            let name = name.filter(|name| !name.is_empty() && !name.contains('/'));
            let name = name.ok_or("The file is damaged: a name is no text")?;
            self.pay(name.len())?;
            if kind == 2 {
                return Err("Not allowed: H5 file with SoftLink".into());
            }
            to.push((name.to_owned(), header));
        }
        Ok(())
    }

    fn dataset(
        &mut self,
        header: &Header,
        attributes: Vec<(String, Attribute)>,
    ) -> Result<Dataset> {
        let messages = [message::DATASPACE, message::DATATYPE, message::LAYOUT];
        let [Some((_, space)), Some((_, datatype)), Some((at, layout))] =
            messages.map(|kind| header.find(kind))
        else {
            return Err("Expected groups and datasets of the kind that h5py and Keras write. Received: an object of another kind".into());
        };
        let mut datatype = Datatype::decode(datatype)?;
        let bfloat = ("dtype".into(), Attribute::Text("bfloat16".into()));
        if datatype == (Datatype::Opaque { size: 2 }) && attributes.contains(&bfloat) {
            datatype = Datatype::Number(Number::Bfloat16);
        }
        let (shape, count) = dataspace(space)?;
        let size = count.checked_mul(datatype.size());
        let size = size.ok_or("The file is damaged: a dataset is larger than the file")?;
        // u8 version 3 or 4; u8 class; 0 compact: u16 length, values; 1 contiguous: u64 address, u64 length
        let mut fields = Fields(layout);
        let (version, class) = (fields.u8()?, fields.u8()?);
        let stored = match (version, class) {
            (3 | 4, 0) => Some((at + 4, u64::from(fields.u16()?))),
            (3 | 4, 1) => Some((fields.u64()?, fields.u64()?)),
            _ => None,
        };
        let mut dataset = Dataset {
            shape,
            datatype,
            attributes,
            at: 0,
            count,
            refusal: None,
        };
        match stored {
            None => {
                dataset.refusal = Some(
                    "Expected a contiguous dataset. Received: one in chunks, perhaps compressed",
                );
            }
            Some(_) if size == 0 => {}
            Some((NOWHERE, _)) => {
                dataset.refusal = Some("Expected a dataset with values. Received: one without");
            }
            Some((at, len)) => {
                if (size as u64) > len {
                    return Err(
                        "The file is damaged: a dataset has less values than its shape says".into(),
                    );
                }
                self.within(at, size as u64)?;
                dataset.at = at;
            }
        }
        Ok(dataset)
    }

    /// An attribute: its name and its value.
    ///
    /// ```text
    /// u8 version, u8 flags (0 in version 1), u16 lengths of name, datatype and dataspace,
    /// u8 character set of the name (version 3), name, datatype, dataspace (padded in version 1), value
    /// ```
    fn attribute(&mut self, bytes: &[u8]) -> Result<(String, Attribute)> {
        let mut fields = Fields(bytes);
        let (version, flags) = (fields.u8()?, fields.u8()?);
        if !(1..=3).contains(&version) || (version > 1 && flags != 0) {
            return Err("Expected attributes of the kind that h5py and Keras write. Received: one of another kind".into());
        }
        let lens = [fields.u16()?, fields.u16()?, fields.u16()?].map(usize::from);
        if version == 3 {
            fields.u8()?;
        }
        let mut part = |len: usize| {
            let bytes = fields.take(if version == 1 { padded(len) } else { len })?;
            Ok::<_, String>(&bytes[..len])
        };
        let [name, datatype, space] = [part(lens[0])?, part(lens[1])?, part(lens[2])?];
        let name = text(name).ok_or("The file is damaged: a name is no text")?;
        let datatype = Datatype::decode(datatype)?;
        let (shape, count) = dataspace(space)?;
        let size = datatype.size();
        let values = count.checked_mul(size).and_then(|len| fields.0.get(..len));
        let values =
            values.ok_or("The file is damaged: an attribute is longer than its message")?;
        let mut values = values.chunks_exact(size);
        let value = match (datatype, shape.len()) {
            (Datatype::Text { .. }, 0) => values.next().and_then(text).map(Attribute::Text),
            (Datatype::Text { .. }, 1) => {
                self.pay(count.saturating_mul(TEXT))?;
                let texts = values.map(text).collect::<Option<_>>();
                texts.map(Attribute::Texts)
            }
            (Datatype::VariableText, 0) => match values.next() {
                Some(value) => self.variable_text(value)?.map(Attribute::Text),
                None => None,
            },
            (Datatype::VariableText, 1) => {
                let texts: Vec<_> = values
                    .map(|value| self.variable_text(value))
                    .collect::<Result<_>>()?;
                let texts = texts.into_iter().collect::<Option<_>>();
                texts.map(Attribute::Texts)
            }
            (Datatype::Number(number), 0) => {
                let count = values.next().and_then(|value| number.count(value));
                count.map(Attribute::Count)
            }
            _ => None,
        };
        Ok((name, value.unwrap_or(Attribute::Other)))
    }

    /// A string in the global heap: u32 length, u64 address of the collection, u32 number of the object.
    fn variable_text(&mut self, reference: &[u8]) -> Result<Option<String>> {
        let mut fields = Fields(reference);
        let (len, at, object) = (fields.u32()?, fields.u64()?, fields.u32()?);
        let len = size(u64::from(len))?;
        if len == 0 {
            return Ok(Some(String::new()));
        }
        self.pay(len + TEXT)?;
        let collection = self.collection(at)?;
        let object = u16::try_from(object).ok();
        let range = object.and_then(|object| collection.objects.get(&object));
        let bytes = range.and_then(|range| collection.bytes[range.clone()].get(..len));
        Ok(text(bytes.ok_or(
            "The file is damaged: a string is not where it should be",
        )?))
    }

    /// A collection of the global heap.
    ///
    /// ```text
    /// "GCOL", u8 version 1, 3 bytes of 0, u64 length of the collection
    /// of each object: u16 number (0: the rest is free), u16 references, 4 bytes of 0, u64 length, padded bytes
    /// ```
    fn collection(&mut self, at: u64) -> Result<&Collection> {
        if !self.heaps.contains_key(&at) {
            let head = self.bytes(at, 16)?;
            let mut fields = Fields(&head);
            signature(&mut fields, b"GCOL", 1)?;
            fields.take(3)?;
            let bytes = self.bytes(at, fields.u64()?)?;
            let mut objects = HashMap::new();
            let mut fields = Fields(&bytes);
            fields.take(16)?;
            while fields.0.len() >= 16 {
                let number = fields.u16()?;
                fields.take(6)?;
                let len = fields.u64()?;
                if number == 0 {
                    break;
                }
                let start = bytes.len() - fields.0.len();
                let len = size(len)?;
                fields.take(len)?;
                let padding = (padded(len) - len).min(fields.0.len());
                fields.take(padding)?;
                objects.insert(number, start..start + len);
            }
            self.heaps.insert(at, Collection { bytes, objects });
        }
        let collection = self.heaps.get(&at);
        collection.ok_or_else(|| "The file is damaged".into())
    }
}

/// The shape of a dataset or an attribute, and the number of its values.
///
/// ```text
/// version 1: u8 1, u8 rank, u8 flags, 5 bytes of 0, u64 per dimension
/// version 2: u8 2, u8 rank, u8 flags, u8 whether it is a scalar (0), has axes (1) or no values (2), u64 per dimension
/// ```
fn dataspace(message: &[u8]) -> Result<(Vec<usize>, usize)> {
    let mut fields = Fields(message);
    let (version, rank) = (fields.u8()?, usize::from(fields.u8()?));
    fields.take(1)?;
    let is_null = match version {
        1 => fields.take(5).map(|_| false)?,
        2 => fields.u8()? == 2,
        _ => return Err("The file is damaged: the version of a shape is not known".into()),
    };
    if rank > MAX_RANK {
        return Err(format!(
            "The file is damaged: expected at most {MAX_RANK} axes. Received: {rank}"
        ));
    }
    let mut shape = Vec::with_capacity(rank);
    for _ in 0..rank {
        let dim = fields.u64()?;
        // Some dimensions may be huge if another one is 0; their product must still be a number.
        let dim = usize::try_from(dim).ok().filter(|&dim| dim < 1 << 48);
        shape.push(dim.ok_or("The file is damaged: a dataset is larger than the file")?);
    }
    let one = usize::from(!is_null);
    let count = shape
        .iter()
        .try_fold(one, |count, &dim| count.checked_mul(dim));
    let count = count.ok_or("The file is damaged: a dataset is larger than the file")?;
    Ok((shape, count))
}

/// The text up to the first zero, if it is one.
fn text(bytes: &[u8]) -> Option<String> {
    let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    str::from_utf8(text).ok().map(str::to_owned)
}

/// Takes what a part of a file begins with.
fn signature(fields: &mut Fields<'_>, signature: &[u8; 4], version: u8) -> Result<()> {
    if fields.array::<4>()? == *signature && fields.u8()? == version {
        return Ok(());
    }
    Err(format!(
        "The file is damaged: {} is not where it should be",
        signature.escape_ascii()
    ))
}
