//! A gradient penalty by hand: besides the loss `L` the squared length of its gradient with regard
//! to the inputs is made small, `L + λ/2 |dL/dx|²`, so that small changes of an image change little.
//!
//! The penalty's own gradient needs a second derivative, along one direction only: with
//! `v = dL/dx` it is the change of `dL/dw` along `v`,
//!
//! ```text
//! d/dw (1/2 |dL/dx|²) = (dL/dw at x + εv  -  dL/dw at x - εv) / 2ε
//! ```
//!
//! which is two more passes through the network.
//!
//! `cargo run --release --example gradient_penalty`

use keras::prelude::*;
use ndarray::{Array4, ArrayD};

#[path = "data/digits.rs"]
mod data;

/// How much the penalty counts.
const LAMBDA: f32 = 1.0;
/// How far the inputs are moved, in units of their distance from zero.
const MOVE: f32 = 0.01;

/// Reads digits.
#[model(input = [8, 8, 1])]
pub struct Smooth {
    #[layer]
    flatten: Flatten,
    #[layer(64, activation = tanh)]
    hidden: Dense,
    #[layer(10, activation = softmax)]
    probabilities: Dense,
}

fn length(values: &ArrayD<f32>) -> f32 {
    values.iter().map(|v| v * v).sum::<f32>().sqrt()
}

#[model]
impl Smooth {
    fn call(&self, images: Tensor) -> Tensor {
        self.probabilities(self.hidden(self.flatten(images)))
    }

    fn train_step(&mut self, batch: &Batch<'_>) -> keras::Result<Logs> {
        self.watch_inputs(true);
        self.load(batch, true)?;
        self.forward(true)?;
        self.compute_loss()?;
        self.update_metrics()?;
        self.backward()?;
        let gradients = self.gradients();
        let images = self.inputs()?.remove(0);
        // The loss is a mean over the batch: times its size, each image's own gradient.
        let samples = batch.rows.len() as f32;
        let direction = self.input_gradients()?.remove(0) * samples;
        let penalty = 0.5 * length(&direction).powi(2) / samples;

        let step = MOVE * length(&images) / length(&direction).max(1e-12);
        let ahead = self.gradients_at(&images + &direction * step)?;
        let behind = self.gradients_at(&images - &direction * step)?;
        let total: Vec<ArrayD<f32>> = gradients
            .into_iter()
            .zip(ahead.into_iter().zip(behind))
            .map(|(own, (ahead, behind))| own + (ahead - behind) * (LAMBDA / (2.0 * step)))
            .collect();
        self.set_gradients(&total)?;
        self.apply_gradients()?;

        let mut logs = self.logs();
        logs.insert("penalty", penalty);
        Ok(logs)
    }

    /// The gradients of the weights for other images with the same digits.
    fn gradients_at(&mut self, images: ArrayD<f32>) -> keras::Result<Vec<ArrayD<f32>>> {
        self.set_inputs(&[images])?;
        self.forward(true)?;
        self.compute_loss_gradients()?;
        self.backward()?;
        Ok(self.gradients())
    }
}

sequential! {
    /// The same network without the penalty.
    pub Plain<8, 8, 1>;
    Flatten,
    Dense(64, activation = tanh),
    Dense(10, activation = softmax),
}

/// Images moved by 0.08 in each pixel, in the direction that confuses the model most.
fn attacked<M: Model>(
    model: &mut M,
    images: &Array4<f32>,
    digits: &ndarray::Array1<u8>,
) -> keras::Result<ArrayD<f32>> {
    model.watch_inputs(true);
    model.load_on_batch((images, digits), true)?;
    model.forward(true)?;
    model.compute_loss()?;
    model.backward()?;
    let direction = model.input_gradients()?.remove(0);
    Ok(images + &direction.mapv(|d| 0.08 * d.signum()))
}

fn report<M: Model<Device = AutoDevice>>(name: &str, mut model: M) -> keras::Result<()> {
    let (train, test) = data::load();
    let arguments = Compile::new(Adam::new(0.002), "sparse_categorical_crossentropy");
    model.compile(arguments.metric("accuracy"))?;
    let history = model.fit((&train.images, &train.digits), Fit::epochs(40).verbose(0))?;
    if let Some([first, .., last]) = history.get("penalty") {
        println!("{name}: penalty {first:.5} -> {last:.5}");
    }
    let images = attacked(&mut model, &test.images, &test.digits)?;
    let mut accuracy = |images: &ArrayD<f32>| -> keras::Result<f32> {
        let evaluate = Evaluate::batch_size(512).verbose(0);
        let logs = model.evaluate((images, &test.digits), evaluate)?;
        Ok(100.0 * logs.get("accuracy").unwrap_or(0.0))
    };
    let clean = accuracy(&test.images.clone().into_dyn())?;
    println!(
        "{name}: {clean:.1} % of clean images, {:.1} % of attacked ones",
        accuracy(&images)?
    );
    Ok(())
}

fn main() -> keras::Result<()> {
    report("plain ", Plain::with_seed(1))?;
    report("smooth", Smooth::with_seed(1))
}
