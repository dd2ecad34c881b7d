//! Models and how they are made: rows M1, M2, M3, M6, M12, M13 and M14.

use keras::losses::MeanSquaredError;
use keras::metrics::MeanAbsoluteError;
use keras::prelude::*;
use ndarray::{Array1, Array2, Axis, array};

use crate::{assert_close, random};

#[model]
fn three_to_five(inputs: Input<3>) -> ThreeToFive {
    let x = Dense(4, activation = relu)(inputs);
    let outputs = Dense(5, activation = softmax)(x);
    Model(
        inputs = inputs,
        outputs = outputs,
        name = "three_to_five_classes",
    )
}

#[test]
fn m1_a_model_groups_layers_into_an_object_that_trains_and_predicts() -> keras::Result<()> {
    let mut model = ThreeToFive::with_seed(1);
    assert_eq!(model.name(), "three_to_five_classes");
    let names: Vec<String> = (model.layers().iter())
        .map(|layer| layer.name().to_owned())
        .collect();
    assert_eq!(names, ["dense", "dense_1"]);
    assert_eq!(
        model
            .predict(random((2, 3), 1), Predict::default())?
            .shape(),
        [2, 5]
    );
    model.compile(Compile::new("sgd", "sparse_categorical_crossentropy"))?;
    let labels = Array1::from(vec![1, 4]);
    let logs = model.train_on_batch((random((2, 3), 1), &labels))?;
    assert!(logs.get("loss").is_some_and(|loss| loss > 0.0));
    Ok(())
}

#[test]
fn m2_calls_of_layers_are_chained_from_an_input() -> keras::Result<()> {
    let mut model = ThreeToFive::with_seed(2);
    let x = random((4, 3), 2);
    let weights = model.get_weights();
    let shapes: Vec<&[usize]> = weights.iter().map(|weight| weight.shape()).collect();
    assert_eq!(shapes, [&[3, 4][..], &[4], &[4, 5], &[5]]);
    let matrix = |at: usize| {
        let weight = weights[at].clone();
        weight
            .into_dimensionality::<ndarray::Ix2>()
            .expect("a matrix")
    };
    let hidden = (x.dot(&matrix(0)) + &weights[1]).mapv(|h| h.max(0.0));
    let hidden = hidden.into_dimensionality::<ndarray::Ix2>().expect("rows");
    let mut expected = (hidden.dot(&matrix(2)) + &weights[3]).mapv(f32::exp);
    for mut row in expected.axis_iter_mut(Axis(0)) {
        let sum = row.sum();
        row /= sum;
    }
    assert_close(&model.predict(&x, Predict::default())?, &expected);
    Ok(())
}

#[model]
fn tuples(a: Input<2>, b: Input<2>) -> Tuples {
    Model((a, b), (a + b, a - b))
}

#[model]
fn lists(a: Input<2>, b: Input<2>) -> Lists {
    Model([a, b], [a + b, a - b])
}

#[model]
fn dictionaries(a: Input<2>, b: Input<2>) -> Dictionaries {
    Model(
        Dict {
            first: a,
            second: b,
        },
        Dict {
            sum: a + b,
            difference: a - b,
        },
    )
}

#[model]
fn nested_outputs(a: Input<2>, b: Input<2>) -> NestedOutputs {
    Model(
        (a, b),
        Dict {
            sum: a + b,
            others: [a - b, a * b],
        },
    )
}

#[test]
fn m3_inputs_and_outputs_are_tuples_lists_and_dictionaries() -> keras::Result<()> {
    let (a, b) = (array![[1.0f32, 2.0]], array![[3.0f32, 5.0]]);
    let expected = [
        array![[4.0, 7.0]].into_dyn(),
        array![[-2.0, -3.0]].into_dyn(),
    ];
    let predict = || Predict::default().verbose(0);
    assert_eq!(Tuples::new().predict_all((&a, &b), predict())?, expected);
    assert_eq!(Lists::new().predict_all([&a, &b], predict())?, expected);
    // By name, in any order.
    let by_name = [("second", &b), ("first", &a)];
    assert_eq!(
        Dictionaries::new().predict_all(by_name, predict())?,
        expected
    );

    let mut nested = NestedOutputs::new();
    let outputs = nested.predict_all((&a, &b), predict())?;
    assert_eq!(outputs[..2], expected);
    assert_eq!(outputs[2], array![[3.0, 10.0]].into_dyn());
    Ok(())
}

#[test]
fn m3_the_keys_of_outputs_are_the_names_of_their_losses() -> keras::Result<()> {
    let (a, b) = (random((4, 2), 3), random((4, 2), 4));
    let mut model = Dictionaries::new();
    model.compile(Compile::new("sgd", "mse"))?;
    let targets = [("difference", &a), ("sum", &b)];
    let inputs = [("first", &a), ("second", &b)];
    let logs = model.evaluate((inputs, targets), Evaluate::default().verbose(0))?;
    let names: Vec<&str> = logs.names().collect();
    assert_eq!(names, ["difference_loss", "loss", "sum_loss"]);
    Ok(())
}

#[test]
fn m3_a_missing_or_unknown_key_is_an_error() {
    let a = random((4, 2), 3);
    let mut model = Dictionaries::new();
    for (inputs, sentence) in [
        (vec![("first", &a)], "Missing data for input \"second\""),
        (
            vec![("first", &a), ("second", &a), ("third", &a)],
            "There is no input \"third\"",
        ),
    ] {
        let found = match inputs[..] {
            [one] => model.predict_all([one], Predict::default()),
            [one, two, three] => model.predict_all([one, two, three], Predict::default()),
            _ => unreachable!("one or three"),
        };
        let message = found
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(message.contains(sentence), "{message}");
    }
}

sequential! {
    Regression<8>;
    Dense(16, activation = tanh),
    Dense(1),
}

#[test]
fn m6_a_model_is_compiled_fitted_evaluated_and_asked() -> keras::Result<()> {
    let x = random((200, 8), 6);
    let y = x.map_axis(Axis(1), |row| row[0] - row[1] * row[2]);
    let mut model = Regression::with_seed(6);
    model.compile(Compile::new(Adam::new(0.01), "mse").metrics(["mae"]))?;
    let history = model.fit((&x, &y), Fit::epochs(20).validation_split(0.2).verbose(0))?;
    let losses = history.get("val_loss").unwrap_or_default();
    assert!(losses[19] < 0.2 * losses[0], "{losses:?}");
    let logs = model.evaluate((&x, &y), Evaluate::default().verbose(0))?;
    let predicted = model.predict(&x, Predict::default().verbose(0))?;
    let errors = predicted.iter().zip(&y).map(|(p, y)| (p - y).abs());
    let found = logs.get("mae").unwrap_or(f32::NAN);
    assert_close([&found], [&(errors.sum::<f32>() / 200.0)]);
    Ok(())
}

#[test]
fn m12_a_sequential_model_is_built_by_its_first_data() -> keras::Result<()> {
    let mut model = sequential![
        Dense(64, activation = relu),
        Dense(64, activation = relu),
        Dense(10, activation = softmax),
    ];
    assert!(!model.is_built());
    model.compile(
        Compile::new(RMSprop::new(0.01), CategoricalCrossentropy::new())
            .metrics([CategoricalAccuracy::new()]),
    )?;
    let data = random((1000, 32), 12);
    let labels = random((1000, 10), 13);
    let dataset = Dataset::from_tensor_slices((data, labels))?.batch(32);
    let history = model.fit(&dataset, Fit::epochs(10).verbose(0))?;
    let names: Vec<&str> = history.names().collect();
    assert_eq!(names, ["categorical_accuracy", "loss"]);
    assert_eq!(history.epochs().len(), 10);
    let losses = history.get("loss").unwrap_or_default();
    assert!(losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
    assert_eq!(
        model.count_params(),
        32 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10
    );
    Ok(())
}

#[test]
fn m13_names_and_objects_are_the_same() -> keras::Result<()> {
    let x = random((40, 3), 15);
    let y = random((40, 5), 16);
    let fit = |compile: Compile<Cpu>| -> keras::Result<(History, ThreeToFive)> {
        let mut model = ThreeToFive::with_seed(3);
        model.compile(compile)?;
        let history = model.fit((&x, &y), Fit::epochs(2).verbose(0))?;
        Ok((history, model))
    };
    let (history, by_name) = fit(Compile::new("Adam", "mse").metrics(["mae", "acc"]))?;
    let objects = Compile::new(Adam::new(0.001), MeanSquaredError::new())
        .metric(MeanAbsoluteError::new())
        .metric(CategoricalAccuracy::new());
    let (of_objects, by_object) = fit(objects)?;
    assert_eq!(by_name.get_weights(), by_object.get_weights());
    for (name, of_object) in [
        ("loss", "loss"),
        ("mae", "mean_absolute_error"),
        ("acc", "categorical_accuracy"),
    ] {
        assert!(history.get(name).is_some(), "{name}");
        assert_eq!(history.get(name), of_objects.get(of_object), "{name}");
    }
    Ok(())
}

/// The same program for every device.
fn trained<M: Model>(mut model: M, x: &Array2<f32>, y: &Array2<f32>) -> keras::Result<Vec<f32>> {
    model.compile(Compile::new("sgd", "mse"))?;
    let history = model.fit((x, y), Fit::epochs(3).verbose(0))?;
    Ok(history.get("loss").unwrap_or_default().to_vec())
}

#[test]
fn m14_the_same_program_runs_on_the_device_there_is() -> keras::Result<()> {
    let (x, y) = (random((40, 8), 17), random((40, 1), 18));
    let automatic: Regression<AutoDevice> = Regression::with_seed(4);
    let on_cpu = Regression::on_with_seed(Cpu::default(), 4);
    let found = trained(automatic, &x, &y)?;
    let expected = trained(on_cpu, &x, &y)?;
    assert_close(&found, &expected);
    Ok(())
}
