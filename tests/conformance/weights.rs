//! Files of weights: those of Keras are read here, those written here are read by Keras, and what is in
//! them is the same.

use std::path::{Path, PathBuf};

use keras::optimizers::Optimizer;
use keras::prelude::*;
use keras::testing::hdf5_objects;
use ndarray::{ArrayD, Axis, Slice};
use serde_json::{Value, json};

use crate::fixture::{assert_close, load, number, tensor, tensors};
use crate::optimizers::optimizer;
use crate::python;

/// The samples of a step.
const BATCH: usize = 4;

sequential! {
    Small<4>;
    Dense(3, activation = tanh, name = "zebra"),
    BatchNormalization,
    Dropout(0.0),
    Dense(2),
}

sequential! {
    Mlp<6>;
    Dense(8, activation = relu),
    Dense(8, activation = tanh),
    Dense(3, activation = softmax),
}

sequential! {
    Convnet<6, 6, 1>;
    Conv2D(4, 3, activation = relu),
    BatchNormalization,
    MaxPooling2D(2),
    Flatten,
    Dense(3),
}

#[model]
fn two_inputs(first: Input<5>, second: Input<4>) -> TwoInputs {
    let a = Dense(6, activation = tanh)(first);
    let b = Dense(6, activation = relu)(second);
    let joined = Concatenate()([a, b]);
    Model(
        (first, second),
        Dense(2)(Dense(5, activation = tanh)(joined)),
    )
}

#[model(input = [6])]
struct Own {
    #[layer(5, activation = tanh)]
    zed: Dense,
    #[layer(4, activation = relu, name = "first")]
    abc: Dense,
    #[layer]
    norm: BatchNormalization,
    #[layer(2)]
    _last: Dense,
}

#[model]
impl Own {
    fn call(&self, inputs: Tensor) -> Tensor {
        self._last(self.norm(self.zed(self.abc(inputs))))
    }
}

fn file(name: &str) -> PathBuf {
    let directory = [
        env!("CARGO_MANIFEST_DIR"),
        "tests/reference/fixtures/weights",
    ];
    directory.iter().collect::<PathBuf>().join(name)
}

/// A directory for the files of one test.
fn directory(name: &str) -> PathBuf {
    let name = format!("keras-weights-{name}-{}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    directory
}

fn list(of: &str) -> Vec<Value> {
    let fixture = load("weights");
    fixture[of].as_array().expect("a list").clone()
}

fn name(case: &Value) -> &str {
    case["name"].as_str().expect("a name")
}

#[test]
fn the_file_of_every_optimizer_is_that_of_keras() -> keras::Result<()> {
    let cases = list("cases");
    assert!(cases.len() > 20, "only {} cases", cases.len());
    let directory = directory("optimizers");
    let path = directory.join("small.weights.h5");
    for case in &cases {
        let what = name(case);
        let mut model = Small::with_seed(1);
        model.set_weights(&tensors(&case["weights"]))?;
        let optimizer: Box<dyn Optimizer<keras::device::Cpu>> = optimizer(case);
        model.compile(Compile::new(optimizer, "mse"))?;
        let (x, y) = (tensor(&case["x"]), tensor(&case["y"]));
        for _ in 0..case["steps"].as_u64().expect("steps") {
            model.train_on_batch((&x, &y))?;
        }
        model.save_weights(&path)?;
        let found = hdf5_objects(&path)?;
        let expected = case["objects"].as_array().expect("objects");
        let paths: Vec<&str> = found.iter().map(|object| object.path.as_str()).collect();
        let path_of = |object: &Value| object["path"].as_str().expect("a path").to_owned();
        let expected_paths: Vec<String> = expected.iter().map(path_of).collect();
        assert_eq!(paths, expected_paths, "{what}");
        for (found, expected) in found.iter().zip(expected) {
            let what = format!("{what}, {}", found.path);
            let Some(shape) = &found.shape else {
                // The name of the model is its own.
                if found.path != "vars" {
                    assert_eq!(found.name.as_deref(), expected["name"].as_str(), "{what}");
                }
                continue;
            };
            let expected = tensor(expected);
            assert_eq!(shape, expected.shape(), "{what}");
            let expected: Vec<f32> = expected.into_iter().collect();
            assert_close(&what, &found.values, &expected, 1e-4, 1e-6);
        }
        let mut again = Small::with_seed(2);
        again.compile(Compile::new(self::optimizer(case), "mse"))?;
        again.load_weights(&path)?;
        assert_eq!(again.get_weights(), model.get_weights(), "{what}");
        let losses = [&mut model, &mut again].map(|model| model.train_on_batch((&x, &y)));
        assert_eq!(losses[0], losses[1], "{what}");
        assert_eq!(again.get_weights(), model.get_weights(), "{what}");
    }
    std::fs::remove_dir_all(&directory).expect("the directory");
    Ok(())
}

#[test]
fn files_of_h5py_are_read_value_by_value() {
    for case in list("files") {
        let what = name(&case);
        let objects = hdf5_objects(file(what));
        if let Some(expected) = case["error"].as_str() {
            let error = objects
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(error.contains(expected), "{what}: {error}");
            continue;
        }
        let objects = objects.unwrap_or_else(|error| panic!("{what}: {error}"));
        let datasets = case["datasets"].as_object().expect("datasets");
        let found = objects.iter().filter(|object| object.shape.is_some());
        assert_eq!(found.count(), datasets.len(), "{what}");
        for (path, expected) in datasets {
            let object = objects.iter().find(|object| object.path == *path);
            let object = object.unwrap_or_else(|| panic!("{what} has no {path}"));
            let expected = tensor(expected);
            assert_eq!(
                object.shape.as_deref(),
                Some(expected.shape()),
                "{what} {path}"
            );
            let expected: Vec<f32> = expected.into_iter().collect();
            assert_eq!(object.values, expected, "{what} {path}");
        }
    }
}

fn compiled(optimizer: &str) -> Compile<keras::device::Cpu> {
    match optimizer {
        "momentum" => Compile::new(SGD::new(0.05).momentum(0.9), "mse"),
        "adam" => Compile::new(Adam::new(0.01), "mse"),
        "rmsprop" => Compile::new(RMSprop::new(0.01), "mse"),
        other => panic!("an optimizer that is missing here: {other}"),
    }
}

/// What a test does with each model of the fixture.
trait Job {
    fn run<M: Model<Device = keras::device::Cpu>>(
        &mut self,
        case: &Value,
        model: M,
    ) -> keras::Result<()>;
}

/// Does a job with every model; a fresh one each time, compiled with its optimizer.
fn each_model(job: &mut impl Job) -> keras::Result<()> {
    let cases = list("models");
    for case in cases.iter().filter(|case| name(case) != "whole") {
        let what = name(case);
        match what.rsplit_once('_').map(|(model, _)| model) {
            Some("mlp") => job.run(case, Mlp::with_seed(3))?,
            Some("convnet") => job.run(case, Convnet::with_seed(3))?,
            Some("two_inputs") => job.run(case, TwoInputs::with_seed(3))?,
            Some("own") => job.run(case, Own::with_seed(3))?,
            _ => panic!("a model that is missing here: {what}"),
        }
    }
    Ok(())
}

/// The losses of the steps of one more epoch, in its order.
fn losses<M: Model>(model: &mut M, x: &[ArrayD<f32>], y: &ArrayD<f32>) -> keras::Result<Vec<f32>> {
    let rows = |array: &ArrayD<f32>, step: usize| {
        let rows = Slice::from(step * BATCH..(step + 1) * BATCH);
        array.slice_axis(Axis(0), rows).to_owned()
    };
    let steps = 0..y.shape()[0] / BATCH;
    steps
        .map(|step| {
            let x: Vec<ArrayD<f32>> = x.iter().map(|array| rows(array, step)).collect();
            let logs = match &x[..] {
                [x] => model.train_on_batch((x, &rows(y, step)))?,
                [first, second] => model.train_on_batch(((first, second), &rows(y, step)))?,
                _ => panic!("no model has {} inputs", x.len()),
            };
            Ok(logs.get("loss").expect("a loss"))
        })
        .collect()
}

fn predictions<M: Model>(model: &mut M, x: &[ArrayD<f32>]) -> keras::Result<Vec<f32>> {
    let arguments = Predict::batch_size(32).verbose(0);
    let predictions = match x {
        [x] => model.predict(x, arguments)?,
        [first, second] => model.predict((first, second), arguments)?,
        _ => panic!("no model has {} inputs", x.len()),
    };
    Ok(predictions.into_iter().collect())
}

/// Loads Keras' files, predicts as Keras does, and goes on training as it did.
struct Load;

impl Job for Load {
    fn run<M: Model<Device = keras::device::Cpu>>(
        &mut self,
        case: &Value,
        mut model: M,
    ) -> keras::Result<()> {
        let what = name(case);
        let (x, y) = (tensors(&case["x"]), tensors(&case["y"]).remove(0));
        let expected: Vec<f32> = tensors(&case["predictions"])
            .remove(0)
            .into_iter()
            .collect();
        let initial = model.get_weights();
        for extension in ["hdf5", "safetensors"] {
            let other = file(&format!("{what}.{extension}"));
            if other.exists() {
                model.load_weights(&other)?;
                assert_close(what, &predictions(&mut model, &x)?, &expected, 0.0, 1e-6);
                model.set_weights(&initial)?;
            }
        }
        model.compile(compiled(case["optimizer"].as_str().expect("an optimizer")))?;
        model.load_weights(file(&format!("{what}.weights.h5")))?;
        assert_close(what, &predictions(&mut model, &x)?, &expected, 0.0, 1e-6);
        let expected = case["losses"]
            .as_array()
            .expect("losses")
            .iter()
            .map(number);
        let expected: Vec<f32> = expected.collect();
        assert_close(what, &losses(&mut model, &x, &y)?, &expected, 1e-4, 0.0);
        Ok(())
    }
}

#[test]
fn files_of_keras_predict_and_train_on_as_in_keras() -> keras::Result<()> {
    each_model(&mut Load)?;
    let cases = list("models");
    let whole = cases
        .iter()
        .find(|case| name(case) == "whole")
        .expect("the whole model");
    let mut model = Mlp::with_seed(1);
    model.load_weights(file("whole.h5"))?;
    let x = tensors(&whole["x"]);
    let expected: Vec<f32> = tensors(&whole["predictions"])
        .remove(0)
        .into_iter()
        .collect();
    assert_close("whole", &predictions(&mut model, &x)?, &expected, 0.0, 1e-6);
    Ok(())
}

fn zeros<M: Model>(model: &M) -> Vec<ArrayD<f32>> {
    let weights = model.get_weights();
    weights
        .iter()
        .map(|weight| ArrayD::zeros(weight.shape()))
        .collect()
}

/// Trains an epoch and writes the files, and what the model does then.
struct Save {
    directory: PathBuf,
    written: Vec<Value>,
}

impl Job for Save {
    fn run<M: Model<Device = keras::device::Cpu>>(
        &mut self,
        case: &Value,
        mut model: M,
    ) -> keras::Result<()> {
        let what = name(case);
        let (x, y) = (tensors(&case["x"]), tensors(&case["y"]).remove(0));
        let optimizer = case["optimizer"].as_str().expect("an optimizer");
        model.compile(compiled(optimizer))?;
        losses(&mut model, &x, &y)?;
        let (weights, zeros) = (model.get_weights(), zeros(&model));
        for extension in ["weights.h5", "hdf5", "safetensors", "npz"] {
            let path = self.directory.join(format!("{what}.{extension}"));
            model.save_weights(&path)?;
            model.set_weights(&zeros)?;
            model.load_weights(&path)?;
            assert_eq!(model.get_weights(), weights, "{}", path.display());
        }
        self.written.push(json!({
            "name": what,
            "optimizer": optimizer,
            "predictions": predictions(&mut model, &x)?,
            "losses": losses(&mut model, &x, &y)?,
        }));
        Ok(())
    }
}

#[test]
fn files_written_here_predict_and_train_on_in_keras() -> keras::Result<()> {
    let mut save = Save {
        directory: directory("written"),
        written: Vec::new(),
    };
    each_model(&mut save)?;
    let written = json!({ "models": save.written });
    let list = save.directory.join("written.json");
    std::fs::write(&list, written.to_string()).expect("a file");
    python::run(
        "check_weights.py",
        &list,
        "no Keras loads the files of weights",
    );
    std::fs::remove_dir_all(&save.directory).expect("the directory");
    Ok(())
}

/// Real files with bytes changed, numbers replaced and ends cut off: read or refused, but without a panic and
/// in time. `docs/fuzzing.md` tells how to do this for longer.
#[test]
fn damaged_files_are_read_or_refused() {
    let directory = directory("damaged");
    let mut state = 1u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    let numbers = [
        0,
        1,
        8,
        96,
        1 << 31,
        1 << 40,
        1 << 63,
        u64::MAX - 7,
        u64::MAX,
    ];
    let mut refused = 0;
    for name in [
        "mlp_adam.weights.h5",
        "mlp_adam.hdf5",
        "mlp_adam.safetensors",
    ] {
        let whole = std::fs::read(file(name)).expect("a file");
        let path = directory.join(name);
        for _ in 0..300 {
            let mut damaged = whole.clone();
            for _ in 0..=random(3) {
                let at = random(damaged.len() - 8);
                match random(4) {
                    0 => damaged[at] ^= 1 << random(8),
                    1 => damaged[at] = random(256) as u8,
                    2 => damaged[at..at + 8].copy_from_slice(&numbers[random(9)].to_le_bytes()),
                    _ => damaged.truncate(at.max(64)),
                }
            }
            std::fs::write(&path, &damaged).expect("a file");
            refused += usize::from(keras::testing::read_weights(&path).is_err());
        }
    }
    assert!(refused > 100, "only {refused} were refused");
    std::fs::remove_dir_all(&directory).expect("the directory");
}

/// What is said about files that are not there, of another kind, or of another model.
#[test]
fn mistakes_have_their_sentences() -> keras::Result<()> {
    #[track_caller]
    fn told(result: keras::Result<()>, expected: &str) {
        let error = result.expect_err("a mistake").to_string();
        assert!(error.contains(expected), "{error}");
    }
    let directory = directory("mistakes");
    let mut model = Mlp::with_seed(1);
    let before = model.get_weights();
    told(
        model.save_weights(directory.join("w.txt")),
        "The filename must end in `.weights.h5`, `.hdf5`, `.safetensors` or `.npz`. Received: filepath=",
    );
    told(
        model.load_weights(directory.join("none.weights.h5")),
        "none.weights.h5: No such file",
    );
    let path = directory.join("text.weights.h5");
    std::fs::write(&path, "a text").expect("a file");
    told(model.load_weights(&path), "Received: another kind of file");
    std::fs::write(&path, "").expect("a file");
    told(model.load_weights(&path), "Received: an empty file");
    let nowhere = directory.join("nowhere");
    let sentence = format!("The directory '{}' does not exist", nowhere.display());
    told(model.save(nowhere.join("model.keras")), &sentence);
    let whole = directory.join("model.keras");
    model.save(&whole)?;
    let bytes = std::fs::read(&whole).expect("the file");
    std::fs::write(&whole, &bytes[..bytes.len() - 1]).expect("a file");
    told(
        Mlp::load(&whole).map(|_| ()),
        "The file is damaged: it does not end in its directory, and may have been cut short",
    );
    let other = file("convnet_adam.weights.h5");
    told(
        model.load_weights(&other),
        "A total of 5 objects could not be loaded.\n\
         Layer 'dense' weight `kernel` shape (6, 8) is not compatible with provided weight shape (16, 3).\n\
         Layer 'dense_1' expected 2 variables, but received 0 variables during loading. Expected: [\"kernel\", \"bias\"]\n\
         Layer 'dense_2' expected 2 variables, but received 0 variables during loading. Expected: [\"kernel\", \"bias\"]\n",
    );
    assert_eq!(model.get_weights(), before);
    model.load_weights_with(&other, LoadWeights::new().skip_mismatch(true))?;
    assert_eq!(model.get_weights(), before);
    std::fs::remove_dir_all(&directory).expect("the directory");
    Ok(())
}

/// A layer that was frozen from the start has nothing in the optimizer; one that was frozen later keeps what it had, in its
/// place. The model goes on as Keras' own did.
#[test]
fn layers_frozen_at_different_times_are_in_the_order_of_keras() -> keras::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/fixtures");
    let case = &load("frozen")["cases"][0];
    let (x, y) = (tensor(&case["x"]), tensor(&case["y"]));
    let mut model = keras::load_model(folder.join("frozen.keras"))?;
    let frozen: Vec<bool> = model
        .layers()
        .iter()
        .map(|layer| !layer.trainable())
        .collect();
    assert_eq!(frozen, [true, true, false]);
    let directory = directory("frozen");
    let variables = |model: &keras::DynamicModel| -> keras::Result<Vec<_>> {
        let path = directory.join("frozen.weights.h5");
        model.save_weights(&path)?;
        let objects = hdf5_objects(&path)?.into_iter();
        Ok(objects
            .filter_map(|object| {
                let at: usize = object.path.strip_prefix("optimizer/vars/")?.parse().ok()?;
                Some((at, object.shape?, object.values))
            })
            .collect())
    };
    let mut before = variables(&model)?;
    before.sort_by_key(|(at, ..)| *at);
    let shapes: Vec<&[usize]> = before.iter().map(|(_, shape, _)| &shape[..]).collect();
    let of_dense: [&[usize]; 4] = [&[6, 5], &[6, 5], &[5], &[5]];
    let of_last: [&[usize]; 4] = [&[4, 3], &[4, 3], &[3], &[3]];
    let scalars: [&[usize]; 2] = [&[], &[]];
    assert_eq!(shapes, [&scalars[..], &of_dense, &of_last].concat());
    let fit = Fit::epochs(1).batch_size(4).shuffle(false).verbose(0);
    let history = model.fit((&x, &y), fit)?;
    let loss = history.get("loss").expect("a loss")[0];
    assert_close("loss", &[loss], &[number(&case["loss"])], 1e-4, 0.0);
    // What was remembered of the frozen layer has not changed.
    let mut after = variables(&model)?;
    after.sort_by_key(|(at, ..)| *at);
    assert_eq!(after[2..6], before[2..6]);
    assert_ne!(after[6..], before[6..]);
    std::fs::remove_dir_all(&directory).expect("the directory");
    Ok(())
}
