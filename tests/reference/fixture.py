"""What every fixture shares: numbers drawn from a seed, tensors as JSON, gradients by JAX.

A tensor is `{"shape": [..], "values": [..]}`, its values in row-major order, each the shortest decimal number that
is the same float32 again. JSON has no NaN and no infinities, so these are strings.
"""

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

DIRECTORY = Path(__file__).parent / "fixtures"


class Random:
    """The numbers of one case. They depend on its name alone: a new case changes no other one."""

    def __init__(self, name):
        self.generator = np.random.default_rng(zlib.crc32(name.encode()))

    def values(self, shape, scale=1.0):
        """Normal numbers, all different: which of two equal numbers is the maximum is a case of its own."""
        size = int(np.prod(shape))
        drawn = []
        while len(set(drawn)) < size or not all(drawn):
            drawn = np.round(self.generator.normal(0.0, scale, size), 5).tolist()
        return np.reshape(np.float32(drawn), shape)

    def uniform(self, shape, low, high):
        return np.float32(np.round(self.generator.uniform(low, high, shape), 4))

    def whole(self, shape, low, high):
        """Whole numbers, `high` excluded, as float32."""
        return np.float32(self.generator.integers(low, high, shape))

    def probabilities(self, shape):
        """Rows that add up to one, but for the rounding."""
        exponentials = np.exp(self.generator.normal(0.0, 1.0, shape))
        return np.float32(np.round(exponentials / exponentials.sum(-1, keepdims=True), 5))

    def one_hot(self, shape):
        return np.eye(shape[-1], dtype="float32")[self.generator.integers(0, shape[-1], shape[:-1])]


def number(value):
    """A number as JSON has it: the shortest decimal number that is the same float32."""
    value = np.float32(value)
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    decimal = float(str(value))
    assert np.float32(decimal) == value
    return int(decimal) if decimal.is_integer() and abs(decimal) < 1e7 else decimal


def tensor(array):
    array = np.asarray(array)
    return {"shape": list(array.shape), "values": [number(value) for value in array.ravel()]}


def tensors(arrays):
    return [tensor(array) for array in arrays]


def array(value):
    """The numbers of a tensor."""
    return np.reshape(np.float32(value["values"]), value["shape"])


def optional(array):
    """A tensor, or null."""
    return None if array is None else tensor(array)


def gradients(function, arguments, d_output):
    """The value of `function(*arguments)`, and `d_output` taken back to every argument."""
    # Not everywhere is there a JAX.
    import jax

    output, back = jax.vjp(function, *arguments)
    return output, back(jax.numpy.asarray(d_output, dtype=output.dtype))


def compress(path):
    """Compresses a `.keras` archive, which has the same bytes whenever it was saved."""
    with zipfile.ZipFile(path) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members:
            if name == "metadata.json":
                content = json.dumps(json.loads(content) | {"date_saved": "2026-01-01@00:00:00"})
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def write(name, lists):
    """Writes `fixtures/{name}.json`, one case a line, so that a changed case is a changed line.

    `lists` is the list of cases, or a dictionary of several lists.
    """
    lists = lists if isinstance(lists, dict) else {"cases": lists}
    parts = []
    for key, cases in lists.items():
        names = [case["name"] for case in cases]
        twice = {each for each in names if names.count(each) > 1}
        assert not twice, f"{name}: two {key} are named {twice}"
        lines = ",\n".join(
            json.dumps(case, separators=(",", ":"), ensure_ascii=False, allow_nan=False) for case in cases
        )
        parts.append(f'"{key}":[\n{lines}\n]')
    text = "{" + ",\n".join(parts) + "}\n"
    (DIRECTORY / f"{name}.json").write_text(text, encoding="utf-8")
    count = ", ".join(f"{len(cases)} {key}" for key, cases in lists.items())
    print(f"{name}: {count}, {len(text.encode()) / 1e3:.0f} kB")
