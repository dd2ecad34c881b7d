//! placeholder
#![allow(missing_docs, clippy::too_many_arguments)]
use crate::device::Float;
pub fn affine<F: Float>(
    x: &[F],
    w: &[F],
    bias: Option<&[F]>,
    relu: bool,
    y: &mut [F],
    m: usize,
    k: usize,
    n: usize,
) {
    for i in 0..m {
        for j in 0..n {
            let mut s = bias.map_or(F::zero(), |b| b[j]);
            for p in 0..k {
                s += x[i * k + p] * w[p * n + j];
            }
            y[i * n + j] = if relu { s.max(F::zero()) } else { s };
        }
    }
}
pub fn weight_gradient<F: Float>(x: &[F], dz: &[F], dw: &mut [F], m: usize, k: usize, n: usize) {
    for p in 0..k {
        for j in 0..n {
            let mut s = F::zero();
            for i in 0..m {
                s += x[i * k + p] * dz[i * n + j];
            }
            dw[p * n + j] = s;
        }
    }
}
pub fn input_gradient<F: Float>(dz: &[F], w: &[F], dx: &mut [F], m: usize, k: usize, n: usize) {
    for i in 0..m {
        for p in 0..k {
            let mut s = F::zero();
            for j in 0..n {
                s += dz[i * n + j] * w[p * n + j];
            }
            dx[i * k + p] = s;
        }
    }
}
