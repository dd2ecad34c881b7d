//! Files in memory: what is written is read, and nothing that is damaged does harm. Files of h5py are in
//! `tests/conformance/weights.rs`.

use std::borrow::Cow;
use std::io::Cursor;

use super::*;

fn bytes(root: &Group<Data<'_>>) -> Vec<u8> {
    let layout = Layout::new(root).expect("a small file");
    let mut bytes = Vec::new();
    layout.write(&mut bytes).expect("a vector takes everything");
    bytes
}

fn data(values: &[f32]) -> Node<Data<'static>> {
    let shape: &[usize] = Box::leak(Box::new([values.len()]));
    Node::Dataset(Data::Floats(shape, Cow::Owned(values.to_vec())))
}

/// Groups with no, one and many members, strings short and long.
fn tree(members: usize) -> Group<Data<'static>> {
    let mut root = Group::default();
    let text = |name: &str, text: String| (name.to_owned(), Attribute::Text(text));
    root.attributes
        .push(("seed".into(), Attribute::Count(u64::MAX)));
    root.attributes.push(text("long", "größer ".repeat(2000)));
    root.attributes.push(text("empty", String::new()));
    let names: Vec<String> = (0..members).map(|name| format!("layer_{name}")).collect();
    root.attributes
        .push(("names".into(), Attribute::Texts(names)));
    for name in 0..members {
        let path = format!("layers/dense_{name}/vars");
        let group = root.make(&path).expect("no dataset is in the way");
        group.attributes.push(text("name", format!("layer {name}")));
        group.members.insert("0".into(), data(&[name as f32, 0.5]));
        group.members.insert("1".into(), data(&[]));
        let count = Node::Dataset(Data::Integer(name as u64));
        group.members.insert("2".into(), count);
    }
    root.make("empty").expect("a group");
    root
}

/// A file in memory, and its tree.
type Opened<'a> = (Reader<Cursor<&'a [u8]>>, Group<Dataset>);

fn open(bytes: &[u8]) -> Result<Opened<'_>> {
    Reader::open(Cursor::new(bytes))
}

/// Reads everything that is in a file.
fn read(bytes: &[u8]) -> Result<Vec<f32>> {
    let (mut reader, root) = open(bytes)?;
    let mut values = Vec::new();
    let mut groups = vec![&root];
    while let Some(group) = groups.pop() {
        for node in group.members.values() {
            match node {
                Node::Group(group) => groups.push(group),
                Node::Dataset(dataset) => {
                    reader.count(dataset)?;
                    values.extend(reader.floats(dataset)?);
                }
            }
        }
    }
    Ok(values)
}

#[test]
fn what_is_written_is_read() {
    // A leaf holds 8 members, a node 32 of them: from 257 on there are two levels.
    for members in [0, 1, 8, 9, 256, 257, 700] {
        let (tree, bytes) = (tree(members), bytes(&tree(members)));
        let (mut reader, root) = open(&bytes).expect("a whole file");
        assert_eq!(root.attributes, tree.attributes, "{members}");
        assert!(
            root.group("empty")
                .is_some_and(|group| group.members.is_empty())
        );
        let layers = root
            .group("layers")
            .map_or(0, |layers| layers.members.len());
        assert_eq!(layers, members);
        for name in 0..members {
            let group = root
                .group(&format!("layers/dense_{name}/vars"))
                .expect("a layer");
            let text = Attribute::Text(format!("layer {name}"));
            assert_eq!(group.attribute("name"), Some(&text));
            let dataset = |name: &str| group.dataset(name).expect("a dataset");
            assert_eq!(reader.floats(dataset("0")), Ok(vec![name as f32, 0.5]));
            assert_eq!(reader.floats(dataset("1")), Ok(vec![]));
            assert_eq!(dataset("1").shape, [0]);
            assert_eq!(reader.count(dataset("2")), Ok(Some(name as u64)));
            assert_eq!(reader.count(dataset("0")), Ok(None));
        }
    }
}

#[test]
fn a_file_that_ends_early_is_an_error() {
    let whole = bytes(&tree(9));
    for end in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        assert!(read(&whole[..end]).is_err(), "{end} of {}", whole.len());
    }
}

#[test]
fn values_are_read_once() {
    let whole = bytes(&tree(9));
    let (mut reader, root) = open(&whole).expect("a whole file");
    let dataset = root.dataset("layers/dense_3/vars/0").expect("a dataset");
    let reads = (0..whole.len())
        .map_while(|_| reader.floats(dataset).ok())
        .count();
    assert!(reads <= whole.len() / 8, "{reads}");
}

/// Changed bytes and numbers: an error or other values, but no panic, no hang, no memory that is not there.
#[test]
fn damaged_files_do_no_harm() {
    let whole = bytes(&tree(3));
    let head = whole.len().min(12_000);
    for at in (0..head).filter(|at| at % 3 == 0 || whole[*at] != 0) {
        for change in [0x01, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= change;
            let _ = read(&damaged);
        }
    }
    for at in (0..head - 8).step_by(8) {
        for number in [
            0,
            8,
            96,
            whole.len() as u64 - 8,
            1 << 40,
            1 << 63,
            u64::MAX - 7,
            u64::MAX,
        ] {
            let mut damaged = whole.clone();
            damaged[at..at + 8].copy_from_slice(&number.to_le_bytes());
            let _ = read(&damaged);
        }
    }
}
