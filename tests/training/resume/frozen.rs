//! Layers that are frozen in mid-training: what the optimizer remembers of them stays, in files as well.

use keras::prelude::*;
use ndarray::Array2;

use super::Directory;
use super::cases::Interrupt;

sequential! {
    Frozen<6>;
    Dense(5, activation = tanh),
    Dense(4, activation = tanh),
    Dense(3),
}

fn data() -> (Array2<f32>, Array2<f32>) {
    let x = Array2::from_shape_fn((12, 6), |(i, j)| ((i * 6 + j) as f32).sin());
    let y = Array2::from_shape_fn((12, 3), |(i, j)| ((i * 3 + j) as f32).cos());
    (x, y)
}

fn fit(epochs: usize) -> Fit<'static> {
    Fit::epochs(epochs).batch_size(4).shuffle(false).verbose(0)
}

/// Of three layers one was trained and is frozen, one was never trained, one is.
fn trained() -> keras::Result<Frozen<Cpu>> {
    let (x, y) = data();
    let mut model = Frozen::with_seed(5);
    model.compile(Compile::new(Adam::new(0.02), "mse"))?;
    model.set_trainable("dense_1", false)?;
    model.fit((&x, &y), fit(2))?;
    model.set_trainable("dense", false)?;
    model.fit((&x, &y), fit(1))?;
    Ok(model)
}

/// Trains every layer.
fn thaw(model: &mut Frozen<Cpu>) -> keras::Result<Vec<ndarray::ArrayD<f32>>> {
    let (x, y) = data();
    for layer in ["dense", "dense_1"] {
        model.set_trainable(layer, true)?;
    }
    model.fit((&x, &y), fit(1))?;
    Ok(model.get_weights())
}

#[test]
fn a_file_has_what_the_optimizer_remembers_of_a_frozen_layer() -> keras::Result<()> {
    let directory = Directory::new("frozen-file");
    let (x, y) = data();
    for name in ["model.keras", "model.h5"] {
        let mut model = Frozen::with_seed(5);
        model.compile(Compile::new(SGD::new(0.05).momentum(0.9), "mse"))?;
        model.fit((&x, &y), fit(2))?;
        model.set_trainable("dense", false)?;
        model.fit((&x, &y), fit(1))?;
        let path = directory.0.join(name);
        model.save(&path)?;
        let mut again = Frozen::load(&path)?;
        assert_eq!(thaw(&mut again)?, thaw(&mut model)?, "{name}");
    }
    Ok(())
}

#[test]
fn a_backup_has_the_layers_that_are_frozen_and_what_the_optimizer_remembers() -> keras::Result<()> {
    let directory = Directory::new("frozen-backup");
    let backup = || BackupAndRestore::new(directory.0.join("backup")).save_freq(1);
    let (x, y) = data();
    let mut whole = trained()?;
    whole.fit((&x, &y), fit(3))?;
    let mut interrupt = Interrupt::after(9);
    let stopped = trained()?.fit((&x, &y), fit(3).callback(backup()).callback(&mut interrupt));
    assert!(stopped.is_err());
    // The program that goes on has trained nothing and frozen nothing.
    let mut model = Frozen::with_seed(99);
    model.compile(Compile::new(Adam::new(0.02), "mse"))?;
    let mut on = Interrupt::after(usize::MAX);
    model.fit((&x, &y), fit(3).callback(backup()).callback(&mut on))?;
    assert_eq!(model.get_weights(), whole.get_weights());
    assert_eq!(thaw(&mut model)?, thaw(&mut whole)?);
    Ok(())
}
