//! Optimizers: the weights after each of five steps.

use keras::device::{Cpu, Memory};
use keras::optimizers::{self, Adam, AdamW, IntoOptimizer, Optimizer, RMSprop, SGD, Step};
use ndarray::ArrayD;
use serde_json::Value;

use crate::fixture::{assert_close, load, number, tensors};

#[test]
fn optimizers_are_those_of_keras() {
    let cases = load("optimizers");
    let cases = cases["cases"].as_array().expect("cases");
    assert!(cases.len() > 20, "only {} cases", cases.len());
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let gradients = case["gradients"].as_array().expect("gradients");
        let after = case["after"].as_array().expect("weights");
        let mut run = Run::new(optimizer(case), &flat(&case["weights"]));
        for (step, (gradients, after)) in gradients.iter().zip(after).enumerate() {
            let everything = 0..run.params.len();
            run.step(&flat(gradients), std::slice::from_ref(&everything));
            let what = format!("{name}, step {}", step + 1);
            assert_close(&what, &run.params, &flat(after), 1e-6, 1e-7);
        }
    }
}

#[test]
fn frozen_weights_stay() {
    let optimizer = AdamW::new(0.1).into_optimizer().expect("valid arguments");
    let mut run = Run::new(optimizer, &[1.0; 50]);
    run.step(&[0.5; 50], &[3..20, 30..31]);
    let is_changed = |at: usize| (3..20).contains(&at) || at == 30;
    for (at, param) in run.params.iter().enumerate() {
        assert_eq!(*param != 1.0, is_changed(at), "weight {at} is {param}");
    }
}

#[test]
fn names_are_those_of_keras_in_any_case() {
    for (name, rate) in [
        ("sgd", 0.01),
        ("RMSprop", 0.001),
        ("Adam", 0.001),
        ("AdamW", 0.001),
    ] {
        let optimizer = optimizers::by_name::<Cpu>(name).expect("a known name");
        assert_eq!(optimizer.name(), name.to_lowercase());
        assert_eq!(optimizer.learning_rate(), rate);
    }
    let error = optimizers::by_name::<Cpu>("addam").err();
    let expected = "Could not interpret optimizer identifier: addam. Did you mean `adam`?";
    assert_eq!(
        error.map(|error| error.to_string()).as_deref(),
        Some(expected)
    );
}

#[test]
fn a_momentum_above_one_is_refused() {
    let optimizer = IntoOptimizer::<Cpu>::into_optimizer(SGD::new(0.1).momentum(1.5));
    let expected = "`momentum` must be a float between [0, 1]. Received: momentum=1.5";
    assert_eq!(
        optimizer.err().map(|error| error.to_string()).as_deref(),
        Some(expected)
    );
}

/// An optimizer with weights and what it remembers of them.
struct Run {
    device: Cpu,
    optimizer: Box<dyn Optimizer<Cpu>>,
    params: <Cpu as Memory>::Buffer,
    slots: Vec<<Cpu as Memory>::Buffer>,
    iteration: u64,
}

impl Run {
    fn new(optimizer: Box<dyn Optimizer<Cpu>>, weights: &[f32]) -> Self {
        let device = Cpu::default();
        let alloc = || device.alloc(weights.len()).expect("memory");
        let mut params = alloc();
        params.copy_from_slice(weights);
        let slots = (0..optimizer.slots()).map(|_| alloc()).collect();
        Self {
            device,
            optimizer,
            params,
            slots,
            iteration: 0,
        }
    }

    fn step(&mut self, gradients: &[f32], ranges: &[std::ops::Range<usize>]) {
        let mut grads = self.device.alloc(gradients.len()).expect("memory");
        grads.copy_from_slice(gradients);
        self.iteration += 1;
        self.optimizer.step(Step {
            device: &self.device,
            params: &mut self.params,
            grads: &grads,
            slots: &mut self.slots,
            ranges,
            iteration: self.iteration,
        });
    }
}

/// The numbers of several tensors, one after the other.
fn flat(value: &Value) -> Vec<f32> {
    let numbers = |tensor: ArrayD<f32>| tensor.into_raw_vec_and_offset().0;
    tensors(value).into_iter().flat_map(numbers).collect()
}

/// The optimizer of a case, with every argument of its configuration.
fn optimizer(case: &Value) -> Box<dyn Optimizer<Cpu>> {
    /// Calls the builder method of each argument that is given.
    macro_rules! build {
        ($ty:ident, $default:literal; $($number:ident)*; $($flag:ident)*) => {{
            let config = case["config"].as_object().expect("a configuration");
            let mut known = usize::from(config.contains_key("learning_rate"));
            let mut optimizer = $ty::new(config.get("learning_rate").map_or($default, number));
            $(if let Some(value) = config.get(stringify!($number)) {
                optimizer = optimizer.$number(number(value));
                known += 1;
            })*
            $(if let Some(value) = config.get(stringify!($flag)) {
                optimizer = optimizer.$flag(value == true);
                known += 1;
            })*
            assert_eq!(known, config.len(), "arguments of {}", case["name"]);
            optimizer.into_optimizer().expect("valid arguments")
        }};
    }
    match case["class"].as_str().expect("a class") {
        "SGD" => build!(SGD, 0.01; momentum weight_decay; nesterov),
        "RMSprop" => build!(RMSprop, 0.001; rho momentum epsilon weight_decay; centered),
        "Adam" => build!(Adam, 0.001; beta_1 beta_2 epsilon weight_decay; amsgrad),
        "AdamW" => build!(AdamW, 0.001; beta_1 beta_2 epsilon weight_decay; amsgrad),
        other => panic!("an optimizer of Keras that is missing here: {other}"),
    }
}
