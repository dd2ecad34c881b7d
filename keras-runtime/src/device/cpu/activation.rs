//! placeholder
#![allow(missing_docs, unused)]
use crate::device::{Activation, Float};
pub fn activate<F: Float>(f: Activation, x: &[F], y: &mut [F], width: usize) {
    y.copy_from_slice(x);
    activate_in_place(f, y, width)
}
pub fn activate_in_place<F: Float>(f: Activation, y: &mut [F], width: usize) {
    match f {
        Activation::Linear => {}
        Activation::Relu => y.iter_mut().for_each(|y| *y = y.max(F::zero())),
        Activation::Sigmoid => y
            .iter_mut()
            .for_each(|y| *y = F::one() / (F::one() + (-*y).exp())),
        Activation::Softmax => {
            for row in y.chunks_exact_mut(width) {
                let max = row.iter().fold(row[0], |a, &b| a.max(b));
                let mut sum = F::zero();
                for y in row.iter_mut() {
                    *y = (*y - max).exp();
                    sum += *y;
                }
                for y in row {
                    *y /= sum;
                }
            }
        }
    }
}
pub fn activation_gradient<F: Float>(
    f: Activation,
    x: Option<&[F]>,
    y: &[F],
    dy: &[F],
    dx: &mut [F],
    width: usize,
) {
    dx.copy_from_slice(dy);
    activation_and_bias_gradient_in_place(f, x, y, dx, None, width)
}
pub fn activation_and_bias_gradient_in_place<F: Float>(
    f: Activation,
    x: Option<&[F]>,
    y: &[F],
    dy: &mut [F],
    db: Option<&mut [F]>,
    width: usize,
) {
    match f {
        Activation::Linear => {}
        Activation::Relu => dy.iter_mut().zip(y).for_each(|(d, y)| {
            if *y <= F::zero() {
                *d = F::zero()
            }
        }),
        Activation::Sigmoid => dy
            .iter_mut()
            .zip(y)
            .for_each(|(d, y)| *d *= *y * (F::one() - *y)),
        Activation::Softmax => {
            for (d, y) in dy.chunks_exact_mut(width).zip(y.chunks_exact(width)) {
                let mut dot = F::zero();
                for (d, y) in d.iter().zip(y) {
                    dot += *d * *y;
                }
                for (d, y) in d.iter_mut().zip(y) {
                    *d = *y * (*d - dot);
                }
            }
        }
    }
    if let Some(db) = db {
        db.fill(F::zero());
        for row in dy.chunks_exact(width) {
            for (b, d) in db.iter_mut().zip(row) {
                *b += *d;
            }
        }
    }
}
