//! Outputs within outputs.

use keras::prelude::*;
use ndarray::Array2;

#[model]
fn lists(x: Input<3>) -> Lists {
    let (p, q) = (Dense(2, name = "p")(x), Dense(2, name = "q")(x));
    Model(x, [[p, q], Dense(2, name = "r")(x)])
}

#[model]
fn within_a_dict(x: Input<3>) -> WithinADict {
    let (p, q) = (Dense(2, name = "p")(x), Dense(2, name = "q")(x));
    let inner = Model(x, ([p], q));
    Model(
        x,
        Dict {
            z: Dict { u: p, v: (q,) },
            b: Dense(2, name = "r")(x),
        },
    )
}

/// The names of the logs are those of Keras 3.15 for the same structures.
#[test]
fn outputs_may_be_nested() -> keras::Result<()> {
    let (x, y) = (Array2::<f32>::ones((4, 3)), Array2::<f32>::zeros((4, 2)));
    let mut model = Lists::with_seed(1);
    assert_eq!(model.output_structure().to_string(), "[[0/p, 0/q], r]");
    assert_eq!(model.output_names(), ["0/p", "0/q", "r"]);
    model.compile(Compile::new("sgd", "mse"))?;
    let logs = model.train_on_batch((&x, (&y, &y, &y)))?;
    let names: Vec<&str> = logs.names().collect();
    assert_eq!(names, ["0/p_loss", "0/q_loss", "loss", "r_loss"]);

    let mut model = WithinADict::with_seed(1);
    let names = ["z/u", "z/v/q", "b"];
    assert_eq!(model.output_names(), names);
    assert_eq!(
        model.output_structure().to_string(),
        "{z: {u: z/u, v: (z/v/q,)}, b: b}"
    );
    assert_eq!(model.inner().output_structure().to_string(), "([0/p], q)");
    let all = model.predict_all(&x, Predict::default())?;
    let nested = model.predict_nested(&x, Predict::default())?;
    let of = |path: &[&str]| {
        path.iter()
            .try_fold(&nested, |nested, place| nested.get(place))
    };
    let one = |at: usize| Some(keras::model::Nested::One(all[at].clone()));
    assert_eq!(of(&["z", "v", "0"]).cloned(), one(1));
    assert_eq!(of(&["b"]).cloned(), one(2));
    assert_eq!(of(&["z", "w"]), None);
    assert_eq!(nested.clone().flat(), all);
    assert!(model.output_structure().pack([1, 2]).is_err());
    Ok(())
}
