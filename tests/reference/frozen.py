"""frozen.json, frozen.keras: a model with one layer that was frozen from the start, and one that was frozen after two epochs.

{"name", "x": T, "y": T, "loss": that of one more epoch of the model that was saved, in order and in batches of 4}

`python frozen.py`, with TensorFlow: on JAX, Keras cannot train a model on after one of its layers was frozen. Nor does a model
that is loaded go on: its optimizer is made for the layers that are trained, and skips the variables of the file.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
from keras import layers

import fixture
from fixture import DIRECTORY, Random, compress, number, tensor


def cases():
    keras.utils.set_random_seed(2)
    first, second, third = layers.Dense(5, activation="tanh"), layers.Dense(4, activation="tanh"), layers.Dense(3)
    model = keras.Sequential([keras.Input((6,), name="x"), first, second, third], name="frozen")
    second.trainable = False
    model.compile(keras.optimizers.Adam(0.02), "mse")
    random = Random("frozen")
    x, y = random.values((12, 6)), random.values((12, 3))

    def fit(epochs):
        return model.fit(x, y, batch_size=4, shuffle=False, verbose=0, epochs=epochs).history["loss"][-1]

    fit(2)
    first.trainable = False
    model.compile(model.optimizer, "mse")
    fit(1)
    path = DIRECTORY / "frozen.keras"
    model.save(path)
    compress(path)
    return [{"name": "frozen", "x": tensor(x), "y": tensor(y), "loss": number(fit(1))}]


if __name__ == "__main__":
    fixture.write("frozen", cases())
