"""drawn.json: models whose layers, arguments, loss, metrics and optimizer are drawn, and what Keras does with them.

{"name", "model", "compile": the texts of their configurations, "x": [T], "y": [T], "sample_weight": null | T,
"weights": [T], "predictions": [T] before the training, "history": {name: [..]} of two epochs in order and in batches of 4
with the first six samples as validation data, "logs": {name: number} of `evaluate` in batches of 5, "trained": [T] the
weights after it, "outputs": [T] what is predicted then}

`python drawn.py FILE FIRST COUNT` writes others, to be replayed with `KERAS_DRAWN=FILE`. `python drawn.py DIRECTORY` loads what
the test saved there.
"""

import itertools
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from keras import constraints, initializers, layers, losses, metrics, optimizers, regularizers

from fixture import Random, array, number, optional, tensors

SAMPLES = 10
COMMITTED = 20

SMOOTH = ["tanh", "sigmoid", "softplus", "silu", "gelu", "softsign", "elu", "selu", "mish", "exponential", "linear"]
KINKED = ["relu", "relu6", "leaky_relu", "hard_sigmoid", "hard_silu", "hard_tanh", "soft_shrink"]


class Draw:
    """One model."""

    def __init__(self, name):
        self.random = Random(name)
        self.generator = self.random.generator

    def of(self, *choices):
        return choices[self.generator.integers(len(choices))]

    def chance(self, share):
        return self.generator.random() < share

    def number(self, low, high):
        return round(float(self.generator.uniform(low, high)), 3)

    def activation(self):
        return self.of(*SMOOTH[:9], *KINKED[:3], None)

    def regularizer(self):
        if not self.chance(0.15):
            return None
        return self.of(
            regularizers.L1(self.number(0.001, 0.02)),
            regularizers.L2(self.number(0.001, 0.02)),
            regularizers.L1L2(self.number(0.001, 0.02), self.number(0.001, 0.02)),
        )

    def constraint(self):
        if not self.chance(0.12):
            return None
        return self.of(
            constraints.MaxNorm(self.number(0.3, 1.5)),
            constraints.NonNeg(),
            constraints.UnitNorm(),
            constraints.MinMaxNorm(0.2, self.number(0.5, 1.5), rate=self.number(0.3, 1.0)),
        )

    def weights(self):
        """Arguments that Dense and Conv2D share."""
        return {
            "use_bias": not self.chance(0.25),
            "activation": self.activation(),
            "kernel_initializer": self.of("glorot_uniform", "he_normal", "lecun_uniform"),
            "bias_initializer": self.of("zeros", initializers.RandomUniform(seed=int(self.generator.integers(99)))),
            "kernel_regularizer": self.regularizer(),
            "bias_regularizer": self.regularizer(),
            "activity_regularizer": self.regularizer(),
            "kernel_constraint": self.constraint(),
            "bias_constraint": self.constraint(),
        }

    def dense(self, units, **arguments):
        return layers.Dense(units, **{**self.weights(), **arguments})

    def convolution(self, x):
        height, width, channels = x.shape[1:]
        groups = self.of(*[each for each in (1, 1, 1, 2) if channels % each == 0])
        padding = self.of("valid", "same")
        kernel = (self.of(1, 2, 3), self.of(1, 2, 3))
        strides, dilation = self.of((1, 1), (2, 1), (2, 2)), (1, 1)
        if strides == (1, 1) and self.chance(0.3):
            dilation = self.of((2, 1), (2, 2))
        if padding == "valid" and any(
            (k - 1) * d + 1 > n for k, d, n in zip(kernel, dilation, (height, width))
        ):
            padding = "same"
        filters = groups * self.of(1, 2, 3)
        return layers.Conv2D(
            filters, kernel, strides, padding, dilation_rate=dilation, groups=groups, **self.weights()
        )

    def pooling(self, x):
        height, width = x.shape[1:3]
        size = (self.of(*range(1, min(height, 3) + 1)), self.of(*range(1, min(width, 3) + 1)))
        kind = self.of(layers.MaxPooling2D, layers.AveragePooling2D)
        return kind(size, self.of(None, 1, 2), self.of("valid", "same"))

    def normalization(self):
        return layers.BatchNormalization(
            axis=self.of(-1, -1, 1),
            momentum=self.number(0.5, 0.99),
            epsilon=self.of(0.001, 0.01),
            center=not self.chance(0.2),
            scale=not self.chance(0.2),
        )

    def step(self, x):
        """One more layer on `x`, or a few."""
        if self.chance(0.25):
            return self.of(self.operation, self.nested, self.shared)(x)
        if len(x.shape) == 4:
            kind = self.of("conv", "conv", "pool", "normalization", "activation", "dense", "reshape", "rescaling", "dropout")
        elif len(x.shape) == 3:
            kind = self.of("dense", "dense", "activation", "normalization", "flatten", "reshape", "rescaling")
        else:
            kind = self.of("dense", "dense", "activation", "normalization", "rescaling", "reshape", "dropout")
        if kind == "conv":
            return self.convolution(x)(x)
        if kind == "pool":
            return self.pooling(x)(x)
        if kind == "normalization":
            # What adds a constant just before it has no gradient but rounding, which Adam takes for one.
            x = layers.Activation("tanh")(x)
            return self.normalization()(x)
        if kind == "activation":
            return self.function()(x)
        if kind == "dense":
            return self.dense(self.of(2, 3, 4, 5))(x)
        if kind == "rescaling":
            return layers.Rescaling(self.number(-1.5, 1.5), self.number(-0.5, 0.5))(x)
        if kind == "dropout":
            return layers.Dropout(0.0)(x)
        if kind == "flatten":
            return layers.Flatten()(x)
        size = int(np.prod(x.shape[1:]))
        first = self.of(*[each for each in (1, 2, 3) if size % each == 0])
        shape = self.of((first, -1), (-1,), (first, size // first), (1, first, -1))
        return layers.Reshape(shape)(x)

    def function(self):
        return self.of(
            layers.Activation(self.of(*SMOOTH)),
            layers.Activation(self.of(*KINKED)),
            layers.ReLU(max_value=self.of(None, 2.0), negative_slope=self.of(0.0, 0.1), threshold=self.of(0.0, 0.2)),
            layers.LeakyReLU(negative_slope=self.number(0.1, 0.5)),
            layers.ELU(alpha=self.number(0.5, 1.5)),
            layers.Softmax(),
        )

    def operation(self, x):
        """Arithmetic on tensors, which Keras writes down as operations."""
        number = self.number(0.3, 2.0)
        return self.of(
            lambda: x + number,
            lambda: number - x,
            lambda: x * number,
            lambda: x / number,
            lambda: keras.ops.relu(x),
            lambda: keras.ops.tanh(x),
            lambda: x * x,
        )()

    def nested(self, x):
        """A model within the model, called once or twice."""
        shape = x.shape[1:]
        dense = self.dense(shape[-1], activity_regularizer=None)
        inner = keras.Sequential([keras.Input(shape), dense, self.function()])
        y = inner(x)
        return inner(y) if self.chance(0.5) else y

    def shared(self, x):
        """A layer that is called three times; of the penalties of its outputs JAX counts the last one only."""
        dense = self.dense(x.shape[-1], activity_regularizer=None)
        return layers.Add()([dense(x), dense(dense(x))])

    def merge(self, a, b):
        """Two tensors become one."""
        if a.shape != b.shape:
            a, b = self.vector(a), self.vector(b)
            if a.shape != b.shape and self.chance(0.5):
                return layers.Concatenate()([a, b])
            units = self.of(2, 3, 4)
            a, b = self.dense(units)(a), self.dense(units)(b)
        if self.chance(0.2):
            return layers.Concatenate(axis=self.of(-1, 1))([a, b])
        if self.chance(0.3):
            return self.of(lambda: a + b, lambda: a - b, lambda: a * b, lambda: keras.ops.maximum(a, b))()
        kind = self.of(
            layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum
        )
        return kind()([a, b])

    def vector(self, x):
        if len(x.shape) == 2:
            return x
        if len(x.shape) == 4 and self.chance(0.5):
            return self.of(layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D)()(x)
        return layers.Flatten()(x)

    def input(self, at):
        kind = self.of("vector", "image", "image", "table", "words")
        name = f"input_{at}"
        if kind == "vector":
            shape = (self.of(3, 4, 6),)
        elif kind == "image":
            shape = (self.of(4, 5, 6), self.of(4, 5), self.of(1, 2, 4))
        elif kind == "table":
            shape = (self.of(2, 3), self.of(3, 4))
        else:
            shape = (self.of(2, 3),)
            x = keras.Input(shape, name=name)
            embedding = layers.Embedding(7, self.of(2, 3), embeddings_regularizer=self.regularizer())
            return x, embedding(x), self.random.whole((SAMPLES, *shape), 0, 7)
        x = keras.Input(shape, name=name)
        return x, x, self.random.values((SAMPLES, *shape))

    def network(self):
        inputs, heads, data = [], [], []
        for at in range(self.of(1, 1, 2)):
            x, y, values = self.input(at)
            inputs.append(x)
            heads.append(y)
            data.append(values)
        for _ in range(self.of(2, 3, 4, 5, 6)):
            at = self.generator.integers(len(heads))
            if len(heads) > 1 and self.chance(0.25):
                other = self.generator.integers(len(heads))
                if other != at:
                    heads[at] = self.merge(heads[at], heads[other])
                    continue
            x = self.step(heads[at])
            if len(heads) < 3 and self.chance(0.2):
                heads.append(x)
            else:
                heads[at] = x
        while len(heads) > 1:
            heads.append(self.merge(heads.pop(), heads.pop()))
        x = self.vector(heads[0])
        outputs, targets, given = [], [], []
        for at in range(self.of(1, 1, 1, 2)):
            output, target, loss, kinds = self.head(x, f"output_{at}")
            outputs.append(output)
            targets.append(target)
            given.append((loss, kinds))
        model = keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else outputs[0])
        return model, data, targets, given

    def head(self, x, name):
        """An output, its targets, a loss and metrics that fit them."""
        kind = self.of("score", "score", "label", "labels", "classes", "classes", "sparse")
        if kind == "score":
            units = self.of(1, 2)
            y = layers.Dense(units, name=name)(x)
            loss = self.of(
                "mse",
                losses.MeanAbsoluteError(),
                # Keras writes neither `delta` nor `axis`.
                losses.Huber(),
                losses.MeanSquaredLogarithmicError(),
                # Of one number it is its sign, which has no gradient but rounding.
                losses.CosineSimilarity() if units > 1 else losses.MeanSquaredError(),
                losses.Tversky(alpha=self.number(0.2, 0.8), beta=self.number(0.2, 0.8)),
                losses.LogCosh(reduction=self.of("sum", "sum_over_batch_size")),
                losses.MeanSquaredError(reduction=self.of("sum", "mean_with_sample_weight")),
            )
            names = [
                "mse",
                "mae",
                "msle",
                "mape",
                "RootMeanSquaredError",
                "LogCoshError",
                "R2Score",
                "CosineSimilarity",
                "PearsonCorrelation",
                "ConcordanceCorrelation",
            ]
            target = self.random.values((SAMPLES, units))
        elif kind in ("label", "labels"):
            units = 1 if kind == "label" else 3
            logits = self.chance(0.4)
            y = layers.Dense(units, activation=None if logits else "sigmoid", name=name)(x)
            loss = self.of(
                losses.BinaryCrossentropy(from_logits=logits, label_smoothing=self.of(0.0, 0.1)),
                losses.BinaryFocalCrossentropy(
                    apply_class_balancing=self.chance(0.5), gamma=self.number(1.0, 3.0), from_logits=logits
                ),
                losses.MeanSquaredError(),
                losses.SquaredHinge(),
                losses.Hinge(),
                losses.Dice(axis=None),
                losses.Poisson(),
            )
            names = [
                "accuracy",
                "binary_accuracy",
                "AUC",
                "Precision",
                "Recall",
                "TruePositives",
                "FalsePositives",
                "mse",
                "hinge",
                metrics.BinaryIoU([0, 1], 0.4),
                metrics.BinaryCrossentropy(from_logits=logits),
                metrics.SensitivityAtSpecificity(0.5),
                metrics.AUC(curve="PR", num_thresholds=20, from_logits=logits),
                metrics.FBetaScore("micro", 2.0, 0.4),
            ]
            target = self.random.whole((SAMPLES, units), 0, 2)
        else:
            logits = self.chance(0.4)
            y = layers.Dense(4, activation=None if logits else "softmax", name=name)(x)
            if kind == "sparse":
                loss = losses.SparseCategoricalCrossentropy(from_logits=logits)
                names = [
                    "accuracy",
                    "sparse_categorical_accuracy",
                    metrics.SparseTopKCategoricalAccuracy(2),
                    metrics.SparseCategoricalCrossentropy(from_logits=logits),
                ]
                target = self.random.whole((SAMPLES, 1), 0, 4)
            else:
                loss = self.of(
                    losses.CategoricalCrossentropy(from_logits=logits, label_smoothing=self.of(0.0, 0.1)),
                    losses.CategoricalFocalCrossentropy(from_logits=logits),
                    losses.CategoricalHinge(),
                    losses.CosineSimilarity(),
                    losses.KLDivergence(),
                    losses.Dice(),
                )
                names = [
                    "accuracy",
                    "categorical_accuracy",
                    metrics.TopKCategoricalAccuracy(2),
                    "mae",
                    "AUC",
                    "kl_divergence",
                    "categorical_hinge",
                    metrics.F1Score("macro"),
                    metrics.CategoricalCrossentropy(from_logits=logits, label_smoothing=0.1),
                    metrics.OneHotMeanIoU(4),
                    metrics.Precision(top_k=2),
                    metrics.Recall(class_id=1, thresholds=0.3),
                ]
                target = self.random.one_hot((SAMPLES, 4))
        chosen = [names[at] for at in sorted(self.generator.permutation(len(names))[: self.of(0, 1, 2)])]
        return y, target, loss, chosen

    def optimizer(self):
        rate = self.of(
            self.number(0.002, 0.02),
            self.number(0.002, 0.02),
            optimizers.schedules.ExponentialDecay(0.02, 3, 0.7, staircase=self.chance(0.5)),
            optimizers.schedules.CosineDecay(0.02, 5, alpha=0.1, warmup_target=0.03, warmup_steps=2),
            optimizers.schedules.PiecewiseConstantDecay([2, 4], [0.02, 0.01, 0.005]),
        )
        shared = {}
        if self.chance(0.2):
            shared[self.of("clipnorm", "clipvalue", "global_clipnorm")] = self.number(0.1, 1.0)
        if self.chance(0.15):
            shared["weight_decay"] = self.number(0.001, 0.05)
        if self.chance(0.15):
            shared.update(use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=self.of(None, 3))
        if self.chance(0.1):
            shared["gradient_accumulation_steps"] = 2
        kind = self.of(
            "SGD", "SGD", "RMSprop", "Adam", "Adam", "AdamW", "Nadam", "Adamax", "Adagrad", "Adadelta", "Ftrl", "Lion", "Lamb"
        )
        if kind == "SGD":
            shared["momentum"] = self.of(0.0, 0.9)
            shared["nesterov"] = self.chance(0.3)
        if kind == "RMSprop":
            shared.update(rho=self.number(0.8, 0.95), momentum=self.of(0.0, 0.5), centered=self.chance(0.3))
        if kind == "Adam":
            shared["amsgrad"] = self.chance(0.3)
        if kind not in ("SGD", "Lion", "Ftrl"):
            # Gradients that are nothing but rounding stay small steps.
            shared["epsilon"] = 1e-3
        if kind == "Lion":
            kind = "SGD"
        return getattr(optimizers, kind)(rate, **shared)


def case(name, nudge=0.0):
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    draw = Draw(name)
    while True:
        model, x, y, given = draw.network()
        if model.count_params() > 0:
            break
    chosen = [loss for loss, _ in given], [kinds for _, kinds in given]
    weighted = draw.chance(0.25)
    several = len(y) > 1
    model.compile(
        draw.optimizer(),
        loss=chosen[0] if several else chosen[0][0],
        loss_weights=[draw.number(0.2, 1.5) for _ in y] if several and draw.chance(0.5) else None,
        metrics=None if weighted else (chosen[1] if several else chosen[1][0]) or None,
        weighted_metrics=(chosen[1] if several else chosen[1][0]) or None if weighted else None,
    )
    compile_config = json.dumps(model.get_compile_config())
    sample_weight = draw.random.uniform((SAMPLES,), 0.2, 2.0) if draw.chance(0.3) else None

    def rows(arrays, count):
        arrays = [array[:count] for array in arrays]
        return arrays if len(arrays) > 1 else arrays[0]

    def weights(count):
        if sample_weight is None:
            return None
        return [sample_weight[:count]] * len(y) if several else sample_weight[:count]

    def predictions():
        outputs = model.predict(rows(x, SAMPLES), verbose=0)
        return tensors(outputs if several else [outputs])

    model.set_weights([values * np.float32(1 + nudge) for values in model.get_weights()])
    weights_before, before = tensors(model.get_weights()), predictions()
    validation = (rows(x, 6), rows(y, 6)) + (() if sample_weight is None else (weights(6),))
    history = model.fit(
        rows(x, SAMPLES),
        rows(y, SAMPLES),
        sample_weight=weights(SAMPLES),
        batch_size=4,
        epochs=2,
        shuffle=False,
        verbose=0,
        validation_data=validation,
    ).history
    logs = model.evaluate(
        rows(x, SAMPLES), rows(y, SAMPLES), batch_size=5, sample_weight=weights(SAMPLES), verbose=0, return_dict=True
    )
    return {
        "name": name,
        "model": model.to_json(),
        "compile": compile_config,
        "x": tensors(x),
        "y": tensors(y),
        "sample_weight": optional(sample_weight),
        "weights": weights_before,
        "predictions": before,
        "history": {key: [number(value) for value in values] for key, values in history.items()},
        "logs": {key: number(value) for key, value in logs.items()},
        "trained": tensors(model.get_weights()),
        "outputs": predictions(),
    }


def is_steady(one, other):
    """Whether two trainings that began next to each other ended there: where a gradient is nothing but the rounding of
    sums, or an order hangs on it, the answer is that of one machine."""

    def close(a, b):
        return np.allclose(np.float32(a["values"]), np.float32(b["values"]), rtol=1e-4, atol=1e-5, equal_nan=True)

    lists = [(one[key], other[key]) for key in ("trained", "outputs")]
    logs = [({"values": one["history"][key]}, {"values": other["history"][key]}) for key in one["history"]]
    return all(close(a, b) for pair in lists for a, b in zip(*pair)) and all(close(a, b) for a, b in logs)


def drawn(first):
    """One case after the other, but those that Keras refuses (weights of samples where a metric cannot have them), those
    that JAX loses (the length of a vector of zeros has the gradient NaN there), and those that are not steady."""
    for at in itertools.count(first):
        name = f"drawn_{at}"
        try:
            each = case(name)
        except ValueError as error:
            print(f"{name}: {str(error)[:200]}", file=sys.stderr)
            continue
        if "NaN" in each["history"]["loss"]:
            continue
        if is_steady(each, case(name, 1e-5)):
            yield each
        else:
            print(f"{name}: not steady", file=sys.stderr)


def cases():
    return list(itertools.islice(drawn(0), COMMITTED))


def check(directory):
    """The models that the test saved: Keras predicts what they do, and an epoch more has the same loss."""
    cases = json.loads((directory / "drawn.json").read_text(encoding="utf-8"))["cases"]
    for each in cases:
        keras.backend.clear_session()
        model = keras.models.load_model(directory / each["file"])
        x, y = ([array(tensor) for tensor in each[key]] for key in ("x", "y"))
        x, y = (arrays if len(arrays) > 1 else arrays[0] for arrays in (x, y))
        outputs = keras.tree.flatten(model.predict(x, verbose=0))
        for found, expected in zip(outputs, each["outputs"], strict=True):
            np.testing.assert_allclose(found, array(expected), rtol=1e-5, atol=2e-6, err_msg=each["name"])
        loss = model.fit(x, y, batch_size=4, shuffle=False, verbose=0).history["loss"][0]
        np.testing.assert_allclose(loss, each["loss"], rtol=1e-4, atol=1e-5, err_msg=each["name"])
    print(f"{len(cases)} models loaded")


if __name__ == "__main__":
    path = Path(sys.argv[1])
    if path.is_dir():
        check(path)
    else:
        first, count = map(int, sys.argv[2:])
        others = {"cases": list(itertools.islice(drawn(first), count))}
        path.write_text(json.dumps(others), encoding="utf-8")
