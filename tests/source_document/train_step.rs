//! Row M8: `train_step` of one's own, and the pieces that it is built from.

use keras::prelude::*;
use ndarray::{Array2, ArrayD};

const X: [[f32; 3]; 4] = [
    [0.1, -0.4, 0.7],
    [1.2, 0.3, -0.5],
    [-0.8, 0.9, 0.2],
    [0.4, -1.1, 0.6],
];

fn data() -> (Array2<f32>, Array2<f32>) {
    let x = Array2::from(X.to_vec());
    let y = x.map_axis(ndarray::Axis(1), |row| row.sum());
    (x, y.insert_axis(ndarray::Axis(1)))
}

/// Two numbers of its own.
#[model(input = [3])]
struct Own {
    #[layer(1)]
    dense: Dense,
}

#[model]
impl Own {
    fn call(&self, x: Tensor) -> Tensor {
        self.dense(x)
    }

    fn train_step(&mut self, batch: &Batch<'_>) -> keras::Result<[(&'static str, f32); 2]> {
        self.load(batch, true)?;
        Ok([("zeta", 1.5), ("alpha", 2.0)])
    }
}

/// The names of the loss and the metric, with values of its own.
#[model(input = [3])]
struct Renamed {
    #[layer(1)]
    dense: Dense,
}

#[model]
impl Renamed {
    fn call(&self, x: Tensor) -> Tensor {
        self.dense(x)
    }

    fn train_step(&mut self, batch: &Batch<'_>) -> keras::Result<Logs> {
        self.load(batch, true)?;
        self.forward(true)?;
        self.compute_loss()?;
        self.backward()?;
        self.apply_gradients()?;
        self.update_metrics()?;
        let mut logs = Logs::new();
        logs.insert("loss", 42.0);
        logs.insert("mae", 99.0);
        Ok(logs)
    }
}

/// Keeps what the batches log.
struct Watch<'a>(&'a mut Vec<Logs>);

impl Callback for Watch<'_> {
    fn on_train_batch_end(
        &mut self,
        _: &mut CallbackContext,
        _: usize,
        logs: &Logs,
    ) -> keras::Result<()> {
        self.0.push(logs.clone());
        Ok(())
    }
}

#[test]
fn m8_what_it_returns_reaches_the_callbacks_and_the_history() -> keras::Result<()> {
    let (x, y) = data();
    let mut model = Own::with_seed(1);
    model.compile(Compile::new("sgd", "mse").metric("mae"))?;
    let mut batches = Vec::new();
    let fit = Fit::epochs(1).batch_size(2).verbose(0);
    let fit = fit.validation((&x, &y)).callback(Watch(&mut batches));
    let history = model.fit((&x, &y), fit)?;
    assert_eq!(batches.len(), 2);
    assert_eq!(batches[0].get("zeta"), Some(1.5));
    assert_eq!(batches[0].get("loss"), None);
    let names: Vec<&str> = history.names().collect();
    assert_eq!(names, ["alpha", "zeta", "val_loss", "val_mae"]);
    assert_eq!(history.get("alpha"), Some(&[2.0][..]));
    let logs = model.train_on_batch((&x, &y))?;
    assert_eq!(logs.get("zeta"), Some(1.5));
    Ok(())
}

#[test]
fn m8_an_epoch_logs_the_means_if_the_names_are_those_of_the_metrics() -> keras::Result<()> {
    let (x, y) = data();
    let mut model = Renamed::with_seed(1);
    model.compile(Compile::new("sgd", "mse").metric("mae"))?;
    let mut batches = Vec::new();
    let fit = Fit::epochs(1).verbose(0).callback(Watch(&mut batches));
    let history = model.fit((&x, &y), fit)?;
    assert_eq!(batches[0].get("mae"), Some(99.0));

    let mut plain = sequential![Dense(1)];
    plain.build(&[None, Some(3)])?;
    plain.set_weights(&Renamed::with_seed(1).get_weights())?;
    plain.compile(Compile::new("sgd", "mse").metric("mae"))?;
    let expected = plain.fit((&x, &y), Fit::epochs(1).verbose(0))?;
    let found = history.get("mae").unwrap_or_default();
    let expected = expected.get("mae").unwrap_or_default();
    assert!((found[0] - expected[0]).abs() < 1e-6);
    Ok(())
}

sequential! {
    Net<3>;
    Dense(5, activation = tanh),
    Dense(2, activation = sigmoid),
}

/// A model after a backward pass, with `y` as its targets.
fn stepped(x: &Array2<f32>, y: &Array2<f32>) -> keras::Result<Net> {
    let mut model = Net::with_seed(3);
    model.compile(Compile::new(SGD::new(0.5), "mse"))?;
    model.watch_inputs(true);
    model.load_on_batch((x, y), true)?;
    model.forward(true)?;
    model.compute_loss()?;
    model.backward()?;
    Ok(model)
}

#[test]
fn m8_the_gradients_of_the_inputs_are_those_of_the_loss() -> keras::Result<()> {
    let (x, y) = (data().0, Array2::<f32>::ones((4, 2)));
    let model = stepped(&x, &y)?;
    let found = model.input_gradients()?.remove(0);
    assert_eq!(found.shape(), [4, 3]);
    let loss = |at: [usize; 2], step: f32| -> keras::Result<f32> {
        let mut moved = x.clone();
        moved[at] += step;
        let mut model = Net::with_seed(3);
        model.compile(Compile::new("sgd", "mse"))?;
        let logs = model.test_on_batch((&moved, &y))?;
        Ok(logs.get("loss").unwrap_or(f32::NAN))
    };
    for at in [[0, 0], [1, 2], [3, 1]] {
        let expected = (loss(at, 0.02)? - loss(at, -0.02)?) / 0.04;
        assert!((found[&at[..]] - expected).abs() < 2e-4, "{at:?}");
    }
    Ok(())
}

#[test]
fn m8_the_gradients_of_the_outputs_may_come_from_elsewhere() -> keras::Result<()> {
    let (x, y) = (data().0, Array2::<f32>::ones((4, 2)));
    let model = stepped(&x, &y)?;
    let mut other = Net::with_seed(3);
    other.load_on_batch(&x, true)?;
    other.forward(true)?;
    let outputs = other.outputs()?.remove(0);
    // The mean over 4 samples and 2 outputs of their squared distance from 1.
    other.set_output_gradients(&[(outputs - 1.0) * (2.0 / 8.0)])?;
    other.backward()?;
    for (found, expected) in other.gradients().iter().zip(model.gradients()) {
        assert!(
            found
                .iter()
                .zip(&expected)
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
    }
    Ok(())
}

#[test]
fn m8_gradients_and_weights_are_read_and_written() -> keras::Result<()> {
    let (x, y) = (data().0, Array2::<f32>::ones((4, 2)));
    let mut model = stepped(&x, &y)?;
    let first = model.gradients();
    assert_eq!(model.gradient("dense", "kernel")?, first[0]);
    model.accumulate_gradients()?;
    model.accumulate_gradients()?;
    // The second time the gradients were the sum of one.
    let twice = model.gradients();
    assert!(
        (&twice[1] - &(&first[1] * 2.0))
            .iter()
            .all(|d| d.abs() < 1e-6)
    );
    model.scale_gradients(0.25)?;
    assert_eq!(model.gradients()[2], &twice[2] * 0.25);
    model.zero_gradients()?;
    assert!(model.gradients().iter().flatten().all(|&g| g == 0.0));

    let bias = model.weight("dense_1", "bias")?;
    let ones = ArrayD::<f32>::ones(bias.shape());
    model.set_gradient("dense_1", "bias", &ones)?;
    model.apply_gradients()?;
    assert_eq!(model.weight("dense_1", "bias")?, &bias - 0.5);
    model.set_weight("dense_1", "bias", &ones)?;
    assert_eq!(model.weight("dense_1", "bias")?, ones);
    Ok(())
}

#[test]
fn m8_each_mistake_has_its_sentence() -> keras::Result<()> {
    let (x, y) = (data().0, Array2::<f32>::ones((4, 2)));
    let mut model = stepped(&x, &y)?;
    let told = |result: keras::Result<()>| result.err().map(|error| error.to_string());
    let wide = ArrayD::<f32>::ones(&[9][..]);
    for (result, sentence) in [
        (
            model.weight("dense", "kernal").map(|_| ()),
            "Did you mean `kernel`?",
        ),
        (
            model.set_gradient("dense", "bias", &wide),
            "An array of shape [5] is expected for `bias`. Received: shape [9]",
        ),
        (
            model.set_gradients(&[]),
            "`set_gradients` expects an array for each of the 4 trained weights. Received: 0 arrays",
        ),
        (
            model.set_inputs(std::slice::from_ref(&wide)),
            "An array of shape [4, 3] is expected for `input_layer`. Received: shape [9]",
        ),
    ] {
        let message = told(result).unwrap_or_default();
        assert!(message.contains(sentence), "{message}");
    }
    model.set_trainable("dense", false)?;
    let message = told(model.gradient("dense", "bias").map(|_| ())).unwrap_or_default();
    assert!(message.contains("is not trained"), "{message}");

    let mut unwatched = Net::with_seed(3);
    unwatched.load_on_batch(&x, true)?;
    let message = told(unwatched.input_gradients().map(|_| ())).unwrap_or_default();
    assert!(message.contains("Call `watch_inputs(true)`"), "{message}");
    Ok(())
}
