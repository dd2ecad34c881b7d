//! Writing archives.

use std::io::{self, Write};

use super::{EXTRA_64, Entry, IN_64, STORED, signature};
use crate::crc::Crc32;

/// The names are in UTF-8.
const UTF_8: u16 = 1 << 11;

/// 1980-01-01, the first day of zip: what is written does not depend on when.
const DATE: u16 = 0x21;

/// Writes an archive.
pub struct Writer<'a> {
    out: &'a mut dyn Write,
    entries: Vec<Entry>,
    at: u64,
}

impl<'a> Writer<'a> {
    /// An archive with nothing before it.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            entries: Vec::new(),
            at: 0,
        }
    }

    /// Adds an entry. `write` is called twice and writes the same: its size and its checksum come before
    /// its bytes.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(
        &mut self,
        name: &str,
        write: impl Fn(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut counted = Counted {
            crc: Crc32::new(),
            len: 0,
        };
        write(&mut counted)?;
        let entry = Entry {
            name: name.into(),
            crc: counted.crc.value(),
            method: STORED,
            compressed: counted.len,
            len: counted.len,
            at: self.at,
        };
        let header = entry.local();
        self.out.write_all(&header)?;
        write(self.out)?;
        self.at += header.len() as u64 + entry.len;
        self.entries.push(entry);
        Ok(())
    }

    /// Writes the directory.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(self) -> io::Result<()> {
        let (begin, count) = (self.at, self.entries.len() as u64);
        let directory: Vec<u8> = self.entries.iter().flat_map(Entry::central).collect();
        let len = directory.len() as u64;
        let end_64 = begin + len;
        self.out.write_all(&directory)?;
        let mut end = Bytes::default();
        if end_64 > u64::from(IN_64) || count >= u64::from(u16::MAX) {
            end = end
                .u32(signature::END_64)
                .u64(44)
                .u16(45)
                .u16(45)
                .u32(0)
                .u32(0);
            end = end.u64(count).u64(count).u64(len).u64(begin);
            end = end.u32(signature::LOCATOR_64).u32(0).u64(end_64).u32(1);
        }
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        end = end.u32(signature::END).u16(0).u16(0).u16(count).u16(count);
        end = end.u32(low(len)).u32(low(begin)).u16(0);
        self.out.write_all(&end.0)
    }
}

/// A number, or where it is instead.
fn low(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(IN_64)
}

impl Entry {
    fn local(&self) -> Vec<u8> {
        let is_large = self.len >= u64::from(IN_64);
        let bytes = Bytes::default().u32(signature::LOCAL);
        let bytes = self.common(bytes, is_large);
        let mut bytes = bytes.u16(if is_large { 20 } else { 0 });
        bytes.0.extend(self.name.as_bytes());
        if is_large {
            bytes = bytes
                .u16(EXTRA_64)
                .u16(16)
                .u64(self.len)
                .u64(self.compressed);
        }
        bytes.0
    }

    fn central(&self) -> Vec<u8> {
        let is_large = self.len >= u64::from(IN_64);
        let is_far = self.at >= u64::from(IN_64);
        let extra = 16 * u16::from(is_large) + 8 * u16::from(is_far);
        let bytes = Bytes::default().u32(signature::CENTRAL).u16(45);
        let bytes = self.common(bytes, is_large);
        let bytes = bytes.u16(if extra > 0 { 4 + extra } else { 0 });
        let mut bytes = bytes.u16(0).u16(0).u16(0).u32(0).u32(low(self.at));
        bytes.0.extend(self.name.as_bytes());
        if extra > 0 {
            bytes = bytes.u16(EXTRA_64).u16(extra);
        }
        if is_large {
            bytes = bytes.u64(self.len).u64(self.compressed);
        }
        if is_far {
            bytes = bytes.u64(self.at);
        }
        bytes.0
    }

    /// From the version to the length of the name.
    fn common(&self, bytes: Bytes, is_large: bool) -> Bytes {
        let sizes = [self.compressed, self.len].map(|len| if is_large { IN_64 } else { low(len) });
        let bytes = bytes
            .u16(if is_large { 45 } else { 20 })
            .u16(UTF_8)
            .u16(self.method);
        let bytes = bytes
            .u16(0)
            .u16(DATE)
            .u32(self.crc)
            .u32(sizes[0])
            .u32(sizes[1]);
        bytes.u16(self.name.len() as u16)
    }
}

/// Bytes in little endian.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn u16(mut self, number: u16) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn u32(mut self, number: u32) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn u64(mut self, number: u64) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }
}

/// The checksum and the number of the bytes that are written to it.
struct Counted {
    crc: Crc32,
    len: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.crc.update(bytes);
        self.len += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
