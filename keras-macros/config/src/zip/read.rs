//! Reading archives.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};

use super::{EXTRA_64, Entry, IN_64, STORED, signature};
use crate::bytes::{Fields, begins_with};
use crate::crc::Crc32;

const IS_ENCRYPTED: u16 = 1;

/// The longest directory, and the longest comment after it.
const MAX_DIRECTORY: u64 = 1 << 20;
const MAX_COMMENT: u64 = u16::MAX as u64;

/// The lengths of the parts without names.
const LOCAL_LEN: u64 = 30;
const END_LEN: u64 = 22;
const END_64_LEN: u64 = 56;
const LOCATOR_64_LEN: u64 = 20;

/// Fails with a sentence about what is wrong with the archive.
type Checked<T> = Result<T, String>;

fn damaged(what: impl std::fmt::Display) -> String {
    format!("The file is damaged: {what}")
}

/// Whether a file is an archive; it is at its beginning before and after.
///
/// # Errors
/// If it cannot be read.
pub fn is_zip<R: Read + Seek>(source: &mut R) -> io::Result<bool> {
    begins_with(source, &signature::LOCAL.to_le_bytes())
}

/// An archive, to read.
pub struct Archive<R> {
    source: R,
    /// Each with where its bytes begin, in the order of the file.
    entries: Vec<(Entry, u64)>,
    /// Which entry has a name.
    places: HashMap<String, usize>,
}

/// The bytes of an entry.
pub trait Content: Read + Seek {}

impl<T: Read + Seek> Content for T {}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory.
    ///
    /// # Errors
    /// If it is no archive, or is damaged.
    pub fn open(mut source: R) -> Checked<Self> {
        let directory = Directory::find(&mut source)?;
        let bytes = read_at(&mut source, directory.at, directory.len)?;
        let mut fields = Fields(&bytes);
        let mut entries: Vec<(Entry, u64)> = Vec::new();
        for _ in 0..directory.count {
            entries.push((Entry::read(&mut fields)?, 0));
        }
        entries.sort_by_key(|(entry, _)| entry.at);
        let mut free = 0;
        for (entry, begin) in &mut entries {
            (*begin, free) = entry.place(&mut source, free, directory.at)?;
        }
        let mut places = HashMap::with_capacity(entries.len());
        for (at, (entry, _)) in entries.iter().enumerate() {
            if places.insert(entry.name.clone(), at).is_some() {
                return Err(damaged(format_args!("two entries are '{}'", entry.name)));
            }
        }
        Ok(Self {
            source,
            entries,
            places,
        })
    }

    /// The names of the entries, and how many bytes each has.
    pub fn entries(&self) -> impl Iterator<Item = (&str, u64)> {
        let entries = self.entries.iter();
        entries.map(|(entry, _)| (entry.name.as_str(), entry.len))
    }

    /// Whether there is an entry of a name.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The text of an entry of at most `max` bytes, if it is there.
    ///
    /// # Errors
    /// If it is longer, or damaged.
    pub fn text(&mut self, name: &str, max: u64) -> Checked<Option<String>> {
        if let Some((entry, _)) = self.find(name)
            && entry.len > max
        {
            return Err(format!(
                "Expected '{name}' of at most {max} bytes. Received: {}",
                entry.len
            ));
        }
        let Some(mut content) = self.content(name)? else {
            return Ok(None);
        };
        let mut text = String::new();
        let read = content.read_to_string(&mut text);
        read.map_err(|error| damaged(format_args!("'{name}': {error}")))?;
        Ok(Some(text))
    }

    fn find(&self, name: &str) -> Option<&(Entry, u64)> {
        self.entries.get(*self.places.get(name)?)
    }

    /// An entry whose checksum is right, if it is there.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn content(&mut self, name: &str) -> Checked<Option<Box<dyn Content + '_>>> {
        let Some((entry, begin)) = self.find(name).cloned() else {
            return Ok(None);
        };
        let mut section = Section {
            source: &mut self.source,
            begin,
            len: entry.compressed,
            at: 0,
        };
        if entry.method != STORED {
            return inflate(&entry, section).map(Some);
        }
        let mut crc = Crc32::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            match section
                .read(&mut piece)
                .map_err(|error| error.to_string())?
            {
                0 => break,
                count => crc.update(&piece[..count]),
            }
        }
        entry.check(crc.value(), section.at)?;
        section.at = 0;
        Ok(Some(Box::new(section)))
    }
}

/// Decompresses an entry, as far as it is no bomb.
#[cfg(feature = "deflate")]
fn inflate<'a, R: Read + Seek>(
    entry: &Entry,
    mut section: Section<'a, R>,
) -> Checked<Box<dyn Content + 'a>> {
    /// What an entry may become in any case, and how many times what it was beyond that.
    const MAX_SMALL: u64 = 1 << 26;
    const MAX_GROWTH: u64 = 100;
    const DEFLATED: u16 = 8;
    let Entry { name, len, .. } = entry;
    if entry.method != DEFLATED {
        return Err(format!("Entry '{name}' is compressed by an unknown method"));
    }
    if *len > MAX_SMALL && *len > entry.compressed.saturating_mul(MAX_GROWTH) {
        return Err(format!(
            "Entry '{name}' of {} bytes says it becomes {len} bytes when it is decompressed",
            entry.compressed
        ));
    }
    let mut compressed = Vec::new();
    let read = section.read_to_end(&mut compressed);
    read.map_err(|error| error.to_string())?;
    let max = usize::try_from(*len).map_err(|error| error.to_string())?;
    let bytes = miniz_oxide::inflate::decompress_to_vec_with_limit(&compressed, max);
    let bytes = bytes.map_err(|error| damaged(format_args!("entry '{name}': {error}")))?;
    let mut crc = Crc32::new();
    crc.update(&bytes);
    entry.check(crc.value(), bytes.len() as u64)?;
    Ok(Box::new(io::Cursor::new(bytes)))
}

#[cfg(not(feature = "deflate"))]
fn inflate<'a, R: Read + Seek>(entry: &Entry, _: Section<'a, R>) -> Checked<Box<dyn Content + 'a>> {
    Err(format!(
        "Entry '{}' is compressed, which Keras does not do. The feature `deflate` of keras-runtime reads it",
        entry.name
    ))
}

/// Where the directory is.
struct Directory {
    count: u64,
    len: u64,
    at: u64,
}

impl Directory {
    /// From the end of the archive.
    fn find<R: Read + Seek>(source: &mut R) -> Checked<Self> {
        let len = source
            .seek(SeekFrom::End(0))
            .map_err(|error| error.to_string())?;
        let tail = len.saturating_sub(END_LEN + MAX_COMMENT);
        let bytes = read_at(source, tail, len - tail)?;
        let is_end = |at: &usize| {
            let mut fields = Fields(&bytes[*at..]);
            let comment = bytes.len() - at - END_LEN as usize;
            fields.u32() == Ok(signature::END)
                && fields.take(16).is_ok()
                && fields.u16().map(usize::from) == Ok(comment)
        };
        let places = 0..(bytes.len() + 1).saturating_sub(END_LEN as usize);
        let at = places.rev().find(is_end);
        let at = at.ok_or_else(|| {
            damaged("it does not end in its directory, and may have been cut short")
        })?;
        let mut fields = Fields(&bytes[at..]);
        fields.take(10)?;
        let (count, size, begin) = (fields.u16()?, fields.u32()?, fields.u32()?);
        let mut end = tail + at as u64;
        let mut found = Self {
            count: count.into(),
            len: size.into(),
            at: begin.into(),
        };
        if count == u16::MAX || size == IN_64 || begin == IN_64 {
            (found, end) = Self::find_64(source, end)?;
        }
        let fits = found
            .at
            .checked_add(found.len)
            .is_some_and(|last| last <= end);
        if !fits || found.len > MAX_DIRECTORY {
            return Err(damaged("its directory is not where it says"));
        }
        Ok(found)
    }

    /// The same in 64 bits, and where it ends.
    fn find_64<R: Read + Seek>(source: &mut R, end: u64) -> Checked<(Self, u64)> {
        let missing = || damaged("it has no directory in 64 bits");
        let locator = end.checked_sub(LOCATOR_64_LEN).ok_or_else(missing)?;
        let bytes = read_at(source, locator, LOCATOR_64_LEN)?;
        let mut fields = Fields(&bytes);
        let is_locator = fields.u32()? == signature::LOCATOR_64;
        fields.take(4)?;
        let at = fields.u64()?;
        let last = at.checked_add(END_64_LEN).filter(|last| *last <= locator);
        if !is_locator || last.is_none() {
            return Err(missing());
        }
        let bytes = read_at(source, at, END_64_LEN)?;
        let mut fields = Fields(&bytes);
        if fields.u32()? != signature::END_64 {
            return Err(missing());
        }
        fields.take(28)?;
        let found = Self {
            count: fields.u64()?,
            len: fields.u64()?,
            at: fields.u64()?,
        };
        Ok((found, at))
    }
}

impl Entry {
    /// The next entry of the directory.
    fn read(fields: &mut Fields<'_>) -> Checked<Self> {
        if fields.u32()? != signature::CENTRAL {
            return Err(damaged("its directory has no entry where it says"));
        }
        fields.take(4)?;
        let (flags, method) = (fields.u16()?, fields.u16()?);
        fields.take(4)?;
        let crc = fields.u32()?;
        let sizes = [fields.u32()?, fields.u32()?];
        let [name, extra, comment] = [fields.u16()?, fields.u16()?, fields.u16()?];
        fields.take(8)?;
        let at = fields.u32()?;
        let name = fields.take(name.into())?;
        let name = str::from_utf8(name).map_err(|_| damaged("the name of an entry is no text"))?;
        let mut extra = Fields(fields.take(extra.into())?);
        fields.take(comment.into())?;
        let mut in_64 = Fields(&[]);
        while !extra.0.is_empty() {
            let (kind, len) = (extra.u16()?, extra.u16()?);
            let field = extra.take(len.into())?;
            if kind == EXTRA_64 {
                in_64 = Fields(field);
            }
        }
        let mut number = |number: u32| match number {
            IN_64 => in_64.u64(),
            number => Ok(number.into()),
        };
        let [compressed, len] = sizes;
        let (len, compressed, at) = (number(len)?, number(compressed)?, number(at)?);
        if flags & IS_ENCRYPTED != 0 {
            return Err(format!("Entry '{name}' is encrypted"));
        }
        if method == STORED && len != compressed {
            return Err(damaged(format_args!("entry '{name}' has two sizes")));
        }
        Ok(Self {
            name: name.into(),
            crc,
            method,
            compressed,
            len,
            at,
        })
    }

    /// Where its bytes begin and end, which is between `free` and the directory.
    fn place<R: Read + Seek>(&self, source: &mut R, free: u64, max: u64) -> Checked<(u64, u64)> {
        let misplaced = || damaged(format_args!("entry '{}' is not where it says", self.name));
        let len = LOCAL_LEN + self.name.len() as u64;
        let last = self.at.checked_add(len).filter(|last| *last <= max);
        if self.at < free || last.is_none() {
            return Err(misplaced());
        }
        let header = read_at(source, self.at, len)?;
        let mut fields = Fields(&header);
        let is_header = fields.u32()? == signature::LOCAL;
        fields.take(22)?;
        let (name, extra) = (fields.u16()?, fields.u16()?);
        let is_same = usize::from(name) == self.name.len() && fields.0 == self.name.as_bytes();
        let begin = self.at + len + u64::from(extra);
        let end = begin.checked_add(self.compressed).filter(|end| *end <= max);
        match end {
            Some(end) if is_header && is_same => Ok((begin, end)),
            _ => Err(misplaced()),
        }
    }

    /// Whether its bytes are what they were.
    fn check(&self, crc: u32, len: u64) -> Checked<()> {
        if (crc, len) == (self.crc, self.len) {
            return Ok(());
        }
        Err(damaged(format_args!(
            "the checksum of '{}' is another one",
            self.name
        )))
    }
}

/// So many bytes from a place that lies in the archive.
fn read_at<R: Read + Seek>(source: &mut R, at: u64, len: u64) -> Checked<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = source
        .seek(SeekFrom::Start(at))
        .and_then(|_| source.take(len).read_to_end(&mut bytes));
    match read {
        Ok(count) if count as u64 == len => Ok(bytes),
        Ok(_) => Err(damaged("it ends early")),
        Err(error) => Err(error.to_string()),
    }
}

/// A part of an archive, as a file of its own.
struct Section<'a, R> {
    source: &'a mut R,
    begin: u64,
    len: u64,
    at: u64,
}

impl<R: Read + Seek> Read for Section<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.len.saturating_sub(self.at);
        let len = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        self.source.seek(SeekFrom::Start(self.begin + self.at))?;
        let count = self.source.read(&mut buffer[..len])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for Section<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
