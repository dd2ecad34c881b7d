//! The gradients that the macros generate equal differences of the loss: values used several times,
//! shared layers, outputs that are read inside, loops, `if training`, parts.

use keras::prelude::*;
use ndarray::{ArrayD, Dimension, IxDyn};

/// Every value but the inputs is used at least twice, and two outputs are read inside.
#[model]
fn tangled(image: Input<2, 3>, meta: Input<4>) -> Tangled {
    let shared = Dense(5, activation = sigmoid);
    let a = shared(Flatten()(image));
    let b = shared(Dense(6)(meta));
    let joined = Concatenate()([a, b]);
    let squared = joined * joined;
    let class = Dense(3, activation = sigmoid)(squared);
    let score = Dense(2)(a + b - a * b);
    let encoder = Model(image, a);
    Model((image, meta), (class, score, b, joined))
}

#[model(input = [3])]
struct Looped {
    #[layer(3, activation = sigmoid)]
    again: Dense,
    #[layer(2)]
    last: Dense,
}

#[model]
impl Looped {
    fn call(&self, inputs: Tensor, training: bool) -> Tensor {
        let mut x = self.again(inputs);
        for _ in 0..3 {
            x = self.again(x) + inputs;
        }
        if training {
            self.last(x)
        } else {
            self.last(x + x)
        }
    }
}

/// Numbers between -1 and 1 that look like chance.
fn numbers(shape: &[usize], start: f32) -> ArrayD<f32> {
    ArrayD::from_shape_fn(IxDyn(shape), |index| {
        let axes = index.as_array_view().to_vec().into_iter().enumerate();
        axes.fold(start, |sum, (axis, at)| {
            sum + at as f32 * (1.3 + axis as f32 * 0.7)
        })
        .sin()
    })
}

/// A step of SGD with a rate of 1 shows the gradients; `step` gives the loss of a batch.
fn check<M: Model>(
    model: &mut M,
    step: impl Fn(&mut M) -> keras::Result<f32>,
) -> keras::Result<()> {
    let weights = model.get_weights();
    let mut loss_at = |weights: &[ArrayD<f32>]| {
        model.set_weights(weights)?;
        model.reset_metrics();
        let loss = step(model)?;
        Ok::<_, keras::Error>((loss, model.get_weights()))
    };
    let (_, stepped) = loss_at(&weights)?;
    let epsilon = 1e-2;
    let mut largest = 0.0f32;
    for (at, (before, after)) in weights.iter().zip(&stepped).enumerate() {
        for (position, gradient) in (before - after).iter().enumerate() {
            let mut difference = |by: f32| {
                let mut moved = weights.clone();
                if let Some(value) = moved[at].iter_mut().nth(position) {
                    *value += by;
                }
                loss_at(&moved).map(|(loss, _)| loss)
            };
            let expected = (difference(epsilon)? - difference(-epsilon)?) / (2.0 * epsilon);
            assert!(
                (gradient - expected).abs() < 1e-4,
                "weight {at}[{position}]: {gradient}, expected {expected}"
            );
            largest = largest.max(gradient.abs());
        }
    }
    assert!(largest > 0.1, "the gradients are {largest} at most");
    Ok(())
}

#[test]
fn of_a_graph_with_shared_layers_and_several_outputs() -> keras::Result<()> {
    let mut model = Tangled::with_seed(1);
    model.compile(Compile::new(SGD::new(1.0), "mse"))?;
    let (image, meta) = (numbers(&[7, 2, 3], 0.1), numbers(&[7, 4], 0.3));
    let class = numbers(&[7, 3], 0.2);
    let score = numbers(&[7, 2], 0.5);
    let b = numbers(&[7, 5], 0.9);
    let joined = numbers(&[7, 10], 0.4);
    check(&mut model, |model| {
        let targets = (&class, &score, &b, &joined);
        let logs = model.train_on_batch(((&image, &meta), targets))?;
        Ok(logs.get("loss").unwrap_or(f32::NAN))
    })
}

#[test]
fn of_a_part() -> keras::Result<()> {
    let mut model = Tangled::with_seed(1);
    let mut encoder = model.encoder();
    encoder.compile(Compile::new(SGD::new(1.0), "mse"))?;
    let (image, a) = (numbers(&[7, 2, 3], 0.1), numbers(&[7, 5], 0.3));
    let mut losses = Vec::new();
    for _ in 0..20 {
        encoder.reset_metrics();
        let logs = encoder.train_on_batch((&image, &a))?;
        losses.push(logs.get("loss").unwrap_or(f32::NAN));
    }
    assert!(losses[19] < 0.8 * losses[0], "{losses:?}");
    Ok(())
}

#[test]
fn of_a_loop_that_calls_one_layer() -> keras::Result<()> {
    let mut model = Looped::with_seed(1);
    model.compile(Compile::new(SGD::new(1.0), "mse"))?;
    let (x, y) = (numbers(&[7, 3], 0.1), numbers(&[7, 2], 0.2));
    check(&mut model, |model| {
        let logs = model.train_on_batch((&x, &y))?;
        Ok(logs.get("loss").unwrap_or(f32::NAN))
    })
}
