"""metrics.json: metrics over several batches, and the metric that the word "accuracy" means.

{"name", "class", "config", "updates": [{"y_true": T, "y_pred": T, "sample_weight": T or null}; one a batch],
"results": [number; after each update]}; Mean and Sum have "values" in place of "y_true" and "y_pred".

{"name", "class": "accuracy_resolution", "config": {"metric"}, "y_true_shape", "y_pred_shape", both with the batch,
"resolved": the class, "resolved_name": the metric's name}
"""

import keras
import numpy as np
from keras.src.trainers.compile_utils import get_metric

from fixture import Random, number, optional, tensor

BATCHES = [4, 3, 5]


def case(name, metric, batches, **config):
    """`batches`: (y_true, y_pred, sample_weight or None), or (values, sample_weight or None)."""
    made = getattr(keras.metrics, metric)(**config)
    updates, results = [], []
    for *arrays, sample_weight in batches:
        arrays = [np.float32(array) for array in arrays]
        made.update_state(*arrays, sample_weight=sample_weight)
        names = ["y_true", "y_pred"] if len(arrays) == 2 else ["values"]
        update = {key: tensor(array) for key, array in zip(names, arrays)}
        updates.append({**update, "sample_weight": optional(sample_weight)})
        results.append(number(made.result()))
    return {"name": name, "class": metric, "config": config, "updates": updates, "results": results}


def weighted(name, metric, draw, tail=(), **config):
    """Without sample weights, and with; `draw(random, batch)` gives (y_true, y_pred)."""
    random = Random(name)
    drawn = [draw(random, batch) for batch in BATCHES]
    weights = [random.uniform((batch, *tail), 0.0, 2.0) for batch in BATCHES]
    weights[1] = None  # an update without weights among updates with
    return [
        case(name, metric, [(*arrays, None) for arrays in drawn], **config),
        case(f"{name}_weighted", metric, [(*arrays, each) for arrays, each in zip(drawn, weights)], **config),
    ]


def cases():
    return accuracies() + top_k() + errors() + crossentropies() + means() + resolutions()


def accuracies():
    def labels(*shape):
        return lambda random, batch: (random.whole((batch, *shape), 0, 3), random.whole((batch, *shape), 0, 3))

    def yes_or_no(*shape):
        return lambda random, batch: (random.whole((batch, *shape), 0, 2), random.uniform((batch, *shape), 0.0, 1.0))

    def one_hot(*shape):
        return lambda random, batch: (random.one_hot((batch, *shape)), random.probabilities((batch, *shape)))

    def classes(*shape, column=()):
        return lambda random, batch: (
            random.whole((batch, *shape[:-1], *column), 0, shape[-1]),
            random.probabilities((batch, *shape)),
        )

    on_threshold = [([[0], [1], [1]], [[0.5], [0.5], [0.50001]], None)]
    ties = ([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4], [0.3, 0.3, 0.3]], None)
    return [
        *weighted("accuracy", "Accuracy", labels(1)),
        *weighted("accuracy_1d", "Accuracy", labels()),
        *weighted("accuracy_wide", "Accuracy", labels(4)),
        *weighted("binary_accuracy", "BinaryAccuracy", yes_or_no(1)),
        *weighted("binary_accuracy_1d", "BinaryAccuracy", yes_or_no()),
        *weighted("binary_accuracy_wide", "BinaryAccuracy", yes_or_no(4)),
        *weighted("binary_accuracy_3d", "BinaryAccuracy", yes_or_no(2, 3), tail=(2,)),
        *weighted("binary_accuracy_threshold", "BinaryAccuracy", yes_or_no(4), threshold=0.3),
        case("binary_accuracy_on_threshold", "BinaryAccuracy", on_threshold),
        *weighted("categorical_accuracy", "CategoricalAccuracy", one_hot(3)),
        *weighted("categorical_accuracy_column_of_weights", "CategoricalAccuracy", one_hot(3), tail=(1,)),
        *weighted("categorical_accuracy_3d", "CategoricalAccuracy", one_hot(2, 3), tail=(2,)),
        case("categorical_accuracy_ties", "CategoricalAccuracy", [([[1, 0, 0], [0, 0, 1], [0, 0.5, 0.5]], *ties)]),
        *weighted("sparse_categorical_accuracy", "SparseCategoricalAccuracy", classes(3)),
        *weighted("sparse_categorical_accuracy_column", "SparseCategoricalAccuracy", classes(3, column=(1,))),
        *weighted("sparse_categorical_accuracy_3d", "SparseCategoricalAccuracy", classes(2, 3), tail=(2,)),
        case("sparse_categorical_accuracy_ties", "SparseCategoricalAccuracy", [([0, 1, 2], *ties)]),
    ]


def top_k():
    def one_hot(random, batch):
        return random.one_hot((batch, 7)), random.values((batch, 7))

    def classes(random, batch):
        return random.whole((batch,), 0, 7), random.values((batch, 7))

    def column(random, batch):
        return random.whole((batch, 1), 0, 7), random.values((batch, 7))

    def steps(random, batch):
        return random.whole((batch, 2), 0, 7), random.values((batch, 2, 7))

    made = []
    for metric, name, draw in [
        ("TopKCategoricalAccuracy", "top_k_categorical_accuracy", one_hot),
        ("SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy", classes),
    ]:
        made += weighted(name, metric, draw)
        for k in [1, 2, 7]:
            made += weighted(f"{name}_{k}", metric, draw, k=k)
    made += weighted("sparse_top_k_categorical_accuracy_column", "SparseTopKCategoricalAccuracy", column, k=3)
    made += weighted("sparse_top_k_categorical_accuracy_3d", "SparseTopKCategoricalAccuracy", steps, tail=(2,), k=3)
    return made


def errors():
    def numbers(*shape):
        return lambda random, batch: (random.values((batch, *shape)), random.values((batch, *shape)))

    def beside(random, batch):
        return random.values((batch, 1)), random.values((batch, 3))

    made = []
    for metric, name in [
        ("MeanSquaredError", "mean_squared_error"),
        ("MeanAbsoluteError", "mean_absolute_error"),
        ("RootMeanSquaredError", "root_mean_squared_error"),
    ]:
        made += weighted(name, metric, numbers(3))
        made += weighted(f"{name}_one_output", metric, numbers(1))
        made += weighted(f"{name}_3d", metric, numbers(2, 3), tail=(2,))
        made += weighted(f"{name}_broadcast", metric, beside)
    return made


def crossentropies():
    def binary(random, batch):
        return random.whole((batch, 2), 0, 2), random.uniform((batch, 2), 0.01, 0.99)

    def binary_logits(random, batch):
        return random.whole((batch, 2), 0, 2), random.values((batch, 2), 3.0)

    def categorical(random, batch):
        return random.one_hot((batch, 4)), random.probabilities((batch, 4))

    def categorical_logits(random, batch):
        return random.one_hot((batch, 4)), random.values((batch, 4), 3.0)

    def sparse(random, batch):
        return random.whole((batch,), 0, 4), random.probabilities((batch, 4))

    def sparse_logits(random, batch):
        return random.whole((batch,), 0, 4), random.values((batch, 4), 3.0)

    made = []
    for metric, name, draw, draw_logits in [
        ("BinaryCrossentropy", "binary_crossentropy", binary, binary_logits),
        ("CategoricalCrossentropy", "categorical_crossentropy", categorical, categorical_logits),
        ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", sparse, sparse_logits),
    ]:
        made += weighted(name, metric, draw)
        made += weighted(f"{name}_from_logits", metric, draw_logits, from_logits=True)
        if draw is not sparse:
            made += weighted(f"{name}_smoothing", metric, draw, label_smoothing=0.2)
    return made


def means():
    def numbers(*shape):
        return lambda random, batch: (random.values((batch, *shape)),)

    made = []
    for metric in ["Mean", "Sum"]:
        made += weighted(metric.lower(), metric, numbers())
        made += weighted(f"{metric.lower()}_2d", metric, numbers(3))
        made.append(case(f"{metric.lower()}_of_numbers", metric, [(2.0, None), (5.5, None), (1.0, np.float32(3.0))]))
    return made


def resolutions():
    made = []
    shapes = [
        ((8, 1), (8, 1)),
        ((8,), (8, 1)),
        ((8,), (8, 5)),
        ((8, 1), (8, 5)),
        ((8, 5), (8, 5)),
        ((8, 2), (8, 2)),
        ((8, 3), (8, 3, 5)),
        ((8, 3, 1), (8, 3, 5)),
        ((8, 3, 5), (8, 3, 5)),
        ((8, 3, 1), (8, 3, 1)),
    ]
    for word in ["accuracy", "acc", "Accuracy", "ACC"]:
        for y_true, y_pred in shapes if word == "accuracy" else shapes[2:5]:
            resolved = get_metric(word, keras.KerasTensor(y_true), keras.KerasTensor(y_pred))
            made.append({
                "name": f"{word}_of_{'x'.join(map(str, y_true))}_and_{'x'.join(map(str, y_pred))}",
                "class": "accuracy_resolution",
                "config": {"metric": word},
                "y_true_shape": list(y_true),
                "y_pred_shape": list(y_pred),
                "resolved": type(resolved).__name__,
                "resolved_name": resolved.name,
            })  # fmt: skip
    return made
