//! Writes what a training does to files that TensorBoard shows.

mod events;
mod histogram;
mod message;

use std::path::{Path, PathBuf};
use std::time::Instant;

use self::events::EventWriter;
use super::{Callback, CallbackContext, Frequency, Record};
use crate::error::{Error, Result};
use crate::model::Logs;

/// Writes event files for TensorBoard: `keras.callbacks.TensorBoard`.
///
/// Below `log_dir` there are `train/` and `validation/`. After each epoch come `epoch_loss` and so on,
/// with the number of the epoch, and `epoch_learning_rate`; after each validation and `evaluate`
/// `evaluation_loss_vs_iterations` and so on, with the number of the optimizer's steps.
#[derive(Debug)]
pub struct TensorBoard {
    log_dir: PathBuf,
    histogram_freq: usize,
    write_graph: bool,
    write_steps_per_second: bool,
    update_freq: Frequency,

    train: Events,
    validation: Events,
    batch: u64,
    batch_start: Instant,
    epoch_start: Instant,
    iterations_before: u64,
}

impl TensorBoard {
    /// Writes the logs of each epoch, and the graph of the model, to a directory.
    pub fn new(log_dir: impl AsRef<Path>) -> Self {
        Self {
            log_dir: log_dir.as_ref().to_owned(),
            histogram_freq: 0,
            write_graph: true,
            write_steps_per_second: false,
            update_freq: Frequency::Epoch,
            train: Events::new(),
            validation: Events::new(),
            batch: 0,
            batch_start: Instant::now(),
            epoch_start: Instant::now(),
            iterations_before: 0,
        }
    }

    /// Every so many epochs come histograms of all weights; 0, the default, is never.
    #[must_use]
    pub fn histogram_freq(mut self, epochs: usize) -> Self {
        self.histogram_freq = epochs;
        self
    }

    /// Whether the layers and what connects them are shown; they are by default.
    #[must_use]
    pub fn write_graph(mut self, write_graph: bool) -> Self {
        self.write_graph = write_graph;
        self
    }

    /// Whether the steps per second of each epoch, and of each batch that is written, are shown.
    #[must_use]
    pub fn write_steps_per_second(mut self, write_steps_per_second: bool) -> Self {
        self.write_steps_per_second = write_steps_per_second;
        self
    }

    /// `"epoch"`, the default; `"batch"`, or a number of batches, after which `batch_loss` and so on are
    /// written as well.
    #[must_use]
    pub fn update_freq(mut self, update_freq: impl Into<Frequency>) -> Self {
        self.update_freq = match update_freq.into() {
            Frequency::Word(word) if word == "batch" => Frequency::Batches(1),
            other => other,
        };
        self
    }

    fn check(&self) -> Result<()> {
        let received = match &self.update_freq {
            Frequency::Epoch => return Ok(()),
            Frequency::Batches(batches) if *batches > 0 => return Ok(()),
            Frequency::Batches(batches) => batches.to_string(),
            Frequency::Word(word) => word.clone(),
        };
        Err(Error::value(format!(
            "`update_freq` of TensorBoard expects 'epoch', 'batch' or a positive number of batches. Received: \
             update_freq={received}"
        )))
    }

    fn events(&mut self, run: Run) -> (&mut Events, PathBuf) {
        let events = match run {
            Run::Train => &mut self.train,
            Run::Validation => &mut self.validation,
        };
        (events, self.log_dir.join(run.name()))
    }

    /// Begins new files, which are made when they are needed.
    fn begin(&mut self) {
        self.train = Events::new();
        self.validation = Events::new();
    }

    /// Does something with the writer of `train/` or `validation/`.
    fn write(
        &mut self,
        run: Run,
        write: impl FnOnce(&mut EventWriter) -> std::io::Result<()>,
    ) -> Result<()> {
        let (events, directory) = self.events(run);
        let written = match &mut events.writer {
            Some(writer) => write(writer),
            empty => EventWriter::create(&directory, &events.file)
                .and_then(|created| write(empty.insert(created))),
        };
        written.map_err(|error| Error::file(&directory, error))
    }

    /// The file of a run and how long it is.
    fn record(&mut self, run: Run) -> Result<Record> {
        let (events, directory) = self.events(run);
        let len = match &mut events.writer {
            Some(writer) => writer
                .len()
                .map_err(|error| Error::file(&directory, error))?,
            None => 0,
        };
        Ok(Record::new(run.name())
            .with_texts("file", [events.file.clone()])
            .with_number("len", len))
    }

    /// Goes on with the file that a record has, and not with the one that was begun since.
    fn go_on(&mut self, run: Run, record: &Record) -> Result<()> {
        let (events, directory) = self.events(run);
        let go_on = |events: &mut Events, file: &str, len| -> std::io::Result<()> {
            if events.writer.take().is_some() {
                std::fs::remove_file(directory.join(&events.file))?;
            }
            events.file = file.to_owned();
            events.writer = EventWriter::reopen(&directory, file, len)?;
            Ok(())
        };
        for file in record.texts("file")? {
            let gone_on = go_on(events, file, record.number("len")?);
            gone_on.map_err(|error| Error::file(&directory, error))?;
        }
        Ok(())
    }

    /// Whether this batch of training is written.
    fn is_due(&self) -> bool {
        match self.update_freq {
            Frequency::Batches(every) => u64::try_from(every)
                .is_ok_and(|every| every > 0 && self.batch.is_multiple_of(every)),
            _ => false,
        }
    }
}

/// A directory below that of the logs.
#[derive(Clone, Copy)]
enum Run {
    Train,
    Validation,
}

impl Run {
    /// The directory's name.
    fn name(self) -> &'static str {
        match self {
            Run::Train => "train",
            Run::Validation => "validation",
        }
    }
}

/// The file of a run: its name is known before it is made, so that a backup has it.
#[derive(Debug)]
struct Events {
    file: String,
    writer: Option<EventWriter>,
}

impl Events {
    fn new() -> Self {
        Self {
            file: events::file_name(),
            writer: None,
        }
    }
}

/// Scalars of one step, whose tags are made of the names of logs.
fn scalars<'l>(
    writer: &mut EventWriter,
    logs: impl Iterator<Item = (&'l str, f32)>,
    tag: impl Fn(&str) -> String,
    step: u64,
) -> std::io::Result<()> {
    for (name, value) in logs {
        writer.scalar(&tag(name), value, step)?;
    }
    writer.flush()
}

impl Callback for TensorBoard {
    fn set_model(&mut self, cx: &mut CallbackContext) -> Result<()> {
        self.check()?;
        self.begin();
        if self.write_graph {
            let nodes = cx.model().graph();
            self.write(Run::Train, |writer| {
                writer.graph(&nodes)?;
                writer.flush()
            })?;
        }
        Ok(())
    }

    fn on_train_begin(&mut self, _: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.batch = 0;
        Ok(())
    }

    fn on_train_end(&mut self, _: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.begin();
        Ok(())
    }

    fn on_epoch_begin(&mut self, cx: &mut CallbackContext, _: usize, _: &Logs) -> Result<()> {
        self.epoch_start = Instant::now();
        self.iterations_before = cx.model().iterations();
        Ok(())
    }

    fn on_train_batch_begin(&mut self, _: &mut CallbackContext, _: usize, _: &Logs) -> Result<()> {
        self.batch += 1;
        self.batch_start = Instant::now();
        Ok(())
    }

    fn on_train_batch_end(&mut self, _: &mut CallbackContext, _: usize, logs: &Logs) -> Result<()> {
        if !self.is_due() {
            return Ok(());
        }
        let step = self.batch;
        let seconds = self.batch_start.elapsed().as_secs_f32();
        let speed = self.write_steps_per_second.then_some(1.0 / seconds);
        self.write(Run::Train, |writer| {
            let speed = speed.map(|speed| ("steps_per_second", speed));
            let all = speed.into_iter().chain(logs.iter());
            scalars(writer, all, |name| format!("batch_{name}"), step)
        })
    }

    fn on_epoch_end(
        &mut self,
        cx: &mut CallbackContext,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        let step = epoch as u64;
        let mut train = Logs::new();
        let own = logs.iter().filter(|(name, _)| !name.starts_with("val_"));
        own.for_each(|(name, value)| train.insert(name, value));
        train.insert("learning_rate", cx.model().learning_rate()?);
        if self.write_steps_per_second {
            let steps = cx
                .model()
                .iterations()
                .saturating_sub(self.iterations_before);
            let seconds = self.epoch_start.elapsed().as_secs_f32();
            train.insert("steps_per_second", steps as f32 / seconds);
        }
        self.write(Run::Train, |writer| {
            scalars(writer, train.iter(), |name| format!("epoch_{name}"), step)
        })?;
        let mut validation = logs
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix("val_")?, value)))
            .peekable();
        if validation.peek().is_some() {
            self.write(Run::Validation, |writer| {
                scalars(writer, validation, |name| format!("epoch_{name}"), step)
            })?;
        }
        if self.histogram_freq > 0 && epoch.is_multiple_of(self.histogram_freq) {
            let (weights, paths) = (cx.model().get_weights(), cx.model().weight_paths());
            self.write(Run::Train, |writer| {
                for (path, weight) in paths.iter().zip(&weights) {
                    let tag = format!("{path}/histogram");
                    writer.histogram(&tag, weight.iter().copied(), step)?;
                }
                writer.flush()
            })?;
        }
        Ok(())
    }

    fn on_test_end(&mut self, cx: &mut CallbackContext, logs: &Logs) -> Result<()> {
        let step = cx.model().iterations();
        let tag = |name: &str| format!("evaluation_{name}_vs_iterations");
        self.write(Run::Validation, |writer| {
            scalars(writer, logs.iter(), tag, step)
        })
    }

    fn state(&mut self) -> Result<Record> {
        let runs = [self.record(Run::Train)?, self.record(Run::Validation)?];
        Ok(Record::new("TensorBoard")
            .with_number("batch", self.batch)
            .with_number("iterations_before", self.iterations_before)
            .with_records("runs", runs))
    }

    /// What came after the backup is written again.
    fn restore(&mut self, _: &mut CallbackContext, state: &Record) -> Result<()> {
        self.batch = state.number("batch")?;
        self.iterations_before = state.number("iterations_before")?;
        let runs = [Run::Train, Run::Validation];
        let mut pairs = runs.into_iter().zip(state.records("runs")?);
        pairs.try_for_each(|(run, record)| self.go_on(run, record))
    }
}
