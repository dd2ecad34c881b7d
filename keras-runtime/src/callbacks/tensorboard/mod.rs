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

    train: Option<EventWriter>,
    validation: Option<EventWriter>,
    /// The files of the runs of the program that were ended, below `log_dir`, and how long they are.
    files: Vec<(String, u64)>,
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
            train: None,
            validation: None,
            files: Vec::new(),
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

    fn failed(&self, error: &std::io::Error) -> Error {
        Error::File {
            path: self.log_dir.display().to_string(),
            message: error.to_string(),
        }
    }

    /// The files of this training, below `log_dir`, and how long they are.
    fn written(&mut self) -> std::io::Result<Vec<(String, u64)>> {
        let mut files = self.files.clone();
        let writers = [
            ("train", &mut self.train),
            ("validation", &mut self.validation),
        ];
        for (run, writer) in writers {
            if let Some(writer) = writer {
                files.push((format!("{run}/{}", writer.name()), writer.len()?));
            }
        }
        Ok(files)
    }

    /// Does something with the writer of `train/` or `validation/`, which is made when it is needed.
    fn write(
        &mut self,
        run: Run,
        write: impl FnOnce(&mut EventWriter) -> std::io::Result<()>,
    ) -> Result<()> {
        let (writer, name) = match run {
            Run::Train => (&mut self.train, "train"),
            Run::Validation => (&mut self.validation, "validation"),
        };
        let directory = self.log_dir.join(name);
        let written = match writer {
            Some(writer) => write(writer),
            None => {
                EventWriter::create(&directory).and_then(|created| write(writer.insert(created)))
            }
        };
        written.map_err(|error| Error::File {
            path: directory.display().to_string(),
            message: error.to_string(),
        })
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
        self.train = None;
        self.validation = None;
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
        self.files.clear();
        Ok(())
    }

    fn on_train_end(&mut self, _: &mut CallbackContext, _: &Logs) -> Result<()> {
        self.train = None;
        self.validation = None;
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
        let files = self.written().map_err(|error| self.failed(&error))?;
        let (names, lens): (Vec<String>, Vec<u64>) = files.into_iter().unzip();
        Ok(Record::new("TensorBoard")
            .with_number("batch", self.batch)
            .with_number("iterations_before", self.iterations_before)
            .with_texts("files", names)
            .with_numbers("lens", lens))
    }

    /// What was written after the backup is written again, to new files.
    fn restore(&mut self, _: &mut CallbackContext, state: &Record) -> Result<()> {
        self.batch = state.number("batch")?;
        self.iterations_before = state.number("iterations_before")?;
        let lens = state.numbers("lens")?.iter().copied();
        self.files = state.texts("files")?.iter().cloned().zip(lens).collect();
        for (name, len) in &self.files {
            events::cut(&self.log_dir.join(name), *len).map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }
}
