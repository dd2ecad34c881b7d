//! Backups and trainings that do not belong together, files that are damaged, disks that are full.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use keras::prelude::*;
use keras::testing::{Said, listen};
use ndarray::{Array1, Array2};

use super::super::{sentence, x, y};
use super::Directory;
use super::cases::Interrupt;

sequential! {
    Line<4>;
    Dense(3, activation = relu),
    Dense(1),
}

sequential! {
    Other<4>;
    Dense(5, activation = relu),
    Dense(1),
}

fn compiled(optimizer: &str) -> keras::Result<Line> {
    let mut model = Line::with_seed(1);
    model.compile(Compile::new(optimizer, "mse").metric("mae"))?;
    Ok(model)
}

fn data() -> (Array2<f32>, Array1<f32>) {
    let x = x(20);
    let y = y(&x);
    (x, y)
}

fn backup(directory: &Directory) -> BackupAndRestore {
    BackupAndRestore::new(directory.0.join("backup"))
}

/// Four epochs of 5 steps.
fn fit(directory: &Directory, after: usize) -> Fit<'static> {
    Fit::epochs(4)
        .batch_size(4)
        .verbose(0)
        .callback(backup(directory).save_freq(2))
        .callback(Interrupt::after(after))
}

/// The hooks of an epoch of 5 steps without validation.
const EPOCH: usize = 12;

#[test]
fn a_model_goes_on_in_the_program_that_was_interrupted() -> keras::Result<()> {
    let directory = Directory::new("again");
    let (x, y) = data();
    let expected = compiled("adam")?.fit((&x, &y), fit(&directory, usize::MAX))?;
    let mut model = compiled("adam")?;
    for after in [2 * EPOCH, 7, 9, 3] {
        let error = sentence(model.fit((&x, &y), fit(&directory, after)));
        assert_eq!(error, "interrupted");
    }
    let history = model.fit((&x, &y), fit(&directory, usize::MAX))?;
    assert_eq!(history, expected);
    assert_eq!(history.epochs(), [0, 1, 2, 3]);
    assert!(!directory.0.join("backup").exists());
    // There is no backup any more: another training begins anew.
    let next = model.fit((&x, &y), fit(&directory, usize::MAX))?;
    assert_eq!(next.epochs(), [0, 1, 2, 3]);
    Ok(())
}

#[test]
fn a_backup_that_is_kept_goes_on_after_its_last_epoch() -> keras::Result<()> {
    let directory = Directory::new("further");
    let (x, y) = data();
    let run = |epochs: usize| -> keras::Result<(Vec<usize>, Vec<ndarray::ArrayD<f32>>)> {
        let mut model = compiled("adam")?;
        let callback = backup(&directory).delete_checkpoint(false);
        let fit = Fit::epochs(epochs).verbose(0).callback(callback);
        let history = model.fit((&x, &y), fit)?;
        Ok((history.epochs().to_vec(), model.get_weights()))
    };
    let two = run(2)?;
    assert_eq!(run(2)?, two);
    let four = run(4)?;
    assert_eq!(four.0, [0, 1, 2, 3]);
    directory.clear();
    assert_eq!(run(4)?, four);
    fs::write(directory.0.join("backup/of somebody else"), "").expect("a file");
    let delete = Fit::epochs(4).verbose(0).callback(backup(&directory));
    compiled("adam")?.fit((&x, &y), delete)?;
    let names = fs::read_dir(directory.0.join("backup")).expect("the directory");
    assert_eq!(names.count(), 1);
    Ok(())
}

/// A training that is stopped within an epoch stays stopped, wherever it is interrupted after that.
#[test]
fn a_training_that_was_stopped_goes_on_to_its_end() -> keras::Result<()> {
    let directory = Directory::new("stopped");
    let (x, y) = data();
    let run = |after: usize| {
        let stop = LambdaCallback::new().on_train_batch_end(|cx, _, _| {
            if cx.model().iterations() == 8 {
                cx.stop_training();
            }
            Ok(())
        });
        let fit = Fit::epochs(4).batch_size(4).validation((&x, &y)).verbose(0);
        let fit = fit.callback(stop).callback(backup(&directory).save_freq(1));
        compiled("adam")?.fit((&x, &y), fit.callback(Interrupt::after(after)))
    };
    let expected = run(usize::MAX)?;
    assert_eq!(expected.epochs(), [0, 1]);
    for after in 0..30 {
        if run(after).is_err() {
            assert_eq!(run(usize::MAX)?, expected, "after {after}");
        }
    }
    Ok(())
}

/// What `fit` says when a training of `compiled("adam")` goes on in another way.
fn refused(
    directory: &Directory,
    go_on: impl FnOnce(Fit<'static>) -> keras::Result<History>,
) -> String {
    sentence(go_on(fit(directory, usize::MAX)))
}

#[test]
fn what_does_not_belong_to_a_backup_is_refused() -> keras::Result<()> {
    let directory = Directory::new("refused");
    let (x, y) = data();
    let begun = compiled("adam")?.fit((&x, &y), fit(&directory, EPOCH + 7));
    assert_eq!(sentence(begun), "interrupted");
    let cases = [
        refused(&directory, |fit| {
            let mut model = Other::with_seed(1);
            model.compile(Compile::new("adam", "mse").metric("mae"))?;
            model.fit((&x, &y), fit)
        }),
        refused(&directory, |fit| compiled("sgd")?.fit((&x, &y), fit)),
        refused(&directory, |fit| {
            let mut model = compiled("adam")?;
            model.compile(Compile::new("adam", "mse").metric("mae").metric("r2_score"))?;
            model.fit((&x, &y), fit)
        }),
        refused(&directory, |fit| {
            compiled("adam")?.fit((&x, &y), fit.batch_size(5))
        }),
        refused(&directory, |fit| {
            compiled("adam")?.fit((&x, &y), fit.validation((&x, &y)))
        }),
        refused(&directory, |fit| {
            compiled("adam")?.fit((&x, &y), fit.callback(EarlyStopping::new("loss")))
        }),
    ];
    let expected = [
        "weight `kernel` shape (4, 5)",
        "Skipping variable loading for optimizer 'sgd'",
        "Expected 4 numbers that they remember. Received: 14",
        "Expected epochs of 5 steps. Received: 4 steps",
        "Expected no validation. Received: validation",
        "Expected [\"BackupAndRestore\", \"\"]. Received: [\"BackupAndRestore\", \"\", \"EarlyStopping\"]",
    ];
    for (found, expected) in cases.iter().zip(expected) {
        assert!(found.contains(expected), "{found}");
    }
    // None of them has changed the backup.
    compiled("adam")?.fit((&x, &y), fit(&directory, usize::MAX))?;
    Ok(())
}

#[test]
fn a_damaged_backup_is_an_error_or_the_one_before_it_is_taken() -> keras::Result<()> {
    let directory = Directory::new("damaged");
    let (x, y) = data();
    let double = |after| {
        let backup = backup(&directory).double_checkpoint(true);
        let fit = Fit::epochs(4).batch_size(4).verbose(0);
        fit.callback(backup).callback(Interrupt::after(after))
    };
    let expected = compiled("adam")?.fit((&x, &y), double(usize::MAX))?;
    let begun = compiled("adam")?.fit((&x, &y), double(3 * EPOCH));
    assert_eq!(sentence(begun), "interrupted");
    let latest = directory.0.join("backup/latest.backup");
    let mut bytes = fs::read(&latest).expect("a backup");
    bytes[100] ^= 1;
    fs::write(&latest, &bytes).expect("a file");
    let mut seen = Vec::new();
    let (history, said) = listen(|| {
        let note = LambdaCallback::new().on_epoch_begin(|_, epoch, _| {
            seen.push(epoch);
            Ok(())
        });
        let fit = Fit::epochs(4).batch_size(4).verbose(0);
        let fit = fit.callback(backup(&directory).double_checkpoint(true));
        compiled("adam")?.fit((&x, &y), fit.callback(note))
    });
    assert_eq!(history?, expected);
    // The last backup was made after the second epoch.
    assert_eq!(seen, [1, 2, 3]);
    let [Said::Warned(warning)] = &said[..] else {
        panic!("{said:?}");
    };
    assert!(warning.contains("damaged"), "{warning}");
    let begun = compiled("adam")?.fit((&x, &y), fit(&directory, EPOCH));
    assert_eq!(sentence(begun), "interrupted");
    fs::write(&latest, &bytes[..50]).expect("a file");
    let error = refused(&directory, |fit| compiled("adam")?.fit((&x, &y), fit));
    assert!(error.contains("damaged"), "{error}");
    compiled("adam")?.save_weights(directory.0.join("model.weights.h5"))?;
    fs::rename(directory.0.join("model.weights.h5"), &latest).expect("a file");
    let error = refused(&directory, |fit| compiled("adam")?.fit((&x, &y), fit));
    assert!(error.contains("latest.backup: Expected a"), "{error}");
    Ok(())
}

/// An iterator that is made anew goes on where the first pass over it was, and in no other pass.
#[test]
fn batches_of_an_iterator_go_on_in_their_first_pass() -> keras::Result<()> {
    let directory = Directory::new("iterator");
    let (x, y) = data();
    let made = Cell::new(0);
    let batches = || {
        let (x, y) = (x.clone(), y.clone());
        made.set(made.get() + 1);
        Dataset::from_batches((0..).map(move |at| (&x + at as f32, y.clone())))
    };
    let steps = |after| {
        let fit = Fit::epochs(4).steps_per_epoch(5).verbose(0);
        fit.callback(backup(&directory).save_freq(2))
            .callback(Interrupt::after(after))
    };
    let expected = compiled("adam")?.fit(batches(), steps(usize::MAX))?;
    let begun = compiled("adam")?.fit(batches(), steps(EPOCH + 9));
    assert_eq!(sentence(begun), "interrupted");
    assert_eq!(
        compiled("adam")?.fit(batches(), steps(usize::MAX))?,
        expected
    );
    // The same iterator is at another place.
    let used = batches();
    let begun = compiled("adam")?.fit(&used, steps(EPOCH + 9));
    assert_eq!(sentence(begun), "interrupted");
    let error = sentence(compiled("adam")?.fit(&used, steps(usize::MAX)));
    assert!(error.contains("`Dataset::from_generator`"), "{error}");
    Ok(())
}

/// A saved model goes on as the one that was not saved would have.
#[test]
fn a_saved_model_goes_on_from_an_epoch() -> keras::Result<()> {
    let directory = Directory::new("initial");
    let (x, y) = data();
    let shuffled = Dataset::from_tensor_slices((&x, &y))?.shuffle(5).batch(4);
    let run = |model: &mut Line, epochs: usize, initial: usize| -> keras::Result<History> {
        let fit = || Fit::epochs(epochs).initial_epoch(initial).verbose(0);
        model.fit((&x, &y), fit().batch_size(4))?;
        model.fit(&shuffled, fit())
    };
    for optimizer in [
        "adam",
        "nadam",
        "adafactor",
        "rmsprop",
        "adamax",
        "ftrl",
        "lamb",
        "lion",
        "adadelta",
    ] {
        let mut whole = compiled(optimizer)?;
        run(&mut whole, 2, 0)?;
        let (file, weights) = (
            directory.0.join("model.keras"),
            directory.0.join("model.weights.h5"),
        );
        whole.save(&file)?;
        whole.save_weights(&weights)?;
        let expected = run(&mut whole, 4, 2)?;
        let mut loaded = Line::load(&file)?;
        loaded.compile(Compile::new(optimizer, "mse").metric("mae"))?;
        assert_eq!(run(&mut loaded, 4, 2)?, expected, "{optimizer}");
        assert_eq!(loaded.get_weights(), whole.get_weights(), "{optimizer}");
        let mut again = compiled(optimizer)?;
        again.load_weights(&weights)?;
        assert_eq!(run(&mut again, 4, 2)?, expected, "{optimizer}");
        assert_eq!(again.get_weights(), whole.get_weights(), "{optimizer}");
    }
    Ok(())
}

#[cfg(unix)]
mod full {
    use super::super::kills::{child, directory_of_child, is_done};
    use super::*;

    sequential! {
        Large<300>;
        Dense(300),
    }

    const TEST: &str = "resume::saves::full::a_disk_that_is_full_keeps_the_old_files";

    /// The shell lets no file of the child get longer than half of what it wants to write.
    #[test]
    fn a_disk_that_is_full_keeps_the_old_files() -> keras::Result<()> {
        let path = |directory: &Path| directory.join("model.keras");
        let train = |directory: &Path, epochs: usize| -> keras::Result<()> {
            let mut model = Large::with_seed(1);
            model.compile(Compile::new("adam", "mse"))?;
            let (x, y) = (
                Array2::<f32>::ones((4, 300)),
                Array2::<f32>::zeros((4, 300)),
            );
            let callback = BackupAndRestore::new(directory.join("backup"));
            let stop = LambdaCallback::new().on_epoch_begin(move |_, epoch, _| match epoch {
                epoch if epoch == epochs => Err(keras::Error::Callback("interrupted".into())),
                _ => Ok(()),
            });
            let fit = Fit::epochs(9).verbose(0).callback(callback).callback(stop);
            model.fit((&x, &y), fit).map(|_| ())
        };
        let contents = |directory: &Path| {
            let backup = fs::read(directory.join("backup/latest.backup"));
            (fs::read(path(directory)).ok(), backup.ok())
        };
        if let Some(directory) = directory_of_child() {
            let before = contents(&directory);
            let errors = [
                Large::with_seed(2).save(path(&directory)),
                train(&directory, 3),
            ];
            for error in errors {
                assert!(sentence(error).contains("too large"), "another error");
            }
            assert!(contents(&directory) == before);
            return Ok(());
        }
        let directory = Directory::new("full");
        Large::with_seed(1).save(path(&directory.0))?;
        assert_eq!(sentence(train(&directory.0, 2)), "interrupted");
        let command = child(TEST, &directory.0);
        let status = std::process::Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 300; exec \"$0\" \"$@\""])
            .arg(command.get_program())
            .args(command.get_args())
            .envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .stdout(std::process::Stdio::null())
            .status()
            .expect("a shell");
        assert!(is_done(status));
        let names = fs::read_dir(directory.0.join("backup")).expect("the directory");
        assert_eq!(names.count(), 1);
        assert_eq!(sentence(train(&directory.0, 3)), "interrupted");
        train(&directory.0, usize::MAX)
    }
}
