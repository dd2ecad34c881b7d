//! Optimizers: the weights after each of some steps. Schedules: the learning rate of some steps.

use keras::device::{Cpu, Device, Emulated};
use keras::optimizers::{self, *};
use keras::schedules::*;
use keras::shape::Shape;
use ndarray::ArrayD;
use serde_json::{Map, Value};

use crate::fixture::{assert_close, load, number, tensors};

const NAMES: [&str; 3] = ["kernel", "bias", "embedding"];

#[test]
fn optimizers_are_those_of_keras() {
    replay::<Cpu>(1e-6);
}

#[test]
fn optimizers_of_the_emulated_gpu_are_those_of_keras() {
    if Emulated::is_available() {
        replay::<Emulated>(1e-5);
    }
}

fn replay<D: OptimizerCatalogue>(rtol: f32) {
    let fixture = load("optimizers");
    let cases = fixture["cases"].as_array().expect("cases");
    assert!(cases.len() > 80, "only {} cases", cases.len());
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let gradients = case["gradients"].as_array().expect("gradients");
        let after = case["after"].as_array().expect("weights");
        let mut run = Run::<D>::new(optimizer(case), &tensors(&case["weights"]), &NAMES);
        for (step, (gradients, after)) in gradients.iter().zip(after).enumerate() {
            run.step(&flat(gradients));
            let what = format!("{name}, step {}", step + 1);
            assert_close(&what, &run.params(), &flat(after), rtol, 1e-7);
        }
        if let Some(finalized) = case.get("finalized") {
            run.state.finalize(&run.device, &mut run.params);
            assert_close(name, &run.params(), &flat(finalized), rtol, 1e-7);
        }
    }
}

#[test]
fn schedules_are_those_of_keras() {
    let fixture = load("optimizers");
    let cases = fixture["schedules"].as_array().expect("schedules");
    assert!(cases.len() > 12, "only {} cases", cases.len());
    for case in cases {
        let rate = learning_rate(case);
        let steps = case["steps"].as_array().expect("steps");
        let found = steps
            .iter()
            .filter_map(Value::as_u64)
            .map(|step| rate.at(step));
        let values = case["values"].as_array().expect("values");
        let expected: Vec<f32> = values.iter().map(number).collect();
        let name = case["name"].as_str().expect("a name");
        assert_close(name, &found.collect::<Vec<_>>(), &expected, 2e-6, 1e-8);
    }
}

#[test]
fn frozen_weights_stay() {
    let optimizer = AdamW::new(0.1).into_optimizer().expect("valid arguments");
    let weights = [3, 17, 10, 1, 19].map(|len| ArrayD::ones(vec![len]));
    let names = ["frozen", "a", "frozen", "b", "frozen"];
    let mut run = Run::<Cpu>::new(optimizer, &weights, &names);
    run.step(&[0.5; 50]);
    let is_changed = |at: usize| (3..20).contains(&at) || at == 30;
    for (at, param) in run.params().into_iter().enumerate() {
        assert_eq!(param != 1.0, is_changed(at), "weight {at} is {param}");
    }
}

#[test]
fn names_are_those_of_keras_in_any_case() {
    for (identifier, name, rate) in [
        ("sgd", "sgd", 0.01),
        ("RMSprop", "rm_sprop", 0.001),
        ("Adam", "adam", 0.001),
        ("AdamW", "adam_w", 0.001),
        ("adadelta", "adadelta", 0.001),
        ("Adagrad", "adagrad", 0.001),
        ("adamax", "adamax", 0.001),
        ("Nadam", "nadam", 0.001),
        ("FTRL", "ftrl", 0.001),
        ("lion", "lion", 0.001),
        ("Lamb", "lamb", 0.001),
        ("muon", "muon", 0.001),
        ("Adafactor", "adafactor", 0.001),
        ("ScheduleFreeAdamW", "schedule_free_adam_w", 0.0025),
    ] {
        let optimizer = optimizers::by_name::<Cpu>(identifier).expect("a known name");
        assert_eq!(optimizer.name(), name);
        assert_eq!(optimizer.class().to_lowercase(), identifier.to_lowercase());
        assert_eq!(optimizer.settings().learning_rate().at(0), rate);
    }
    let error = optimizers::by_name::<Cpu>("addam").err();
    let expected = "Could not interpret optimizer identifier: addam. Did you mean `adam`?";
    assert_eq!(
        error.map(|error| error.to_string()).as_deref(),
        Some(expected)
    );
    let named = Adam::new(0.1).name("mine").into_optimizer();
    assert_eq!(
        named.map(|named: Box<dyn Optimizer<Cpu>>| named.name().to_owned()),
        Ok("mine".into())
    );
}

#[test]
fn arguments_out_of_range_are_refused_with_the_sentence_of_keras() {
    #[track_caller]
    fn refused(optimizer: impl IntoOptimizer<Cpu>, expected: &str) {
        let error = optimizer
            .into_optimizer()
            .err()
            .map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected));
    }
    refused(
        SGD::new(0.1).momentum(1.5),
        "`momentum` must be a float between [0, 1]. Received: momentum=1.5",
    );
    refused(
        Lion::new(0.1).beta_1(0.0),
        "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer degenerates to \
         SignSGD. Received: beta_1=0.",
    );
    refused(
        Ftrl::new(0.1).l1_regularization_strength(-1.5),
        "`l1_regularization_strength` needs to be positive or zero. Received: \
         l1_regularization_strength=-1.5.",
    );
    refused(
        Ftrl::new(0.1).learning_rate_power(0.5),
        "`learning_rate_power` needs to be negative or zero. Received: learning_rate_power=0.5.",
    );
    refused(
        Adam::new(0.1).gradient_accumulation_steps(1),
        "`gradient_accumulation_steps` must be an integer >= 2. Received: \
         gradient_accumulation_steps=1",
    );
    refused(
        Adam::new(0.1).use_ema(true).ema_momentum(1.5),
        "`ema_momentum` must be in the range [0, 1]. Received: ema_momentum=1.5",
    );
    refused(
        Adam::new(0.1).use_ema(true).ema_overwrite_frequency(0),
        "`ema_overwrite_frequency` must be an integer >= 1 or None. Received: \
         ema_overwrite_frequency=0",
    );
    refused(
        Adam::new(0.1).clipnorm(1.0).clipvalue(0.5),
        "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: \
         clipnorm=1, clipvalue=0.5, global_clipnorm=None",
    );
    refused(
        Adam::new(ExponentialDecay::new(0.1, 0, 0.9)),
        "Argument `decay_steps` must be > 0. Received: decay_steps=0",
    );
    refused(
        Ftrl::new(0.1).initial_accumulator_value(-0.5),
        "`initial_accumulator_value` needs to be positive or zero. Received: \
         initial_accumulator_value=-0.5.",
    );
    refused(
        Ftrl::new(0.1).l2_regularization_strength(-1.5),
        "`l2_regularization_strength` needs to be positive or zero. Received: \
         l2_regularization_strength=-1.5.",
    );
    refused(
        Ftrl::new(0.1).l2_shrinkage_regularization_strength(-1.5),
        "`l2_shrinkage_regularization_strength` needs to be positive or zero. Received: \
         l2_shrinkage_regularization_strength=-1.5.",
    );
    refused(
        LossScaleOptimizer::new(SGD::new(0.1).momentum(-0.5)),
        "`momentum` must be a float between [0, 1]. Received: momentum=-0.5",
    );
    let decay_steps = "Argument `decay_steps` must be > 0. Received: decay_steps=0";
    refused(SGD::new(InverseTimeDecay::new(0.1, 0, 0.9)), decay_steps);
    refused(SGD::new(PolynomialDecay::new(0.1, 0)), decay_steps);
    refused(SGD::new(CosineDecay::new(0.1, 0)), decay_steps);
    refused(
        Adam::new(CosineDecayRestarts::new(0.1, 0)),
        "Argument `first_decay_steps` must be > 0. Received: first_decay_steps=0",
    );
    refused(
        Adam::new(PiecewiseConstantDecay::new([1, 2], [0.1, 0.2])),
        "The length of boundaries should be 1 less than the length of values. Received: \
         boundaries=[1, 2] of length 2, and values=[0.1, 0.2] of length 2.",
    );
}

#[test]
fn every_variable_has_one_of_several_optimizers() {
    let map = || OptimizerMap::new(SGD::new(0.5)).with("a|b.*", SGD::new(0.25));
    let those = |variable: &Variable| variable.path.ends_with('c');
    let optimizer = MultiOptimizer::new(
        map()
            .with("b", SGD::new(0.125))
            .with_those(those, SGD::new(0.0)),
    );
    let optimizer = optimizer.into_optimizer().expect("valid arguments");
    let weights = [1, 2, 1, 1, 1].map(|len| ArrayD::ones(vec![len]));
    let mut run = Run::<Cpu>::new(optimizer, &weights, &["a", "b", "bd", "c", "d"]);
    run.step(&[1.0; 6]);
    assert_eq!(run.params[..], [0.75, 0.875, 0.875, 0.75, 1.0, 0.5]);
    let error = run.optimizer.settings_mut().set_learning_rate(0.1).err();
    assert!(
        error.is_some_and(|error| error.to_string().starts_with("Learning rate cannot be set"))
    );

    let named = |map: OptimizerMap, name: &str| {
        let optimizer = MultiOptimizer::new(map).into_optimizer();
        let optimizer: Box<dyn Optimizer<Cpu>> = optimizer.map_err(|error| error.to_string())?;
        let variable = Variable {
            path: name.to_owned(),
            shape: Shape::new(&[1]),
            range: 0..1,
        };
        optimizer
            .member_of(&variable)
            .map_err(|error| error.to_string())
    };
    let mistakes = [
        (named(map().with("a.*", SGD::new(0.1)), "ab"), Ok(1)),
        (
            named(map().with("b.?", SGD::new(0.1)), "be"),
            Err("Multiple optimizers assigned to variable be."),
        ),
        (
            named(map().with("a|b.*", SGD::new(0.1)), "a"),
            Err(
                "'a|b.*' already exists in the OptimizerMap with value sgd. Please make sure to not use duplicated keys.",
            ),
        ),
        (
            named(map().with("c", LossScaleOptimizer::new(SGD::new(0.1))), "c"),
            Err("optimizer cannot be LossScaleOptimizer."),
        ),
        (
            named(map().with("c", MultiOptimizer::new(map())), "c"),
            Err("optimizer cannot be MultiOptimizer."),
        ),
        (
            named(map().with("c", SGD::new(0.1).momentum(2.0)), "c"),
            Err("`momentum` must be a float between [0, 1]. Received: momentum=2"),
        ),
    ];
    for (found, expected) in mistakes {
        assert_eq!(found, expected.map_err(str::to_owned));
    }
}

#[test]
fn a_loss_scale_may_be_that_of_several_optimizers() {
    let map = OptimizerMap::new(SGD::new(0.5)).with("b", Nadam::new(0.1));
    let inner = || MultiOptimizer::new(map.clone());
    let weights = [ArrayD::ones(vec![2]), ArrayD::ones(vec![2])];
    let scaled = LossScaleOptimizer::new(inner()).initial_scale(8.0);
    let mut scaled = Run::<Cpu>::new(
        scaled.into_optimizer().expect("valid"),
        &weights,
        &["a", "b"],
    );
    let mut plain = Run::<Cpu>::new(
        inner().into_optimizer().expect("valid"),
        &weights,
        &["a", "b"],
    );
    for _ in 0..3 {
        let gradients = [1.0, -2.0, 0.5, 0.25];
        let scale = scaled.state.loss_scale(&*scaled.optimizer);
        plain.step(&gradients);
        scaled.step(&gradients.map(|gradient| gradient * scale));
        assert_eq!(plain.params[..], scaled.params[..]);
        // No step, and half the scale.
        scaled.step(&[f32::NAN; 4]);
        assert_eq!(plain.params[..], scaled.params[..]);
        assert_eq!(scaled.state.loss_scale(&*scaled.optimizer), scale / 2.0);
    }
}

#[test]
fn a_schedule_of_your_own_is_a_closure() {
    let optimizer = SGD::new(|step: u64| 0.5 / (1 + step) as f32);
    let optimizer: Box<dyn Optimizer<Cpu>> = optimizer.into_optimizer().expect("valid arguments");
    let mut run = Run::new(optimizer, &[ArrayD::ones(vec![1])], &["w"]);
    for expected in [0.5, 0.25, 0.25 - 0.5 / 3.0] {
        run.step(&[1.0]);
        assert_close("w", &run.params, &[expected], 1e-6, 0.0);
    }
    let settings = run.optimizer.settings_mut();
    let error = settings
        .set_learning_rate(0.1)
        .err()
        .map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("hence its learning rate is not settable")));
}

#[test]
fn variables_have_the_names_and_the_order_of_keras() {
    let names = |optimizer: Box<dyn Optimizer<Cpu>>| {
        let weights = [ArrayD::zeros(vec![2, 3]), ArrayD::zeros(vec![3])];
        let run = Run::new(optimizer, &weights, &["kernel", "bias"]);
        let variables = run.state.variables(&*run.optimizer);
        let named = variables.into_iter().map(|variable| variable.name);
        named.skip(2).collect::<Vec<_>>().join(" ")
    };
    let optimizer = Adam::new(0.1)
        .amsgrad(true)
        .use_ema(true)
        .gradient_accumulation_steps(2);
    assert_eq!(
        names(optimizer.into_optimizer().expect("valid arguments")),
        "kernel_average bias_average kernel_gradient_accumulator bias_gradient_accumulator \
         kernel_momentum kernel_velocity bias_momentum bias_velocity kernel_velocity_hat \
         bias_velocity_hat"
    );
    let optimizer = RMSprop::new(0.1).momentum(0.9).centered(true);
    assert_eq!(
        names(optimizer.into_optimizer().expect("valid arguments")),
        "kernel_velocity bias_velocity kernel_momentum bias_momentum kernel_average_gradient \
         bias_average_gradient"
    );
    // Its own two are followed by those of each optimizer, the default last.
    let map =
        OptimizerMap::new(SGD::new(0.1).momentum(0.5)).with("bias", Adam::new(0.1).use_ema(true));
    let optimizer = MultiOptimizer::new(map.with("other", Lion::new(0.1)));
    assert_eq!(
        names(optimizer.into_optimizer().expect("valid arguments")),
        "iteration learning_rate bias_average bias_momentum bias_velocity iteration learning_rate \
         iteration learning_rate kernel_momentum"
    );
}

/// An optimizer with weights and what it remembers of them.
struct Run<D: Device> {
    device: D,
    optimizer: Box<dyn Optimizer<D>>,
    params: D::Buffer,
    state: State<D>,
}

impl<D: Device> Run<D> {
    /// Weights side by side; those named `frozen` are not trained.
    fn new(optimizer: Box<dyn Optimizer<D>>, weights: &[ArrayD<f32>], names: &[&str]) -> Self {
        let device = D::default();
        let mut variables = Vec::new();
        let mut values = Vec::new();
        for (weight, name) in weights.iter().zip(names) {
            let start = values.len();
            values.extend(weight.iter());
            if *name != "frozen" {
                variables.push(Variable {
                    path: (*name).to_owned(),
                    shape: Shape::new(weight.shape()),
                    range: start..values.len(),
                });
            }
        }
        let params = buffer(&device, &values);
        let mut state = State::new();
        state
            .prepare(&*optimizer, &device, &params, variables, 0)
            .expect("memory");
        Self {
            device,
            optimizer,
            params,
            state,
        }
    }

    fn step(&mut self, gradients: &[f32]) {
        let mut grads = buffer(&self.device, gradients);
        self.state
            .apply(&*self.optimizer, &self.device, &mut self.params, &mut grads);
    }

    fn params(&self) -> Vec<f32> {
        let mut values = vec![0.0; D::len(&self.params)];
        self.device
            .download(D::slice(&self.params, 0..values.len()), &mut values);
        values
    }
}

/// Memory of these numbers.
fn buffer<D: Device>(device: &D, values: &[f32]) -> D::Buffer {
    let mut buffer = device.alloc(values.len()).expect("memory");
    device.upload(values, D::slice_mut(&mut buffer, 0..values.len()));
    buffer
}

/// The numbers of several tensors, one after the other.
fn flat(value: &Value) -> Vec<f32> {
    let numbers = |tensor: ArrayD<f32>| tensor.into_raw_vec_and_offset().0;
    tensors(value).into_iter().flat_map(numbers).collect()
}

/// The arguments of a case, each of which has to be asked for.
struct Arguments<'a> {
    what: &'a Value,
    config: &'a Map<String, Value>,
    asked: usize,
}

impl<'a> Arguments<'a> {
    fn of(what: &'a Value) -> Self {
        let config = what["config"].as_object().expect("a configuration");
        Self {
            what,
            config,
            asked: 0,
        }
    }

    fn get(&mut self, name: &str) -> Option<&'a Value> {
        let value = self.config.get(name);
        self.asked += usize::from(value.is_some());
        value
    }

    fn number(&mut self, name: &str) -> f32 {
        number(
            self.get(name)
                .unwrap_or_else(|| panic!("{name} of {}", self.what)),
        )
    }

    fn steps(&mut self, name: &str) -> u64 {
        self.number(name) as u64
    }

    fn finish(self) {
        assert_eq!(self.asked, self.config.len(), "arguments of {}", self.what);
    }
}

/// Calls the builder method of each argument that is given.
macro_rules! build {
    ($arguments:ident, $made:expr; $($number:ident)*; $($count:ident)*; $($flag:ident)*) => {{
        let mut made = $made;
        $(if let Some(value) = $arguments.get(stringify!($number)) {
            made = made.$number(number(value));
        })*
        $(if let Some(value) = $arguments.get(stringify!($count)) {
            made = made.$count(value.as_u64().expect("a whole number"));
        })*
        $(if let Some(value) = $arguments.get(stringify!($flag)) {
            made = made.$flag(value == true);
        })*
        made
    }};
}

/// The learning rate of a case.
fn learning_rate(value: &Value) -> LearningRate {
    let Some(class) = value.get("class") else {
        return number(value).into();
    };
    let mut arguments = Arguments::of(value);
    let a = &mut arguments;
    let class = class.as_str().expect("a class");
    let rate = if class == "PiecewiseConstantDecay" {
        0.0
    } else {
        a.number("initial_learning_rate")
    };
    let made: LearningRate = match class {
        "ExponentialDecay" => {
            let made = ExponentialDecay::new(rate, a.steps("decay_steps"), a.number("decay_rate"));
            build!(a, made; ; ; staircase).into()
        }
        "InverseTimeDecay" => {
            let made = InverseTimeDecay::new(rate, a.steps("decay_steps"), a.number("decay_rate"));
            build!(a, made; ; ; staircase).into()
        }
        "PiecewiseConstantDecay" => {
            let mut numbers = |name: &str| {
                let list = a.get(name).and_then(Value::as_array).expect("a list");
                list.iter().map(number).collect::<Vec<f32>>()
            };
            let boundaries: Vec<u64> = numbers("boundaries").iter().map(|&b| b as u64).collect();
            PiecewiseConstantDecay::new(boundaries, numbers("values")).into()
        }
        "PolynomialDecay" => {
            let made = PolynomialDecay::new(rate, a.steps("decay_steps"));
            build!(a, made; end_learning_rate power; ; cycle).into()
        }
        "CosineDecay" => {
            let made = CosineDecay::new(rate, a.steps("decay_steps"));
            build!(a, made; alpha warmup_target; warmup_steps; ).into()
        }
        "CosineDecayRestarts" => {
            let made = CosineDecayRestarts::new(rate, a.steps("first_decay_steps"));
            build!(a, made; t_mul m_mul alpha; ; ).into()
        }
        other => panic!("a schedule of Keras that is missing here: {other}"),
    };
    arguments.finish();
    made
}

/// The optimizer of a case, with every argument of its configuration.
pub fn optimizer<D: OptimizerCatalogue>(case: &Value) -> Box<dyn Optimizer<D>> {
    listed(case).into_optimizer().expect("valid arguments")
}

fn listed(case: &Value) -> Listed {
    let mut arguments = Arguments::of(case);
    let a = &mut arguments;
    macro_rules! optimizer {
        ($ty:ident; $($number:ident)*; $($count:ident)*; $($flag:ident)*) => {{
            let mut made = $ty::default();
            if let Some(rate) = a.get("learning_rate") {
                made = $ty::new(learning_rate(rate));
            }
            let mut made = build!(
                a, made;
                $($number)* weight_decay clipnorm clipvalue global_clipnorm ema_momentum loss_scale_factor;
                $($count)* ema_overwrite_frequency gradient_accumulation_steps;
                $($flag)* use_ema
            );
            if let Some(names) = a.get("exclude_from_weight_decay").and_then(Value::as_array) {
                made = made.exclude_from_weight_decay(names.iter().filter_map(Value::as_str));
            }
            made
        }};
    }
    let made: Listed = match case["class"].as_str().expect("a class") {
        "SGD" => optimizer!(SGD; momentum; ; nesterov).into(),
        "RMSprop" => optimizer!(RMSprop; rho momentum epsilon; ; centered).into(),
        "Adam" => optimizer!(Adam; beta_1 beta_2 epsilon; ; amsgrad).into(),
        "AdamW" => optimizer!(AdamW; beta_1 beta_2 epsilon; ; amsgrad).into(),
        "Adagrad" => optimizer!(Adagrad; initial_accumulator_value epsilon; ; ).into(),
        "Adadelta" => optimizer!(Adadelta; rho epsilon; ; ).into(),
        "Adamax" => optimizer!(Adamax; beta_1 beta_2 epsilon; ; ).into(),
        "Nadam" => optimizer!(Nadam; beta_1 beta_2 epsilon; ; ).into(),
        "Ftrl" => optimizer!(
            Ftrl;
            learning_rate_power initial_accumulator_value l1_regularization_strength
            l2_regularization_strength l2_shrinkage_regularization_strength beta; ;
        )
        .into(),
        "Lion" => optimizer!(Lion; beta_1 beta_2; ; ).into(),
        "ScheduleFreeAdamW" => {
            optimizer!(ScheduleFreeAdamW; beta_1 beta_2 epsilon; warmup_steps; ).into()
        }
        "Lamb" => optimizer!(Lamb; beta_1 beta_2 epsilon; ; ).into(),
        "Adafactor" => optimizer!(
            Adafactor; beta_2_decay epsilon_1 epsilon_2 clip_threshold; ; relative_step
        )
        .into(),
        "Muon" => {
            let mut made = optimizer!(
                Muon;
                adam_beta_1 adam_beta_2 epsilon adam_weight_decay adam_lr_ratio muon_a muon_b muon_c
                momentum;
                ns_steps;
                nesterov exclude_embeddings
            );
            if let Some(rate) = a.get("rms_rate") {
                made = made.rms_rate(rate.as_f64().map(|rate| rate as f32));
            }
            if let Some(names) = a.get("exclude_layers").and_then(Value::as_array) {
                made = made.exclude_layers(names.iter().filter_map(Value::as_str));
            }
            made.into()
        }
        "LossScaleOptimizer" => {
            let made = LossScaleOptimizer::new(listed(a.get("inner").expect("an optimizer")));
            build!(a, made; initial_scale; dynamic_growth_steps; ).into()
        }
        other => panic!("an optimizer of Keras that is missing here: {other}"),
    };
    arguments.finish();
    made
}
