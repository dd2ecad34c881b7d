//! Counts and sums of metrics. They are bound by memory or by a lookup for each element, so they are
//! compiled for the baseline of the target only.

use super::math;
use super::simd::Separate;
use crate::device::float::Float;
use crate::device::{ClassOf, ClassPairs, ColumnFunction, Grid, Spacing, Thresholds};

/// See [`Counts::threshold_counts`](crate::device::Counts::threshold_counts).
pub fn threshold_counts<F: Float>(
    thresholds: &Thresholds<'_>,
    grid: Grid,
    y_true: &[F],
    y_pred: &[F],
    weights: Option<&[F]>,
    sums: &mut [F],
) {
    let counted = match thresholds.column {
        Some(column) => column..column + 1,
        None => 0..grid.columns,
    };
    let columns = if thresholds.by_column {
        grid.columns
    } else {
        1
    };
    let buckets = thresholds.values.len() + 1;
    let batch = Batch::new(sums);
    for row in 0..grid.rows {
        let first = row * grid.columns;
        let predictions = &y_pred[first..][..grid.columns];
        for column in counted.clone() {
            let is_among = thresholds
                .top_k
                .is_none_or(|k| is_among_largest(predictions, column, k));
            let bucket = if is_among {
                bucket(thresholds, predictions[column])
            } else {
                0
            };
            let element = first + column;
            let mut weight = grid.weight(element, weights);
            if let Some(of_column) = thresholds.column_weights.get(column) {
                weight *= F::from_f32(*of_column);
            }
            let is_positive = usize::from(y_true[element] != F::zero());
            let column = if thresholds.by_column { column } else { 0 };
            batch.sums[(is_positive * buckets + bucket) * columns + column] += weight;
        }
    }
    batch.add_up();
}

/// How many thresholds are below a prediction.
fn bucket<F: Float>(thresholds: &Thresholds<'_>, prediction: F) -> usize {
    let p = if thresholds.from_logits {
        math::sigmoid::<F, Separate>(prediction)
    } else {
        prediction
    };
    let count = thresholds.values.len();
    if thresholds.spacing == Spacing::Any {
        return thresholds
            .values
            .partition_point(|threshold| p > F::from_f32(*threshold));
    }
    let scaled = p.max(F::zero()).min(F::one()) * F::from_usize(count - 1);
    let below = scaled.ceil().to_usize().unwrap_or(0);
    below.max(usize::from(thresholds.spacing == Spacing::EvenWithEnds))
}

/// Whether a prediction is one of the k largest of its row; the first of equal ones are.
fn is_among_largest<F: Float>(row: &[F], column: usize, k: usize) -> bool {
    let chosen = row[column];
    let before = row[..column].iter().filter(|&&p| p >= chosen).count();
    let after = row[column + 1..].iter().filter(|&&p| p > chosen).count();
    before + after < k
}

/// See [`Counts::class_counts`](crate::device::Counts::class_counts).
pub fn class_counts<F: Float>(
    pairs: &ClassPairs,
    y_true: &[F],
    y_pred: &[F],
    weights: Option<&[F]>,
    sums: &mut [F],
) {
    let batch = Batch::new(sums);
    for pair in 0..pairs.pairs {
        let target = class(pairs.y_true, y_true, pair);
        let prediction = class(pairs.y_pred, y_pred, pair);
        if pairs
            .ignored
            .is_some_and(|ignored| target == Some(ignored.into()))
        {
            continue;
        }
        let in_range = |class: Option<i64>| {
            let class = usize::try_from(class?).ok()?;
            (class < pairs.classes).then_some(class)
        };
        if let (Some(t), Some(p)) = (in_range(target), in_range(prediction)) {
            let weight = weights.map_or(F::one(), |weights| weights[pair / pairs.pairs_per_weight]);
            batch.sums[t * pairs.classes + p] += if pairs.whole_weights {
                weight.trunc()
            } else {
                weight
            };
        }
    }
    batch.add_up();
}

/// The class at a place; none for a number that is NaN.
fn class<F: Float>(of: ClassOf, numbers: &[F], at: usize) -> Option<i64> {
    match of {
        ClassOf::Number => numbers[at].to_i64(),
        ClassOf::AtLeast(threshold) => Some((numbers[at] >= F::from_f32(threshold)).into()),
        ClassOf::Maximum { len, stride } => {
            let first = at / stride * stride * len + at % stride;
            let number = |place: usize| numbers[first + place * stride];
            let mut best = 0;
            for place in 1..len {
                if number(place) > number(best) {
                    best = place;
                }
            }
            Some(best as i64)
        }
    }
}

/// See [`Counts::column_sums`](crate::device::Counts::column_sums).
pub fn column_sums<F: Float, const N: usize, C: ColumnFunction<N>>(
    function: C,
    grid: Grid,
    y_true: &[F],
    y_pred: &[F],
    weights: Option<&[F]>,
    sums: &mut [F],
) {
    let batch = Batch::new(sums);
    for row in 0..grid.rows {
        let first = row * grid.columns;
        let predictions = &y_pred[first..][..grid.columns];
        let max = predictions.iter().copied().fold(F::neg_infinity(), F::max);
        for (column, &p) in predictions.iter().enumerate() {
            let element = first + column;
            let weight = grid.weight(element, weights);
            let values = function.values(y_true[element], p, max, weight);
            for (n, value) in values.into_iter().enumerate() {
                batch.sums[n * grid.columns + column] += value;
            }
        }
    }
    batch.add_up();
}

impl Grid {
    /// The weight of an element.
    fn weight<F: Float>(&self, element: usize, weights: Option<&[F]>) -> F {
        weights.map_or(F::one(), |weights| {
            weights[element / self.elements_per_weight]
        })
    }
}

/// The sums of a batch, beside the totals they are added to.
struct Batch<'a, F> {
    totals: &'a mut [F],
    sums: &'a mut [F],
}

impl<'a, F: Float> Batch<'a, F> {
    /// Sums of zero, in the second half.
    fn new(sums: &'a mut [F]) -> Self {
        let (totals, sums) = sums.split_at_mut(sums.len() / 2);
        sums.fill(F::zero());
        Self { totals, sums }
    }

    fn add_up(self) {
        for (total, sum) in self.totals.iter_mut().zip(&*self.sums) {
            *total += *sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Thresholds<'static> = Thresholds {
        values: &[0.25, 0.5],
        spacing: Spacing::Any,
        from_logits: false,
        top_k: None,
        column: None,
        by_column: false,
        column_weights: &[],
    };

    #[test]
    fn a_prediction_on_a_threshold_is_not_above_it() {
        let below = |p: f32| bucket(&PLAIN, p);
        assert_eq!([0.2, 0.25, 0.26, 0.5, 0.6].map(below), [0, 0, 1, 1, 2]);
        assert_eq!(below(f32::NAN), 0);
        let even = Thresholds {
            values: &[0.0, 0.5, 1.0],
            spacing: Spacing::Even,
            ..PLAIN
        };
        let below = |p: f32| bucket(&even, p);
        assert_eq!(
            [-3.0, 0.0, 0.1, 0.5, 0.6, 7.0].map(below),
            [0, 0, 1, 1, 2, 2]
        );
        let with_ends = Thresholds {
            spacing: Spacing::EvenWithEnds,
            ..even
        };
        assert_eq!(
            [-3.0, 0.0, 1.0].map(|p: f32| bucket(&with_ends, p)),
            [1, 1, 2]
        );
    }

    #[test]
    fn the_first_of_equal_predictions_are_the_largest() {
        let row = [0.2f32, 0.7, 0.7, 0.7];
        let among = |k: usize| [0, 1, 2, 3].map(|column| is_among_largest(&row, column, k));
        assert_eq!(among(1), [false, true, false, false]);
        assert_eq!(among(2), [false, true, true, false]);
        assert_eq!(among(4), [true; 4]);
    }

    #[test]
    fn a_maximum_may_lie_along_any_axis() {
        // (1, 3, 2): classes along the second axis.
        let numbers = [0.1f32, 0.9, 0.8, 0.2, 0.8, 0.95];
        let of = ClassOf::Maximum { len: 3, stride: 2 };
        assert_eq!([0, 1].map(|at| class(of, &numbers, at)), [Some(1), Some(2)]);
    }

    #[test]
    fn counts_go_on_beyond_the_whole_numbers_of_f32() {
        let full = 16_777_216.0f32;
        let mut sums = [full, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let pairs = ClassPairs {
            classes: 2,
            pairs: 1000,
            y_true: ClassOf::Number,
            y_pred: ClassOf::Number,
            ignored: None,
            pairs_per_weight: 1,
            whole_weights: false,
        };
        class_counts(&pairs, &[0.0f32; 1000], &[0.0; 1000], None, &mut sums);
        assert_eq!(sums[0], full + 1000.0);
    }
}
