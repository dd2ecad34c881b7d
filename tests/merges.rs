//! A network whose values are used many times and merged in every way: the gradient of each of its
//! weights is the one that the loss follows.

use keras::prelude::*;
use ndarray::{Array2, Array3, ArrayD};

#[model]
fn woven(left: Input<2, 3>, right: Input<4>) -> Woven {
    let a = Dense(6, activation = sigmoid)(Flatten()(Rescaling(0.5, offset = -0.25)(left)));
    let b = Dense(6)(right);
    let square = Multiply()([Reshape((6, 1))(b), a]);
    let c = Maximum()([a, b, a + b]);
    let d = Average()([a * b, c, Subtract()([a, b])]);
    let e = Minimum()([Multiply()([a, d, b]), b]);
    let merged = Concatenate()([c, Flatten()(square), d, e]);
    let y = Dense(3)(merged) + Dense(1)(merged);
    Model((left, right), y)
}

const LEARNING_RATE: f32 = 0.01;

#[test]
fn the_loss_follows_the_gradient() -> keras::Result<()> {
    let left = Array3::from_shape_fn((8, 2, 3), |(i, j, k)| ((i * 6 + j * 3 + k) as f32).sin());
    let right = Array2::from_shape_fn((8, 4), |(i, j)| ((i * 4 + j) as f32).cos());
    let y = Array2::from_shape_fn((8, 3), |(i, j)| (i as f32 / 8.0) - j as f32);
    let mut model = Woven::with_seed(2);
    model.compile(Compile::new(SGD::new(LEARNING_RATE), "mse"))?;
    let before = model.get_weights();
    model.train_on_batch(((&left, &right), &y))?;
    let after = model.get_weights();

    let mut loss = |weights: &[ArrayD<f32>]| -> keras::Result<f32> {
        model.set_weights(weights)?;
        let logs = model.evaluate(((&left, &right), &y), Evaluate::batch_size(8).verbose(0))?;
        Ok(logs.get("loss").unwrap_or(f32::NAN))
    };
    for at in 0..before.len() {
        // A step against the gradient of one weight, some hundredths long, and the same step back.
        let gradient = (&before[at] - &after[at]) / LEARNING_RATE;
        let norm = gradient.mapv(|g| g * g).sum().sqrt();
        let step = 0.02 / norm;
        let mut moved = before.clone();
        moved[at] = &before[at] + &gradient * step;
        let up = loss(&moved)?;
        moved[at] = &before[at] - &gradient * step;
        let slope = (up - loss(&moved)?) / (2.0 * step);
        let error = (slope / (norm * norm) - 1.0).abs();
        assert!(
            error < 0.01,
            "weight {at}: the slope is {slope}, expected {}",
            norm * norm
        );
    }
    Ok(())
}
