//! What metrics count.

use super::context::{Area, Argument, Driver, View, ViewMut, blocks, count, optional};
use super::memory;
use super::trace::{Formula, Written};
use super::{host, on_gpus};
use crate::device::{ClassOf, ClassPairs, ColumnFunction, Counts, Cpu, Grid, Spacing, Thresholds};

static COUNTS: Area = Area {
    name: "counts",
    source: include_str!("counts.cu"),
};

/// The values of a column function that the kernel has room for.
const VALUES: usize = 8;

fn word(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// Has the counts of a batch collected, in the second half of `sums`, and adds them to the first.
fn collect<R: Driver>(sums: ViewMut<'_, R>, work: impl FnOnce(&ViewMut<'_, R>)) {
    let half = sums.len / 2;
    let (totals, batch) = sums.split(half);
    memory::fill(&batch, 0.0);
    work(&batch);
    memory::add(batch.read(), &totals);
}

fn threshold_counts<R: Driver>(
    thresholds: &Thresholds<'_>,
    grid: Grid,
    y_true: View<'_, R>,
    y_pred: View<'_, R>,
    weights: Option<View<'_, R>>,
    sums: ViewMut<'_, R>,
) {
    let context = y_pred.context;
    let (values, of_columns) = (thresholds.values, thresholds.column_weights);
    let (_lock, scratch) = context.scratch(values.len() + of_columns.len());
    let of_columns_at = scratch + 4 * values.len() as u64;
    context.upload_to(values, scratch);
    context.upload_to(of_columns, of_columns_at);
    let (first, counted) = thresholds
        .column
        .map_or((0, grid.columns), |column| (column, 1));
    let words = [
        word(grid.rows),
        word(grid.columns),
        word(first),
        word(counted),
        word(grid.elements_per_weight),
        word(values.len()),
        match thresholds.spacing {
            Spacing::Any => 0,
            Spacing::Even => 1,
            Spacing::EvenWithEnds => 2,
        },
        thresholds.from_logits.into(),
        thresholds.top_k.is_some().into(),
        word(thresholds.top_k.unwrap_or(0)),
        thresholds.by_column.into(),
        (!of_columns.is_empty()).into(),
    ];
    collect(sums, |batch| {
        let arguments = [
            y_true.argument(),
            y_pred.argument(),
            optional(weights),
            Argument::Address(scratch),
            Argument::Address(of_columns_at),
            batch.argument(),
            Argument::Words(&words),
        ];
        let blocks = blocks(grid.rows * counted);
        context.launch(&COUNTS, "threshold_counts", None, blocks, &arguments);
    });
}

/// (kind, len, stride, threshold) in the words of the kernel.
fn class_words(of: ClassOf) -> [u32; 4] {
    match of {
        ClassOf::Number => [0; 4],
        ClassOf::Maximum { len, stride } => [1, word(len), word(stride), 0],
        ClassOf::AtLeast(threshold) => [2, 0, 0, threshold.to_bits()],
    }
}

fn class_counts<R: Driver>(
    pairs: &ClassPairs,
    y_true: View<'_, R>,
    y_pred: View<'_, R>,
    weights: Option<View<'_, R>>,
    sums: ViewMut<'_, R>,
) {
    let (of_true, of_pred) = (class_words(pairs.y_true), class_words(pairs.y_pred));
    collect(sums, |batch| {
        let arguments = [
            y_true.argument(),
            y_pred.argument(),
            optional(weights),
            batch.argument(),
            Argument::Words(&of_true),
            Argument::Words(&of_pred),
            count(pairs.classes),
            Argument::Count(pairs.ignored.is_some().into()),
            Argument::Number(pairs.ignored.unwrap_or(0) as f32),
            count(pairs.pairs_per_weight),
            Argument::Count(pairs.whole_weights.into()),
            count(pairs.pairs),
        ];
        let grid = blocks(pairs.pairs);
        let context = y_pred.context;
        context.launch(&COUNTS, "class_counts", None, grid, &arguments);
    });
}

#[allow(clippy::too_many_arguments)]
fn column_sums<R: Driver>(
    formula: &Formula,
    values: usize,
    grid: Grid,
    y_true: View<'_, R>,
    y_pred: View<'_, R>,
    weights: Option<View<'_, R>>,
    sums: &ViewMut<'_, R>,
) {
    let arguments = [
        y_true.argument(),
        y_pred.argument(),
        optional(weights),
        sums.argument(),
        count(grid.rows),
        count(grid.columns),
        count(grid.elements_per_weight),
        count(values),
        Argument::Count(formula.reads(2).into()),
        Argument::Numbers(formula.constants()),
    ];
    let variant = Some(("COLUMNS", formula as &dyn Written));
    let blocks = [grid.columns, 1];
    sums.context
        .launch(&COUNTS, "column_sums", variant, blocks, &arguments);
}

on_gpus! {
    impl Counts {
        fn threshold_counts(
            &self,
            thresholds: &Thresholds<'_>,
            grid: Grid,
            y_true: Self::Slice<'_>,
            y_pred: Self::Slice<'_>,
            weights: Option<Self::Slice<'_>>,
            sums: Self::SliceMut<'_>,
        ) {
            threshold_counts(thresholds, grid, y_true, y_pred, weights, sums);
        }

        fn class_counts(
            &self,
            pairs: &ClassPairs,
            y_true: Self::Slice<'_>,
            y_pred: Self::Slice<'_>,
            weights: Option<Self::Slice<'_>>,
            sums: Self::SliceMut<'_>,
        ) {
            class_counts(pairs, y_true, y_pred, weights, sums);
        }

        fn column_sums<const N: usize, C: ColumnFunction<N>>(
            &self,
            function: C,
            grid: Grid,
            y_true: Self::Slice<'_>,
            y_pred: Self::Slice<'_>,
            weights: Option<Self::Slice<'_>>,
            sums: Self::SliceMut<'_>,
        ) {
            let formula =
                Formula::of(4, &|x, y| y.extend(function.values(x[0], x[1], x[2], x[3])));
            if let (Some(formula), true) = (formula, N <= VALUES) {
                return column_sums(&formula, N, grid, y_true, y_pred, weights, &sums);
            }
            let (y_true, y_pred) = (host::fetch(y_true), host::fetch(y_pred));
            let weights = host::fetch_optional(weights);
            host::change(&sums, |sums| {
                let weights = weights.as_deref();
                Cpu::default().column_sums(function, grid, &y_true, &y_pred, weights, sums);
            });
        }
    }
}
