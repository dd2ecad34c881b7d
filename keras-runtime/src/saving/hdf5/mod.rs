//! The part of HDF5 that Keras' files are made of, read and written.
//!
//! HDF5 is a format of a hundred features. h5py, as Keras uses it, writes few of them:
//!
//! ```text
//! superblock          version 0, at the beginning: where the root group is, where the file ends
//! object header       version 1: messages that say what an object is, in one or more blocks
//!   group             where its B-tree and its local heap are; attributes
//!   dataset           dataspace (shape), datatype, layout (where its values are); attributes
//! B-tree              of a group: nodes whose leaves are symbol tables (SNOD), in the order of the names
//! local heap          of a group: the names of its members
//! global heap         GCOL: the strings of attributes whose length varies
//! values              contiguous, little endian, neither compressed nor in chunks
//! ```
//!
//! All of it is in [the specification], sections II to IV. Addresses and lengths have eight bytes.
//!
//! What is read is not trusted: every address and every length is checked against the length of the
//! file, objects have one name, what their values take is not more than the file, and no byte of the
//! rest is read more than a few times.
//!
//! [the specification]: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t11.html

mod datatype;
mod read;
mod write;

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use datatype::Datatype;
use keras_config::bytes::begins_with;
pub(crate) use read::{Dataset, Reader};
pub(crate) use write::{Data, Layout, MAX_TEXTS};

/// Reading fails with a sentence about what is wrong with the file.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// What every file begins with.
const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// An address of nothing.
const NOWHERE: u64 = u64::MAX;

/// The most axes that a dataset may have.
const MAX_RANK: usize = 32;

/// The types of the messages of an object header.
mod message {
    pub const DATASPACE: u16 = 0x01;
    pub const DATATYPE: u16 = 0x03;
    pub const FILL_VALUE: u16 = 0x05;
    pub const LAYOUT: u16 = 0x08;
    pub const ATTRIBUTE: u16 = 0x0c;
    pub const CONTINUATION: u16 = 0x10;
    pub const SYMBOL_TABLE: u16 = 0x11;
}

/// Whether a file is one; it is at its beginning before and after.
pub(crate) fn is_hdf5<R: Read + Seek>(source: &mut R) -> io::Result<bool> {
    begins_with(source, &SIGNATURE)
}

/// A group: attributes and members, whose datasets are `D`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group<D> {
    pub attributes: Vec<(String, Attribute)>,
    /// In the order of the bytes of their names, as in the file.
    pub members: BTreeMap<String, Node<D>>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node<D> {
    Group(Group<D>),
    Dataset(D),
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Attribute {
    /// A string of any length.
    Text(String),
    /// A list of strings.
    Texts(Vec<String>),
    /// A number that is not negative.
    Count(u64),
    /// Something else, which is read as far as it can be skipped.
    Other,
}

impl<D> Group<D> {
    /// The member at a path such as `layers/dense/vars`.
    pub fn get(&self, path: &str) -> Option<&Node<D>> {
        let (name, rest) = match path.split_once('/') {
            Some((name, rest)) => (name, Some(rest)),
            None => (path, None),
        };
        match (self.members.get(name)?, rest) {
            (Node::Group(group), Some(rest)) => group.get(rest),
            (Node::Dataset(_), Some(_)) => None,
            (node, None) => Some(node),
        }
    }

    /// The group at a path.
    pub fn group(&self, path: &str) -> Option<&Self> {
        match self.get(path)? {
            Node::Group(group) => Some(group),
            Node::Dataset(_) => None,
        }
    }

    /// The dataset at a path.
    pub fn dataset(&self, path: &str) -> Option<&D> {
        match self.get(path)? {
            Node::Dataset(dataset) => Some(dataset),
            Node::Group(_) => None,
        }
    }

    /// The group at a path, which is made if it is not there; `None` if a dataset is in the way.
    pub fn make(&mut self, path: &str) -> Option<&mut Self> {
        path.split('/').try_fold(self, |group, name| {
            let new = || Node::Group(Self::default());
            match group.members.entry(name.to_owned()).or_insert_with(new) {
                Node::Group(group) => Some(group),
                Node::Dataset(_) => None,
            }
        })
    }

    /// The attribute of a name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        let named = self.attributes.iter().find(|(known, _)| known == name);
        named.map(|(_, attribute)| attribute)
    }
}

impl<D> Default for Group<D> {
    fn default() -> Self {
        Self {
            attributes: Vec::new(),
            members: BTreeMap::new(),
        }
    }
}

/// A length as the host counts.
fn size(len: u64) -> Result<usize> {
    usize::try_from(len).map_err(|_| "The file is damaged: something is too large".into())
}

/// The next multiple of 8.
const fn padded(len: usize) -> usize {
    len.next_multiple_of(8)
}

#[cfg(test)]
mod tests;
