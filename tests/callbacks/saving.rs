//! Trainings that are cut in two by a file.

use keras::prelude::*;
use keras::testing::{Said, listen};
use ndarray::{Array, Array2};

use super::directory;

sequential! {
    Noisy<4>;
    Dense(8, activation = tanh),
    BatchNormalization,
    Dropout(0.5),
    Dense(2),
}

sequential! {
    Other<4>;
    Dense(8),
    Dense(3),
    Dense(2),
}

fn noisy(samples: usize) -> (Array2<f32>, Array2<f32>) {
    let x = Array::from_shape_fn((samples, 4), |(row, column)| {
        (row * 4 + column) as f32 / 100.0
    });
    let y = Array::from_shape_fn((samples, 2), |(row, column)| (row + column) as f32 / 10.0);
    (x, y)
}

/// A training that is cut in two by a file is the training in one piece, bit for bit: weights, moments
/// of the optimizer, dropout and the order of the samples.
#[test]
fn a_saved_training_goes_on_as_if_nothing_had_happened() -> keras::Result<()> {
    let (x, y) = noisy(20);
    let fit = |epochs: std::ops::Range<usize>| {
        let fit = Fit::epochs(epochs.end).initial_epoch(epochs.start);
        fit.batch_size(6).verbose(0)
    };
    let compile = || Compile::new(Adam::new(0.01).amsgrad(true), "mse");
    let mut whole = Noisy::with_seed(5);
    whole.compile(compile())?;
    whole.fit((&x, &y), fit(0..4))?;

    let path = directory("noisy.keras");
    let mut first = Noisy::with_seed(5);
    first.compile(compile())?;
    first.fit((&x, &y), fit(0..2))?;
    first.save(&path)?;

    let mut second = Noisy::load(&path)?;
    assert_eq!(second.get_weights(), first.get_weights());
    second.compile(compile())?;
    second.fit((&x, &y), fit(2..4))?;
    assert_eq!(second.get_weights(), whole.get_weights());

    // The same into a model that is there already; its seed stays its own.
    let mut third = Noisy::with_seed(5);
    third.compile(compile())?;
    third.load_weights(&path)?;
    third.fit((&x, &y), fit(2..4))?;
    assert_eq!(third.get_weights(), whole.get_weights());
    std::fs::remove_file(&path).expect("the file");
    Ok(())
}

#[test]
fn another_optimizer_begins_anew_and_says_so() -> keras::Result<()> {
    let (x, y) = noisy(4);
    let path = directory("optimizer.weights.h5");
    let mut model = Noisy::with_seed(5);
    model.compile(Compile::new("adam", "mse"))?;
    model.train_on_batch((&x, &y))?;
    model.save_weights(&path)?;
    let mut other = Noisy::with_seed(6);
    other.compile(Compile::new(RMSprop::new(0.5), "mse"))?;
    let (loaded, said) = listen(|| other.load_weights(&path));
    loaded?;
    assert_eq!(other.get_weights(), model.get_weights());
    assert_eq!(other.learning_rate()?, 0.5);
    let [Said::Warned(warning)] = &said[..] else {
        panic!("{said:?}");
    };
    let expected = "Skipping variable loading for optimizer 'rm_sprop', because it has 8 variables whereas the saved \
                    optimizer has 14 variables.";
    assert_eq!(warning, expected);
    std::fs::remove_file(&path).expect("the file");
    Ok(())
}

#[test]
fn weights_of_another_model_are_refused_layer_by_layer() -> keras::Result<()> {
    let path = directory("other.weights.h5");
    let mut model = Noisy::with_seed(5);
    model.save_weights(&path)?;
    let mut other = Other::with_seed(6);
    let before = other.get_weights();
    let error = other.load_weights(&path).unwrap_err().to_string();
    let expected = "A total of 3 objects could not be loaded.
Layer 'dense_1' weight `kernel` shape (8, 3) is not compatible with provided weight shape (8, 2).
Layer 'dense_2' expected 2 variables, but received 0 variables during loading. Expected: [\"kernel\", \"bias\"]
The file's layer 'batch_normalization' (layers/batch_normalization) is not in the model.";
    assert_eq!(error, format!("{}: {expected}", path.display()));
    assert_eq!(other.get_weights(), before);

    let skip = LoadWeights::new().skip_mismatch(true);
    let (loaded, said) = listen(|| other.load_weights_with(&path, skip));
    loaded?;
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(other.get_weights()[..2], model.get_weights()[..2]);
    assert_eq!(other.get_weights()[2..], before[2..]);
    let error = Other::load(&path).err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("could not be loaded")));

    let damaged = std::fs::read(&path).expect("the file");
    std::fs::write(&path, &damaged[..damaged.len() - 9]).expect("a file");
    let error = model.load_weights(&path).unwrap_err().to_string();
    assert!(error.contains("damaged"), "{error}");
    std::fs::remove_file(&path).expect("the file");
    assert!(model.load_weights(&path).is_err());
    Ok(())
}

/// For each optimizer: the trainings after a file and without it are the same, bit for bit.
#[test]
fn every_optimizer_goes_on_from_its_file() -> keras::Result<()> {
    fn compile(optimizer: &str) -> Compile<AutoDevice> {
        match optimizer {
            "momentum" => Compile::new(SGD::new(0.05).momentum(0.9), "mse"),
            "schedule" => Compile::new(Adam::new(ExponentialDecay::new(0.01, 2, 0.5)), "mse"),
            name => Compile::new(name, "mse"),
        }
    }
    let (x, y) = noisy(12);
    let fit = |first: usize, last: usize| {
        let fit = Fit::epochs(last).initial_epoch(first);
        fit.batch_size(4).verbose(0)
    };
    for name in ["sgd", "momentum", "rmsprop", "adam", "schedule"] {
        let path = directory(&format!("{name}.weights.h5"));
        let mut whole = Noisy::with_seed(5);
        whole.compile(compile(name))?;
        whole.fit((&x, &y), fit(0, 2))?;
        whole.save_weights(&path)?;
        let saved = whole.get_weights();
        whole.fit((&x, &y), fit(2, 4))?;
        let mut loaded = Noisy::with_seed(5);
        loaded.compile(compile(name))?;
        loaded.load_weights(&path)?;
        loaded.fit((&x, &y), fit(2, 4))?;
        assert_eq!(loaded.get_weights(), whole.get_weights(), "{name}");

        let mut uncompiled = Noisy::with_seed(6);
        uncompiled.load_weights(&path)?;
        assert_eq!(uncompiled.get_weights(), saved);
        std::fs::remove_file(&path).expect("the file");
    }
    Ok(())
}

#[test]
fn a_model_that_is_not_built_is_not_saved() -> keras::Result<()> {
    let mut model = sequential![Dense(3)];
    let path = directory("unbuilt.keras");
    let error = model.save(&path).unwrap_err().to_string();
    assert!(error.contains("has not yet been built"), "{error}");
    let error = model.load_weights(&path).unwrap_err().to_string();
    assert!(error.contains("has not yet been built"), "{error}");
    assert!(!path.exists());
    Ok(())
}
