//! What callbacks are told, and what they can do, in whole trainings; files of models.

mod averages;
mod checkpoints;
mod loops;
mod saving;
mod stages;

use std::path::PathBuf;

use keras::prelude::*;
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

/// A path that only this process writes to.
fn directory(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("keras-callbacks-{}-{name}", std::process::id()))
}
