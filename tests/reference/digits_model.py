"""Trains the model of `examples/from_keras.rs` with Keras: `python digits_model.py`, in a minute.

Writes `examples/data/digits.keras`, and beside it `digits.predictions.json`: what the model predicts for a few images,
which the test that `#[model(keras = "..")]` generates replays.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np
from keras import layers

DATA = Path(__file__).parents[2] / "examples" / "data"

if __name__ == "__main__":
    rows = np.frombuffer((DATA / "digits.bin").read_bytes(), dtype="uint8").reshape(-1, 65)
    images, digits = rows[:, :64].reshape(-1, 8, 8, 1).astype("float32") / 16.0, rows[:, 64]
    # The order and the cut of `examples/data/digits.rs`.
    order = np.arange(len(digits)) * 577 % len(digits)
    images, digits, cut = images[order], digits[order], len(digits) * 3 // 4
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="pixels"),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images[:cut], digits[:cut], epochs=4, batch_size=32, verbose=2)
    print(model.evaluate(images[cut:], digits[cut:], verbose=0))
    model.save(DATA / "digits.keras")
    few = images[:3]
    predictions = {"inputs": [few.tolist()], "outputs": [model.predict(few, verbose=0).tolist()]}
    (DATA / "digits.predictions.json").write_text(json.dumps(predictions), encoding="utf-8")
