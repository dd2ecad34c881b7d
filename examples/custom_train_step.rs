//! A training step of one's own: gradients are clipped to a length before they are used, and the
//! length that they had is logged beside the loss.
//!
//! `cargo run --release --example custom_train_step`

use keras::prelude::*;
use ndarray::{Array2, Axis};

/// What the gradients may measure at most.
const LONGEST: f32 = 0.5;

/// Fits a wave.
#[model(input = [1])]
pub struct Wave {
    #[layer(32, activation = tanh)]
    hidden: Dense,
    #[layer(32, activation = tanh)]
    hidden_2: Dense,
    #[layer(1)]
    height: Dense,
}

#[model]
impl Wave {
    fn call(&self, inputs: Tensor) -> Tensor {
        self.height(self.hidden_2(self.hidden(inputs)))
    }

    /// What it returns reaches the callbacks and the history.
    fn train_step(&mut self, batch: &Batch<'_>) -> keras::Result<Logs> {
        self.load(batch, true)?;
        self.forward(true)?;
        self.compute_loss()?;
        self.backward()?;
        let squares = |gradient: &ndarray::ArrayD<f32>| gradient.iter().map(|g| g * g).sum::<f32>();
        let norm = self.gradients().iter().map(squares).sum::<f32>().sqrt();
        if norm > LONGEST {
            self.scale_gradients(LONGEST / norm)?;
        }
        self.apply_gradients()?;
        self.update_metrics()?;
        let mut logs = self.logs();
        logs.insert("gradient_norm", norm);
        Ok(logs)
    }
}

fn main() -> keras::Result<()> {
    let x = Array2::from_shape_fn((512, 1), |(i, _)| i as f32 / 128.0 - 2.0);
    let mut y = x.mapv(|x| (3.0 * x).sin());
    // A few measurements that are far off: their gradients are long.
    for mut outlier in y.axis_chunks_iter_mut(Axis(0), 64) {
        outlier[[0, 0]] += 8.0;
    }
    let mut model = Wave::with_seed(2);
    model.compile(Compile::new(Adam::new(0.005), "mse").metric("mae"))?;
    let history = model.fit((&x, &y), Fit::epochs(200).verbose(0))?;
    for name in history.names() {
        let values = history.get(name).unwrap_or_default();
        if let [first, .., last] = values {
            println!("{name}: {first:.3} -> {last:.3}");
        }
    }
    let found = model.predict(&x, Predict::batch_size(512))?;
    let off = found
        .iter()
        .zip(&x)
        .map(|(y, x)| (y - (3.0 * x).sin()).abs());
    println!(
        "mean distance from the wave: {:.3}",
        off.sum::<f32>() / 512.0
    );
    Ok(())
}
