//! Gradients against finite differences.

use super::*;

#[test]
fn gradients_of_errors() {
    check_all("mean squared error", |reduction| {
        let loss = || MeanSquaredError::new().reduction(reduction);
        vec![
            Variant::new(loss(), Targets::Any),
            Variant::new(loss(), Targets::One),
        ]
    });
    check_all("mean absolute error", |reduction| {
        let loss = || MeanAbsoluteError::new().reduction(reduction);
        vec![
            Variant::new(loss(), Targets::Any),
            Variant::new(loss(), Targets::One),
        ]
    });
}

#[test]
fn gradients_of_binary_crossentropy() {
    check_all("binary cross-entropy", |reduction| {
        let loss = || {
            BinaryCrossentropy::new()
                .label_smoothing(0.2)
                .reduction(reduction)
        };
        vec![
            Variant::new(loss(), Targets::Any),
            Variant::new(loss().from_logits(true), Targets::Any).on_logits(),
            Variant::new(loss(), Targets::Any).fused(sigmoid),
        ]
    });
}

#[test]
fn gradients_of_categorical_crossentropy() {
    check_all("categorical cross-entropy", |reduction| {
        let loss = || {
            CategoricalCrossentropy::new()
                .label_smoothing(0.2)
                .reduction(reduction)
        };
        vec![
            Variant::new(loss(), Targets::Any),
            Variant::new(loss().from_logits(true), Targets::Any).on_logits(),
            Variant::new(loss(), Targets::Any).fused(softmax),
        ]
    });
}

#[test]
fn gradients_of_sparse_categorical_crossentropy() {
    check_all("sparse categorical cross-entropy", |reduction| {
        let loss = || SparseCategoricalCrossentropy::new().reduction(reduction);
        let mut variants = vec![
            Variant::new(loss(), Targets::Class),
            Variant::new(loss().from_logits(true), Targets::Class).on_logits(),
            Variant::new(loss(), Targets::Class).fused(softmax),
        ];
        // Rows of class 0 are left out; their gradient is 0.
        variants.push(Variant::new(loss().ignore_class(0), Targets::Class));
        variants
    });
}

#[test]
fn gradients_of_pairs() {
    for (seed, width) in [1, 2, 7, 33].into_iter().enumerate() {
        let (row, len) = ([width], 4 * width);
        let shapes = [&row[..]; 2];
        let (soft, probabilities) = (numbers(len, seed + 50), numbers(len, seed));
        let signs: Vec<f64> = binary(len).iter().map(|t| 2.0 * t - 1.0).collect();
        let z = logits(len, seed);
        for (name, config) in [
            ("mape", vec![]),
            ("huber", vec![]),
            ("huber", vec![("delta", 0.25.into())]),
            ("log_cosh", vec![]),
            ("categorical_hinge", vec![]),
            ("cosine_similarity", vec![]),
        ] {
            check_loss(name, &config, shapes, &soft, &z);
        }
        for name in ["msle", "kld", "poisson"] {
            check_loss(name, &[], shapes, &soft, &probabilities);
        }
        for name in ["hinge", "squared_hinge"] {
            for targets in [&signs, &binary(len), &soft] {
                check_loss(name, &[], shapes, targets, &z);
            }
        }
        check_loss("categorical_hinge", &[], shapes, &one_hot(width), &z);
        check_loss("huber", &[], [&[1], &[width]], &soft[..4], &z);
        let classes: Vec<f64> = (0..4).map(|row| (row * 5 % width) as f64).collect();
        for q in [0.1, 0.5, 0.9] {
            let (name, shapes) = ("CategoricalGeneralizedCrossEntropy", [&[1][..], &[width]]);
            check_loss(name, &[("q", q.into())], shapes, &classes, &probabilities);
        }
    }
}

#[test]
fn gradients_of_focal_crossentropies() {
    for (seed, width) in [1, 3, 17].into_iter().enumerate() {
        let (row, len) = ([width], 4 * width);
        let shapes = [&row[..]; 2];
        let probabilities = numbers(len, seed);
        for gamma in [0.0, 0.5, 1.0, 2.0, 3.5] {
            for from_logits in [false, true] {
                let y_pred = match from_logits {
                    true => logits(len, seed),
                    false => probabilities.clone(),
                };
                let config = [
                    ("gamma", gamma.into()),
                    ("from_logits", from_logits.into()),
                    ("label_smoothing", 0.1.into()),
                ];
                let balanced = [&config[..], &[("apply_class_balancing", true.into())]].concat();
                let alphas: Vec<f64> = (1..=width).map(|class| class as f64 / 4.0).collect();
                let with_alphas = [&config[..], &[("alpha", alphas.into())]].concat();
                for config in [&config[..], &balanced] {
                    let name = "binary_focal_crossentropy";
                    check_loss(name, config, shapes, &binary(len), &y_pred);
                }
                for config in [&config[..], &with_alphas] {
                    let name = "categorical_focal_crossentropy";
                    check_loss(name, config, shapes, &one_hot(width), &y_pred);
                }
            }
        }
    }
    check_all("binary focal cross-entropy", |reduction| {
        let loss = || BinaryFocalCrossentropy::new().reduction(reduction);
        vec![Variant::new(loss(), Targets::Any).fused(sigmoid)]
    });
}

#[test]
fn gradients_along_other_axes() {
    let (y_pred, z) = (numbers(4 * 24, 3), logits(4 * 24, 3));
    let (soft, masks) = (numbers(4 * 24, 8), binary(4 * 24));
    let shapes = [&[2, 3, 4][..]; 2];
    for axes in [
        Json::Null,
        (-1.0).into(),
        1.0.into(),
        2.0.into(),
        vec![1.0, 2.0, 3.0].into(),
        vec![0.0, 2.0].into(),
        vec![-1.0, -3.0].into(),
    ] {
        let axes = ("axis", axes);
        check_loss("dice", slice::from_ref(&axes), shapes, &masks, &y_pred);
        let config = [axes, ("alpha", 0.3.into()), ("beta", 0.9.into())];
        check_loss("tversky", &config, shapes, &masks, &y_pred);
    }
    for axis in [1.0, 2.0, -2.0, -1.0] {
        let axis = ("axis", axis.into());
        check_loss(
            "cosine_similarity",
            slice::from_ref(&axis),
            shapes,
            &soft,
            &z,
        );
        check_loss(
            "binary_crossentropy",
            slice::from_ref(&axis),
            shapes,
            &masks,
            &y_pred,
        );
        check_loss(
            "binary_focal_crossentropy",
            slice::from_ref(&axis),
            shapes,
            &masks,
            &y_pred,
        );
        check_loss(
            "categorical_crossentropy",
            slice::from_ref(&axis),
            shapes,
            &soft,
            &y_pred,
        );
        check_loss(
            "categorical_focal_crossentropy",
            &[axis],
            shapes,
            &soft,
            &y_pred,
        );
    }
    // Three classes along the axis between two others.
    let classes: Vec<f64> = (0..4 * 8).map(|at| (at % 5 % 3) as f64).collect();
    for targets in [&[2, 4][..], &[2, 1, 4]] {
        for (from_logits, y_pred) in [(false, &y_pred), (true, &z)] {
            let mut config = vec![("axis", 2.0.into()), ("from_logits", from_logits.into())];
            let (name, shapes) = ("sparse_categorical_crossentropy", [targets, shapes[1]]);
            check_loss(name, &config, shapes, &classes, y_pred);
            config.push(("ignore_class", 1.0.into()));
            check_loss(name, &config, shapes, &classes, y_pred);
        }
    }
}

#[test]
fn gradients_of_circle() {
    let labels = [3.0, 1.0, 3.0, 1.0];
    for width in [1, 2, 5] {
        let scale = 0.3 / (width as f64).sqrt();
        let y_pred: Vec<f64> = logits(4 * width, 2).iter().map(|z| scale * z).collect();
        for remove_diagonal in [true, false] {
            for margin in [0.1, 0.4, 0.9] {
                let config = [
                    ("gamma", 5.0.into()),
                    ("margin", margin.into()),
                    ("remove_diagonal", remove_diagonal.into()),
                ];
                check_loss("circle", &config, [&[1], &[width]], &labels, &y_pred);
            }
        }
    }
}

#[test]
fn gradients_of_ctc() {
    let labels = [1, 2, 3, 2, 2, 0, 0, 0, 0, 3, 1, 1].map(f64::from);
    check_loss("ctc", &[], [&[3], &[4, 4]], &labels, &logits(4 * 16, 4));
    check_loss("ctc", &[], [&[3], &[9, 5]], &labels, &logits(4 * 45, 5));
    check_loss(
        "ctc",
        &[],
        [&[1], &[1, 3]],
        &[1.0, 2.0, 0.0, 1.0],
        &logits(4 * 3, 6),
    );
}
