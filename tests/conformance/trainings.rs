//! Whole trainings: the same losses and the same weights as Keras after each of twenty steps, and
//! the same history of `fit`.

use keras::losses::Losses;
use keras::prelude::*;
use ndarray::{ArrayD, Axis, Slice};
use serde_json::Value;

use crate::fixture::{assert_close, load, number, tensors};

/// The samples of a step.
const BATCH: usize = 8;

/// The agreement that is asked for: 1e-4 relative, and as much of the largest weight.
const RTOL: f32 = 1e-4;
const ATOL: f32 = 1e-5;

sequential! {
    Mlp<8>;
    Dense(16, activation = relu),
    Dense(16, activation = relu),
    Dense(4, activation = softmax),
}

sequential! {
    SparseMlp<8>;
    Dense(16, activation = tanh),
    Dense(16, activation = tanh),
    Dense(4),
}

sequential! {
    Convnet<8, 8, 1>;
    Conv2D(4, 3, activation = relu),
    BatchNormalization,
    MaxPooling2D(2),
    Conv2D(6, 3, padding = same),
    BatchNormalization(momentum = 0.9),
    Activation(relu),
    Flatten,
    Dense(3, activation = softmax),
}

#[model]
fn two_inputs(first: Input<5>, second: Input<5>) -> TwoInputs {
    let shared = Dense(6, activation = tanh);
    let a = shared(first);
    let b = shared(second);
    let class = Dense(3, activation = softmax)(Concatenate()([a, b]));
    let score = Dense(1)(Add()([a, b]));
    Model((first, second), Dict { class, score })
}

sequential! {
    Regression<6>;
    Dense(10, activation = sigmoid),
    Dense(10, activation = sigmoid),
    Dense(1),
}

sequential! {
    FitMlp<6>;
    Dense(8, activation = relu),
    Dense(8, activation = relu),
    Dense(1),
}

sequential! {
    Words<5>;
    Embedding(
        9,
        4,
        embeddings_regularizer = l2(0.01),
        embeddings_constraint = max_norm(1.0),
        name = "words",
    ),
    Flatten,
    Dense(3, activation = softmax),
}

sequential! {
    Classifier<5>;
    Dense(7, activation = tanh, name = "hidden"),
    Dense(3, activation = softmax, name = "outputs"),
}

fn case(name: &str) -> Value {
    for fixture in ["trainings", "more_trainings"] {
        let fixture = load(fixture);
        let cases = fixture["cases"].as_array().expect("cases");
        if let Some(case) = cases.iter().find(|case| case["name"] == name) {
            return case.clone();
        }
    }
    panic!("no training is called {name}")
}

/// The batch of a step.
fn cut(arrays: &[ArrayD<f32>], step: usize) -> Vec<ArrayD<f32>> {
    let rows = Slice::from(step * BATCH..(step + 1) * BATCH);
    arrays
        .iter()
        .map(|array| array.slice_axis(Axis(0), rows).to_owned())
        .collect()
}

fn assert_weights(what: &str, found: &[ArrayD<f32>], expected: &[ArrayD<f32>]) {
    assert_eq!(found.len(), expected.len(), "{what}: the number of weights");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(
            found.shape(),
            expected.shape(),
            "{what}: the shape of weight {at}"
        );
        let flat = |array: &ArrayD<f32>| array.iter().copied().collect::<Vec<f32>>();
        assert_close(
            &format!("{what}, weight {at}"),
            &flat(found),
            &flat(expected),
            RTOL,
            ATOL,
        );
    }
}

/// Replays a training.
fn replay<M: Model>(name: &str, mut model: M, compile: Compile<M::Device>) -> keras::Result<()> {
    let case = case(name);
    let (inputs, targets) = (tensors(&case["inputs"]), tensors(&case["targets"]));
    model.compile(compile)?;
    model.set_weights(&tensors(&case["initial_weights"]))?;
    let losses = case["losses"].as_array().expect("losses");
    assert_eq!(losses.len(), 20);
    for (step, expected) in losses.iter().enumerate() {
        model.reset_metrics();
        let logs = model.train_on_batch((cut(&inputs, step), cut(&targets, step)))?;
        let what = format!("{name}, step {}", step + 1);
        let loss = logs.get("loss").expect("a loss");
        assert_close(
            &format!("{what}, loss"),
            &[loss],
            &[number(expected)],
            RTOL,
            0.0,
        );
        let weights = model.get_weights();
        let sum: f64 = weights
            .iter()
            .flatten()
            .map(|weight| f64::from(*weight))
            .sum();
        let squares: f64 = weights
            .iter()
            .flatten()
            .map(|weight| f64::from(*weight).powi(2))
            .sum();
        let sums = &case["sums"][step];
        let close = |found: f64, expected: &Value| {
            let expected = expected.as_f64().expect("a sum");
            (found - expected).abs() <= 1e-4 * squares.max(1.0)
        };
        assert!(
            close(sum, &sums[0]) && close(squares, &sums[1]),
            "{what}: sums {sum}, {squares}, Keras has {sums}"
        );
        let full = &case["weights"][(step + 1).to_string()];
        if full.is_array() {
            assert_weights(&what, &weights, &tensors(full));
        }
    }
    Ok(())
}

#[test]
fn an_mlp_with_rmsprop() -> keras::Result<()> {
    replay(
        "mlp",
        Mlp::new(),
        Compile::new(RMSprop::new(0.01), "categorical_crossentropy"),
    )
}

#[test]
fn an_mlp_from_logits_with_adam() -> keras::Result<()> {
    let loss = SparseCategoricalCrossentropy::new().from_logits(true);
    replay(
        "mlp_sparse_adam",
        SparseMlp::new(),
        Compile::new(Adam::new(0.01), loss),
    )
}

#[test]
fn a_convnet_with_batch_normalization() -> keras::Result<()> {
    let optimizer = SGD::new(0.02).momentum(0.9);
    replay(
        "convnet_bn",
        Convnet::new(),
        Compile::new(optimizer, "sparse_categorical_crossentropy"),
    )
}

#[test]
fn two_inputs_two_outputs_and_a_shared_layer() -> keras::Result<()> {
    let losses = Losses::by_output([
        ("class", "sparse_categorical_crossentropy"),
        ("score", "mse"),
    ]);
    let compile =
        Compile::new(Adam::new(0.01), losses).loss_weights([("class", 1.0), ("score", 0.2)]);
    replay("two_inputs_shared", TwoInputs::new(), compile)
}

#[test]
fn a_regression_with_adamw() -> keras::Result<()> {
    let optimizer = AdamW::new(0.01).weight_decay(0.004);
    replay(
        "regression_adamw",
        Regression::new(),
        Compile::new(optimizer, "mse").metric("mae"),
    )
}

#[test]
fn words_with_a_penalty_and_a_constraint() -> keras::Result<()> {
    let compile = Compile::new(Adam::new(0.02), "sparse_categorical_crossentropy");
    replay("embedding", Words::new(), compile)
}

/// A small network for three classes.
fn classifier(name: &str, optimizer: impl IntoOptimizer<Cpu>) -> keras::Result<()> {
    let compile = Compile::new(optimizer, "sparse_categorical_crossentropy");
    replay(name, Classifier::new(), compile)
}

#[test]
fn muon_of_a_whole_model() -> keras::Result<()> {
    classifier("muon", Muon::new(0.02))
}

/// The squares of gradients at this scale would be infinite.
#[test]
fn a_loss_scale_that_finds_its_size() -> keras::Result<()> {
    let optimizer = LossScaleOptimizer::new(Adam::new(0.02).clipnorm(0.5));
    let optimizer = optimizer
        .initial_scale(2f32.powi(100))
        .dynamic_growth_steps(3);
    classifier("loss_scale_optimizer", optimizer)
}

/// In Keras the paths of a `Sequential` begin with its name.
#[test]
fn several_optimizers_with_variables_of_their_own() -> keras::Result<()> {
    let map = OptimizerMap::new(SGD::new(0.1).momentum(0.9))
        .with("outputs/kernel", Adam::new(0.02))
        .with(".*/bias", RMSprop::new(0.005).clipnorm(0.05));
    classifier("multi_optimizer", MultiOptimizer::new(map))
}

/// Replays a `fit`: the history and the weights at its end.
fn replay_fit<M: Model>(
    name: &str,
    mut model: M,
    compile: Compile<M::Device>,
    fit: Fit<'_>,
) -> keras::Result<()> {
    let case = case(name);
    let (inputs, targets) = (tensors(&case["inputs"]), tensors(&case["targets"]));
    model.compile(compile)?;
    model.set_weights(&tensors(&case["initial_weights"]))?;
    let history = model.fit((inputs, targets), fit.shuffle(false).verbose(0))?;
    let expected = case["history"].as_object().expect("a history");
    assert_eq!(history.names().count(), expected.len());
    for (metric, values) in expected {
        let values: Vec<f32> = values
            .as_array()
            .expect("values")
            .iter()
            .map(number)
            .collect();
        let found = history
            .get(metric)
            .unwrap_or_else(|| panic!("{name}: no {metric} in the history"));
        assert_close(&format!("{name}, {metric}"), found, &values, RTOL, 1e-6);
    }
    assert_weights(name, &model.get_weights(), &tensors(&case["final_weights"]));
    Ok(())
}

#[test]
fn fit_with_a_short_last_batch() -> keras::Result<()> {
    let compile = Compile::new(SGD::new(0.05), "mse").metric("mae");
    replay_fit(
        "fit_mlp",
        FitMlp::new(),
        compile,
        Fit::epochs(3).batch_size(8).validation_split(0.25),
    )
}

#[test]
fn fit_of_a_convnet() -> keras::Result<()> {
    let compile = Compile::new(
        SGD::new(0.02).momentum(0.9),
        "sparse_categorical_crossentropy",
    )
    .metric("accuracy");
    replay_fit(
        "fit_convnet_bn",
        Convnet::new(),
        compile,
        Fit::epochs(2).batch_size(9).validation_split(0.2),
    )
}
