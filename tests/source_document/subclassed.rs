//! Row M5: a model as a struct, whose `call` is the forward pass.

use keras::prelude::*;
use ndarray::{Array2, Axis, Ix2};

use crate::{assert_close, random};

#[model(input = [3])]
pub struct MyModel {
    #[layer(4, activation = relu)]
    dense1: Dense,
    #[layer(5, activation = softmax)]
    dense2: Dense,
}

#[model]
impl MyModel {
    fn call(&self, inputs: Tensor) -> Tensor {
        let x = self.dense1(inputs);
        self.dense2(x)
    }
}

#[model(input = [3])]
pub struct WithDropout {
    #[layer(4, activation = relu)]
    dense1: Dense,
    #[layer(5, activation = softmax)]
    dense2: Dense,
    #[layer(0.5)]
    dropout: Dropout,
}

#[model]
impl WithDropout {
    fn call(&self, inputs: Tensor, training: bool) -> Tensor {
        let x = self.dense1(inputs);
        let x = if training { self.dropout(x) } else { x };
        self.dense2(x)
    }
}

#[test]
fn m5_the_fields_are_the_layers() -> keras::Result<()> {
    let mut model = MyModel::with_seed(5);
    let shapes: Vec<Vec<usize>> = (model.get_weights().iter())
        .map(|weight| weight.shape().to_vec())
        .collect();
    assert_eq!(shapes, [vec![3, 4], vec![4], vec![4, 5], vec![5]]);
    assert!(model.get_layer("dense1").is_ok() && model.get_layer("dense2").is_ok());
    let outputs = model.predict(random((6, 3), 5), Predict::default().verbose(0))?;
    assert_close(&outputs.sum_axis(Axis(1)), &ndarray::Array1::ones(6));
    Ok(())
}

#[test]
fn m5_dropout_works_in_training_alone() -> keras::Result<()> {
    let x = random((8, 3), 6);
    let mut model = WithDropout::with_seed(5);
    let mut plain = MyModel::new();
    plain.set_weights(&model.get_weights())?;
    let inference = model.predict(&x, Predict::default().verbose(0))?;
    assert_eq!(inference, plain.predict(&x, Predict::default().verbose(0))?);

    // A number of the hidden layer is dropped or doubled: two rows of the kernel tell which.
    let hidden = |x: &Array2<f32>, model: &WithDropout| -> keras::Result<Array2<f32>> {
        let kernel = model
            .weight("dense1", "kernel")?
            .into_dimensionality::<Ix2>();
        Ok(x.dot(&kernel.expect("a matrix")).mapv(|h| h.max(0.0)))
    };
    let mut identity = ndarray::ArrayD::<f32>::zeros(vec![4, 5]);
    (0..4).for_each(|unit| identity[[unit, unit]] = 1.0);
    model.set_weight("dense2", "kernel", &identity)?;
    let hidden = hidden(&x, &model)?;
    model.load_on_batch(&x, true)?;
    model.forward(true)?;
    let outputs = model.outputs()?.remove(0);
    let (mut dropped, mut doubled) = (0, 0);
    for (row, hidden) in hidden.rows().into_iter().enumerate() {
        for (unit, &h) in hidden.iter().enumerate().filter(|(_, h)| **h > 0.0) {
            // The logit, from the probabilities: that of the last class is 0.
            let logit = (outputs[[row, unit]] / outputs[[row, 4]]).ln();
            let is_dropped = logit.abs() < 1e-5;
            assert!(
                is_dropped || (logit - 2.0 * h).abs() < 1e-4,
                "{logit} of {h}"
            );
            dropped += usize::from(is_dropped);
            doubled += usize::from(!is_dropped);
        }
    }
    assert!(
        dropped > 0 && doubled > 0,
        "{dropped} dropped, {doubled} doubled"
    );
    Ok(())
}

#[test]
fn m5_it_trains_as_any_other_model() -> keras::Result<()> {
    let x = random((64, 3), 7);
    let labels = x.map_axis(Axis(1), |row| {
        u8::from(row[0] > row[1]) + u8::from(row[2] > 0.5)
    });
    let mut model = WithDropout::with_seed(7);
    model.compile(
        Compile::new(Adam::new(0.02), "sparse_categorical_crossentropy").metric("accuracy"),
    )?;
    let history = model.fit((&x, &labels), Fit::epochs(20).verbose(0))?;
    let losses = history.get("loss").unwrap_or_default();
    assert!(losses[19] < 0.8 * losses[0], "{losses:?}");
    Ok(())
}
