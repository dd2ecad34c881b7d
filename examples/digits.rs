//! A convolutional network that reads handwritten digits.
//!
//! `cargo run --release --example digits`; with `--features cuda` on the GPU, if there is one.

use keras::prelude::*;

#[path = "data/digits.rs"]
mod data;

sequential! {
    /// Reads handwritten digits of 8 x 8 pixels.
    pub Digits<8, 8, 1>;
    Conv2D(32, 3, padding = same, activation = relu),
    Conv2D(32, 3, activation = relu),
    MaxPooling2D(2),
    Flatten,
    Dropout(0.3),
    Dense(10, activation = softmax),
}

fn main() -> keras::Result<()> {
    keras::on_best_device!(|device| -> keras::Result<()> {
        let (train, test) = data::load();
        let mut model = Digits::on_with_seed(device, 7);
        model.summary();
        model.compile(
            Compile::new(Adam::new(0.002), "sparse_categorical_crossentropy").metric("accuracy"),
        )?;
        model.fit(
            (&train.images, &train.digits),
            Fit::epochs(12).batch_size(32).validation_split(0.1),
        )?;
        let logs = model.evaluate(
            (&test.images, &test.digits),
            Evaluate::batch_size(256).verbose(0),
        )?;
        println!("test accuracy: {:.4}", logs.get("accuracy").unwrap_or(0.0));
        Ok(())
    })
}
