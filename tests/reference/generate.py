"""Writes the fixtures: `python generate.py` all of them, `python generate.py layers losses` some."""

import importlib
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

FIXTURES = [
    "layers",
    "more_layers",
    "activations",
    "losses",
    "more_losses",
    "optimizers",
    "regularizers",
    "metrics",
    "metric_names",
    "scores",
    "directions",
    "signatures",
    "trainings",
    "more_trainings",
    "drawn",
    "fits",
    "texts",
    "traces",
    "backups",
    "configs",
    "archives",
    "catalogue",
    "own",
    "models",
    "weights",
]

if __name__ == "__main__":
    import fixture

    unknown = set(sys.argv[1:]) - set(FIXTURES)
    if unknown:
        sys.exit(f"Expected names among {FIXTURES}. Received: {sorted(unknown)}")
    for name in sys.argv[1:] or FIXTURES:
        fixture.write(name, importlib.import_module(name).cases())
