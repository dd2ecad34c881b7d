//! What is printed, byte for byte: progress bars, and summaries, as in `texts.json`.

use std::time::Duration;

use keras::__private::{OptimizerSize, Progbar, Row, Summary, epoch_line};
use keras::prelude::*;
use ndarray::{Array1, Array4};
use serde_json::Value;

use crate::fixture::{load, number};

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn count(value: &Value) -> usize {
    value.as_u64().expect("a number of things") as usize
}

/// All that a bar prints when it is driven as Keras' was.
fn frames(target: &Value, verbose: u8, updates: &Value) -> String {
    let mut bar = Progbar::new(target.as_u64().map(|target| target as usize), verbose);
    let mut frames = String::new();
    for update in list(updates) {
        if let Some(target) = update.get("target") {
            bar.set_target(count(target));
        }
        let now = Duration::from_secs_f64(update["now"].as_f64().expect("seconds"));
        let current = count(&update["current"]);
        let finalize = update["finalize"].as_bool().expect("a bool");
        let value = |value: &Value| value.as_f64().unwrap_or_else(|| number(value).into());
        let values = list(&update["values"]).iter();
        let values = values.map(|pair| (text(&pair[0]), value(&pair[1])));
        let is_due = bar.is_due(current, now);
        let frame = bar.update(current, values, finalize, now);
        assert!(
            is_due || finalize || frame.is_empty(),
            "a frame too early: {frame}"
        );
        frames += frame;
    }
    frames
}

#[test]
fn progress_bars() {
    let fixture = load("texts");
    let cases = list(&fixture["cases"]);
    assert!(cases.len() > 30, "only {} cases", cases.len());
    for case in cases {
        let found = frames(
            &case["target"],
            count(&case["verbose"]) as u8,
            &case["updates"],
        );
        assert_eq!(found, text(&case["frames"]), "{}", case["name"]);
    }
}

#[test]
fn bars_of_fit_evaluate_and_predict() {
    let fixture = load("texts");
    let fits = list(&fixture["fits"]);
    assert!(fits.len() > 8, "only {} cases", fits.len());
    for case in fits {
        let argument = |name: &str, default: usize| {
            let given = case["arguments"].get(name);
            given.map_or(default, count)
        };
        let (verbose, first) = (argument("verbose", 1) as u8, argument("initial_epoch", 0));
        let mut found = String::new();
        for (epoch, bar) in (first..).zip(list(&case["bars"])) {
            found += &epoch_line(verbose, epoch, argument("epochs", 1)).unwrap_or_default();
            found += &frames(&bar["target"], verbose, &bar["updates"]);
        }
        assert_eq!(found, text(&case["text"]), "{}", case["name"]);
    }
}

#[test]
fn summaries() {
    let fixture = load("texts");
    let cases = list(&fixture["summaries"]);
    assert!(cases.len() > 12, "only {} cases", cases.len());
    for case in cases {
        let row = |row: &Value| Row {
            name: text(&row["name"]).to_owned(),
            class: text(&row["class"]).to_owned(),
            output_shape: text(&row["output_shape"]).to_owned(),
            params: row["params"].as_u64().map(|params| params as usize),
            connected_to: list(&row["connected_to"])
                .iter()
                .map(|name| text(name).to_owned())
                .collect(),
            is_trained: match row["trained"].as_str() {
                Some("Y") => Some(true),
                Some("N") => Some(false),
                _ => None,
            },
            ..Row::default()
        };
        let optimizer = &case["optimizer"];
        let summary = Summary {
            name: text(&case["model"]).to_owned(),
            rows: list(&case["rows"]).iter().map(row).collect(),
            is_graph: case["is_graph"].as_bool().expect("a bool"),
            trainable: count(&case["trainable"]),
            non_trainable: count(&case["non_trainable"]),
            optimizer: optimizer.is_object().then(|| OptimizerSize {
                count: count(&optimizer["count"]),
                bytes: count(&optimizer["bytes"]),
            }),
            ..Summary::default()
        };
        let arguments = &case["options"];
        let mut options = SummaryOptions::new();
        if let Some(length) = arguments["line_length"].as_u64() {
            options = options.line_length(length as usize);
        }
        if let Some(shown) = arguments["show_trainable"].as_bool() {
            options = options.show_trainable(shown);
        }
        let summary = summary.with(options).expect("options that Keras takes");
        assert_eq!(summary.to_string(), text(&case["text"]), "{}", case["name"]);
    }
}

#[test]
fn a_summary_of_some_layers() {
    let model = Convnet::new();
    let some = |first: &str, last: &str| {
        let options = SummaryOptions::new().layer_range(first, last);
        model.summary_with(options).err().map(|e| e.to_string())
    };
    assert_eq!(some("conv2d_1", "dropout"), None);
    let error = some("conv2d_1", "dropoutt").expect("there is no such layer");
    assert!(error.ends_with("Received: dropoutt"), "{error}");
    let narrow = SummaryOptions::new().line_length(9);
    let error = model.summary_with(narrow).err().map(|e| e.to_string());
    let expected = "Insufficient console width to print summary. Received: line_length=9";
    assert_eq!(error.as_deref(), Some(expected));
}

#[model]
fn chain(input_layer: Input<3>) -> Functional {
    let hidden = Dense(4, activation = relu)(input_layer);
    Model(input_layer, Dense(5, activation = softmax)(hidden))
}

#[model]
fn two_heads(image: Input<28, 28, 1>, meta: Input<4>) -> TwoHeads {
    let shared = Dense(32, activation = relu, name = "shared");
    let a = shared(Flatten()(image));
    let b = shared(Dense(784)(meta));
    let joined = Concatenate()([a, b]);
    let class = Dense(10, activation = softmax, name = "class")(joined);
    let score = Dense(1, name = "score")(a + b);
    Model((image, meta), Dict { class, score })
}

#[model]
fn full_model(input_layer: Input<_, _, 3>) -> FullModel {
    let processed = RandomCrop(32, 32)(input_layer);
    let conv = Conv2D(2, 3)(processed);
    let pooling = GlobalAveragePooling2D()(conv);
    Model(input_layer, Dense(10)(pooling))
}

sequential! {
    Convnet<28, 28, 1>;
    Conv2D(32, 3, activation = relu),
    MaxPooling2D(2),
    BatchNormalization,
    Conv2D(64, kernel_size = 3, activation = relu),
    MaxPooling2D(2),
    Flatten,
    Dropout(0.5),
    Dense(10, activation = softmax, name = "probs"),
}

sequential! {
    Sequential<8>;
    Dense(16, activation = relu, trainable = false),
    BatchNormalization,
    Dense(1),
}

#[test]
fn summaries_of_models() -> keras::Result<()> {
    let fixture = load("texts");
    let cases = list(&fixture["summaries"]);
    let expected = |name: &str| {
        let case = cases.iter().find(|case| case["name"] == name);
        text(&case.expect("a case of this name")["text"])
    };
    assert_eq!(Functional::new().summary_string(), expected("chain"));
    assert_eq!(TwoHeads::new().summary_string(), expected("two_in_two_out"));
    assert_eq!(FullModel::new().summary_string(), expected("full_model"));
    assert_eq!(Sequential::new().summary_string(), expected("frozen"));
    let mut model = Convnet::new();
    assert_eq!(model.summary_string(), expected("convnet"));

    model.compile(Compile::new("adam", "sparse_categorical_crossentropy"))?;
    model.train_on_batch((
        Array4::<f32>::zeros((1, 28, 28, 1)),
        Array1::<f32>::zeros(1),
    ))?;
    // The steps have four bytes on Keras' back end of the fixture, eight on others and here.
    let without_bytes = |text: &str| -> Vec<String> {
        let of_line =
            |line: &str| match line.strip_prefix(' ').and_then(|line| line.split_once('(')) {
                Some((line, _)) => line.to_owned(),
                None => line.to_owned(),
            };
        text.lines().map(of_line).collect()
    };
    let (found, expected) = (model.summary_string(), expected("convnet_trained"));
    assert_eq!(without_bytes(&found), without_bytes(expected));
    Ok(())
}
