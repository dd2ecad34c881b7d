"""own.json, own.keras: a model with a loss, a metric and layers of its own, which Python registers by their names.

{"name", "x": T, "y": T, "predictions": T of the saved model, "loss", "gap": the logs of one more epoch, in order and in
batches of 4}

`python own.py DIRECTORY` loads DIRECTORY/own.keras, which the test writes, and holds all of this against the case in
DIRECTORY/own.json.
"""

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np
from keras import layers, ops

from fixture import DIRECTORY, Random, array, compress, number, tensor

register = keras.saving.register_keras_serializable(package="tests")


@register
class Swish(layers.Layer):
    def __init__(self, beta_initializer="ones", **arguments):
        super().__init__(**arguments)
        self.beta_initializer = keras.initializers.get(beta_initializer)

    def build(self, shape):
        self.beta = self.add_weight(shape=(), initializer=self.beta_initializer, name="beta")

    def call(self, x):
        return x * ops.sigmoid(self.beta * x)

    def get_config(self):
        return super().get_config() | {"beta_initializer": keras.initializers.serialize(self.beta_initializer)}


@register
class Scaled(layers.Layer):
    def __init__(self, factor, shift=0.0, **arguments):
        super().__init__(**arguments)
        self.factor, self.shift = factor, shift

    def call(self, x):
        return self.factor * x + self.shift

    def get_config(self):
        return super().get_config() | {"factor": self.factor, "shift": self.shift}


@register
class Quartic(keras.losses.Loss):
    def __init__(self, weight=1.0, name="quartic", reduction="sum_over_batch_size"):
        super().__init__(name=name, reduction=reduction)
        self.weight = weight

    def call(self, y_true, y_pred):
        return self.weight * ops.mean(ops.square(ops.square(y_true - y_pred)), axis=-1)

    def get_config(self):
        return {"name": self.name, "reduction": self.reduction, "weight": self.weight}


@register
def gap(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def epoch(model, x, y):
    history = model.fit(x, y, batch_size=4, shuffle=False, verbose=0).history
    return {name: history[name][0] for name in ("loss", "gap")}


def cases():
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((4,), name="x"),
            layers.Dense(3, name="hidden"),
            Scaled(2.0, shift=0.5, name="scaled"),
            Swish(beta_initializer=keras.initializers.Constant(0.5), name="swish"),
            layers.Dense(1, name="last"),
        ],
        name="own",
    )
    model.compile(keras.optimizers.Adam(0.01), Quartic(weight=0.5), metrics=[gap])
    random = Random("own")
    x, y = random.values((12, 4)), random.values((12, 1), 0.5)
    epoch(model, x, y)
    path = DIRECTORY / "own.keras"
    model.save(path)
    compress(path)
    predictions = tensor(model.predict(x, verbose=0))
    logs = {name: number(value) for name, value in epoch(model, x, y).items()}
    return [{"name": "own", "x": tensor(x), "y": tensor(y), "predictions": predictions, **logs}]


def check(directory):
    with open(os.path.join(directory, "own.json")) as file:
        case = json.load(file)
    x, y, expected = [array(case[key]) for key in ("x", "y", "predictions")]
    model = keras.models.load_model(os.path.join(directory, "own.keras"))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=0, atol=1e-6)
    for name, value in epoch(model, x, y).items():
        np.testing.assert_allclose(value, case[name], rtol=1e-4, err_msg=name)


if __name__ == "__main__":
    check(sys.argv[1])
