//! Data in the order of a model's inputs and outputs, batch by batch.

use std::sync::Arc;

use super::network::Network;
use super::trainable::BatchCheck;
use crate::data::{
    Arrays, Batch, Batches, Columns, Data, Elements, Op, Pass, Source, Stream, Streams, Table,
    cardinality, open,
};
use crate::error::{Error, Result};
use crate::saving::Record;
use crate::shape::Shape;

/// The batches that a model reads.
pub(crate) struct Feed<'a> {
    network: Arc<Network>,
    has_targets: bool,
    class_weight: Vec<(usize, f32)>,
    reader: Reader<'a>,
    /// All rows of arrays, or the current batch of a stream.
    tables: Placed<'a>,
    /// The rows of the current batch.
    rows: Vec<u32>,
    state: State,
    /// The pass that was begun last.
    opened: Opened,
    /// Where a stream has to go before its next pass begins.
    seek: Option<u64>,
    check: Option<BatchCheck>,
}

/// How a pass was begun, and how far it is.
#[derive(Clone, Copy, Default)]
struct Opened {
    pass: Pass,
    /// How often the user's code behind a stream had been called before.
    calls: u64,
    /// The batches that were given.
    taken: u64,
}

enum Reader<'a> {
    Rows {
        ops: Vec<Op>,
        elements: Option<Box<dyn Elements>>,
    },
    Stream {
        stream: Arc<dyn Streams + 'a>,
        pass: Option<Stream<'a>>,
    },
}

/// How far a pass is.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Not begun.
    Closed,
    /// Begun, no batch was given yet; the first may have been looked at.
    Fresh { peeked: bool },
    /// The current batch was given, or is yet to be.
    Open { peeked: bool },
}

impl<'a> Feed<'a> {
    /// The batches of some data for a model; `ops` batch arrays that have no order of their own.
    pub fn new(
        network: Arc<Network>,
        data: Data<'a>,
        has_targets: bool,
        ops: Vec<Op>,
    ) -> Result<Self> {
        let Data {
            source,
            class_weight,
        } = data;
        if !class_weight.is_empty() && network.outputs.len() > 1 {
            return Err(Error::value(
                "`class_weight` is only supported for Models with a single output.",
            ));
        }
        let mut feed = Self {
            network,
            has_targets,
            class_weight,
            reader: Reader::Rows {
                ops: Vec::new(),
                elements: None,
            },
            tables: Placed::default(),
            rows: Vec::new(),
            state: State::Closed,
            opened: Opened::default(),
            seek: None,
            check: None,
        };
        let (arrays, ops) = match source {
            Source::Arrays(arrays) => (arrays, ops),
            Source::Rows(arrays, ops) => (arrays, ops),
            Source::Stream(stream) => {
                feed.reader = Reader::Stream { stream, pass: None };
                return Ok(feed);
            }
        };
        feed.tables = feed.place(arrays)?;
        feed.reader = Reader::Rows {
            ops,
            elements: None,
        };
        Ok(feed)
    }

    /// The number of batches of a pass, where it is known.
    pub fn batches(&self) -> Option<usize> {
        match &self.reader {
            Reader::Rows { ops, .. } => cardinality(ops, self.tables.rows()),
            Reader::Stream { stream, .. } => stream.batches(),
        }
    }

    /// Whether the batches come one after the other, and are not cut from arrays.
    pub fn is_stream(&self) -> bool {
        matches!(self.reader, Reader::Stream { .. })
    }

    /// Checks the numbers of every batch of a stream; those of arrays are checked at once.
    pub fn check_with(&mut self, check: BatchCheck) {
        if self.is_stream() {
            self.check = Some(check);
        }
    }

    /// Whether a pass has begun and is not through.
    pub fn is_open(&self) -> bool {
        self.state != State::Closed
    }

    /// Whether a pass has begun and no batch of it was given.
    pub fn is_fresh(&self) -> bool {
        matches!(self.state, State::Fresh { .. })
    }

    /// Begins a pass.
    pub fn open(&mut self, pass: Pass) -> Result<()> {
        let mut calls = 0;
        match &mut self.reader {
            Reader::Rows { ops, elements } => {
                *elements = Some(open(ops, self.tables.rows(), pass));
            }
            Reader::Stream { stream, pass } => {
                // What reads ahead for the old pass ends before the new one begins.
                *pass = None;
                if let Some(calls) = self.seek.take() {
                    stream.seek(calls)?;
                }
                calls = stream.calls();
                *pass = Some(stream.clone().open()?);
            }
        }
        self.state = State::Fresh { peeked: false };
        self.opened = Opened {
            pass,
            calls,
            taken: 0,
        };
        Ok(())
    }

    /// Where the reading is.
    pub fn record(&self) -> Record {
        let Opened { pass, calls, taken } = self.opened;
        let open = [pass.number, pass.seed, pass.step, calls, taken];
        let open = self.is_open().then_some(open);
        let calls = match &self.reader {
            Reader::Rows { .. } => 0,
            Reader::Stream { stream, .. } => self.seek.unwrap_or_else(|| stream.calls()),
        };
        Record::new("Data")
            .with_number("calls", calls)
            .with_numbers("open", open.into_iter().flatten())
    }

    /// Goes to where the reading was, in this run of the program or in another: rows are left out
    /// without looking at them, the batches of a stream are read.
    ///
    /// # Errors
    /// If that cannot be done, or the data has fewer batches.
    pub fn restore(&mut self, record: &Record) -> Result<()> {
        let &[number, seed, step, calls, taken] = record.numbers("open")? else {
            self.close();
            self.seek = Some(record.number("calls")?);
            return Ok(());
        };
        // What can be read once is not begun again.
        let is_there = self.is_fresh() && self.is_stream() && self.opened.calls == calls;
        if !is_there {
            self.seek = Some(calls);
            self.open(Pass { number, seed, step })?;
        }
        if taken == 0 {
            return Ok(());
        }
        let seen = u64::from(self.state == State::Fresh { peeked: true });
        let found = seen + self.skip(taken - seen)?;
        if found < taken {
            return Err(Error::value(format!(
                "A training goes on with the data that it began with. Expected at least {taken} batches, which it has \
                 seen. Received: {found} batches"
            )));
        }
        self.state = State::Open { peeked: false };
        self.opened.taken = taken;
        Ok(())
    }

    /// Leaves out batches of the pass, and says how many there were.
    fn skip(&mut self, count: u64) -> Result<u64> {
        match &mut self.reader {
            Reader::Rows { elements, .. } => {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                let elements = elements.as_mut();
                Ok(elements.map_or(0, |elements| elements.skip(count)) as u64)
            }
            Reader::Stream { pass, .. } => {
                for found in 0..count {
                    match pass.as_mut().and_then(Iterator::next) {
                        None => return Ok(found),
                        Some(batch) => drop(batch?),
                    }
                }
                Ok(count)
            }
        }
    }

    /// Gives the pass up.
    pub fn close(&mut self) {
        self.state = State::Closed;
    }

    /// The next batch, which [`next`](Batches::next) gives again.
    pub fn peek(&mut self) -> Result<Option<Batch<'_>>> {
        let is_there = match self.state {
            State::Closed => false,
            State::Fresh { peeked: true } | State::Open { peeked: true } => true,
            State::Fresh { peeked: false } | State::Open { peeked: false } => self.read()?,
        };
        self.state = match self.state {
            _ if !is_there => State::Closed,
            State::Fresh { .. } => State::Fresh { peeked: true },
            _ => State::Open { peeked: true },
        };
        Ok(is_there.then(|| self.batch()))
    }

    /// Reads a batch.
    fn read(&mut self) -> Result<bool> {
        self.rows.clear();
        let arrays = match &mut self.reader {
            Reader::Rows { elements, .. } => {
                let elements = elements.as_mut();
                return Ok(elements.is_some_and(|elements| elements.next(1, &mut self.rows) > 0));
            }
            Reader::Stream { pass, .. } => match pass.as_mut().and_then(Iterator::next) {
                None => return Ok(false),
                Some(arrays) => arrays?,
            },
        };
        arrays.check()?;
        if arrays.rows() == 0 {
            return Err(Error::value(
                "A batch has at least one sample. Received: an empty batch",
            ));
        }
        self.tables = self.place(arrays)?;
        self.rows.extend(0..self.tables.rows() as u32);
        if let Some(check) = &self.check {
            check(&self.batch())?;
        }
        Ok(true)
    }

    fn batch(&self) -> Batch<'_> {
        Batch {
            inputs: &self.tables.inputs,
            targets: &self.tables.targets,
            sample_weights: &self.tables.sample_weights,
            rows: &self.rows,
        }
    }

    /// Arrays in the order of the model.
    fn place(&self, arrays: Arrays<'a>) -> Result<Placed<'a>> {
        let network = &*self.network;
        let mut placed = Placed {
            inputs: inputs(network, arrays.inputs)?,
            ..Placed::default()
        };
        if self.has_targets {
            placed.targets = targets(network, arrays.targets)?;
            placed.sample_weights = weights(network, arrays.sample_weights)?;
            if !self.class_weight.is_empty() {
                if !placed.sample_weights.is_empty() {
                    return Err(Error::value(
                        "You cannot `class_weight` and `sample_weight` at the same time.",
                    ));
                }
                let targets = placed.targets.iter();
                let weighted = targets.map(|target| class_weights(target, &self.class_weight));
                placed.sample_weights = weighted.collect();
            }
        }
        Ok(placed)
    }
}

impl Batches for Feed<'_> {
    fn next(&mut self) -> Result<Option<Batch<'_>>> {
        if self.peek()?.is_none() {
            return Ok(None);
        }
        self.state = State::Open { peeked: false };
        self.opened.taken += 1;
        Ok(Some(self.batch()))
    }
}

/// Tables in the order of a model's inputs and outputs.
#[derive(Default)]
struct Placed<'a> {
    inputs: Vec<Table<'a>>,
    targets: Vec<Table<'a>>,
    sample_weights: Vec<Table<'a>>,
}

impl Placed<'_> {
    fn rows(&self) -> usize {
        self.inputs.first().map_or(0, |table| table.rows)
    }
}

fn inputs<'a>(network: &Network, columns: Columns<'a>) -> Result<Vec<Table<'a>>> {
    let received = columns.tables.len();
    let names: Vec<&str> = network.inputs.iter().map(|input| &*input.name).collect();
    if received != names.len() && !columns.is_named() {
        return Err(Error::value(format!(
            "Model '{}' expects {} input(s): {names:?}, but it received {received} input tensors.",
            network.name,
            names.len(),
        )));
    }
    let tables = columns.ordered("input", &names)?;
    Ok(tables.into_iter().map(Table::expanded).collect())
}

fn targets<'a>(network: &Network, columns: Option<Columns<'a>>) -> Result<Vec<Table<'a>>> {
    let names: Vec<&str> = network.outputs.iter().map(|output| &*output.name).collect();
    let Some(columns) = columns else {
        return Err(Error::value(format!(
            "Model '{}' needs targets to compare its outputs with. Expected `(x, y)`. Received: `x` alone.",
            network.name
        )));
    };
    let received = columns.tables.len();
    if received != names.len() && !columns.is_named() {
        return Err(Error::value(format!(
            "y_true and y_pred have different structures. Model '{}' has {} output(s): {names:?}. Received: {received} \
             arrays of targets.",
            network.name,
            names.len(),
        )));
    }
    let tables = columns.ordered("output", &names)?;
    Ok(tables.into_iter().map(Table::expanded).collect())
}

fn weights<'a>(network: &Network, columns: Option<Columns<'a>>) -> Result<Vec<Table<'a>>> {
    let names: Vec<&str> = network.outputs.iter().map(|output| &*output.name).collect();
    let Some(columns) = columns else {
        return Ok(Vec::new());
    };
    match (columns.is_named(), columns.tables.len()) {
        // One array of weights serves every output.
        (false, 1) => Ok(vec![columns.tables[0].clone(); names.len()]),
        _ => columns.ordered("output", &names),
    }
}

/// The weight of each sample by its class: the number of its target, or the place of the largest of
/// several numbers.
fn class_weights<'a>(target: &Table<'_>, weights: &[(usize, f32)]) -> Table<'a> {
    let width = target.shape.last().max(1);
    let values = target.values.chunks(target.shape.size().max(1)).map(|row| {
        let class = if width == 1 {
            row[0].round() as usize
        } else {
            let better = |best: usize, at: usize| if row[at] > row[best] { at } else { best };
            (1..width).fold(0, better)
        };
        let weight = weights.iter().find(|(of, _)| *of == class);
        weight.map_or(1.0, |(_, weight)| *weight)
    });
    Table {
        values: values.collect::<Vec<f32>>().into(),
        shape: Shape::SCALAR,
        rows: target.rows,
    }
}
