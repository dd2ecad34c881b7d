//! Regularizers and constraints: by themselves, and in trainings.

use keras::constraints::Constraint;
use keras::prelude::*;
use keras::regularizers::{OrthogonalMode, Regularizer};
use ndarray::ArrayD;
use serde_json::{Value, json};

use crate::fixture::{assert_close, load, number, tensor, tensors, text};
use crate::optimizers::optimizer;

sequential! {
    Penalized<4>;
    Dense(
        6,
        activation = relu,
        kernel_regularizer = l1_l2(0.01, 0.02),
        bias_regularizer = L2(0.1),
        activity_regularizer = l2(0.05),
        kernel_constraint = max_norm(1.0),
    ),
    BatchNormalization(gamma_regularizer = l2(0.03), beta_constraint = non_neg),
    Dense(
        3,
        activation = softmax,
        kernel_regularizer = OrthogonalRegularizer(0.1, columns),
        activity_regularizer = L1(0.02),
        kernel_constraint = unit_norm.axis(1),
        bias_constraint = MinMaxNorm(0.1, 0.3, 0.7),
    ),
}

#[test]
fn penalties_and_their_gradients_are_those_of_keras() {
    let fixture = load("regularizers");
    for case in list(&fixture, "regularizers", 9) {
        let name = text(case, "name");
        let x = tensor(&case["x"]);
        let of = regularizer(case);
        let penalty = of.penalty(&x).expect("a penalty");
        assert_close(name, &[penalty], &[number(&case["penalty"])], 1e-6, 1e-7);
        let gradient = of.gradient(&x).expect("a gradient");
        let expected = tensor(&case["gradient"]);
        assert_eq!(gradient.shape(), expected.shape());
        assert_close(name, &flat(&gradient), &flat(&expected), 2e-6, 1e-7);
    }
}

#[test]
fn constraints_are_those_of_keras() {
    let fixture = load("regularizers");
    for case in list(&fixture, "constraints", 10) {
        let after = constraint(case).apply(&tensor(&case["w"]));
        let expected = flat(&tensor(&case["after"]));
        let name = text(case, "name");
        assert_close(name, &flat(&after.expect("axes")), &expected, 1e-6, 0.0);
    }
}

#[test]
fn trainings_with_penalties_and_constraints_are_those_of_keras() -> keras::Result<()> {
    let fixture = load("regularizers");
    for case in list(&fixture, "trainings", 4) {
        let name = text(case, "name");
        let mut model = Penalized::with_seed(0);
        model.set_weights(&tensors(&case["weights"]))?;
        let of = optimizer(&json!({ "class": case["optimizer"], "config": case["config"] }));
        model.compile(Compile::new(of, "categorical_crossentropy"))?;
        let (x, y) = (tensor(&case["x"]), tensor(&case["y"]));
        let arguments = Fit::epochs(3).batch_size(4).shuffle(false).verbose(0);
        let history = model.fit((&x, &y), arguments)?;
        let losses = history.get("loss").expect("the loss");
        let numbers = case["loss"].as_array().expect("losses");
        let expected: Vec<f32> = numbers.iter().map(number).collect();
        assert_close(name, losses, &expected, 1e-5, 1e-6);
        let logs = model.evaluate((&x, &y), Evaluate::batch_size(3).verbose(0))?;
        let evaluated = logs.get("loss").expect("the loss");
        let expected = number(&case["evaluated"]);
        assert_close(name, &[evaluated], &[expected], 1e-5, 1e-6);
        for (weight, after) in model.get_weights().iter().zip(tensors(&case["after"])) {
            assert_close(name, &flat(weight), &flat(&after), 2e-5, 2e-6);
        }
    }
    Ok(())
}

#[test]
fn names_are_those_of_keras() {
    assert_eq!(Regularizer::by_name("l2"), Ok(Regularizer::l2(0.01)));
    assert_eq!(
        Regularizer::by_name("L1L2"),
        Ok(Regularizer::l1_l2(0.0, 0.0))
    );
    assert_eq!(Constraint::by_name("non_neg"), Ok(Constraint::NonNeg));
    assert_eq!(
        Constraint::by_name("MaxNorm"),
        Ok(Constraint::max_norm(2.0))
    );
    let sentence = |error: Option<keras::Error>| error.map(|error| error.to_string());
    assert_eq!(
        sentence(Regularizer::by_name("l3").err()).as_deref(),
        Some("Could not interpret regularizer identifier: l3. Did you mean `l1`?")
    );
    assert_eq!(
        sentence(Constraint::by_name("maxnorm").err()).as_deref(),
        Some("Could not interpret constraint identifier: maxnorm. Did you mean `max_norm`?")
    );
    let rows = Regularizer::orthogonal(0.1, OrthogonalMode::Rows);
    assert_eq!(
        sentence(rows.penalty(&ArrayD::zeros(vec![3])).err()).as_deref(),
        Some("Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape=(3,)")
    );
}

fn list<'a>(fixture: &'a Value, name: &str, least: usize) -> &'a Vec<Value> {
    let list = fixture[name].as_array().expect("a list");
    assert!(list.len() >= least, "only {} {name}", list.len());
    list
}

fn flat(array: &ArrayD<f32>) -> Vec<f32> {
    array.iter().copied().collect()
}

/// An argument of a case, or its default in Keras.
fn argument(case: &Value, name: &str, default: f32) -> f32 {
    case["config"].get(name).map_or(default, number)
}

fn regularizer(case: &Value) -> Regularizer {
    match text(case, "class") {
        "L1" => Regularizer::l1(argument(case, "l1", 0.01)),
        "L2" => Regularizer::l2(argument(case, "l2", 0.01)),
        "L1L2" => Regularizer::l1_l2(argument(case, "l1", 0.0), argument(case, "l2", 0.0)),
        "OrthogonalRegularizer" => {
            let mode = match case["config"].get("mode").and_then(Value::as_str) {
                Some("columns") => OrthogonalMode::Columns,
                _ => OrthogonalMode::Rows,
            };
            Regularizer::orthogonal(argument(case, "factor", 0.01), mode)
        }
        other => panic!("a regularizer of Keras that is missing here: {other}"),
    }
}

fn constraint(case: &Value) -> Constraint {
    let made = match text(case, "class") {
        "MaxNorm" => Constraint::max_norm(argument(case, "max_value", 2.0)),
        "MinMaxNorm" => {
            let [min, max, rate] = [("min_value", 0.0), ("max_value", 1.0), ("rate", 1.0)]
                .map(|(name, default)| argument(case, name, default));
            Constraint::min_max_norm(min, max, rate)
        }
        "NonNeg" => Constraint::NonNeg,
        "UnitNorm" => Constraint::unit_norm(),
        other => panic!("a constraint of Keras that is missing here: {other}"),
    };
    let whole = |value: &Value| value.as_i64().map(|axis| axis as isize);
    match case["config"].get("axis") {
        None => made,
        Some(Value::Array(axes)) => {
            match (axes.first().and_then(whole), axes.last().and_then(whole)) {
                (Some(first), Some(last)) => made.axes(first, last),
                _ => made,
            }
        }
        Some(axis) => made.axis(whole(axis).expect("a whole number")),
    }
}
