//! Gradients against finite differences in `f64`, and numbers at the edge of what `f32` holds.

use super::*;
use crate::device::{Cpu, Cpu64, Float, Host};

/// What a loss is computed from, on a host device.
struct Case<F> {
    y_true: Vec<F>,
    y_pred: Vec<F>,
    logits: Option<Vec<F>>,
    weights: Option<Vec<F>>,
    /// The widths of a row of targets and of predictions.
    widths: [usize; 2],
}

impl<F: Float> Case<F> {
    /// The loss of the batch; the gradient of twice the loss.
    fn run<D: Device + Host<Number = F>>(&self, loss: &dyn Loss<D>) -> (F, Vec<F>) {
        let batch = self.y_pred.len() / self.widths[1];
        let mut gradient = vec![F::nan(); self.y_pred.len()];
        let mut sums = [F::zero()];
        loss.compute(LossInput {
            device: &D::default(),
            batch,
            y_true: &self.y_true,
            y_true_shape: Shape::new(&self.widths[..1]),
            y_pred: &self.y_pred,
            y_pred_shape: Shape::new(&self.widths[1..]),
            logits: self.logits.as_deref(),
            sample_weight: self.weights.as_deref(),
            weights_per_sample: 1,
            gradient: Some(&mut gradient),
            weight: 2.0,
            values: None,
            sums: &mut sums,
        });
        (sums[0] / F::from_usize(batch), gradient)
    }
}

/// An activation on one row.
type Function = fn(&[f64]) -> Vec<f64>;

/// A number in 0.05..0.95 for each place, always the same ones.
fn numbers(len: usize, seed: usize) -> Vec<f64> {
    let number = |at: usize| ((at * 7919 + seed * 104_729) % 997) as f64 / 997.0;
    (0..len).map(|at| 0.05 + 0.9 * number(at + 1)).collect()
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let exps: Vec<f64> = logits.iter().map(|z| z.exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.iter().map(|e| e / sum).collect()
}

fn sigmoid(logits: &[f64]) -> Vec<f64> {
    logits.iter().map(|z| 1.0 / (1.0 + (-z).exp())).collect()
}

/// Holds a gradient against differences of the loss, in every number of the predictions, or of the
/// logits if the last activation is given.
fn check(what: &str, loss: &dyn Loss<Cpu64>, activation: Option<Function>, mut case: Case<f64>) {
    const STEP: f64 = 1e-5;
    let mut inputs = case.y_pred.clone();
    let width = case.widths[1];
    let mut run = |inputs: &[f64]| {
        case.y_pred = match activation {
            Some(activation) => inputs.chunks(width).flat_map(activation).collect(),
            None => inputs.to_vec(),
        };
        case.logits = activation.map(|_| inputs.to_vec());
        case.run(loss)
    };
    let (_, gradient) = run(&inputs);
    for at in 0..inputs.len() {
        let input = inputs[at];
        let mut value = |input: f64| {
            inputs[at] = input;
            run(&inputs).0
        };
        let difference = 2.0 * (value(input + STEP) - value(input - STEP)) / (2.0 * STEP);
        value(input);
        assert!(
            (difference - gradient[at]).abs() <= 1e-5 + 1e-3 * difference.abs(),
            "{what}: d/d{at} is {}, the difference says {difference}",
            gradient[at]
        );
    }
}

/// Rows of several widths, with and without weights, through every reduction.
fn check_all(what: &str, make: impl Fn(Reduction) -> Vec<Variant>) {
    for reduction in [
        Reduction::SumOverBatchSize,
        Reduction::Sum,
        Reduction::MeanWithSampleWeight,
    ] {
        for (seed, width) in [1, 2, 3, 10, 16, 17, 40].into_iter().enumerate() {
            for weights in [None, Some(numbers(4, 9))] {
                for variant in make(reduction) {
                    let logits = |p: f64| 8.0 * p - 4.0;
                    let mut y_pred = numbers(4 * width, seed);
                    if variant.is_logits {
                        y_pred.iter_mut().for_each(|p| *p = logits(*p));
                    }
                    let y_true = match variant.targets {
                        Targets::Any => numbers(4 * width, seed + 50),
                        Targets::One => numbers(4, seed + 50),
                        Targets::Class => (0..4).map(|row| (row * 5 % width) as f64).collect(),
                    };
                    let case = Case {
                        widths: [y_true.len() / 4, width],
                        y_true,
                        y_pred,
                        logits: None,
                        weights: weights.clone(),
                    };
                    let weighted = weights.is_some();
                    let what = format!("{what}, {reduction:?}, width {width}, weights {weighted}");
                    check(&what, &*variant.loss, variant.activation, case);
                }
            }
        }
    }
}

/// A loss with its arguments, and what goes with them.
struct Variant {
    loss: Box<dyn Loss<Cpu64>>,
    targets: Targets,
    is_logits: bool,
    activation: Option<Function>,
}

/// What stands beside a row of predictions.
#[derive(Clone, Copy)]
enum Targets {
    Any,
    One,
    Class,
}

impl Variant {
    fn new(loss: impl Loss<Cpu64> + 'static, targets: Targets) -> Self {
        Self {
            loss: Box::new(loss),
            targets,
            is_logits: false,
            activation: None,
        }
    }

    fn on_logits(self) -> Self {
        Self {
            is_logits: true,
            ..self
        }
    }

    fn fused(self, activation: Function) -> Self {
        Self {
            is_logits: true,
            activation: Some(activation),
            ..self
        }
    }
}

#[test]
fn gradients_of_errors() {
    check_all("mean squared error", |reduction| {
        let loss = || MeanSquaredError::new().reduction(reduction);
        vec![
            Variant::new(loss(), Targets::Any),
            Variant::new(loss(), Targets::One),
        ]
    });
    check_all("mean absolute error", |reduction| {
        let loss = || MeanAbsoluteError::new().reduction(reduction);
        vec![
            Variant::new(loss(), Targets::Any),
            Variant::new(loss(), Targets::One),
        ]
    });
}

#[test]
fn gradients_of_binary_crossentropy() {
    check_all("binary cross-entropy", |reduction| {
        let loss = || {
            BinaryCrossentropy::new()
                .label_smoothing(0.2)
                .reduction(reduction)
        };
        vec![
            Variant::new(loss(), Targets::Any),
            Variant::new(loss().from_logits(true), Targets::Any).on_logits(),
            Variant::new(loss(), Targets::Any).fused(sigmoid),
        ]
    });
}

#[test]
fn gradients_of_categorical_crossentropy() {
    check_all("categorical cross-entropy", |reduction| {
        let loss = || {
            CategoricalCrossentropy::new()
                .label_smoothing(0.2)
                .reduction(reduction)
        };
        vec![
            Variant::new(loss(), Targets::Any),
            Variant::new(loss().from_logits(true), Targets::Any).on_logits(),
            Variant::new(loss(), Targets::Any).fused(softmax),
        ]
    });
}

#[test]
fn gradients_of_sparse_categorical_crossentropy() {
    check_all("sparse categorical cross-entropy", |reduction| {
        let loss = || SparseCategoricalCrossentropy::new().reduction(reduction);
        let mut variants = vec![
            Variant::new(loss(), Targets::Class),
            Variant::new(loss().from_logits(true), Targets::Class).on_logits(),
            Variant::new(loss(), Targets::Class).fused(softmax),
        ];
        // Rows of class 0 are left out; their gradient is 0.
        variants.push(Variant::new(loss().ignore_class(0), Targets::Class));
        variants
    });
}

#[test]
fn what_is_fused_is_what_it_would_be_apart() {
    let logits = numbers(20, 1);
    let probabilities: Vec<f64> = logits.chunks(5).flat_map(softmax).collect();
    let case = |logits| Case {
        y_true: vec![3.0, 0.0, 4.0, 4.0],
        y_pred: probabilities.clone(),
        logits,
        weights: None,
        widths: [1, 5],
    };
    let loss = SparseCategoricalCrossentropy::new();
    let (apart, _) = case(None).run::<Cpu64>(&loss);
    let (fused, _) = case(Some(logits)).run::<Cpu64>(&loss);
    assert!((apart - fused).abs() < 1e-12, "{apart} and {fused}");
}

#[test]
fn losses_fuse_with_the_activation_they_undo() {
    let shape = Shape::new(&[3]);
    let fuses = |loss: &dyn Loss<Cpu>| {
        [Activation::Softmax, Activation::Sigmoid, Activation::Relu]
            .map(|activation| loss.fuses(activation, &shape, &shape))
    };
    assert_eq!(fuses(&CategoricalCrossentropy::new()), [true, false, false]);
    assert_eq!(
        fuses(&SparseCategoricalCrossentropy::new()),
        [true, false, false]
    );
    assert_eq!(fuses(&BinaryCrossentropy::new()), [false, true, false]);
    assert_eq!(fuses(&MeanSquaredError::new()), [false; 3]);
    // These take the activation's output for logits.
    assert_eq!(
        fuses(&CategoricalCrossentropy::new().from_logits(true)),
        [false; 3]
    );
    assert_eq!(
        fuses(&SparseCategoricalCrossentropy::new().from_logits(true)),
        [false; 3]
    );
    assert_eq!(
        fuses(&BinaryCrossentropy::new().from_logits(true)),
        [false; 3]
    );
}

#[test]
fn crossentropy_is_the_one_that_fits() {
    let loss = by_name::<Cpu>("crossentropy").expect("a known name");
    let (one, three) = (Shape::new(&[1]), Shape::new(&[3]));
    assert!(loss.fuses(Activation::Sigmoid, &one, &one));
    assert!(loss.fuses(Activation::Softmax, &three, &three));
    assert!(loss.check_targets(&[3.0], &one, &three).is_err());
    assert!(loss.check_targets(&[3.0], &three, &three).is_ok());
}

/// Runs one row of `f32` predictions.
fn row(loss: &dyn Loss<Cpu>, y_true: &[f32], y_pred: &[f32]) -> (f32, Vec<f32>) {
    let case = Case {
        y_true: y_true.to_vec(),
        y_pred: y_pred.to_vec(),
        logits: None,
        weights: None,
        widths: [y_true.len(), y_pred.len()],
    };
    case.run(loss)
}

#[test]
fn large_logits_do_not_overflow() {
    let losses: [&dyn Loss<Cpu>; 2] = [
        &CategoricalCrossentropy::new().from_logits(true),
        &BinaryCrossentropy::new().from_logits(true),
    ];
    for loss in losses {
        let (value, gradient) = row(loss, &[0.0, 1.0], &[1e30, -1e30]);
        assert!(
            value > 1e29 && value.is_finite(),
            "{} is {value}",
            loss.name()
        );
        assert!(gradient.iter().all(|d| d.is_finite()), "{}", loss.name());
        let (value, _) = row(loss, &[1.0, 0.0], &[1e30, -1e30]);
        assert_eq!(value, 0.0, "{}", loss.name());
    }
    let sparse = SparseCategoricalCrossentropy::new().from_logits(true);
    let (value, gradient) = row(&sparse, &[1.0], &[f32::MAX, 0.0]);
    assert_eq!((value, &gradient[..]), (f32::MAX, &[2.0, -2.0][..]));
    // A class that cannot be: no other class's loss is touched by it.
    let (value, _) = row(&sparse, &[1.0], &[f32::NEG_INFINITY, 0.0]);
    assert_eq!(value, 0.0);
}

#[test]
fn impossible_probabilities_cost_what_keras_says() {
    let (value, gradient) = row(&CategoricalCrossentropy::new(), &[0.0, 1.0], &[1.0, 0.0]);
    assert!((value - 16.118_095).abs() < 1e-5, "{value}");
    assert_eq!(gradient, [0.0, 0.0]);
    let (value, _) = row(&BinaryCrossentropy::new(), &[1.0], &[1.0]);
    assert!((value - 1.192_093e-7).abs() < 1e-12, "{value}");
    let (value, _) = row(&CategoricalCrossentropy::new(), &[1.0, 0.0], &[0.2, 0.2]);
    assert!((value - std::f32::consts::LN_2).abs() < 1e-6, "{value}");
}

#[test]
fn nan_and_infinity_are_not_hidden() {
    let losses: [(&dyn Loss<Cpu>, &[f32]); 8] = [
        (&MeanSquaredError::new(), &[0.0, 1.0]),
        (&MeanAbsoluteError::new(), &[0.0, 1.0]),
        (&BinaryCrossentropy::new(), &[0.0, 1.0]),
        (&BinaryCrossentropy::new().from_logits(true), &[0.0, 1.0]),
        (&CategoricalCrossentropy::new(), &[0.0, 1.0]),
        (
            &CategoricalCrossentropy::new().from_logits(true),
            &[0.0, 1.0],
        ),
        (&SparseCategoricalCrossentropy::new(), &[1.0]),
        (
            &SparseCategoricalCrossentropy::new().from_logits(true),
            &[1.0],
        ),
    ];
    for (loss, y_true) in losses {
        for at in 0..2 {
            let mut y_pred = [0.5, 0.5];
            y_pred[at] = f32::NAN;
            let (value, gradient) = row(loss, y_true, &y_pred);
            assert!(value.is_nan(), "{} is {value}", loss.name());
            assert!(gradient[at].is_nan(), "{}: {gradient:?}", loss.name());
        }
    }
    let (value, gradient) = row(&MeanSquaredError::new(), &[0.0], &[f32::INFINITY]);
    assert_eq!((value, gradient[0]), (f32::INFINITY, f32::INFINITY));
}

#[test]
fn an_ignored_row_counts_nothing() {
    let loss = SparseCategoricalCrossentropy::new()
        .from_logits(true)
        .ignore_class(-1);
    let case = |y_true: &[f32]| Case {
        y_true: y_true.to_vec(),
        y_pred: [[1.0f32, 2.0], [f32::NAN, f32::NAN]].concat(),
        logits: None,
        weights: None,
        widths: [1, 2],
    };
    let (value, gradient) = case(&[0.0, -1.0]).run::<Cpu>(&loss);
    let (alone, alone_gradient) = row(&loss, &[0.0], &[1.0, 2.0]);
    assert_eq!(value, alone);
    assert_eq!(gradient, [&alone_gradient[..], &[0.0, 0.0]].concat());
    let (value, gradient) = case(&[-1.0, -1.0]).run::<Cpu>(&loss);
    assert_eq!((value, gradient), (0.0, vec![0.0; 4]));
}
