//! Event files: TFRecords, each an `Event` of TensorFlow's protocol buffers.
//!
//! ```text
//! record: u64 length, u32 masked CRC-32C of the length, the bytes, u32 masked CRC-32C of the bytes
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::histogram::{BUCKETS, buckets};
use super::message::Message;
use crate::callbacks::GraphNode;
use keras_config::crc::crc32c;

/// `DataType` of a tensor.
const FLOAT: u64 = 1;
const DOUBLE: u64 = 2;

/// `DataClass` of a value.
const SCALAR: u64 = 1;
const TENSOR: u64 = 2;

/// A file of events that is being written.
#[derive(Debug)]
pub(super) struct EventWriter {
    name: String,
    out: BufWriter<File>,
}

impl EventWriter {
    /// A new file in a directory, which is made.
    pub fn create(directory: &Path) -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(directory)?;
        // TensorBoard reads the files of a directory in the order of their names.
        let seconds = now().as_secs();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!(
            "events.out.tfevents.{seconds}.{}.{}.{number}.v2",
            host(),
            std::process::id()
        );
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(directory.join(&name))?;
        let mut writer = Self {
            name,
            out: BufWriter::new(file),
        };
        writer.event(Message::new().bytes(3, "brain.Event:2"), 0)?;
        Ok(writer)
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bytes that have been written.
    pub fn len(&mut self) -> io::Result<u64> {
        self.flush()?;
        Ok(self.out.get_ref().metadata()?.len())
    }

    /// One number.
    pub fn scalar(&mut self, tag: &str, value: f32, step: u64) -> io::Result<()> {
        let tensor = tensor(FLOAT, &[], &value.to_le_bytes());
        self.summary(tag, "scalars", SCALAR, tensor, step)
    }

    /// How values are distributed.
    pub fn histogram(
        &mut self,
        tag: &str,
        values: impl Iterator<Item = f32> + Clone,
        step: u64,
    ) -> io::Result<()> {
        let buckets = buckets(values);
        let numbers = buckets.as_flattened().iter();
        let bytes: Vec<u8> = numbers.flat_map(|number| number.to_le_bytes()).collect();
        let tensor = tensor(DOUBLE, &[BUCKETS as u64, 3], &bytes);
        self.summary(tag, "histograms", TENSOR, tensor, step)
    }

    /// The layers of a model, as the operations of a graph.
    pub fn graph(&mut self, nodes: &[GraphNode]) -> io::Result<()> {
        let graph = nodes.iter().fold(Message::new(), |graph, node| {
            let of_node = Message::new().bytes(1, &node.name).bytes(2, &node.class);
            let inputs = node.inputs.iter();
            let of_node = inputs.fold(of_node, |of_node, input| of_node.bytes(3, input));
            graph.message(1, of_node)
        });
        let versions = Message::new().int(1, 22);
        let graph = graph.message(4, versions);
        self.event(Message::new().message(4, graph), 0)
    }

    /// Hands over what has been written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn summary(
        &mut self,
        tag: &str,
        plugin: &str,
        class: u64,
        tensor: Message,
        step: u64,
    ) -> io::Result<()> {
        let plugin = Message::new().bytes(1, plugin);
        let metadata = Message::new().message(1, plugin).int(4, class);
        let value = Message::new()
            .bytes(1, tag)
            .message(8, tensor)
            .message(9, metadata);
        let summary = Message::new().message(1, value);
        self.event(Message::new().message(5, summary), step)
    }

    /// Writes an event with its time.
    fn event(&mut self, what: Message, step: u64) -> io::Result<()> {
        let event = Message::new().double(1, now().as_secs_f64()).int(2, step);
        let bytes = [event.as_bytes(), what.as_bytes()].concat();
        let length = (bytes.len() as u64).to_le_bytes();
        for part in [&length[..], &bytes] {
            self.out.write_all(part)?;
            self.out.write_all(&masked(crc32c(part)).to_le_bytes())?;
        }
        Ok(())
    }
}

/// Leaves a file, if it is there, its first `len` bytes alone.
pub(super) fn cut(path: &Path, len: u64) -> io::Result<()> {
    let file = match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    if file.metadata()?.len() > len {
        file.set_len(len)?;
    }
    Ok(())
}

/// A tensor of a type and a shape.
fn tensor(dtype: u64, shape: &[u64], content: &[u8]) -> Message {
    let shape = shape.iter().fold(Message::new(), |shape, &size| {
        shape.message(2, Message::new().int(1, size))
    });
    let tensor = Message::new().int(1, dtype).message(2, shape);
    tensor.bytes(4, content)
}

/// A checksum as TFRecords have it, so that one of checksums is none of them.
const fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

fn now() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default()
}

/// The machine's name, as far as a file name can have it.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("COMPUTERNAME").ok());
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || *character == '-';
    let name: String = name.unwrap_or_default().chars().filter(is_plain).collect();
    if name.is_empty() {
        "localhost".to_owned()
    } else {
        name
    }
}
