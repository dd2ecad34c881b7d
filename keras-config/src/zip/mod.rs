//! The part of zip that Keras' archives are made of.
//!
//! ```text
//! entry, ..           of each: local header, name, its bytes
//! directory           of each entry: its name, size, checksum, and where it is
//! end                 where the directory is; before it, in archives beyond 4 GB, the same in 64 bits
//! ```
//!
//! Entries are stored as they are, as Keras stores them. An archive that was compressed again is read if
//! the feature `deflate` is on. What is read is not trusted: entries lie one after the other between the
//! beginning and the directory, no name is there twice, checksums are right, and nothing grows to much
//! more than it was when it is decompressed.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{Archive, is_zip};
pub use write::Writer;

/// What the parts begin with.
mod signature {
    pub const LOCAL: u32 = 0x0403_4b50;
    pub const CENTRAL: u32 = 0x0201_4b50;
    pub const END: u32 = 0x0605_4b50;
    pub const END_64: u32 = 0x0606_4b50;
    pub const LOCATOR_64: u32 = 0x0706_4b50;
}

/// The field of an entry's sizes in 64 bits.
const EXTRA_64: u16 = 1;

/// What a field of 32 bits has where the value is in one of 64.
const IN_64: u32 = u32::MAX;

/// How an entry is in the archive.
const STORED: u16 = 0;

/// An entry of the directory.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    crc: u32,
    method: u16,
    /// Its size in the archive.
    compressed: u64,
    /// Its size when it is decompressed.
    len: u64,
    /// Where its header is.
    at: u64,
}
