//! The operations that are given a function: of an optimizer, a loss, a metric, a layer.

use super::{Lab, Own};
use crate::device::Activation;
use crate::device::{
    Arith, Broadcast, ClassOf, ClassPairs, ClassTargets, ColumnFunction, Device, Elementary, Float,
    Grid, MeanOf, MergeFunction, PairFunction, PairLoss, Reduce, Reduction, RowFunction, RowLoss,
    Rows, Spacing, Term, Thresholds, UpdateRule,
};
use crate::losses::{CategoricalEntropy, SparseEntropy};
use crate::shape::Shape;

/// `left right + exp(left)` where left is larger, else their quotient.
#[derive(Clone, Copy)]
struct Mixed;

impl MergeFunction for Mixed {
    const LINEAR: bool = false;

    fn value<F: Float>(self, left: F, right: F) -> F {
        if left > right {
            left * right + left.exp()
        } else {
            left / (right * right + F::one())
        }
    }

    fn gradient<F: Float>(self, left: F, right: F) -> (F, F) {
        if left > right {
            return (right + left.exp(), left);
        }
        let divisor = right * right + F::one();
        let two = F::from_f32(2.0);
        (
            F::one() / divisor,
            -two * left * right / (divisor * divisor),
        )
    }
}

pub fn merges<D: Device>(lab: &mut Lab<D>) {
    let shapes: [[&[usize]; 3]; 6] = [
        [&[5, 7], &[5, 7], &[5, 7]],
        [&[5, 7], &[5, 7], &[7]],
        [&[5, 7], &[5, 1], &[1, 7]],
        [&[3, 2, 5, 7], &[2, 1, 7], &[3, 1, 5, 1]],
        [&[4, 90], &[4, 90], &[1]],
        [&[1], &[1], &[1]],
    ];
    for [output, left, right] in shapes {
        for batch in [1, 3] {
            let [output, left, right] = [output, left, right].map(Shape::new);
            let axes = Broadcast::new(batch, &output, &left, &right);
            let (a, b) = (
                lab.random(batch * left.size()),
                lab.random(batch * right.size()),
            );
            let name = format!("{output} of {left} and {right}, {batch}");
            let mut y = lab.poisoned(batch * output.size());
            lab.device.merge(Mixed, axes, a.read(), b.read(), y.write());
            lab.keep(&name, &y);
            for with_right in [true, false] {
                let mut dy = lab.random(y.len);
                let mut d_right = lab.poisoned(b.len);
                let to = with_right.then(|| d_right.write());
                lab.device
                    .merge_gradient(Mixed, axes, a.read(), b.read(), dy.write(), to);
                lab.keep(format!("left of {name}"), &dy);
                if with_right {
                    lab.keep(format!("right of {name}"), &d_right);
                }
            }
        }
    }
}

/// A rule with two slots and a branch.
#[derive(Clone, Copy)]
struct Rule {
    rate: f32,
    keep: f32,
}

impl UpdateRule<2> for Rule {
    fn update<F: Float>(&self, p: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        let (rate, keep) = (F::from_f32(self.rate), F::from_f32(self.keep));
        let m = keep * m + (F::one() - keep) * g;
        let v = if g.abs() > v { g.abs() } else { v * keep };
        (p - rate * m / (v.sqrt() + F::from_f64(1e-3)), [m, v])
    }
}

/// A rule without slots that cannot be traced: it asks for the number itself.
#[derive(Clone, Copy)]
struct Opaque;

impl UpdateRule<0> for Opaque {
    fn update<F: Float>(&self, p: F, g: F, []: [F; 0]) -> (F, [F; 0]) {
        (p - F::from_f64(g.to_f64() * 0.5), [])
    }
}

pub fn updates<D: Device>(lab: &mut Lab<D>) {
    for len in [1, 255, 1030] {
        let (mut p, g) = (lab.random(len), lab.random(len));
        let (mut m, mut v) = (lab.random(len), lab.probabilities(len));
        // The second time with another rate: the kernel is the same.
        for rate in [0.1, 0.05] {
            let rule = Rule { rate, keep: 0.9 };
            lab.device
                .update(rule, p.write(), g.read(), [m.write(), v.write()]);
        }
        lab.device.update(Opaque, p.write(), g.read(), []);
        for (name, own) in [("p", p), ("m", m), ("v", v)] {
            lab.keep(format!("{name} of {len}"), &own);
        }
    }
}

/// `w (p - t)²` above an error of 0.5, else `|p - t|`.
#[derive(Clone, Copy)]
struct Pair {
    factor: f32,
}

impl PairFunction for Pair {
    fn value<F: Float, A: Arith>(&self, t: F, p: F) -> F {
        self.value_and_gradient::<F, A>(t, p).0
    }
}

impl PairLoss for Pair {
    fn value_and_gradient<F: Float, A: Arith>(&self, t: F, p: F) -> (F, F) {
        let (d, factor) = (p - t, F::from_f32(self.factor));
        if d.abs() > F::from_f32(0.5) {
            return (factor * d * d, F::from_f32(2.0) * factor * d);
        }
        (d.abs(), if d > F::zero() { F::one() } else { -F::one() })
    }
}

/// A function of a whole row, of which no device knows more.
#[derive(Clone, Copy)]
struct Whole;

impl RowFunction for Whole {
    fn value<F: Float, A: Arith>(&self, t: &[F], p: &[F]) -> F {
        let products = t.iter().zip(p).map(|(&t, &p)| t * p);
        products.fold(F::zero(), |sum, product| sum + product)
    }
}

impl RowLoss for Whole {
    fn value_and_gradient<F: Float, A: Arith>(
        &self,
        t: &[F],
        p: &[F],
        factor: F,
        gradient: &mut [F],
    ) -> F {
        for (d, &t) in gradient.iter_mut().zip(t) {
            *d = factor * t;
        }
        self.value::<F, A>(t, p)
    }
}

const REDUCTIONS: [Reduction; 3] = [
    Reduction::SumOverBatchSize,
    Reduction::Sum,
    Reduction::MeanWithSampleWeight,
];

/// A loss with every reduction, with weights and without, with a gradient and without.
fn loss<D: Device, L: RowLoss>(
    lab: &mut Lab<D>,
    name: &str,
    loss: L,
    rows: Rows,
    y_true: &Own<D>,
    y_pred: &Own<D>,
) {
    let weights = lab.probabilities(rows.rows / rows.rows_per_weight);
    for reduction in REDUCTIONS {
        for weights in [None, Some(&weights)] {
            let (mut sums, mut gradient) = (lab.random(1), lab.poisoned(y_pred.len));
            for with_gradient in [true, false] {
                let to = with_gradient.then(|| (gradient.write(), 1.5));
                lab.device.row_loss(
                    loss,
                    reduction,
                    rows,
                    y_true.read(),
                    y_pred.read(),
                    weights.map(|weights| weights.read()),
                    to,
                    sums.write(),
                );
            }
            let is_weighted = weights.is_some();
            let name = format!("{name}, {reduction:?}, weights: {is_weighted}");
            lab.keep(&name, &sums);
            lab.keep(format!("the gradient of {name}"), &gradient);
        }
    }
}

pub fn losses_of_pairs<D: Device>(lab: &mut Lab<D>) {
    for (true_width, width, rows_per_weight) in [(3, 3, 1), (7, 7, 2), (1, 5, 1), (130, 130, 3)] {
        let rows = Rows {
            samples: 6,
            rows: 12,
            true_width,
            width,
            rows_per_weight,
        };
        let (y_true, y_pred) = (lab.random(12 * true_width), lab.random(12 * width));
        let pair = MeanOf(Pair { factor: 0.7 });
        loss(lab, "pairs", pair, rows, &y_true, &y_pred);
        if true_width == width {
            loss(lab, "rows", Whole, rows, &y_true, &y_pred);
        }
    }
}

/// Numbers of classes, some of which no class has.
fn classes<D: Device>(lab: &Lab<D>, rows: usize, classes: usize) -> Own<D> {
    let numbers: Vec<f32> = (0..rows)
        .map(|row| ((row * 7) % (classes + 1)) as f32)
        .collect();
    lab.of(&numbers)
}

pub fn losses_of_softmax<D: Device>(lab: &mut Lab<D>) {
    for (rows, width) in [(7, 3), (37, 10), (19, 70)] {
        let layout = |true_width| Rows {
            samples: rows,
            rows,
            true_width,
            width,
            rows_per_weight: 1,
        };
        // Some logits are so far apart that probabilities are 0.
        let numbers = lab.numbers(rows * width);
        let far = |(at, x): (usize, &f32)| if at % 5 == 0 { 70.0 * x } else { 3.0 * x };
        let z = lab.of(&numbers.iter().enumerate().map(far).collect::<Vec<_>>());
        let mut p = lab.poisoned(z.len);
        lab.device
            .activate(Activation::Softmax, z.read(), p.write(), width);
        let (of_class, weights) = (classes(lab, rows, width), lab.probabilities(rows));
        let of_all = lab.probabilities(rows * width);
        for targets in [
            ClassTargets::Numbers { ignored: None },
            ClassTargets::Numbers { ignored: Some(1.0) },
            ClassTargets::Probabilities { smoothing: 0.0 },
            ClassTargets::Probabilities { smoothing: 0.1 },
        ] {
            let (y_true, layout) = match targets {
                ClassTargets::Numbers { .. } => (&of_class, layout(1)),
                ClassTargets::Probabilities { .. } => (&of_all, layout(width)),
            };
            for reduction in REDUCTIONS {
                for weights in [None, Some(&weights)] {
                    let (mut sums, mut gradient) = (lab.random(1), lab.poisoned(z.len));
                    lab.device.softmax_loss(
                        targets,
                        reduction,
                        layout,
                        y_true.read(),
                        [z.read(), p.read()],
                        weights.map(|weights| weights.read()),
                        Some((gradient.write(), 1.5)),
                        sums.write(),
                    );
                    let name = format!("{targets:?}, {reduction:?}, {width}");
                    lab.keep(&name, &sums);
                    lab.keep(format!("the gradient of {name}"), &gradient);
                }
            }
        }
        let (close, chances) = (lab.random(rows * width), lab.probabilities(rows * width));
        for from_logits in [true, false] {
            let y_pred = if from_logits { &close } else { &chances };
            let entropy = CategoricalEntropy {
                from_logits,
                label_smoothing: 0.1,
            };
            loss(lab, "categorical", entropy, layout(width), &of_all, y_pred);
            for ignore_class in [None, Some(2)] {
                let entropy = SparseEntropy {
                    from_logits,
                    ignore_class,
                };
                loss(lab, "sparse", entropy, layout(1), &of_class, y_pred);
            }
        }
    }
}

fn mean<D: Device, M: RowFunction>(
    lab: &mut Lab<D>,
    name: &str,
    function: M,
    rows: Rows,
    y_true: &Own<D>,
    y_pred: &Own<D>,
) {
    let weights = lab.probabilities(rows.rows / rows.rows_per_weight);
    for weights in [None, Some(&weights)] {
        let mut sums = lab.random(2);
        lab.device.row_mean(
            function,
            rows,
            y_true.read(),
            y_pred.read(),
            weights.map(|weights| weights.read()),
            sums.write(),
        );
        lab.keep(name, &sums);
    }
}

pub fn means_of_rows<D: Device>(lab: &mut Lab<D>) {
    for (width, rows_per_weight) in [(4, 1), (33, 3)] {
        let layout = |true_width| Rows {
            samples: 9,
            rows: 27,
            true_width,
            width,
            rows_per_weight,
        };
        let (y_true, y_pred) = (lab.random(27 * width), lab.random(27 * width));
        let of_class = classes(lab, 27, width);
        mean(
            lab,
            "pairs",
            MeanOf(Pair { factor: 2.0 }),
            layout(width),
            &y_true,
            &y_pred,
        );
        let one = lab.random(27);
        mean(
            lab,
            "one target",
            MeanOf(Pair { factor: 2.0 }),
            layout(1),
            &one,
            &y_pred,
        );
        mean(lab, "rows", Whole, layout(width), &y_true, &y_pred);
        let entropy = SparseEntropy {
            from_logits: true,
            ignore_class: Some(1),
        };
        mean(lab, "sparse", entropy, layout(1), &of_class, &y_pred);
    }
}

pub fn thresholds<D: Device>(lab: &mut Lab<D>) {
    let grid = Grid {
        rows: 41,
        columns: 5,
        elements_per_weight: 5,
    };
    let (y_pred, weights) = (lab.probabilities(205), lab.probabilities(41));
    let numbers: Vec<f32> = (0..205).map(|at| f32::from(at % 3 == 0)).collect();
    let y_true = lab.of(&numbers);
    let even: Vec<f32> = (0..11).map(|at| at as f32 / 10.0).collect();
    let plain = Thresholds {
        values: &[0.25, 0.5, 0.9],
        spacing: Spacing::Any,
        from_logits: false,
        top_k: None,
        column: None,
        by_column: false,
        column_weights: &[],
    };
    let all = [
        plain,
        Thresholds {
            values: &even,
            spacing: Spacing::Even,
            ..plain
        },
        Thresholds {
            values: &even,
            spacing: Spacing::EvenWithEnds,
            by_column: true,
            column_weights: &[1.0, 0.5, 2.0, 0.0, 1.5],
            ..plain
        },
        Thresholds {
            from_logits: true,
            top_k: Some(2),
            ..plain
        },
        Thresholds {
            column: Some(3),
            ..plain
        },
    ];
    for (at, thresholds) in all.iter().enumerate() {
        for weights in [None, Some(&weights)] {
            let counts = thresholds.counts(grid.columns);
            let mut sums = lab.random(2 * counts);
            lab.device.threshold_counts(
                thresholds,
                grid,
                y_true.read(),
                y_pred.read(),
                weights.map(|weights| weights.read()),
                sums.write(),
            );
            lab.keep(format!("thresholds {at}"), &sums);
        }
    }
}

pub fn classes_of_pairs<D: Device>(lab: &mut Lab<D>) {
    let weights = lab.random(21);
    let of_class = classes(lab, 42, 4);
    let y_pred = lab.random(42 * 4);
    let plain = ClassPairs {
        classes: 4,
        pairs: 42,
        y_true: ClassOf::Number,
        y_pred: ClassOf::Maximum { len: 4, stride: 1 },
        ignored: None,
        pairs_per_weight: 2,
        whole_weights: false,
    };
    let all = [
        plain,
        ClassPairs {
            y_pred: ClassOf::Maximum { len: 4, stride: 7 },
            ignored: Some(2),
            ..plain
        },
        ClassPairs {
            y_pred: ClassOf::AtLeast(0.3),
            whole_weights: true,
            ..plain
        },
    ];
    for (at, pairs) in all.iter().enumerate() {
        for weights in [None, Some(&weights)] {
            let mut sums = lab.random(2 * 16);
            lab.device.class_counts(
                pairs,
                of_class.read(),
                y_pred.read(),
                weights.map(|weights| weights.read()),
                sums.write(),
            );
            lab.keep(format!("pairs {at}"), &sums);
        }
    }
}

/// Products and whether a prediction is the largest of its row.
#[derive(Clone, Copy)]
struct Column;

impl ColumnFunction<3> for Column {
    fn values<F: Float>(&self, t: F, p: F, max: F, weight: F) -> [F; 3] {
        let is_largest = if p == max { F::one() } else { F::zero() };
        [weight * t * p, weight, weight * is_largest]
    }
}

/// What does without the largest prediction.
#[derive(Clone, Copy)]
struct Residual;

impl ColumnFunction<1> for Residual {
    fn values<F: Float>(&self, t: F, p: F, _max: F, weight: F) -> [F; 1] {
        [weight * (t - p) * (t - p)]
    }
}

pub fn columns<D: Device>(lab: &mut Lab<D>) {
    for (rows, columns) in [(3, 1), (300, 5)] {
        let grid = Grid {
            rows,
            columns,
            elements_per_weight: columns,
        };
        let (y_true, y_pred) = (lab.random(rows * columns), lab.random(rows * columns));
        let weights = lab.probabilities(rows);
        for weights in [None, Some(&weights)] {
            let weights = weights.map(|weights| weights.read());
            let totals = lab.numbers(3 * columns);
            // The second half is the device's; only the totals are compared.
            let mut sums = lab.of(&[&totals[..], &totals].concat());
            let (t, p) = (y_true.read(), y_pred.read());
            lab.device
                .column_sums(Column, grid, t, p, weights, sums.write());
            let sums = lab.half(&sums);
            lab.keep(format!("{rows} rows"), &sums);
            let totals = lab.numbers(columns);
            let mut sums = lab.of(&[&totals[..], &totals].concat());
            lab.device
                .column_sums(Residual, grid, t, p, weights, sums.write());
            let sums = lab.half(&sums);
            lab.keep(format!("residuals of {rows} rows"), &sums);
        }
    }
}

pub fn scalars<D: Device>(lab: &mut Lab<D>) {
    use Elementary::{Abs, Exp, Log, Scale, Shift, Sqrt, Square};
    const TERMS: [Term; 4] = [
        Term {
            before: &[Square, Scale(0.5)],
            reduce: Reduce::Mean,
            after: &[Sqrt],
        },
        Term {
            before: &[Abs, Shift(1.0), Log],
            reduce: Reduce::Sum,
            after: &[Scale(3.0)],
        },
        Term {
            before: &[Exp],
            reduce: Reduce::Max,
            after: &[Log, Square],
        },
        Term {
            before: &[Scale(-2.0)],
            reduce: Reduce::Min,
            after: &[Shift(1.0), Exp],
        },
    ];
    for term in TERMS {
        for len in [1, 300, 3001] {
            let (x, d) = (lab.random(len), lab.random(2));
            let (mut to, mut d_x) = (lab.random(2), lab.poisoned(len));
            lab.device.add_scalar(term, x.read(), to.write());
            lab.keep(format!("{term:?}"), &to);
            lab.device
                .scalar_gradient(term, x.read(), d.read(), d_x.write());
            lab.keep(format!("the gradient of {term:?}"), &d_x);
        }
    }
}
