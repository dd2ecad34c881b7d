//! A model that was trained in Python goes on here: `tests/reference/digits_model.py` made the file.
//!
//! `cargo run --release --example from_keras`

use keras::prelude::*;

#[path = "data/digits.rs"]
mod data;

/// Reads handwritten digits of 8 x 8 pixels: the layers and the weights are in the file.
#[model(keras = "examples/data/digits.keras")]
pub struct Digits;

fn main() -> keras::Result<()> {
    let (train, test) = data::load();
    let evaluate = || Evaluate::batch_size(256).verbose(0);
    let compile = || {
        Compile::new(
            SGD::new(0.02).momentum(0.9),
            "sparse_categorical_crossentropy",
        )
        .metric("accuracy")
    };

    // Known when this program was compiled: a wrong shape of a tensor would not compile.
    let mut model = Digits::new();
    model.summary();
    model.compile(compile())?;
    let logs = model.evaluate((&test.images, &test.digits), evaluate())?;
    println!(
        "as it came from Python: {:.4}",
        logs.get("accuracy").unwrap_or(0.0)
    );
    model.fit(
        (&train.images, &train.digits),
        Fit::epochs(3).batch_size(32),
    )?;
    let logs = model.evaluate((&test.images, &test.digits), evaluate())?;
    println!(
        "after three more epochs: {:.4}",
        logs.get("accuracy").unwrap_or(0.0)
    );

    // The same file, read when the program runs.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.keras");
    let mut loaded = keras::load_model(path)?;
    loaded.compile(compile())?;
    let logs = loaded.evaluate((&test.images, &test.digits), evaluate())?;
    println!(
        "read by the program: {:.4}",
        logs.get("accuracy").unwrap_or(0.0)
    );
    Ok(())
}
