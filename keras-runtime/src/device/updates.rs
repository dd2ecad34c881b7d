//! Optimizers: one pass over all parameters.

use std::ops::Range;

use super::host::on_hosts;
use super::{Float, Memory, cpu};

/// How an optimizer changes one parameter. `N` is the number of values ("slots") it remembers for
/// each.
pub trait UpdateRule<const N: usize>: Copy + Send + Sync {
    /// The parameter and its slots after a step.
    fn update<F: Float>(&self, parameter: F, gradient: F, slots: [F; N]) -> (F, [F; N]);
}

/// How the mean squares of matrices are remembered by their rows and columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FactoredMoments {
    /// How much of the means is kept.
    pub keep: f32,
    /// What is added to the squares.
    pub epsilon: f32,
}

/// What numbers are multiplied with, by sums of squares: a clip of a norm, for one.
pub trait NormRule: Copy + Send + Sync {
    /// The factor, from the sum of squares of some other numbers, or 0, and that of the numbers themselves.
    fn factor<F: Float>(&self, of_others: F, of_own: F) -> F;
}

/// Fused passes over flat buffers.
pub trait Updates: Memory {
    /// Applies a rule to every parameter.
    fn update<const N: usize, R: UpdateRule<N>>(
        &self,
        rule: R,
        parameters: Self::SliceMut<'_>,
        gradients: Self::Slice<'_>,
        slots: [Self::SliceMut<'_>; N],
    );
    /// Of matrices g (outer, rows, columns) with `q = g² + epsilon`: `r = keep r + (1 - keep) mean(q)` over
    /// the columns, `c` likewise over the rows, `v = r c / mean(r)`, and g becomes `g / √v`. The slots
    /// are r, c and v; of r and c as much is used as there are rows and columns.
    fn factored(
        &self,
        rule: FactoredMoments,
        dims: [usize; 3],
        gradients: Self::SliceMut<'_>,
        slots: [Self::SliceMut<'_>; 3],
    );
    /// What the numbers in some ranges of a buffer have to be multiplied with, by a rule that is given the
    /// sum of squares of some others, and `Σ (scale · x)²` of their own. A device that would have to be
    /// waited for multiplies them itself, and returns 1.
    fn norm_factor<R: NormRule>(
        &self,
        rule: R,
        others: Option<Self::Slice<'_>>,
        scale: f32,
        buffer: &mut Self::Buffer,
        ranges: impl Iterator<Item = Range<usize>> + Clone,
    ) -> f32;
    /// Whether no number in some ranges of a buffer is infinite or none.
    fn is_finite(&self, buffer: &Self::Buffer, ranges: impl Iterator<Item = Range<usize>>) -> bool;
}

on_hosts! {
    impl Updates {
        fn update<const N: usize, R: UpdateRule<N>>(
            &self,
            rule: R,
            parameters: Self::SliceMut<'_>,
            gradients: Self::Slice<'_>,
            slots: [Self::SliceMut<'_>; N],
        ) {
            cpu::updates::update(rule, parameters, gradients, slots);
        }

        fn factored(
            &self,
            rule: FactoredMoments,
            dims: [usize; 3],
            gradients: Self::SliceMut<'_>,
            slots: [Self::SliceMut<'_>; 3],
        ) {
            cpu::updates::factored(rule, dims, gradients, slots);
        }

        fn norm_factor<R: NormRule>(
            &self,
            rule: R,
            others: Option<Self::Slice<'_>>,
            scale: f32,
            buffer: &mut Self::Buffer,
            ranges: impl Iterator<Item = Range<usize>> + Clone,
        ) -> f32 {
            let of_others = others.map_or(0.0, |others| cpu::updates::sum_of_squares(1.0, others));
            let own = ranges.map(|range| {
                cpu::updates::sum_of_squares(scale, Self::slice(buffer, range))
            });
            rule.factor::<f64>(of_others, own.sum()) as f32
        }

        fn is_finite(
            &self,
            buffer: &Self::Buffer,
            mut ranges: impl Iterator<Item = Range<usize>>,
        ) -> bool {
            ranges.all(|range| cpu::updates::is_finite(Self::slice(buffer, range)))
        }
    }
}
