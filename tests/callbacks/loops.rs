//! Callbacks in loops of one's own, and progress bars.

use keras::prelude::*;
use keras::testing::{Said, listen};

use super::{Diary, compiled, line};

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
