//! A regression on tabular data: how far diabetes goes within a year, from ten measurements.
//!
//! `cargo run --release --example diabetes`

use keras::prelude::*;
use ndarray::{Array1, Array2, Axis, s};

sequential! {
    /// Ten measurements of a patient, one number.
    pub Progression<10>;
    Dense(32, activation = relu),
    Dropout(0.2),
    Dense(16, activation = relu),
    Dense(1),
}

/// The measurements (patients, 10) and the progression (patients,).
fn load() -> (Array2<f32>, Array1<f32>) {
    let number = |text: &str| text.trim().parse::<f32>().unwrap_or(f32::NAN);
    let lines = include_str!("data/diabetes.csv").lines().skip(1);
    let rows: Vec<Vec<f32>> = lines
        .map(|line| line.split(',').map(number).collect())
        .collect();
    let x = Array2::from_shape_fn((rows.len(), 10), |(row, column)| rows[row][column]);
    let y = rows.iter().map(|row| row[10]).collect();
    (x, y)
}

fn main() -> keras::Result<()> {
    let (x, y) = load();
    let cut = x.nrows() * 4 / 5;
    // What is known of the test patients must not be used: scale by the others.
    let train = x.slice(s![..cut, ..]);
    let deviation = train.std_axis(Axis(0), 0.0);
    let x = match train.mean_axis(Axis(0)) {
        Some(mean) => (&x - &mean) / &deviation,
        None => x,
    };
    let (x_train, x_test) = x.view().split_at(Axis(0), cut);
    let (y_train, y_test) = y.view().split_at(Axis(0), cut);

    let mut model = Progression::with_seed(5);
    model.compile(Compile::new(AdamW::new(0.01).weight_decay(0.01), "mse").metric("mae"))?;
    let history = model.fit(
        (&x_train, &y_train),
        Fit::epochs(200).validation_split(0.2).verbose(0).callback(
            EarlyStopping::new("val_loss")
                .patience(20)
                .restore_best_weights(true),
        ),
    )?;
    println!("trained for {} epochs", history.epochs().len());
    let logs = model.evaluate((&x_test, &y_test), Evaluate::batch_size(32).verbose(0))?;
    let mean = y_train.mean().unwrap_or(0.0);
    let guess = y_test.mapv(|y| (y - mean).abs()).mean().unwrap_or(f32::NAN);
    println!("guessing the mean is wrong by {guess:.1} on average");
    println!(
        "the model is wrong by {:.1} on average",
        logs.get("mae").unwrap_or(f32::NAN)
    );
    let two = model.predict(x_test.slice(s![..2, ..]), Predict::default())?;
    println!(
        "the first two patients: {:.0} and {:.0}, in truth {:.0} and {:.0}",
        two[[0, 0]],
        two[[1, 0]],
        y_test[0],
        y_test[1]
    );
    Ok(())
}
