//! Archives in memory, whole and damaged.

use std::io::{Cursor, Read};

use super::*;

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    for (name, bytes) in entries {
        let added = writer.add(name, |out| out.write_all(bytes));
        added.expect("a vector takes everything");
    }
    writer.finish().expect("a vector takes everything");
    out
}

/// Every entry of an archive.
fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut archive = Archive::open(Cursor::new(bytes))?;
    let mut entries = Vec::new();
    for name in ["metadata.json", "größe", "empty"] {
        if let Some(mut content) = archive.content(name)? {
            let mut bytes = Vec::new();
            let read = content.read_to_end(&mut bytes);
            read.map_err(|error| error.to_string())?;
            entries.push((name.to_owned(), bytes));
        }
    }
    Ok(entries)
}

fn whole() -> Vec<u8> {
    archive(&[
        ("metadata.json", b"{}"),
        ("größe", &[7; 300]),
        ("empty", b""),
    ])
}

#[test]
fn what_is_written_is_read() {
    let entries = read(&whole()).expect("an archive");
    let lens: Vec<_> = entries
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.len()))
        .collect();
    assert_eq!(lens, [("metadata.json", 2), ("größe", 300), ("empty", 0)]);
    assert_eq!(read(&archive(&[])), Ok(Vec::new()));
    let mut archive = Archive::open(Cursor::new(whole())).expect("an archive");
    assert_eq!(archive.text("metadata.json", 2), Ok(Some("{}".into())));
    assert!(archive.text("metadata.json", 1).is_err());
    assert_eq!(archive.text("config.json", 9), Ok(None));
}

#[test]
fn an_archive_that_ends_early_is_an_error() {
    let whole = whole();
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_err(), "{end} of {}", whole.len());
    }
}

/// What is not an error leaves the entries as they were: the time of an entry, for one.
#[test]
fn no_changed_byte_changes_an_entry() {
    let whole = whole();
    let entries = read(&whole).expect("an archive");
    for at in 0..whole.len() {
        for change in [0x01, 0x08, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= change;
            if let Ok(found) = read(&damaged) {
                let same = |entry: &(String, Vec<u8>)| entries.contains(entry);
                assert!(found.iter().all(same), "byte {at} ^ {change:#x}");
            }
        }
    }
}

#[test]
fn two_entries_of_one_name_are_refused() {
    let error = read(&archive(&[("empty", b"a"), ("empty", b"b")])).unwrap_err();
    assert_eq!(error, "The file is damaged: two entries are 'empty'");
}

/// Two entries of the directory that share their bytes: the way of zip bombs.
#[test]
fn entries_that_overlap_are_refused() {
    let bytes = archive(&[("empty", b"aaaa"), ("größe", b"bbbb")]);
    let (first, second) = (0u32, 30 + 5 + 4u32);
    let place = bytes
        .windows(4)
        .rposition(|window| window == second.to_le_bytes());
    let mut hostile = bytes.clone();
    let place = place.expect("the place of the second entry");
    hostile[place..place + 4].copy_from_slice(&first.to_le_bytes());
    assert!(read(&hostile).unwrap_err().contains("not where it says"));
}

/// Sizes in 64 bits, as archives beyond 4 GB have them, of a small one.
#[test]
fn sizes_in_64_bits_are_read() {
    let python = include_bytes!("../../../../tests/reference/fixtures/archives/zip64.zip");
    let entries = read(python).expect("an archive");
    assert_eq!(
        entries,
        [("metadata.json".to_owned(), b"{\"a\": 1}".to_vec())]
    );
}

#[test]
fn compressed_entries_are_read_if_that_is_asked_for() {
    let python = include_bytes!("../../../../tests/reference/fixtures/archives/deflated.zip");
    let read = read(python);
    if cfg!(feature = "deflate") {
        assert_eq!(
            read,
            Ok(vec![("metadata.json".to_owned(), vec![b'a'; 1000])])
        );
    } else {
        assert!(read.unwrap_err().contains("feature `deflate`"));
    }
}

/// The reader here refuses directories that are as long; those of others count on it.
#[test]
fn more_entries_than_a_field_of_16_bits_holds_are_counted_in_64() {
    let names: Vec<String> = (0..65_600).map(|at| at.to_string()).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let bytes = archive(&entries);
    let end = &bytes[bytes.len() - (56 + 20 + 22)..];
    assert_eq!(end[..4], signature::END_64.to_le_bytes());
    assert_eq!(end[24..32], 65_600u64.to_le_bytes());
    assert_eq!(end[32..40], 65_600u64.to_le_bytes());
    assert_eq!(end[76 + 8..76 + 12], [0xff; 4]);
}
