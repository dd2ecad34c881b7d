//! A generative adversarial network: a generator makes points out of noise, a discriminator tells
//! them from real ones, which lie on a circle. Each has its own optimizer and is trained against the
//! other.
//!
//! `cargo run --release --example gan`

use keras::prelude::*;
use keras::random::Key;
use ndarray::{Array2, ArrayD, Axis, concatenate};

sequential! {
    /// Noise -> points of the plane.
    pub Generator<4>;
    Dense(32, activation = relu),
    Dense(32, activation = relu),
    Dense(2),
}

sequential! {
    /// A point -> how real it looks, as a logit.
    pub Discriminator<2>;
    Dense(64, activation = leaky_relu),
    Dense(64, activation = leaky_relu),
    Dense(1),
}

const BATCH: usize = 128;
const STEPS: u64 = 4000;
const RADIUS: f32 = 2.0;

/// Points near the circle, others with each key.
fn real(key: Key, count: usize) -> Array2<f32> {
    Array2::from_shape_fn((count, 2), |(i, axis)| {
        let at = 3 * i as u64;
        let angle = std::f64::consts::TAU * key.uniform(at);
        let radius = f64::from(RADIUS) + 0.1 * key.normal(at + 1);
        (radius * if axis == 0 { angle.cos() } else { angle.sin() }) as f32
    })
}

fn noise(key: Key, count: usize) -> Array2<f32> {
    Array2::from_shape_fn((count, 4), |(i, j)| key.normal((4 * i + j) as u64) as f32)
}

/// The mean distance of points from the origin, and its standard deviation.
fn radius(points: &ArrayD<f32>) -> (f32, f32) {
    let radii = points.map_axis(Axis(1), |point| point.dot(&point).sqrt());
    (radii.mean().unwrap_or(0.0), radii.std(0.0))
}

fn main() -> keras::Result<()> {
    let mut generator = Generator::with_seed(1);
    // Its loss is computed by the discriminator.
    let none = Losses::by_output::<&str>([] as [(&str, &str); 0]);
    generator.compile(Compile::new(Adam::new(5e-4).beta_1(0.5), none))?;
    let mut discriminator = Discriminator::with_seed(2);
    let loss = BinaryCrossentropy::new().from_logits(true);
    discriminator.compile(Compile::new(Adam::new(1e-3).beta_1(0.5), loss))?;
    discriminator.watch_inputs(true);

    let labels = Array2::from_shape_fn(
        (2 * BATCH, 1),
        |(i, _)| if i < BATCH { 1.0f32 } else { 0.0 },
    );
    let all_real = Array2::<f32>::ones((BATCH, 1));
    let key = Key::new(3);
    for step in 0..STEPS {
        let key = key.fold(step);
        generator.load_on_batch(noise(key.fold(0), BATCH), true)?;
        generator.forward(true)?;
        let made = generator.outputs()?.remove(0);

        // The discriminator learns to tell real points from those that were made.
        let real = real(key.fold(1), BATCH).into_dyn();
        discriminator.train_on_batch((concatenate![Axis(0), real, made], &labels))?;

        // The generator learns to make points that the discriminator takes for real: the gradient
        // that reaches the discriminator's inputs goes on through the generator.
        discriminator.load_on_batch((&made, &all_real), true)?;
        discriminator.forward(true)?;
        discriminator.compute_loss()?;
        discriminator.backward()?;
        generator.set_output_gradients(&discriminator.input_gradients()?)?;
        generator.backward()?;
        generator.apply_gradients()?;

        if (step + 1) % 1000 == 0 {
            let points = generator.predict(noise(Key::new(4), 2000), Predict::batch_size(2000))?;
            let (mean, spread) = radius(&points);
            println!("step {}: radius {mean:.2} +- {spread:.2}", step + 1);
        }
    }
    let (mean, spread) = radius(&real(Key::new(5), 2000).into_dyn());
    println!("real points: radius {mean:.2} +- {spread:.2}");
    Ok(())
}
