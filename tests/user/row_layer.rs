//! `#[layer]`: layers whose output is an expression, in all three forms of model.

use keras::prelude::*;
use keras::shape::Shape;
use keras::testing;
use ndarray::{Array2, ArrayD, IxDyn};

const EPSILON: f32 = 1e-6;

/// `x` where it is positive, `alpha x` elsewhere.
#[layer]
pub struct LearnedSlope {
    #[weight(0.25)]
    alpha: Tensor,
}

#[layer]
impl LearnedSlope {
    fn call(&self, x: Tensor) -> Tensor {
        maximum(x, 0) + self.alpha * minimum(x, 0)
    }
}

/// `x sigmoid(beta x)`, with one beta or one for each channel.
#[layer]
pub struct Swish {
    #[weight(ones)]
    beta: f32,
}

#[layer]
impl Swish {
    fn call(&self, x: Tensor) -> Tensor {
        x * sigmoid(self.beta * x)
    }
}

/// Normalises each row by its root mean square.
#[layer]
pub struct RootMeanSquareNorm {
    /// Keeps the root away from 0.
    #[default(EPSILON)]
    epsilon: f32,
    #[weight(ones)]
    scale: Tensor,
    #[weight(zeros)]
    offset: Tensor,
}

#[layer]
impl RootMeanSquareNorm {
    fn call(&self, x: Tensor) -> Tensor {
        let size = sqrt(mean(square(x), axis = -1, keepdims = true) + self.epsilon);
        self.scale * (x / size) + self.offset
    }
}

/// Without weights, and with what is required.
#[layer]
pub struct SoftClip {
    limit: f32,
    #[default(false)]
    centered: bool,
}

#[layer]
impl SoftClip {
    fn call(&self, x: Tensor) -> Tensor {
        let x = if self.centered {
            x - mean(x, axis = -1, keepdims = true)
        } else {
            x
        };
        self.limit * tanh(x / self.limit)
    }
}

/// Attention of each element to its row, sharpened by a trained temperature.
#[layer]
pub struct SharpSoftmax {
    #[weight(ones)]
    temperature: f32,
    #[weight(ones)]
    gain: Tensor,
}

#[layer]
impl SharpSoftmax {
    fn call(&self, x: Tensor) -> Tensor {
        let gains = exp(self.gain - mean(self.gain, axis = -1, keepdims = true));
        softmax(x * exp(self.temperature), axis = -1) * gains
    }
}

/// The sign of `x`, differentiated as `tanh(x)`.
#[layer]
pub struct SmoothSign {
    #[weight(ones)]
    scale: Tensor,
}

#[layer]
impl SmoothSign {
    fn call(&self, x: Tensor) -> Tensor {
        let smooth = tanh(self.scale * x);
        smooth + stop_gradient(sign(x) - smooth)
    }
}

#[test]
fn gradients_are_those_of_differences() -> keras::Result<()> {
    for shape in [&[5][..], &[3, 4], &[1]] {
        let shape = [Shape::new(shape)];
        testing::layer!(LearnedSlope::new(), shape)?.check_gradients(3);
        testing::layer!(Swish::new(), shape)?.check_gradients(3);
        testing::layer!(RootMeanSquareNorm::new().epsilon(0.1), shape)?.check_gradients(3);
        testing::layer!(SoftClip::new(0.7), shape)?.check_gradients(3);
        testing::layer!(SoftClip::new(2.0).centered(true), shape)?.check_gradients(3);
        testing::layer!(SharpSoftmax::new(), shape)?.check_gradients(3);
        testing::layer!(SmoothSign::new(), shape)?.check_gradients(3);
    }
    testing::layer!(SoftClip::new(0.7), [Shape::SCALAR])?.check_gradients(3);
    Ok(())
}

#[test]
fn values_are_those_of_the_formula() -> keras::Result<()> {
    let shape = [Shape::new(&[2])];
    let slope = testing::layer!(LearnedSlope::new(), shape)?;
    let run = slope.forward::<Cpu>(&[vec![2.0, -2.0, -4.0, 1.0]], &[vec![0.5, 0.25]])?;
    assert_eq!(run.output, [2.0, -0.5, -2.0, 1.0]);
    let norm = testing::layer!(RootMeanSquareNorm::new(), shape)?;
    let run = norm.forward::<Cpu>(&[vec![3.0, 4.0]], &[vec![1.0, 2.0], vec![0.5, 0.0]])?;
    let size = 12.5f32.sqrt();
    for (found, expected) in run.output.iter().zip([3.0 / size + 0.5, 8.0 / size]) {
        assert!(
            (found - expected).abs() < 1e-6,
            "{found}, expected {expected}"
        );
    }
    Ok(())
}

sequential! {
    InOrder<6>;
    Dense(5),
    RootMeanSquareNorm(epsilon = 1e-5),
    LearnedSlope,
    SoftClip(3.0, centered = true),
    Dense(3),
    Swish(beta_initializer = zeros),
}

#[model]
fn functional(x: Input<6>) -> Functional {
    let h = RootMeanSquareNorm(epsilon = 1e-5)(Dense(5)(x));
    let h = SoftClip(3.0, centered = true)(LearnedSlope()(h));
    let y = Swish(beta_initializer = zeros)(Dense(3)(h));
    Model(x, y)
}

#[model(input = [6])]
struct Subclassed {
    #[layer(5)]
    first: Dense,
    #[layer(epsilon = 1e-5)]
    norm: RootMeanSquareNorm,
    #[layer]
    slope: LearnedSlope,
    #[layer(3.0, centered = true)]
    clip: SoftClip,
    #[layer(3)]
    second: Dense,
    #[layer(beta_initializer = zeros)]
    swish: Swish,
}

#[model]
impl Subclassed {
    fn call(&self, x: Tensor) -> Tensor {
        let h = self.slope(self.norm(self.first(x)));
        self.swish(self.second(self.clip(h)))
    }
}

fn losses<M: Model>(mut model: M, weights: &[ArrayD<f32>]) -> keras::Result<Vec<f32>> {
    let x = Array2::from_shape_fn((8, 6), |(i, j)| ((i * 6 + j) as f32).sin());
    let y = Array2::from_shape_fn((8, 3), |(i, j)| ((i * 3 + j) as f32).cos());
    model.set_weights(weights)?;
    model.compile(Compile::new(SGD::new(0.2), "mse"))?;
    let step = |_| {
        Ok(model
            .train_on_batch((&x, &y))?
            .get("loss")
            .unwrap_or(f32::NAN))
    };
    (0..60).map(step).collect()
}

#[test]
fn the_three_forms_train_alike() -> keras::Result<()> {
    let model = InOrder::with_seed(3);
    let weights = model.get_weights();
    let shapes: Vec<&[usize]> = weights.iter().map(|weight| weight.shape()).collect();
    let expected: [&[usize]; 8] = [&[6, 5], &[5], &[5], &[5], &[5], &[5, 3], &[3], &[]];
    assert_eq!(shapes, expected);
    assert_eq!(
        weights[4],
        ArrayD::from_elem(IxDyn(&[5]), 0.25),
        "as the struct says"
    );
    assert_eq!(
        weights[7],
        ArrayD::from_elem(IxDyn(&[]), 0.0),
        "as the model says"
    );
    let expected = losses(model, &weights)?;
    assert!(expected[59] < 0.9 * expected[0], "{expected:?}");
    assert_eq!(losses(Functional::with_seed(4), &weights)?, expected);
    assert_eq!(losses(Subclassed::with_seed(5), &weights)?, expected);
    Ok(())
}
