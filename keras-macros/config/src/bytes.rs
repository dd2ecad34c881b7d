//! The bytes of files: what they begin with, and the numbers in them, the lowest bytes first.

use std::io::{self, Read, Seek};

/// Whether a file begins with these bytes; it is at its beginning before and after.
///
/// # Errors
/// If it cannot be read.
pub fn begins_with<R: Read + Seek>(source: &mut R, signature: &[u8]) -> io::Result<bool> {
    let mut begin = Vec::new();
    let len = signature.len() as u64;
    source.by_ref().take(len).read_to_end(&mut begin)?;
    source.rewind()?;
    Ok(begin == signature)
}

/// Bytes that are taken from the front. Where there are not enough of them, the error says that the file
/// is damaged.
pub struct Fields<'a>(
    /// Those that are left.
    pub &'a [u8],
);

impl<'a> Fields<'a> {
    /// The next bytes.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(too_short)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next bytes as an array.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(too_short)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// A number of one byte.
    ///
    /// # Errors
    /// If there is none.
    pub fn u8(&mut self) -> Result<u8, String> {
        self.array().map(u8::from_le_bytes)
    }

    /// A number of two bytes.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn u16(&mut self) -> Result<u16, String> {
        self.array().map(u16::from_le_bytes)
    }

    /// A number of four bytes.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    /// A number of eight bytes.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn u64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_le_bytes)
    }
}

fn too_short() -> String {
    "The file is damaged: something in it is too short".into()
}
