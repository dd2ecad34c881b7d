//! A subclassed model with a `training` switch: while it trains, some of the pixels and of the
//! features are dropped, so that it reads damaged images better than a network that has only seen
//! clean ones.
//!
//! `cargo run --release --example noisy_digits`

use keras::prelude::*;
use ndarray::Array4;

#[path = "data/digits.rs"]
mod data;

/// Reads digits of which a part is missing.
#[model(input = [8, 8, 1])]
pub struct Robust {
    #[layer()]
    flatten: Flatten,
    #[layer(0.4)]
    damage: Dropout,
    #[layer(128, activation = relu)]
    hidden: Dense,
    #[layer(0.2)]
    dropout: Dropout,
    #[layer(10, activation = softmax)]
    probabilities: Dense,
}

#[model]
impl Robust {
    fn call(&self, images: Tensor, training: bool) -> Tensor {
        let pixels = self.flatten(images);
        let pixels = if training {
            self.damage(pixels)
        } else {
            pixels
        };
        let features = self.hidden(pixels);
        let features = if training {
            self.dropout(features)
        } else {
            features
        };
        self.probabilities(features)
    }
}

sequential! {
    /// The same network without the switch.
    pub Plain<8, 8, 1>;
    Flatten,
    Dense(128, activation = relu),
    Dense(10, activation = softmax),
}

/// The images without every third pixel.
fn damaged(images: &Array4<f32>) -> Array4<f32> {
    let mut images = images.clone();
    for (pixel, value) in images.iter_mut().enumerate() {
        if pixel % 3 == 0 {
            *value = 0.0;
        }
    }
    images
}

fn accuracy<M: Model<Device = AutoDevice>>(mut model: M) -> keras::Result<(f32, f32)> {
    let (train, test) = data::load();
    model.compile(Compile::new("adam", "sparse_categorical_crossentropy").metric("accuracy"))?;
    model.fit((&train.images, &train.digits), Fit::epochs(30).verbose(0))?;
    let mut on = |images: &Array4<f32>| -> keras::Result<f32> {
        let logs = model.evaluate((images, &test.digits), Evaluate::batch_size(256).verbose(0))?;
        Ok(100.0 * logs.get("accuracy").unwrap_or(0.0))
    };
    Ok((on(&test.images)?, on(&damaged(&test.images))?))
}

fn main() -> keras::Result<()> {
    let (clean, missing) = accuracy(Plain::with_seed(1))?;
    println!(
        "plain:  {clean:.1} % of clean images, {missing:.1} % of images without a third of their pixels"
    );
    let (clean, missing) = accuracy(Robust::with_seed(1))?;
    println!(
        "robust: {clean:.1} % of clean images, {missing:.1} % of images without a third of their pixels"
    );
    Ok(())
}
