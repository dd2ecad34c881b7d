//! The speed of training through the public `fit`, with shuffling and metrics on.
//!
//! `cargo run --release --example bench -- NAME [BATCH_SIZE]` with one of `mlp_small`, `mlp_mnist`,
//! `convnet_mnist`, `tiny`; prints `name backend seconds_per_epoch samples_per_second` after one
//! epoch of warming up. With `--features cuda` it runs on the GPU. With `metrics` it prints what the loss and each of some metrics are of the
//! processor's time of a step of `mlp_mnist`.
//! With `save` it writes the weights of 100 million parameters beside a copy of the same bytes.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Instant;

use keras::prelude::*;
use ndarray::{Array, Array1, Array2, Array4, Dimension, ShapeBuilder};

sequential! {
    /// The network of Keras' own walk-through.
    MlpSmall<32>;
    Dense(64, activation = relu),
    Dense(64, activation = relu),
    Dense(10, activation = softmax),
}

sequential! {
    /// A network for MNIST without convolutions.
    MlpMnist<784>;
    Dense(512, activation = relu),
    Dropout(0.2),
    Dense(512, activation = relu),
    Dropout(0.2),
    Dense(10, activation = softmax),
}

sequential! {
    /// A network for MNIST with convolutions.
    ConvnetMnist<28, 28, 1>;
    Conv2D(32, 3, activation = relu),
    MaxPooling2D(2),
    Conv2D(64, 3, activation = relu),
    MaxPooling2D(2),
    Flatten,
    Dropout(0.5),
    Dense(10, activation = softmax),
}

sequential! {
    /// As small as a network can be.
    Tiny<4>;
    Dense(16, activation = relu),
    Dense(3, activation = softmax),
}

sequential! {
    /// 100 million parameters.
    Large<10_000>;
    Dense(10_000, kernel_initializer = zeros),
}

/// What runs the networks, in the lines that are printed.
const BACKEND: &str = if cfg!(feature = "cuda") {
    "keras-rs+cuda"
} else {
    "keras-rs"
};

/// Numbers between 0 and 1 in which a network finds nothing: the speed does not depend on them.
fn noise<D: Dimension>(shape: impl ShapeBuilder<Dim = D>) -> Array<f32, D> {
    let mut state = 1u32;
    Array::from_shape_simple_fn(shape, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    })
}

fn labels(samples: usize, classes: usize) -> Array1<u8> {
    noise(samples).mapv(|x| (x * classes as f32) as u8)
}

fn one_hot(labels: &Array1<u8>, classes: usize) -> Array2<f32> {
    Array2::from_shape_fn((labels.len(), classes), |(sample, class)| {
        f32::from(u8::from(labels[sample] as usize == class))
    })
}

/// One epoch to warm up, then `epochs` in one call of `fit`.
fn measure<'a, M: Model>(
    name: &str,
    mut model: M,
    data: impl IntoData<'a> + Copy,
    samples: usize,
    batch_size: usize,
    epochs: usize,
) -> keras::Result<()> {
    model.fit(data, Fit::epochs(1).batch_size(batch_size).verbose(0))?;
    let start = Instant::now();
    model.fit(data, Fit::epochs(epochs).batch_size(batch_size).verbose(0))?;
    let seconds = start.elapsed().as_secs_f64() / epochs as f64;
    let steps = samples.div_ceil(batch_size);
    println!(
        "{name} {BACKEND} {seconds:.6} {:.1}",
        samples as f64 / seconds
    );
    println!(
        "#extra {name} batch_size={batch_size} us_per_step={:.2}",
        seconds / steps as f64 * 1e6
    );
    Ok(())
}

/// The processor's time of this program so far, in seconds: fields 14 and 15 of its line in `/proc`, in
/// hundredths. Other programs do not count.
fn processor_time() -> f64 {
    let line = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = line.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

/// The time of something, the mean over so many times that the clock shows it.
fn mean_time(mut run: impl FnMut() -> keras::Result<()>) -> keras::Result<f64> {
    let (start, mut count) = (processor_time(), 0);
    loop {
        for _ in 0..16 {
            run()?;
        }
        count += 16;
        let spent = processor_time() - start;
        if spent > 1.0 {
            return Ok(spent / f64::from(count));
        }
    }
}

/// What the loss and some metrics take of a step.
fn metrics() -> keras::Result<()> {
    let (x, y) = (noise((128, 784)), one_hot(&labels(128, 10), 10));
    let mut model = MlpMnist::with_seed(0);
    let compiled = |model: &mut MlpMnist, metrics: &[&str]| -> keras::Result<()> {
        let compile = Compile::new("adam", "categorical_crossentropy");
        model.compile(compile.metrics(metrics.iter().copied()))?;
        model.load_on_batch((&x, &y), true)?;
        model.forward(true)?;
        model.compute_loss()
    };
    compiled(&mut model, &[])?;
    let step = mean_time(|| {
        model.load_on_batch((&x, &y), true)?;
        model.forward(true)?;
        model.compute_loss()?;
        model.backward()?;
        model.apply_gradients()
    })?;
    let report = |name: &str, time: f64| {
        println!(
            "{name} {:.2} us, {:.2} % of {:.0} us",
            time * 1e6,
            time / step * 100.0,
            step * 1e6
        );
    };
    report("loss", mean_time(|| model.compute_loss())?);
    for name in [
        "accuracy",
        "top_k_categorical_accuracy",
        "categorical_crossentropy",
        "mse",
        "cosine_similarity",
        "f1_score",
        "precision",
        "auc",
    ] {
        compiled(&mut model, &[name])?;
        report(name, mean_time(|| model.update_metrics())?);
    }
    Ok(())
}

/// Saves a large model and copies the file, in turns; prints the best of each, their ratio, and how much
/// memory saving took for each byte of the file.
fn save() -> keras::Result<()> {
    let model = Large::with_seed(0);
    let directory = std::env::var("BENCH_DIRECTORY").unwrap_or_else(|_| ".".into());
    let path = Path::new(&directory).join("bench.weights.h5");
    let copy = Path::new(&directory).join("bench.copy");
    let (mut best, mut memory) = ([f64::INFINITY; 2], 0);
    for _ in 0..5 {
        // Both begin with a new file.
        let _ = (fs::remove_file(&path), fs::remove_file(&copy));
        let before = resident("VmRSS");
        // The peak counts from here.
        let _ = fs::write("/proc/self/clear_refs", "5");
        let start = Instant::now();
        model.save_weights(&path)?;
        best[0] = best[0].min(start.elapsed().as_secs_f64());
        memory = memory.max(resident("VmHWM").saturating_sub(before));
        let start = Instant::now();
        copied(&path, &copy).map_err(|error| Error::value(error.to_string()))?;
        best[1] = best[1].min(start.elapsed().as_secs_f64());
    }
    let len = fs::metadata(&path).map_or(0, |file| file.len());
    println!(
        "save keras-rs {:.3} copy {:.3} ratio {:.2} memory {:.4}",
        best[0],
        best[1],
        best[1] / best[0],
        memory as f64 / len as f64
    );
    let _ = fs::remove_file(&path);
    let _ = fs::remove_file(&copy);
    Ok(())
}

/// Copies a file through memory, as saving writes one, until it is on the disk.
fn copied(from: &Path, to: &Path) -> std::io::Result<()> {
    let (mut from, mut to) = (File::open(from)?, File::create(to)?);
    let mut piece = vec![0; 1 << 20];
    loop {
        match from.read(&mut piece)? {
            0 => return to.sync_all(),
            count => to.write_all(&piece[..count])?,
        }
    }
}

/// The memory of this process in bytes: what it has, or the most that it had. 0 where the system does not tell.
fn resident(what: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(what));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    number.map_or(0, |kib| kib * 1024)
}

fn main() -> keras::Result<()> {
    let name = std::env::args().nth(1).unwrap_or_default();
    let batch_size = std::env::args().nth(2).map(|text| {
        let size = text.parse().ok().filter(|size| *size > 0);
        size.ok_or_else(|| {
            Error::value(format!(
                "the batch size must be a positive number. Received: {text}"
            ))
        })
    });
    let batch_size = batch_size.transpose()?;
    match name.as_str() {
        "mlp_small" => {
            let (x, y) = (noise((1000, 32)), one_hot(&labels(1000, 10), 10));
            let mut model = MlpSmall::with_seed(0);
            model.compile(
                Compile::new(RMSprop::new(0.01), CategoricalCrossentropy::new())
                    .metric(CategoricalAccuracy::new()),
            )?;
            measure(&name, model, (&x, &y), 1000, batch_size.unwrap_or(32), 300)
        }
        "mlp_mnist" => {
            let (x, y) = (noise((60_000, 784)), labels(60_000, 10));
            let mut model = MlpMnist::with_seed(0);
            model.compile(
                Compile::new("adam", "sparse_categorical_crossentropy").metric("accuracy"),
            )?;
            measure(&name, model, (&x, &y), 60_000, batch_size.unwrap_or(128), 3)
        }
        "convnet_mnist" => {
            let x: Array4<f32> = noise((12_000, 28, 28, 1));
            let y = one_hot(&labels(12_000, 10), 10);
            let mut model = ConvnetMnist::with_seed(0);
            model.compile(Compile::new("adam", "categorical_crossentropy").metric("accuracy"))?;
            measure(&name, model, (&x, &y), 12_000, batch_size.unwrap_or(128), 3)
        }
        "tiny" => {
            let (x, y) = (noise((3200, 4)), labels(3200, 3));
            let mut model = Tiny::with_seed(0);
            model.compile(Compile::new("sgd", "sparse_categorical_crossentropy"))?;
            measure(&name, model, (&x, &y), 3200, batch_size.unwrap_or(32), 1000)
        }
        "metrics" => metrics(),
        "save" => save(),
        _ => {
            eprintln!(
                "usage: bench mlp_small | mlp_mnist | convnet_mnist | tiny [BATCH_SIZE], or bench metrics | save"
            );
            std::process::exit(2);
        }
    }
}
