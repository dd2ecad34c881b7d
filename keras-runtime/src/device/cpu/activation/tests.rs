//! Every function: its derivative against differences, one thread against several, in place
//! against out of place, and what infinities and NaN do to their neighbours.

use super::*;
use crate::device::activation_words as words;
use crate::device::cpu::simd::forced::at_every_level;

/// All activations, with arguments that are not their defaults.
fn all() -> Vec<Activation> {
    use words::*;
    vec![
        celu_with(0.5),
        elu_with(0.3),
        elu_with(-0.3),
        exponential,
        gelu,
        gelu_with(true),
        glu,
        hard_shrink_with(0.7),
        hard_sigmoid,
        hard_silu,
        hard_tanh,
        leaky_relu,
        leaky_relu_with(-0.5),
        linear,
        log_sigmoid,
        log_softmax,
        mish,
        relu,
        relu_with(0.1, 2.0, 0.5),
        relu6,
        selu,
        sigmoid,
        silu,
        softmax,
        soft_shrink_with(0.2),
        softplus,
        softsign,
        sparse_plus,
        sparse_sigmoid,
        sparsemax,
        squareplus_with(1.0),
        tanh,
        tanh_shrink,
        threshold(0.4, -2.0),
    ]
}

/// Numbers from -8 to 8, none of them where a function has a corner.
fn numbers<F: Float>(len: usize) -> Vec<F> {
    (0..len)
        .map(|i| F::from_f64(((i * 7919 + 13) % 1601) as f64 / 100.0 - 8.003))
        .collect()
}

fn value_len(f: Activation, len: usize) -> usize {
    if f.keeps_shape() { len } else { len / 2 }
}

fn values<F: Float>(f: Activation, x: &[F], width: usize) -> Vec<F> {
    let mut y = vec![F::nan(); value_len(f, x.len())];
    activate(f, x, &mut y, width);
    y
}

/// The gradient of `Σ dy f(x)`.
fn gradient<F: Float>(f: Activation, x: &[F], dy: &[F], width: usize) -> Vec<F> {
    let y = values(f, x, width);
    let mut dx = vec![F::nan(); x.len()];
    let x = f.gradient_needs_input().then_some(x);
    activation_gradient(f, x, &y, dy, &mut dx, width);
    dx
}

#[test]
fn gradients_are_those_of_differences() {
    const STEP: f64 = 1e-5;
    for f in all() {
        for width in [2, 6, 22, 34] {
            let mut x = numbers::<f64>(width * 7);
            // Differences across a corner of sparsemax are no derivatives.
            if f == Activation::Sparsemax {
                x.iter_mut().for_each(|x| *x *= 0.01);
            }
            let dy: Vec<f64> = numbers::<f64>(value_len(f, x.len()));
            let dy: Vec<f64> = dy.iter().rev().map(|d| d / 4.0).collect();
            let weighted = |x: &[f64]| -> f64 {
                values(f, x, width)
                    .iter()
                    .zip(&dy)
                    .map(|(y, d)| y * d)
                    .sum()
            };
            let dx = gradient(f, &x, &dy, width);
            for i in 0..x.len() {
                let at = x[i];
                x[i] = at + STEP;
                let above = weighted(&x);
                x[i] = at - STEP;
                let difference = (above - weighted(&x)) / (2.0 * STEP);
                x[i] = at;
                assert!(
                    (dx[i] - difference).abs() <= 1e-5 + 1e-3 * difference.abs(),
                    "{f:?}'({at}) times {dy:?} is {}, not {difference}",
                    dx[i]
                );
            }
        }
    }
}

/// f32 has code of its own.
#[test]
fn f32_computes_what_f64_computes() {
    at_every_level(|| {
        for width in [2, 10, 34] {
            all().into_iter().for_each(|f| compare(f, width));
        }
    });
}

fn compare(f: Activation, width: usize) {
    let x = numbers::<f32>(width * 33);
    let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    let dy = numbers::<f32>(value_len(f, x.len()));
    let wide_dy: Vec<f64> = dy.iter().map(|&x| f64::from(x)).collect();
    let pairs = [
        (values(f, &x, width), values(f, &wide, width)),
        (
            gradient(f, &x, &dy, width),
            gradient(f, &wide, &wide_dy, width),
        ),
    ];
    for (found, expected) in pairs {
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            let error = (f64::from(*found) - expected).abs();
            assert!(
                error <= 4e-6 + 2e-6 * expected.abs(),
                "{f:?} {i}: {found}, not {expected}"
            );
        }
    }
}

#[test]
fn in_place_and_out_of_place_agree() {
    for f in all().into_iter().filter(Activation::keeps_shape) {
        let width = 12;
        let x = numbers::<f32>(width * 301);
        let dy = numbers::<f32>(x.len());
        let y = values(f, &x, width);
        let mut in_place = x.clone();
        activate_in_place(f, &mut in_place, width);
        assert_eq!(in_place, y, "{f:?}");

        let dx = gradient(f, &x, &dy, width);
        let z = f.gradient_needs_input().then_some(&x[..]);
        for with_bias in [false, true] {
            let (mut dz, mut db) = (dy.clone(), vec![f32::NAN; width]);
            let db = with_bias.then_some(&mut db[..]);
            activation_and_bias_gradient_in_place(f, z, &y, &mut dz, db, width);
            assert_eq!(dz, dx, "{f:?}");
        }
    }
}

#[test]
fn the_bias_gradient_is_the_sum_over_the_rows() {
    for (rows, width) in [
        (1, 1),
        (3, 10),
        (32, 64),
        (37, 3),
        (700, 33),
        (3, 5000),
        (260, 1030),
    ] {
        let y = numbers::<f32>(rows * width);
        let (mut dz, mut db) = (y.clone(), vec![f32::NAN; width]);
        let relu = Activation::Relu;
        activation_and_bias_gradient_in_place(relu, None, &y, &mut dz, Some(&mut db), width);
        for (column, db) in db.iter().enumerate() {
            let sum: f64 = (0..rows)
                .map(|row| f64::from(y[row * width + column].max(0.0)))
                .sum();
            assert!(
                (f64::from(*db) - sum).abs() <= 1e-6 * sum + 1e-6,
                "{rows}x{width}"
            );
        }
    }
    let mut db = [1.0; 3];
    activation_and_bias_gradient_in_place::<f32>(
        Activation::Tanh,
        None,
        &[],
        &mut [],
        Some(&mut db),
        3,
    );
    assert_eq!(db, [0.0; 3]);
}

#[test]
fn threads_do_not_change_the_result() {
    let width = 100;
    let x = numbers::<f32>(width * 6000);
    let on = |threads: usize, f: Activation| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool of threads").install(|| {
            let y = values(f, &x, width);
            let dx = gradient(f, &x, &x[..y.len()], width);
            if !f.keeps_shape() {
                return (y, dx, Vec::new());
            }
            let (mut dz, mut db) = (x.clone(), vec![0.0; width]);
            let z = f.gradient_needs_input().then_some(&x[..]);
            activation_and_bias_gradient_in_place(f, z, &y, &mut dz, Some(&mut db), width);
            (y, dx, db)
        })
    };
    for f in [
        words::gelu,
        words::glu,
        words::softmax,
        words::sparsemax,
        words::relu,
    ] {
        assert!(on(1, f) == on(3, f), "{f:?}");
    }
}

/// What stands in one row leaves the others alone, and large finite numbers stay numbers.
#[test]
fn extremes_keep_to_themselves() {
    let width = 6;
    let plain = numbers::<f32>(width * 4);
    for f in all() {
        let expected = values(f, &plain, width);
        let wide = value_len(f, width);
        for extreme in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30] {
            let mut x = plain.clone();
            x[width + 2] = extreme;
            let y = values(f, &x, width);
            let dx = gradient(f, &x, &vec![1.0; y.len()], width);
            assert_eq!(y[..wide], expected[..wide], "{f:?} of {extreme}");
            assert_eq!(y[2 * wide..], expected[2 * wide..], "{f:?} of {extreme}");
            if extreme.is_finite() && f != Activation::Exponential {
                assert!(y.iter().all(|y| y.is_finite()), "{f:?} of {extreme}: {y:?}");
                assert!(
                    dx.iter().all(|d| d.is_finite()),
                    "{f:?}' of {extreme}: {dx:?}"
                );
            }
            if !f.is_row_wise() {
                let others = |y: &[f32]| -> Vec<f32> {
                    let row = y[width..2 * width].iter().enumerate();
                    row.filter(|(i, _)| *i != 2).map(|(_, y)| *y).collect()
                };
                assert_eq!(others(&y), others(&expected), "{f:?} of {extreme}");
            }
            if extreme.is_nan()
                && !matches!(
                    f,
                    Activation::HardShrink { .. } | Activation::SoftShrink { .. }
                )
            {
                let row = &y[wide..2 * wide];
                assert!(row.iter().any(|y| y.is_nan()), "{f:?} hides NaN");
            }
        }
    }
}

#[test]
fn softmax_rows_add_up_to_one() {
    for width in [1, 2, 10, 16, 17, 100] {
        let x = numbers::<f32>(width * 9);
        for f in [words::softmax, words::sparsemax] {
            for row in values(f, &x, width).chunks(width) {
                let sum: f32 = row.iter().sum();
                assert!((sum - 1.0).abs() < 1e-5, "{f:?}: {row:?}");
            }
        }
    }
}
