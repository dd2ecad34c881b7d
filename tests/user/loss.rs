//! `#[loss]`: the built-in losses written as expressions are the built-in losses, and every function
//! of the language has the gradient of differences.

use keras::device::{Cpu, Cpu64, Device, Float, Host};
use keras::losses::{Loss, LossInput, Reduction};
use keras::prelude::*;
use keras::shape::Shape;
use ndarray::{Array1, Array2};

const EPSILON: f32 = 1e-7;

#[loss]
fn squares(y_true: Tensor, y_pred: Tensor) -> Tensor {
    mean(square(y_pred - y_true), axis = -1)
}

#[loss]
fn sizes(y_true: Tensor, y_pred: Tensor) -> Tensor {
    mean((y_pred - y_true).abs(), axis = -1)
}

#[loss]
fn yes_or_no(y_true: Tensor, y_pred: Tensor) -> Tensor {
    let p = clip(y_pred, EPSILON, 1.0 - EPSILON);
    mean(-(y_true * log(p) + (1 - y_true) * log(1 - p)), axis = -1)
}

#[loss]
fn yes_or_no_logits(y_true: Tensor, z: Tensor) -> Tensor {
    mean(softplus(z) - y_true * z, axis = -1)
}

#[loss]
fn class_logits(y_true: Tensor, z: Tensor) -> Tensor {
    -sum(y_true * log_softmax(z, axis = -1), axis = -1)
}

#[loss]
fn class_number_logits(label: Tensor, z: Tensor) -> Tensor {
    logsumexp(z, axis = -1) - sum(one_hot(label) * z, axis = -1)
}

#[loss]
fn class_numbers(label: Tensor, p: Tensor) -> Tensor {
    let shares = p / sum(p, axis = -1, keepdims = true);
    -log(sum(one_hot(label) * shares, axis = -1).clip(EPSILON, 1.0 - EPSILON))
}

/// Squares of small errors, sizes of large ones.
#[loss]
fn my_huber(
    y_true: Tensor,
    y_pred: Tensor,
    /// Where small ends.
    #[default(1.0)]
    delta: f32,
) -> Tensor {
    let error = abs(y_pred - y_true);
    let small = 0.5 * square(error);
    let large = delta * error - 0.5 * square(delta);
    mean(if error <= delta { small } else { large }, axis = -1)
}

#[loss]
fn by_element(
    y_true: Tensor,
    y_pred: Tensor,
    power: f32,
    #[default(false)] signed: bool,
) -> Tensor {
    let difference = y_pred - y_true;
    let size = pow(abs(difference), power);
    if signed {
        size * stop_gradient(sign(difference))
    } else {
        size
    }
}

/// All functions of one number, where each is smooth.
#[loss]
fn functions(y_true: Tensor, y_pred: Tensor) -> Tensor {
    let x = y_pred + 0.1 * y_true;
    let a = exp(x) + expm1(x) * log(x) - log1p(x) / sqrt(x) + rsqrt(x) + reciprocal(x);
    let b = sin(x) * cos(x) + tanh(x) - sigmoid(x) + log_sigmoid(x) + softplus(x) + softsign(x);
    let c = relu(x - 0.5) + leaky_relu(x - 0.5) + elu(0.5 - x) + silu(x) - negative(x);
    let d = pow(x, 3) - x.pow(2) + power(x, 0.5) + squared_difference(x, y_true) + pow(2.0, x);
    let e = maximum(x, y_true) + minimum(x, 0.4) - clip(x, 0.3, 0.7);
    let f = where_((x > 0.3) & !(x >= 0.6) | (x < 0.1), x * x, 1 / x);
    mean(a + b * c + d * e - f, axis = -1)
}

/// Everything that sees a row as a whole.
#[loss]
fn rows(y_true: Tensor, y_pred: Tensor, #[default(0.5)] scale: f32) -> Tensor {
    let centered = y_pred - mean(y_pred, axis = -1, keepdims = true);
    let normal = centered / sqrt(var(y_pred, axis = -1, keepdims = true) + scale);
    let probabilities = softmax(normal);
    let entropy = -sum(probabilities * log(probabilities), axis = -1);
    let range = max(y_pred, axis = -1) - y_pred.min(axis = -1);
    entropy
        + sqrt(range + 1) * logsumexp(y_true * y_pred, axis = -1)
        + var(normal * y_true, axis = -1)
}

/// What a loss is computed from.
struct Case {
    y_true: Vec<f64>,
    y_pred: Vec<f64>,
    weights: Option<Vec<f64>>,
    widths: [usize; 2],
}

impl Case {
    /// The loss of the batch; the gradient of twice the loss.
    fn run<D: Device + Host>(&self, loss: &dyn Loss<D>) -> (f64, Vec<f64>) {
        let numbers =
            |values: &[f64]| -> Vec<_> { values.iter().map(|v| Float::from_f64(*v)).collect() };
        let (y_true, y_pred) = (numbers(&self.y_true), numbers(&self.y_pred));
        let weights = self.weights.as_deref().map(numbers);
        let batch = y_pred.len() / self.widths[1];
        let mut gradient = numbers(&vec![f64::NAN; y_pred.len()]);
        let mut sums = numbers(&[0.0]);
        loss.compute(LossInput {
            device: &D::default(),
            batch,
            y_true: &y_true,
            y_true_shape: Shape::new(&self.widths[..1]),
            y_pred: &y_pred,
            y_pred_shape: Shape::new(&self.widths[1..]),
            logits: None,
            sample_weight: weights.as_deref(),
            weights_per_sample: 1,
            gradient: Some(&mut gradient),
            weight: 2.0,
            values: None,
            sums: &mut sums,
        });
        let gradient = gradient.iter().map(|number| number.to_f64()).collect();
        (sums[0].to_f64() / batch as f64, gradient)
    }
}

/// A number in 0.05..0.95 for each place, always the same ones.
fn numbers(len: usize, seed: usize) -> Vec<f64> {
    let number = |at: usize| ((at * 7919 + seed * 104_729) % 997) as f64 / 997.0;
    (0..len).map(|at| 0.05 + 0.9 * number(at + 1)).collect()
}

/// What stands beside a row of predictions.
#[derive(Clone, Copy)]
enum Beside {
    Row,
    One,
    Class,
}

/// Batches of four rows of several widths, with and without weights.
fn cases(beside: Beside) -> impl Iterator<Item = Case> {
    let widths = [1, 2, 3, 10, 17, 40].into_iter().enumerate();
    widths.flat_map(move |(seed, width)| {
        [None, Some(numbers(4, 9))].map(|weights| {
            let y_true = match beside {
                Beside::Row => numbers(4 * width, seed + 50),
                Beside::One => numbers(4, seed + 50),
                Beside::Class => (0..4).map(|row| (row * 5 % width) as f64).collect(),
            };
            Case {
                widths: [y_true.len() / 4, width],
                y_true,
                y_pred: numbers(4 * width, seed),
                weights,
            }
        })
    })
}

const REDUCTIONS: [Reduction; 3] = [
    Reduction::SumOverBatchSize,
    Reduction::Sum,
    Reduction::MeanWithSampleWeight,
];

/// Two losses have the same values and gradients.
fn assert_same<D: Device + Host>(
    written: &dyn Loss<D>,
    built_in: &dyn Loss<D>,
    beside: Beside,
    tolerance: f64,
) {
    for case in cases(beside) {
        let (value, gradient) = case.run(written);
        let (expected, expected_gradient) = case.run(built_in);
        let near = |a: f64, b: f64| (a - b).abs() <= tolerance * (1.0 + b.abs());
        let name = built_in.name();
        assert!(
            near(value, expected),
            "{name}: {value}, expected {expected}"
        );
        for (found, expected) in gradient.iter().zip(&expected_gradient) {
            assert!(
                near(*found, *expected),
                "{name}: {found}, expected {expected}"
            );
        }
    }
}

macro_rules! same {
    ($beside:expr, $written:expr, $built_in:expr) => {
        for reduction in REDUCTIONS {
            let (written, built_in) = (
                $written.reduction(reduction),
                $built_in.reduction(reduction),
            );
            assert_same::<Cpu64>(&written, &built_in, $beside, 1e-12);
            assert_same::<Cpu>(&written, &built_in, $beside, 2e-6);
        }
    };
}

#[test]
fn the_built_in_losses_written_as_expressions_are_these() {
    for beside in [Beside::Row, Beside::One] {
        same!(beside, Squares::new(), MeanSquaredError::new());
        same!(beside, Sizes::new(), MeanAbsoluteError::new());
    }
    let logits = || BinaryCrossentropy::new().from_logits(true);
    same!(Beside::Row, YesOrNo::new(), BinaryCrossentropy::new());
    same!(Beside::Row, YesOrNoLogits::new(), logits());
    let logits = || CategoricalCrossentropy::new().from_logits(true);
    same!(Beside::Row, ClassLogits::new(), logits());
    let logits = || SparseCategoricalCrossentropy::new().from_logits(true);
    same!(Beside::Class, ClassNumberLogits::new(), logits());
    same!(
        Beside::Class,
        ClassNumbers::new(),
        SparseCategoricalCrossentropy::new()
    );
}

/// Holds a gradient against central differences.
#[track_caller]
fn check(loss: &dyn Loss<Cpu64>, beside: Beside) {
    const STEP: f64 = 1e-5;
    for mut case in cases(beside) {
        let (_, gradient) = case.run(loss);
        for (at, gradient) in gradient.into_iter().enumerate() {
            let input = case.y_pred[at];
            let mut value = |input: f64| {
                case.y_pred[at] = input;
                case.run(loss).0
            };
            let difference = 2.0 * (value(input + STEP) - value(input - STEP)) / (2.0 * STEP);
            value(input);
            assert!(
                (difference - gradient).abs() <= 1e-6 + 1e-4 * difference.abs(),
                "{}: d/d{at} is {gradient}, the difference says {difference}",
                loss.name()
            );
        }
    }
}

#[test]
fn gradients_are_those_of_differences() {
    for reduction in REDUCTIONS {
        for beside in [Beside::Row, Beside::One] {
            check(&Functions::new().reduction(reduction), beside);
            check(&Rows::new().scale(0.3).reduction(reduction), beside);
            check(&MyHuber::new().delta(0.2).reduction(reduction), beside);
            check(&ByElement::new(3.0).reduction(reduction), beside);
            check(
                &ByElement::new(1.5).signed(true).reduction(reduction),
                beside,
            );
        }
    }
}

#[test]
fn equal_ones_share_a_gradient() {
    #[loss]
    fn largest(y_true: Tensor, y_pred: Tensor) -> Tensor {
        max(y_pred, axis = -1) + 0 * mean(y_true, axis = -1)
    }
    #[loss]
    fn larger(y_true: Tensor, y_pred: Tensor) -> Tensor {
        mean(maximum(y_pred, y_true), axis = -1)
    }
    let case = Case {
        y_true: vec![2.0, 0.0],
        y_pred: vec![2.0, 2.0],
        weights: None,
        widths: [2, 2],
    };
    assert_eq!(case.run::<Cpu64>(&Largest::new()), (2.0, vec![1.0, 1.0]));
    assert_eq!(case.run::<Cpu64>(&Larger::new()), (2.0, vec![0.5, 1.0]));
}

#[test]
fn elements_without_a_mean_are_rows_of_their_own() {
    let case = Case {
        y_true: vec![0.0; 4],
        y_pred: vec![1.0, 2.0, 3.0, 4.0],
        weights: Some(vec![1.0, 0.5]),
        widths: [2, 2],
    };
    let loss = ByElement::new(1.0);
    assert_eq!(
        case.run::<Cpu64>(&loss),
        (6.5 / 4.0, vec![0.5, 0.5, 0.25, 0.25])
    );
    let sum = loss.reduction(Reduction::Sum);
    assert_eq!(case.run::<Cpu64>(&sum), (6.5, vec![2.0, 2.0, 1.0, 1.0]));
}

sequential! {
    Line<3>;
    Dense(2),
}

#[test]
fn a_model_is_trained_with_it() -> keras::Result<()> {
    let x = Array2::from_shape_fn((16, 3), |(i, j)| ((i * 3 + j) as f32).sin());
    let y = Array2::from_shape_fn((16, 2), |(i, j)| ((i * 2 + j) as f32).cos());
    let losses = |loss: Compile<AutoDevice>| {
        let mut model = Line::with_seed(7);
        model.compile(loss.metric("mae"))?;
        let history = model.fit(
            (&x, &y),
            Fit::epochs(4).batch_size(5).verbose(0).shuffle(false),
        )?;
        Ok::<_, keras::Error>(history.get("loss").map(<[f32]>::to_vec))
    };
    let written = losses(Compile::new(SGD::new(0.1), Squares::new()))?;
    let built_in = losses(Compile::new(SGD::new(0.1), "mse"))?;
    assert_eq!(written, built_in);
    let names = Losses::by_output([("dense", MyHuber::new().delta(0.5).name("huber"))]);
    losses(Compile::new("adam", names))?;
    Ok(())
}

#[test]
fn classes_have_their_shapes_checked() {
    let mut model = sequential![Dense(3)];
    let x = Array2::<f32>::zeros((4, 2));
    let labels = Array1::from_vec(vec![0u8, 1, 2, 0]);
    let compiled = |model: &mut dyn FnMut(Compile<AutoDevice>) -> keras::Result<()>| {
        model(Compile::new("sgd", ClassNumberLogits::new()))
    };
    compiled(&mut |compile| model.compile(compile)).unwrap();
    model.train_on_batch((&x, &labels)).unwrap();
    let wide = Array2::<f32>::zeros((4, 3));
    let error = model.train_on_batch((&x, &wide)).unwrap_err().to_string();
    assert!(error.contains("up until the last dimension"), "{error}");
}

#[test]
fn a_loss_is_a_metric_under_its_name() -> keras::Result<()> {
    let x = Array2::from_shape_fn((7, 3), |(i, j)| ((i * 3 + j) as f32).sin());
    let y = Array2::from_shape_fn((7, 2), |(i, j)| ((i * 2 + j) as f32).cos());
    let mut model = sequential![Dense(2)];
    let compile = Compile::new(SGD::new(0.0), MyHuber::new().delta(0.5));
    model.compile(
        compile
            .metric(MyHuber::new().delta(0.5))
            .metric(Squares::new().name("squares_too")),
    )?;
    let logs = model.train_on_batch((&x, &y))?;
    let near = |a: Option<f32>, b: Option<f32>| {
        let is_near = a.zip(b).is_some_and(|(a, b)| (a - b).abs() < 1e-6);
        assert!(is_near, "{a:?}, {b:?}");
    };
    near(logs.get("my_huber"), logs.get("loss"));
    let error = model.predict(&x, Predict::batch_size(7))? - &y;
    near(logs.get("squares_too"), error.mapv(|e| e * e).mean());
    Ok(())
}
