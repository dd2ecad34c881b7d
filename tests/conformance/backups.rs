//! Calls of `fit` that are interrupted and go on from backups, as in `backups.json`.

use std::path::Path;

use keras::prelude::*;
use serde_json::{Value, json};

use crate::fixture::{assert_close, load, tensors};
use crate::traces::{Diary, Line, count, line, list};

/// The callback of a case.
fn backup(arguments: &Value, directory: &Path) -> BackupAndRestore {
    let directory = match arguments["backup_dir"].as_str() {
        Some(given) => Path::new(given),
        None => directory,
    };
    let flag = |name: &str, by_default: bool| arguments[name].as_bool().unwrap_or(by_default);
    let made = BackupAndRestore::new(directory)
        .double_checkpoint(flag("double_checkpoint", false))
        .delete_checkpoint(flag("delete_checkpoint", true));
    match arguments["save_freq"].as_str() {
        Some(save_freq) => made.save_freq(save_freq),
        None => made,
    }
}

/// What a callback is told. Keras has no logs at the end of a call without epochs; here they are those of the
/// last epoch, as if the training had not been interrupted.
fn expected(diary: &Value) -> Vec<&str> {
    let lines = list(diary).iter().filter_map(Value::as_str);
    let lines = lines.map(|line| match line {
        "train_end {}" => "train_end {loss,mae}",
        line => line,
    });
    lines.collect()
}

#[test]
fn backups() -> keras::Result<()> {
    let fixture = load("backups");
    let cases = list(&fixture["cases"]);
    assert!(cases.len() > 10, "only {} cases", cases.len());
    let process = std::process::id();
    let directory = std::env::temp_dir().join(format!("keras-backups-{process}"));
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let _ = std::fs::remove_dir_all(&directory);
        for (at, call) in list(&case["calls"]).iter().enumerate() {
            let what = format!("{name}, call {at}");
            let mut model = Line::with_seed(1);
            let optimizer = SGD::new(0.125).momentum(0.5);
            model.compile(Compile::new(optimizer, "mse").metric("mae"))?;
            let (x, y) = line(&json!(8), false);
            let mut diary = Diary {
                lines: Vec::new(),
                flag: "interrupted",
                stop_at: call["interrupt"].as_str().unwrap_or(""),
            };
            let fit = Fit::epochs(count(&call["epochs"]))
                .initial_epoch(count(&call["initial_epoch"]))
                .batch_size(4)
                .shuffle(false)
                .verbose(0)
                .callback(backup(&case["arguments"], &directory))
                .callback(&mut diary);
            let error = model.fit((&x, &y), fit).map(|_| ());
            let error = error.err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), case["errors"][at].as_str(), "{what}");
            assert_eq!(diary.lines, expected(&case["diaries"][at]), "{what}");
            assert_eq!(
                Some(directory.exists()),
                case["left"][at].as_bool(),
                "{what}"
            );
            let weights = model.get_weights();
            for (found, expected) in weights.iter().zip(tensors(&case["weights"][at])) {
                let values =
                    |array: &ndarray::ArrayD<f32>| array.iter().copied().collect::<Vec<_>>();
                assert_close(&what, &values(found), &values(&expected), 1e-6, 1e-6);
            }
        }
    }
    let _ = std::fs::remove_dir_all(&directory);
    Ok(())
}
