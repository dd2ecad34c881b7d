//! What callbacks are told, and what they can do, in whole trainings; files of models.

use std::path::PathBuf;

use keras::prelude::*;
use keras::testing::{Said, listen};
use ndarray::{Array, Array1, Array2};

sequential! {
    Line<1>;
    Dense(1),
}

/// Writes down what it is told.
#[derive(Default)]
struct Diary {
    lines: Vec<String>,
    stop_at: &'static str,
}

impl Diary {
    fn write(&mut self, cx: &mut CallbackContext, line: String) -> keras::Result<()> {
        if line == self.stop_at {
            cx.stop_training();
            cx.stop_evaluating();
            cx.stop_predicting();
        }
        self.lines.push(line);
        Ok(())
    }
}

/// The names of logs.
fn names(logs: &Logs) -> String {
    logs.names().collect::<Vec<_>>().join(",")
}

/// `hook(number)(logs)`: the hooks of a diary.
macro_rules! diary {
    ($($hook:ident($($number:ident)?);)*) => {
        impl Callback for Diary {
            $(fn $hook(&mut self, cx: &mut CallbackContext, $($number: usize,)? logs: &Logs) -> keras::Result<()> {
                let number: &[usize] = &[$($number)?];
                let number = number.first().map(|number| format!(" {number}")).unwrap_or_default();
                let name = stringify!($hook).trim_start_matches("on_");
                self.write(cx, format!("{name}{number} {{{}}}", names(logs)))
            })*

            fn on_epoch_end(&mut self, cx: &mut CallbackContext, epoch: usize, logs: &mut Logs) -> keras::Result<()> {
                self.write(cx, format!("epoch_end {epoch} {{{}}}", names(logs)))
            }
        }
    };
}

diary! {
    on_train_begin();
    on_train_end();
    on_epoch_begin(epoch);
    on_train_batch_begin(batch);
    on_train_batch_end(batch);
    on_test_begin();
    on_test_end();
    on_test_batch_begin(batch);
    on_test_batch_end(batch);
    on_predict_begin();
    on_predict_end();
    on_predict_batch_begin(batch);
    on_predict_batch_end(batch);
}

fn line(samples: usize) -> (Array2<f32>, Array1<f32>) {
    let x = Array::linspace(-1.0, 1.0, samples);
    let y = x.mapv(|x| 2.0 * x + 1.0);
    (x.insert_axis(ndarray::Axis(1)), y)
}

fn compiled() -> keras::Result<Line> {
    let mut model = Line::with_seed(1);
    model.compile(Compile::new(SGD::new(0.1), "mse").metric("mae"))?;
    Ok(model)
}

#[test]
fn every_stage_is_told_in_the_order_of_keras() -> keras::Result<()> {
    let (x, y) = line(8);
    let mut model = compiled()?;
    let mut diary = Diary::default();
    let fit = Fit::epochs(1).batch_size(4).validation((&x, &y)).verbose(0);
    let history = model.fit((&x, &y), fit.callback(&mut diary))?;
    assert_eq!(
        diary.lines,
        [
            "train_begin {}",
            "epoch_begin 0 {}",
            "train_batch_begin 0 {}",
            "train_batch_end 0 {loss,mae}",
            "train_batch_begin 1 {}",
            "train_batch_end 1 {loss,mae}",
            "test_begin {}",
            "test_batch_begin 0 {}",
            "test_batch_end 0 {loss,mae}",
            "test_batch_begin 1 {}",
            "test_batch_end 1 {loss,mae}",
            "test_end {loss,mae}",
            "epoch_end 0 {loss,mae,val_loss,val_mae}",
            "train_end {loss,mae,val_loss,val_mae}",
        ]
    );
    let logged: Vec<&str> = history.names().collect();
    assert_eq!(logged, ["loss", "mae", "val_loss", "val_mae"]);

    let mut diary = Diary::default();
    model.predict(&x, Predict::batch_size(8).callback(&mut diary))?;
    assert_eq!(
        diary.lines,
        [
            "predict_begin {}",
            "predict_batch_begin 0 {}",
            "predict_batch_end 0 {}",
            "predict_end {}"
        ]
    );
    Ok(())
}

#[test]
fn a_stopped_epoch_is_validated_and_ended() -> keras::Result<()> {
    let (x, y) = line(8);
    for stop_at in [
        "epoch_begin 2 {}",
        "train_batch_begin 0 {}",
        "train_batch_end 0 {loss,mae}",
    ] {
        let mut model = compiled()?;
        let mut diary = Diary {
            stop_at,
            ..Diary::default()
        };
        let fit = Fit::epochs(9)
            .initial_epoch(2)
            .batch_size(2)
            .validation((&x, &y))
            .verbose(0);
        let history = model.fit((&x, &y), fit.callback(&mut diary))?;
        assert_eq!(history.epochs(), [2], "{stop_at}");
        assert_eq!(
            history.get("val_loss").map(<[f32]>::len),
            Some(1),
            "{stop_at}"
        );
        let batches = diary
            .lines
            .iter()
            .filter(|line| line.starts_with("train_batch_begin"));
        assert_eq!(batches.count(), 1, "{stop_at}");
        assert!(
            diary.lines.iter().any(|line| line.starts_with("train_end")),
            "{stop_at}"
        );
    }
    Ok(())
}

#[test]
fn what_a_callback_logs_goes_into_the_history() -> keras::Result<()> {
    let (x, y) = line(8);
    let mut model = compiled()?;
    let learning_rate = LambdaCallback::new().on_epoch_end(|cx, epoch, logs| {
        let rate = cx.model().learning_rate()?;
        logs.insert("learning_rate", rate);
        assert_eq!((cx.params().epochs, cx.params().steps), (3, Some(4)));
        cx.model().set_learning_rate(rate / (epoch + 2) as f32)
    });
    let fit = Fit::epochs(3)
        .batch_size(2)
        .verbose(0)
        .callback(learning_rate);
    let history = model.fit((&x, &y), fit)?;
    assert_eq!(
        history.get("learning_rate"),
        Some(&[0.1, 0.05, 0.05 / 3.0][..])
    );
    Ok(())
}

/// The steps of data of unknown length are `None`; what a callback adds to the logs of an epoch does not
/// reach the end of the training.
#[test]
fn the_end_of_a_training_has_the_logs_of_the_model() -> keras::Result<()> {
    let (x, y) = line(4);
    let mut model = compiled()?;
    let (mut steps, mut last) = (Vec::new(), String::new());
    {
        let note = LambdaCallback::new()
            .on_epoch_end(|cx, _, logs| {
                steps.push(cx.params().steps);
                logs.insert("note", 1.0);
                Ok(())
            })
            .on_train_end(|_, logs| {
                last = names(logs);
                Ok(())
            });
        let data = Dataset::from_generator(move || vec![(x.clone(), y.clone()); 3]);
        model.fit(&data, Fit::epochs(1).verbose(0).callback(note))?;
    }
    assert_eq!((&steps[..], &*last), (&[None][..], "loss,mae"));
    Ok(())
}

#[test]
fn the_best_weights_are_those_of_the_best_epoch() -> keras::Result<()> {
    let (x, y) = line(8);
    let mut model = compiled()?;
    let mut weights = Vec::new();
    let mut stopping = EarlyStopping::new("val_loss")
        .patience(2)
        .restore_best_weights(true);
    {
        // The rate grows until the training runs away.
        let growing = LambdaCallback::new().on_epoch_end(|cx, _, _| {
            weights.push(cx.model().get_weights());
            let rate = cx.model().learning_rate()?;
            cx.model().set_learning_rate(2.0 * rate)
        });
        let fit = Fit::epochs(40)
            .batch_size(8)
            .validation((&x, &y))
            .verbose(0);
        model.fit((&x, &y), fit.callback(growing).callback(&mut stopping))?;
    }
    assert_eq!(stopping.stopped_epoch(), stopping.best_epoch() + 2);
    assert_eq!(weights.len(), stopping.stopped_epoch() + 1);
    assert_eq!(model.get_weights(), weights[stopping.best_epoch()]);
    let logs = model.evaluate((&x, &y), Evaluate::batch_size(8).verbose(0))?;
    assert_eq!(logs.get("loss"), stopping.best());
    Ok(())
}

#[test]
fn evaluate_and_predict_can_be_stopped_after_a_batch() -> keras::Result<()> {
    let (x, y) = line(8);
    let mut model = compiled()?;
    let all = model.predict(&x, Predict::batch_size(2))?;
    let mut diary = Diary {
        stop_at: "predict_batch_end 1 {}",
        ..Diary::default()
    };
    let some = model.predict(&x, Predict::batch_size(2).callback(&mut diary))?;
    assert_eq!(some.shape(), [4, 1]);
    assert_eq!(some, all.slice(ndarray::s![..4, ..]).into_dyn());
    diary.stop_at = "test_batch_begin 2 {}";
    model.evaluate(
        (&x, &y),
        Evaluate::batch_size(2).verbose(0).callback(&mut diary),
    )?;
    let batches = diary
        .lines
        .iter()
        .filter(|line| line.starts_with("test_batch_end"));
    assert_eq!(batches.count(), 3);
    assert_eq!(
        diary.lines.last().map(String::as_str),
        Some("test_end {loss,mae}")
    );
    Ok(())
}

#[test]
fn callbacks_serve_a_loop_of_ones_own() -> keras::Result<()> {
    let (x, y) = line(8);
    let mut model = compiled()?;
    let (mut diary, mut stopping) = (Diary::default(), EarlyStopping::new("loss").min_delta(0.1));
    let mut epochs = 0;
    {
        let params = Params {
            epochs: 100,
            steps: Some(1),
            ..Params::default()
        };
        let callbacks: [Box<dyn Callback>; 2] = [Box::new(&mut diary), Box::new(&mut stopping)];
        let mut callbacks = CallbackList::new(callbacks);
        let mut logs = Logs::new();
        callbacks.on_train_begin(&mut CallbackContext::new(&params, &mut model), &logs)?;
        for epoch in 0..params.epochs {
            let none = Logs::new();
            model.reset_metrics();
            callbacks.on_epoch_begin(
                &mut CallbackContext::new(&params, &mut model),
                epoch,
                &none,
            )?;
            callbacks.on_train_batch_begin(
                &mut CallbackContext::new(&params, &mut model),
                0,
                &none,
            )?;
            logs = model.train_on_batch((&x, &y))?;
            let cx = &mut CallbackContext::new(&params, &mut model);
            callbacks.on_train_batch_end(cx, 0, &logs)?;
            callbacks.on_epoch_end(cx, epoch, &mut logs)?;
            epochs += 1;
            if cx.is_stopped() {
                break;
            }
        }
        callbacks.on_train_end(&mut CallbackContext::new(&params, &mut model), &logs)?;
    }
    assert!((2..100).contains(&epochs), "{epochs} epochs");
    assert_eq!(stopping.stopped_epoch(), epochs - 1);
    assert_eq!(diary.lines.len(), 4 * epochs + 2);
    Ok(())
}

#[test]
fn a_history_and_a_progress_bar_serve_a_loop_of_ones_own() -> keras::Result<()> {
    let (x, y) = line(8);
    let mut model = compiled()?;
    let mut history = History::new();
    let ((), said) = listen(|| {
        let params = Params {
            verbose: 2,
            epochs: 2,
            steps: Some(1),
            ..Params::default()
        };
        let note = LambdaCallback::new().on_epoch_end(|_, _, logs| {
            logs.insert("note", 1.0);
            Ok(())
        });
        let mut list = CallbackList::new([note])
            .with(&mut history)
            .with(ProgbarLogger::new());
        let mut run = || -> keras::Result<()> {
            let none = Logs::new();
            let cx = &mut CallbackContext::new(&params, &mut model);
            list.set_model(cx)?;
            list.set_params(cx)?;
            list.on_train_begin(cx, &none)?;
            for epoch in 0..2 {
                list.on_epoch_begin(&mut CallbackContext::new(&params, &mut model), epoch, &none)?;
                let mut logs = model.train_on_batch((&x, &y))?;
                let cx = &mut CallbackContext::new(&params, &mut model);
                list.on_train_batch_end(cx, 0, &logs)?;
                list.on_epoch_end(cx, epoch, &mut logs)?;
            }
            let cx = &mut CallbackContext::new(&params, &mut model);
            list.on_train_end(cx, &none)
        };
        run().expect("a training");
    });
    assert_eq!(history.epochs(), [0, 1]);
    assert_eq!(history.get("note"), Some(&[1.0, 1.0][..]));
    let printed = said.iter().map(|said| match said {
        Said::Printed(text) => text.as_str(),
        Said::Warned(text) => panic!("{text}"),
    });
    let printed: String = printed.collect();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!((lines[0], lines[2]), ("Epoch 1/2", "Epoch 2/2"));
    assert!(lines[1].starts_with("1/1 - 0s - ") && lines[1].ends_with(" - note: 1.0000"));
    Ok(())
}

#[test]
fn a_progress_bar_of_ones_own_replaces_that_of_fit() -> keras::Result<()> {
    let (x, y) = line(4);
    let mut model = compiled()?;
    let mut bars = |own: bool| {
        let fit = Fit::epochs(1).batch_size(4).verbose(2);
        let fit = if own {
            fit.callback(ProgbarLogger::new())
        } else {
            fit
        };
        let (history, said) = listen(|| model.fit((&x, &y), fit));
        history.map(|_| said.len())
    };
    assert_eq!((bars(false)?, bars(true)?), (1, 1));
    Ok(())
}

#[test]
fn a_checkpoint_says_that_a_directory_is_in_its_way() -> keras::Result<()> {
    let (x, y) = line(4);
    let mut model = compiled()?;
    let path = directory("way.keras");
    std::fs::create_dir_all(&path).expect("a directory");
    let fit = Fit::epochs(1).verbose(0);
    let fit = fit.callback(ModelCheckpoint::new(&path).monitor("loss"));
    let error = model.fit((&x, &y), fit).unwrap_err().to_string();
    assert!(error.contains("is an existing directory"), "{error}");
    std::fs::remove_dir(&path).expect("the directory");
    Ok(())
}

/// With `verbose = 2` the line of an epoch comes after those of its callbacks.
#[test]
fn what_a_checkpoint_says_comes_before_the_line_of_the_epoch() -> keras::Result<()> {
    let (x, y) = line(4);
    let mut model = compiled()?;
    let path = directory("said.keras");
    let checkpoint = ModelCheckpoint::new(&path).verbose(1);
    let fit = Fit::epochs(1).verbose(2).callback(checkpoint);
    let (history, said) = listen(|| model.fit((&x, &y), fit));
    history?;
    let [
        Said::Printed(begun),
        Said::Printed(done),
        Said::Printed(epoch),
    ] = &said[..]
    else {
        panic!("{said:?}");
    };
    let path = path.display();
    assert_eq!(*begun, format!("\nEpoch 1: saving model to {path}\n"));
    assert_eq!(
        *done,
        format!("\nEpoch 1: finished saving model to {path}\n")
    );
    assert!(epoch.starts_with("1/1 - 0s - "), "{epoch}");
    std::fs::remove_file(directory("said.keras")).expect("the file");
    Ok(())
}

#[test]
fn the_name_of_a_checkpoint_ends_as_keras_wants_it() -> keras::Result<()> {
    let (x, y) = line(2);
    let mut model = compiled()?;
    let mut said = |name: &str, weights_only: bool| {
        let path = directory(name);
        let checkpoint = ModelCheckpoint::new(&path).save_weights_only(weights_only);
        let fit = Fit::epochs(1).verbose(0).callback(checkpoint);
        let error = model.fit((&x, &y), fit).err();
        let _ = std::fs::remove_file(&path);
        error.map(|error| error.to_string())
    };
    for name in ["a.keras", "a.h5", "a.weights.h5", "a.hdf5"] {
        assert_eq!(said(name, false), None, "{name}");
    }
    for name in ["a.weights.h5", "a.hdf5"] {
        assert_eq!(said(name, true), None, "{name}");
    }
    for name in ["a", "a.KERAS", "a.tf"] {
        let error = said(name, false).unwrap_or_default();
        assert!(
            error.contains("must end in `.keras` (Keras model format)"),
            "{name}: {error}"
        );
    }
    for name in ["a.keras", "a.h5", "a.weights"] {
        let error = said(name, true).unwrap_or_default();
        assert!(
            error.contains("must end in `.weights.h5` (Keras weights format)"),
            "{name}: {error}"
        );
    }
    Ok(())
}

#[test]
fn the_name_of_a_file_ends_as_keras_wants_it() -> keras::Result<()> {
    let model = compiled()?;
    let told = |result: keras::Result<()>| result.err().map(|error| error.to_string());
    assert_eq!(
        told(model.save("x")).as_deref(),
        Some(
            "Invalid filepath extension for saving. Please add either a `.keras` extension for the native Keras format \
             (recommended) or a `.h5` extension. Received: filepath=x."
        )
    );
    assert_eq!(
        told(model.save_weights("w.h5")).as_deref(),
        Some("The filename must end in `.weights.h5`. Received: filepath=w.h5")
    );
    Ok(())
}

#[test]
fn a_checkpoint_after_up_to_one_batch_is_one_after_every_batch() -> keras::Result<()> {
    let (x, y) = line(3);
    let mut model = compiled()?;
    let folder = directory("every");
    let checkpoint = ModelCheckpoint::new(folder.join("{batch}.keras")).save_freq(-1);
    let fit = Fit::epochs(1).batch_size(1).verbose(0).callback(checkpoint);
    model.fit((&x, &y), fit)?;
    let files = std::fs::read_dir(&folder).expect("the directory");
    assert_eq!(files.count(), 3);
    std::fs::remove_dir_all(&folder).expect("the directory");
    Ok(())
}

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

/// A path that only this process writes to.
fn directory(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("keras-callbacks-{}-{name}", std::process::id()))
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
Layer 'dense_1' weight `kernel` shape [8, 3] is not compatible with provided weight shape [8, 2].
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

#[test]
fn averages_of_weights_are_swapped_in_to_be_validated_and_saved() -> keras::Result<()> {
    let (x, y) = line(8);
    let mut model = Line::with_seed(1);
    let optimizer = SGD::new(0.1).use_ema(true).ema_momentum(0.9);
    model.compile(Compile::new(optimizer, "mse"))?;
    let (mut weights, mut saved) = (Vec::new(), Vec::new());
    {
        let trained = LambdaCallback::new().on_train_batch_end(|cx, _, _| {
            weights.push(cx.model().get_weights());
            Ok(())
        });
        let at_end = LambdaCallback::new().on_epoch_end(|cx, _, _| {
            saved.push(cx.model().get_weights());
            Ok(())
        });
        let fit = Fit::epochs(3).batch_size(8).validation((&x, &y)).verbose(0);
        let swap = SwapEMAWeights::new().swap_on_epoch(true);
        model.fit(
            (&x, &y),
            fit.callback(trained).callback(swap).callback(at_end),
        )?;
    }
    // The average begins with the weights after the first step.
    let mut average = weights[0].clone();
    for (epoch, (weights, saved)) in weights.iter().zip(&saved).enumerate() {
        for ((average, weights), saved) in average.iter_mut().zip(weights).zip(saved) {
            if epoch > 0 {
                *average = &*average * 0.9 + weights * 0.1;
            }
            let distance = (&*average - saved).mapv(f32::abs).sum();
            assert!(distance < 1e-5, "epoch {epoch}: {distance}");
        }
    }
    assert_eq!(Some(&model.get_weights()), saved.last());

    model.compile(Compile::new(SGD::new(0.1), "mse"))?;
    let fit = Fit::epochs(1).verbose(0).validation((&x, &y));
    let error = model.fit((&x, &y), fit.callback(SwapEMAWeights::new()));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("use_ema=True"), "{error}");
    Ok(())
}
