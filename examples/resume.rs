//! A training that is interrupted twice, and one that is not: they end with the same weights.
//!
//! `cargo run --release --example resume`

use keras::prelude::*;

#[path = "data/digits.rs"]
mod data;

sequential! {
    /// Reads handwritten digits of 8 x 8 pixels.
    pub Digits<8, 8, 1>;
    Flatten,
    Dense(64, activation = relu),
    BatchNormalization,
    Dropout(0.3),
    Dense(10, activation = softmax),
}

/// Ends a training with an error after some batches, as a kill would without one.
struct Interrupt(usize);

impl Callback for Interrupt {
    fn on_train_batch_end(
        &mut self,
        _: &mut CallbackContext,
        _: usize,
        _: &Logs,
    ) -> keras::Result<()> {
        match self.0.checked_sub(1) {
            Some(left) => self.0 = left,
            None => return Err(Error::Callback("interrupted".into())),
        }
        Ok(())
    }
}

/// Trains a new model, from its beginning or from a backup.
fn train(batches: usize) -> keras::Result<(Digits, History)> {
    let (train, _) = data::load();
    let mut model = Digits::with_seed(7);
    model.compile(
        Compile::new(Adam::new(0.002), "sparse_categorical_crossentropy").metric("accuracy"),
    )?;
    let directory = std::env::temp_dir().join("keras-example-resume");
    let fit = Fit::epochs(20)
        .validation_split(0.1)
        .verbose(0)
        .callback(
            EarlyStopping::new("val_loss")
                .patience(3)
                .restore_best_weights(true),
        )
        .callback(ReduceLROnPlateau::new("val_loss").patience(1))
        .callback(BackupAndRestore::new(directory).save_freq(50))
        .callback(Interrupt(batches));
    let history = model.fit((&train.images, &train.digits), fit)?;
    Ok((model, history))
}

fn main() -> keras::Result<()> {
    let (whole, expected) = train(usize::MAX)?;
    let losses = expected.get("val_loss").unwrap_or_default();
    println!(
        "not interrupted: {} epochs, val_loss {:?}",
        losses.len(),
        losses.last()
    );

    for batches in [170, 222] {
        if let Err(error) = train(batches) {
            println!("after {batches} batches: {error}");
        }
    }
    let (parts, history) = train(usize::MAX)?;
    let losses = history.get("val_loss").unwrap_or_default();
    println!(
        "interrupted twice: {} epochs, val_loss {:?}",
        losses.len(),
        losses.last()
    );
    let is_same = whole.get_weights() == parts.get_weights() && history == expected;
    println!("weights and history are the same: {is_same}");
    Ok(())
}
