//! Trainings that differ in what they depend on.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use keras::prelude::*;
use ndarray::{Array1, Array2, Axis, concatenate, s};

/// A training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Case {
    /// Arrays in a new order for each epoch, a validation split, backups of epochs.
    Arrays,
    /// An endless data set, averaged weights, backups within epochs.
    Endless,
    /// A generator that is read ahead, several steps per execution, a callback of the user's.
    Generator,
    /// A step of the user's own that adds up gradients.
    OwnStep,
}

pub const CASES: &[Case] = &[Case::Arrays, Case::Endless, Case::Generator, Case::OwnStep];

sequential! {
    pub Net<6>;
    Dense(12, activation = relu),
    BatchNormalization,
    Dropout(0.3),
    Dense(3, activation = softmax),
}

#[model(input = [6])]
pub struct Summed {
    #[layer(8, activation = tanh)]
    hidden: Dense,
    #[layer(3, activation = softmax)]
    classes: Dense,
}

#[model]
impl Summed {
    fn call(&self, inputs: Tensor) -> Tensor {
        self.classes(self.hidden(inputs))
    }

    /// Follows the sum of all gradients so far.
    fn train_step(&mut self, batch: &Batch<'_>) -> keras::Result<[(&'static str, f32); 1]> {
        self.load(batch, true)?;
        self.forward(true)?;
        self.compute_loss()?;
        self.backward()?;
        self.accumulate_gradients()?;
        self.apply_gradients()?;
        self.update_metrics()?;
        Ok([("own", self.logs().get("loss").unwrap_or(0.0))])
    }
}

/// Ends a training with an error after some hooks.
pub struct Interrupt {
    left: usize,
    called: usize,
}

impl Interrupt {
    pub fn after(hooks: usize) -> Self {
        Self {
            left: hooks,
            called: 0,
        }
    }

    pub fn called(&self) -> usize {
        self.called
    }

    fn hook(&mut self) -> keras::Result<()> {
        self.called += 1;
        if self.left == 0 {
            return Err(keras::Error::Callback("interrupted".into()));
        }
        self.left -= 1;
        Ok(())
    }
}

macro_rules! hooks {
    ($($hook:ident($($number:ident)?);)*) => {
        impl Callback for Interrupt {
            $(fn $hook(&mut self, _: &mut CallbackContext, $($number: usize,)? _: &Logs) -> keras::Result<()> {
                $(let _ = $number;)?
                self.hook()
            })*

            fn on_epoch_end(&mut self, _: &mut CallbackContext, _: usize, _: &mut Logs) -> keras::Result<()> {
                self.hook()
            }
        }
    };
}

hooks! {
    on_train_begin();
    on_train_end();
    on_epoch_begin(epoch);
    on_train_batch_begin(batch);
    on_train_batch_end(batch);
    on_test_begin();
    on_test_batch_end(batch);
}

/// Counts the batches, and logs them.
#[derive(Default)]
struct Batches(usize);

impl Callback for Batches {
    fn on_train_begin(&mut self, _: &mut CallbackContext, _: &Logs) -> keras::Result<()> {
        self.0 = 0;
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        _: &mut CallbackContext,
        _: usize,
        _: &Logs,
    ) -> keras::Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        _: &mut CallbackContext,
        _: usize,
        logs: &mut Logs,
    ) -> keras::Result<()> {
        logs.insert("batches", self.0 as f32);
        Ok(())
    }

    fn state(&mut self) -> keras::Result<Record> {
        Ok(Record::new("Batches").with_number("batches", self.0 as u64))
    }

    fn restore(&mut self, _: &mut CallbackContext, state: &Record) -> keras::Result<()> {
        self.0 = state.count("batches")?;
        Ok(())
    }
}

/// Samples of three classes.
fn data(samples: usize) -> (Array2<f32>, Array1<u8>) {
    let x = Array2::from_shape_fn((samples, 6), |(i, j)| ((i * 6 + j) as f32 * 0.37).sin());
    let class = |row: ndarray::ArrayView1<f32>| match row.sum() {
        sum if sum < -0.3 => 0,
        sum if sum < 0.3 => 1,
        _ => 2,
    };
    let y = x.rows().into_iter().map(class).collect();
    (x, y)
}

/// A model that begins with one seed, and goes on with another: what it draws then follows from the backup.
fn seeded<M>(directory: &Path, make: impl Fn(u64) -> M) -> M {
    let goes_on = directory.join("backup/latest.backup").exists();
    make(if goes_on { 99 } else { 3 })
}

fn bits(values: impl IntoIterator<Item = f32>) -> Vec<u32> {
    values.into_iter().map(f32::to_bits).collect()
}

/// The weights and the history, bit by bit.
fn outcome(model: &impl Model, history: &History) -> String {
    let weights = model.get_weights();
    let weights: Vec<_> = weights
        .iter()
        .map(|weight| bits(weight.iter().copied()))
        .collect();
    let columns = history.names().map(|name| {
        let values = history.get(name).unwrap_or_default();
        (name, bits(values.iter().copied()))
    });
    let columns: Vec<_> = columns.collect();
    let rate = model.learning_rate().map(f32::to_bits);
    format!(
        "{:?}\n{columns:?}\n{rate:?}\n{weights:?}\n",
        history.epochs()
    )
}

/// Trains in a directory, or goes on there; gives everything that the training ends with.
pub fn train(case: Case, directory: &Path, interrupt: &mut Interrupt) -> keras::Result<String> {
    match case {
        Case::Arrays => arrays(directory, interrupt),
        Case::Endless => endless(directory, interrupt),
        Case::Generator => generator(directory, interrupt),
        Case::OwnStep => own_step(directory, interrupt),
    }
}

fn arrays(directory: &Path, interrupt: &mut Interrupt) -> keras::Result<String> {
    let (x, y) = data(60);
    let mut model = seeded(directory, Net::with_seed);
    let compile = Compile::new(Adam::new(0.03), "sparse_categorical_crossentropy");
    model.compile(compile.metric("accuracy"))?;
    let mut stopping = EarlyStopping::new("val_loss")
        .patience(3)
        .restore_best_weights(true);
    let fit = Fit::epochs(12)
        .batch_size(8)
        .validation_split(0.25)
        .verbose(0)
        .callback(BackupAndRestore::new(directory.join("backup")))
        .callback(ReduceLROnPlateau::new("val_loss").patience(2).factor(0.5))
        .callback(&mut stopping)
        .callback(ModelCheckpoint::new(directory.join("best.keras")).save_best_only(true))
        .callback(CSVLogger::new(directory.join("log.csv")))
        .callback(interrupt);
    let history = model.fit((&x, &y), fit)?;
    let stopping = (
        stopping.stopped_epoch(),
        stopping.best_epoch(),
        stopping.best().map(f32::to_bits),
    );
    Ok(format!("{stopping:?}\n{}", outcome(&model, &history)))
}

fn endless(directory: &Path, interrupt: &mut Interrupt) -> keras::Result<String> {
    let (x, y) = data(35);
    let mut model = seeded(directory, Net::with_seed);
    let optimizer = SGD::new(0.05).momentum(0.9).use_ema(true).ema_momentum(0.9);
    let compile = Compile::new(optimizer, "sparse_categorical_crossentropy");
    model.compile(compile.metric("accuracy"))?;
    let samples = Dataset::from_tensor_slices((&x, &y))?.shuffle(3);
    let validation = Dataset::from_tensor_slices((&x, &y))?.shuffle(4).batch(10);
    let logs = directory.join("logs");
    if !directory.join("backup/latest.backup").exists() {
        // As in Keras, a training that begins anew leaves the events of another one.
        let _ = std::fs::remove_dir_all(&logs);
    }
    // The end of the training is not the end of its backup.
    let backup = BackupAndRestore::new(directory.join("backup"))
        .save_freq(3)
        .double_checkpoint(true)
        .delete_checkpoint(false);
    let decay =
        LearningRateScheduler::new(|epoch, rate| if epoch == 0 { rate } else { 0.9 * rate });
    let mut seen = History::new();
    let fit = Fit::epochs(6)
        .steps_per_epoch(5)
        .validation(&validation)
        .validation_steps(2)
        .verbose(0)
        .callback(decay)
        .callback(CSVLogger::new(directory.join("log.csv")).append(true))
        .callback(TensorBoard::new(logs).update_freq("batch"))
        .callback(SwapEMAWeights::new().swap_on_epoch(true))
        .callback(&mut seen)
        .callback(backup)
        .callback(interrupt);
    let history = model.fit(samples.repeat(None).batch(8), fit)?;
    assert_eq!(seen, history);
    Ok(outcome(&model, &history))
}

/// Batches of 8; those of another pass begin at another sample.
fn batches(pass: usize) -> Vec<(Array2<f32>, Array1<u8>)> {
    let (x, y) = data(44);
    let first = 5 * pass % 44;
    let x = concatenate![Axis(0), x.slice(s![first.., ..]), x.slice(s![..first, ..])];
    let y = concatenate![Axis(0), y.slice(s![first..]), y.slice(s![..first])];
    let batch = |at: usize| {
        let rows = ndarray::Slice::from(8 * at..44.min(8 * at + 8));
        let x = x.slice_axis(Axis(0), rows).to_owned();
        (x, y.slice_axis(Axis(0), rows).to_owned())
    };
    (0..6).map(batch).collect()
}

fn generator(directory: &Path, interrupt: &mut Interrupt) -> keras::Result<String> {
    let mut model = seeded(directory, Net::with_seed);
    let compile = Compile::new("rmsprop", "sparse_categorical_crossentropy");
    model.compile(compile.metric("accuracy").steps_per_execution(2))?;
    let data = || {
        let passes = AtomicUsize::new(0);
        Dataset::from_generator(move || batches(passes.fetch_add(1, Ordering::Relaxed))).prefetch(1)
    };
    let fit = Fit::epochs(4)
        .validation(data().take(3))
        .validation_freq(2)
        .verbose(0)
        .callback(BackupAndRestore::new(directory.join("backup")).save_freq(1))
        .callback(Batches::default())
        .callback(CSVLogger::new(directory.join("log.csv")))
        .callback(interrupt);
    let history = model.fit(data(), fit)?;
    Ok(outcome(&model, &history))
}

fn own_step(directory: &Path, interrupt: &mut Interrupt) -> keras::Result<String> {
    let (x, y) = data(40);
    let mut model = seeded(directory, Summed::with_seed);
    let compile = Compile::new("nadam", "sparse_categorical_crossentropy");
    model.compile(compile.metric("accuracy"))?;
    let fit = Fit::epochs(5)
        .batch_size(8)
        .shuffle("batch")
        .verbose(0)
        .callback(BackupAndRestore::new(directory.join("backup")).save_freq(2))
        .callback(CSVLogger::new(directory.join("log.csv")))
        .callback(interrupt);
    let history = model.fit((&x, &y), fit)?;
    Ok(outcome(&model, &history))
}
