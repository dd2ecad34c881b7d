//! The products against plain loops in f64.

use super::{affine, input_gradient, weight_gradient};
use crate::device::Float;
use crate::device::cpu::simd::forced::at_every_level;

/// Numbers from -1 to 1 that look random.
fn numbers<F: Float>(len: usize, seed: u64) -> Vec<F> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            F::from_f64((state >> 11) as f64 / (1u64 << 52) as f64 - 1.0)
        })
        .collect()
}

/// Where a plain loop finds its operands: `Σ_p a(i, p) b(p, j)`.
fn plain<F: Float>(
    [rows, depth, columns]: [usize; 3],
    a: impl Fn(usize, usize) -> F,
    b: impl Fn(usize, usize) -> F,
) -> Vec<f64> {
    (0..rows * columns)
        .map(|at| {
            let (i, j) = (at / columns, at % columns);
            (0..depth)
                .map(|p| a(i, p).to_f64() * b(p, j).to_f64())
                .sum()
        })
        .collect()
}

/// The error of a chain of `depth` multiply-adds of numbers up to 1 is at most about
/// `depth² ε / 2`; the usual one is far smaller.
#[track_caller]
fn assert_close<F: Float>(
    what: &str,
    dims: [usize; 3],
    found: &[F],
    expected: &[f64],
    depth: usize,
) {
    let tolerance = 4.0 * F::epsilon().to_f64() * (depth as f64 + 4.0);
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            ((*found).to_f64() - expected).abs() <= tolerance,
            "{what} {dims:?}: number {at} is {found}, not {expected}"
        );
    }
}

fn check<F: Float>(dims @ [m, k, n]: [usize; 3]) {
    let x = numbers::<F>(m * k, 1);
    let w = numbers::<F>(k * n, 2);
    let dz = numbers::<F>(m * n, 3);
    let bias = numbers::<F>(n, 4);

    let expected = plain([m, k, n], |i, p| x[i * k + p], |p, j| w[p * n + j]);
    for bias in [None, Some(&bias[..])] {
        for relu in [false, true] {
            let mut y = vec![F::nan(); m * n];
            affine(&x, &w, bias, relu, &mut y, m, k, n);
            let expected: Vec<f64> = (expected.iter().enumerate())
                .map(|(at, y)| y + bias.map_or(0.0, |bias| bias[at % n].to_f64()))
                .map(|y| if relu { y.max(0.0) } else { y })
                .collect();
            assert_close("affine", dims, &y, &expected, k);
        }
    }

    let mut dw = vec![F::nan(); k * n];
    weight_gradient(&x, &dz, &mut dw, m, k, n);
    let expected = plain([k, m, n], |i, p| x[p * k + i], |p, j| dz[p * n + j]);
    assert_close("weight_gradient", dims, &dw, &expected, m);

    let mut dx = vec![F::nan(); m * k];
    input_gradient(&dz, &w, &mut dx, m, k, n);
    let expected = plain([m, n, k], |i, p| dz[i * n + p], |p, j| w[j * n + p]);
    assert_close("input_gradient", dims, &dx, &expected, n);
}

#[test]
fn products_of_small_sizes() {
    at_every_level(|| {
        for m in [1, 2, 3, 5, 6, 7, 8, 9, 13, 16, 23, 31, 40] {
            for k in [1, 2, 3, 4, 7, 8, 9, 15, 17, 25, 33, 40] {
                for n in [
                    1, 2, 3, 4, 5, 8, 9, 10, 15, 16, 17, 24, 25, 31, 32, 33, 40, 48,
                ] {
                    check::<f32>([m, k, n]);
                }
            }
        }
    });
}

#[test]
fn products_of_small_sizes_in_f64() {
    for m in [1, 3, 8, 13, 40] {
        for k in [1, 4, 9, 33] {
            for n in [1, 3, 10, 17, 32, 40] {
                check::<f64>([m, k, n]);
            }
        }
    }
}

/// More than one block of the depth, of the rows, of the columns.
#[test]
fn products_of_many_blocks() {
    let dims = [
        [129, 513, 33],
        [49, 1030, 70],
        [600, 20, 37],
        [3, 7, 2085],
        [50, 2051, 9],
        [257, 1, 1],
        [1, 1500, 1],
        [9, 70, 300],
        [1, 33, 1030],
        [300, 515, 4],
    ];
    at_every_level(|| dims.into_iter().for_each(check::<f32>));
}

#[test]
fn empty_products() {
    let mut y = [f32::NAN; 6];
    affine(&[], &[], Some(&[1.0, -2.0]), true, &mut y, 3, 0, 2);
    assert_eq!(y, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    weight_gradient::<f32>(&[], &[], &mut y, 0, 3, 2);
    assert_eq!(y, [0.0; 6]);
    affine::<f32>(&[], &[1.0], None, false, &mut [], 0, 1, 1);
}

/// NaN is not hidden by the zeros around a matrix, nor does it spread to other rows.
#[test]
fn nan_stays_in_its_row() {
    let mut x = numbers::<f32>(9 * 5, 1);
    x[2 * 5 + 3] = f32::NAN;
    let w = numbers::<f32>(5 * 10, 2);
    let mut y = vec![0.0; 9 * 10];
    affine(&x, &w, None, true, &mut y, 9, 5, 10);
    for (row, y) in y.chunks(10).enumerate() {
        assert!(
            y.iter().all(|y| y.is_nan() == (row == 2)),
            "row {row}: {y:?}"
        );
    }
}

/// Bit for bit the same on one thread and on several, and for a row alone and in a batch.
#[test]
fn threads_and_batches_do_not_change_the_result() {
    let [m, k, n] = [131, 700, 75];
    let x = numbers::<f32>(m * k, 1);
    let w = numbers::<f32>(k * n, 2);
    let dz = numbers::<f32>(m * n, 3);
    let all = || {
        let (mut y, mut dw, mut dx) = (vec![0.0; m * n], vec![0.0; k * n], vec![0.0; m * k]);
        affine(&x, &w, None, true, &mut y, m, k, n);
        weight_gradient(&x, &dz, &mut dw, m, k, n);
        input_gradient(&dz, &w, &mut dx, m, k, n);
        (y, dw, dx)
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool of threads").install(all)
    };
    let one = on(1);
    for threads in [2, 3, 7] {
        assert!(on(threads) == one, "{threads} threads");
    }
    for row in [0, 64, 130] {
        let mut y = vec![0.0; n];
        affine(&x[row * k..][..k], &w, None, true, &mut y, 1, k, n);
        assert_eq!(y, one.0[row * n..][..n]);
    }
}
