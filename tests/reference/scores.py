"""scores.json: the other metrics: means, confusion matrices, scores of classes and columns, overlaps.

{"name", "class", "config", "updates": [{"y_true": T, "y_pred": T, "sample_weight": T or null}; one a batch],
"initial": the result before any of them or null where Keras has none, "results": [numbers; after each update]}

{"name", "class", "config", "error": Keras' sentence about an argument}
"""

import warnings

import keras
import numpy as np

from fixture import Random, number, optional, tensor

BATCHES = [4, 3, 5]


def numbers(result):
    return [number(value) for value in np.ravel(result)]


def case(name, metric, batches, **config):
    """`batches`: (y_true, y_pred, sample_weight or None)."""
    made = getattr(keras.metrics, metric)(**config)
    try:
        initial = numbers(made.result())
    except (AttributeError, ValueError):
        initial = None  # its shape is not known yet
    updates, results = [], []
    for y_true, y_pred, sample_weight in batches:
        y_true, y_pred = np.float32(y_true), np.float32(y_pred)
        made.update_state(y_true, y_pred, sample_weight=sample_weight)
        updates.append({"y_true": tensor(y_true), "y_pred": tensor(y_pred), "sample_weight": optional(sample_weight)})
        results.append(numbers(made.result()))
    return {"name": name, "class": metric, "config": config, "updates": updates, "initial": initial, "results": results}


def weighted(name, metric, draw, tail=(), whole=False, **config):
    """Without sample weights, and with; `draw(random, batch)` gives (y_true, y_pred)."""
    random = Random(name)
    drawn = [draw(random, batch) for batch in BATCHES]
    weigh = (lambda shape: random.whole(shape, 0, 4)) if whole else (lambda shape: random.uniform(shape, 0.0, 2.0))
    weights = [weigh((batch, *tail)) for batch in BATCHES]
    weights[1] = None  # an update without weights among updates with
    return [
        case(name, metric, [(*arrays, None) for arrays in drawn], **config),
        case(f"{name}_weighted", metric, [(*arrays, each) for arrays, each in zip(drawn, weights)], **config),
    ]


def error(name, metric, **config):
    try:
        getattr(keras.metrics, metric)(**config)
    except ValueError as raised:
        return {"name": name, "class": metric, "config": config, "error": str(raised)}
    raise AssertionError(f"{name}: Keras takes it")


def cases():
    warnings.simplefilter("ignore")
    made = means() + along_axes() + confusions() + areas() + constrained() + scores() + overlaps()
    return made + not_finite() + errors()


def binary(*shape):
    """Yes-or-no targets; every other prediction is on one of the usual thresholds."""

    def draw(random, batch):
        y_pred = random.uniform((batch, *shape), 0.0, 1.0)
        return random.whole((batch, *shape), 0, 2), np.where(random.whole(y_pred.shape, 0, 2), y_pred, y_pred.round(1))

    return draw


def columns(classes):
    return lambda random, batch: (random.one_hot((batch, classes)), random.probabilities((batch, classes)))


EXTREMES = [([0, 1, 1, 0, 1], [0.0, 1.0, 0.5, 1e-30, 0.9999999], None), ([2, 0, -1], [-3.0, 7.0, 1.5], None)]
NONE_POSITIVE = [([0, 0, 0], [0.2, 0.7, 0.5], None)]
ALL_POSITIVE = [([1, 1, 1], [0.2, 0.7, 0.5], None)]


def means():
    def normal(*shape):
        return lambda random, batch: (random.values((batch, *shape)), random.values((batch, *shape)))

    def positive(*shape):
        return lambda random, batch: (random.whole((batch, *shape), 0, 4), random.uniform((batch, *shape), 0.1, 3.0))

    def distributions(*shape):
        return lambda random, batch: (random.probabilities((batch, *shape)), random.probabilities((batch, *shape)))

    def signs(*shape):
        return lambda random, batch: (2 * random.whole((batch, *shape), 0, 2) - 1, random.values((batch, *shape)))

    def zero_or_one(*shape):
        return lambda random, batch: (random.whole((batch, *shape), 0, 2), random.values((batch, *shape)))

    def one_hot(*shape):
        return lambda random, batch: (random.one_hot((batch, *shape)), random.values((batch, *shape)))

    made = []
    for metric, draw, extremes in [
        ("MeanSquaredError", normal, ([[1e4, -1e4], [0, 1e-8]], [[-1e4, 1e-8], [0, 0]])),
        ("MeanAbsolutePercentageError", normal, ([[0, 1e-9], [1e4, -1e-3]], [[0.5, 0], [0, 1e3]])),
        ("MeanSquaredLogarithmicError", positive, ([[0, -3], [1e6, 1]], [[0, 2], [-0.5, 1e-9]])),
        ("LogCoshError", normal, ([[1e4, 0], [1e-4, 3]], [[-1e4, 0], [0, 3]])),
        ("Poisson", positive, ([[0, 3], [2, 1e4]], [[0, 0], [1e4, 1]])),
        ("KLDivergence", distributions, ([[0, 1], [1, 0]], [[1, 0], [0.5, 0.5]])),
        ("Hinge", signs, ([[1, -1], [1, 0]], [[1, -1], [1e4, 3]])),
        ("SquaredHinge", signs, ([[1, -1], [1, 0]], [[1, -1], [1e3, 3]])),
        ("CategoricalHinge", one_hot, ([[1, 0], [0, 1]], [[1, 0], [1e4, -1e4]])),
    ]:
        name = metric.lower()
        made += weighted(name, metric, draw(3))
        made += weighted(f"{name}_one_output", metric, draw(1))
        made += weighted(f"{name}_3d", metric, draw(2, 3), tail=(2,))
        made.append(case(f"{name}_extremes", metric, [(*extremes, None), (*extremes, [0.5, 2.0])]))
        random = Random(f"{name}_lines")
        made.append(case(f"{name}_lines", metric, [(*draw(width)(random, 1), None) for width in BATCHES]))
        made.append(case(f"{name}_1d", metric, [(*(each[0] for each in draw(n)(random, 1)), None) for n in BATCHES]))
        made.append(case(f"{name}_no_weight", metric, [(*draw(2)(random, 3), np.zeros(3)), (*draw(2)(random, 2), None)]))
    for metric in ["Hinge", "SquaredHinge"]:
        made += weighted(f"{metric.lower()}_zero_or_one", metric, zero_or_one(3))
        mixed = [([[0, 1]], [[0.3, -2.0]], None), ([[-1, 1]], [[0.3, 0.4]], None), ([[0, 0]], [[0.3, -0.4]], None)]
        made.append(case(f"{metric.lower()}_mixed", metric, mixed))
    beside = lambda random, batch: (random.values((batch, 1)), random.values((batch, 3)))  # noqa: E731
    for metric in ["MeanAbsolutePercentageError", "LogCoshError"]:
        made += weighted(f"{metric.lower()}_broadcast", metric, beside)
    ids = lambda random, batch: (random.whole((batch,), 0, 7), random.whole((batch, 5), 0, 7))  # noqa: E731
    made += weighted("sorted_ids", "SparseTopKCategoricalAccuracy", ids, k=3, from_sorted_ids=True)
    return made


def along_axes():
    def normal(*shape):
        return lambda random, batch: (random.values((batch, *shape)), random.values((batch, *shape)))

    def classes(*shape):
        return lambda random, batch: (random.one_hot((batch, *shape)), random.uniform((batch, *shape), 0.1, 0.9))

    def numbers(*shape):
        return lambda random, batch: (
            random.whole((batch, *shape[:-1]), 0, shape[-1]),
            random.uniform((batch, *shape), 0.1, 0.9),
        )

    made = []
    for metric in ["CosineSimilarity", "PearsonCorrelation", "ConcordanceCorrelation"]:
        name = metric.lower()
        made += weighted(name, metric, normal(4))
        made += weighted(f"{name}_3d", metric, normal(2, 4), tail=(2,))
        made += weighted(f"{name}_along_1_places", metric, normal(4, 2), tail=(2,), axis=1)
        made += weighted(f"{name}_along_-2", metric, normal(2, 4, 3), tail=(2,), axis=-2)
        random = Random(f"{name}_along_samples")
        batches = [(*normal(3)(random, batch), None) for batch in BATCHES]
        made.append(case(f"{name}_along_samples", metric, batches, axis=0))
        zeros = [([[0, 0, 0], [1, 2, 3]], [[1, 2, 4], [2, 4, 6]], None), ([[1, 1, 1]], [[1, 1, 1]], None)]
        made.append(case(f"{name}_constant", metric, zeros))
        random = Random(f"{name}_1d")
        made.append(case(f"{name}_1d", metric, [(random.values(n), random.values(n), None) for n in BATCHES]))
    made += weighted("categorical_crossentropy_along_1", "CategoricalCrossentropy", classes(3, 2), tail=(2,), axis=1)
    made += weighted("sparse_categorical_crossentropy_along_1", "SparseCategoricalCrossentropy", numbers(3, 3), axis=1)
    made += weighted(
        "sparse_categorical_crossentropy_ignore", "SparseCategoricalCrossentropy", numbers(3), ignore_class=1
    )
    made += weighted(
        "sparse_categorical_crossentropy_ignore_3d", "SparseCategoricalCrossentropy", numbers(2, 3), (2,), ignore_class=0
    )
    return made


def confusions():
    made = []
    for metric in ["TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives", "Precision", "Recall"]:
        name = metric.lower()
        made += weighted(name, metric, binary(1))
        made += weighted(f"{name}_1d", metric, binary())
        made += weighted(f"{name}_several", metric, binary(3), thresholds=[0.7, 0.2, 0.5])
        made += weighted(f"{name}_even", metric, binary(3), tail=(3,), thresholds=[0.0, 0.25, 0.5, 0.75, 1.0])
        made.append(case(f"{name}_extremes", metric, EXTREMES, thresholds=[0.0, 1.0]))
        made.append(case(f"{name}_column", metric, [([[1], [0]], [0.9, 0.8], None), ([1, 0], [[0.9], [0.2]], None)]))
    for metric in ["Precision", "Recall"]:
        name = metric.lower()
        ties = [([[0, 1, 0, 0], [1, 0, 0, 0]], [[0.3, 0.3, 0.3, 0.1], [0.5, 0.5, 0.5, 0.5]], None)]
        made += weighted(f"{name}_top_k", metric, columns(5), top_k=2)
        made += weighted(f"{name}_top_k_threshold", metric, columns(5), top_k=2, thresholds=0.3)
        made += weighted(f"{name}_class_id", metric, columns(4), class_id=2, thresholds=0.3)
        made += weighted(f"{name}_top_k_class_id", metric, columns(4), class_id=1, top_k=2)
        made += weighted(f"{name}_3d", metric, binary(2, 3), tail=(2,), thresholds=0.4)
        made.append(case(f"{name}_ties", metric, ties, top_k=2))
        made.append(case(f"{name}_none_positive", metric, NONE_POSITIVE))
    return made


def areas():
    made = []
    for curve in ["ROC", "PR", "PRGAIN"]:
        for method in ["interpolation", "majoring", "minoring"]:
            made += weighted(f"auc_{curve}_{method}", "AUC", binary(1), curve=curve, summation_method=method)
        made.append(case(f"auc_{curve}_extremes", "AUC", EXTREMES, curve=curve))
        made.append(case(f"auc_{curve}_none_positive", "AUC", NONE_POSITIVE, curve=curve))
        made.append(case(f"auc_{curve}_all_positive", "AUC", ALL_POSITIVE, curve=curve))
        made += weighted(f"auc_{curve}_multi_label", "AUC", binary(3), curve=curve, multi_label=True, num_thresholds=7)
    made += weighted("auc_of_few_thresholds", "AUC", binary(), num_thresholds=3)
    made += weighted("auc_of_two_thresholds", "AUC", binary(), num_thresholds=2)
    made += weighted("auc_of_own_thresholds", "AUC", binary(), thresholds=[0.9, 0.1, 0.35])
    made += weighted("auc_of_even_thresholds", "AUC", binary(), thresholds=[0.25, 0.5, 0.75])
    made += weighted("auc_from_logits", "AUC", lambda r, n: (r.whole((n, 2), 0, 2), r.values((n, 2), 4.0)), from_logits=True)
    made += weighted("auc_label_weights", "AUC", binary(3), label_weights=[0.5, 2.0, 1.0])
    made += weighted(
        "auc_multi_label_weights", "AUC", binary(3), multi_label=True, num_labels=3, label_weights=[0.5, 2.0, 1.0]
    )
    made += weighted(
        "auc_multi_label_own_thresholds", "AUC", binary(2), multi_label=True, thresholds=[0.3, 0.6], tail=(1,)
    )
    return made


def constrained():
    made = []
    for metric, argument in [
        ("SensitivityAtSpecificity", "specificity"),
        ("SpecificityAtSensitivity", "sensitivity"),
        ("PrecisionAtRecall", "recall"),
        ("RecallAtPrecision", "precision"),
    ]:
        name = metric.lower()
        for value in [0.0, 0.5, 0.8, 1.0]:
            made += weighted(f"{name}_{value}", metric, binary(1), **{argument: value})
        made += weighted(f"{name}_one", metric, binary(2), num_thresholds=1, **{argument: 0.4})
        made += weighted(f"{name}_class", metric, columns(3), num_thresholds=11, class_id=0, **{argument: 0.4})
        made.append(case(f"{name}_extremes", metric, EXTREMES, **{argument: 0.5}))
        made.append(case(f"{name}_none_positive", metric, NONE_POSITIVE, **{argument: 0.5}))
    return made


def scores():
    made = []

    def soft(random, batch):
        return random.uniform((batch, 3), 0.0, 1.0), random.probabilities((batch, 3))

    zeros = [([[1, 0], [0, 1], [0, 0]], [[0, 0], [0.5, 0.5], [-1, -2]], None)]
    for average in [None, "micro", "macro", "weighted"]:
        made += weighted(f"f1_{average}", "F1Score", columns(3), average=average)
        made += weighted(f"f1_{average}_threshold", "F1Score", binary(3), average=average, threshold=0.5)
        made += weighted(f"f_beta_{average}", "FBetaScore", soft, average=average, beta=2.0)
        made.append(case(f"f1_{average}_zeros", "F1Score", zeros, average=average))
    made += weighted("f_beta_half", "FBetaScore", columns(4), beta=0.5, threshold=0.3, average="macro")

    def numbers(*shape):
        return lambda random, batch: (random.values((batch, *shape)), random.values((batch, *shape)))

    for aggregation in ["uniform_average", "variance_weighted_average", None]:
        made += weighted(f"r2_{aggregation}", "R2Score", numbers(3), class_aggregation=aggregation)
        made += weighted(f"r2_{aggregation}_elements", "R2Score", numbers(2), tail=(2,), class_aggregation=aggregation)
        made += weighted(
            f"r2_{aggregation}_adjusted", "R2Score", numbers(2), class_aggregation=aggregation, num_regressors=2
        )
    made += weighted("r2_one_column", "R2Score", numbers(1))
    made.append(case("r2_column", "R2Score", [([1, 2, 4], [[1.5], [2], [3]], None)]))
    made.append(case("r2_constant", "R2Score", [([[1, 2], [1, 3]], [[1.5, 2], [1, 3.5]], None)]))
    made.append(case("r2_perfect", "R2Score", [([[1], [2]], [[1], [2]], None)]))
    made.append(case("r2_too_many_regressors", "R2Score", [([[1], [2]], [[1.5], [2]], None)], num_regressors=5))
    made.append(case("r2_as_many_regressors", "R2Score", [([[1], [2]], [[1.5], [2]], None)], num_regressors=1))
    return made


def overlaps():
    made = []

    def classes(*shape, count=3):
        return lambda random, batch: (
            random.whole((batch, *shape), 0, count),
            random.whole((batch, *shape), 0, count),
        )

    def one_hot(*shape):
        return lambda random, batch: (random.one_hot((batch, *shape)), random.probabilities((batch, *shape)))

    for name, metric, config in [
        ("iou", "IoU", {"num_classes": 3, "target_class_ids": [0, 2]}),
        ("mean_iou", "MeanIoU", {"num_classes": 3}),
    ]:
        made += weighted(name, metric, classes(), whole=True, **config)
        made += weighted(f"{name}_map", metric, classes(2, 3), tail=(2, 3), whole=True, **config)
        made += weighted(f"{name}_fractions", metric, classes(), **config)
        made += weighted(f"{name}_float", metric, classes(), dtype="float32", **config)
        made += weighted(f"{name}_ignore", metric, classes(), ignore_class=1, whole=True, **config)
        made += weighted(f"{name}_beyond", metric, classes(count=5), whole=True, **config)
        made += weighted(
            f"{name}_dense", metric, one_hot(3), whole=True, sparse_y_true=False, sparse_y_pred=False, **config
        )
        made.append(case(f"{name}_negative", metric, [([0, -1, 2], [0, 1, -2], None), ([0.9, 1.7], [0, 1], None)], **config))
        made.append(case(f"{name}_absent", metric, [([0, 0], [0, 0], None)], **config))
    for name, metric, config in [
        ("one_hot_iou", "OneHotIoU", {"num_classes": 3, "target_class_ids": [0, 2]}),
        ("one_hot_mean_iou", "OneHotMeanIoU", {"num_classes": 3}),
    ]:
        made += weighted(name, metric, one_hot(3), whole=True, **config)
        made += weighted(f"{name}_map", metric, one_hot(2, 3), tail=(2,), whole=True, **config)
        made += weighted(f"{name}_ignore", metric, one_hot(3), whole=True, ignore_class=0, **config)
        sparse = lambda random, batch: (random.one_hot((batch, 3)), random.whole((batch,), 0, 3))  # noqa: E731
        made += weighted(f"{name}_sparse", metric, sparse, whole=True, sparse_y_pred=True, **config)
    made += weighted("binary_iou", "BinaryIoU", binary(), whole=True)
    made += weighted("binary_iou_map", "BinaryIoU", binary(2, 2), tail=(2, 2), whole=True, threshold=0.3)
    made += weighted("binary_iou_one", "BinaryIoU", binary(), target_class_ids=[1], dtype="float32")
    return made


def not_finite():
    """A prediction that is not a number, and infinite ones, each in a metric of its own."""
    targets = [[0, 1], [1, 0]]
    made = []
    for metric in [
        "MeanSquaredError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "RootMeanSquaredError",
        "LogCoshError", "CosineSimilarity", "PearsonCorrelation", "ConcordanceCorrelation", "Hinge", "SquaredHinge",
        "CategoricalHinge", "Poisson", "KLDivergence", "R2Score", "BinaryCrossentropy", "CategoricalCrossentropy",
        "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "TopKCategoricalAccuracy", "AUC", "Precision", "Recall",
        "TruePositives", "FalseNegatives", "F1Score", "BinaryIoU",
    ]:  # fmt: skip
        name = metric.lower()
        config = {"k": 1} if metric == "TopKCategoricalAccuracy" else {}
        made.append(case(f"{name}_nan", metric, [(targets, [[0.3, np.nan], [0.2, 0.9]], None)], **config))
        if metric == "LogCoshError":
            continue  # Keras' formula makes NaN of minus infinity, where ln cosh is infinite
        made.append(case(f"{name}_infinite", metric, [(targets, [[np.inf, 0.2], [-np.inf, 0.3]], None)], **config))
    return made


def errors():
    return [
        error("threshold_outside", "Precision", thresholds=1.5),
        error("thresholds_outside", "TruePositives", thresholds=[0.5, -0.25, 2.0]),
        error("specificity_outside", "SensitivityAtSpecificity", specificity=1.5),
        error("sensitivity_outside", "SpecificityAtSensitivity", sensitivity=-0.5),
        error("recall_outside", "PrecisionAtRecall", recall=1.5),
        error("precision_outside", "RecallAtPrecision", precision=1.5),
        error("no_thresholds", "RecallAtPrecision", precision=0.5, num_thresholds=0),
        error("auc_curve", "AUC", curve="ROCK"),
        error("auc_summation", "AUC", summation_method="exact"),
        error("auc_one_threshold", "AUC", num_thresholds=1),
        error("auc_num_labels", "AUC", num_labels=3),
        error("f1_average", "F1Score", average="mean"),
        error("f1_threshold", "F1Score", threshold=1.5),
        error("f1_threshold_of_0", "F1Score", threshold=0.0),
        error("f_beta_beta", "FBetaScore", beta=-0.5),
        error("f_beta_beta_of_0", "FBetaScore", beta=0.0),
        error("recall_of_2", "PrecisionAtRecall", recall=2.0),
        error("r2_aggregation", "R2Score", class_aggregation="mean"),
        error("iou_class", "IoU", num_classes=2, target_class_ids=[0, 2]),
    ]
