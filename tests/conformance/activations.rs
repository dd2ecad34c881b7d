//! Every activation's values and gradients, as in `activations.json`.

use keras::device::{Activation, Activations, Cpu};
use keras::words;
use serde_json::Value;

use crate::fixture::{assert_close, load, number, tensor};

#[test]
fn activations_compute_what_keras_computes() {
    let fixture = load("activations");
    let cases = fixture["cases"].as_array().expect("a list of cases");
    assert!(cases.len() > 40, "only {} cases", cases.len());
    for case in cases {
        replay(case);
    }
}

fn replay(case: &Value) {
    let name = &case["name"];
    let f = activation(case["function"].as_str().expect("a name"), &case["config"]);
    let [x, y, dy, dx] = ["x", "y", "dy", "dx"].map(|key| tensor(&case[key]));
    let width = *x.shape().last().expect("an axis");
    let [x, y, dy, dx] = [x, y, dy, dx].map(|tensor| tensor.into_raw_vec_and_offset().0);

    let mut found = vec![f32::NAN; y.len()];
    Cpu::default().activate(f, &x, &mut found, width);
    assert_close(&format!("{name}"), &found, &y, 1e-5, 1e-6);

    let mut d_found = vec![f32::NAN; x.len()];
    let input = f.gradient_needs_input().then_some(&x[..]);
    Cpu::default().activation_gradient(f, input, &found, &dy, &mut d_found, width);
    assert_close(&format!("{name}'s gradient"), &d_found, &dx, 1e-5, 1e-6);
}

/// The function of a case with its arguments.
fn activation(function: &str, config: &Value) -> Activation {
    let argument = |name: &str, default: f32| match &config[name] {
        Value::Null => default,
        value => number(value),
    };
    match function {
        "celu" => words::celu_with(argument("alpha", 1.0)),
        "elu" => words::elu_with(argument("alpha", 1.0)),
        "gelu" => words::gelu_with(config["approximate"] == true),
        "hard_shrink" => words::hard_shrink_with(argument("threshold", 0.5)),
        "leaky_relu" => words::leaky_relu_with(argument("negative_slope", 0.2)),
        "relu" => words::relu_with(
            argument("negative_slope", 0.0),
            argument("max_value", f32::INFINITY),
            argument("threshold", 0.0),
        ),
        "soft_shrink" => words::soft_shrink_with(argument("threshold", 0.5)),
        "squareplus" => words::squareplus_with(argument("b", 4.0)),
        "threshold" => words::threshold(argument("threshold", 0.0), argument("default_value", 0.0)),
        name => Activation::by_name(name).unwrap_or_else(|error| panic!("{error}")),
    }
}
