"""Executes `fixtures/models/*.py`, and holds what these models predict against models.json.

`tests/conformance/models.rs` runs it where there is a Python with Keras.
"""

import json
import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np

from fixture import DIRECTORY


def arrays(tensors):
    return [np.float32(tensor["values"]).reshape(tensor["shape"]) for tensor in tensors]


if __name__ == "__main__":
    for case in json.loads((DIRECTORY / "models.json").read_text(encoding="utf-8"))["cases"]:
        names = {}
        source = (DIRECTORY / "models" / f"{case['name']}.py").read_text(encoding="utf-8")
        exec(compile(source, f"{case['name']}.py", "exec"), names)
        model = names["model"]
        assert model.name == case["name"], model.name
        model.set_weights(arrays(case["weights"]))
        inputs = arrays(case["inputs"])
        outputs = keras.tree.flatten(model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0))
        for found, expected in zip(outputs, arrays(case["outputs"]), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6, err_msg=case["name"])
