//! Penalties on weights, and bounds of them: once for each weight in a step, far from hot.

use super::kernel::{self, Kernel};
use super::lanes::{self, Each, Same};
use super::simd::Arith;
use crate::device::{Float, NormBounds, Vectors};

/// What keeps a norm from 0 where it is a divisor: Keras' `epsilon()`.
const EPSILON: f64 = 1e-7;

/// `sums[0] += weight (l1 Σ |x| + l2 Σ x²)`.
pub fn l1_l2<F: Float>(l1: f32, l2: f32, weight: f32, x: &[F], sums: &mut [F]) {
    let [of_sizes, of_squares] = kernel::run(Norms(x));
    let penalty = F::from_f32(l1) * of_sizes + F::from_f32(l2) * of_squares;
    sums[0] += F::from_f32(weight) * penalty;
}

/// `Σ |x|` and `Σ x²`.
struct Norms<'a, F>(&'a [F]);

impl<F: Float> Kernel for Norms<'_, F> {
    type Number = F;
    type Output = [F; 2];

    #[inline(always)]
    fn run<A: Arith>(self) -> [F; 2] {
        lanes::sums::<A, F, 2>(Same(F::zero()), self.0, &SizeAndSquare)
    }
}

struct SizeAndSquare;

impl<F: Float> Each<F, 2> for SizeAndSquare {
    #[inline(always)]
    fn at<A: Arith>(&self, _a: F, b: F) -> ([F; 2], F) {
        ([b.abs(), b * b], b)
    }
}

/// `sums[0] += weight · Σ |cᵢⱼ| / pairs` over all pairs of vectors with the cosines `cᵢⱼ`. The
/// derivative of a cosine with regard to `xᵢ` is `(xⱼ / |xⱼ| - cᵢⱼ xᵢ / |xᵢ|) / |xᵢ|`.
pub fn orthogonality<F: Float>(
    vectors: Vectors,
    weight: f32,
    x: &[F],
    sums: Option<&mut [F]>,
    gradient: Option<(&mut [F], f32)>,
) {
    let Vectors {
        count,
        len,
        stride,
        step,
    } = vectors;
    // One vector alone is orthogonal.
    if count < 2 {
        return;
    }
    let at = |i: usize, k: usize| i * stride + k * step;
    let dot = |i: usize, j: usize| {
        let products = (0..len).map(|k| x[at(i, k)] * x[at(j, k)]);
        products.fold(F::zero(), |sum, product| sum + product)
    };
    let norm = |i: usize| dot(i, i).sqrt().max(F::from_f64(EPSILON));
    let pairs = F::from_usize(count) * F::from_usize(count - 1) / F::from_usize(2);
    let mut total = F::zero();
    let (mut gradient, factor) = match gradient {
        Some((gradient, factor)) => (Some(gradient), F::from_f32(factor) / pairs),
        None => (None, F::zero()),
    };
    for i in 0..count {
        let norm_i = norm(i);
        for j in 0..i {
            let norm_j = norm(j);
            let cosine = dot(i, j) / (norm_i * norm_j);
            total += cosine.abs();
            let slope = if cosine >= F::zero() { factor } else { -factor };
            let Some(gradient) = &mut gradient else {
                continue;
            };
            for k in 0..len {
                let (xi, xj) = (x[at(i, k)] / norm_i, x[at(j, k)] / norm_j);
                gradient[at(i, k)] += slope * (xj - cosine * xi) / norm_i;
                gradient[at(j, k)] += slope * (xi - cosine * xj) / norm_j;
            }
        }
    }
    if let Some(sums) = sums {
        sums[0] += F::from_f32(weight) * total / pairs;
    }
}

/// Vectors whose norms are computed together.
const LANES: usize = 16;

/// Scales every vector along the middle axis of w (outer, length, inner) by what its norm shall be
/// over what it is.
pub fn bound_norms<F: Float>(bounds: NormBounds, [outer, length, inner]: [usize; 3], w: &mut [F]) {
    let (min, max) = (F::from_f32(bounds.min), F::from_f32(bounds.max));
    let rate = F::from_f32(bounds.rate);
    for block in w.chunks_exact_mut((length * inner).max(1)).take(outer) {
        for from in (0..inner).step_by(LANES) {
            let lanes = LANES.min(inner - from);
            let mut scales = [F::zero(); LANES];
            for row in block.chunks_exact(inner) {
                for (sum, w) in scales.iter_mut().zip(&row[from..from + lanes]) {
                    *sum += *w * *w;
                }
            }
            for scale in &mut scales {
                let norm = scale.sqrt();
                let bounded = norm.max(min).min(max);
                let desired = rate * bounded + (F::one() - rate) * norm;
                *scale = desired / (F::from_f64(EPSILON) + norm);
            }
            for row in block.chunks_exact_mut(inner) {
                for (w, scale) in row[from..from + lanes].iter_mut().zip(scales) {
                    *w *= scale;
                }
            }
        }
    }
}

/// `w = max(w, 0)`; what is no number stays none.
pub fn bound_below<F: Float>(w: &mut [F]) {
    for w in w {
        if *w < F::zero() {
            *w = F::zero();
        }
    }
}
