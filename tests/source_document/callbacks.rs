//! Callbacks: rows C1 to C6.

use std::path::PathBuf;

use keras::prelude::*;
use keras::testing::{Said, listen};
use ndarray::{Array, Array1, Array2, array};

sequential! {
    Line<1>;
    Dense(1),
}

sequential! {
    Classifier<2>;
    Dense(8, activation = tanh),
    Dense(2, activation = softmax),
}

/// Points, and on which side of a line they lie.
fn sides(samples: usize) -> (Array2<f32>, Array1<u8>) {
    let x = Array2::from_shape_fn((samples, 2), |(i, j)| ((2 * i + j) as f32 * 1.7).sin());
    let y = x.rows().into_iter().map(|row| u8::from(row[0] > row[1]));
    let y = y.collect();
    (x, y)
}

/// A directory that only this test writes to.
fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("keras-document-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&path).expect("a directory");
    path
}

/// What a callback has seen of a call.
#[derive(Default)]
struct Seen {
    params: Params,
    model: String,
    batches: Vec<String>,
    epochs: Vec<String>,
}

impl Callback for Seen {
    fn on_train_begin(&mut self, cx: &mut CallbackContext, _: &Logs) -> keras::Result<()> {
        self.params = cx.params().clone();
        self.model = cx.model().name().to_owned();
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        _: &mut CallbackContext,
        batch: usize,
        logs: &Logs,
    ) -> keras::Result<()> {
        let names: Vec<&str> = logs.names().collect();
        self.batches.push(format!("{batch} {}", names.join(" ")));
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        _: &mut CallbackContext,
        epoch: usize,
        logs: &mut Logs,
    ) -> keras::Result<()> {
        let names: Vec<&str> = logs.names().collect();
        self.epochs.push(format!("{epoch} {}", names.join(" ")));
        Ok(())
    }
}

#[test]
fn c1_a_callback_sees_the_params_the_model_and_the_logs() -> keras::Result<()> {
    let (x, y) = sides(6);
    let mut model = Classifier::with_seed(1);
    model.compile(Compile::new("sgd", "sparse_categorical_crossentropy").metric("accuracy"))?;
    let mut seen = Seen::default();
    let fit = Fit::epochs(2).batch_size(3).verbose(0);
    model.fit((&x, &y), fit.validation((&x, &y)).callback(&mut seen))?;
    let params = Params {
        verbose: 0,
        batch_size: Some(3),
        epochs: 2,
        steps: Some(2),
    };
    assert_eq!((seen.params, &*seen.model), (params, "classifier"));
    let batches = ["0 accuracy loss", "1 accuracy loss"];
    assert_eq!(seen.batches, [batches, batches].concat());
    let logs = "accuracy loss val_accuracy val_loss";
    assert_eq!(seen.epochs, [format!("0 {logs}"), format!("1 {logs}")]);
    Ok(())
}

/// Says that the training is over.
struct MyCallback<'a> {
    training_finished: &'a mut bool,
}

impl Callback for MyCallback<'_> {
    fn on_train_end(&mut self, _: &mut CallbackContext, _: &Logs) -> keras::Result<()> {
        *self.training_finished = true;
        Ok(())
    }
}

#[test]
fn c2_a_callback_of_ones_own_sets_a_flag_when_the_training_ends() -> keras::Result<()> {
    let mut training_finished = false;
    let mut model = Line::new();
    model.compile(Compile::new("rmsprop", "mean_squared_error"))?;
    let callback = MyCallback {
        training_finished: &mut training_finished,
    };
    let fit = Fit::epochs(1).verbose(0).callback(callback);
    model.fit((&array![[1.0]], &array![[1.0]]), fit)?;
    assert!(training_finished);
    Ok(())
}

#[test]
fn c3_a_list_of_callbacks_serves_a_loop_of_ones_own() -> keras::Result<()> {
    const EPOCHS: usize = 3;
    let batches = [array![[0.0f32], [1.0]], array![[2.0], [3.0]]];
    let mut model = Line::with_seed(1);
    model.compile(Compile::new("sgd", "mse"))?;
    let (mut history, mut seen, mut training_finished) = (History::new(), Seen::default(), false);
    {
        let params = Params {
            epochs: EPOCHS,
            steps: Some(batches.len()),
            ..Params::default()
        };
        let mut callbacks = CallbackList::new([&mut history]).with(&mut seen);
        callbacks.push(MyCallback {
            training_finished: &mut training_finished,
        });
        let mut logs = Logs::new();
        callbacks.on_train_begin(&mut CallbackContext::new(&params, &mut model), &logs)?;
        for epoch in 0..EPOCHS {
            model.reset_metrics();
            callbacks.on_epoch_begin(
                &mut CallbackContext::new(&params, &mut model),
                epoch,
                &Logs::new(),
            )?;
            for (i, x) in batches.iter().enumerate() {
                let cx = &mut CallbackContext::new(&params, &mut model);
                callbacks.on_train_batch_begin(cx, i, &Logs::new())?;
                logs = model.train_on_batch((x, &(x * 2.0)))?;
                let cx = &mut CallbackContext::new(&params, &mut model);
                callbacks.on_train_batch_end(cx, i, &logs)?;
            }
            callbacks.on_epoch_end(
                &mut CallbackContext::new(&params, &mut model),
                epoch,
                &mut logs,
            )?;
        }
        callbacks.on_train_end(&mut CallbackContext::new(&params, &mut model), &logs)?;
    }
    assert!(training_finished);
    assert_eq!(seen.params.epochs, EPOCHS);
    assert_eq!(seen.batches.len(), EPOCHS * batches.len());
    assert_eq!(history.epochs(), [0, 1, 2]);
    let losses = history.get("loss").unwrap_or_default();
    assert!(losses[2] < losses[0], "{losses:?}");
    Ok(())
}

/// The loss runs away to infinity, which is no error: each epoch is no better than the first.
#[test]
fn c4_early_stopping_stops_a_diverging_training_after_four_epochs() -> keras::Result<()> {
    let mut model = sequential![Dense(10)];
    model.compile(Compile::new(SGD::default(), "mse"))?;
    let x = Array::range(0.0, 100.0, 1.0)
        .into_shape_with_order((5, 20))
        .expect("100 numbers");
    let callback = EarlyStopping::new("loss").patience(3);
    let fit = Fit::epochs(10).batch_size(1).callback(callback).verbose(0);
    let history = model.fit((&x, &Array1::<f32>::zeros(5)), fit)?;
    let losses = history.get("loss").unwrap_or_default();
    // Only 4 epochs are run.
    assert_eq!(losses.len(), 4);
    assert!(!losses[3].is_finite(), "{losses:?}");
    Ok(())
}

#[test]
fn c5_a_checkpoint_keeps_the_weights_that_are_the_best() -> keras::Result<()> {
    const EPOCHS: usize = 10;
    let directory = directory("best");
    let checkpoint_filepath = directory.join("checkpoint.weights.h5");
    let (x, y) = sides(64);
    let mut model = Classifier::with_seed(3);
    model.compile(
        Compile::new(SGD::new(0.5), "sparse_categorical_crossentropy").metric("accuracy"),
    )?;
    let model_checkpoint_callback = ModelCheckpoint::new(&checkpoint_filepath)
        .save_weights_only(true)
        .monitor("val_accuracy")
        .mode("max")
        .save_best_only(true);
    let fit = Fit::epochs(EPOCHS).validation_split(0.25).verbose(0);
    // The last epochs are the worst.
    let spoiling = LambdaCallback::new().on_epoch_begin(|cx, epoch, _| {
        cx.model()
            .set_learning_rate(if epoch < 6 { 0.5 } else { 500.0 })
    });
    let fit = fit.callback(spoiling).callback(model_checkpoint_callback);
    let history = model.fit((&x, &y), fit)?;
    let accuracies = history.get("val_accuracy").unwrap_or_default();
    let best = accuracies.iter().copied().fold(0.0, f32::max);
    assert!(accuracies[EPOCHS - 1] < best, "{accuracies:?}");

    // The weights that are considered the best are loaded into the model.
    model.load_weights(&checkpoint_filepath)?;
    let held_out = (x.slice(ndarray::s![48.., ..]), y.slice(ndarray::s![48..]));
    let logs = model.evaluate((&held_out.0, &held_out.1), Evaluate::default().verbose(0))?;
    assert_eq!(logs.get("accuracy"), Some(best));
    std::fs::remove_dir_all(&directory).expect("the directory");
    Ok(())
}

#[test]
fn c5_the_epoch_and_the_logs_are_in_the_name_of_a_checkpoint() -> keras::Result<()> {
    let directory = directory("names");
    let (x, y) = (array![[1.0f32], [2.0]], array![[3.0f32], [5.0]]);
    let mut model = Line::with_seed(1);
    model.compile(Compile::new("sgd", "mse"))?;
    let checkpoint =
        ModelCheckpoint::new(directory.join("weights.{epoch:02d}-{val_loss:.2f}.hdf5"));
    let fit = Fit::epochs(2)
        .validation((&x, &y))
        .verbose(0)
        .callback(checkpoint);
    let history = model.fit((&x, &y), fit)?;
    let losses = history.get("val_loss").unwrap_or_default();
    for (epoch, loss) in losses.iter().enumerate() {
        let name = format!("weights.{:02}-{loss:.2}.hdf5", epoch + 1);
        assert!(directory.join(&name).exists(), "{name}");
    }
    std::fs::remove_dir_all(&directory).expect("the directory");
    Ok(())
}

#[test]
fn c5_the_best_cannot_be_saved_without_what_says_so() -> keras::Result<()> {
    let directory = directory("skipped");
    let (x, y) = sides(8);
    let mut model = Classifier::with_seed(1);
    model.compile(Compile::new("sgd", "sparse_categorical_crossentropy").metric("accuracy"))?;
    let path = directory.join("best.keras");
    let checkpoint = ModelCheckpoint::new(&path)
        .monitor("val_accuracy")
        .mode("max")
        .save_best_only(true);
    let fit = Fit::epochs(1).verbose(0).callback(checkpoint);
    let (history, said) = listen(|| model.fit((&x, &y), fit));
    history?;
    let warning = "Can save best model only with val_accuracy available, skipping.";
    assert_eq!(said, [Said::Warned(warning.into())]);
    assert!(!path.exists());
    std::fs::remove_dir_all(&directory).expect("the directory");
    Ok(())
}

#[test]
fn c6_a_training_goes_on_from_the_state_that_is_loaded() -> keras::Result<()> {
    let directory = directory("loaded");
    let (x, y) = sides(32);
    let compile = || Compile::<AutoDevice>::new(Adam::new(0.01), "sparse_categorical_crossentropy");
    let fit = |first: usize, last: usize| Fit::epochs(last).initial_epoch(first).verbose(0);
    let mut whole = Classifier::with_seed(4);
    whole.compile(compile())?;
    let expected = whole.fit((&x, &y), fit(0, 4))?;

    let mut first = Classifier::with_seed(4);
    first.compile(compile())?;
    first.fit((&x, &y), fit(0, 2))?;
    first.save(directory.join("model.keras"))?;
    first.save_weights(directory.join("model.weights.h5"))?;

    let mut loaded = Classifier::load(directory.join("model.keras"))?;
    let mut weights = Classifier::with_seed(4);
    weights.compile(compile())?;
    weights.load_weights(directory.join("model.weights.h5"))?;
    loaded.compile(compile())?;
    for mut model in [loaded, weights] {
        let history = model.fit((&x, &y), fit(2, 4))?;
        let losses = expected.get("loss").map(|losses| &losses[2..]);
        assert_eq!(history.get("loss"), losses);
        assert_eq!(model.get_weights(), whole.get_weights());
    }
    std::fs::remove_dir_all(&directory).expect("the directory");
    Ok(())
}
