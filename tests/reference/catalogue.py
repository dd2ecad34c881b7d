"""catalogue.json, catalogue/*.keras: everything that has a configuration, in whole models that Keras saved after an epoch.

The layers, initializers, regularizers, constraints, losses and metrics are those of `configs.py`, each with an output
of its own; each optimizer and each schedule has a model of its own.

{"name", "file", "x": [T], "y": [T] or null for zeros, "predictions": [T] of the first two samples by the saved model,
"logs": those of one more epoch, in order and in batches of 2, which are means where a metric has several values,
"variables": the optimizer's by then, each [its shape, the sum of its magnitudes]}

The archives are compressed, which Keras reads as well.

`python catalogue.py DIRECTORY` does the reverse: for every case of DIRECTORY/catalogue.json, which the test writes, it
loads the file and holds all of this against the case. Then it saves the model as `again_{file}`, and the test holds
the configuration in it against its own.
"""

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np
from keras import layers

import activations
import configs
from fixture import DIRECTORY, Random, array, compress, number, tensor, tensors

BATCH = 2
COUNT = 4


def branches(name, inputs, made):
    """A model with an output for each layer of `made`, which is called on what `inputs` has for its class."""
    outputs = [layer(of) for layer, of in made]
    return keras.Model(inputs, outputs, name=name)


def renamed(makers):
    """The layers of makers, each with its maker's name."""
    for name, maker in makers.items():
        layer = maker()
        yield type(layer).from_config(layer.get_config() | {"name": name})


MERGES = (layers.Add, layers.Average, layers.Concatenate, layers.Maximum, layers.Minimum, layers.Multiply, layers.Subtract)


def layers_model():
    image, other = [keras.Input((8, 9, 2), name=name) for name in ("image", "other")]
    ids = keras.Input((3,), name="ids")

    def of(layer):
        if isinstance(layer, layers.Embedding):
            return ids
        return [image, other] if isinstance(layer, MERGES) else image

    made = [(layer, of(layer)) for layer in renamed(configs.LAYERS)]
    model = branches("layers", [image, other, ids], made)
    # What is dropped is drawn in another way here and there: it is predicted, but its loss does not count.
    weights = [0.0 if isinstance(layer, layers.Dropout) else 1.0 for layer, _ in made]
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), ["mse"] * len(made), loss_weights=weights)
    random = Random("layers")
    return model, [random.values((COUNT, 8, 9, 2)), random.values((COUNT, 8, 9, 2)), random.whole((COUNT, 3), 0, 7)], None


def parts_model():
    """Initializers, regularizers and constraints of a kernel; the short-time Fourier transform fits the kernel of no layer here."""
    given = {f"initializer_{name}": {"kernel_initializer": each} for name, each in configs.INITIALIZERS.items() if name != "stft"}
    given |= {f"regularizer_{name}": {"kernel_regularizer": each} for name, each in configs.REGULARIZERS.items()}
    given |= {
        f"constraint_{name}": {"kernel_constraint": each} for name, each in configs.CONSTRAINTS.items() if name != "max_norm_axes"
    }
    x = keras.Input((4,), name="x")
    made = [(layers.Dense(3, name=name, **arguments), x) for name, arguments in given.items()]
    model = branches("parts", [x], made)
    model.compile(keras.optimizers.Adam(0.01), ["mse"] * len(made))
    return model, [Random("parts").values((COUNT, 4))], None


def activations_model():
    x = keras.Input((6,), name="x")
    # `glu` halves an axis, of which a dense layer knows nothing.
    made = [layers.Dense(4, activation=name, name=f"of_{name}") for name in activations.PLAIN if name not in ["glu", "sparsemax"]]
    # Keras adds up sums of sums, so that its `sparsemax` is one where a single number is left (see README.md).
    far_apart = keras.initializers.RandomNormal(stddev=50.0)
    made += [
        layers.Dense(4, activation="sparsemax", kernel_initializer=far_apart, name="of_sparsemax"),
        layers.Activation("glu", name="of_glu"),
        layers.Dense(4, activation=layers.LeakyReLU(0.1), name="with_slope"),
        layers.Dense(4, activation=layers.ELU(0.5), name="with_alpha"),
        layers.ReLU(2.0, 0.1, 0.5, name="relu_layer"),
        layers.LeakyReLU(0.3, name="leaky_layer"),
        layers.ELU(0.7, name="elu_layer"),
        layers.Softmax(name="softmax_layer"),
    ]
    model = branches("activations", [x], [(layer, x) for layer in made])
    model.compile(keras.optimizers.RMSprop(0.005), ["mse"] * len(made))
    return model, [Random("activations_model").values((COUNT, 6))], None


SPARSE_LOSSES = (keras.losses.SparseCategoricalCrossentropy, keras.losses.CategoricalGeneralizedCrossEntropy)


def losses_model():
    """Predictions of 4 times 3 classes for every loss, of 3 classes for one that compares samples."""
    x = keras.Input((4, 2), name="x")
    random = Random("losses_model")
    outputs, given, targets = [], [], []
    for name, loss in configs.LOSSES.items():
        config = loss.get_config()
        if config["reduction"] == "none":  # no training
            config["reduction"] = "sum_over_batch_size"
        loss = type(loss).from_config(config)
        of_samples = isinstance(loss, keras.losses.Circle)
        is_linear = config.get("from_logits") or isinstance(loss, keras.losses.CTC)
        inputs = layers.Flatten(name="flat")(x) if of_samples else x
        outputs.append(layers.Dense(3, activation=None if is_linear else "softmax", name=name)(inputs))
        shape = (COUNT, 3) if of_samples else (COUNT, 4, 3)
        if of_samples:
            targets.append(np.float32([[0], [0], [1], [1]]))
        elif isinstance(loss, keras.losses.CTC):
            targets.append(random.whole((COUNT, 2), 1, 3))
        elif isinstance(loss, SPARSE_LOSSES):
            targets.append(random.whole(shape[:-1], 0, 3))
        else:
            targets.append(random.one_hot(shape))
        given.append(loss)
    model = keras.Model(x, outputs, name="losses")
    model.compile(keras.optimizers.SGD(0.02), given)
    return model, [random.values((COUNT, 4, 2))], targets


SPARSE = (keras.metrics.SparseCategoricalAccuracy, keras.metrics.SparseTopKCategoricalAccuracy, keras.metrics.SparseCategoricalCrossentropy)
OF_NUMBERS = (keras.metrics.Accuracy, keras.metrics.IoU, keras.metrics.MeanIoU)
ONE_HOT = (keras.metrics.OneHotIoU, keras.metrics.OneHotMeanIoU)


def metrics_model():
    """Each metric has an output: probabilities of classes, or, for a metric that compares numbers, whole numbers."""
    x = keras.Input((5,), name="x")
    random = Random("metrics_model")
    outputs, given, targets = [], [], []
    for name, maker in configs.METRICS.items():
        metric = maker()
        config = metric.get_config() | {"name": "value"}
        if "num_regressors" in config:  # which JAX cannot compile
            config["num_regressors"] = 0
        if name == "one_hot_mean_iou":  # whose result Keras computes along this axis alone
            config["axis"] = -1
        of_numbers = isinstance(metric, OF_NUMBERS) and not isinstance(metric, ONE_HOT + (keras.metrics.BinaryIoU,))
        classes = {"r2_score": 2, "auc_arguments": 2, "one_hot_mean_iou": 4}.get(name, 1 if of_numbers else 3)
        # `axis=1` of a prediction (batch, classes) is its last.
        activation = "hard_tanh" if of_numbers else "softmax"
        output = layers.Dense(classes, activation=activation, name=name)(x)
        outputs.append(output)
        given.append([type(metric).from_config(config)])
        if isinstance(metric, SPARSE):
            targets.append(random.whole((COUNT, 1), 0, classes))
        elif isinstance(metric, keras.metrics.R2Score):
            targets.append(random.values((COUNT, classes)))
        elif of_numbers:
            targets.append(random.whole((COUNT, 1), 0, 2))
        else:
            targets.append(random.one_hot((COUNT, classes)))
    model = keras.Model(x, outputs, name="metrics")
    is_sparse = [isinstance(metrics[0], SPARSE) for metrics in given]
    losses = ["sparse_categorical_crossentropy" if sparse else "mse" for sparse in is_sparse]
    model.compile(keras.optimizers.SGD(0.02), losses, metrics=given)
    return model, [random.values((COUNT, 5))], targets


def small(name, optimizer):
    x = keras.Input((2,), name="x")
    # The paths of the weights of a functional model stay when it is loaded.
    model = keras.Model(x, layers.Dense(1, name="a")(layers.Dense(2, activation="tanh", name="head")(x)), name=name)
    model.compile(optimizer, "mse")
    random = Random(name)
    return model, [random.values((COUNT, 2))], [random.values((COUNT, 1))]


MODELS = {"layers": layers_model, "parts": parts_model, "activations": activations_model, "losses": losses_model, "metrics": metrics_model}
MODELS |= {f"optimizer_{name}": (lambda name=name, maker=maker: small(name, maker())) for name, maker in configs.OPTIMIZERS.items()}
MODELS |= {f"schedule_{name}": (lambda name=name, each=each: small(name, keras.optimizers.SGD(each))) for name, each in configs.SCHEDULES.items()}


def arranged(arrays):
    return arrays[0] if len(arrays) == 1 else arrays


def zeros(model, x):
    """Keras' own shapes are wrong after `glu`, which halves an axis."""
    return [np.zeros((COUNT, *output.shape[1:]), "float32") for output in predictions(model, x)]


def epoch(model, x, y):
    history = model.fit(arranged(x), arranged(y or zeros(model, x)), batch_size=BATCH, shuffle=False, verbose=0).history
    # What a dropout's output is compared with is drawn.
    return {name: float(np.mean(values[0])) for name, values in history.items() if not name.startswith("dropout")}


def predictions(model, x):
    outputs = model.predict(arranged([each[:2] for each in x]), verbose=0)
    return outputs if isinstance(outputs, list) else [outputs]


def variables(model):
    return [[list(each.shape), float(np.abs(np.asarray(each, "float64")).sum())] for each in model.optimizer.variables]


def cases():
    directory = DIRECTORY / "catalogue"
    directory.mkdir(exist_ok=True)
    written = []
    for name, make in MODELS.items():
        keras.backend.clear_session()
        keras.utils.set_random_seed(3)
        model, x, y = make()
        epoch(model, x, y)
        path = directory / f"{name}.keras"
        model.save(path)
        compress(path)
        model = keras.models.load_model(path)
        case = {"name": name, "file": path.name, "x": tensors(x), "y": y and tensors(y)}
        case["predictions"] = tensors(predictions(model, x))
        case["logs"] = {log: number(value) for log, value in epoch(model, x, y).items()}
        assert all(np.isfinite(list(case["logs"].values()))), case["logs"]
        case["variables"] = [[shape, number(total)] for shape, total in variables(model)]
        written.append(case)
    return written


def check(directory):
    """The models that the test saved: what Keras makes of them is what they were."""
    with open(os.path.join(directory, "catalogue.json")) as file:
        cases = json.load(file)["cases"]
    for case in cases:
        name = case["name"]
        model = keras.models.load_model(os.path.join(directory, case["file"]))
        x, y = [case[key] and [array(each) for each in case[key]] for key in ("x", "y")]
        model.save(os.path.join(directory, f"again_{case['file']}"))
        for output, found, expected in zip(model.output_names, predictions(model, x), case["predictions"], strict=True):
            np.testing.assert_allclose(found, array(expected), rtol=0, atol=1e-6, err_msg=f"{name}: {output}")
        logs = epoch(model, x, y)
        assert logs.keys() == case["logs"].keys(), f"{name}: {logs.keys()}"
        for log, value in logs.items():
            np.testing.assert_allclose(value, case["logs"][log], rtol=1e-4, atol=1e-6, err_msg=f"{name}: {log}")
        for at, (found, expected) in enumerate(zip(variables(model), case["variables"], strict=True)):
            assert found[0] == expected[0], f"{name}: the shape of variable {at} of the optimizer"
            np.testing.assert_allclose(found[1], expected[1], rtol=1e-4, atol=1e-6, err_msg=f"{name}: variable {at} of the optimizer")
    print(f"{len(cases)} models loaded")


if __name__ == "__main__":
    check(sys.argv[1])
