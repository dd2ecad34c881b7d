//! Losses and metrics of rows. A function of pairs is known by its formula, some functions of rows by
//! kernels of their own; others are computed on the host.

use std::sync::MutexGuard;

use super::activations::warps;
use super::context::{
    Area, Argument, Context, Driver, Scratch, View, ViewMut, count, optional, optional_mut,
};
use super::lines::{OfLine, OnDevice, Run};
use super::sums::{self, Of};
use super::trace::{Formula, Program, Written};
use super::{host, on_gpus};
use crate::device::{ClassTargets, Cpu, Reduction, RowFunction, RowKernel, RowLoss, RowSums, Rows};

static ROWS: Area = Area {
    name: "rows",
    source: include_str!("rows.cu"),
};

/// The most parts of a sum over rows that warps take.
const PARTS: usize = 512;

/// The number of a function in `rows.cu`, and its argument.
fn arguments_of(kernel: RowKernel) -> [Argument<'static>; 2] {
    let (number, k) = match kernel {
        RowKernel::SameClass => (0, 0),
        RowKernel::IsClass => (1, 0),
        RowKernel::InTopK { k } => (2, k),
        RowKernel::ClassInTopK { k } => (3, k),
    };
    [Argument::Count(number), count(k)]
}

/// The targets, the predictions and the weights of a batch, and what is known of their sums.
pub struct Batch<'a, R: Driver> {
    pub rows: Rows,
    pub ignored: Option<f32>,
    pub y_true: View<'a, R>,
    pub y_pred: View<'a, R>,
    pub weights: Option<View<'a, R>>,
}

/// A kernel that adds a loss up, a part for each block. Its arguments are the targets, the predictions,
/// the weights, the gradient, the parts, the rows, those of its own, and what the gradient is multiplied
/// with.
struct LossKernel<'a> {
    name: &'static str,
    /// The function, of a kernel that is compiled for one.
    formula: Option<&'a Formula>,
    predictions: &'a [Argument<'a>],
    own: &'a [Argument<'a>],
    parts: usize,
    /// What a number counts in the mean over its row.
    share: f32,
}

/// Memory for the sums of parts, after the scale that they are multiplied with.
pub struct Sums<'a> {
    _lock: MutexGuard<'a, Scratch>,
    /// Where a number lies that everything is multiplied with, or 0.
    pub scale: u64,
    /// What everything is multiplied with besides.
    pub factor: f32,
    /// Room for two numbers of each part, two more, and what else was asked for.
    pub parts: u64,
}

impl<'a, R: Driver> Batch<'a, R> {
    fn context(&self) -> &'a Context<R> {
        self.y_pred.context
    }

    /// The rows in the words of the kernels.
    fn words(&self) -> [u32; 6] {
        let rows = &self.rows;
        let [all, true_width, width, per_weight] =
            [rows.rows, rows.true_width, rows.width, rows.rows_per_weight]
                .map(|size| u32::try_from(size).unwrap_or(u32::MAX));
        let has_ignored = self.ignored.is_some().into();
        let ignored = self.ignored.unwrap_or(0.0).to_bits();
        [all, true_width, width, per_weight, has_ignored, ignored]
    }

    /// Memory, and one over the denominator of a reduction: known, or computed on the device.
    pub fn sums(&self, reduction: Reduction, memory: usize) -> Sums<'a> {
        let (lock, scratch) = self
            .context()
            .scratch(3 + 2 * PARTS.max(sums::parts(usize::MAX)) + memory);
        let parts = scratch + 4;
        let by_weight = reduction == Reduction::MeanWithSampleWeight && self.weights.is_some();
        let (scale, factor) = match (reduction, self.ignored) {
            (Reduction::Sum | Reduction::None, _) => (0, 1.0),
            (_, None) if !by_weight => (0, 1.0 / self.rows.rows.max(1) as f32),
            (_, None) => {
                // A weight counts once here, however many rows it stands for.
                if let Some(weights) = self.weights {
                    sums::total_parts(1.0, weights, Of::Numbers, parts);
                    let parts_count = sums::parts(weights.len);
                    sums::total(self.context(), parts, parts_count, scratch, true);
                }
                (scratch, 1.0)
            }
            (_, Some(_)) => {
                let words = self.words();
                let arguments = [
                    self.y_true.argument(),
                    optional(self.weights.filter(|_| by_weight)),
                    Argument::Address(parts),
                    Argument::Words(&words),
                ];
                let grid = [sums::parts(self.rows.rows), 1];
                self.context()
                    .launch(&ROWS, "counted_parts", None, grid, &arguments);
                sums::total(self.context(), parts, grid[0], scratch, true);
                (scratch, 1.0)
            }
        };
        Sums {
            _lock: lock,
            scale,
            factor,
            parts,
        }
    }

    /// `to[0] += samples · scale · Σ parts`.
    pub fn finish(&self, sums: &Sums<'_>, parts: usize, share: f32, to: &ViewMut<'_, R>) {
        let factor = self.rows.samples as f32 * sums.factor * share;
        let dims = [parts, 1];
        sums::finish(self.context(), sums.parts, dims, factor, sums.scale, to);
    }

    /// Adds a loss to the sum, and writes the gradient where there is one.
    fn loss(
        &self,
        kernel: LossKernel<'_>,
        reduction: Reduction,
        gradient: Option<(&ViewMut<'_, R>, f32)>,
        to: &ViewMut<'_, R>,
    ) {
        let LossKernel {
            name,
            formula,
            predictions,
            own,
            parts,
            share,
        } = kernel;
        let sums = self.sums(reduction, 0);
        let words = self.words();
        let factor = gradient.map_or(0.0, |(_, factor)| factor) * sums.factor * share;
        let mut arguments = vec![self.y_true.argument()];
        arguments.extend_from_slice(predictions);
        arguments.extend([
            optional(self.weights),
            optional_mut(gradient.map(|(gradient, _)| gradient)),
            Argument::Address(sums.parts),
            Argument::Words(&words),
        ]);
        arguments.extend_from_slice(own);
        arguments.extend([Argument::Number(factor), Argument::Address(sums.scale)]);
        let variant = formula.map(|formula| ("LOSS", formula as &dyn Written));
        self.context()
            .launch(&ROWS, name, variant, [parts, 1], &arguments);
        self.finish(&sums, parts, share, to);
    }

    /// A loss of pairs.
    pub fn pair_loss(
        &self,
        formula: &Formula,
        reduction: Reduction,
        gradient: Option<(&ViewMut<'_, R>, f32)>,
        to: &ViewMut<'_, R>,
    ) {
        let kernel = LossKernel {
            name: "pair_loss",
            formula: Some(formula),
            predictions: &[self.y_pred.argument()],
            own: &[Argument::Numbers(formula.constants())],
            parts: sums::parts(self.rows.rows * self.rows.width),
            share: 1.0 / self.rows.width as f32,
        };
        self.loss(kernel, reduction, gradient, to);
    }

    fn softmax_loss(
        &self,
        targets: ClassTargets,
        reduction: Reduction,
        input_and_output: [View<'_, R>; 2],
        gradient: Option<(&ViewMut<'_, R>, f32)>,
        to: &ViewMut<'_, R>,
    ) {
        let (are_numbers, smoothing) = match targets {
            ClassTargets::Numbers { .. } => (true, 0.0),
            ClassTargets::Probabilities { smoothing } => (false, smoothing),
        };
        let kernel = LossKernel {
            name: "softmax_loss",
            formula: None,
            predictions: &input_and_output.map(View::argument),
            own: &[
                Argument::Count(are_numbers.into()),
                Argument::Number(smoothing),
            ],
            parts: self.warp_parts(),
            share: 1.0,
        };
        self.loss(kernel, reduction, gradient, to);
    }

    /// How many parts a sum over rows has that are taken by warps, a block for each.
    fn warp_parts(&self) -> usize {
        warps(self.rows.rows)[0].clamp(1, PARTS)
    }

    /// `to += (Σ w f, Σ w) / r` with r rows a sample.
    pub fn mean(&self, kernel: Option<RowKernel>, formula: Option<&Formula>, to: &ViewMut<'_, R>) {
        let sums = self.sums(Reduction::Sum, 0);
        let words = self.words();
        let mut share = self.rows.samples as f32 / self.rows.rows as f32;
        let mut arguments = vec![
            self.y_true.argument(),
            self.y_pred.argument(),
            optional(self.weights),
            Argument::Address(sums.parts),
            Argument::Words(&words),
        ];
        let (name, parts) = match (kernel, formula) {
            (_, Some(formula)) => {
                share /= self.rows.width as f32;
                arguments.push(Argument::Numbers(formula.constants()));
                ("pair_mean", sums::parts(self.rows.rows * self.rows.width))
            }
            (Some(kernel), None) => {
                arguments.extend(arguments_of(kernel));
                ("row_mean", self.warp_parts())
            }
            (None, None) => return,
        };
        let variant = formula.map(|formula| ("VALUE", formula as &dyn Written));
        self.context()
            .launch(&ROWS, name, variant, [parts, 1], &arguments);
        let dims = [parts, 2];
        sums::finish(self.context(), sums.parts, dims, share, 0, to);
    }
}

on_gpus! {
    impl RowSums {
        fn row_loss<L: RowLoss>(
            &self,
            loss: L,
            reduction: Reduction,
            rows: Rows,
            y_true: Self::Slice<'_>,
            y_pred: Self::Slice<'_>,
            weights: Option<Self::Slice<'_>>,
            gradient: Option<(Self::SliceMut<'_>, f32)>,
            sums: Self::SliceMut<'_>,
        ) {
            let ignored = loss.ignored_target();
            let batch = Batch { rows, ignored, y_true, y_pred, weights };
            let to = gradient.as_ref().map(|(gradient, factor)| (gradient, *factor));
            let formula = Formula::of(2, &|x, y| {
                if let Some((value, slope)) = loss.pair_and_gradient(x[0], x[1]) {
                    y.extend([value, slope]);
                }
            });
            if let Some(formula) = formula.filter(Formula::has_results) {
                return batch.pair_loss(&formula, reduction, to, &sums);
            }
            if let Some(program) = Program::of_row(true, &loss) {
                let lines = OnDevice::rows(rows);
                let function = &OfLine::Program(program);
                let run = Run { lines, function, ignored, y_true, y_pred, weights };
                return run.loss(reduction, to, None, &sums);
            }
            let (y_true, y_pred) = (host::fetch(y_true), host::fetch(y_pred));
            let weights = host::fetch_optional(weights);
            host::change(&sums, |sums| {
                let run = |gradient: Option<(&mut [f32], f32)>, sums: &mut [f32]| {
                    let weights = weights.as_deref();
                    Cpu::default()
                        .row_loss(loss, reduction, rows, &y_true, &y_pred, weights, gradient, sums);
                };
                match to {
                    Some((to, factor)) => host::write(to, |to| run(Some((to, factor)), sums)),
                    None => run(None, sums),
                }
            });
        }
        fn softmax_loss(
            &self,
            targets: ClassTargets,
            reduction: Reduction,
            rows: Rows,
            y_true: Self::Slice<'_>,
            input_and_output: [Self::Slice<'_>; 2],
            weights: Option<Self::Slice<'_>>,
            gradient: Option<(Self::SliceMut<'_>, f32)>,
            sums: Self::SliceMut<'_>,
        ) {
            let ignored = match targets {
                ClassTargets::Numbers { ignored } => ignored,
                ClassTargets::Probabilities { .. } => None,
            };
            let y_pred = input_and_output[1];
            let batch = Batch { rows, ignored, y_true, y_pred, weights };
            let to = gradient.as_ref().map(|(gradient, factor)| (gradient, *factor));
            batch.softmax_loss(targets, reduction, input_and_output, to, &sums);
        }
        fn row_mean<M: RowFunction>(
            &self,
            function: M,
            rows: Rows,
            y_true: Self::Slice<'_>,
            y_pred: Self::Slice<'_>,
            weights: Option<Self::Slice<'_>>,
            sums: Self::SliceMut<'_>,
        ) {
            if rows.rows == 0 {
                return;
            }
            let ignored = function.ignored_target();
            let batch = Batch { rows, ignored, y_true, y_pred, weights };
            let formula = Formula::of(2, &|x, y| y.extend(function.pair(x[0], x[1])));
            let formula = formula.filter(Formula::has_results);
            if formula.is_some() || function.kernel().is_some() {
                return batch.mean(function.kernel(), formula.as_ref(), &sums);
            }
            if let Some(program) = Program::of_function(&function) {
                let lines = OnDevice::rows(rows);
                let function = &OfLine::Program(program);
                let run = Run { lines, function, ignored, y_true, y_pred, weights };
                return run.mean(rows.samples, &sums);
            }
            let (y_true, y_pred) = (host::fetch(y_true), host::fetch(y_pred));
            let weights = host::fetch_optional(weights);
            host::change(&sums, |sums| {
                let weights = weights.as_deref();
                Cpu::default().row_mean(function, rows, &y_true, &y_pred, weights, sums);
            });
        }
    }
}
