"""Loads files that were written in Rust: `python check_weights.py written.json`, with the files beside it.

`written.json` is {"models": [{"name", "optimizer", "predictions": [number], "losses": [number]}]} with the models, the
inputs and the targets of `weights.json`.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np

try:
    from safetensors.numpy import load_file
except ImportError:
    load_file = None

import weights
from fixture import DIRECTORY, array


def check(what, found, expected, rtol, atol):
    if not np.allclose(np.ravel(found), np.float32(expected), rtol=rtol, atol=atol):
        sys.exit(f"{what}: Keras has {np.ravel(found).tolist()}, expected {expected}")


def main(path):
    cases = json.loads((DIRECTORY / "weights.json").read_text())["models"]
    cases = {case["name"]: case for case in cases}
    for written in json.loads(path.read_text())["models"]:
        name = written["name"]
        case = cases[name]
        x, y = [array(tensor) for tensor in case["x"]], array(case["y"][0])
        given = x[0] if len(x) == 1 else x
        model = weights.MODELS[name.rsplit("_", 1)[0]][0]()
        model.predict(given, verbose=0)
        model.load_weights(path.parent / f"{name}.hdf5")
        check(f"{name}.hdf5", model.predict(given, verbose=0), written["predictions"], 0, 1e-6)
        model.set_weights([0.5 * weight for weight in model.get_weights()])
        by_name = [np.load(path.parent / f"{name}.npz")]
        if load_file:
            by_name.append(load_file(path.parent / f"{name}.safetensors"))
        for tensors in by_name:
            shapes = sorted(tensors[key].shape for key in tensors.keys())
            assert shapes == sorted(weight.shape for weight in model.get_weights()), name
        model.compile(weights.OPTIMIZERS[written["optimizer"]](), weights.LOSS)
        model.optimizer.build(model.trainable_variables)
        model.load_weights(path.parent / f"{name}.weights.h5")
        check(f"{name}.weights.h5", model.predict(given, verbose=0), written["predictions"], 0, 1e-6)
        losses = []
        for start in range(0, len(y), weights.BATCH):
            rows = slice(start, start + weights.BATCH)
            batch = [array[rows] for array in x]
            model.reset_metrics()
            losses.append(float(model.train_on_batch(batch[0] if len(x) == 1 else batch, y[rows])))
        check(f"{name}, losses", losses, written["losses"], 1e-4, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
