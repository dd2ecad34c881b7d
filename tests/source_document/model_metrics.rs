//! Row M11: one layer that is two outputs, and a metric that the model adds by itself.

use keras::prelude::*;
use ndarray::{Array2, Axis};

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
fn its_logs_have_the_names_of_the_document() -> keras::Result<()> {
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
fn the_added_metric_is_a_mean_over_batches() -> keras::Result<()> {
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
