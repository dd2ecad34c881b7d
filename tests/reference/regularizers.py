"""regularizers.json: penalties with their gradients, constraints, and trainings with all of them.

"regularizers": {"name", "class", "config", "x": T, "penalty", "gradient": T}
"constraints": {"name", "class", "config", "w": T, "after": T}
"trainings": {"name", "optimizer", "config", "x": T, "y": T, "weights": [T], "loss", after each epoch, "evaluated", "after":
[T]} of the model that `network` makes, and the test too
"""

import jax
import keras
import numpy as np

from fixture import Random, number, tensor, tensors
from optimizers import make


def regularizer(name, class_name, config, shape):
    x = Random(name).values(shape)
    x[0] = np.where(np.arange(x[0].size).reshape(x[0].shape) == 1, 0.0, x[0])
    made = getattr(keras.regularizers, class_name)(**config)
    value, gradient = jax.value_and_grad(lambda x: made(x))(jax.numpy.asarray(x))
    return {
        "name": name,
        "class": class_name,
        "config": config,
        "x": tensor(x),
        "penalty": number(value),
        "gradient": tensor(gradient),
    }


def constraint(name, class_name, config, shape):
    w = Random(name).values(shape)
    made = getattr(keras.constraints, class_name)(**config)
    return {"name": name, "class": class_name, "config": config, "w": tensor(w), "after": tensor(made(w))}


def network():
    regularizers, constraints = keras.regularizers, keras.constraints
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(
                6,
                activation="relu",
                kernel_regularizer=regularizers.L1L2(0.01, 0.02),
                bias_regularizer=regularizers.L2(0.1),
                activity_regularizer=regularizers.L2(0.05),
                kernel_constraint=constraints.MaxNorm(1.0),
            ),
            keras.layers.BatchNormalization(
                gamma_regularizer=regularizers.L2(0.03), beta_constraint=constraints.NonNeg()
            ),
            keras.layers.Dense(
                3,
                activation="softmax",
                kernel_regularizer=regularizers.OrthogonalRegularizer(0.1, "columns"),
                activity_regularizer=regularizers.L1(0.02),
                kernel_constraint=constraints.UnitNorm(axis=1),
                bias_constraint=constraints.MinMaxNorm(0.1, 0.3, rate=0.7),
            ),
        ]
    )


def training(name, optimizer, config):
    random = Random(name)
    model = network()
    weights = [random.values(weight.shape, 0.5) for weight in model.weights]
    weights[5] = np.abs(weights[5])
    model.set_weights(weights)
    x, y = random.values((10, 4)), random.one_hot((10, 3))
    model.compile(make(optimizer, config), "categorical_crossentropy")
    history = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0)
    return {
        "name": name,
        "optimizer": optimizer,
        "config": config,
        "x": tensor(x),
        "y": tensor(y),
        "weights": tensors(weights),
        "loss": [number(loss) for loss in history.history["loss"]],
        "evaluated": number(model.evaluate(x, y, batch_size=3, verbose=0)),
        "after": tensors(model.get_weights()),
    }


def cases():
    return {
        "regularizers": [
            regularizer("l1", "L1", {"l1": 0.3}, (3, 4)),
            regularizer("l1_default", "L1", {}, (20,)),
            regularizer("l2", "L2", {"l2": 0.3}, (3, 4)),
            regularizer("l2_default", "L2", {}, (3, 3, 2, 4)),
            regularizer("l1_l2", "L1L2", {"l1": 0.1, "l2": 0.2}, (5, 7)),
            regularizer("l1_l2_default", "L1L2", {}, (2, 2)),
            regularizer("orthogonal", "OrthogonalRegularizer", {}, (3, 4)),
            regularizer("orthogonal_rows", "OrthogonalRegularizer", {"factor": 0.5, "mode": "rows"}, (4, 6)),
            regularizer("orthogonal_columns", "OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}, (6, 4)),
        ],
        "constraints": [
            constraint("max_norm", "MaxNorm", {}, (6, 4)),
            constraint("max_norm_small", "MaxNorm", {"max_value": 0.5}, (6, 20)),
            constraint("max_norm_axis", "MaxNorm", {"max_value": 0.5, "axis": 1}, (6, 4)),
            constraint("max_norm_filters", "MaxNorm", {"max_value": 1.0, "axis": [0, 1, 2]}, (2, 3, 2, 4)),
            constraint("max_norm_vector", "MaxNorm", {"max_value": 0.5}, (5,)),
            constraint("non_neg", "NonNeg", {}, (3, 4)),
            constraint("unit_norm", "UnitNorm", {}, (6, 4)),
            constraint("unit_norm_last", "UnitNorm", {"axis": -1}, (2, 3, 4)),
            constraint("min_max_norm", "MinMaxNorm", {"min_value": 1.0, "max_value": 1.5}, (3, 17)),
            constraint("min_max_norm_rate", "MinMaxNorm", {"min_value": 0.5, "max_value": 1.0, "rate": 0.3, "axis": 1}, (4, 5)),
        ],
        "trainings": [
            training("adam", "Adam", {"learning_rate": 0.05}),
            training("sgd", "SGD", {"learning_rate": 0.1, "momentum": 0.9}),
            training("clipped", "SGD", {"learning_rate": 0.1, "loss_scale_factor": 8.0, "clipnorm": 0.5}),
            training("averaged", "Adam", {"learning_rate": 0.05, "use_ema": True, "ema_momentum": 0.7}),
        ],
    }
