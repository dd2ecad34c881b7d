//! Whole models, `.keras`, to Keras and back: predictions stay, and training goes on.
//!
//! Files that Keras saved are loaded in any case; where there is a Python with Keras, it loads those that are saved here.

use std::fs;
use std::path::{Path, PathBuf};

use keras::config::{Json, Object};
use keras::prelude::*;
use ndarray::ArrayD;
use serde_json::{Value, json};

use super::fixture::{self, assert_close, number, tensors, text};
use super::python;

sequential! {
    Mlp<6>;
    Dense(8, activation = relu),
    Dense(3, activation = softmax),
}

sequential! {
    Convnet<8, 8, 1>;
    Conv2D(4, 3, activation = relu),
    BatchNormalization,
    MaxPooling2D(2),
    Flatten,
    Dense(3, activation = softmax),
}

#[model]
fn two_inputs(left: Input<4>, right: Input<4>) -> TwoInputs {
    let shared = Dense(5, activation = relu, name = "shared");
    let both = Concatenate()([shared(left), shared(right)]);
    let hidden = Dense(6, activation = tanh)(both);
    let label = Dense(3, activation = softmax, name = "label")(hidden);
    let score = Dense(1, name = "score")(hidden);
    Model((left, right), Dict { label, score })
}

/// With a part that shares its layers and weights, and a list of outputs: in Keras it is the model as a whole.
#[model]
fn parts(x: Input<4>) -> Parts {
    let hidden = Dense(5, activation = tanh, name = "hidden")(x);
    let code = Dense(2, name = "code")(hidden);
    let encoder = Model(x, code);
    let twice = Dense(4, activation = tanh, name = "back");
    let back = twice(twice(Concatenate()([code, Dense(2)(hidden)])));
    Model(x, [code, back])
}

#[model(input = [6])]
struct Perceptron {
    #[layer(7, activation = relu)]
    hidden: Dense,
    #[layer(3, activation = softmax)]
    outer: Dense,
}

#[model]
impl Perceptron {
    fn call(&self, inputs: Tensor) -> Tensor {
        self.outer(self.hidden(inputs))
    }
}

/// What a model is trained with.
struct Data {
    x: Vec<ArrayD<f32>>,
    y: Vec<ArrayD<f32>>,
}

impl Data {
    fn of(case: &Value) -> Self {
        Self {
            x: tensors(&case["x"]),
            y: tensors(&case["y"]),
        }
    }

    /// The loss of an epoch, in order and in batches of 8.
    fn epoch<M: Model<Device = Cpu>>(&self, model: &mut M) -> f32 {
        let fit = Fit::epochs(1).batch_size(8).shuffle(false).verbose(0);
        let history = match (&self.x[..], &self.y[..]) {
            ([x], [y]) => model.fit((x, y), fit),
            ([a, b], [c, d]) => model.fit(((a, b), (c, d)), fit),
            ([x], [c, d]) => model.fit((x, (c, d)), fit),
            _ => panic!("one or two inputs and outputs"),
        };
        history.expect("training").get("loss").expect("a loss")[0]
    }

    fn predictions<M: Model<Device = Cpu>>(&self, model: &mut M) -> Vec<ArrayD<f32>> {
        let predict = Predict::batch_size(32).verbose(0);
        let outputs = match &self.x[..] {
            [x] => model.predict_all(x, predict),
            [a, b] => model.predict_all((a, b), predict),
            _ => panic!("one or two inputs"),
        };
        outputs.expect("predictions")
    }
}

/// What there is no file of Keras for: a part is no model of its own there.
fn own_cases(network: &str) -> Vec<Value> {
    let waves = |width: usize, step: f32| {
        let values: Vec<f32> = (0..20 * width).map(|at| (at as f32 * step).sin()).collect();
        json!({"shape": [20, width], "values": values})
    };
    let case = |optimizer: &str| {
        let name = format!("{network}_{optimizer}");
        json!({
            "name": name,
            "network": network,
            "file": format!("{name}.keras"),
            "x": [waves(4, 0.7)],
            "y": [waves(2, 0.9), waves(4, 1.1)],
        })
    };
    ["sgd", "adam", "rmsprop"].map(case).to_vec()
}

fn cases(network: &str) -> Vec<Value> {
    if network == "parts" {
        return own_cases(network);
    }
    let fixture = fixture::load("archives");
    let cases = fixture["cases"].as_array().expect("cases").iter();
    let of_network = cases.filter(|case| case["network"] == network);
    of_network.cloned().collect()
}

fn file(name: &str) -> PathBuf {
    let directory = "tests/reference/fixtures/archives";
    [env!("CARGO_MANIFEST_DIR"), directory, name]
        .iter()
        .collect()
}

/// What a model is compiled with. How Keras compiles it to machine code, it decides itself.
fn compile_config(config: &Json) -> String {
    let config = config.as_object().expect("an object").iter();
    let shared = config.filter(|(name, _)| *name != "jit_compile");
    let shared: Object = shared.map(|(name, value)| (name, value.clone())).collect();
    shared.to_string()
}

/// Loads every file of a network that Keras saved, predicts and trains on.
fn replay<M: Model<Device = Cpu>>(network: &str, load: fn(&Path) -> keras::Result<M>) {
    for case in cases(network) {
        let name = text(&case, "name");
        let mut model =
            load(&file(text(&case, "file"))).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            compile_config(&model.get_compile_config()),
            compile_config(&Json::parse(text(&case, "compile")).expect("JSON")),
            "{name}"
        );
        let data = Data::of(&case);
        let expected = tensors(&case["predictions"]);
        for (found, expected) in data.predictions(&mut model).iter().zip(&expected) {
            let [found, expected] =
                [found, expected].map(|array| array.as_slice().expect("in order"));
            assert_close(name, found, expected, 0.0, 1e-6);
        }
        let loss = data.epoch(&mut model);
        assert_close(name, &[loss], &[number(&case["loss"])], 1e-4, 0.0);
    }
}

#[test]
fn models_of_keras_go_on_here() {
    replay("mlp", |path| Mlp::load(path));
    replay("convnet", |path| Convnet::load(path));
    replay("two_inputs", |path| TwoInputs::load(path));
    replay("perceptron", |path| Perceptron::load(path));
}

/// Trains a model with each optimizer for an epoch and saves it: what Keras, or `load`, has to make of it.
fn saved<M: Model<Device = Cpu>>(
    network: &str,
    directory: &Path,
    make: fn() -> M,
    compile: fn(Box<dyn Optimizer<Cpu>>) -> Compile<Cpu>,
    load: fn(&Path) -> keras::Result<M>,
) -> Vec<Value> {
    let optimizers = |name: &str| match name {
        "sgd" => SGD::new(0.05).momentum(0.9).into_optimizer(),
        "adam" => Adam::new(0.01).into_optimizer(),
        _ => RMSprop::new(0.005).into_optimizer(),
    };
    let mut written = Vec::new();
    for mut case in cases(network) {
        let (name, file) = (
            text(&case, "name").to_owned(),
            text(&case, "file").to_owned(),
        );
        let data = Data::of(&case);
        let optimizer = name.rsplit('_').next().expect("an optimizer");
        let mut model = make();
        model
            .compile(compile(optimizers(optimizer).expect("an optimizer")))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        data.epoch(&mut model);
        let path = directory.join(&file);
        model
            .save(&path)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut files = vec![file];
        if ["mlp", "two_inputs"].contains(&network) {
            // Keras 2's format; `mse` and `mae` are among the losses and metrics, which Keras does not read in its own.
            let file = format!("{name}.h5");
            let saved = model.save(directory.join(&file));
            saved.unwrap_or_else(|error| panic!("{name}: {error}"));
            files.push(file);
        }
        let predictions = data.predictions(&mut model);
        let loss = data.epoch(&mut model);
        for file in &files {
            let again = load(&directory.join(file));
            let mut again = again.unwrap_or_else(|error| panic!("{file}: {error}"));
            assert_eq!(data.predictions(&mut again), predictions, "{file}");
            assert_eq!(data.epoch(&mut again), loss, "{file}");
            assert_eq!(again.get_weights(), model.get_weights(), "{file}");
        }
        case["predictions"] = predictions.iter().map(fixture::written).collect();
        case["loss"] = loss.into();
        case["iterations"] = 3.into();
        written.extend(files.into_iter().map(|file| {
            let mut case = case.clone();
            case["file"] = file.into();
            case
        }));
    }
    written
}

#[test]
fn models_go_on_in_keras() {
    let directory = std::env::temp_dir().join(format!("keras-archives-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    let mut cases = saved(
        "mlp",
        &directory,
        || Mlp::with_seed(1),
        |optimizer| Compile::new(optimizer, "categorical_crossentropy").metric("accuracy"),
        |path| Mlp::load(path),
    );
    cases.extend(saved(
        "convnet",
        &directory,
        || Convnet::with_seed(2),
        |optimizer| {
            Compile::new(
                optimizer,
                CategoricalCrossentropy::new().label_smoothing(0.1),
            )
            .metric("mse")
        },
        |path| Convnet::load(path),
    ));
    cases.extend(saved(
        "two_inputs",
        &directory,
        || TwoInputs::with_seed(3),
        |optimizer| {
            let losses =
                Losses::by_output([("label", "categorical_crossentropy"), ("score", "mse")]);
            Compile::new(optimizer, losses)
                .loss_weights([("label", 1.0), ("score", 0.5)])
                .metric_for("label", CategoricalAccuracy::new())
                .metric_for("score", "mae")
        },
        |path| TwoInputs::load(path),
    ));
    cases.extend(saved(
        "perceptron",
        &directory,
        || Perceptron::with_seed(4),
        |optimizer| Compile::new(optimizer, CategoricalCrossentropy::new()),
        |path| Perceptron::load(path),
    ));
    cases.extend(saved(
        "parts",
        &directory,
        || Parts::with_seed(5),
        |optimizer| Compile::new(optimizer, "mse").metric("mae"),
        |path| Parts::load(path),
    ));
    assert_eq!(cases.len(), 21);
    fs::write(
        directory.join("archives.json"),
        json!({"cases": cases}).to_string(),
    )
    .expect("a file");
    let what = format!("no Keras loads {} models in all", cases.len());
    python::run("archives.py", &directory, &what);
    fs::remove_dir_all(&directory).expect("the directory");
}

sequential! {
    Other<6>;
    Dense(8, activation = tanh),
    Dense(4, activation = softmax, name = "last"),
    Dropout(0.5),
}

/// Every difference at once, layer by layer.
#[test]
fn another_model_is_refused_with_what_differs() {
    let error = Other::load(file("mlp_adam.keras"))
        .map(|_| ())
        .unwrap_err()
        .to_string();
    let lines: Vec<&str> = error.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "Layer 'dense' (Dense) is 'dense' in the file: `activation` is \"tanh\" here and \"relu\" there.",
            "Layer 'last' (Dense) is 'dense_1' in the file: `units` is 4 here and 3 there.",
            "Layer 'dropout' (Dropout) is not in the file.",
        ]
    );
    assert!(
        error.contains("The file has another model than 'other'."),
        "{error}"
    );
}

/// Without the arguments of `compile`, the model is to be compiled by the program.
#[test]
fn a_model_need_not_be_compiled() {
    let load = Load::new().compile(false);
    let mut model = Mlp::load_with(file("mlp_adam.keras"), load).expect("a model");
    let case = &cases("mlp")[1];
    let data = Data::of(case);
    assert!(matches!(
        model.evaluate((&data.x[0], &data.y[0]), Evaluate::batch_size(8)),
        Err(keras::Error::NotCompiled)
    ));
    let compile = Compile::new("adam", "categorical_crossentropy");
    model.compile(compile).expect("compiled");
    let loss = data.epoch(&mut model);
    assert_close("loss", &[loss], &[number(&case["loss"])], 1e-4, 0.0);
}
