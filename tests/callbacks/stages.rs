//! What callbacks are told at which stage, and what they may change.

use keras::prelude::*;

use super::{Diary, compiled, line, names};

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
