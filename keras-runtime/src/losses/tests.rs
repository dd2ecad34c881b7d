//! Gradients against finite differences in `f64`, and numbers at the edge of what `f32` holds.

use std::slice;

use super::*;
use crate::device::{Cpu, Cpu64, Float, Host};

/// What a loss is computed from, on a host device.
struct Case<F> {
    y_true: Vec<F>,
    y_pred: Vec<F>,
    logits: Option<Vec<F>>,
    weights: Option<Vec<F>>,
    /// The shapes of one target and of one prediction.
    shapes: [Shape; 2],
}

impl<F: Float> Case<F> {
    /// The loss of the batch; the gradient of twice the loss.
    fn run<D: Device + Host<Number = F>>(&self, loss: &dyn Loss<D>) -> (F, Vec<F>) {
        let [y_true_shape, y_pred_shape] = self.shapes;
        let batch = self.y_pred.len() / y_pred_shape.size();
        let mut gradient = vec![F::nan(); self.y_pred.len()];
        let mut sums = [F::zero()];
        loss.compute(LossInput {
            device: &D::default(),
            batch,
            y_true: &self.y_true,
            y_true_shape,
            y_pred: &self.y_pred,
            y_pred_shape,
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

/// Rows of targets and of predictions, of these widths.
fn widths(widths: [usize; 2]) -> [Shape; 2] {
    widths.map(|width| Shape::new(&[width]))
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
    let width = case.shapes[1].last();
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
                        shapes: widths([y_true.len() / 4, width]),
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

/// Holds the gradients of a loss by its name and arguments against differences, for four samples of
/// these shapes, through every reduction, with and without weights.
fn check_loss(
    name: &str,
    config: &[(&str, Argument)],
    shapes: [&[usize]; 2],
    y_true: &[f64],
    y_pred: &[f64],
) {
    for reduction in ["sum_over_batch_size", "sum", "mean_with_sample_weight"] {
        let mut config = config.to_vec();
        config.push(("reduction", reduction.into()));
        let loss = from_config::<Cpu64>(name, &config).expect("a loss of Keras");
        for weights in [None, Some(numbers(4, 9))] {
            let what = format!(
                "{name} {config:?} {shapes:?}, weights {}",
                weights.is_some()
            );
            let case = Case {
                shapes: shapes.map(Shape::new),
                y_true: y_true.to_vec(),
                y_pred: y_pred.to_vec(),
                logits: None,
                weights,
            };
            check(&what, &*loss, None, case);
        }
    }
}

/// Numbers from -2.3 to 2.3.
fn logits(len: usize, seed: usize) -> Vec<f64> {
    numbers(len, seed).iter().map(|p| 5.0 * p - 2.5).collect()
}

/// Zeros and ones.
fn binary(len: usize) -> Vec<f64> {
    (0..len).map(|at| (at * 7 % 3 % 2) as f64).collect()
}

/// Four rows of a one and zeros.
fn one_hot(width: usize) -> Vec<f64> {
    let rows = (0..4).map(|row| row * 5 % width);
    rows.flat_map(|class| (0..width).map(move |at| f64::from(u8::from(at == class))))
        .collect()
}

#[test]
fn gradients_of_pairs() {
    for (seed, width) in [1, 2, 7, 33].into_iter().enumerate() {
        let (row, len) = ([width], 4 * width);
        let shapes = [&row[..]; 2];
        let (soft, probabilities) = (numbers(len, seed + 50), numbers(len, seed));
        let signs: Vec<f64> = binary(len).iter().map(|t| 2.0 * t - 1.0).collect();
        let z = logits(len, seed);
        for (name, config) in [
            ("mape", vec![]),
            ("huber", vec![]),
            ("huber", vec![("delta", 0.25.into())]),
            ("log_cosh", vec![]),
            ("categorical_hinge", vec![]),
            ("cosine_similarity", vec![]),
        ] {
            check_loss(name, &config, shapes, &soft, &z);
        }
        for name in ["msle", "kld", "poisson"] {
            check_loss(name, &[], shapes, &soft, &probabilities);
        }
        for name in ["hinge", "squared_hinge"] {
            for targets in [&signs, &binary(len), &soft] {
                check_loss(name, &[], shapes, targets, &z);
            }
        }
        check_loss("categorical_hinge", &[], shapes, &one_hot(width), &z);
        check_loss("huber", &[], [&[1], &[width]], &soft[..4], &z);
        let classes: Vec<f64> = (0..4).map(|row| (row * 5 % width) as f64).collect();
        for q in [0.1, 0.5, 0.9] {
            let (name, shapes) = ("CategoricalGeneralizedCrossEntropy", [&[1][..], &[width]]);
            check_loss(name, &[("q", q.into())], shapes, &classes, &probabilities);
        }
    }
}

#[test]
fn gradients_of_focal_crossentropies() {
    for (seed, width) in [1, 3, 17].into_iter().enumerate() {
        let (row, len) = ([width], 4 * width);
        let shapes = [&row[..]; 2];
        let probabilities = numbers(len, seed);
        for gamma in [0.0, 0.5, 1.0, 2.0, 3.5] {
            for from_logits in [false, true] {
                let y_pred = match from_logits {
                    true => logits(len, seed),
                    false => probabilities.clone(),
                };
                let config = [
                    ("gamma", gamma.into()),
                    ("from_logits", from_logits.into()),
                    ("label_smoothing", 0.1.into()),
                ];
                let balanced = [&config[..], &[("apply_class_balancing", true.into())]].concat();
                let alphas: Vec<f64> = (1..=width).map(|class| class as f64 / 4.0).collect();
                let with_alphas = [&config[..], &[("alpha", alphas.into())]].concat();
                for config in [&config[..], &balanced] {
                    let name = "binary_focal_crossentropy";
                    check_loss(name, config, shapes, &binary(len), &y_pred);
                }
                for config in [&config[..], &with_alphas] {
                    let name = "categorical_focal_crossentropy";
                    check_loss(name, config, shapes, &one_hot(width), &y_pred);
                }
            }
        }
    }
    check_all("binary focal cross-entropy", |reduction| {
        let loss = || BinaryFocalCrossentropy::new().reduction(reduction);
        vec![Variant::new(loss(), Targets::Any).fused(sigmoid)]
    });
}

#[test]
fn gradients_along_other_axes() {
    let (y_pred, z) = (numbers(4 * 24, 3), logits(4 * 24, 3));
    let (soft, masks) = (numbers(4 * 24, 8), binary(4 * 24));
    let shapes = [&[2, 3, 4][..]; 2];
    for axes in [
        Argument::None,
        (-1.0).into(),
        1.0.into(),
        2.0.into(),
        vec![1.0, 2.0, 3.0].into(),
        vec![0.0, 2.0].into(),
        vec![-1.0, -3.0].into(),
    ] {
        let axes = ("axis", axes);
        check_loss("dice", slice::from_ref(&axes), shapes, &masks, &y_pred);
        let config = [axes, ("alpha", 0.3.into()), ("beta", 0.9.into())];
        check_loss("tversky", &config, shapes, &masks, &y_pred);
    }
    for axis in [1.0, 2.0, -2.0, -1.0] {
        let axis = ("axis", axis.into());
        check_loss(
            "cosine_similarity",
            slice::from_ref(&axis),
            shapes,
            &soft,
            &z,
        );
        check_loss(
            "binary_crossentropy",
            slice::from_ref(&axis),
            shapes,
            &masks,
            &y_pred,
        );
        check_loss(
            "binary_focal_crossentropy",
            slice::from_ref(&axis),
            shapes,
            &masks,
            &y_pred,
        );
        check_loss(
            "categorical_crossentropy",
            slice::from_ref(&axis),
            shapes,
            &soft,
            &y_pred,
        );
        check_loss(
            "categorical_focal_crossentropy",
            &[axis],
            shapes,
            &soft,
            &y_pred,
        );
    }
    // Three classes along the axis between two others.
    let classes: Vec<f64> = (0..4 * 8).map(|at| (at % 5 % 3) as f64).collect();
    for targets in [&[2, 4][..], &[2, 1, 4]] {
        for (from_logits, y_pred) in [(false, &y_pred), (true, &z)] {
            let mut config = vec![("axis", 2.0.into()), ("from_logits", from_logits.into())];
            let (name, shapes) = ("sparse_categorical_crossentropy", [targets, shapes[1]]);
            check_loss(name, &config, shapes, &classes, y_pred);
            config.push(("ignore_class", 1.0.into()));
            check_loss(name, &config, shapes, &classes, y_pred);
        }
    }
}

#[test]
fn gradients_of_circle() {
    let labels = [3.0, 1.0, 3.0, 1.0];
    for width in [1, 2, 5] {
        let scale = 0.3 / (width as f64).sqrt();
        let y_pred: Vec<f64> = logits(4 * width, 2).iter().map(|z| scale * z).collect();
        for remove_diagonal in [true, false] {
            for margin in [0.1, 0.4, 0.9] {
                let config = [
                    ("gamma", 5.0.into()),
                    ("margin", margin.into()),
                    ("remove_diagonal", remove_diagonal.into()),
                ];
                check_loss("circle", &config, [&[1], &[width]], &labels, &y_pred);
            }
        }
    }
}

#[test]
fn gradients_of_ctc() {
    let labels = [1, 2, 3, 2, 2, 0, 0, 0, 0, 3, 1, 1].map(f64::from);
    check_loss("ctc", &[], [&[3], &[4, 4]], &labels, &logits(4 * 16, 4));
    check_loss("ctc", &[], [&[3], &[9, 5]], &labels, &logits(4 * 45, 5));
    check_loss(
        "ctc",
        &[],
        [&[1], &[1, 3]],
        &[1.0, 2.0, 0.0, 1.0],
        &logits(4 * 3, 6),
    );
}

#[test]
fn ctc_is_the_sum_over_all_paths() {
    // Two symbols in three steps of four classes: paths that spell 1 2.
    let z = logits(12, 1);
    let steps: Vec<Vec<f64>> = z.chunks(4).map(softmax).collect();
    let paths = [[1, 2, 0], [1, 0, 2], [0, 1, 2], [1, 1, 2], [1, 2, 2]];
    let of_path =
        |path: &[usize; 3]| -> f64 { (0..3).map(|step| steps[step][path[step]]).product() };
    let expected = -paths.iter().map(of_path).sum::<f64>().ln();
    let case = Case {
        y_true: vec![1.0, 2.0, 0.0],
        y_pred: z,
        logits: None,
        weights: None,
        shapes: [Shape::new(&[3]), Shape::new(&[3, 4])],
    };
    let (value, _) = case.run::<Cpu64>(&CTC::new());
    assert!((value - expected).abs() < 1e-12, "{value} and {expected}");
}

#[test]
fn gradients_at_kinks_and_of_extreme_numbers_are_numbers() {
    let rows: [(&[&str], &[f32], &[f32]); 6] = [
        (
            &[
                "mse",
                "mae",
                "mape",
                "huber",
                "log_cosh",
                "hinge",
                "squared_hinge",
                "cosine_similarity",
            ],
            &[0.0, 0.0, 1.0, -1.0, 0.5],
            &[0.0, 1e15, 1.0, -1.0, -1e15],
        ),
        (
            &[
                "cosine_similarity",
                "categorical_hinge",
                "dice",
                "tversky",
                "hinge",
                "mape",
            ],
            &[0.0, 0.0, 0.0],
            &[0.0, 0.0, 0.0],
        ),
        (
            &[
                "kld",
                "bce",
                "categorical_crossentropy",
                "binary_focal_crossentropy",
                "dice",
                "tversky",
            ],
            &[0.0, 1.0, 0.0, 1.0],
            &[0.0, 0.0, 1.0, 1.0],
        ),
        (
            &["categorical_focal_crossentropy", "categorical_crossentropy"],
            &[0.0, 1.0, 0.0],
            &[1.0, 0.0, 0.0],
        ),
        (
            &["poisson", "msle"],
            &[0.0, 3.0, 1e10, 0.0],
            &[0.0, 0.0, 0.0, 1e10],
        ),
        (
            &["categorical_generalized_cross_entropy"],
            &[1.0],
            &[1.0, 0.0],
        ),
    ];
    for (names, y_true, y_pred) in rows {
        for name in names {
            let loss = by_name::<Cpu>(name).expect("a known name");
            let (value, gradient) = row(&*loss, y_true, y_pred);
            assert!(value.is_finite(), "{name} is {value}");
            assert!(
                gradient.iter().all(|d| d.is_finite()),
                "{name}: {gradient:?}"
            );
        }
    }
    let focal = BinaryFocalCrossentropy::new().gamma(0.5).from_logits(true);
    let (value, gradient) = row(&focal, &[1.0, 0.0], &[-200.0, 200.0]);
    assert_eq!((value, &gradient[..]), (200.0, &[-1.0, 1.0][..]));
}

#[test]
fn nan_is_nowhere_hidden() {
    for name in [
        "mape",
        "msle",
        "huber",
        "log_cosh",
        "hinge",
        "squared_hinge",
        "categorical_hinge",
        "kld",
        "poisson",
        "binary_focal_crossentropy",
        "categorical_focal_crossentropy",
        "cosine_similarity",
        "dice",
        "tversky",
    ] {
        let loss = by_name::<Cpu>(name).expect("a known name");
        let (value, gradient) = row(&*loss, &[1.0, 0.0], &[f32::NAN, f32::NAN]);
        assert!(value.is_nan(), "{name} is {value}");
        assert!(gradient.iter().all(|d| d.is_nan()), "{name}: {gradient:?}");
    }
    let (value, _) = row(
        &CategoricalGeneralizedCrossEntropy::new(),
        &[1.0],
        &[0.5, f32::NAN],
    );
    assert!(value.is_nan());
    let case = Case {
        y_true: vec![0.0f32, 1.0, 0.0],
        y_pred: vec![f32::NAN; 6],
        logits: None,
        weights: None,
        shapes: widths([1, 2]),
    };
    assert!(case.run::<Cpu>(&Circle::new()).0.is_nan());
    let case = Case {
        shapes: [Shape::new(&[3]), Shape::new(&[3, 2])],
        ..case
    };
    assert!(case.run::<Cpu>(&CTC::new()).0.is_nan());
}

#[test]
fn samples_without_others_do_not_count() {
    let circle = Circle::new().gamma(2.0);
    let case = |y_true: &[f64]| Case {
        y_true: y_true.to_vec(),
        y_pred: numbers(2 * y_true.len(), 1)
            .iter()
            .map(|p| p / 2.0)
            .collect(),
        logits: None,
        weights: None,
        shapes: widths([1, 2]),
    };
    // Nobody has one of its class, or nobody has one of another one.
    for labels in [[1.0, 2.0, 3.0], [4.0, 4.0, 4.0]] {
        assert_eq!(case(&labels).run::<Cpu64>(&circle), (0.0, vec![0.0; 6]));
    }
    let (mean, _) = case(&[1.0, 1.0, 3.0]).run::<Cpu64>(&circle);
    let (sum, _) = case(&[1.0, 1.0, 3.0]).run::<Cpu64>(&circle.clone().reduction(Reduction::Sum));
    assert!((mean - sum / 2.0).abs() < 1e-12, "{mean} and {sum}");
}

#[test]
fn without_a_reduction_the_mean_is_shown_and_the_sum_is_trained() {
    let run = |loss: &dyn Loss<Cpu64>| {
        let case = Case {
            y_true: numbers(12, 1),
            y_pred: numbers(12, 2),
            logits: None,
            weights: Some(numbers(4, 3)),
            shapes: widths([3, 3]),
        };
        case.run(loss)
    };
    for name in ["mse", "huber", "bce"] {
        let with = |reduction: &str| {
            let config = [("reduction", reduction.into())];
            run(&*from_config::<Cpu64>(name, &config).expect("a loss of Keras"))
        };
        let ((value, gradient), (mean, _), (_, of_sum)) = (with("none"), with("mean"), with("sum"));
        assert!((value - mean).abs() < 1e-12, "{name}: {value} and {mean}");
        let same = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
        assert!(gradient.iter().zip(&of_sum).all(same), "{name}");
    }
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
        shapes: widths([1, 5]),
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
    assert_eq!(fuses(&BinaryFocalCrossentropy::new()), [false, true, false]);
    assert_eq!(fuses(&MeanSquaredError::new()), [false; 3]);
    // The activation is along the last axis.
    assert_eq!(fuses(&CategoricalCrossentropy::new().axis(0)), [false; 3]);
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
        shapes: widths([y_true.len(), y_pred.len()]),
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
        shapes: widths([1, 2]),
    };
    let (value, gradient) = case(&[0.0, -1.0]).run::<Cpu>(&loss);
    let (alone, alone_gradient) = row(&loss, &[0.0], &[1.0, 2.0]);
    assert_eq!(value, alone);
    assert_eq!(gradient, [&alone_gradient[..], &[0.0, 0.0]].concat());
    let (value, gradient) = case(&[-1.0, -1.0]).run::<Cpu>(&loss);
    assert_eq!((value, gradient), (0.0, vec![0.0; 4]));
}

#[test]
fn arguments_are_checked_with_the_sentences_of_keras() {
    let error = |name: &str, config: &[(&str, Argument)]| {
        let loss = from_config::<Cpu>(name, config);
        loss.err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    assert_eq!(
        error("CategoricalGeneralizedCrossEntropy", &[("q", 1.5.into())]),
        "q must be in the interval (0, 1). Received: q=1.5"
    );
    assert!(IntoLoss::<Cpu>::into_loss(CategoricalGeneralizedCrossEntropy::new().q(0.0)).is_err());
    assert_eq!(
        error("Huber", &[("reduction", "average".into())]),
        "Invalid value for argument `reduction`. Expected one of {None, 'none', 'mean', 'sum', \
         'sum_over_batch_size', 'mean_with_sample_weight'}. Received: reduction=average"
    );
    assert_eq!(
        error("Huber", &[("delta", "large".into())]),
        "Invalid value for argument `delta`. Expected a number. Received: delta=Text(\"large\")"
    );
    assert_eq!(
        error("Huber", &[("slope", 1.0.into())]),
        "Huber got an unexpected keyword argument `slope`"
    );
    // What is null has its default; numbers are computed in `f32`.
    let config = [
        ("axis", Argument::None),
        ("name", "mine".into()),
        ("dtype", "float32".into()),
    ];
    let loss = from_config::<Cpu>("Dice", &config).expect("arguments of Keras");
    assert_eq!((loss.name(), loss.axes()), ("mine", Axes::All));
}

#[test]
fn shapes_and_targets_are_checked_with_the_sentences_of_keras() {
    let (image, row) = (Shape::new(&[4, 5]), Shape::new(&[5]));
    let error = |loss: &dyn Loss<Cpu>, y_true: &Shape, y_pred: &Shape| {
        loss.check(y_true, y_pred)
            .map_err(|error| error.to_string())
            .unwrap_err()
    };
    let outside = "axis 5 is out of bounds for array of dimension 3";
    assert_eq!(error(&Dice::new().axis([1, 5]), &image, &image), outside);
    assert_eq!(
        error(&CosineSimilarity::new().axis(5), &image, &image),
        outside
    );
    assert_eq!(
        error(&BinaryCrossentropy::new().axis(5), &image, &image),
        outside
    );
    assert!(
        error(&Dice::new(), &row, &image).starts_with("Arguments `target` and `output` must have")
    );
    assert_eq!(
        error(
            &CategoricalFocalCrossentropy::new().alpha([0.5, 0.5]),
            &row,
            &row
        ),
        "`alpha` must be one number, or one for each of the 5 classes. Received: alpha=[0.5, 0.5]"
    );
    assert_eq!(
        error(&CTC::new(), &image, &image),
        "Targets `y_true` are expected to be a tensor of shape `(batch_size, max_length)` in integer format. \
         Received: y_true.shape=(None, 4, 5)"
    );
    assert_eq!(
        error(&CTC::new(), &row, &row),
        "Logits `y_pred` are expected to be a tensor of shape `(batch_size, max_length, num_classes)`. \
         Received: y_pred.shape=(None, 5)"
    );
    let sparse = SparseCategoricalCrossentropy::new().axis(1);
    assert!(Loss::<Cpu>::check(&sparse, &row, &image).is_ok());
    assert!(Loss::<Cpu>::check(&sparse, &Shape::new(&[4]), &image).is_err());

    let refused = |loss: &dyn Loss<Cpu>, values: &[f32], y_true: &Shape| {
        let checked = loss.check_targets(values, y_true, &image);
        checked.map_err(|error| error.to_string()).unwrap_err()
    };
    assert_eq!(
        refused(&CTC::new(), &[5.0], &Shape::new(&[1])),
        "Received a label value of 5 which is outside the valid range of [0, 5)."
    );
    assert_eq!(
        refused(&CTC::new(), &[1.0, 1.0, 1.0], &Shape::new(&[3])),
        "A label of 3 symbols, 2 of them like the one before, needs 5 steps. Received: y_pred.shape=(None, 4, 5)"
    );
    assert!(
        Loss::<Cpu>::check_targets(&CTC::new(), &[1.0, 1.0, 2.0], &Shape::new(&[3]), &image)
            .is_ok()
    );
    // The axis of the classes has size 4.
    assert!(Loss::<Cpu>::check_targets(&sparse, &[3.0], &row, &image).is_ok());
    assert!(Loss::<Cpu>::check_targets(&sparse, &[4.0], &row, &image).is_err());
}
