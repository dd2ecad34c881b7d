//! The metrics of a model: rows M10 and M11.

use keras::prelude::*;
use ndarray::{Array2, Axis, array};

use crate::random;

#[model]
fn two_outputs_of_three(inputs: Input<3>) -> TwoOutputsOfThree {
    Model(inputs, Dense(2)(inputs))
}

#[test]
fn m10_compiled_metrics_are_there_once_the_model_has_seen_data() -> keras::Result<()> {
    let names = |model: &mut TwoOutputsOfThree| -> Vec<String> {
        let metrics = model.metrics();
        metrics
            .iter()
            .map(|metric| metric.name().to_owned())
            .collect()
    };
    let (x, y) = (random((2, 3), 10), array![[0, 1], [1, 1]]);
    let mut model = TwoOutputsOfThree::with_seed(10);
    model.compile(Compile::new("Adam", "mse").metrics(["mae"]))?;
    assert_eq!(names(&mut model), [""; 0]);
    let history = model.fit((&x, &y), Fit::epochs(1).verbose(0))?;
    assert_eq!(names(&mut model), ["loss", "mae"]);
    for metric in model.metrics() {
        assert_eq!(history.get(metric.name()), Some(&[metric.result()][..]));
    }

    let mut evaluated = TwoOutputsOfThree::with_seed(10);
    evaluated.compile(Compile::new("Adam", "mse").metrics(["mae"]))?;
    evaluated.evaluate((&x, &y), Evaluate::default().verbose(0))?;
    assert_eq!(names(&mut evaluated), ["loss", "mae"]);
    Ok(())
}

#[model]
fn shared_output(inputs: Input<3>) -> SharedOutput {
    let d = Dense(2, name = "out");
    let output_1 = d(inputs);
    let output_2 = d(inputs);
    add_metric(sum(output_2), name = "mean", aggregation = mean);
    Model(inputs, [output_1, output_2])
}

const NAMES: [&str; 8] = [
    "loss",
    "out_loss",
    "out_1_loss",
    "out_mae",
    "out_acc",
    "out_1_mae",
    "out_1_acc",
    "mean",
];

#[test]
fn m11_one_layer_that_is_two_outputs_logs_the_names_of_the_document() -> keras::Result<()> {
    let x = Array2::from_shape_fn((6, 3), |(i, j)| ((i * 3 + j) as f32).sin());
    let y = Array2::<f32>::ones((6, 2));
    let mut model = SharedOutput::with_seed(1);
    model.compile(Compile::new("Adam", "mse").metrics(["mae", "acc"]))?;
    assert_eq!(model.metrics_names(), [""; 0]);
    let fit = Fit::epochs(1).batch_size(4).shuffle(false).verbose(0);
    let history = model.fit((&x, (&y, &y)), fit)?;
    assert_eq!(model.metrics_names(), NAMES);
    let mut names: Vec<&str> = history.names().collect();
    names.sort_unstable();
    let mut expected = NAMES;
    expected.sort_unstable();
    assert_eq!(names, expected);
    Ok(())
}

/// The mean over the batches, however large they are.
#[test]
fn m11_the_added_metric_is_a_mean_over_batches() -> keras::Result<()> {
    let x = Array2::from_shape_fn((6, 3), |(i, j)| ((i * 3 + j) as f32).sin());
    let y = Array2::<f32>::ones((6, 2));
    let mut model = SharedOutput::with_seed(1);
    model.compile(Compile::new("Adam", "mse"))?;
    let of_batch = |rows: std::ops::Range<usize>, model: &mut SharedOutput| -> keras::Result<f32> {
        let x = x.slice_axis(Axis(0), rows.into());
        Ok(model.predict_all(x, Predict::batch_size(6).verbose(0))?[1].sum())
    };
    let expected = (of_batch(0..4, &mut model)? + of_batch(4..6, &mut model)?) / 2.0;
    let evaluate = Evaluate::batch_size(4).verbose(0);
    let logs = model.evaluate((&x, (&y, &y)), evaluate)?;
    let found = logs.get("mean").unwrap_or(f32::NAN);
    assert!(
        (found - expected).abs() < 1e-5,
        "{found}, expected {expected}"
    );
    Ok(())
}
