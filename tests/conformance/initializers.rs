//! Initializers as words of the model language.

use keras::initializers::Initializer;
use keras::prelude::*;
use ndarray::{ArrayD, array};

sequential! {
    Begun<4>;
    Dense(4, kernel_initializer = orthogonal.gain(2.0).seed(1), bias_initializer = Constant(0.5)),
    Dense(
        3,
        kernel_initializer = VarianceScaling(2.0, "fan_out", "uniform").seed(2),
        bias_initializer = constant(-1.0),
    ),
    Dense(3, kernel_initializer = Identity(3.0), bias_initializer = Ones()),
    Dense(2, kernel_initializer = RandomNormal(0.0, 0.01).seed(4), bias_initializer = random_uniform),
    Dense(2, kernel_initializer = glorot_uniform.axes(&[0], &[1]), bias_initializer = zeros.seed(1)),
}

#[test]
fn weights_begin_as_their_initializers_say() -> keras::Result<()> {
    let weights = Begun::with_seed(3).get_weights();
    let of = |initializer: Initializer, shape: &[usize]| initializer.values(shape);
    assert_eq!(
        weights[0],
        of(Initializer::Orthogonal.gain(2.0).seed(1), &[4, 4])?
    );
    assert_eq!(weights[1], ArrayD::from_elem(vec![4], 0.5f32));
    let scaled = Initializer::variance_scaling(2.0, "fan_out", "uniform");
    assert_eq!(weights[2], of(scaled.seed(2), &[4, 3])?);
    assert_eq!(weights[3], ArrayD::from_elem(vec![3], -1.0f32));
    let identity = array![[3.0f32, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]];
    assert_eq!(weights[4], identity.into_dyn());
    assert_eq!(weights[5], ArrayD::from_elem(vec![3], 1.0f32));
    assert_eq!(
        weights[6],
        of(Initializer::random_normal(0.0, 0.01).seed(4), &[3, 2])?
    );
    assert!(weights[7].iter().all(|w| w.abs() <= 0.05 && *w != 0.0));
    let other = Begun::with_seed(4).get_weights();
    let differs: Vec<bool> = weights.iter().zip(&other).map(|(a, b)| a != b).collect();
    // Only what has no seed of its own depends on the model's.
    assert_eq!(
        differs,
        [
            false, false, false, false, false, false, false, true, true, false
        ]
    );
    Ok(())
}

#[test]
fn a_weight_of_another_rank_is_refused_when_the_model_is_built() {
    let mut model = sequential![Dense(3, bias_initializer = orthogonal)];
    let error = model
        .build(&[None, Some(2)])
        .map_err(|error| error.to_string());
    let sentence = "The tensor to initialize must be at least two-dimensional. Received: shape=(3,) \
                    of rank 1.";
    assert_eq!(error, Err(sentence.into()));
}
