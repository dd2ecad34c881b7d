//! Files in memory and on disk, whole and damaged.

use super::*;
use ndarray::Array;

fn state() -> ModelState<'static> {
    let weight = |name: &str, trainable, shape: &[usize]| WeightState {
        name: name.into(),
        trainable,
        values: Array::from_shape_fn(shape, |index| 1.0 + index[0] as f32 / 3.0).into(),
    };
    let variable = |name: &str, value, shape: &[usize]| VariableState {
        name: name.into(),
        values: Numbers::Floats(Array::from_elem(shape, value).into()),
    };
    ModelState {
        name: "größer".into(),
        scope: "größer/".into(),
        seed: 42,
        step: 7,
        input_shapes: vec![vec![Some(3), None], vec![]],
        layers: vec![
            LayerState {
                name: "dense".into(),
                class: "Dense".into(),
                path: "layers/dense".into(),
                weights: vec![weight("kernel", true, &[3, 2]), weight("bias", true, &[2])],
            },
            LayerState {
                name: "flatten".into(),
                class: "Flatten".into(),
                path: "layers/flatten".into(),
                weights: Vec::new(),
            },
        ],
        optimizer: Some(OptimizerState {
            name: "adam".into(),
            class: "Adam".into(),
            inner: Some(("adam".into(), 4)),
            layers: Vec::new(),
            variables: vec![
                VariableState {
                    name: "iteration".into(),
                    values: Numbers::Count(9),
                },
                variable("learning_rate", 0.001, &[]),
                variable("dense_kernel_momentum", 0.5, &[3, 2]),
                variable("dense_bias_momentum", -0.0, &[2]),
            ],
        }),
    }
}

/// What `fit` remembers, with values of every kind.
fn training() -> Record {
    let weights = [Array::from_elem(vec![2, 3], 0.5), Array::zeros(vec![0])];
    let inner = Record::new("EarlyStopping")
        .with_numbers("none", [])
        .with_arrays("best_weights", weights.into());
    Record::new("Training")
        .with_number("epoch", u64::MAX)
        .with_floats("values", [0.1, f64::NEG_INFINITY, -0.0])
        .with_texts("names", ["größer".to_owned(), String::new()])
        .with_records("callbacks", [inner, Record::default()])
}

/// The bytes of a backup.
fn bytes(state: &ModelState<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    native::encode(state, &training(), &mut bytes).expect("a vector takes everything");
    bytes
}

fn decode(bytes: &[u8]) -> Result<ModelState<'static>, String> {
    native::decode(bytes, bytes.len() as u64).map(|(state, _)| state)
}

#[test]
fn what_is_written_is_read() {
    let all = state();
    assert_eq!(decode(&bytes(&all)), Ok(all));
    let nothing = ModelState::default();
    assert_eq!(decode(&bytes(&nothing)), Ok(nothing));
    let backup = bytes(&state());
    let whole = native::decode(&backup[..], backup.len() as u64);
    assert_eq!(whole, Ok((state(), training())));
}

/// A file with a checksum after its content.
fn with_checksum(content: Vec<u8>) -> Vec<u8> {
    let checksum = keras_config::crc::crc32c(&content);
    [content, checksum.to_le_bytes().to_vec()].concat()
}

#[test]
fn sections_may_be_unknown_but_not_twice_and_not_missing() {
    let whole = bytes(&state());
    let (head, content) = whole[..whole.len() - 4].split_at(12);
    let len = u64::from_le_bytes(content[4..12].try_into().expect("eight bytes"));
    let (model, training) = content.split_at(12 + len as usize);
    let unknown = [b"NEWS".as_slice(), &9000u64.to_le_bytes(), &[7; 9000]].concat();
    let of = |sections: &[&[u8]]| decode(&with_checksum([head, &sections.concat()].concat()));
    assert_eq!(of(&[&unknown, model, &unknown, training]), Ok(state()));
    let error = |sections: &[&[u8]]| of(sections).expect_err("a file that is not whole");
    assert!(error(&[model, training, model]).contains("twice"));
    assert!(error(&[training, model, training]).contains("twice"));
    assert!(error(&[training]).contains("no model"));
    assert!(error(&[model]).contains("no training"));
    assert!(error(&[]).contains("no model"));
    assert!(error(&[&model[..model.len() - 1], training]).contains("damaged"));
}

/// Records that lie in one another deeper than anybody needs end in an error, not at the end of the stack.
#[test]
fn deep_records_are_errors() {
    // No class, one entry without a name, of the kind 4, which is one record.
    let open = [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0];
    let content = open.repeat(1_000_000);
    let len = (content.len() as u64).to_le_bytes();
    let section = [b"TRNG".as_slice(), &len, &content].concat();
    let head = &bytes(&state())[..12];
    let error = decode(&with_checksum([head, &section].concat()));
    let error = error.expect_err("a deep record");
    assert!(error.contains("records in one another"), "{error}");
}

#[test]
fn not_a_number_stays_what_it_was() {
    let mut state = state();
    state.layers[0].weights[1].values = ndarray::arr1(&[f32::NAN, f32::INFINITY]).into_dyn().into();
    let read = decode(&bytes(&state)).expect("a whole file");
    let values = &read.layers[0].weights[1].values;
    assert!(values[0].is_nan() && values[1] == f32::INFINITY, "{values}");
}

#[test]
fn a_file_that_ends_early_or_late_is_an_error() {
    let whole = bytes(&state());
    for end in 0..whole.len() {
        assert!(decode(&whole[..end]).is_err(), "{end} of {}", whole.len());
    }
    let longer = [&whole[..], &[0]].concat();
    assert!(decode(&longer).is_err());
}

#[test]
fn every_changed_byte_is_an_error() {
    let whole = bytes(&state());
    for at in 0..whole.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= change;
            assert!(decode(&damaged).is_err(), "byte {at} ^ {change:#x}");
        }
    }
}

/// A file whose checksum is right, but whose sizes are not those of its content.
#[test]
fn hostile_sizes_are_errors_and_take_no_memory() {
    let whole = bytes(&state());
    let content = &whole[..whole.len() - 4];
    for width in [4, 8] {
        for at in 0..content.len() - width {
            for size in [u64::MAX, 1 << 62, 1 << 31, 0xffff_ff00] {
                let mut hostile = content.to_vec();
                hostile[at..at + width].copy_from_slice(&size.to_le_bytes()[..width]);
                // Some changed names and values are valid: what counts is that this returns.
                let _ = decode(&with_checksum(hostile));
            }
        }
    }
}

#[test]
fn another_kind_of_file_says_so() {
    let error = decode(b"\x89HDF\r\n\x1a\n and so on").expect_err("another kind of file");
    assert!(error.contains("another kind of file"), "{error}");
    let mut newer = bytes(&state());
    newer[8] = 3;
    let error = decode(&newer).expect_err("a newer file");
    assert!(error.contains("version 3"), "{error}");
}

#[test]
fn a_failed_write_leaves_the_old_file() -> crate::Result<()> {
    let directory = std::env::temp_dir().join(format!("keras-saving-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join("model.weights.h5");
    let state = state();
    write(&path, &state, None)?;
    let failed = file::replace(&path, |out| {
        out.write_all(b"half")?;
        Err(std::io::ErrorKind::StorageFull.into())
    });
    assert!(failed.is_err());
    assert_eq!(read(&path)?.state.layers.len(), state.layers.len());
    let names: Vec<_> = std::fs::read_dir(&directory)
        .expect("the directory")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names, ["model.weights.h5"]);
    assert!(write(&directory, &state, None).is_err());
    assert!(read(&directory).is_err());
    assert!(read(&directory.join("no such file")).is_err());
    std::fs::remove_dir_all(&directory).expect("the directory");
    Ok(())
}
