//! A functional model with two inputs and two outputs: it looks at two handwritten digits and says
//! whether they are the same, and what their sum is. Both images go through the same layers.
//!
//! `cargo run --release --example two_digits`

use keras::prelude::*;
use ndarray::{Array1, Array4, Axis};

#[path = "data/digits.rs"]
mod data;

/// Compares two digits and adds them.
#[model]
fn two_digits(left: Input<8, 8, 1>, right: Input<8, 8, 1>) -> TwoDigits {
    let conv = Conv2D(32, 3, activation = relu);
    let pool = MaxPooling2D(2);
    let encoder = Dense(64, activation = relu);
    let a = encoder(Flatten()(pool(conv(left))));
    let b = encoder(Flatten()(pool(conv(right))));
    let difference = Dense(32, activation = relu)((a - b) * (a - b));
    let same = Dense(1, activation = sigmoid)(difference);
    let sum = Dense(1)(Dense(64, activation = relu)(a + b));
    Model((left, right), Dict { same, sum })
}

/// Pairs of images, whether they show the same digit, and the sum of the two.
struct Pairs {
    left: Array4<f32>,
    right: Array4<f32>,
    same: Array1<bool>,
    sum: Array1<f32>,
}

/// Every second pair shows the same digit, the others are chance.
fn pairs(images: &data::Digits, count: usize) -> Pairs {
    let of_digit = |digit: u8| -> Vec<usize> {
        let all = images.digits.iter().enumerate();
        all.filter(|(_, found)| **found == digit)
            .map(|(at, _)| at)
            .collect()
    };
    let by_digit: Vec<Vec<usize>> = (0..10).map(of_digit).collect();
    let samples = images.digits.len();
    let left: Vec<usize> = (0..count).map(|pair| pair * 31 % samples).collect();
    let partner = |(pair, &at): (usize, &usize)| {
        if pair % 2 == 0 {
            let same = &by_digit[images.digits[at] as usize];
            same[pair * 7 % same.len()]
        } else {
            pair * 101 % samples
        }
    };
    let right: Vec<usize> = left.iter().enumerate().map(partner).collect();
    let digit = |at: &usize| images.digits[*at];
    Pairs {
        same: left
            .iter()
            .zip(&right)
            .map(|(a, b)| digit(a) == digit(b))
            .collect(),
        sum: left
            .iter()
            .zip(&right)
            .map(|(a, b)| f32::from(digit(a) + digit(b)))
            .collect(),
        left: images.images.select(Axis(0), &left),
        right: images.images.select(Axis(0), &right),
    }
}

fn main() -> keras::Result<()> {
    let (train, test) = data::load();
    let (train, test) = (pairs(&train, 6000), pairs(&test, 1000));
    let mut model = TwoDigits::with_seed(3);
    model.summary();
    let losses = Losses::by_output([("same", "binary_crossentropy"), ("sum", "mse")]);
    model.compile(
        Compile::new(Adam::new(0.001), losses)
            .loss_weights([("same", 1.0), ("sum", 0.1)])
            .metric_for("same", "accuracy")
            .metric_for("sum", "mae"),
    )?;
    model.fit(
        ((&train.left, &train.right), (&train.same, &train.sum)),
        Fit::epochs(10).batch_size(64).verbose(2),
    )?;
    let logs = model.evaluate(
        ((&test.left, &test.right), (&test.same, &test.sum)),
        Evaluate::batch_size(250).verbose(0),
    )?;
    let log = |name: &str| logs.get(name).unwrap_or(f32::NAN);
    println!(
        "the same digit: {:.1} % right",
        100.0 * log("same_accuracy")
    );
    println!("the sum: wrong by {:.2} on average", log("sum_mae"));
    Ok(())
}
