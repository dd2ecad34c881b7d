//! Gradient accumulation: a batch that would not fit into memory is worked through in parts, and
//! the weights change once, by the sum of the parts' gradients.
//!
//! `cargo run --release --example gradient_accumulation`

use keras::prelude::*;
use ndarray::ArrayD;

#[path = "data/digits.rs"]
mod data;

/// The samples that are in memory at once.
const PART: usize = 16;

/// Reads digits.
#[model(input = [8, 8, 1])]
pub struct InParts {
    #[layer]
    flatten: Flatten,
    #[layer(64, activation = relu)]
    hidden: Dense,
    #[layer(10, activation = softmax)]
    probabilities: Dense,
}

#[model]
impl InParts {
    fn call(&self, images: Tensor) -> Tensor {
        self.probabilities(self.hidden(self.flatten(images)))
    }

    fn train_step(&mut self, batch: &Batch<'_>) -> keras::Result<()> {
        let samples = batch.rows.len() as f32;
        self.zero_gradients()?;
        for rows in batch.rows.chunks(PART) {
            self.load(&Batch { rows, ..*batch }, true)?;
            self.forward(true)?;
            self.compute_loss()?;
            self.backward()?;
            // The gradient of a part is that of the mean over its samples.
            self.scale_gradients(rows.len() as f32 / samples)?;
            self.accumulate_gradients()?;
            self.update_metrics()?;
        }
        self.apply_gradients()
    }
}

sequential! {
    /// The same network, trained on whole batches.
    pub AtOnce<8, 8, 1>;
    Flatten,
    Dense(64, activation = relu),
    Dense(10, activation = softmax),
}

/// Trains a model; gives its weights and its accuracy on images that it has not seen.
fn train<M: Model<Device = AutoDevice>>(mut model: M) -> keras::Result<(Vec<ArrayD<f32>>, f32)> {
    let (train, test) = data::load();
    let arguments = Compile::new(SGD::new(0.1), "sparse_categorical_crossentropy");
    model.compile(arguments.metric("accuracy"))?;
    let fit = Fit::epochs(40).batch_size(64).verbose(0);
    model.fit((&train.images, &train.digits), fit)?;
    let evaluate = Evaluate::batch_size(256).verbose(0);
    let logs = model.evaluate((&test.images, &test.digits), evaluate)?;
    Ok((model.get_weights(), logs.get("accuracy").unwrap_or(0.0)))
}

fn main() -> keras::Result<()> {
    let (parts, accuracy) = train(InParts::with_seed(1))?;
    println!("64 samples in parts of {PART}: accuracy {accuracy:.4}");
    let (whole, accuracy) = train(AtOnce::with_seed(1))?;
    println!("64 samples at once:        accuracy {accuracy:.4}");
    let pairs = parts.iter().flatten().zip(whole.iter().flatten());
    let largest = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("largest difference of their weights: {largest:.1e}");
    Ok(())
}
