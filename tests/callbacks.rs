//! What callbacks are told, and what they can do, in whole trainings.

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

/// The example of Keras' documentation: the training runs away at once.
#[test]
fn a_diverging_training_stops_after_its_patience() -> keras::Result<()> {
    let mut model = sequential![Dense(10)];
    model.compile(Compile::new(SGD::new(0.01), "mse"))?;
    let x = Array::range(0.0, 100.0, 1.0)
        .into_shape_with_order((5, 20))
        .expect("100 numbers");
    let fit = Fit::epochs(10).batch_size(1).verbose(0);
    let stopping = EarlyStopping::new("loss").patience(3);
    let history = model.fit((&x, Array1::<f32>::zeros(5)), fit.callback(stopping))?;
    assert_eq!(history.get("loss").map(<[f32]>::len), Some(4));
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
