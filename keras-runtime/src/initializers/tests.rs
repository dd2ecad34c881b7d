use super::*;

/// Mean, variance and largest magnitude.
fn moments(initializer: Initializer, shape: &[usize]) -> (f64, f64, f64) {
    let values = initializer
        .seed(5)
        .values(shape)
        .expect("a shape that fits");
    let values: Vec<f64> = values.iter().map(|&v| f64::from(v)).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (
        mean,
        variance,
        values.iter().fold(0.0, |a, v| v.abs().max(a)),
    )
}

#[test]
fn the_distributions_have_the_variance_of_keras() {
    const SCALED: Initializer = Initializer::variance_scaling(0.5, "fan_out", "untruncated_normal");
    const OF_AXES: Initializer =
        Initializer::variance_scaling(3.0, "fan_avg", "uniform").axes(&[0, 2], &[-1]);
    let (dense, conv): (&[usize], &[usize]) = (&[100, 200], &[3, 3, 20, 40]);
    for (initializer, shape, expected, limit) in [
        (Initializer::GlorotUniform, dense, 2.0 / 300.0, 3.0),
        (Initializer::GlorotNormal, dense, 2.0 / 300.0, 4.0 / 0.7737),
        (Initializer::GlorotUniform, conv, 2.0 / (9.0 * 60.0), 3.0),
        (
            Initializer::HeNormal,
            conv,
            2.0 / (9.0 * 20.0),
            4.0 / 0.7737,
        ),
        (Initializer::HeUniform, dense, 2.0 / 100.0, 3.0),
        (Initializer::LecunNormal, dense, 1.0 / 100.0, 4.0 / 0.7737),
        (Initializer::LecunUniform, dense, 1.0 / 100.0, 3.0),
        (
            Initializer::VarianceScaling,
            dense,
            1.0 / 100.0,
            4.0 / 0.7737,
        ),
        (SCALED, dense, 0.5 / 200.0, 30.0),
        (SCALED, conv, 0.5 / (9.0 * 40.0), 30.0),
        (OF_AXES, conv, 3.0 / 50.0, 3.0),
        (Initializer::RandomNormal, dense, 0.0025, 30.0),
        (Initializer::random_normal(0.0, 2.0), dense, 4.0, 30.0),
        (
            Initializer::TruncatedNormal,
            dense,
            0.0025 * 0.7737,
            4.0 / 0.7737,
        ),
        (Initializer::RandomUniform, dense, 0.01 / 12.0, 3.0),
    ] {
        let (mean, variance, largest) = moments(initializer, shape);
        let stddev = f64::sqrt(expected);
        assert!(mean.abs() < 0.03 * stddev, "{initializer:?}: mean {mean}");
        let ratio = variance / expected;
        assert!(
            (ratio - 1.0).abs() < 0.04,
            "{initializer:?}: {variance} for {expected}"
        );
        // Within the limit, and near it where there is one.
        let ratio = largest / (f64::sqrt(limit) * stddev);
        assert!(ratio < 1.001, "{initializer:?}: {largest}");
        assert!(ratio > 0.6, "{initializer:?}: {largest}");
    }
    let (mean, variance, _) = moments(Initializer::random_uniform(1.0, 3.0), dense);
    assert!((mean - 2.0).abs() < 0.02 && (variance - 1.0 / 3.0).abs() < 0.01);
    let (mean, ..) = moments(Initializer::truncated_normal(-3.0, 0.1), dense);
    assert!((mean + 3.0).abs() < 0.01);
}

#[test]
fn an_orthogonal_matrix_has_orthonormal_rows_or_columns() {
    for (shape, rows, columns) in [
        (vec![12, 5], 12, 5),
        (vec![5, 12], 5, 12),
        (vec![7, 7], 7, 7),
        (vec![3, 3, 2, 10], 18, 10),
    ] {
        let initializer = Initializer::Orthogonal.gain(2.0).seed(3);
        let values = initializer.values(&shape).expect("a matrix");
        let w = values
            .into_shape_with_order((rows, columns))
            .expect("its size");
        let gram = if rows < columns {
            w.dot(&w.t())
        } else {
            w.t().dot(&w)
        };
        for ((i, j), found) in gram.indexed_iter() {
            let expected = if i == j { 4.0 } else { 0.0 };
            assert!(
                (found - expected).abs() < 1e-5,
                "{shape:?}, {i}, {j}: {found}"
            );
        }
        // Not a permutation of the identity.
        assert!(w.iter().filter(|w| w.abs() > 1e-3).count() > rows * columns / 2);
    }
}

#[test]
fn constants_are_what_they_say() {
    let flat = |initializer: Initializer, shape: &[usize]| {
        let values = initializer.values(shape).expect("a shape that fits");
        values.into_raw_vec_and_offset().0
    };
    assert_eq!(flat(Initializer::Zeros, &[2]), [0.0, 0.0]);
    assert_eq!(flat(Initializer::Ones, &[1, 2]), [1.0, 1.0]);
    assert_eq!(flat(Initializer::constant(-0.5), &[2]), [-0.5, -0.5]);
    assert_eq!(
        flat(Initializer::Identity.gain(3.0), &[2, 3]),
        [3.0, 0.0, 0.0, 0.0, 3.0, 0.0]
    );
    assert_eq!(flat(Initializer::Identity, &[3, 1]), [1.0, 0.0, 0.0]);
}

#[test]
fn stft_is_that_of_keras() {
    // keras.initializers.STFT(side, window, scaling, periodic)(shape=(5, 1, 3))
    const HAMMING: Initializer = Initializer::stft("imag", Some("hamming"), Some("spectrum"), true);
    const NONE: Initializer = Initializer::stft("imag", None, None, false);
    const BLACKMAN: Initializer = Initializer::stft("real", Some("blackman"), None, false);
    let (a, b, h, k) = (0.408_248_3, 0.816_496_6, 0.147_352_6, 0.337_832_5);
    for (initializer, expected) in [
        (
            Initializer::STFT,
            [
                0.0, 0.0, 0.0, a, 0.0, -a, b, -b, b, a, 0.0, -a, 0.0, 0.0, 0.0,
            ],
        ),
        (
            HAMMING,
            [
                0.0, 0.0, 0.0, 0.0, -h, 0.0, 0.0, 0.0, 0.0, 0.0, k, 0.0, 0.0, 0.0, 0.0,
            ],
        ),
        (
            NONE,
            [
                0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0,
            ],
        ),
        (
            BLACKMAN,
            [
                0.0, 0.0, 0.0, 0.34, 0.0, -0.34, 1.0, -1.0, 1.0, 0.34, 0.0, -0.34, 0.0, 0.0, 0.0,
            ],
        ),
    ] {
        let found = initializer.values(&[5, 1, 3]).expect("a kernel");
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 5e-7,
                "{initializer:?}: {found}, {expected}"
            );
        }
    }
}

#[test]
fn names_are_those_of_keras() {
    for (names, initializer) in [
        (&["Zeros", "zeros", "zero"][..], Initializer::Zeros),
        (
            &["normal", "random_normal", "RandomNormal"],
            Initializer::random_normal(0.0, 0.05),
        ),
        (
            &["uniform", "RandomUniform"],
            Initializer::random_uniform(-0.05, 0.05),
        ),
        (
            &["orthogonal", "OrthogonalInitializer"],
            Initializer::Orthogonal,
        ),
        (
            &["VarianceScaling"],
            Initializer::variance_scaling(1.0, "fan_in", "normal"),
        ),
        (
            &["he_uniform", "HeUniform"],
            Initializer::variance_scaling(2.0, "fan_in", "uniform"),
        ),
        (&["constant", "Constant"], Initializer::Constant(0.0)),
        (
            &["STFT"],
            Initializer::stft("real", Some("hann"), Some("density"), false),
        ),
    ] {
        for name in names {
            assert_eq!(Initializer::by_name(name), Ok(initializer));
        }
    }
    let error = Initializer::by_name("glorot_unifrom").map_err(|error| error.to_string());
    let sentence = "Could not interpret initializer identifier: glorot_unifrom. Did you mean \
                    `glorot_uniform`?";
    assert_eq!(error, Err(sentence.into()));
}

#[test]
fn a_seed_makes_the_same_values_everywhere() {
    for initializer in [
        Initializer::GlorotUniform,
        Initializer::HeNormal,
        Initializer::RandomNormal,
        Initializer::Orthogonal,
    ] {
        let values = |initializer: Initializer| initializer.values(&[4, 3]);
        assert_eq!(values(initializer.seed(1)), values(initializer.seed(1)));
        assert_ne!(values(initializer.seed(1)), values(initializer.seed(2)));
        assert_ne!(values(initializer), values(initializer));
        let fill = |key: u64| {
            let mut values = [0.0; 12];
            initializer.fill(&Shape::new(&[4, 3]), Key::new(key), &mut values);
            values
        };
        assert_eq!(fill(7), fill(7));
        assert_ne!(fill(7), fill(8));
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused_with_the_sentence_of_keras() {
    let refused = |initializer: Initializer, shape: &[usize], expected: &str| {
        let error = initializer.values(shape).map_err(|error| error.to_string());
        assert_eq!(error, Err(expected.to_owned()));
    };
    refused(
        Initializer::Identity,
        &[2, 2, 2],
        "Identity matrix initializer can only be used for 2D matrices. Received: shape=(2, 2, 2) of \
         rank 3.",
    );
    refused(
        Initializer::Orthogonal,
        &[4],
        "The tensor to initialize must be at least two-dimensional. Received: shape=(4,) of rank 1.",
    );
    refused(
        Initializer::GlorotUniform.axes(&[0], &[2]),
        &[4, 3],
        "The axes of an initializer must be those of the weight, of shape (4, 3). Received: axis=2",
    );
}

#[test]
#[should_panic(expected = "Argument `scale` must be positive float. Received: scale=0.0")]
fn a_scale_is_positive() {
    let _ = Initializer::variance_scaling(0.0, "fan_in", "normal");
}

#[test]
#[should_panic(
    expected = "Invalid `mode` argument: fan. Please use one of {'fan_in', 'fan_out', 'fan_avg'}"
)]
fn a_mode_is_known() {
    let _ = Initializer::variance_scaling(1.0, "fan", "normal");
}
