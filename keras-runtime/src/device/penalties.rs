//! What regularizers and constraints do with whole weights.

use super::host::on_hosts;
use super::{Memory, cpu};

/// Vectors in a matrix: its rows, or its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vectors {
    /// The number of vectors.
    pub count: usize,
    /// The length of each.
    pub len: usize,
    /// The distance between two vectors in memory.
    pub stride: usize,
    /// The distance between two elements of a vector.
    pub step: usize,
}

/// The bounds of norms: a norm n becomes `rate · clip(n, min, max) + (1 - rate) · n`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormBounds {
    /// The lower bound.
    pub min: f32,
    /// The upper bound.
    pub max: f32,
    /// How much of the way to the bounds is taken.
    pub rate: f32,
}

/// Penalties on weights, and bounds of them.
pub trait Penalties: Memory {
    /// `sums[0] += weight (l1 Σ |x| + l2 Σ x²)`.
    fn l1_l2(&self, l1: f32, l2: f32, weight: f32, x: Self::Slice<'_>, sums: Self::SliceMut<'_>);
    /// `sums[0] += weight` times the mean, over all pairs of vectors, of the magnitude of the cosine
    /// between them; where a gradient is given, its derivative times its factor is added to it.
    fn orthogonality(
        &self,
        vectors: Vectors,
        weight: f32,
        x: Self::Slice<'_>,
        sums: Option<Self::SliceMut<'_>>,
        gradient: Option<(Self::SliceMut<'_>, f32)>,
    );
    /// Scales every vector along the middle axis of w (outer, length, inner) so that its norm keeps
    /// its bounds.
    fn bound_norms(&self, bounds: NormBounds, dims: [usize; 3], w: Self::SliceMut<'_>);
    /// `w = max(w, 0)`.
    fn bound_below(&self, w: Self::SliceMut<'_>);
}

on_hosts! {
    impl Penalties {
        fn l1_l2(
            &self,
            l1: f32,
            l2: f32,
            weight: f32,
            x: Self::Slice<'_>,
            sums: Self::SliceMut<'_>,
        ) {
            cpu::penalties::l1_l2(l1, l2, weight, x, sums);
        }

        fn orthogonality(
            &self,
            vectors: Vectors,
            weight: f32,
            x: Self::Slice<'_>,
            sums: Option<Self::SliceMut<'_>>,
            gradient: Option<(Self::SliceMut<'_>, f32)>,
        ) {
            cpu::penalties::orthogonality(vectors, weight, x, sums, gradient);
        }

        fn bound_norms(&self, bounds: NormBounds, dims: [usize; 3], w: Self::SliceMut<'_>) {
            cpu::penalties::bound_norms(bounds, dims, w);
        }

        fn bound_below(&self, w: Self::SliceMut<'_>) {
            cpu::penalties::bound_below(w);
        }
    }
}
