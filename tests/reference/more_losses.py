"""more_losses.json: losses whose values are those of lines along any axes, or of whole batches.

{"name", "class", "config", "y_true": T, "y_pred": T, "sample_weight": T or null, "value": number or null, "values": T,
"gradient": T}

`values` is what Keras' function returns, before weights and reduction. `gradient` is that of `value` with regard to
y_pred; without a reduction it is that of the sum, as TensorFlow has it, and `value` is null.
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
    is_reduced = config.get("reduction", "") not in ("none", None)

    def compute(y_pred):
        value = computed(y_true, y_pred, sample_weight)
        return value if is_reduced else keras.ops.sum(value)

    value, (gradient,) = gradients(compute, (y_pred,), 1.0)
    assert value.shape == ()
    assert np.isfinite(gradient).all(), f"{name}: {gradient}"
    return {
        "name": name,
        "class": loss,
        "config": config,
        "y_true": tensor(y_true),
        "y_pred": tensor(y_pred),
        "sample_weight": optional(sample_weight),
        "value": number(value) if is_reduced else None,
        "values": tensor(computed.call(y_true, y_pred)),
        "gradient": tensor(gradient),
    }


def reductions(name, loss, y_true, y_pred, **config):
    """Every reduction, with sample weights and without."""
    made = []
    for reduction in ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none"]:
        for weights, suffix in [(None, ""), (WEIGHTS, "_weighted")]:
            more = {} if reduction == "sum_over_batch_size" else {"reduction": reduction}
            made.append(case(f"{name}_{reduction}{suffix}", loss, y_true, y_pred, weights, **config, **more))
    return made


def cases():
    return (
        pairs()
        + hinges()
        + rows()
        + focal()
        + overlaps()
        + [each for make in (generalized, circle, ctc, axes, unreduced) for each in make()]
    )


def shapes(name, loss, y_true, y_pred, steps, guesses, **config):
    """What every function of pairs has in common: shapes, weights and reductions."""
    weights = Random(f"{name} weights").uniform((3, 2), 0.0, 2.0)
    made = reductions(name, loss, y_true, y_pred, **config)
    made += [
        case(f"{name}_one_output", loss, y_true[:, :1], y_pred[:, :1], WEIGHTS, **config),
        case(f"{name}_line", loss, y_true[:, 0], y_pred[:, 0], **config),
        case(f"{name}_line_weighted", loss, y_true[:, 0], y_pred[:, 0], WEIGHTS, **config),
        case(f"{name}_1d_targets", loss, y_true[:, 0], y_pred[:, :1], WEIGHTS, **config),
        case(f"{name}_column_of_weights", loss, y_true, y_pred, WEIGHTS[:, None], **config),
        case(f"{name}_3d", loss, steps, guesses, **config),
        case(f"{name}_3d_weighted", loss, steps, guesses, weights, **config),
        case(f"{name}_3d_column_of_weights", loss, steps, guesses, weights[:, :1], **config),
        case(f"{name}_3d_weighted_mean", loss, steps, guesses, weights, **config, reduction="mean_with_sample_weight"),
    ]
    return made


def drawn(name, low=None):
    """Targets and predictions of rank 2 and 3, above `low` if it is given."""
    random = Random(name)
    sizes = [(SAMPLES, 3), (SAMPLES, 3), (3, 2, 5), (3, 2, 5)]
    if low is None:
        return [random.values(size, 2.0) for size in sizes]
    return [random.uniform(size, low, low + 3.0) for size in sizes]


def pairs():
    made = []
    plain = [
        ("MeanAbsolutePercentageError", "mean_absolute_percentage_error", None),
        ("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", 0.0),
        ("Huber", "huber", None),
        ("LogCosh", "log_cosh", None),
        ("Poisson", "poisson", 0.05),
    ]
    for loss, name, low in plain:
        made += shapes(name, loss, *drawn(name, low))
    y_true, y_pred, steps, guesses = drawn("more pairs")
    for loss, name, _ in plain[:4]:
        made.append(case(f"{name}_broadcast", loss, y_true[:, :1], y_pred))
        made.append(case(f"{name}_broadcast_3d", loss, steps[:, :, :1], guesses))
    made += [
        case("mean_absolute_percentage_error_of_zero", "MeanAbsolutePercentageError", [[0, 1e-8, 2]], [[1e-6, 0, -2]]),
        case("mean_squared_logarithmic_error_negative", "MeanSquaredLogarithmicError", [[-3, 0, 1]], [[0.5, -2, -1]]),
        case("mean_squared_logarithmic_error_large", "MeanSquaredLogarithmicError", [[1e10, 1e-3]], [[2e10, 1e6]]),
        case("huber_large_delta", "Huber", y_true, y_pred, delta=2.5),
        case("huber_small_delta", "Huber", y_true, y_pred, WEIGHTS, delta=0.1),
        case("huber_equal", "Huber", y_true, y_true),
        case("huber_large", "Huber", y_true * 1e5, y_pred),
        case("log_cosh_equal", "LogCosh", y_true, y_true),
        case("log_cosh_large", "LogCosh", [[0, 0, 1e5]], [[1e5, -1e5, 0]]),
        case("poisson_of_zero", "Poisson", [[0, 1, 0]], [[0, 1e-3, 50]]),
    ]
    return made


def hinges():
    made = []
    for loss, name in [("Hinge", "hinge"), ("SquaredHinge", "squared_hinge")]:
        random = Random(name)
        y_pred, guesses = random.values((SAMPLES, 3), 1.5), random.values((3, 2, 5), 1.5)
        binary, steps = random.whole((SAMPLES, 3), 0, 2), random.whole((3, 2, 5), 0, 2)
        made += shapes(name, loss, 2 * binary - 1, y_pred, 2 * steps - 1, guesses)
        made += [
            case(f"{name}_binary", loss, binary, y_pred, WEIGHTS),
            case(f"{name}_binary_3d", loss, steps, guesses),
            case(f"{name}_zeros", loss, 0 * binary, y_pred),
            # One target that is neither: none is converted.
            case(f"{name}_almost_binary", loss, np.where(y_pred == y_pred.max(), 0.5, binary), y_pred),
            case(f"{name}_soft", loss, random.values((SAMPLES, 3)), y_pred),
            case(f"{name}_broadcast", loss, binary[:, :1], y_pred),
        ]
    return made


def rows():
    made = []
    random = Random("rows")
    y_true, y_pred = random.one_hot((SAMPLES, CLASSES)), random.values((SAMPLES, CLASSES))
    steps, guesses = random.one_hot((3, 2, 5)), random.values((3, 2, 5))
    weights = random.uniform((3, 2), 0.0, 2.0)
    for loss, name in [("CategoricalHinge", "categorical_hinge"), ("CosineSimilarity", "cosine_similarity")]:
        made += reductions(name, loss, y_true, y_pred)
        made += [
            case(f"{name}_soft", loss, random.values((SAMPLES, CLASSES)), y_pred),
            case(f"{name}_3d", loss, steps, guesses, weights),
            case(f"{name}_many", loss, random.one_hot((2, 37)), random.values((2, 37))),
            case(f"{name}_small", loss, y_true, y_pred * 1e-6),
            case(f"{name}_large", loss, y_true, y_pred * 1e6),
        ]
    made += [
        case("categorical_hinge_ties", "CategoricalHinge", [[1, 0, 0, 0]], [[0.25, 0.5, 0.5, 0.125]]),
        case("categorical_hinge_satisfied", "CategoricalHinge", [[1, 0, 0], [0, 1, 0]], [[3, 0.5, 0.25], [0, 5, -1]]),
        case("cosine_similarity_line", "CosineSimilarity", y_pred[0], y_pred[1]),
        case("cosine_similarity_opposite", "CosineSimilarity", [[1, 2, 3], [0, 0, 0]], [[-1, -2, -3], [1, 2, 3]]),
    ]
    loss, name = "KLDivergence", "kl_divergence"
    y_true, y_pred = random.probabilities((SAMPLES, CLASSES)), random.probabilities((SAMPLES, CLASSES))
    made += reductions(name, loss, y_true, y_pred)
    made += [
        case(f"{name}_one_hot", loss, random.one_hot((SAMPLES, CLASSES)), y_pred),
        case(f"{name}_3d", loss, random.probabilities((3, 2, 5)), random.probabilities((3, 2, 5)), weights),
        case(f"{name}_extreme", loss, [[1, 0, 0.5], [0, 2, -1]], [[1e-9, 0.5, 2], [0.25, -1, 1e-6]]),
        case(f"{name}_equal", loss, y_true, y_true),
        case(f"{name}_line", loss, y_true[0], y_pred[0]),
    ]
    return made


def focal():
    loss, name = "BinaryFocalCrossentropy", "binary_focal_crossentropy"
    random = Random(name)
    y_true, y_pred = random.whole((SAMPLES, 3), 0, 2), random.uniform((SAMPLES, 3), 0.02, 0.98)
    logits, soft = random.values((SAMPLES, 3), 2.0), random.uniform((SAMPLES, 3), 0.0, 1.0)
    steps, guesses = random.whole((3, 2, 5), 0, 2), random.uniform((3, 2, 5), 0.02, 0.98)
    made = shapes(name, loss, y_true, y_pred, steps, guesses)
    for more, suffix in [
        ({"gamma": 3.5}, "gamma"),
        ({"gamma": 0.0}, "gamma_0"),
        ({"gamma": 0.5}, "gamma_small"),
        ({"apply_class_balancing": True}, "balanced"),
        ({"apply_class_balancing": True, "alpha": 0.7, "gamma": 1.0}, "balanced_alpha"),
        ({"label_smoothing": 0.2}, "smoothing"),
    ]:
        made.append(case(f"{name}_{suffix}", loss, y_true, y_pred, WEIGHTS, **more))
        made.append(case(f"{name}_{suffix}_from_logits", loss, y_true, logits, **more, from_logits=True))
    made += [
        case(f"{name}_soft", loss, soft, y_pred),
        case(f"{name}_soft_from_logits", loss, soft, logits, from_logits=True),
        case(f"{name}_extreme", loss, [[0, 0, 1, 1]], [[1e-6, 0.999, 1e-8, 0.9999]]),
    ]
    loss, name = "CategoricalFocalCrossentropy", "categorical_focal_crossentropy"
    random = Random(name)
    y_true, y_pred = random.one_hot((SAMPLES, CLASSES)), random.probabilities((SAMPLES, CLASSES))
    logits, soft = random.values((SAMPLES, CLASSES), 2.0), random.probabilities((SAMPLES, CLASSES))
    weights = random.uniform((3, 2), 0.0, 2.0)
    made += reductions(name, loss, y_true, y_pred)
    for more, suffix in [
        ({"gamma": 3.5}, "gamma"),
        ({"gamma": 0.0, "alpha": 1.0}, "gamma_0"),
        ({"alpha": [0.1, 0.2, 0.3, 0.4]}, "alphas"),
        ({"label_smoothing": 0.2}, "smoothing"),
    ]:
        made.append(case(f"{name}_{suffix}", loss, y_true, y_pred, WEIGHTS, **more))
        made.append(case(f"{name}_{suffix}_from_logits", loss, y_true, logits, **more, from_logits=True))
    made += [
        case(f"{name}_soft", loss, soft, y_pred),
        case(f"{name}_not_normalized", loss, y_true, random.uniform((SAMPLES, CLASSES), 0.1, 3.0)),
        case(f"{name}_3d", loss, random.one_hot((3, 2, 5)), random.probabilities((3, 2, 5)), weights),
        case(f"{name}_extreme", loss, [[1, 0, 0], [0, 1, 0]], [[1, 0, 0], [0.99, 1e-6, 1e-9]]),
        case(f"{name}_extreme_logits", loss, [[1, 0, 0], [0, 1, 0]], [[9, -90, 0], [5, -5, 90]], from_logits=True),
    ]
    return made


def overlaps():
    made = []
    for loss, name, more in [("Dice", "dice", {}), ("Tversky", "tversky", {"alpha": 0.3, "beta": 0.9})]:
        random = Random(name)
        masks, guesses = random.whole((2, 3, 4, 2), 0, 2), random.uniform((2, 3, 4, 2), 0.0, 1.0)
        weights = [1.0, 0.25]
        made += reductions(name, loss, random.whole((SAMPLES, 3), 0, 2), random.uniform((SAMPLES, 3), 0.0, 1.0), **more)
        for axis in [-1, 0, 1, 2, [1, 2, 3], [2, 3], [0, 1, 2], [1, 3], [0, 3]]:
            suffix = "_".join(str(each) for each in np.ravel(axis))
            made.append(case(f"{name}_axis_{suffix}", loss, masks, guesses, axis=axis, **more))
        made += [
            case(f"{name}_each_weighted", loss, masks, guesses, weights, axis=[1, 2, 3], **more),
            case(f"{name}_sums_weighted", loss, masks, guesses, weights, axis=[1, 2, 3], reduction="sum", **more),
            case(f"{name}_default", loss, masks, guesses),
            case(f"{name}_of_nothing", loss, 0 * masks, 0.5 * guesses, axis=[1, 2, 3], **more),
            case(f"{name}_of_everything", loss, [[1, 1], [1, 1]], [[1, 1], [1, 1]], **more),
        ]
    return made


def generalized():
    loss, name = "CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy"
    random = Random(name)
    y_true, y_pred = random.whole((SAMPLES,), 0, CLASSES), random.probabilities((SAMPLES, CLASSES))
    steps, guesses = random.whole((3, 2), 0, 5), random.probabilities((3, 2, 5))
    return reductions(name, loss, y_true, y_pred) + [
        case(f"{name}_small_q", loss, y_true, y_pred, WEIGHTS, q=0.01),
        case(f"{name}_large_q", loss, y_true, y_pred, q=0.9),
        case(f"{name}_3d", loss, steps, guesses, random.uniform((3, 2), 0.0, 2.0)),
        case(f"{name}_small_probability", loss, [0, 1], [[1e-4, 0.9999], [0.5, 0.5]]),
    ]


def circle():
    loss, name = "Circle", "circle"
    random = Random(name)
    vectors = random.values((SAMPLES, 3))
    vectors = np.round(0.9 * vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), 5)
    y_true = np.float32([0, 1, 0, 2, 1, 0])
    mild = {"gamma": 4.0}
    return reductions(name, loss, y_true, vectors, **mild) + [
        case(f"{name}_default", loss, y_true, vectors),
        case(f"{name}_column", loss, y_true[:, None], vectors, WEIGHTS, **mild),
        case(f"{name}_margin", loss, y_true, vectors, margin=0.1, **mild),
        case(f"{name}_large_margin", loss, y_true, 0.3 * vectors, margin=0.8, **mild),
        case(f"{name}_diagonal", loss, y_true, vectors, remove_diagonal=False, **mild),
    ]


def ctc():
    loss, name = "CTC", "ctc"
    random = Random(name)
    logits = random.values((SAMPLES, 7, 5), 2.0)
    # Shorter labels, repeated symbols, no symbols.
    labels = [[1, 2, 3], [4, 0, 0], [2, 2, 0], [3, 3, 3], [0, 0, 0], [1, 4, 1]]
    return reductions(name, loss, labels, logits) + [
        case(f"{name}_tight", loss, [[1, 2, 3], [3, 1, 2]], random.values((2, 3, 4), 2.0)),
        case(f"{name}_tight_repeated", loss, [[1, 1, 2]], random.values((1, 4, 4), 2.0)),
        case(f"{name}_one_step", loss, [[2]], random.values((1, 1, 4), 2.0)),
        case(f"{name}_large_logits", loss, [[1, 2]], 30 * random.values((1, 5, 4), 1.0)),
        case(f"{name}_long", loss, random.whole((2, 9), 1, 6), random.values((2, 40, 6), 1.0)),
    ]


def axes():
    random = Random("axes")
    masks, guesses = random.whole((2, 3, 4), 0, 2), random.uniform((2, 3, 4), 0.05, 0.95)
    logits, hot = random.values((2, 3, 4), 2.0), np.moveaxis(random.one_hot((2, 4, 3)), -1, 1)
    weights = random.uniform((2, 4), 0.0, 2.0)
    made = []
    for axis in [1, -2, -1]:
        made.append(case(f"cosine_similarity_axis_{axis}", "CosineSimilarity", logits, guesses, axis=axis))
        made.append(case(f"binary_crossentropy_axis_{axis}", "BinaryCrossentropy", masks, guesses, axis=axis))
    made += [
        case("cosine_similarity_axis_0", "CosineSimilarity", logits, guesses, axis=0),
        case("binary_crossentropy_axis_0", "BinaryCrossentropy", masks, guesses, axis=0),
        case("binary_focal_crossentropy_axis_1", "BinaryFocalCrossentropy", masks, guesses, weights, axis=1),
    ]
    for more, y_pred, suffix in [({}, guesses, ""), ({"from_logits": True}, logits, "_from_logits")]:
        made += [
            case(f"categorical_crossentropy_axis_1{suffix}", "CategoricalCrossentropy", hot, y_pred, axis=1, **more),
            case(f"categorical_focal_crossentropy_axis_1{suffix}", "CategoricalFocalCrossentropy", hot, y_pred, weights,
                 axis=1, **more),
        ]
    return made


def unreduced():
    """The losses of losses.json where they are not reduced to one number."""
    random = Random("unreduced")
    steps, guesses = random.whole((3, 2, 5), 0, 2), random.uniform((3, 2, 5), 0.05, 0.95)
    hot, labels = random.one_hot((3, 2, 5)), random.whole((3, 2), 0, 5)
    made = []
    for loss, y_true, more in [
        ("MeanSquaredError", steps, {}),
        ("MeanAbsoluteError", steps, {}),
        ("BinaryCrossentropy", steps, {"label_smoothing": 0.1}),
        ("CategoricalCrossentropy", hot, {"label_smoothing": 0.1}),
        ("SparseCategoricalCrossentropy", labels, {"ignore_class": 2}),
    ]:
        for reduction in ["none", "mean"]:
            made.append(case(f"{loss}_{reduction}", loss, y_true, guesses, reduction=reduction, **more))
    return made
