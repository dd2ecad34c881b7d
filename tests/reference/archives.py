"""archives.json, archives/*.keras: whole models that Keras saved after an epoch, and what it goes on to do with them.

{"name", "network", "file", "compile": the text of its compile_config, "x": [T], "y": [T], "predictions": [T] of the
saved model, "loss" of one more epoch, in order and in batches of 8}

`python archives.py DIRECTORY` does the reverse: for every case of DIRECTORY/archives.json, which the test writes, it
loads the file, and holds its predictions and the loss of one more epoch against those of the case.
"""

import json
import os
import sys
import zipfile

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from keras import layers

from fixture import DIRECTORY, Random, array, number, tensors

BATCH = 8


def mlp():
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")], name="mlp"
    )


def convnet():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ],
        name="convnet",
    )


def two_inputs():
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    shared = layers.Dense(5, activation="relu", name="shared")
    both = layers.Concatenate()([shared(left), shared(right)])
    hidden = layers.Dense(6, activation="tanh")(both)
    outputs = {
        "label": layers.Dense(3, activation="softmax", name="label")(hidden),
        "score": layers.Dense(1, name="score")(hidden),
    }
    return keras.Model([left, right], outputs, name="two_inputs")


class Perceptron(keras.Model):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.hidden = layers.Dense(7, activation="relu")
        self.outer = layers.Dense(3, activation="softmax")

    def call(self, inputs):
        return self.outer(self.hidden(inputs))


NETWORKS = {"mlp": mlp, "convnet": convnet, "two_inputs": two_inputs, "perceptron": Perceptron}

COMPILES = {
    "mlp": {"loss": "categorical_crossentropy", "metrics": ["accuracy"]},
    "convnet": {"loss": keras.losses.CategoricalCrossentropy(label_smoothing=0.1), "metrics": ["mse"]},
    "two_inputs": {
        "loss": {"label": "categorical_crossentropy", "score": "mse"},
        "loss_weights": {"label": 1.0, "score": 0.5},
        "metrics": {"label": ["accuracy"], "score": ["mae"]},
    },
    "perceptron": {"loss": "categorical_crossentropy"},
}

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.005),
}


def data(name, network):
    random, count = Random(name), 20
    label = random.one_hot((count, 3))
    if network == "two_inputs":
        return [random.values((count, 4)) for _ in range(2)], [label, random.values((count, 1))]
    return [random.values((count, 8, 8, 1) if network == "convnet" else (count, 6))], [label]


def arguments(network, x, y):
    if network == "two_inputs":
        return x, dict(zip(["label", "score"], y))
    return x[0], y[0] if len(y) == 1 else y


def predictions(model, x):
    outputs = model.predict(x, verbose=0)
    if isinstance(outputs, dict):
        return list(outputs.values())
    return outputs if isinstance(outputs, list) else [outputs]


def epoch(model, x, y):
    return model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0).history["loss"][0]


def compile_config(path):
    with zipfile.ZipFile(path) as archive:
        return json.dumps(json.loads(archive.read("config.json"))["compile_config"])


def cases():
    directory = DIRECTORY / "archives"
    directory.mkdir(exist_ok=True)
    written = []
    for network, make in NETWORKS.items():
        for optimizer, make_optimizer in OPTIMIZERS.items():
            name = f"{network}_{optimizer}"
            keras.utils.set_random_seed(7)
            keras.backend.clear_session()
            model = make()
            model.compile(make_optimizer(), **COMPILES[network])
            x, y = data(name, network)
            given = arguments(network, x, y)
            epoch(model, *given)
            file = f"{name}.keras"
            model.save(directory / file)
            written.append(
                {
                    "name": name,
                    "network": network,
                    "file": file,
                    "compile": compile_config(directory / file),
                    "x": tensors(x),
                    "y": tensors(y),
                    "predictions": tensors(predictions(model, given[0])),
                    "loss": number(epoch(model, *given)),
                }
            )
    return written


def check(directory):
    """The models that the test saved: what Keras makes of them is what they were."""
    with open(os.path.join(directory, "archives.json")) as file:
        cases = json.load(file)["cases"]
    for case in cases:
        name, network = case["name"], case["network"]
        model = keras.models.load_model(
            os.path.join(directory, case["file"]), custom_objects={"Perceptron": Perceptron}
        )
        x, y = [[array(each) for each in case[key]] for key in ("x", "y")]
        given = arguments(network, x, y)
        for found, expected in zip(predictions(model, given[0]), case["predictions"], strict=True):
            np.testing.assert_allclose(found, array(expected), rtol=0, atol=1e-6, err_msg=f"{name}: predictions")
        iterations = int(model.optimizer.iterations)
        assert iterations == case["iterations"], f"{name}: {iterations} steps of the optimizer"
        # What Keras loads from its older format, also of its own, it cannot train: it builds the optimizer without variables.
        if case["file"].endswith(".keras"):
            np.testing.assert_allclose(epoch(model, *given), case["loss"], rtol=1e-4, err_msg=f"{name}: loss")
    print(f"{len(cases)} models loaded")


if __name__ == "__main__":
    check(sys.argv[1])
