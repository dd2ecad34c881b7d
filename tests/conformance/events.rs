//! What `TensorBoard` writes, read byte by byte, beside what Keras' writes, as in `events.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use keras::prelude::*;
use ndarray::{Array2, arr1, arr2};
use serde_json::Value;

use crate::fixture::{load, number};

sequential! {
    Sequential<2>;
    Dense(3, name = "dense"),
}

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    let add = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !bytes.iter().fold(!0, add)
}

fn masked(bytes: &[u8]) -> u32 {
    let crc = crc32c(bytes);
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Takes bytes off the front.
fn take<'a>(bytes: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (front, rest) = bytes.split_at(len);
    *bytes = rest;
    front
}

fn take_u32(bytes: &mut &[u8]) -> u32 {
    u32::from_le_bytes(take(bytes, 4).try_into().expect("four bytes"))
}

/// The records of a file, whose checksums are right.
fn records(mut file: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    while !file.is_empty() {
        let length = take(&mut file, 8);
        assert_eq!(take_u32(&mut file), masked(length));
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
        let record = take(&mut file, length as usize);
        assert_eq!(take_u32(&mut file), masked(record));
        records.push(record);
    }
    records
}

/// A field of a protocol buffer.
#[derive(Clone, Copy, Debug)]
enum Field<'a> {
    Int(u64),
    Double(f64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn bytes(self) -> &'a [u8] {
        match self {
            Field::Bytes(bytes) => bytes,
            other => panic!("no bytes: {other:?}"),
        }
    }

    fn text(self) -> &'a str {
        std::str::from_utf8(self.bytes()).expect("a text")
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    number
}

/// The fields of a message, by their numbers.
fn fields(mut message: &[u8]) -> BTreeMap<u64, Vec<Field<'_>>> {
    let mut fields: BTreeMap<u64, Vec<Field<'_>>> = BTreeMap::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let field = match key & 7 {
            0 => Field::Int(varint(&mut message)),
            1 => {
                let bytes = take(&mut message, 8).try_into().expect("eight bytes");
                Field::Double(f64::from_le_bytes(bytes))
            }
            2 => {
                let len = varint(&mut message) as usize;
                Field::Bytes(take(&mut message, len))
            }
            wire => panic!("wire type {wire}"),
        };
        fields.entry(key >> 3).or_default().push(field);
    }
    fields
}

/// A value that an event has for a tag.
#[derive(Debug)]
struct Event {
    tag: String,
    step: u64,
    plugin: String,
    values: Vec<f64>,
}

/// What a file has: its events, and the names, operations and inputs of its graph.
#[derive(Debug, Default)]
struct Contents {
    events: Vec<Event>,
    graph: Vec<(String, String, Vec<String>)>,
}

impl Contents {
    fn read(&mut self, file: &[u8]) {
        for (at, record) in records(file).into_iter().enumerate() {
            let event = fields(record);
            let Field::Double(seconds) = event[&1][0] else {
                panic!("an event without a time");
            };
            assert!(seconds > 1.7e9, "{seconds}");
            if at == 0 {
                assert_eq!(event[&3][0].text(), "brain.Event:2");
            }
            if let Some(graph) = event.get(&4) {
                for node in fields(graph[0].bytes()).get(&1).into_iter().flatten() {
                    let node = fields(node.bytes());
                    let inputs = node.get(&3).into_iter().flatten();
                    let inputs = inputs.map(|input| input.text().to_owned()).collect();
                    let [name, class] = [1, 2].map(|key| node[&key][0].text().to_owned());
                    self.graph.push((name, class, inputs));
                }
            }
            let Field::Int(step) = event[&2][0] else {
                panic!("an event without a step");
            };
            for summary in event.get(&5).into_iter().flatten() {
                for value in &fields(summary.bytes())[&1] {
                    self.events.push(value_of(value.bytes(), step));
                }
            }
        }
        let key = |event: &Event| (event.tag.clone(), event.step);
        self.events.sort_by_key(key);
    }
}

fn value_of(value: &[u8], step: u64) -> Event {
    let value = fields(value);
    let metadata = fields(value[&9][0].bytes());
    let plugin = fields(metadata[&1][0].bytes());
    let tensor = fields(value[&8][0].bytes());
    let content = tensor[&4][0].bytes();
    let values = match tensor[&1][0] {
        Field::Int(1) => {
            let quads = content.chunks_exact(4);
            quads
                .map(|quad| f32::from_le_bytes(quad.try_into().expect("four bytes")).into())
                .collect()
        }
        Field::Int(2) => {
            let octets = content.chunks_exact(8);
            octets
                .map(|octet| f64::from_le_bytes(octet.try_into().expect("eight bytes")))
                .collect()
        }
        other => panic!("data type {other:?}"),
    };
    Event {
        tag: value[&1][0].text().to_owned(),
        step,
        plugin: plugin[&1][0].text().to_owned(),
        values,
    }
}

/// Everything below the directory of a run.
fn read(directory: &Path) -> Contents {
    let mut contents = Contents::default();
    let mut paths: Vec<PathBuf> = match fs::read_dir(directory) {
        Ok(entries) => entries
            .map(|entry| entry.expect("an entry").path())
            .collect(),
        Err(_) => Vec::new(),
    };
    paths.sort();
    for path in paths {
        contents.read(&fs::read(path).expect("a file"));
    }
    contents
}

fn tensorboard(arguments: &Value, directory: &Path) -> TensorBoard {
    let flag = |name: &str| arguments.get(name).and_then(Value::as_bool);
    let count = |value: &Value| value.as_u64().map(|count| count as usize);
    let mut made = TensorBoard::new(directory)
        .write_graph(flag("write_graph").unwrap_or(true))
        .write_steps_per_second(flag("write_steps_per_second").unwrap_or(false));
    if let Some(epochs) = arguments.get("histogram_freq").and_then(count) {
        made = made.histogram_freq(epochs);
    }
    match arguments.get("update_freq") {
        Some(Value::String(word)) => made.update_freq(word.as_str()),
        Some(batches) => made.update_freq(count(batches).expect("a number")),
        None => made,
    }
}

/// Trains as the case says, and leaves the files in a directory.
fn run(case: &Value, directory: &Path) -> keras::Result<()> {
    let mut model = Sequential::new();
    model.set_weights(&[
        arr2(&[[-1.0, 0.0, 0.5], [0.25, 0.26, 2.0]]).into_dyn(),
        arr1(&[0.0f32; 3]).into_dyn(),
    ])?;
    model.compile(Compile::new(SGD::new(0.0), "mse").metric("mae"))?;
    let x: Array2<f32> = arr2(&[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, -1.0], [0.5, 0.5]]);
    let y = Array2::<f32>::zeros((5, 3));
    let (first, none) = (x.slice(ndarray::s![..2, ..]), y.slice(ndarray::s![..2, ..]));
    let epochs = case["fit"]["epochs"].as_u64().expect("epochs") as usize;
    let mut callback = tensorboard(&case["arguments"], directory);
    let mut fit = Fit::epochs(epochs).batch_size(2).shuffle(false).verbose(0);
    if case["fit"].get("validation").is_some() {
        fit = fit.validation((&first, &none));
    }
    model.fit((&x, &y), fit.callback(&mut callback))?;
    if case["evaluate"] == true {
        let evaluate = Evaluate::batch_size(2).verbose(0);
        model.evaluate((&x, &y), evaluate.callback(&mut callback))?;
    }
    Ok(())
}

/// A number, the numbers of buckets, or one that depends on the clock.
fn assert_value(event: &Event, expected: &Value, case: &str) {
    let expected: Vec<f64> = match expected {
        Value::Null => {
            assert!(event.values[0] > 0.0, "{case}: {event:?}");
            return;
        }
        Value::Array(buckets) => {
            let numbers = buckets.iter().filter_map(Value::as_array).flatten();
            numbers.map(|value| number(value).into()).collect()
        }
        value => vec![number(value).into()],
    };
    assert_eq!(event.values.len(), expected.len(), "{case}: {event:?}");
    for (found, expected) in event.values.iter().zip(&expected) {
        let distance = (found - expected).abs();
        assert!(distance < 1e-5, "{case}: {expected} in {event:?}");
    }
}

#[test]
fn events_are_those_of_keras() -> keras::Result<()> {
    let fixture = load("events");
    let cases = fixture["cases"].as_array().expect("cases");
    assert!(cases.len() > 5, "only {} cases", cases.len());
    let kept = std::env::var_os("KERAS_EVENTS").map(PathBuf::from);
    let root = std::env::temp_dir().join(format!("keras-events-{}", std::process::id()));
    let root = kept.clone().unwrap_or(root);
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let directory = root.join(name);
        run(case, &directory)?;
        for run in ["train", "validation"] {
            let found = read(&directory.join(run)).events;
            let expected = case["runs"][run].as_array().map_or(&[][..], Vec::as_slice);
            let tags = found.iter();
            let tags: Vec<_> = tags
                .map(|event| (Some(&*event.tag), Some(event.step), Some(&*event.plugin)))
                .collect();
            let wanted = expected.iter();
            let wanted: Vec<_> = wanted
                .map(|event| {
                    let (tag, plugin) = (event["tag"].as_str(), event["plugin"].as_str());
                    (tag, event["step"].as_u64(), plugin)
                })
                .collect();
            assert_eq!(tags, wanted, "{name}: {run}");
            for (event, expected) in found.iter().zip(expected) {
                assert_value(event, &expected["value"], name);
            }
        }
    }
    if kept.is_none() {
        fs::remove_dir_all(&root).expect("the directory");
    }
    Ok(())
}

#[model]
fn shared(first: Input<2>, second: Input<2>) -> Shared {
    let d = Dense(2, name = "d");
    let sum = d(first) + d(second);
    Model((first, second), Dense(1, name = "last")(sum))
}

#[test]
fn a_graph_has_the_layers_and_what_connects_them() -> keras::Result<()> {
    let directory = std::env::temp_dir().join(format!("keras-graph-{}", std::process::id()));
    let mut model = Shared::new();
    model.compile(Compile::new("sgd", "mse"))?;
    let x = Array2::<f32>::zeros((2, 2));
    let fit = Fit::epochs(1).verbose(0);
    let fit = fit.callback(TensorBoard::new(&directory));
    model.fit(((&x, &x), &Array2::<f32>::zeros((2, 1))), fit)?;
    let graph = read(&directory.join("train")).graph;
    let found: Vec<(&str, &str, String)> = graph
        .iter()
        .map(|(name, class, inputs)| (&**name, &**class, inputs.join(",")))
        .collect();
    let expected = [
        ("first", "InputLayer", ""),
        ("second", "InputLayer", ""),
        ("d", "Dense", "first,second"),
        ("add", "Add", "d,d"),
        ("last", "Dense", "add"),
    ];
    let expected = expected.map(|(name, class, inputs)| (name, class, inputs.to_owned()));
    assert_eq!(found, expected);
    let bad = TensorBoard::new(&directory).update_freq("never");
    let fit = Fit::epochs(1).verbose(0).callback(bad);
    let error = model.fit(((&x, &x), &Array2::<f32>::zeros((2, 1))), fit);
    let error = error.unwrap_err().to_string();
    assert!(error.ends_with("Received: update_freq=never"), "{error}");
    fs::remove_dir_all(&directory).expect("the directory");
    Ok(())
}
