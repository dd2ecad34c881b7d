"""optimizers.json: five steps of an optimizer on two variables, every step with a gradient of its own.

{"name", "class", "config", "weights": [T], "gradients": [[T]; 5], "after": [[T]; 5], the variables after each step}
"""

import keras
import numpy as np

from fixture import Random, tensors

SHAPES = [(2, 3), (3,)]
STEPS = 5


def case(name, optimizer, config, scale=1.0):
    random = Random(name)
    weights = [random.values(shape) for shape in SHAPES]
    gradients = [[random.values(shape) * np.float32(scale) for shape in SHAPES] for _ in range(STEPS)]
    gradients[2][0][0, 0] = 0.0
    variables = [keras.Variable(weight) for weight in weights]
    made = getattr(keras.optimizers, optimizer)(**config)
    made.build(variables)
    after = []
    for step in gradients:
        made.apply([keras.ops.convert_to_tensor(gradient) for gradient in step])
        after.append(tensors(variables))
    return {
        "name": name,
        "class": optimizer,
        "config": config,
        "weights": tensors(weights),
        "gradients": [tensors(step) for step in gradients],
        "after": after,
    }


def cases():
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
