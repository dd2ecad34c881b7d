//! What metrics count: predictions beyond thresholds, classes taken for each other, sums of columns.
//!
//! Every sum is collected for the batch and then added to the total, so that it stays exact long
//! after single counts would be too small to change it: the second half of `sums` is the device's,
//! for the batch.

use super::host::on_hosts;
use super::{Float, Memory, Rows, cpu};

/// Targets and predictions of one shape: rows along the last axis, and columns across.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The rows.
    pub rows: usize,
    /// The columns.
    pub columns: usize,
    /// How many elements, one after the other, share a sample weight.
    pub elements_per_weight: usize,
}

impl Grid {
    /// The grid of these rows, with so many weights for each sample.
    pub fn of(rows: Rows, weights_per_sample: usize) -> Self {
        let per_sample = rows.rows * rows.width / rows.samples.max(1);
        Self {
            rows: rows.rows,
            columns: rows.width,
            elements_per_weight: per_sample / weights_per_sample.clamp(1, per_sample.max(1)),
        }
    }
}

/// How far apart thresholds are, which decides how Keras finds those below a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// A prediction is compared with them.
    Any,
    /// Threshold i of n is `i / (n - 1)`: `⌈p (n - 1)⌉` of them are below p.
    Even,
    /// The same, but for the first and the last one, which are below 0 and above 1.
    EvenWithEnds,
}

/// What makes a prediction positive.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds<'a> {
    /// Ascending. A prediction is positive if it is greater.
    pub values: &'a [f32],
    /// How far apart they are.
    pub spacing: Spacing,
    /// Whether predictions are logits, to be taken through a sigmoid first.
    pub from_logits: bool,
    /// Only so many of the largest predictions of a row can be positive; the first of equal ones.
    pub top_k: Option<usize>,
    /// The only column that is counted.
    pub column: Option<usize>,
    /// Whether each column has counts of its own.
    pub by_column: bool,
    /// A weight for each column; all of them are 1 if there is none.
    pub column_weights: &'a [f32],
}

impl Thresholds<'_> {
    /// How many counts there are for so many columns: for targets of 0 and others, for every number
    /// of thresholds below a prediction.
    pub fn counts(&self, columns: usize) -> usize {
        2 * (self.values.len() + 1) * if self.by_column { columns } else { 1 }
    }
}

/// What the number of a class is read from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClassOf {
    /// The number itself, without its fraction.
    Number,
    /// Where the first maximum is among so many elements, so far apart.
    Maximum {
        /// How many.
        len: usize,
        /// How far apart.
        stride: usize,
    },
    /// 1 if the number is at least this one.
    AtLeast(f32),
}

/// How classes are counted that are taken for each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassPairs {
    /// The number of classes. Others are not counted.
    pub classes: usize,
    /// The number of pairs.
    pub pairs: usize,
    /// The class of a target.
    pub y_true: ClassOf,
    /// The class of a prediction.
    pub y_pred: ClassOf,
    /// Targets of this class are not counted.
    pub ignored: Option<i32>,
    /// How many pairs, one after the other, share a sample weight.
    pub pairs_per_weight: usize,
    /// Whether weights lose their fraction.
    pub whole_weights: bool,
}

/// Values of one target and one prediction, to be summed for each column.
pub trait ColumnFunction<const N: usize>: Copy + Send + Sync {
    /// The values; `max` is the largest prediction of the row.
    fn values<F: Float>(&self, y_true: F, y_pred: F, max: F, weight: F) -> [F; N];
}

/// Sums that metrics begin with.
pub trait Counts: Memory {
    /// With b thresholds below a prediction: `sums[is_positive][b][column] += weight`, where
    /// `is_positive` is 1 for a target other than 0. The shape of `sums` is
    /// (2, thresholds + 1, columns), or one column if they are not apart.
    fn threshold_counts(
        &self,
        thresholds: &Thresholds<'_>,
        grid: Grid,
        y_true: Self::Slice<'_>,
        y_pred: Self::Slice<'_>,
        weights: Option<Self::Slice<'_>>,
        sums: Self::SliceMut<'_>,
    );

    /// `sums[t][p] += weight` for each pair of a target of class t and a prediction of class p. The
    /// shape of `sums` is (classes, classes).
    fn class_counts(
        &self,
        pairs: &ClassPairs,
        y_true: Self::Slice<'_>,
        y_pred: Self::Slice<'_>,
        weights: Option<Self::Slice<'_>>,
        sums: Self::SliceMut<'_>,
    );

    /// `sums[n][column] += values[n]`, over the rows. The shape of `sums` is (N, columns).
    fn column_sums<const N: usize, C: ColumnFunction<N>>(
        &self,
        function: C,
        grid: Grid,
        y_true: Self::Slice<'_>,
        y_pred: Self::Slice<'_>,
        weights: Option<Self::Slice<'_>>,
        sums: Self::SliceMut<'_>,
    );
}

on_hosts! {
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
            cpu::counts::threshold_counts(thresholds, grid, y_true, y_pred, weights, sums);
        }

        fn class_counts(
            &self,
            pairs: &ClassPairs,
            y_true: Self::Slice<'_>,
            y_pred: Self::Slice<'_>,
            weights: Option<Self::Slice<'_>>,
            sums: Self::SliceMut<'_>,
        ) {
            cpu::counts::class_counts(pairs, y_true, y_pred, weights, sums);
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
            cpu::counts::column_sums(function, grid, y_true, y_pred, weights, sums);
        }
    }
}
