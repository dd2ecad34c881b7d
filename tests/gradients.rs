//! The gradients that the macros generate equal differences of the loss: values used several times,
//! shared layers, outputs that are read inside, loops, `if training`, parts.

use keras::prelude::*;
use ndarray::{ArrayD, Dimension, IxDyn};

/// Every value but the inputs is used at least twice, and two outputs are read inside.
#[model(gradcheck)]
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

#[model(input = [3], gradcheck)]
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

/// The gradients of other weights are those of the whole model's last step.
#[test]
fn a_part_trains_its_own_weights_alone() -> keras::Result<()> {
    let mut model = Tangled::with_seed(1);
    model.compile(Compile::new(SGD::new(1.0), "mse"))?;
    let (image, meta) = (numbers(&[7, 2, 3], 0.1), numbers(&[7, 4], 0.2));
    let y = [3, 2, 5, 10].map(|width| numbers(&[7, width], 0.3));
    let [class, score, b, joined] = &y;
    model.train_on_batch(((&image, &meta), (class, score, b, joined)))?;
    let weights = |model: &Tangled| {
        let names = ["dense", "dense_1", "dense_2", "dense_3"];
        names.map(|name| model.weight(name, "kernel"))
    };
    let before = weights(&model);
    let mut encoder = model.encoder();
    encoder.compile(Compile::new(SGD::new(1.0), "mse"))?;
    encoder.train_on_batch((&image, &y[2]))?;
    assert!(encoder.gradient("dense", "kernel").is_ok());
    assert!(encoder.gradient("dense_1", "kernel").is_err());
    let after = weights(&model);
    assert_ne!(before[0], after[0]);
    assert_eq!(before[1..], after[1..]);
    Ok(())
}

#[model]
fn bounded(x: Input<3>) -> Bounded {
    let a = Dense(2)(x);
    let encoder = Model(x, a);
    Model(x, Dense(2, kernel_constraint = max_norm(0.1))(a))
}

#[test]
fn a_part_holds_the_constraints_of_its_own_weights_alone() -> keras::Result<()> {
    let mut model = Bounded::with_seed(1);
    let before = model.weight("dense_1", "kernel")?;
    let (x, a) = (numbers(&[7, 3], 0.1), numbers(&[7, 2], 0.3));
    let mut encoder = model.encoder();
    encoder.compile(Compile::new(SGD::new(1.0), "mse"))?;
    encoder.train_on_batch((&x, &a))?;
    assert_eq!(model.weight("dense_1", "kernel")?, before);
    model.compile(Compile::new(SGD::new(0.0), "mse"))?;
    model.train_on_batch((&x, &a))?;
    assert_ne!(model.weight("dense_1", "kernel")?, before);
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

sequential! {
    /// An image of any size, statistics of the batch, chance, corners, and what is added to the loss.
    #[model(gradcheck)]
    Pixels<_, _, 2>;
    Conv2D(3, 3, activation = relu, kernel_regularizer = l2(0.1)),
    MaxPooling2D(2),
    add_loss(0.5 * mean(abs(x - 0.5))),
    BatchNormalization,
    Dropout(0.3),
    Conv2D(4, 2, use_bias = false, trainable = false),
    GlobalAveragePooling2D,
    Dense(3, activation = softmax, bias_regularizer = l1(0.1)),
    add_loss(sum(square(x))),
}

/// Rounds to quarters as if it did not, and multiplies with what is meant as a constant.
#[layer]
pub struct Steps {
    #[weight(ones)]
    size: Tensor,
}

#[layer]
impl Steps {
    fn call(&self, x: Tensor) -> Tensor {
        let x = self.size * x;
        let stepped = x + stop_gradient(round(4 * x) / 4 - x);
        let mean = stop_gradient(mean(x, axis = -1, keepdims = true));
        if x < 0 {
            mean * stepped
        } else {
            stop_gradient(x) * stepped
        }
    }
}

/// Differences see through `stop_gradient`; the test does not.
#[model(gradcheck)]
fn stopped(x: Input<4>) -> Stopped {
    let steps = Steps();
    let h = steps(Dense(3, activation = tanh)(x));
    let part = Model(x, h);
    Model(x, steps(Dense(3, name = "above")(h)))
}

mod wrong {
    //! A layer whose way back has a mistake.

    use keras::device::{Cpu64, Device};
    use keras::layers::{Backward, Forward, Layer, Weights};
    use keras::prelude::*;
    use keras::shape::{Shape, ShapeError};
    use keras::testing::{check_model, model_gradients};

    use super::Steps;

    /// `y = 2 x`, differentiated as if it were `y = x`.
    #[derive(Clone, Copy)]
    pub struct Twice;

    impl Twice {
        pub const fn new() -> Self {
            Self
        }

        #[allow(clippy::result_large_err)]
        pub const fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
            Ok(inputs[0])
        }

        pub const fn weights(&self, _inputs: &[Shape]) -> Weights {
            Weights::NONE
        }
    }

    impl Layer for Twice {
        fn forward<D: Device>(&self, mut cx: Forward<'_, D>) {
            let x = cx.inputs[0].data;
            cx.device.copy(x, D::reborrow(&mut cx.output));
            cx.device.add(x, cx.output);
        }

        fn backward<D: Device>(&self, mut cx: Backward<'_, D>) {
            if let Some(d_x) = cx.d_input(0) {
                cx.device.copy(D::read(&cx.d_output), d_x);
            }
        }
    }

    sequential! {
        InTheMiddle<4>;
        Dense(3, name = "below"),
        Twice,
        Dense(2, name = "above"),
    }

    sequential! {
        BehindAStop<4>;
        Dense(3, name = "below"),
        Steps,
        Twice,
    }

    #[model]
    fn at_the_end(x: Input<4>) -> AtTheEnd {
        let inner = Dense(3, activation = tanh)(x);
        Model(x, Twice()(Dense(3, name = "last")(inner)))
    }

    /// What is above the mistake is right, what is below is not.
    #[test]
    fn a_wrong_gradient_is_found_where_it_shows_first() {
        let mut model = InTheMiddle::on_with_seed(Cpu64, 3);
        let error = model_gradients(&mut model).unwrap_err().to_string();
        let expected =
            "Model 'in_the_middle': the gradient of `below/kernel` is wrong, number 0. Expected: ";
        assert!(error.starts_with(expected), "{error}");
        let numbers: Vec<f64> = error
            .split(|c: char| !(c.is_ascii_digit() || "-.e".contains(c)))
            .filter_map(|word| word.parse().ok())
            .collect();
        let [.., expected, found] = numbers[..] else {
            panic!("{error}")
        };
        assert!((expected - 2.0 * found).abs() < 1e-5, "{error}");
    }

    /// What a stop holds is not all that there is.
    #[test]
    fn a_stop_hides_no_wrong_gradient() {
        let mut model = BehindAStop::on_with_seed(Cpu64, 3);
        let error = model_gradients(&mut model).unwrap_err().to_string();
        let expected = "Model 'behind_a_stop': the gradient of `below/kernel` is wrong, number 0.";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    #[should_panic(expected = "the gradient of `dense/kernel` is wrong")]
    fn a_check_panics() {
        check_model(&mut AtTheEnd::on_with_seed(Cpu64, 3));
    }

    sequential! {
        Shapeless;
        Dense(3),
    }

    #[test]
    fn data_is_made_of_declared_shapes() {
        let error = model_gradients(&mut Shapeless::on_with_seed(Cpu64, 3)).unwrap_err();
        let expected = "Model 'shapeless' does not declare the shape of its input 'input_layer', of which data is to be made.";
        assert_eq!(error.to_string(), expected);
    }
}
