"""configs.json: the configurations of everything that has one, as `keras.saving.serialize_keras_object` makes them.

{"name", "json": the text}, in one list for each kind of object. The names of metrics that Keras numbers are given, so
that they do not depend on what was made before.
"""

import json

import keras
from keras import constraints, initializers, layers, losses, metrics, optimizers, regularizers
from keras.optimizers import schedules


def case(name, made):
    return {"name": name, "json": json.dumps(keras.saving.serialize_keras_object(made))}


LAYERS = {
    "dense": lambda: layers.Dense(4),
    "dense_arguments": lambda: layers.Dense(
        3,
        activation="relu",
        use_bias=False,
        kernel_initializer=initializers.HeNormal(seed=7),
        bias_initializer=initializers.Constant(0.1),
        kernel_regularizer=regularizers.L2(1e-4),
        bias_regularizer=regularizers.L1(0.01),
        activity_regularizer=regularizers.L1L2(0.1, 0.2),
        kernel_constraint=constraints.MaxNorm(3.0),
        bias_constraint="non_neg",
    ),
    "dense_leaky": lambda: layers.Dense(3, activation="leaky_relu"),
    "conv2d": lambda: layers.Conv2D(8, 3),
    "conv2d_arguments": lambda: layers.Conv2D(
        8, (3, 2), strides=2, padding="same", groups=2, activation="gelu", kernel_constraint=constraints.MaxNorm(2.0, [0, 1, 2])
    ),
    "conv2d_dilated": lambda: layers.Conv2D(8, 3, dilation_rate=(2, 1)),
    "max_pooling2d": lambda: layers.MaxPooling2D(),
    "max_pooling2d_arguments": lambda: layers.MaxPooling2D((3, 2), strides=1, padding="same"),
    "average_pooling2d": lambda: layers.AveragePooling2D(3),
    "global_average_pooling2d": lambda: layers.GlobalAveragePooling2D(),
    "global_max_pooling2d": lambda: layers.GlobalMaxPooling2D(keepdims=True),
    "batch_normalization": lambda: layers.BatchNormalization(),
    "batch_normalization_arguments": lambda: layers.BatchNormalization(
        axis=1, momentum=0.9, epsilon=1e-5, center=False, gamma_regularizer="l2", gamma_constraint=constraints.UnitNorm()
    ),
    "dropout": lambda: layers.Dropout(0.5),
    "dropout_seed": lambda: layers.Dropout(0.25, seed=3),
    "embedding": lambda: layers.Embedding(100, 8),
    "embedding_arguments": lambda: layers.Embedding(
        7,
        3,
        embeddings_initializer="zeros",
        embeddings_regularizer="l2",
        activity_regularizer="l1",
        embeddings_constraint=keras.constraints.MaxNorm(3.0),
    ),
    "flatten": lambda: layers.Flatten(),
    "reshape": lambda: layers.Reshape((2, -1)),
    "activation": lambda: layers.Activation("softmax"),
    "rescaling": lambda: layers.Rescaling(0.25, offset=-0.5),
    "random_crop": lambda: layers.RandomCrop(8, 9, seed=5),
    "concatenate": lambda: layers.Concatenate(axis=1),
    "add": lambda: layers.Add(),
    "subtract": lambda: layers.Subtract(),
    "multiply": lambda: layers.Multiply(),
    "average": lambda: layers.Average(),
    "maximum": lambda: layers.Maximum(),
    "minimum": lambda: layers.Minimum(),
}

INITIALIZERS = {
    "zeros": initializers.Zeros(),
    "ones": initializers.Ones(),
    "constant": initializers.Constant(0.25),
    "identity": initializers.Identity(),
    "orthogonal": initializers.Orthogonal(gain=2.0, seed=1),
    "glorot_uniform": initializers.GlorotUniform(),
    "glorot_normal": initializers.GlorotNormal(seed=3),
    "he_uniform": initializers.HeUniform(),
    "he_normal": initializers.HeNormal(),
    "lecun_uniform": initializers.LecunUniform(),
    "lecun_normal": initializers.LecunNormal(),
    "variance_scaling": initializers.VarianceScaling(0.5, "fan_out", "uniform"),
    "variance_scaling_axes": initializers.VarianceScaling(
        2.0, "fan_avg", "untruncated_normal", input_axes=[0, 1], output_axes=[-1]
    ),
    "random_normal": initializers.RandomNormal(0.5, 0.1),
    "truncated_normal": initializers.TruncatedNormal(stddev=0.2, seed=9),
    "random_uniform": initializers.RandomUniform(-1.0, 1.0),
    "stft": initializers.STFT("imag", "hamming", None, True),
}

REGULARIZERS = {
    "l1": regularizers.L1(0.01),
    "l2": regularizers.L2(1e-4),
    "l1_l2": regularizers.L1L2(0.1, 0.3),
    "orthogonal": regularizers.OrthogonalRegularizer(0.1, "columns"),
}

CONSTRAINTS = {
    "max_norm": constraints.MaxNorm(2.0),
    "max_norm_axes": constraints.MaxNorm(1.5, [0, 1, 2]),
    "min_max_norm": constraints.MinMaxNorm(0.1, 0.9, 0.7, axis=1),
    "non_neg": constraints.NonNeg(),
    "unit_norm": constraints.UnitNorm(axis=-1),
}

LOSSES = {
    "mean_squared_error": losses.MeanSquaredError(),
    "mean_absolute_error": losses.MeanAbsoluteError(reduction="sum"),
    "mean_absolute_percentage_error": losses.MeanAbsolutePercentageError(name="mine"),
    "mean_squared_logarithmic_error": losses.MeanSquaredLogarithmicError(reduction="none"),
    "cosine_similarity": losses.CosineSimilarity(),
    "huber": losses.Huber(),
    "log_cosh": losses.LogCosh(),
    "hinge": losses.Hinge(),
    "squared_hinge": losses.SquaredHinge(),
    "categorical_hinge": losses.CategoricalHinge(),
    "kl_divergence": losses.KLDivergence(),
    "poisson": losses.Poisson(),
    "binary_crossentropy": losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
    "binary_focal_crossentropy": losses.BinaryFocalCrossentropy(True, 0.3, 1.5),
    "categorical_crossentropy": losses.CategoricalCrossentropy(axis=1),
    "categorical_focal_crossentropy": losses.CategoricalFocalCrossentropy([0.2, 0.3, 0.5]),
    "categorical_focal_crossentropy_one": losses.CategoricalFocalCrossentropy(0.5, 3.0),
    "categorical_generalized_cross_entropy": losses.CategoricalGeneralizedCrossEntropy(q=0.7),
    "sparse_categorical_crossentropy": losses.SparseCategoricalCrossentropy(ignore_class=-1),
    "dice": losses.Dice(axis=(1, 2)),
    "dice_all": losses.Dice(),
    "tversky": losses.Tversky(0.3, 0.7),
    "circle": losses.Circle(),
    "ctc": losses.CTC(),
}

METRICS = {
    "accuracy": lambda: metrics.Accuracy(),
    "binary_accuracy": lambda: metrics.BinaryAccuracy(threshold=0.3),
    "categorical_accuracy": lambda: metrics.CategoricalAccuracy(name="mine"),
    "sparse_categorical_accuracy": lambda: metrics.SparseCategoricalAccuracy(),
    "top_k_categorical_accuracy": lambda: metrics.TopKCategoricalAccuracy(k=3),
    "sparse_top_k_categorical_accuracy": lambda: metrics.SparseTopKCategoricalAccuracy(2),
    "sparse_top_k_sorted": lambda: metrics.SparseTopKCategoricalAccuracy(2, from_sorted_ids=True),
    "mean_squared_error": lambda: metrics.MeanSquaredError(),
    "mean_absolute_error": lambda: metrics.MeanAbsoluteError(),
    "mean_absolute_percentage_error": lambda: metrics.MeanAbsolutePercentageError(),
    "mean_squared_logarithmic_error": lambda: metrics.MeanSquaredLogarithmicError(),
    "root_mean_squared_error": lambda: metrics.RootMeanSquaredError(),
    "log_cosh_error": lambda: metrics.LogCoshError(),
    "cosine_similarity": lambda: metrics.CosineSimilarity(),
    "pearson_correlation": lambda: metrics.PearsonCorrelation(axis=1),
    "concordance_correlation": lambda: metrics.ConcordanceCorrelation(),
    "hinge": lambda: metrics.Hinge(),
    "squared_hinge": lambda: metrics.SquaredHinge(),
    "categorical_hinge": lambda: metrics.CategoricalHinge(),
    "poisson": lambda: metrics.Poisson(),
    "kl_divergence": lambda: metrics.KLDivergence(),
    "r2_score": lambda: metrics.R2Score("variance_weighted_average", 2),
    "r2_score_each": lambda: metrics.R2Score(None),
    "binary_crossentropy": lambda: metrics.BinaryCrossentropy(from_logits=True, label_smoothing=0.2),
    "categorical_crossentropy": lambda: metrics.CategoricalCrossentropy(label_smoothing=0.1),
    "sparse_categorical_crossentropy": lambda: metrics.SparseCategoricalCrossentropy(ignore_class=2),
    "auc": lambda: metrics.AUC(name="auc"),
    "auc_arguments": lambda: metrics.AUC(
        curve="PR", summation_method="minoring", multi_label=True, num_labels=2, name="area"
    ),
    "auc_thresholds": lambda: metrics.AUC(thresholds=[0.25, 0.5, 0.875], from_logits=True, name="auc"),
    "precision": lambda: metrics.Precision(name="precision"),
    "precision_arguments": lambda: metrics.Precision(thresholds=[0.7, 0.3], top_k=2, class_id=1, name="precision"),
    "recall": lambda: metrics.Recall(thresholds=0.25, name="recall"),
    "true_positives": lambda: metrics.TruePositives(name="tp"),
    "true_negatives": lambda: metrics.TrueNegatives(thresholds=[0.5, 0.75], name="tn"),
    "false_positives": lambda: metrics.FalsePositives(name="fp"),
    "false_negatives": lambda: metrics.FalseNegatives(name="fn"),
    "f1_score": lambda: metrics.F1Score("macro", 0.5),
    "fbeta_score": lambda: metrics.FBetaScore(beta=2.0),
    "sensitivity_at_specificity": lambda: metrics.SensitivityAtSpecificity(0.75, name="ss"),
    "specificity_at_sensitivity": lambda: metrics.SpecificityAtSensitivity(0.75, 10, name="ss"),
    "precision_at_recall": lambda: metrics.PrecisionAtRecall(0.5, class_id=1, name="pr"),
    "recall_at_precision": lambda: metrics.RecallAtPrecision(0.8, name="rp"),
    "iou": lambda: metrics.IoU(3, [0, 2], name="iou"),
    "binary_iou": lambda: metrics.BinaryIoU([1], threshold=0.3, name="iou"),
    "mean_iou": lambda: metrics.MeanIoU(3, ignore_class=2, name="iou"),
    "one_hot_iou": lambda: metrics.OneHotIoU(3, [1], name="iou"),
    "one_hot_mean_iou": lambda: metrics.OneHotMeanIoU(4, axis=1, name="iou"),
}

OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(),
    "sgd_momentum": lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True, clipvalue=0.5),
    "rmsprop": lambda: optimizers.RMSprop(0.01, rho=0.8, momentum=0.1, centered=True),
    "adam": lambda: optimizers.Adam(),
    "adam_arguments": lambda: optimizers.Adam(
        0.002, 0.8, 0.95, 1e-6, True, clipnorm=1.0, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=5, name="mine"
    ),
    "adam_schedule": lambda: optimizers.Adam(schedules.ExponentialDecay(0.01, 100, 0.9)),
    "adam_w": lambda: optimizers.AdamW(weight_decay=0.01, global_clipnorm=2.0),
    "adadelta": lambda: optimizers.Adadelta(1.0),
    "adafactor": lambda: optimizers.Adafactor(),
    "adagrad": lambda: optimizers.Adagrad(loss_scale_factor=8.0),
    "adamax": lambda: optimizers.Adamax(),
    "ftrl": lambda: optimizers.Ftrl(l1_regularization_strength=0.1),
    "lamb": lambda: optimizers.Lamb(),
    "lion": lambda: optimizers.Lion(gradient_accumulation_steps=4),
    "muon": lambda: optimizers.Muon(exclude_layers=["head"], adam_lr_ratio=1.0),
    "nadam": lambda: optimizers.Nadam(),
    "schedule_free_adam_w": lambda: optimizers.ScheduleFreeAdamW(warmup_steps=10),
    "loss_scale": lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.1), initial_scale=16.0),
    "multi_optimizer": lambda: optimizers.MultiOptimizer(
        optimizers.OptimizerMap(optimizers.SGD(0.1), {"head/.*": optimizers.Adam(), "a|b": optimizers.Lion(0.5)})
    ),
}

SCHEDULES = {
    "exponential_decay": schedules.ExponentialDecay(0.01, 1000, 0.96, staircase=True),
    "inverse_time_decay": schedules.InverseTimeDecay(0.1, 10, 0.5),
    "polynomial_decay": schedules.PolynomialDecay(0.1, 100, 0.001, power=2.0, cycle=True),
    "cosine_decay": schedules.CosineDecay(0.1, 100, alpha=0.1, warmup_target=0.5, warmup_steps=10),
    "cosine_decay_restarts": schedules.CosineDecayRestarts(0.1, 100),
    "piecewise_constant_decay": schedules.PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001]),
}


def made(makers):
    """Makers one after the other: Keras numbers what is made."""
    for name, maker in makers.items():
        keras.backend.clear_session()
        yield case(name, maker())


def cases():
    of = lambda objects: [case(name, each) for name, each in objects.items()]
    return {
        "layers": list(made(LAYERS)),
        "initializers": of(INITIALIZERS),
        "regularizers": of(REGULARIZERS),
        "constraints": of(CONSTRAINTS),
        "losses": of(LOSSES),
        "metrics": list(made(METRICS)),
        "optimizers": list(made(OPTIMIZERS)),
        "schedules": of(SCHEDULES),
    }
