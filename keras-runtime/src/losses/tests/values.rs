//! Values: extreme numbers, and what is left out or computed together.

use super::*;

#[test]
fn ctc_is_the_sum_over_all_paths() {
    // Two symbols in three steps of four classes: paths that spell 1 2.
    let z = logits(12, 1);
    let steps: Vec<Vec<f64>> = z.chunks(4).map(softmax).collect();
    let paths = [[1, 2, 0], [1, 0, 2], [0, 1, 2], [1, 1, 2], [1, 2, 2]];
    let of_path =
        |path: &[usize; 3]| -> f64 { (0..3).map(|step| steps[step][path[step]]).product() };
    let expected = -paths.iter().map(of_path).sum::<f64>().ln();
    let case = Case {
        y_true: vec![1.0, 2.0, 0.0],
        y_pred: z,
        logits: None,
        weights: None,
        shapes: [Shape::new(&[3]), Shape::new(&[3, 4])],
    };
    let (value, _) = case.run::<Cpu64>(&CTC::new());
    assert!((value - expected).abs() < 1e-12, "{value} and {expected}");
}

#[test]
fn gradients_at_kinks_and_of_extreme_numbers_are_numbers() {
    let rows: [(&[&str], &[f32], &[f32]); 6] = [
        (
            &[
                "mse",
                "mae",
                "mape",
                "huber",
                "log_cosh",
                "hinge",
                "squared_hinge",
                "cosine_similarity",
            ],
            &[0.0, 0.0, 1.0, -1.0, 0.5],
            &[0.0, 1e15, 1.0, -1.0, -1e15],
        ),
        (
            &[
                "cosine_similarity",
                "categorical_hinge",
                "dice",
                "tversky",
                "hinge",
                "mape",
            ],
            &[0.0, 0.0, 0.0],
            &[0.0, 0.0, 0.0],
        ),
        (
            &[
                "kld",
                "bce",
                "categorical_crossentropy",
                "binary_focal_crossentropy",
                "dice",
                "tversky",
            ],
            &[0.0, 1.0, 0.0, 1.0],
            &[0.0, 0.0, 1.0, 1.0],
        ),
        (
            &["categorical_focal_crossentropy", "categorical_crossentropy"],
            &[0.0, 1.0, 0.0],
            &[1.0, 0.0, 0.0],
        ),
        (
            &["poisson", "msle"],
            &[0.0, 3.0, 1e10, 0.0],
            &[0.0, 0.0, 0.0, 1e10],
        ),
        (
            &["categorical_generalized_cross_entropy"],
            &[1.0],
            &[1.0, 0.0],
        ),
    ];
    for (names, y_true, y_pred) in rows {
        for name in names {
            let loss = by_name::<Cpu>(name).expect("a known name");
            let (value, gradient) = row(&*loss, y_true, y_pred);
            assert!(value.is_finite(), "{name} is {value}");
            assert!(
                gradient.iter().all(|d| d.is_finite()),
                "{name}: {gradient:?}"
            );
        }
    }
    let focal = BinaryFocalCrossentropy::new().gamma(0.5).from_logits(true);
    let (value, gradient) = row(&focal, &[1.0, 0.0], &[-200.0, 200.0]);
    assert_eq!((value, &gradient[..]), (200.0, &[-1.0, 1.0][..]));
}

#[test]
fn nan_is_nowhere_hidden() {
    for name in [
        "mape",
        "msle",
        "huber",
        "log_cosh",
        "hinge",
        "squared_hinge",
        "categorical_hinge",
        "kld",
        "poisson",
        "binary_focal_crossentropy",
        "categorical_focal_crossentropy",
        "cosine_similarity",
        "dice",
        "tversky",
    ] {
        let loss = by_name::<Cpu>(name).expect("a known name");
        let (value, gradient) = row(&*loss, &[1.0, 0.0], &[f32::NAN, f32::NAN]);
        assert!(value.is_nan(), "{name} is {value}");
        assert!(gradient.iter().all(|d| d.is_nan()), "{name}: {gradient:?}");
    }
    let (value, _) = row(
        &CategoricalGeneralizedCrossEntropy::new(),
        &[1.0],
        &[0.5, f32::NAN],
    );
    assert!(value.is_nan());
    let case = Case {
        y_true: vec![0.0f32, 1.0, 0.0],
        y_pred: vec![f32::NAN; 6],
        logits: None,
        weights: None,
        shapes: widths([1, 2]),
    };
    assert!(case.run::<Cpu>(&Circle::new()).0.is_nan());
    let case = Case {
        shapes: [Shape::new(&[3]), Shape::new(&[3, 2])],
        ..case
    };
    assert!(case.run::<Cpu>(&CTC::new()).0.is_nan());
}

#[test]
fn samples_without_others_do_not_count() {
    let circle = Circle::new().gamma(2.0);
    let case = |y_true: &[f64]| Case {
        y_true: y_true.to_vec(),
        y_pred: numbers(2 * y_true.len(), 1)
            .iter()
            .map(|p| p / 2.0)
            .collect(),
        logits: None,
        weights: None,
        shapes: widths([1, 2]),
    };
    // Nobody has one of its class, or nobody has one of another one.
    for labels in [[1.0, 2.0, 3.0], [4.0, 4.0, 4.0]] {
        assert_eq!(case(&labels).run::<Cpu64>(&circle), (0.0, vec![0.0; 6]));
    }
    let (mean, _) = case(&[1.0, 1.0, 3.0]).run::<Cpu64>(&circle);
    let (sum, _) = case(&[1.0, 1.0, 3.0]).run::<Cpu64>(&circle.clone().reduction(Reduction::Sum));
    assert!((mean - sum / 2.0).abs() < 1e-12, "{mean} and {sum}");
}

#[test]
fn without_a_reduction_the_mean_is_shown_and_the_sum_is_trained() {
    let run = |loss: &dyn Loss<Cpu64>| {
        let case = Case {
            y_true: numbers(12, 1),
            y_pred: numbers(12, 2),
            logits: None,
            weights: Some(numbers(4, 3)),
            shapes: widths([3, 3]),
        };
        case.run(loss)
    };
    for name in ["mse", "huber", "bce"] {
        let with = |reduction: &str| {
            let config = [("reduction", reduction.into())];
            run(&*of_config::<Cpu64>(name, &config).expect("a loss of Keras"))
        };
        let ((value, gradient), (mean, _), (_, of_sum)) = (with("none"), with("mean"), with("sum"));
        assert!((value - mean).abs() < 1e-12, "{name}: {value} and {mean}");
        let same = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
        assert!(gradient.iter().zip(&of_sum).all(same), "{name}");
    }
}

#[test]
fn what_is_fused_is_what_it_would_be_apart() {
    let logits = numbers(20, 1);
    let probabilities: Vec<f64> = logits.chunks(5).flat_map(softmax).collect();
    let case = |logits| Case {
        y_true: vec![3.0, 0.0, 4.0, 4.0],
        y_pred: probabilities.clone(),
        logits,
        weights: None,
        shapes: widths([1, 5]),
    };
    let loss = SparseCategoricalCrossentropy::new();
    let (apart, _) = case(None).run::<Cpu64>(&loss);
    let (fused, _) = case(Some(logits)).run::<Cpu64>(&loss);
    assert!((apart - fused).abs() < 1e-12, "{apart} and {fused}");
}

#[test]
fn losses_fuse_with_the_activation_they_undo() {
    let shape = Shape::new(&[3]);
    let fuses = |loss: &dyn Loss<Cpu>| {
        [Activation::Softmax, Activation::Sigmoid, Activation::Relu]
            .map(|activation| loss.fuses(activation, &shape, &shape))
    };
    assert_eq!(fuses(&CategoricalCrossentropy::new()), [true, false, false]);
    assert_eq!(
        fuses(&SparseCategoricalCrossentropy::new()),
        [true, false, false]
    );
    assert_eq!(fuses(&BinaryCrossentropy::new()), [false, true, false]);
    assert_eq!(fuses(&BinaryFocalCrossentropy::new()), [false, true, false]);
    assert_eq!(fuses(&MeanSquaredError::new()), [false; 3]);
    // The activation is along the last axis.
    assert_eq!(fuses(&CategoricalCrossentropy::new().axis(0)), [false; 3]);
    // These take the activation's output for logits.
    assert_eq!(
        fuses(&CategoricalCrossentropy::new().from_logits(true)),
        [false; 3]
    );
    assert_eq!(
        fuses(&SparseCategoricalCrossentropy::new().from_logits(true)),
        [false; 3]
    );
    assert_eq!(
        fuses(&BinaryCrossentropy::new().from_logits(true)),
        [false; 3]
    );
}

#[test]
fn crossentropy_is_the_one_that_fits() {
    let loss = by_name::<Cpu>("crossentropy").expect("a known name");
    let (one, three) = (Shape::new(&[1]), Shape::new(&[3]));
    assert!(loss.fuses(Activation::Sigmoid, &one, &one));
    assert!(loss.fuses(Activation::Softmax, &three, &three));
    assert!(loss.check_targets(&[3.0], &one, &three).is_err());
    assert!(loss.check_targets(&[3.0], &three, &three).is_ok());
}

#[test]
fn large_logits_do_not_overflow() {
    let losses: [&dyn Loss<Cpu>; 2] = [
        &CategoricalCrossentropy::new().from_logits(true),
        &BinaryCrossentropy::new().from_logits(true),
    ];
    for loss in losses {
        let (value, gradient) = row(loss, &[0.0, 1.0], &[1e30, -1e30]);
        assert!(
            value > 1e29 && value.is_finite(),
            "{} is {value}",
            loss.name()
        );
        assert!(gradient.iter().all(|d| d.is_finite()), "{}", loss.name());
        let (value, _) = row(loss, &[1.0, 0.0], &[1e30, -1e30]);
        assert_eq!(value, 0.0, "{}", loss.name());
    }
    let sparse = SparseCategoricalCrossentropy::new().from_logits(true);
    let (value, gradient) = row(&sparse, &[1.0], &[f32::MAX, 0.0]);
    assert_eq!((value, &gradient[..]), (f32::MAX, &[2.0, -2.0][..]));
    // A class that cannot be: no other class's loss is touched by it.
    let (value, _) = row(&sparse, &[1.0], &[f32::NEG_INFINITY, 0.0]);
    assert_eq!(value, 0.0);
}

#[test]
fn impossible_probabilities_cost_what_keras_says() {
    let (value, gradient) = row(&CategoricalCrossentropy::new(), &[0.0, 1.0], &[1.0, 0.0]);
    assert!((value - 16.118_095).abs() < 1e-5, "{value}");
    assert_eq!(gradient, [0.0, 0.0]);
    let (value, _) = row(&BinaryCrossentropy::new(), &[1.0], &[1.0]);
    assert!((value - 1.192_093e-7).abs() < 1e-12, "{value}");
    let (value, _) = row(&CategoricalCrossentropy::new(), &[1.0, 0.0], &[0.2, 0.2]);
    assert!((value - std::f32::consts::LN_2).abs() < 1e-6, "{value}");
}

#[test]
fn nan_and_infinity_are_not_hidden() {
    let losses: [(&dyn Loss<Cpu>, &[f32]); 8] = [
        (&MeanSquaredError::new(), &[0.0, 1.0]),
        (&MeanAbsoluteError::new(), &[0.0, 1.0]),
        (&BinaryCrossentropy::new(), &[0.0, 1.0]),
        (&BinaryCrossentropy::new().from_logits(true), &[0.0, 1.0]),
        (&CategoricalCrossentropy::new(), &[0.0, 1.0]),
        (
            &CategoricalCrossentropy::new().from_logits(true),
            &[0.0, 1.0],
        ),
        (&SparseCategoricalCrossentropy::new(), &[1.0]),
        (
            &SparseCategoricalCrossentropy::new().from_logits(true),
            &[1.0],
        ),
    ];
    for (loss, y_true) in losses {
        for at in 0..2 {
            let mut y_pred = [0.5, 0.5];
            y_pred[at] = f32::NAN;
            let (value, gradient) = row(loss, y_true, &y_pred);
            assert!(value.is_nan(), "{} is {value}", loss.name());
            assert!(gradient[at].is_nan(), "{}: {gradient:?}", loss.name());
        }
    }
    let (value, gradient) = row(&MeanSquaredError::new(), &[0.0], &[f32::INFINITY]);
    assert_eq!((value, gradient[0]), (f32::INFINITY, f32::INFINITY));
}

#[test]
fn an_ignored_row_counts_nothing() {
    let loss = SparseCategoricalCrossentropy::new()
        .from_logits(true)
        .ignore_class(-1);
    let case = |y_true: &[f32]| Case {
        y_true: y_true.to_vec(),
        y_pred: [[1.0f32, 2.0], [f32::NAN, f32::NAN]].concat(),
        logits: None,
        weights: None,
        shapes: widths([1, 2]),
    };
    let (value, gradient) = case(&[0.0, -1.0]).run::<Cpu>(&loss);
    let (alone, alone_gradient) = row(&loss, &[0.0], &[1.0, 2.0]);
    assert_eq!(value, alone);
    assert_eq!(gradient, [&alone_gradient[..], &[0.0, 0.0]].concat());
    let (value, gradient) = case(&[-1.0, -1.0]).run::<Cpu>(&loss);
    assert_eq!((value, gradient), (0.0, vec![0.0; 4]));
}
