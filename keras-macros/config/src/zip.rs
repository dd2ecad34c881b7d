//! Reading of zip archives, as far as Keras' files go: the directory, and members that are stored.
//!
//! ```text
//! members      each: a local header (30 bytes, its name, extra fields), its bytes
//! directory    each member: 46 bytes, its name, extra fields, a comment
//! its end      22 bytes and a comment; before it, in archives of more than 4 GB, 56 + 20 bytes ("zip64")
//! ```
//!
//! Numbers are little endian; what does not fit into 32 bits is all ones and stands in an extra field.

use std::io::{Read, Seek, SeekFrom};

/// A member of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, such as `config.json`.
    pub name: String,
    /// Where its bytes are in the file.
    pub offset: u64,
    /// How many there are.
    pub size: u64,
    /// Their CRC-32.
    pub crc: u32,
}

/// What the directory says of a member.
struct Entry {
    name: String,
    method: u16,
    crc: u32,
    stored: u64,
    size: u64,
    header: u64,
}

const END: [u8; 4] = *b"PK\x05\x06";
const END64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR64: [u8; 4] = *b"PK\x06\x07";
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";

/// A directory of Keras has three entries.
const MAX_DIRECTORY: u64 = 1 << 20;

/// The members of an archive.
///
/// # Errors
/// If it is none, or is damaged, or a member is compressed, which those of Keras' files are not.
pub fn members<R: Read + Seek>(file: &mut R) -> Result<Vec<Member>, String> {
    let len = file.seek(SeekFrom::End(0)).map_err(text)?;
    let directory = directory(file, len)?;
    let mut rest = &directory[..];
    let mut members = Vec::new();
    while let Some(entry) = entry(&mut rest)? {
        if entry.method != 0 || entry.stored != entry.size {
            return Err(format!(
                "Expected an archive whose members are stored, as Keras writes it. Received: `{}`, which is compressed",
                entry.name
            ));
        }
        // The lengths in the local header are its own.
        let local: [u8; 30] = at(file, entry.header)?;
        if local[..4] != LOCAL {
            return Err(damaged());
        }
        let skipped = u64::from(u16_at(&local, 26)) + u64::from(u16_at(&local, 28));
        let offset = entry.header.checked_add(30 + skipped);
        let end = offset.and_then(|offset| offset.checked_add(entry.size));
        let offset = offset.filter(|_| end.is_some_and(|end| end <= len));
        members.push(Member {
            offset: offset.ok_or_else(damaged)?,
            name: entry.name,
            size: entry.size,
            crc: entry.crc,
        });
    }
    Ok(members)
}

/// The bytes of a member.
///
/// # Errors
/// If there are more than `most`, or they are not those that were stored.
pub fn read<R: Read + Seek>(file: &mut R, member: &Member, most: u64) -> Result<Vec<u8>, String> {
    let name = &member.name;
    if member.size > most {
        let size = member.size;
        return Err(format!(
            "`{name}` has {size} bytes, more than the {most} that are expected at most"
        ));
    }
    file.seek(SeekFrom::Start(member.offset)).map_err(text)?;
    let mut bytes = Vec::new();
    file.take(member.size)
        .read_to_end(&mut bytes)
        .map_err(text)?;
    if bytes.len() as u64 != member.size || crc32(&bytes) != member.crc {
        return Err(format!("`{name}` is damaged: its checksum is another one"));
    }
    Ok(bytes)
}

/// The bytes of the directory.
fn directory<R: Read + Seek>(file: &mut R, len: u64) -> Result<Vec<u8>, String> {
    // The end has a comment of up to 65,535 bytes.
    let from = len.saturating_sub(22 + 0xffff);
    file.seek(SeekFrom::Start(from)).map_err(text)?;
    let mut tail = Vec::new();
    file.take(len - from).read_to_end(&mut tail).map_err(text)?;
    let is_end = |at: &usize| tail[*at..].starts_with(&END);
    let end = (0..tail.len().saturating_sub(21)).rev().find(is_end);
    let end =
        end.ok_or("Expected a `.keras` file, which is a zip archive. Received: something else")?;
    let mut size = u64::from(u32_at(&tail, end + 12));
    let mut offset = u64::from(u32_at(&tail, end + 16));
    if (offset == u32::MAX.into() || size == u32::MAX.into()) && end >= 20 {
        let locator = &tail[end - 20..end];
        if locator[..4] != LOCATOR64 {
            return Err(damaged());
        }
        let end64: [u8; 56] = at(file, u64_at(locator, 8))?;
        if end64[..4] != END64 {
            return Err(damaged());
        }
        (size, offset) = (u64_at(&end64, 40), u64_at(&end64, 48));
    }
    let is_within = offset.checked_add(size).is_some_and(|end| end <= len);
    if !is_within || size > MAX_DIRECTORY {
        return Err(damaged());
    }
    file.seek(SeekFrom::Start(offset)).map_err(text)?;
    let mut directory = Vec::new();
    file.take(size).read_to_end(&mut directory).map_err(text)?;
    Ok(directory)
}

/// The next entry of a directory; `None` at its end.
fn entry(rest: &mut &[u8]) -> Result<Option<Entry>, String> {
    if !rest.starts_with(&ENTRY) {
        return if rest.is_empty() {
            Ok(None)
        } else {
            Err(damaged())
        };
    }
    let (fixed, after) = rest.split_at_checked(46).ok_or_else(damaged)?;
    let lens = [28, 30, 32].map(|at| usize::from(u16_at(fixed, at)));
    let (name, after) = after.split_at_checked(lens[0]).ok_or_else(damaged)?;
    let (mut extra, after) = after.split_at_checked(lens[1]).ok_or_else(damaged)?;
    *rest = after.get(lens[2]..).ok_or_else(damaged)?;
    let mut numbers = [24, 20, 42].map(|at| u64::from(u32_at(fixed, at)));
    while let Some((head, after)) = extra.split_at_checked(4) {
        let (id, len) = (u16_at(head, 0), usize::from(u16_at(head, 2)));
        let (mut field, after) = after.split_at_checked(len).ok_or_else(damaged)?;
        extra = after;
        if id != 1 {
            continue;
        }
        let long = numbers
            .iter_mut()
            .filter(|number| **number == u32::MAX.into());
        for number in long {
            let (value, after) = field.split_at_checked(8).ok_or_else(damaged)?;
            (*number, field) = (u64_at(value, 0), after);
        }
    }
    let [size, stored, header] = numbers;
    Ok(Some(Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        method: u16_at(fixed, 10),
        crc: u32_at(fixed, 16),
        stored,
        size,
        header,
    }))
}

fn damaged() -> String {
    "The zip archive is damaged".to_owned()
}

fn text(error: std::io::Error) -> String {
    error.to_string()
}

fn at<const N: usize, R: Read + Seek>(file: &mut R, offset: u64) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(offset)).map_err(text)?;
    file.read_exact(&mut bytes).map_err(|_| damaged())?;
    Ok(bytes)
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut number = [0; N];
    for (to, from) in number.iter_mut().zip(bytes.iter().skip(at)) {
        *to = *from;
    }
    number
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(number(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(number(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(number(bytes, at))
}

/// `TABLE[b]`: the remainder of the byte `b`, by the polynomial of zip.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            let carry = remainder & 1 == 1;
            remainder >>= 1;
            if carry {
                remainder ^= 0xedb8_8320;
            }
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
};

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)];
    !bytes.iter().fold(!0, step)
}
