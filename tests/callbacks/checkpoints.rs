//! What `ModelCheckpoint` writes, and what it refuses.

use keras::prelude::*;
use keras::testing::{Said, listen};

use super::{compiled, directory, line};

#[test]
fn a_checkpoint_says_that_a_directory_is_in_its_way() -> keras::Result<()> {
    let (x, y) = line(4);
    let mut model = compiled()?;
    let path = directory("way.keras");
    std::fs::create_dir_all(&path).expect("a directory");
    let fit = Fit::epochs(1).verbose(0);
    let fit = fit.callback(ModelCheckpoint::new(&path).monitor("loss"));
    let error = model.fit((&x, &y), fit).unwrap_err().to_string();
    assert!(error.contains("is an existing directory"), "{error}");
    std::fs::remove_dir(&path).expect("the directory");
    Ok(())
}

/// With `verbose = 2` the line of an epoch comes after those of its callbacks.
#[test]
fn what_a_checkpoint_says_comes_before_the_line_of_the_epoch() -> keras::Result<()> {
    let (x, y) = line(4);
    let mut model = compiled()?;
    let path = directory("said.keras");
    let checkpoint = ModelCheckpoint::new(&path).verbose(1);
    let fit = Fit::epochs(1).verbose(2).callback(checkpoint);
    let (history, said) = listen(|| model.fit((&x, &y), fit));
    history?;
    let [
        Said::Printed(begun),
        Said::Printed(done),
        Said::Printed(epoch),
    ] = &said[..]
    else {
        panic!("{said:?}");
    };
    let path = path.display();
    assert_eq!(*begun, format!("\nEpoch 1: saving model to {path}\n"));
    assert_eq!(
        *done,
        format!("\nEpoch 1: finished saving model to {path}\n")
    );
    assert!(epoch.starts_with("1/1 - 0s - "), "{epoch}");
    std::fs::remove_file(directory("said.keras")).expect("the file");
    Ok(())
}

#[test]
fn the_name_of_a_checkpoint_ends_as_keras_wants_it() -> keras::Result<()> {
    let (x, y) = line(2);
    let mut model = compiled()?;
    let mut said = |name: &str, weights_only: bool| {
        let path = directory(name);
        let checkpoint = ModelCheckpoint::new(&path).save_weights_only(weights_only);
        let fit = Fit::epochs(1).verbose(0).callback(checkpoint);
        let error = model.fit((&x, &y), fit).err();
        let _ = std::fs::remove_file(&path);
        error.map(|error| error.to_string())
    };
    for name in ["a.keras", "a.h5", "a.weights.h5", "a.hdf5"] {
        assert_eq!(said(name, false), None, "{name}");
    }
    for name in ["a.weights.h5", "a.hdf5"] {
        assert_eq!(said(name, true), None, "{name}");
    }
    for name in ["a", "a.KERAS", "a.tf"] {
        let error = said(name, false).unwrap_or_default();
        assert!(
            error.contains("must end in `.keras` (Keras model format)"),
            "{name}: {error}"
        );
    }
    for name in ["a.keras", "a.h5", "a.weights"] {
        let error = said(name, true).unwrap_or_default();
        assert!(
            error.contains("must end in `.weights.h5` (Keras weights format)"),
            "{name}: {error}"
        );
    }
    Ok(())
}

#[test]
fn the_name_of_a_file_ends_as_keras_wants_it() -> keras::Result<()> {
    let model = compiled()?;
    let told = |result: keras::Result<()>| result.err().map(|error| error.to_string());
    assert_eq!(
        told(model.save("x")).as_deref(),
        Some(
            "Invalid filepath extension for saving. Please add either a `.keras` extension for the native Keras format \
             (recommended) or a `.h5` extension. Received: filepath=x."
        )
    );
    assert!(told(model.save("w.safetensors")).is_some_and(|error| {
        error.ends_with("Files of weights alone are written by `save_weights`.")
    }));
    assert_eq!(
        told(model.save_weights("w.h5")).as_deref(),
        Some(
            "The filename must end in `.weights.h5`, `.hdf5`, `.safetensors` or `.npz`. Received: filepath=w.h5"
        )
    );
    Ok(())
}

#[test]
fn a_checkpoint_after_up_to_one_batch_is_one_after_every_batch() -> keras::Result<()> {
    let (x, y) = line(3);
    let mut model = compiled()?;
    let folder = directory("every");
    let checkpoint = ModelCheckpoint::new(folder.join("{batch}.keras")).save_freq(-1);
    let fit = Fit::epochs(1).batch_size(1).verbose(0).callback(checkpoint);
    model.fit((&x, &y), fit)?;
    let files = std::fs::read_dir(&folder).expect("the directory");
    assert_eq!(files.count(), 3);
    std::fs::remove_dir_all(&folder).expect("the directory");
    Ok(())
}
