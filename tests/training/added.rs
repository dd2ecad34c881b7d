//! `add_loss` and `add_metric`: numbers of the model in its loss and its logs.

use keras::prelude::*;
use ndarray::{Array2, ArrayD};

const RATE: f32 = 0.25;

/// Every kind of term, on values that are read by others, by nothing else, and on an output.
#[model]
fn functional(x: Input<4>) -> Functional {
    let h = Dense(5, activation = tanh)(x);
    let aside = Dense(2)(h);
    let y = Dense(3)(h);
    add_loss(RATE * mean(square(h)) + 0.01 * sum(abs(y - 0.5)));
    add_loss(sqrt(max(exp(2 * aside)) + 1));
    add_metric(min(h * h) - 1, name = "least");
    Model(x, y)
}

#[model(input = [4])]
struct Subclassed {
    #[layer(5, activation = tanh)]
    dense: Dense,
    #[layer(2)]
    aside: Dense,
    #[layer(3)]
    out: Dense,
}

#[model]
impl Subclassed {
    fn call(&self, x: Tensor, training: bool) -> Tensor {
        let h = self.dense(x);
        let y = self.out(h);
        self.add_loss(RATE * mean(square(h)) + 0.01 * sum(abs(y - 0.5)));
        self.add_loss(sqrt(max(exp(2 * self.aside(h))) + 1));
        if training {
            self.add_metric(min(h * h) - 1, name = "least");
        }
        y
    }
}

#[model]
fn plain(x: Input<4>) -> Plain {
    let h = Dense(5, activation = tanh)(x);
    let aside = Dense(2)(h);
    let y = Dense(3)(h);
    Model(x, [h, aside, y])
}

fn data() -> (Array2<f32>, Array2<f32>) {
    let x = Array2::from_shape_fn((6, 4), |(i, j)| ((i * 4 + j) as f32).sin());
    let y = Array2::from_shape_fn((6, 3), |(i, j)| ((i * 3 + j) as f32).cos());
    (x, y)
}

/// The weights of the layer `dense`, then those beside the output, then those of the output.
fn weights() -> Vec<ArrayD<f32>> {
    Plain::with_seed(7).get_weights()
}

/// Those weights in the order of a model's layers.
fn set(model: &mut impl Model) -> keras::Result<()> {
    let weights = weights();
    let is_kernel = |weight: &&ArrayD<f32>, width| weight.shape() == [5, width];
    let mut ordered = weights.clone();
    let second = model.get_weights().remove(2);
    if weights
        .iter()
        .position(|w| is_kernel(&w, second.shape()[1]))
        == Some(4)
    {
        ordered.swap(2, 4);
        ordered.swap(3, 5);
    }
    model.set_weights(&ordered)
}

/// The loss and the added metric of the models above, on the host.
fn expected(x: &Array2<f32>, y: &Array2<f32>) -> keras::Result<(f32, f32)> {
    let mut model = Plain::with_seed(7);
    let values = model.predict_all(x, Predict::batch_size(8).verbose(0))?;
    let [h, aside, out] = &values[..] else {
        return Ok((f32::NAN, f32::NAN));
    };
    let mse = (out - y)
        .mapv(|error| error * error)
        .mean()
        .unwrap_or(f32::NAN);
    let first = RATE * h.mapv(|h| h * h).mean().unwrap_or(f32::NAN);
    let second = 0.01 * out.mapv(|y| (y - 0.5).abs()).sum();
    let largest = aside.iter().copied().fold(f32::MIN, f32::max);
    let third = ((2.0 * largest).exp() + 1.0).sqrt();
    let least = h.iter().map(|h| h * h).fold(f32::MAX, f32::min) - 1.0;
    Ok((mse + first + second + third, least))
}

fn check<M: Model>(mut model: M, metric_in_inference: bool) -> keras::Result<()> {
    let (x, y) = data();
    set(&mut model)?;
    model.compile(Compile::new(SGD::new(0.05), "mse"))?;
    let (loss, least) = expected(&x, &y)?;
    let near = |found: Option<f32>, expected: f32| {
        let found = found.unwrap_or(f32::NAN);
        assert!(
            (found - expected).abs() < 1e-5,
            "{found}, expected {expected}"
        );
    };
    let logs = model.test_on_batch((&x, &y))?;
    near(logs.get("loss"), loss);
    near(
        logs.get("least"),
        if metric_in_inference { least } else { 0.0 },
    );

    // The gradients are those of the sum of all losses.
    model.load_on_batch((&x, &y), true)?;
    model.forward(true)?;
    model.compute_loss()?;
    model.backward()?;
    let (gradients, before) = (model.gradients(), model.get_weights());
    let mut loss_at = |weight: usize, at: usize, step: f32| -> keras::Result<f32> {
        let mut moved = before.clone();
        if let Some(value) = moved[weight].iter_mut().nth(at) {
            *value += step;
        }
        model.set_weights(&moved)?;
        model.reset_metrics();
        let logs = model.test_on_batch((&x, &y))?;
        Ok(logs.get("loss").unwrap_or(f32::NAN))
    };
    for (weight, gradient) in gradients.iter().enumerate() {
        for (at, &found) in gradient.iter().enumerate() {
            let step = 4e-3;
            let expected =
                (loss_at(weight, at, step)? - loss_at(weight, at, -step)?) / (2.0 * step);
            assert!(
                (found - expected).abs() < 2e-3,
                "{weight}[{at}]: {found}, {expected}"
            );
        }
    }
    model.set_weights(&before)?;
    model.reset_metrics();
    let logs = model.train_on_batch((&x, &y))?;
    near(logs.get("loss"), loss);
    near(logs.get("least"), least);
    for _ in 0..30 {
        model.train_on_batch((&x, &y))?;
    }
    model.reset_metrics();
    let after = model.test_on_batch((&x, &y))?.get("loss");
    assert!(
        after.unwrap_or(f32::NAN) < 0.8 * loss,
        "{after:?} after {loss}"
    );
    Ok(())
}

#[test]
fn a_functional_model_adds_to_its_loss() -> keras::Result<()> {
    check(Functional::with_seed(1), true)
}

#[test]
fn a_subclassed_model_adds_to_its_loss() -> keras::Result<()> {
    check(Subclassed::with_seed(1), false)
}

/// Nothing of a metric's flows back, and softmax is still computed with its cross-entropy.
#[model]
fn watched(x: Input<4>) -> Watched {
    let y = Dense(3, activation = softmax)(x);
    add_metric(max(y), name = "peak");
    Model(x, y)
}

#[test]
fn a_metric_changes_no_gradient() -> keras::Result<()> {
    let (x, _) = data();
    let y = Array2::from_shape_fn((6, 3), |(i, j)| f32::from(u8::from(i % 3 == j)));
    let mut plain = sequential![Dense(3, activation = softmax)];
    plain.build(&[None, Some(4)])?;
    let mut model = Watched::with_seed(2);
    // Far from where a probability has digits left.
    let weights: Vec<_> = model.get_weights().iter().map(|w| w * 200.0).collect();
    model.set_weights(&weights)?;
    plain.set_weights(&weights)?;
    model.compile(Compile::new(SGD::new(0.5), "categorical_crossentropy"))?;
    plain.compile(Compile::new(SGD::new(0.5), "categorical_crossentropy"))?;
    for _ in 0..3 {
        model.train_on_batch((&x, &y))?;
        plain.train_on_batch((&x, &y))?;
    }
    assert_eq!(model.get_weights(), plain.get_weights());
    Ok(())
}

sequential! {
    /// The same additions between the layers of a list, where `x` is what the layers before give.
    Listed<4>;
    add_metric(mean(x), name = "input"),
    Dense(5, activation = tanh),
    add_loss(RATE * mean(square(x))),
    Dense(3),
    add_loss(0.01 * sum(abs(x - 0.5))),
    add_metric(max(x), name = "peak"),
}

#[model]
fn written_out(x: Input<4>) -> WrittenOut {
    let h = Dense(5, activation = tanh)(x);
    let y = Dense(3)(h);
    add_metric(mean(x), name = "input");
    add_loss(RATE * mean(square(h)));
    add_loss(0.01 * sum(abs(y - 0.5)));
    add_metric(max(y), name = "peak");
    Model(x, y)
}

#[test]
fn a_list_adds_what_a_function_adds() -> keras::Result<()> {
    let (x, y) = data();
    let (mut listed, mut written) = (Listed::with_seed(3), WrittenOut::with_seed(4));
    written.set_weights(&listed.get_weights())?;
    listed.compile(Compile::new(SGD::new(0.1), "mse"))?;
    written.compile(Compile::new(SGD::new(0.1), "mse"))?;
    for _ in 0..3 {
        let (logs, expected) = (
            listed.train_on_batch((&x, &y))?,
            written.train_on_batch((&x, &y))?,
        );
        assert_eq!(logs, expected);
        let names: Vec<&str> = logs.names().collect();
        assert_eq!(names, ["input", "loss", "peak"]);
    }
    assert_eq!(listed.get_weights(), written.get_weights());
    Ok(())
}

/// Two passes over one loaded batch.
#[test]
fn what_is_added_belongs_to_one_pass() -> keras::Result<()> {
    let (x, y) = data();
    let mut model = Listed::with_seed(3);
    model.compile(Compile::new(SGD::new(0.1), "mse"))?;
    let expected = model.test_on_batch((&x, &y))?;
    model.load_on_batch((&x, &y), false)?;
    model.reset_metrics();
    for _ in 0..2 {
        model.forward(false)?;
    }
    model.compute_loss()?;
    model.update_metrics()?;
    assert_eq!(model.batch_logs(), expected);
    Ok(())
}

/// An input that is read late, after others have been overwritten.
#[model]
fn read_late(x: Input<4>, late: Input<3>) -> ReadLate {
    let h = Dense(3)(Dense(5)(Dense(5)(x)));
    Model((x, late), h * late)
}

#[test]
fn a_loaded_batch_serves_several_passes() -> keras::Result<()> {
    let (x, late) = data();
    let mut model = ReadLate::with_seed(3);
    model.compile(Compile::new(SGD::new(0.1), "mse"))?;
    for training in [false, true] {
        model.load_on_batch(((&x, &late), &late), training)?;
        model.forward(training)?;
        let first = model.outputs()?;
        if training {
            model.compute_loss()?;
            model.backward()?;
        }
        model.forward(training)?;
        assert_eq!(model.outputs()?, first, "training = {training}");
    }
    Ok(())
}

/// Keras' files have no place for what a model adds: that is said once.
#[test]
fn saving_says_what_the_file_does_not_have() -> keras::Result<()> {
    let path = std::env::temp_dir().join(format!("keras-added-{}.keras", std::process::id()));
    let (saved, said) = keras::testing::listen(|| {
        let mut model = Functional::with_seed(1);
        model.build(&[None, Some(4)])?;
        model.save(&path)?;
        model.save(&path)
    });
    let _ = std::fs::remove_file(&path);
    saved?;
    let [keras::testing::Said::Warned(warning)] = &said[..] else {
        panic!("expected one warning. Received: {said:?}");
    };
    assert!(warning.contains("`add_loss` and `add_metric`"), "{warning}");
    Ok(())
}
