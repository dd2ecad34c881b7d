//! Optimizers: one pass over all parameters.

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
    /// `Σ (scale · x)²`.
    fn sum_of_squares(&self, scale: f32, x: Self::Slice<'_>) -> f64;
    /// Whether no number is infinite or none.
    fn is_finite(&self, x: Self::Slice<'_>) -> bool;
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

        fn sum_of_squares(&self, scale: f32, x: Self::Slice<'_>) -> f64 {
            cpu::updates::sum_of_squares(scale, x)
        }

        fn is_finite(&self, x: Self::Slice<'_>) -> bool {
            cpu::updates::is_finite(x)
        }
    }
}
