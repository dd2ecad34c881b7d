"""losses.json: the value of a loss over a batch, and its gradient.

{"name", "class", "config", "y_true": T, "y_pred": T, "sample_weight": T or null, "value": number,
"gradient": T, of the value with regard to y_pred}
"""

import keras
import numpy as np

from fixture import Random, gradients, number, optional, tensor

SAMPLES = 6
CLASSES = 4
WEIGHTS = np.float32([1.0, 0.5, 2.0, 0.0, 0.25, 1.5])


def case(name, loss, y_true, y_pred, sample_weight=None, **config):
    y_true, y_pred = np.float32(y_true), np.float32(y_pred)
    sample_weight = None if sample_weight is None else np.float32(sample_weight)
    computed = getattr(keras.losses, loss)(**config)
    value, (gradient,) = gradients(lambda y_pred: computed(y_true, y_pred, sample_weight), (y_pred,), 1.0)
    assert value.shape == ()
    assert np.isfinite(gradient).all(), f"{name}: {gradient}"
    return {
        "name": name,
        "class": loss,
        "config": config,
        "y_true": tensor(y_true),
        "y_pred": tensor(y_pred),
        "sample_weight": optional(sample_weight),
        "value": number(value),
        "gradient": tensor(gradient),
    }


def reductions(name, loss, y_true, y_pred, **config):
    """Every reduction, with sample weights and without."""
    made = []
    for reduction in ["sum_over_batch_size", "sum", "mean_with_sample_weight"]:
        for weights, suffix in [(None, ""), (WEIGHTS, "_weighted")]:
            more = {} if reduction == "sum_over_batch_size" else {"reduction": reduction}
            made.append(case(f"{name}_{reduction}{suffix}", loss, y_true, y_pred, weights, **config, **more))
    return made


def cases():
    return regression() + binary() + categorical() + sparse()


def regression():
    made = []
    for loss, name in [("MeanSquaredError", "mean_squared_error"), ("MeanAbsoluteError", "mean_absolute_error")]:
        random = Random(name)
        y_true, y_pred = random.values((SAMPLES, 3)), random.values((SAMPLES, 3))
        steps, guesses = random.values((3, 2, 5)), random.values((3, 2, 5))
        weights = random.uniform((3, 2), 0.0, 2.0)
        made += reductions(name, loss, y_true, y_pred)
        made += [
            case(f"{name}_one_output", loss, y_true[:, :1], y_pred[:, :1], WEIGHTS),
            case(f"{name}_1d", loss, y_true[:, 0], y_pred[:, 0]),
            case(f"{name}_1d_targets", loss, y_true[:, 0], y_pred[:, :1], WEIGHTS),
            case(f"{name}_1d_predictions", loss, y_true[:, :1], y_pred[:, 0], WEIGHTS),
            case(f"{name}_column_of_weights", loss, y_true, y_pred, WEIGHTS[:, None]),
            case(f"{name}_3d", loss, steps, guesses),
            case(f"{name}_3d_weighted", loss, steps, guesses, weights),
            case(f"{name}_3d_column_of_weights", loss, steps, guesses, weights[:, :1]),
            case(f"{name}_3d_weighted_mean", loss, steps, guesses, weights, reduction="mean_with_sample_weight"),
            # One target beside a row of predictions.
            case(f"{name}_broadcast", loss, y_true[:, :1], y_pred),
            case(f"{name}_broadcast_3d", loss, steps[:, :, :1], guesses),
            case(f"{name}_equal", loss, y_true, np.where(y_pred > 0, y_true, y_pred)),
            case(f"{name}_large", loss, y_true * 1e4, y_pred * 1e-3),
            case(f"{name}_no_weight_at_all", loss, y_true, y_pred, 0 * WEIGHTS, reduction="mean_with_sample_weight"),
        ]
    return made


def binary():
    loss, name = "BinaryCrossentropy", "binary_crossentropy"
    random = Random(name)
    y_true, y_pred = random.whole((SAMPLES, 3), 0, 2), random.uniform((SAMPLES, 3), 0.01, 0.99)
    logits = random.values((SAMPLES, 3), 3.0)
    soft = random.uniform((SAMPLES, 3), 0.0, 1.0)
    steps = random.whole((3, 2, 4), 0, 2)
    weights = random.uniform((3, 2), 0.0, 2.0)
    extreme = [[0, 1, 0, 1], [1e-8, 1 - 1e-6, 1e-6, 0.5]]
    made = reductions(name, loss, y_true, y_pred)
    made += reductions(f"{name}_from_logits", loss, y_true, logits, from_logits=True)
    made += [
        case(f"{name}_one_output", loss, y_true[:, :1], y_pred[:, :1], WEIGHTS),
        case(f"{name}_1d", loss, y_true[:, 0], y_pred[:, 0]),
        case(f"{name}_1d_targets", loss, y_true[:, 0], y_pred[:, :1], WEIGHTS),
        case(f"{name}_soft", loss, soft, y_pred),
        case(f"{name}_soft_from_logits", loss, soft, logits, from_logits=True),
        case(f"{name}_smoothing", loss, y_true, y_pred, label_smoothing=0.2),
        case(f"{name}_smoothing_from_logits", loss, y_true, logits, WEIGHTS, from_logits=True, label_smoothing=0.1),
        case(f"{name}_3d", loss, steps, random.uniform((3, 2, 4), 0.01, 0.99), weights),
        case(f"{name}_3d_from_logits", loss, steps, random.values((3, 2, 4), 3.0), weights, from_logits=True),
        case(f"{name}_extreme", loss, [[0, 0, 1, 1], [0, 1, 0, 1]], extreme),
        case(f"{name}_extreme_smoothing", loss, [[0, 0, 1, 1], [0, 1, 0, 1]], extreme, label_smoothing=0.2),
        case(
            f"{name}_extreme_logits",
            loss,
            [[0, 0, 1, 1]] * 2,
            [[-90, 90, -90, 90], [0, 1e-6, -1e-6, 20]],
            from_logits=True,
        ),
    ]
    return made


def categorical():
    loss, name = "CategoricalCrossentropy", "categorical_crossentropy"
    random = Random(name)
    y_true, y_pred = random.one_hot((SAMPLES, CLASSES)), random.probabilities((SAMPLES, CLASSES))
    logits = random.values((SAMPLES, CLASSES), 3.0)
    soft = random.probabilities((SAMPLES, CLASSES))
    steps, weights = random.one_hot((3, 2, 5)), random.uniform((3, 2), 0.0, 2.0)
    step_logits, step_pred = random.values((3, 2, 5), 3.0), random.probabilities((3, 2, 5))
    made = reductions(name, loss, y_true, y_pred)
    made += reductions(f"{name}_from_logits", loss, y_true, logits, from_logits=True)
    made += [
        case(f"{name}_soft", loss, soft, y_pred, WEIGHTS),
        case(f"{name}_soft_from_logits", loss, soft, logits, WEIGHTS, from_logits=True),
        case(f"{name}_smoothing", loss, y_true, y_pred, label_smoothing=0.2),
        case(f"{name}_smoothing_from_logits", loss, y_true, logits, WEIGHTS, from_logits=True, label_smoothing=0.1),
        # Keras divides by the sum first.
        case(f"{name}_not_normalized", loss, y_true, random.uniform((SAMPLES, CLASSES), 0.1, 3.0)),
        case(f"{name}_targets_over_one", loss, soft * 3, y_pred),
        case(f"{name}_targets_over_one_from_logits", loss, soft * 3, logits, from_logits=True),
        case(f"{name}_3d", loss, steps, step_pred, weights),
        case(f"{name}_3d_from_logits", loss, steps, step_logits, weights, from_logits=True),
        case(f"{name}_3d_weighted_mean", loss, steps, step_pred, weights, reduction="mean_with_sample_weight"),
        case(f"{name}_extreme", loss, [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[1, 0, 0], [1, 0, 0], [1e-9, 1, 1e-7]]),
        case(f"{name}_extreme_smoothing", loss, [[1, 0, 0], [0, 1, 0]], [[1, 0, 0], [1, 0, 0]], label_smoothing=0.3),
        case(f"{name}_extreme_logits", loss, [[1, 0, 0], [0, 1, 0]], [[90, -90, 0], [200, -200, 0]], from_logits=True),
        case(f"{name}_many_classes", loss, random.one_hot((2, 37)), random.values((2, 37), 2.0), from_logits=True),
    ]
    return made


def sparse():
    loss, name = "SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"
    random = Random(name)
    y_true, y_pred = random.whole((SAMPLES,), 0, CLASSES), random.probabilities((SAMPLES, CLASSES))
    logits = random.values((SAMPLES, CLASSES), 3.0)
    steps, weights = random.whole((3, 2), 0, 5), random.uniform((3, 2), 0.0, 2.0)
    step_logits, step_pred = random.values((3, 2, 5), 3.0), random.probabilities((3, 2, 5))
    holes = np.float32([0, -1, 3, 2, -1, 1])
    made = reductions(name, loss, y_true, y_pred)
    made += reductions(f"{name}_from_logits", loss, y_true, logits, from_logits=True)
    ignoring = {"from_logits": True, "ignore_class": -1}
    made += reductions(f"{name}_ignore_class_from_logits", loss, holes, logits, **ignoring)
    made += [
        case(f"{name}_column", loss, y_true[:, None], y_pred, WEIGHTS),
        case(f"{name}_not_normalized", loss, y_true, random.uniform((SAMPLES, CLASSES), 0.1, 3.0)),
        case(f"{name}_3d", loss, steps, step_pred, weights),
        case(f"{name}_3d_from_logits", loss, steps, step_logits, weights, from_logits=True),
        case(f"{name}_3d_column", loss, steps[:, :, None], step_pred),
        case(f"{name}_ignore_class", loss, holes, y_pred, WEIGHTS, ignore_class=-1),
        case(f"{name}_ignore_class_column", loss, holes[:, None], logits, **ignoring),
        case(f"{name}_ignore_class_0", loss, y_true, logits, from_logits=True, ignore_class=0),
        case(f"{name}_ignore_class_3d", loss, [[0, -1], [4, 2], [-1, 3]], step_logits, weights, **ignoring),
        case(f"{name}_ignore_class_all", loss, [-1] * SAMPLES, logits, **ignoring),
        case(f"{name}_ignore_class_absent", loss, y_true, y_pred, WEIGHTS, ignore_class=255),
        case(f"{name}_extreme", loss, [0, 1, 2], [[1, 0, 0], [1, 0, 0], [1e-9, 1, 1e-7]]),
        case(f"{name}_extreme_logits", loss, [0, 1], [[90, -90, 0], [200, -200, 0]], from_logits=True),
        case(f"{name}_many_classes", loss, [36, 0], random.values((2, 37), 2.0), from_logits=True),
    ]
    return made
