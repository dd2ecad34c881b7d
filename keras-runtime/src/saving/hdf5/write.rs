//! Writing: everything is laid out first, then written from the front to the back.
//!
//! ```text
//! superblock, then of each group, after its members: symbol tables, B-tree, local heap, header
//! the strings of attributes, in collections between them
//! values of the datasets
//! ```

use std::borrow::Cow;
use std::io::{self, Write};

use super::{Attribute, Datatype, Group, NOWHERE, Node, SIGNATURE, message, padded};
use crate::numbers::{Number, write_floats};
use crate::saving::{Values, slice};

/// Half the members of a symbol table, and half the children of a B-tree's node: HDF5's defaults.
const LEAF_K: usize = 4;
const NODE_K: usize = 16;

/// The least length of a collection of the global heap.
const COLLECTION: usize = 4096;

/// The most strings that an attribute holds: each takes 16 bytes of a message, which is shorter than 64 KiB.
pub(crate) const MAX_TEXTS: usize = 4000;

/// The values of a dataset to write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data<'a> {
    /// Floats of 4 bytes, of a shape.
    Floats(&'a [usize], Cow<'a, [f32]>),
    /// One integer of 8 bytes.
    Integer(u64),
}

impl<'a> Data<'a> {
    /// The values of a weight.
    pub fn of(values: &'a Values<'_>) -> Self {
        Self::Floats(values.shape(), slice(values))
    }

    fn datatype(&self) -> Datatype {
        match *self {
            Self::Floats(..) => Datatype::Number(Number::Float32),
            Self::Integer(_) => Datatype::Number(Number::Signed(8)),
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::Floats(shape, _) => shape,
            Self::Integer(_) => &[],
        }
    }

    /// How many bytes its values take.
    fn len(&self) -> usize {
        match self {
            Self::Floats(_, values) => 4 * values.len(),
            Self::Integer(_) => 8,
        }
    }
}

/// A file that is laid out.
pub(crate) struct Layout<'a> {
    /// Everything but the values of the datasets.
    head: Vec<u8>,
    /// The datasets, in the order of their values.
    data: Vec<Data<'a>>,
}

impl<'a> Layout<'a> {
    /// Lays out a file.
    ///
    /// # Errors
    /// If an attribute is longer than HDF5 can write it.
    pub fn new(root: &Group<Data<'a>>) -> io::Result<Self> {
        let mut writer = Writer {
            head: vec![0; 96],
            data: Vec::new(),
            values: 0,
            places: Vec::new(),
            collection: None,
        };
        let root = writer.group(root)?;
        writer.align();
        let begin = writer.head.len() as u64;
        for (at, offset) in std::mem::take(&mut writer.places) {
            writer.set(at, &(begin + offset).to_le_bytes());
        }
        let len = begin + writer.values;
        writer.superblock(&root, len);
        Ok(Self {
            head: writer.head,
            data: writer.data,
        })
    }

    /// Writes the file.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.head)?;
        for data in &self.data {
            match data {
                Data::Floats(_, values) => write_floats(out, values)?,
                Data::Integer(value) => out.write_all(&value.to_le_bytes())?,
            }
            out.write_all(&[0; 8][..padded(data.len()) - data.len()])?;
        }
        Ok(())
    }
}

/// Where the parts of a group that has been written are.
struct Place {
    header: usize,
    tree: usize,
    heap: usize,
}

struct Writer<'a> {
    head: Vec<u8>,
    data: Vec<Data<'a>>,
    /// The bytes of the values so far.
    values: u64,
    /// Where the address of values is to be written, and where they are among all values.
    places: Vec<(usize, u64)>,
    /// The collection of strings that is being filled.
    collection: Option<Collection>,
}

/// A collection of the global heap: where it is, how long it is, how much is used, its objects so far.
struct Collection {
    at: usize,
    len: usize,
    used: usize,
    objects: u16,
}

impl<'a> Writer<'a> {
    fn align(&mut self) {
        self.head.resize(padded(self.head.len()), 0);
    }

    fn set(&mut self, at: usize, bytes: &[u8]) {
        self.head[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Appends bytes at a multiple of 8, and gives their address.
    fn push(&mut self, bytes: &[u8]) -> usize {
        self.align();
        let at = self.head.len();
        self.head.extend_from_slice(bytes);
        at
    }

    /// See `Reader::superblock`.
    fn superblock(&mut self, root: &Place, len: u64) {
        let mut block = SIGNATURE.to_vec();
        block.extend([0, 0, 0, 0, 0, 8, 8, 0]);
        block.extend((LEAF_K as u16).to_le_bytes());
        block.extend((NODE_K as u16).to_le_bytes());
        block.extend([0; 4]);
        for number in [0, NOWHERE, len, NOWHERE] {
            block.extend(number.to_le_bytes());
        }
        block.extend(entry(0, root.header, Some(root)));
        self.set(0, &block);
    }

    fn group(&mut self, group: &Group<Data<'a>>) -> io::Result<Place> {
        // The heap begins with the empty name, which is less than every other one.
        let mut names = vec![0; 8];
        let mut members = Vec::with_capacity(group.members.len());
        for (name, node) in &group.members {
            let offset = names.len();
            names.extend(name.as_bytes());
            names.push(0);
            names.resize(padded(names.len()), 0);
            let symbol = match node {
                Node::Group(group) => {
                    let place = self.group(group)?;
                    entry(offset, place.header, Some(&place))
                }
                Node::Dataset(data) => entry(offset, self.dataset(data), None),
            };
            members.push((offset, symbol));
        }
        let tree = self.tree(&members);
        let mut heap = b"HEAP\0\0\0\0".to_vec();
        heap.extend((names.len() as u64).to_le_bytes());
        // Nothing of it is free.
        heap.extend(1u64.to_le_bytes());
        self.align();
        heap.extend((self.head.len() as u64 + 32).to_le_bytes());
        heap.extend(names);
        let heap = self.push(&heap);
        let table = [(tree as u64).to_le_bytes(), (heap as u64).to_le_bytes()].concat();
        let mut messages = vec![(message::SYMBOL_TABLE, table)];
        for (name, attribute) in &group.attributes {
            messages.extend(self.attribute(name, attribute)?);
        }
        let header = self.header(&messages);
        Ok(Place { header, tree, heap })
    }

    /// The symbol tables and the nodes of a group's B-tree; gives the address of its root.
    fn tree(&mut self, members: &[(usize, Vec<u8>)]) -> usize {
        // Of each child: its address, and the name of its last member.
        let mut children: Vec<(usize, usize)> = Vec::new();
        for members in members.chunks(2 * LEAF_K) {
            let mut table = b"SNOD\x01\0".to_vec();
            table.extend((members.len() as u16).to_le_bytes());
            members.iter().for_each(|(_, symbol)| table.extend(symbol));
            table.resize(8 + 2 * LEAF_K * 40, 0);
            let last = members.last().map_or(0, |(name, _)| *name);
            children.push((self.push(&table), last));
        }
        let mut level = 0u8;
        loop {
            const NODE: usize = 24 + 8 * (4 * NODE_K + 1);
            self.align();
            let first = self.head.len();
            let address = |node: usize| (first + node * NODE) as u64;
            let count = children.len().div_ceil(2 * NODE_K).max(1);
            let mut nodes = Vec::with_capacity(count);
            let mut before = 0;
            for at in 0..count {
                let start = (at * 2 * NODE_K).min(children.len());
                let children = &children[start..children.len().min(start + 2 * NODE_K)];
                let mut node = b"TREE\0".to_vec();
                node.push(level);
                node.extend((children.len() as u16).to_le_bytes());
                let left = at.checked_sub(1).map_or(NOWHERE, address);
                let right = Some(at + 1).filter(|&at| at < count);
                node.extend(left.to_le_bytes());
                node.extend(right.map_or(NOWHERE, address).to_le_bytes());
                node.extend((before as u64).to_le_bytes());
                for (child, last) in children {
                    node.extend((*child as u64).to_le_bytes());
                    node.extend((*last as u64).to_le_bytes());
                    before = *last;
                }
                node.resize(NODE, 0);
                nodes.push((self.push(&node), before));
            }
            if let [(root, _)] = nodes[..] {
                return root;
            }
            children = nodes;
            level += 1;
        }
    }

    fn dataset(&mut self, data: &Data<'a>) -> usize {
        let len = data.len() as u64;
        let mut layout = vec![3, 1];
        layout.extend(if len == 0 { NOWHERE } else { 0 }.to_le_bytes());
        layout.extend(len.to_le_bytes());
        let messages = [
            (message::DATASPACE, dataspace(data.shape())),
            (message::DATATYPE, data.datatype().encode()),
            // Version 2: space is taken late, zeros are written if there is nothing else, no value of its own.
            (message::FILL_VALUE, vec![2, 2, 2, 0]),
            (message::LAYOUT, layout),
        ];
        let header = self.header(&messages);
        if len > 0 {
            // The layout is the last message, and begins 24 bytes before the end with its padding.
            let at = self.head.len() - 24 + 2;
            self.places.push((at, self.values));
            self.values += padded(data.len()) as u64;
            self.data.push(data.clone());
        }
        header
    }

    /// See `Reader::header`.
    fn header(&mut self, messages: &[(u16, Vec<u8>)]) -> usize {
        let mut block = Vec::new();
        for (kind, bytes) in messages {
            let len = padded(bytes.len());
            block.extend(kind.to_le_bytes());
            block.extend((len as u16).to_le_bytes());
            block.extend([0; 4]);
            block.extend(bytes);
            block.resize(padded(block.len()), 0);
        }
        let mut header = vec![1, 0];
        header.extend((messages.len() as u16).to_le_bytes());
        header.extend(1u32.to_le_bytes());
        header.extend((block.len() as u32).to_le_bytes());
        header.extend([0; 4]);
        header.extend(block);
        self.push(&header)
    }

    /// See `Reader::attribute`; version 3, whose names are UTF-8.
    fn attribute(
        &mut self,
        name: &str,
        attribute: &Attribute,
    ) -> io::Result<Option<(u16, Vec<u8>)>> {
        let (datatype, space, value) = match attribute {
            Attribute::Text(text) => (
                Datatype::VariableText,
                dataspace(&[]),
                self.variable_text(text)?,
            ),
            Attribute::Texts(texts) => {
                let mut value = Vec::with_capacity(16 * texts.len());
                for text in texts {
                    value.extend(self.variable_text(text)?);
                }
                (Datatype::VariableText, dataspace(&[texts.len()]), value)
            }
            Attribute::Count(count) => {
                let datatype = Datatype::Number(Number::Unsigned(8));
                (datatype, dataspace(&[]), count.to_le_bytes().to_vec())
            }
            Attribute::Other => return Ok(None),
        };
        let (name, datatype) = ([name.as_bytes(), &[0]].concat(), datatype.encode());
        let mut bytes = vec![3, 0];
        for len in [name.len(), datatype.len(), space.len()] {
            bytes.extend((len as u16).to_le_bytes());
        }
        bytes.push(1);
        bytes.extend([name, datatype, space, value].concat());
        if bytes.len() > usize::from(u16::MAX) - 8 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "an attribute of an HDF5 file has less than 64 KiB",
            ));
        }
        Ok(Some((message::ATTRIBUTE, bytes)))
    }

    /// A string in the global heap; gives the reference to it.
    fn variable_text(&mut self, text: &str) -> io::Result<Vec<u8>> {
        let len = u32::try_from(text.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let needed = 16 + padded(text.len());
        let has_room = |collection: &Collection| {
            collection.used + needed <= collection.len && collection.objects < u16::MAX
        };
        let mut collection = match self.collection.take().filter(has_room) {
            Some(collection) => collection,
            None => {
                let len = (16 + needed).max(COLLECTION);
                let mut bytes = b"GCOL\x01\0\0\0".to_vec();
                bytes.extend((len as u64).to_le_bytes());
                bytes.resize(len, 0);
                Collection {
                    at: self.push(&bytes),
                    len,
                    used: 16,
                    objects: 0,
                }
            }
        };
        collection.objects += 1;
        let at = collection.at + collection.used;
        let object = |number: u16, len: usize| {
            let number = u64::from(number) | 1 << 16;
            [number.to_le_bytes(), (len as u64).to_le_bytes()].concat()
        };
        self.set(at, &object(collection.objects, text.len()));
        self.set(at + 16, text.as_bytes());
        collection.used += needed;
        let free = collection.len - collection.used;
        if free >= 16 {
            // What is free is an object of number 0, whose length includes its head.
            let [number, len] = [0u64, free as u64].map(u64::to_le_bytes);
            self.set(at + needed, &[number, len].concat());
        }
        let mut reference = len.to_le_bytes().to_vec();
        reference.extend((collection.at as u64).to_le_bytes());
        reference.extend(u32::from(collection.objects).to_le_bytes());
        self.collection = Some(collection);
        Ok(reference)
    }
}

/// An entry of a symbol table: u64 name, u64 header, u32 type, 4 bytes of 0, and of a group (type 1)
/// its B-tree and its heap.
fn entry(name: usize, header: usize, group: Option<&Place>) -> Vec<u8> {
    let mut entry = (name as u64).to_le_bytes().to_vec();
    entry.extend((header as u64).to_le_bytes());
    entry.extend(u64::from(group.is_some()).to_le_bytes());
    let (tree, heap) = group.map_or((0, 0), |place| (place.tree, place.heap));
    entry.extend((tree as u64).to_le_bytes());
    entry.extend((heap as u64).to_le_bytes());
    entry
}

/// See `dataspace` of the reader; version 1, with the largest dimensions, which are the same.
fn dataspace(shape: &[usize]) -> Vec<u8> {
    let mut bytes = vec![
        1,
        shape.len() as u8,
        u8::from(!shape.is_empty()),
        0,
        0,
        0,
        0,
        0,
    ];
    for dim in [shape, shape].concat() {
        bytes.extend((dim as u64).to_le_bytes());
    }
    bytes
}
