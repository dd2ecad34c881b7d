//! Matrix products: the work of `Dense`.

use super::host::on_hosts;
use super::{Memory, cpu};

/// Matrix products with their epilogues. Matrices are row-major and contiguous; `m` rows of `k`
/// numbers go in, `m` rows of `n` come out.
pub trait Products: Memory {
    /// `y = x w (+ bias) (then relu)`: x (m, k), w (k, n), bias (n), y (m, n).
    #[allow(clippy::too_many_arguments)]
    fn affine(
        &self,
        x: Self::Slice<'_>,
        w: Self::Slice<'_>,
        bias: Option<Self::Slice<'_>>,
        relu: bool,
        y: Self::SliceMut<'_>,
        dims: [usize; 3],
    );
    /// `dw = xᵀ dz`: x (m, k), dz (m, n), dw (k, n).
    fn weight_gradient(
        &self,
        x: Self::Slice<'_>,
        dz: Self::Slice<'_>,
        dw: Self::SliceMut<'_>,
        dims: [usize; 3],
    );
    /// `dx = dz wᵀ`: dz (m, n), w (k, n), dx (m, k).
    fn input_gradient(
        &self,
        dz: Self::Slice<'_>,
        w: Self::Slice<'_>,
        dx: Self::SliceMut<'_>,
        dims: [usize; 3],
    );
}

on_hosts! {
    impl Products {
        fn affine(
            &self,
            x: Self::Slice<'_>,
            w: Self::Slice<'_>,
            bias: Option<Self::Slice<'_>>,
            relu: bool,
            y: Self::SliceMut<'_>,
            [m, k, n]: [usize; 3],
        ) {
            cpu::matmul::affine(x, w, bias, relu, y, m, k, n);
        }
        fn weight_gradient(
            &self,
            x: Self::Slice<'_>,
            dz: Self::Slice<'_>,
            dw: Self::SliceMut<'_>,
            [m, k, n]: [usize; 3],
        ) {
            cpu::matmul::weight_gradient(x, dz, dw, m, k, n);
        }
        fn input_gradient(
            &self,
            dz: Self::Slice<'_>,
            w: Self::Slice<'_>,
            dx: Self::SliceMut<'_>,
            [m, k, n]: [usize; 3],
        ) {
            cpu::matmul::input_gradient(dz, w, dx, m, k, n);
        }
    }
}
