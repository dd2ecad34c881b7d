//! Optimizers: one pass over all parameters.

use super::{Float, Memory};

/// How an optimizer changes one parameter. `N` is the number of values ("slots") it remembers for
/// each.
pub trait UpdateRule<const N: usize>: Copy + Send + Sync {
    /// The parameter and its slots after a step.
    fn update<F: Float>(&self, parameter: F, gradient: F, slots: [F; N]) -> (F, [F; N]);
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
    /// `Σ x²`.
    fn sum_of_squares(&self, x: Self::Slice<'_>) -> f64;
    /// Whether no number is infinite or none.
    fn is_finite(&self, x: Self::Slice<'_>) -> bool;
}
