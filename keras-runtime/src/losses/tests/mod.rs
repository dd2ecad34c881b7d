//! Gradients against finite differences in `f64`, and numbers at the edge of what `f32` holds.

mod arguments;
mod gradients;
mod values;

use std::slice;

use super::*;
use crate::config::Json;
use crate::device::{Activation, Axes, Cpu, Cpu64, Device, Float, Host};
use crate::shape::Shape;

/// The loss of a name and arguments.
fn of_config<D: LossCatalogue>(name: &str, config: &[(&str, Json)]) -> Result<Box<dyn Loss<D>>> {
    from_config(&Config {
        config: config.iter().cloned().collect(),
        ..Config::keras("keras.losses", name)
    })
}

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

/// Holds the gradients of a loss by its name and arguments against differences, for four samples of
/// these shapes, through every reduction, with and without weights.
fn check_loss(
    name: &str,
    config: &[(&str, Json)],
    shapes: [&[usize]; 2],
    y_true: &[f64],
    y_pred: &[f64],
) {
    for reduction in ["sum_over_batch_size", "sum", "mean_with_sample_weight"] {
        let mut config = config.to_vec();
        config.push(("reduction", reduction.into()));
        let loss = of_config::<Cpu64>(name, &config).expect("a loss of Keras");
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
