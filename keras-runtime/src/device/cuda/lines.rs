//! Losses and metrics of lines, by their programs.

use super::context::{
    Area, Argument, Driver, THREADS, View, ViewMut, count, optional, optional_mut,
};
use super::rows::Batch;
use super::sums::{self, Of};
use super::trace::{Formula, LINES as LINES_HEADER, Program, Written};
use crate::device::axes::Places;
use crate::device::{Reduction, Rows};

static LINES: Area = Area {
    name: "lines",
    source: include_str!("lines.cu"),
};

/// What there is for a function of a batch.
pub enum BatchKernel {
    /// The formula of a pair, of which the function is the mean over the last axis.
    Pairs(Formula),
    /// A function of lines.
    Lines {
        function: OfLine,
        places: Places,
        /// Lines whose one target is this number are left out.
        ignored: Option<f32>,
    },
}

/// The classification of sequences: logits (steps, classes) and a label for each sample.
pub struct Ctc {
    classes: usize,
    /// The numbers of memory that a sample needs: its totals, forward and backward variables.
    memory: usize,
}

impl Ctc {
    pub fn new(steps: usize, classes: usize, symbols: usize) -> Self {
        let places = 2 * symbols + 1;
        Self {
            classes,
            memory: steps + (steps + 2) * places,
        }
    }
}

impl Written for Ctc {
    fn key(&self) -> u64 {
        self.classes as u64
    }

    fn code(&self) -> String {
        let (classes, text) = (self.classes, include_str!("ctc.cuh"));
        format!("{LINES_HEADER}\n#define CLASSES {classes}\n{text}")
    }
}

/// What computes the value and the gradient of a line.
pub enum OfLine {
    Program(Program),
    Ctc(Ctc),
}

/// The axes that a kernel has room for.
const AXES: usize = 8;

/// Lines that are longer than this are taken by blocks.
const LONG: usize = 1024;

/// The most parts of a sum over lines.
const PARTS: usize = 512;

/// Where lines are, on the device.
pub struct OnDevice {
    rows: Rows,
    axes: Vec<(usize, bool)>,
    are_slices: bool,
    /// What is counted for each weight: a value, or all of them where there are more weights than values.
    uses: usize,
}

impl OnDevice {
    /// The lines of a batch.
    pub fn of(places: &Places, samples: usize, weights: Option<usize>) -> Self {
        let weights = weights.unwrap_or(1).max(1);
        let is_shared = places.count.is_multiple_of(weights);
        Self {
            rows: Rows {
                samples,
                rows: places.count,
                true_width: 1,
                width: places.width,
                rows_per_weight: if is_shared {
                    (places.count / weights).max(1)
                } else {
                    places.count
                },
            },
            axes: places.axes(),
            are_slices: places.are_slices,
            uses: if is_shared { 1 } else { weights },
        }
    }

    /// Lines that are rows.
    pub fn rows(rows: Rows) -> Self {
        Self {
            rows: Rows {
                true_width: 1,
                ..rows
            },
            axes: Vec::new(),
            are_slices: true,
            uses: 1,
        }
    }
}

/// What a program is run on.
pub struct Run<'a, R: Driver> {
    pub lines: OnDevice,
    pub function: &'a OfLine,
    pub ignored: Option<f32>,
    pub y_true: View<'a, R>,
    pub y_pred: View<'a, R>,
    pub weights: Option<View<'a, R>>,
}

impl<'a, R: Driver> Run<'a, R> {
    /// See [`BatchSums::batch_loss`](crate::device::BatchSums::batch_loss).
    pub fn loss(
        &self,
        reduction: Reduction,
        gradient: Option<(&ViewMut<'_, R>, f32)>,
        values: Option<&ViewMut<'_, R>>,
        to: &ViewMut<'_, R>,
    ) {
        // As with TensorFlow: training on several losses makes their sum small, and shows their mean.
        let shown = match reduction {
            Reduction::None => Reduction::SumOverBatchSize,
            reduction => reduction,
        };
        let batch = self.batch();
        let mut sums = batch.sums(shown, self.memory());
        if shown != Reduction::Sum && sums.scale == 0 {
            sums.factor /= self.lines.uses as f32;
        }
        let (scale, factor) = match reduction {
            Reduction::None => (0, 1.0),
            _ => (sums.scale, sums.factor),
        };
        let factor = gradient.map_or(0.0, |(_, factor)| factor) * factor;
        let gradient = gradient.map(|(gradient, _)| gradient);
        let parts = self.launch(1, sums.parts, gradient, values, factor, scale);
        batch.finish(&sums, parts, 1.0, to);
    }

    /// See [`BatchSums::batch_mean`](crate::device::BatchSums::batch_mean); the values stand for so many
    /// samples.
    pub fn mean(&self, samples: usize, to: &ViewMut<'_, R>) {
        let batch = self.batch();
        let sums = batch.sums(Reduction::Sum, self.memory());
        let parts = self.launch(2, sums.parts, None, None, 0.0, 0);
        let share = samples as f32 / self.lines.rows.rows.max(1) as f32;
        sums::finish(self.y_pred.context, sums.parts, [parts, 2], share, 0, to);
    }

    /// The lines as rows of one number, as far as weights and what is left out are concerned.
    fn batch(&self) -> Batch<'a, R> {
        Batch {
            rows: self.lines.rows,
            ignored: self.ignored,
            y_true: self.y_true,
            y_pred: self.y_pred,
            weights: self.weights,
        }
    }

    /// The numbers of memory that all lines need.
    fn memory(&self) -> usize {
        match self.function {
            OfLine::Program(_) => 0,
            OfLine::Ctc(ctc) => ctc.memory * self.lines.rows.rows,
        }
    }

    /// Runs the function on every line, and says how many parts the sums have.
    fn launch(
        &self,
        numbers: u32,
        parts: u64,
        gradient: Option<&ViewMut<'_, R>>,
        values: Option<&ViewMut<'_, R>>,
        factor: f32,
        scale: u64,
    ) -> usize {
        let Rows {
            rows,
            width,
            rows_per_weight,
            ..
        } = self.lines.rows;
        let weights = match self.weights {
            // Every value is counted with all weights: with their sum, which lies behind the parts.
            Some(weights) if self.lines.uses > 1 => {
                let total = parts + 4 * (2 * PARTS) as u64;
                sums::total_parts(1.0, weights, Of::Numbers, parts);
                sums::total(
                    weights.context,
                    parts,
                    sums::parts(weights.len),
                    total,
                    false,
                );
                Argument::Address(total)
            }
            weights => optional(weights),
        };
        let behind = |at: usize| parts + 4 * (2 * PARTS + at) as u64;
        let (variant, counts_others, is_long, memory): (&dyn Written, _, _, _) = match self.function
        {
            OfLine::Program(program) => (program, program.counts_others(), width > LONG, None),
            OfLine::Ctc(ctc) => (ctc, false, true, Some(ctc.memory)),
        };
        let variant = Some(("PROGRAM", variant));
        let context = self.y_pred.context;
        if counts_others {
            let (of, count_of) = (self.y_true, sums::parts(self.y_true.len));
            let arguments = [of.argument(), Argument::Address(parts), count(of.len)];
            context.launch(&LINES, "other_targets", variant, [count_of, 1], &arguments);
            sums::total(context, parts, count_of, behind(1), false);
        }
        let threads = if is_long { THREADS } else { 32 };
        let grid = [rows.div_ceil(THREADS / threads).clamp(1, PARTS), 1];
        let word = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        let has_own_targets = memory.is_some() || self.y_true.len < rows * width;
        let targets = if has_own_targets {
            word(self.y_true.len)
        } else {
            0
        };
        let axes = self.lines.axes.iter().enumerate();
        let along = axes.fold(0, |along, (at, (_, is_along))| {
            along | u32::from(*is_along) << at
        });
        let mut words = [1; 10 + AXES];
        words[..8].copy_from_slice(&[
            word(rows),
            word(width),
            targets,
            word(rows_per_weight),
            word(threads),
            self.lines.are_slices.into(),
            word(self.lines.axes.len()),
            along,
        ]);
        for (word_of, (size, _)) in words[8..8 + AXES].iter_mut().zip(&self.lines.axes) {
            *word_of = word(*size);
        }
        words[8 + AXES] = self.ignored.is_some().into();
        words[9 + AXES] = self.ignored.unwrap_or(0.0).to_bits();
        let arguments = [
            self.y_true.argument(),
            self.y_pred.argument(),
            weights,
            optional_mut(gradient),
            optional_mut(values),
            Argument::Address(parts),
            Argument::Words(&words),
            Argument::Count(numbers),
            Argument::Number(factor),
            Argument::Address(scale),
            Argument::Address(if counts_others { behind(1) } else { 0 }),
            Argument::Address(memory.map_or(0, |_| behind(2))),
            count(memory.unwrap_or(0)),
        ];
        context.launch(&LINES, "lines", variant, grid, &arguments);
        grid[0]
    }
}
