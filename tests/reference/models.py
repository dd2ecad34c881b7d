"""models.json: whole models as Keras describes them, and what they predict.

{"name", "json": `model.to_json()`, "inputs", "weights": `model.get_weights()`, "outputs"}. The same models, compiled
and trained for a step, are in `models/{name}.keras`, their predictions in `models/{name}.predictions.json`, and those of
`H5` are in `models/{name}.h5`, too.
"""

import json
import os

import keras
import numpy as np
from keras import initializers, layers, regularizers

from fixture import DIRECTORY, Random, tensors

H5 = ["mlp", "two_inputs"]


def mlp():
    return keras.Sequential(
        [
            keras.Input((4,), name="features"),
            layers.Dense(
                5,
                activation="relu",
                kernel_initializer=initializers.HeNormal(seed=7),
                kernel_regularizer=regularizers.L2(1e-3),
                name="hidden",
            ),
            layers.Dropout(0.5, name="dropout"),
            layers.Dense(3, activation="softmax", kernel_constraint="max_norm", name="probabilities"),
        ],
        name="mlp",
    )


def convnet():
    return keras.Sequential(
        [
            keras.Input((8, 8, 2), name="images"),
            layers.Rescaling(0.5, offset=-0.1, name="rescaling"),
            layers.Conv2D(4, 3, padding="same", use_bias=False, name="conv"),
            layers.BatchNormalization(momentum=0.9, name="norm"),
            layers.ReLU(max_value=6.0, name="relu"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(6, (2, 3), strides=2, groups=2, activation=layers.LeakyReLU(0.1), name="grouped"),
            layers.AveragePooling2D((2, 1), strides=1, padding="same", name="average"),
            layers.GlobalAveragePooling2D(name="means"),
            layers.Dense(2, name="dense"),
            layers.Softmax(name="softmax"),
        ],
        name="convnet",
    )


def two_inputs():
    first = keras.Input((3,), name="first")
    second = keras.Input((3,), name="second")
    shared = layers.Dense(4, activation="tanh", name="shared")
    a, b = shared(first), shared(second)
    mixed = (a * 2.0 + b) - (1.5 - a * b)
    joined = layers.Concatenate(name="joined")([mixed, a, keras.ops.maximum(a, b)])
    label = layers.Dense(2, activation="softmax", name="label")(joined)
    score = layers.Dense(1, name="score")(keras.ops.relu(joined) / 4.0)
    return keras.Model({"first": first, "second": second}, {"label": label, "score": score}, name="two_inputs")


def nested():
    image = keras.Input((6, 6, 1), name="image")
    x = layers.Conv2D(3, 3, name="conv")(image)
    x = layers.BatchNormalization(name="norm")(x)
    backbone = keras.Model(image, [layers.GlobalMaxPooling2D(name="maxima")(x), layers.Flatten(name="flat")(x)], name="backbone")
    backbone.trainable = False
    head = keras.Sequential([keras.Input((3,), name="in"), layers.Dense(3, activation="elu", name="dense")], name="head")
    inputs = keras.Input((6, 6, 1), name="inputs")
    maxima, flat = backbone(inputs, training=False)
    dense = layers.Dense(3, name="dense")(flat)
    outputs = layers.Average(name="mean")([head(maxima), head(dense)])
    return keras.Model(inputs, outputs, name="nested")


def merges():
    a = keras.Input((2, 3), name="a")
    b = keras.Input((2, 3), name="b")
    merged = [
        layers.Add(name="add")([a, b, a]),
        layers.Subtract(name="subtract")([a, b]),
        layers.Multiply(name="multiply")([a, b]),
        layers.Average(name="average")([a, b]),
        layers.Maximum(name="maximum")([a, b]),
        layers.Minimum(name="minimum")([a, b]),
    ]
    flat = layers.Reshape((6, -1), name="reshape")(layers.Concatenate(axis=1, name="join")(merged))
    return keras.Model([a, b], [layers.Activation("gelu", name="gelu")(flat), merged[2]], name="merges")


def unsupported():
    """Layers and arguments that there are not here; nothing is predicted."""
    return keras.Sequential(
        [
            keras.Input((4, 5, 5), name="in"),
            layers.Conv2D(2, 2, data_format="channels_first", name="first"),
            layers.Reshape((2, 16), name="reshape"),
            layers.LSTM(3, name="lstm"),
            layers.GaussianNoise(0.1, name="noise"),
            layers.Dense(2, activation="relu", name="dense"),
        ],
        name="unsupported",
    )


MODELS = {model.__name__: model for model in [mlp, convnet, two_inputs, nested, merges]}


def cases():
    directory = DIRECTORY / "models"
    os.makedirs(directory, exist_ok=True)
    found = []
    for name, make in MODELS.items():
        keras.utils.clear_session()
        keras.utils.set_random_seed(1)
        random = Random(name)
        model = make()
        text = model.to_json()
        model.set_weights([np.abs(w) if "variance" in v.path else w for v, w in drawn(model, random)])
        inputs = [random.values((3, *tensor.shape[1:])) for tensor in model.inputs]
        x = dict(zip(["first", "second"], inputs)) if name == "two_inputs" else inputs
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
        y = model.predict(x, verbose=0)
        targets = keras.tree.map_structure(lambda array: 0.5 * array, y)
        model.train_on_batch(x, targets)
        outputs = keras.tree.flatten(model.predict(x, verbose=0))
        found.append(
            {
                "name": name,
                "json": text,
                "inputs": tensors(inputs),
                "weights": tensors(model.get_weights()),
                "outputs": tensors(outputs),
            }
        )
        model.save(directory / f"{name}.keras")
        predictions = {"inputs": [a.tolist() for a in inputs], "outputs": [np.asarray(a).tolist() for a in outputs]}
        (directory / f"{name}.predictions.json").write_text(json.dumps(predictions), encoding="utf-8")
        if name in H5:
            model.save(directory / f"{name}.h5")
    unsupported().save(directory / "unsupported.keras")
    return found


def drawn(model, random):
    return [(variable, random.values(variable.shape, 0.4)) for variable in model.weights]
