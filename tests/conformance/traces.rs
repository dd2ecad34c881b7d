//! What callbacks are told, decide and say in whole calls, as in `traces.json`.

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use keras::callbacks::Frequency;
use keras::prelude::*;
use keras::testing::{Said, listen};
use ndarray::{Array, Array1, Array2, Axis};
use serde_json::Value;

use crate::fixture::{load, number};

sequential! {
    pub Line<1>;
    Dense(1, kernel_initializer = ones),
}

/// Writes down what it is told, and sets a flag, or is an error, at one of its lines.
pub struct Diary<'a> {
    pub lines: Vec<String>,
    pub flag: &'a str,
    pub stop_at: &'a str,
}

impl Diary<'_> {
    fn write(&mut self, cx: &mut CallbackContext, line: String) -> keras::Result<()> {
        let is_there = line == self.stop_at;
        self.lines.push(line);
        match self.flag {
            _ if !is_there => {}
            "stop_training" => cx.stop_training(),
            "stop_evaluating" => cx.stop_evaluating(),
            "stop_predicting" => cx.stop_predicting(),
            error => return Err(keras::Error::Callback(error.to_owned())),
        }
        Ok(())
    }
}

fn names(logs: &Logs) -> String {
    logs.names().collect::<Vec<_>>().join(",")
}

macro_rules! diary {
    ($($hook:ident($($number:ident)?);)*) => {
        impl Callback for Diary<'_> {
            $(fn $hook(&mut self, cx: &mut CallbackContext, $($number: usize,)? logs: &Logs) -> keras::Result<()> {
                let number: &[usize] = &[$($number)?];
                let number = number.first().map(|number| format!(" {number}")).unwrap_or_default();
                let hook = stringify!($hook).trim_start_matches("on_");
                // The outputs are no log here: the model has them.
                let logs = if hook == "predict_batch_end" && !cx.model().outputs().is_empty() {
                    "outputs".to_owned()
                } else {
                    names(logs)
                };
                self.write(cx, format!("{hook}{number} {{{logs}}}"))
            })*

            fn on_epoch_end(&mut self, cx: &mut CallbackContext, epoch: usize, logs: &mut Logs) -> keras::Result<()> {
                self.write(cx, format!("epoch_end {epoch} {{{}}}", names(logs)))
            }

            fn set_model(&mut self, cx: &mut CallbackContext) -> keras::Result<()> {
                self.write(cx, "set_model".to_owned())
            }

            fn set_params(&mut self, cx: &mut CallbackContext) -> keras::Result<()> {
                let Params { verbose, epochs, steps, .. } = cx.params().clone();
                let steps = steps.map_or("None".to_owned(), |steps| steps.to_string());
                self.write(cx, format!("set_params verbose={verbose},epochs={epochs},steps={steps}"))
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

pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub fn count(value: &Value) -> usize {
    value.as_u64().expect("a number of things") as usize
}

/// The arguments of a callback.
struct Arguments<'a> {
    given: &'a Value,
    directory: &'a Path,
}

impl Arguments<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).and_then(Value::as_str)
    }

    fn count(&self, name: &str) -> usize {
        self.given.get(name).map_or(0, count)
    }

    fn flag(&self, name: &str) -> bool {
        self.given.get(name).and_then(Value::as_bool) == Some(true)
    }

    fn number(&self, name: &str) -> Option<f64> {
        // Decimal numbers are those of the script, not the floats nearest to them.
        self.given.get(name).map(|value| match value.as_f64() {
            Some(value) => value,
            None => number(value).into(),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(self.text(name).expect("a path"))
    }

    fn early_stopping(&self) -> EarlyStopping {
        let mut made = EarlyStopping::new(self.text("monitor").unwrap_or("val_loss"))
            .patience(self.count("patience"))
            .verbose(self.count("verbose") as u8)
            .min_delta(self.number("min_delta").unwrap_or(0.0))
            .restore_best_weights(self.flag("restore_best_weights"))
            .start_from_epoch(self.count("start_from_epoch"));
        if let Some(mode) = self.text("mode") {
            made = made.mode(mode);
        }
        match self.number("baseline") {
            Some(baseline) => made.baseline(baseline as f32),
            None => made,
        }
    }

    fn checkpoint(&self) -> ModelCheckpoint {
        let freq = match self.given.get("save_freq") {
            None => Frequency::Epoch,
            Some(Value::String(word)) => word.as_str().into(),
            Some(batches) => count(batches).into(),
        };
        let mut made = ModelCheckpoint::new(self.path("filepath"))
            .verbose(self.count("verbose") as u8)
            .save_best_only(self.flag("save_best_only"))
            .save_weights_only(self.flag("save_weights_only"))
            .save_freq(freq);
        if let Some(monitor) = self.text("monitor") {
            made = made.monitor(monitor);
        }
        if let Some(mode) = self.text("mode") {
            made = made.mode(mode);
        }
        match self.number("initial_value_threshold") {
            Some(threshold) => made.initial_value_threshold(threshold as f32),
            None => made,
        }
    }

    fn plateau(&self) -> ReduceLROnPlateau {
        let mut made = ReduceLROnPlateau::new(self.text("monitor").unwrap_or("val_loss"))
            .factor(self.number("factor").unwrap_or(0.1))
            .verbose(self.count("verbose") as u8)
            .min_delta(self.number("min_delta").unwrap_or(1e-4))
            .cooldown(self.count("cooldown"))
            .min_lr(self.number("min_lr").unwrap_or(0.0));
        if self.given.get("patience").is_some() {
            made = made.patience(self.count("patience"));
        }
        match self.text("mode") {
            Some(mode) => made.mode(mode),
            None => made,
        }
    }

    fn csv_logger(&self) -> CSVLogger {
        let path = self.path("filename");
        if let Some(initial) = self.text("initial") {
            fs::write(&path, initial).expect("a file");
        }
        CSVLogger::new(path)
            .separator(self.text("separator").unwrap_or(","))
            .append(self.flag("append"))
    }

    fn scheduler(&self) -> LearningRateScheduler<'static> {
        let schedule: fn(usize, f32) -> f32 = match self.text("schedule") {
            Some("halve") => |_, rate| rate * 0.5,
            _ => |epoch, _| [0.1, 0.01, 0.001][epoch],
        };
        LearningRateScheduler::new(schedule).verbose(self.count("verbose") as u8)
    }

    fn make(&self) -> Box<dyn Callback> {
        match self.text("class") {
            Some("EarlyStopping") => Box::new(self.early_stopping()),
            Some("ModelCheckpoint") => Box::new(self.checkpoint()),
            Some("ReduceLROnPlateau") => Box::new(self.plateau()),
            Some("LearningRateScheduler") => Box::new(self.scheduler()),
            Some("CSVLogger") => Box::new(self.csv_logger()),
            Some("TerminateOnNaN") => {
                Box::new(TerminateOnNaN::new().raise_error(self.flag("raise_error")))
            }
            other => panic!("unknown callback {other:?}"),
        }
    }
}

/// Puts the values of a case into the logs of its epochs.
fn overwrite(values: &Value) -> LambdaCallback<'_> {
    LambdaCallback::new().on_epoch_end(move |_, epoch, logs| {
        for (name, values) in values.as_object().into_iter().flatten() {
            match &values[epoch] {
                Value::Null => logs.remove(name),
                value => logs.insert(name, number(value)),
            }
        }
        Ok(())
    })
}

pub fn line(samples: &Value, is_nan: bool) -> (Array2<f32>, Array1<f32>) {
    let x = Array::linspace(-1.0, 1.0, count(samples));
    let y = x.mapv(|x| if is_nan { f32::NAN } else { 2.0 * x + 1.0 });
    (x.insert_axis(Axis(1)), y)
}

/// What became of a call.
#[derive(Default)]
struct Outcome {
    history: Option<History>,
    rows: Option<usize>,
}

fn call(
    model: &mut Line,
    case: &Value,
    callbacks: &mut CallbackList<'_>,
) -> keras::Result<Outcome> {
    let (x, y) = line(&case["samples"], case["nan"] == true);
    let validation = match &case["validation_samples"] {
        Value::Null => None,
        samples => Some(line(samples, false)),
    };
    let arguments = &case["arguments"];
    let given = |name: &str| Some(arguments.get(name)?.as_u64()? as usize);
    let batch_size = given("batch_size").expect("a batch size");
    let mut outcome = Outcome::default();
    match case["method"].as_str() {
        Some("fit") => {
            let mut fit = Fit::epochs(given("epochs").unwrap_or(1))
                .batch_size(batch_size)
                .shuffle(false)
                .verbose(0)
                .callback(callbacks);
            if let Some((x, y)) = &validation {
                fit = fit.validation((x, y));
            }
            if let Some(fraction) = arguments.get("validation_split") {
                fit = fit.validation_split(number(fraction));
            }
            if let Some(epochs) = arguments.get("validation_freq").and_then(Value::as_array) {
                fit = fit.validation_freq(epochs.iter().map(count).collect::<Vec<usize>>());
            }
            let weights = arguments.get("class_weight").map_or(&[][..], list).iter();
            fit = fit.class_weight(weights.map(|pair| (count(&pair[0]), number(&pair[1]))));
            for (name, set) in [
                ("initial_epoch", Fit::initial_epoch as fn(_, _) -> _),
                ("steps_per_epoch", Fit::steps_per_epoch),
                ("validation_batch_size", Fit::validation_batch_size),
                ("validation_steps", Fit::validation_steps),
                ("validation_freq", Fit::validation_freq),
            ] {
                if let Some(value) = given(name) {
                    fit = set(fit, value);
                }
            }
            outcome.history = Some(model.fit((&x, &y), fit)?);
        }
        Some("evaluate") => {
            let mut evaluate = Evaluate::batch_size(batch_size).verbose(0);
            if let Some(steps) = given("steps") {
                evaluate = evaluate.steps(steps);
            }
            model.evaluate((&x, &y), evaluate.callback(callbacks))?;
        }
        _ => {
            let mut predict = Predict::batch_size(batch_size).verbose(0);
            if let Some(steps) = given("steps") {
                predict = predict.steps(steps);
            }
            let predicted = model.predict(&x, predict.callback(callbacks))?;
            outcome.rows = Some(predicted.shape()[0]);
        }
    }
    Ok(outcome)
}

/// The files in a directory, by their names from there.
fn files(directory: &Path, from: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            names.extend(files(&path, from));
        } else {
            let name = path.strip_prefix(from).expect("a path below");
            names.push(name.display().to_string());
        }
    }
    names.sort();
    names
}

/// Everything printed, in one text for each run of it, and every warning.
fn joined(said: Vec<Said>, directory: &str) -> Vec<Said> {
    let mut joined: Vec<Said> = Vec::new();
    for each in said {
        let each = match each {
            Said::Printed(text) => Said::Printed(text.replace(directory, "DIR")),
            Said::Warned(text) => Said::Warned(text.replace(directory, "DIR")),
        };
        match (joined.last_mut(), each) {
            (Some(Said::Printed(before)), Said::Printed(text)) => before.push_str(&text),
            (_, each) => joined.push(each),
        }
    }
    joined
}

fn expected_said(case: &Value) -> Vec<Said> {
    let said = list(&case["said"]).iter();
    said.map(
        |said| match (said["printed"].as_str(), said["warned"].as_str()) {
            (Some(text), _) => Said::Printed(text.to_owned()),
            (_, Some(text)) => Said::Warned(text.to_owned()),
            _ => panic!("neither printed nor warned: {said}"),
        },
    )
    .collect()
}

/// Notes what is not as expected.
fn compare<A: PartialEq<B> + Debug, B: Debug>(
    different: &mut Vec<String>,
    name: &str,
    found: &[A],
    expected: &[B],
) {
    if found != expected {
        different.push(format!("{name}: expected {expected:?}, found {found:?}"));
    }
}

/// Replays a case, and gives what is different.
fn replay(case: &Value) -> keras::Result<Vec<String>> {
    let mut different = Vec::new();
    let name = case["name"].as_str().expect("a name");
    let number_of_process = std::process::id();
    let directory = std::env::temp_dir().join(format!("keras-trace-{number_of_process}"));
    fs::create_dir_all(&directory).expect("a directory");

    let mut model = Line::with_seed(1);
    let metrics = list(&case["compile"]["metrics"]).iter();
    model.compile(
        Compile::new(SGD::new(0.125), "mse")
            .metrics(metrics.map(|metric| metric.as_str().expect("a name")))
            .steps_per_execution(count(&case["compile"]["steps_per_execution"])),
    )?;
    let stop = |key: &str| case["stop"][key].as_str().unwrap_or("");
    let mut diary = Diary {
        lines: Vec::new(),
        flag: stop("flag"),
        stop_at: stop("at"),
    };
    let mut rates = Vec::new();
    let (outcome, said) = listen(|| -> keras::Result<Outcome> {
        let made = list(&case["callbacks"]).iter().map(|given| {
            let arguments = Arguments {
                given,
                directory: &directory,
            };
            arguments.make()
        });
        let mut callbacks = CallbackList::empty().with(overwrite(&case["overwrite"]));
        made.for_each(|callback| callbacks.push(callback));
        callbacks.push(LambdaCallback::new().on_epoch_end(|cx, _, _| {
            rates.push(cx.model().learning_rate()?);
            Ok(())
        }));
        callbacks.push(&mut diary);
        let mut outcome = Outcome::default();
        for _ in 0..count(&case["times"]) {
            outcome = call(&mut model, case, &mut callbacks)?;
        }
        Ok(outcome)
    });

    if let Some(lines) = case["diary"].as_array() {
        compare(&mut different, name, &diary.lines, &lines[..]);
    }
    let shown = directory.display().to_string();
    let said = joined(said, &shown);
    compare(&mut different, name, &said, &expected_said(case)[..]);
    let error = outcome.as_ref().err().map(ToString::to_string);
    let error = error.map(|error| error.replace(&shown, "DIR"));
    // A mistake in a format says here which path it is in, as Keras says it of unknown names only.
    let expected = case["error"].as_str();
    let same = match (&error, expected) {
        (Some(error), Some(expected)) => error.ends_with(expected),
        (error, expected) => error.is_none() && expected.is_none(),
    };
    if !same {
        different.push(format!("{name}: expected {expected:?}, found {error:?}"));
    }
    let written = files(&directory, &directory);
    compare(&mut different, name, &written, list(&case["files"]));
    for (file, text) in case["contents"].as_object().into_iter().flatten() {
        let found = fs::read_to_string(directory.join(file)).expect("a text");
        compare(&mut different, name, &[found], std::slice::from_ref(text));
    }
    let expected: Vec<f32> = list(&case["learning_rates"]).iter().map(number).collect();
    compare(&mut different, name, &rates, &expected[..]);
    if let Ok(outcome) = outcome {
        let rows = case["rows"].as_u64().map(|rows| rows as usize);
        compare(&mut different, name, &[outcome.rows], &[rows]);
        if let Some(history) = outcome.history {
            compare(
                &mut different,
                name,
                history.epochs(),
                list(&case["epochs"]),
            );
            let columns = case["history"].as_object().expect("a history");
            let mut found: Vec<(&str, usize)> = history
                .names()
                .map(|name| (name, history.get(name).map_or(0, <[f32]>::len)))
                .collect();
            found.sort_unstable();
            let columns = columns
                .iter()
                .map(|(name, len)| (name.as_str(), count(len)));
            let columns: Vec<(&str, usize)> = columns.collect();
            compare(&mut different, name, &found, &columns[..]);
        }
    }
    fs::remove_dir_all(&directory).expect("the directory");
    Ok(different)
}

#[test]
fn traces() -> keras::Result<()> {
    let fixture = load("traces");
    let cases = list(&fixture["cases"]);
    assert!(cases.len() > 145, "only {} cases", cases.len());
    let mut different = Vec::new();
    for case in cases {
        different.extend(replay(case)?);
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    Ok(())
}
