"""optimizers.json: some steps of an optimizer on two variables, every step with a gradient of its own.

{"name", "class", "config", "weights": [T], "gradients": [[T]; steps], "after": [[T]; steps], the variables after each
step, "slots", the names of the optimizer's variables after its first ones, and "finalized": [T], the variables after
`finalize_variable_values`, where the optimizer averages them}. A learning rate can be a schedule: {"class", "config"}.

"schedules": {"name", "class", "config", "steps", "values"}
"""

import keras
import numpy as np

from fixture import Random, number, tensors

SHAPES = [(2, 3), (3,)]
NAMES = ["kernel", "bias", "embedding"]
STEPS = 5


def schedule(name, arguments):
    return getattr(keras.optimizers.schedules, name)(**arguments)


def make(optimizer, config):
    config = dict(config)
    excluded = config.pop("exclude_from_weight_decay", None)
    if isinstance(config.get("learning_rate"), dict):
        rate = config["learning_rate"]
        config["learning_rate"] = schedule(rate["class"], rate["config"])
    if optimizer == "LossScaleOptimizer":
        inner = config.pop("inner")
        config["inner_optimizer"] = make(inner["class"], inner["config"])
    made = getattr(keras.optimizers, optimizer)(**config)
    if excluded:
        made.exclude_from_weight_decay(var_names=excluded)
    return made


def apply(optimizer, gradients, variables):
    """One step as Keras' `train_step` takes it with JAX: its loss scaling does not work in any other way there."""
    if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer.apply(gradients)
    state = [variable.value for variable in optimizer.variables]
    weights = [variable.value for variable in variables]
    weights, state = optimizer.stateless_apply(state, gradients, weights)
    for variable, value in zip(variables + optimizer.variables, weights + state):
        variable.assign(value)


def case(name, optimizer, config, scale=1.0, steps=STEPS, shapes=SHAPES, poison=()):
    random = Random(name)
    weights = [random.values(shape) for shape in shapes]
    gradients = [[random.values(shape) * np.float32(scale) for shape in shapes] for _ in range(steps)]
    gradients[2][0].flat[0] = 0.0
    for step in poison:
        gradients[step][0].flat[1] = np.inf
    variables = [keras.Variable(weight, name=name) for weight, name in zip(weights, NAMES)]
    made = make(optimizer, config)
    made.build(variables)
    after = []
    for step in gradients:
        apply(made, [keras.ops.convert_to_tensor(gradient) for gradient in step], variables)
        after.append(tensors(variables))
    written = {
        "name": name,
        "class": optimizer,
        "config": config,
        "weights": tensors(weights),
        "gradients": [tensors(step) for step in gradients],
        "after": after,
    }
    if config.get("use_ema"):
        made.finalize_variable_values(variables)
        written["finalized"] = tensors(variables)
    return written


def elementary():
    return [
        case("sgd", "SGD", {}),
        case("sgd_learning_rate", "SGD", {"learning_rate": 0.3}),
        case("sgd_momentum", "SGD", {"learning_rate": 0.1, "momentum": 0.9}),
        case("sgd_nesterov", "SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
        case("sgd_nesterov_without_momentum", "SGD", {"learning_rate": 0.1, "nesterov": True}),
        case("sgd_weight_decay", "SGD", {"learning_rate": 0.1, "weight_decay": 0.1}),
        case("sgd_all", "SGD", {"learning_rate": 0.05, "momentum": 0.5, "nesterov": True, "weight_decay": 0.02}),
        case("rmsprop", "RMSprop", {}),
        case("rmsprop_learning_rate", "RMSprop", {"learning_rate": 0.01}),
        case("rmsprop_rho", "RMSprop", {"learning_rate": 0.01, "rho": 0.5}),
        case("rmsprop_epsilon", "RMSprop", {"learning_rate": 0.01, "epsilon": 0.1}),
        case("rmsprop_momentum", "RMSprop", {"learning_rate": 0.01, "momentum": 0.9}),
        case("rmsprop_centered", "RMSprop", {"learning_rate": 0.01, "centered": True}),
        case("rmsprop_momentum_centered", "RMSprop", {"learning_rate": 0.01, "momentum": 0.8, "centered": True}),
        case("rmsprop_weight_decay", "RMSprop", {"learning_rate": 0.01, "weight_decay": 0.05}),
        case("adam", "Adam", {}),
        case("adam_learning_rate", "Adam", {"learning_rate": 0.1}),
        case("adam_betas", "Adam", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.9}),
        case("adam_epsilon", "Adam", {"learning_rate": 0.05, "epsilon": 1.0}),
        case("adam_amsgrad", "Adam", {"learning_rate": 0.05, "beta_2": 0.5, "amsgrad": True}),
        case("adam_weight_decay", "Adam", {"learning_rate": 0.05, "weight_decay": 0.1}),
        case("adam_small_gradients", "Adam", {"learning_rate": 0.05}, scale=1e-6),
        case("adam_large_gradients", "Adam", {"learning_rate": 0.05}, scale=1e6),
        case("adamw", "AdamW", {}),
        case("adamw_weight_decay", "AdamW", {"learning_rate": 0.05, "weight_decay": 0.01}),
        case("adamw_large_weight_decay", "AdamW", {"learning_rate": 0.1, "weight_decay": 0.5}),
        case("adamw_amsgrad", "AdamW", {"learning_rate": 0.05, "amsgrad": True}),
    ]


def others():
    """Optimizers whose rule looks at every parameter by itself."""
    return [
        case("adagrad", "Adagrad", {}),
        case("adagrad_learning_rate", "Adagrad", {"learning_rate": 0.1}),
        case("adagrad_accumulator", "Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.5, "epsilon": 0.01}),
        case("adagrad_weight_decay", "Adagrad", {"learning_rate": 0.1, "weight_decay": 0.05}),
        case("adadelta", "Adadelta", {}),
        case("adadelta_learning_rate", "Adadelta", {"learning_rate": 1.0}),
        case("adadelta_rho", "Adadelta", {"learning_rate": 1.0, "rho": 0.5, "epsilon": 1e-3}),
        case("adamax", "Adamax", {}),
        case("adamax_learning_rate", "Adamax", {"learning_rate": 0.1}),
        case("adamax_betas", "Adamax", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.7, "epsilon": 0.1}),
        case("nadam", "Nadam", {}),
        case("nadam_learning_rate", "Nadam", {"learning_rate": 0.1}, steps=8),
        case("nadam_betas", "Nadam", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1}),
        case("ftrl", "Ftrl", {}),
        case("ftrl_learning_rate", "Ftrl", {"learning_rate": 0.1}),
        case(
            "ftrl_regularized",
            "Ftrl",
            {
                "learning_rate": 0.2,
                "l1_regularization_strength": 0.3,
                "l2_regularization_strength": 0.1,
                "l2_shrinkage_regularization_strength": 0.05,
                "beta": 0.1,
            },
        ),
        case(
            "ftrl_power", "Ftrl", {"learning_rate": 0.1, "learning_rate_power": -0.7, "initial_accumulator_value": 0.2}
        ),
        case("lion", "Lion", {}),
        case("lion_learning_rate", "Lion", {"learning_rate": 0.1, "weight_decay": 0.1}),
        case("lion_betas", "Lion", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.8}),
        case("schedule_free", "ScheduleFreeAdamW", {}),
        case("schedule_free_learning_rate", "ScheduleFreeAdamW", {"learning_rate": 0.1, "weight_decay": 0.01}),
        case(
            "schedule_free_warmup",
            "ScheduleFreeAdamW",
            {"learning_rate": 0.1, "warmup_steps": 3, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-4},
        ),
    ]


def shared():
    """What all optimizers can be told."""
    momentum = {"learning_rate": 0.1, "momentum": 0.9}
    return [
        case("clipnorm", "SGD", {"learning_rate": 0.1, "clipnorm": 0.7}),
        case("clipnorm_large", "SGD", {"learning_rate": 0.1, "clipnorm": 100.0}),
        case("clipnorm_momentum", "SGD", {**momentum, "clipnorm": 0.5}),
        case("clipvalue", "RMSprop", {"learning_rate": 0.01, "clipvalue": 0.4}),
        case("global_clipnorm", "Adam", {"learning_rate": 0.1, "global_clipnorm": 0.7}),
        case("global_clipnorm_large", "SGD", {"learning_rate": 0.1, "global_clipnorm": 100.0}),
        case("excluded", "AdamW", {"learning_rate": 0.1, "weight_decay": 0.2, "exclude_from_weight_decay": ["bias"]}),
        case("excluded_all", "SGD", {"learning_rate": 0.1, "weight_decay": 0.2, "exclude_from_weight_decay": ["ker", "bi"]}),
        case("ema", "SGD", {"learning_rate": 0.1, "use_ema": True}),
        case("ema_momentum", "Adam", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.6}),
        case("ema_overwrite", "SGD", {**momentum, "use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}),
        case("loss_scale_factor", "SGD", {"learning_rate": 0.1, "loss_scale_factor": 8.0}),
        case("loss_scale_and_clip", "SGD", {"learning_rate": 0.1, "loss_scale_factor": 3.0, "clipnorm": 0.2}),
        case("accumulation", "SGD", {**momentum, "gradient_accumulation_steps": 2}),
        case("accumulation_adam", "Adam", {"learning_rate": 0.1, "gradient_accumulation_steps": 3}, steps=7),
        case(
            "accumulation_with_all",
            "AdamW",
            {
                "learning_rate": 0.1,
                "weight_decay": 0.1,
                "gradient_accumulation_steps": 2,
                "clipnorm": 0.3,
                "use_ema": True,
                "ema_momentum": 0.8,
                "ema_overwrite_frequency": 2,
                "amsgrad": True,
            },
            steps=9,
        ),
        case("accumulation_nadam", "Nadam", {"learning_rate": 0.1, "gradient_accumulation_steps": 2}, steps=6),
        case(
            "scheduled",
            "SGD",
            {
                "learning_rate": {
                    "class": "ExponentialDecay",
                    "config": {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5},
                },
                "weight_decay": 0.1,
            },
        ),
        case(
            "scheduled_accumulation",
            "Adam",
            {
                "learning_rate": {
                    "class": "PiecewiseConstantDecay",
                    "config": {"boundaries": [1, 3], "values": [0.2, 0.1, 0.05]},
                },
                "gradient_accumulation_steps": 2,
            },
            steps=6,
        ),
    ]


def matrices():
    """Optimizers whose rule looks at whole variables, and the one that looks at all gradients first."""
    shapes = [(3, 2, 4), (5,), (4, 3)]
    lamb = {"learning_rate": 0.1}
    adafactor = {"learning_rate": 0.3}
    three = [(4, 6), (5,), (3, 2)]
    tall = [(7, 3), (2,), (3, 2)]
    muon = {"learning_rate": 0.05}
    return [
        case("lamb", "Lamb", {}),
        case("lamb_learning_rate", "Lamb", lamb, shapes=shapes, steps=7),
        case("lamb_betas", "Lamb", {**lamb, "beta_1": 0.5, "beta_2": 0.8, "epsilon": 0.01}),
        case("lamb_weight_decay", "Lamb", {**lamb, "weight_decay": 0.1, "clipnorm": 0.5}),
        case("lamb_exclude", "Lamb", {**lamb, "weight_decay": 0.3, "exclude_from_weight_decay": ["bias"]}),
        case("adafactor", "Adafactor", {}),
        case("adafactor_learning_rate", "Adafactor", adafactor, shapes=shapes, steps=8),
        case("adafactor_large_rate", "Adafactor", {"learning_rate": 2.0}, steps=6),
        case("adafactor_large_rate_alone", "Adafactor", {"learning_rate": 2.0, "relative_step": False}, steps=6),
        case(
            "adafactor_all",
            "Adafactor",
            {
                **adafactor,
                "beta_2_decay": -0.5,
                "epsilon_1": 0.01,
                "epsilon_2": 0.9,
                "clip_threshold": 0.4,
                "weight_decay": 0.05,
                "clipvalue": 0.6,
            },
            shapes=shapes,
        ),
        case("adafactor_accumulation", "Adafactor", {**adafactor, "gradient_accumulation_steps": 2}, steps=6),
        case("muon", "Muon", {}),
        case("muon_wide", "Muon", muon, shapes=three, steps=7),
        case("muon_tall", "Muon", muon, shapes=tall),
        case("muon_embeddings", "Muon", {**muon, "exclude_embeddings": False}, shapes=three),
        case("muon_excluded", "Muon", {**muon, "exclude_layers": ["kern"]}, shapes=tall),
        case("muon_plain", "Muon", {**muon, "nesterov": False, "rms_rate": None, "weight_decay": 0.1}, shapes=tall),
        case(
            "muon_all",
            "Muon",
            {
                **muon,
                "adam_beta_1": 0.7,
                "adam_beta_2": 0.9,
                "epsilon": 0.01,
                "adam_weight_decay": 0.2,
                "adam_lr_ratio": 0.3,
                "muon_a": 3.0,
                "muon_b": -3.2,
                "muon_c": 1.2,
                "momentum": 0.8,
                "ns_steps": 3,
                "rms_rate": 0.5,
                "global_clipnorm": 0.9,
            },
            shapes=three,
        ),
        case(
            "loss_scale_optimizer",
            "LossScaleOptimizer",
            {"inner": {"class": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.9}}},
            scale=32768.0,
        ),
        case(
            "loss_scale_growing",
            "LossScaleOptimizer",
            {
                "inner": {"class": "Adam", "config": {"learning_rate": 0.1}},
                "initial_scale": 8.0,
                "dynamic_growth_steps": 2,
            },
            steps=8,
            poison=[3],
        ),
        case(
            "loss_scale_shrinking",
            "LossScaleOptimizer",
            {
                "inner": {
                    "class": "Lamb",
                    "config": {"learning_rate": 0.1, "weight_decay": 0.1, "clipnorm": 0.5, "loss_scale_factor": 3.0},
                },
                "initial_scale": 4.0,
                "dynamic_growth_steps": 3,
            },
            steps=7,
            poison=[0, 1, 4],
        ),
    ]


def values(name, class_name, config, steps):
    made = schedule(class_name, config)
    return {
        "name": name,
        "class": class_name,
        "config": config,
        "steps": steps,
        "values": [number(made(step)) for step in steps],
    }


def schedules():
    steps = [0, 1, 2, 9, 10, 11, 25, 49, 50, 51, 99, 100, 101, 250, 1000, 12345]
    rate = {"initial_learning_rate": 0.1}
    decay = {**rate, "decay_steps": 50, "decay_rate": 0.9}
    cases = [
        ("exponential", "ExponentialDecay", decay),
        ("exponential_staircase", "ExponentialDecay", {**decay, "staircase": True}),
        ("inverse_time", "InverseTimeDecay", decay),
        ("inverse_time_staircase", "InverseTimeDecay", {**decay, "staircase": True}),
        ("piecewise", "PiecewiseConstantDecay", {"boundaries": [10, 50, 100], "values": [1.0, 0.5, 0.25, 0.1]}),
        ("piecewise_one", "PiecewiseConstantDecay", {"boundaries": [50], "values": [0.5, 0.1]}),
        ("polynomial", "PolynomialDecay", {**rate, "decay_steps": 50}),
        ("polynomial_power", "PolynomialDecay", {**rate, "decay_steps": 100, "end_learning_rate": 0.01, "power": 2.0}),
        ("polynomial_cycle", "PolynomialDecay", {**rate, "decay_steps": 50, "power": 0.5, "cycle": True}),
        ("cosine", "CosineDecay", {**rate, "decay_steps": 100}),
        ("cosine_alpha", "CosineDecay", {**rate, "decay_steps": 100, "alpha": 0.2}),
        ("cosine_warmup", "CosineDecay", {**rate, "decay_steps": 90, "warmup_target": 0.5, "warmup_steps": 10}),
        ("cosine_target", "CosineDecay", {**rate, "decay_steps": 90, "alpha": 0.1, "warmup_target": 0.5}),
        ("restarts", "CosineDecayRestarts", {**rate, "first_decay_steps": 30}),
        ("restarts_alike", "CosineDecayRestarts", {**rate, "first_decay_steps": 30, "t_mul": 1.0, "m_mul": 0.5}),
        (
            "restarts_all",
            "CosineDecayRestarts",
            {**rate, "first_decay_steps": 20, "t_mul": 1.5, "m_mul": 0.8, "alpha": 0.1},
        ),
    ]
    return [values(*case, steps) for case in cases]


def cases():
    return {"cases": elementary() + others() + shared() + matrices(), "schedules": schedules()}
