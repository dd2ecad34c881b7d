//! What `compile`, `fit`, `evaluate` and `predict` do, as Keras does it.

mod added;
mod arguments;
mod compile;
mod contract;
mod data;
mod dynamic;
mod function;
mod gpu;
mod resume;

use keras::prelude::*;
use ndarray::{Array1, Array2, Array3, Array4, s};

sequential! {
    Mlp<4>;
    Dense(8, activation = relu),
    Dense(1),
}

sequential! {
    Classifier<4>;
    Dense(8, activation = relu),
    Dense(3, activation = softmax),
}

fn x(samples: usize) -> Array2<f32> {
    Array2::from_shape_fn((samples, 4), |(i, j)| ((i * 4 + j) as f32 * 0.7).sin())
}

/// A target that can be learned.
fn y(x: &Array2<f32>) -> Array1<f32> {
    x.rows()
        .into_iter()
        .map(|row| row.sum() - row[0] * row[1])
        .collect()
}

fn compiled(seed: u64) -> keras::Result<Mlp> {
    let mut model = Mlp::with_seed(seed);
    model.compile(Compile::new(Adam::new(0.01), "mse").metric("mae"))?;
    Ok(model)
}

#[test]
fn training_makes_the_loss_smaller_and_predict_agrees_with_evaluate() -> keras::Result<()> {
    let (x, mut model) = (x(100), compiled(1)?);
    let y = y(&x);
    let history = model.fit((&x, &y), Fit::epochs(60).batch_size(16).verbose(0))?;
    let losses = history.get("loss").unwrap_or_default();
    assert_eq!((losses.len(), history.epochs().len()), (60, 60));
    assert!(losses[59] < 0.1 * losses[0], "{losses:?}");
    let logs = model.evaluate((&x, &y), Evaluate::batch_size(32).verbose(0))?;
    let predicted = model.predict(&x, Predict::batch_size(7))?;
    assert_eq!(predicted.shape(), [100, 1]);
    let by_hand = predicted
        .iter()
        .zip(&y)
        .map(|(p, y)| (p - y).powi(2))
        .sum::<f32>()
        / 100.0;
    let loss = logs.get("loss").unwrap_or(f32::NAN);
    assert!((loss - by_hand).abs() < 1e-5, "{loss} and {by_hand}");
    Ok(())
}

#[test]
fn the_logs_have_the_names_and_the_order_of_keras() -> keras::Result<()> {
    let (x, mut model) = (x(20), Mlp::with_seed(1));
    let y = y(&x);
    model.compile(
        Compile::new("adam", "mse")
            .metric("mae")
            .metric("mse")
            .metric("MSE"),
    )?;
    assert_eq!(model.metrics_names(), [""; 0]);
    let history = model.fit((&x, &y), Fit::epochs(1).validation_split(0.25).verbose(0))?;
    let names: Vec<&str> = history.names().collect();
    assert_eq!(
        names,
        [
            "MSE", "loss", "mae", "mse", "val_MSE", "val_loss", "val_mae", "val_mse"
        ]
    );
    assert_eq!(model.metrics_names(), ["loss", "mae", "mse", "MSE"]);
    Ok(())
}

#[test]
fn a_seed_gives_the_same_training_again() -> keras::Result<()> {
    let x = x(50);
    let y = y(&x);
    let run = |seed| -> keras::Result<Vec<f32>> {
        let mut model = compiled(seed)?;
        model.fit((&x, &y), Fit::epochs(3).batch_size(8).verbose(0))?;
        Ok(model.get_weights().into_iter().flatten().collect())
    };
    assert_eq!(run(5)?, run(5)?);
    assert_ne!(run(5)?, run(6)?);
    Ok(())
}

#[test]
fn a_data_set_brings_its_batches_and_its_order() -> keras::Result<()> {
    let x = x(50);
    let y = y(&x);
    let data = Dataset::from_tensor_slices((&x, &y))?.shuffle(3).batch(20);
    let mut counter = Counter::default();
    let mut model = compiled(2)?;
    model.fit(&data, Fit::epochs(2).verbose(0).callback(&mut counter))?;
    assert_eq!(
        counter.batches, 6,
        "50 samples are three batches of up to 20"
    );
    let logs = model.evaluate(&data, Evaluate::default().verbose(0))?;
    assert!(logs.get("mae").is_some());
    Ok(())
}

/// Counts what it is told, and stops the training after some epochs.
#[derive(Default)]
struct Counter {
    batches: usize,
    tests: usize,
    events: Vec<&'static str>,
    stop_after: Option<usize>,
    ended: bool,
}

impl Callback for Counter {
    fn on_train_begin(&mut self, _: &mut CallbackContext, _: &Logs) -> keras::Result<()> {
        self.events.push("train_begin");
        Ok(())
    }
    fn on_epoch_begin(&mut self, _: &mut CallbackContext, _: usize, _: &Logs) -> keras::Result<()> {
        self.events.push("epoch_begin");
        Ok(())
    }
    fn on_epoch_end(
        &mut self,
        cx: &mut CallbackContext,
        epoch: usize,
        logs: &mut Logs,
    ) -> keras::Result<()> {
        self.events.push("epoch_end");
        logs.insert("mine", epoch as f32);
        if self.stop_after == Some(epoch) {
            cx.stop_training();
        }
        Ok(())
    }
    fn on_train_batch_end(
        &mut self,
        _: &mut CallbackContext,
        _: usize,
        logs: &Logs,
    ) -> keras::Result<()> {
        assert!(logs.get("loss").is_some());
        self.batches += 1;
        Ok(())
    }
    fn on_test_begin(&mut self, _: &mut CallbackContext, _: &Logs) -> keras::Result<()> {
        self.events.push("test_begin");
        self.tests += 1;
        Ok(())
    }
    fn on_train_end(&mut self, _: &mut CallbackContext, _: &Logs) -> keras::Result<()> {
        self.events.push("train_end");
        self.ended = true;
        Ok(())
    }
}

#[test]
fn callbacks_are_told_of_every_stage_and_may_stop() -> keras::Result<()> {
    let x = x(32);
    let y = y(&x);
    let mut counter = Counter {
        stop_after: Some(1),
        ..Counter::default()
    };
    let mut model = compiled(3)?;
    let fit = Fit::epochs(10)
        .batch_size(8)
        .validation((&x, &y))
        .verbose(0)
        .callback(&mut counter);
    let history = model.fit((&x, &y), fit)?;
    assert_eq!(history.epochs(), [0, 1]);
    assert_eq!(history.get("mine"), Some(&[0.0, 1.0][..]));
    assert_eq!(
        (counter.batches, counter.tests, counter.ended),
        (8, 2, true)
    );
    let epoch = ["epoch_begin", "test_begin", "epoch_end"];
    let expected = [&["train_begin"][..], &epoch, &epoch, &["train_end"]].concat();
    assert_eq!(counter.events, expected);
    Ok(())
}

#[test]
fn a_model_without_an_input_shape_is_built_by_its_first_data() -> keras::Result<()> {
    let mut model = sequential![
        Dense(64, activation = relu),
        Dense(64, activation = relu),
        Dense(10, activation = softmax)
    ];
    assert!(!model.is_built());
    assert!(model.summary_string().contains("0 (unbuilt)"));
    let x = Array2::from_shape_fn((1000, 32), |(i, j)| ((i * 32 + j) as f32).sin());
    let y = Array2::from_shape_fn((1000, 10), |(i, j)| if i % 10 == j { 1.0f32 } else { 0.0 });
    model.compile(
        Compile::new(RMSprop::new(0.01), CategoricalCrossentropy::new())
            .metric(CategoricalAccuracy::new()),
    )?;
    let data = Dataset::from_tensor_slices((x, y))?.batch(32);
    let history = model.fit(&data, Fit::epochs(2).verbose(0))?;
    let names: Vec<&str> = history.names().collect();
    assert_eq!(names, ["categorical_accuracy", "loss"]);
    assert_eq!(model.count_params(), 32 * 64 + 64 + 64 * 64 + 64 + 640 + 10);
    let error = model
        .predict(Array2::<f32>::zeros((3, 31)), Predict::default())
        .unwrap_err();
    assert!(
        error.to_string().contains("found shape=(None, 31)"),
        "{error}"
    );
    Ok(())
}

#[test]
fn weights_go_out_and_in_in_the_order_of_keras() -> keras::Result<()> {
    let mut model = Mlp::with_seed(1);
    let weights = model.get_weights();
    let shapes: Vec<&[usize]> = weights.iter().map(|weight| weight.shape()).collect();
    assert_eq!(shapes, [&[4, 8][..], &[8], &[8, 1], &[1]]);
    let other = Mlp::with_seed(2).get_weights();
    model.set_weights(&other)?;
    assert_eq!(model.get_weights(), other);
    let error = model.set_weights(&other[..3]).unwrap_err().to_string();
    assert!(
        error.contains("with a weight list of length 3, but the layer was expecting 4 weights"),
        "{error}"
    );
    let swapped = [
        other[1].clone(),
        other[0].clone(),
        other[2].clone(),
        other[3].clone(),
    ];
    let error = model.set_weights(&swapped).unwrap_err().to_string();
    assert!(
        error.contains("is not compatible with provided weight shape"),
        "{error}"
    );
    assert_eq!(model.get_weights(), other, "nothing is changed by an error");
    let layer = model.get_layer("dense_1")?;
    assert_eq!(
        (
            layer.class_name(),
            layer.count_params(),
            layer.weight_names()
        ),
        ("Dense", 9, vec!["kernel", "bias"])
    );
    let error = model.get_layer("zzz").map(|_| ()).unwrap_err().to_string();
    assert!(
        error.starts_with("No such layer: zzz. Existing layers are:"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_frozen_layer_keeps_its_weights() -> keras::Result<()> {
    let x = x(32);
    let y = y(&x);
    let mut model = compiled(4)?;
    model.set_trainable("dense", false)?;
    let before = model.get_weights();
    model.fit((&x, &y), Fit::epochs(2).verbose(0))?;
    let after = model.get_weights();
    assert_eq!(before[..2], after[..2]);
    assert_ne!(before[2], after[2]);
    model.set_trainable("dense", true)?;
    model.fit((&x, &y), Fit::epochs(1).verbose(0))?;
    assert_ne!(after[0], model.get_weights()[0]);
    Ok(())
}

#[test]
fn sample_weights_scale_the_loss() -> keras::Result<()> {
    let x = x(6);
    let (y, weights) = (y(&x), Array1::from(vec![1.0f32, 0.0, 2.0, 0.0, 0.0, 0.0]));
    let mut model = compiled(5)?;
    let predicted = model.predict(&x, Predict::default())?;
    let squared = |i: usize| (predicted[[i, 0]] - y[i]).powi(2);
    let logs = model.test_on_batch((&x, &y, &weights))?;
    let expected = (squared(0) + 2.0 * squared(2)) / 6.0;
    let loss = logs.get("loss").unwrap_or(f32::NAN);
    assert!((loss - expected).abs() < 1e-5, "{loss} and {expected}");
    Ok(())
}

/// The sentence of an error.
#[track_caller]
fn sentence<T>(result: keras::Result<T>) -> String {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn bad_input_has_a_sentence_and_changes_nothing() -> keras::Result<()> {
    let x = x(10);
    let y = y(&x);
    let mut model = Mlp::with_seed(1);
    let fit = || Fit::epochs(1).verbose(0);
    assert_eq!(
        sentence(model.fit((&x, &y), fit())),
        "You must call `compile()` before using the model."
    );
    let names = [
        (
            "adamm",
            "mse",
            "Could not interpret optimizer identifier: adamm. Did you mean `adam`?",
        ),
        ("adam", "msee", "Could not interpret loss identifier: msee."),
    ];
    for (optimizer, loss, expected) in names {
        let error = sentence(model.compile(Compile::new(optimizer, loss)));
        assert!(error.starts_with(expected), "{error}");
    }
    let error = sentence(model.compile(Compile::new("adam", "mse").metric("accurracy")));
    assert!(
        error.starts_with("Could not interpret metric identifier: accurracy. Did you mean"),
        "{error}"
    );
    model.compile(Compile::new("adam", "mse"))?;
    let before = model.get_weights();
    let cases = [
        (
            sentence(model.fit((&x, &y.slice(s![..9])), fit())),
            "Data cardinality is ambiguous.",
        ),
        (
            sentence(model.fit((&x.slice(s![.., ..3]), &y), fit())),
            "expected shape=(None, 4), found shape=(None, 3)",
        ),
        (
            sentence(model.fit((&Array3::<f32>::zeros((10, 4, 1)), &y), fit())),
            "found shape=(None, 4, 1)",
        ),
        (
            sentence(model.fit((&x.slice(s![..0, ..]), &y.slice(s![..0])), fit())),
            "at least one sample",
        ),
        (
            sentence(model.fit((&x, &y), fit().batch_size(0))),
            "`batch_size`",
        ),
        (
            sentence(model.fit((&x, &y), fit().validation_split(1.0))),
            "which is not sufficient to split it",
        ),
        (
            sentence(model.fit(((&x, &x), &y), fit())),
            "expects 1 input(s)",
        ),
        (sentence(model.fit((&x, (&y, &y)), fit())), "Received: 2"),
        (
            sentence(model.fit((&x, &Array4::<f32>::zeros((10, 2, 2, 2))), fit())),
            "Received",
        ),
        (
            sentence(model.predict(x.slice(s![..0, ..]), Predict::default())),
            "at least one sample",
        ),
    ];
    for (error, expected) in cases {
        assert!(
            error.contains(expected),
            "{error}\ndoes not say: {expected}"
        );
    }
    assert_eq!(model.get_weights(), before);
    Ok(())
}

#[test]
fn labels_out_of_range_are_found_before_the_first_step() -> keras::Result<()> {
    let x = x(6);
    let mut model = Classifier::with_seed(1);
    model.compile(Compile::new("adam", "sparse_categorical_crossentropy").metric("accuracy"))?;
    let before = model.get_weights();
    let labels = Array1::from(vec![0i64, 1, 2, 3, 0, 1]);
    let error = sentence(model.fit((&x, &labels), Fit::epochs(1).verbose(0)));
    assert!(
        error.contains("Received a label value of 3 which is outside the valid range of [0, 3)"),
        "{error}"
    );
    assert_eq!(model.get_weights(), before);
    let labels = labels.mapv(|label| label.min(2));
    model.fit((&x, &labels), Fit::epochs(1).verbose(0))?;
    Ok(())
}

#[test]
fn build_takes_the_shape_of_a_batch() -> keras::Result<()> {
    let mut model = sequential![Dense(2)];
    model.build(&[None, Some(3)])?;
    assert_eq!(model.count_params(), 8);
    assert!(sentence(sequential![Dense(2)].build(&[])).contains("batch axis"));
    assert!(
        sentence(sequential![Dense(2)].build(&[None]))
            .contains("expected min_ndim=2, found ndim=1")
    );
    assert!(sentence(sequential![Dense(2)].build(&[None, None])).contains("should be defined"));
    assert_eq!(
        sentence(Mlp::new().build(&[None, Some(7)])),
        "Sequential model 'mlp' has already been configured to use input shape (None, 4). You cannot build it with \
         input_shape (None, 7)"
    );
    Ok(())
}
