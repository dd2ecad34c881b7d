"""Writes digits.bin and diabetes.csv from the data sets that scikit-learn ships: `pip install scikit-learn==1.9.1`."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes, load_digits

HERE = Path(__file__).parent


def digits():
    """1,797 records of 65 bytes: 64 grey values row by row, then the digit."""
    images, labels = load_digits(return_X_y=True)
    records = np.column_stack([images, labels]).astype("uint8")
    (HERE / "digits.bin").write_bytes(records.tobytes())


def diabetes():
    """A header, then 442 patients: ten measurements in their own units, then the progression of the disease."""
    data = load_diabetes(scaled=False)
    lines = [",".join([*data.feature_names, "target"])]
    for features, target in zip(data.data, data.target):
        lines.append(",".join(f"{value:.9g}" for value in [*features, target]))
    (HERE / "diabetes.csv").write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    digits()
    diabetes()
