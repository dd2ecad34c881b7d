"""fits.json: what the arguments of compile, fit, evaluate and predict do. SGD, no shuffling.

{"name", "model": its name in `MODELS`, "data": {"x": [T], "y": [T], "w": [T]; ..}, "initial_weights": [T],
"history": {name: [number; an epoch]}, "epochs": [their numbers], "steps": [the batches of each epoch],
"evaluate": {name: number}, "values": [what else the case calls gives], "final_weights": [T]}

What is not there was not asked for. The arguments themselves are in the functions of the same names here and in
`tests/conformance/fits.rs`.
"""

import keras
import numpy as np
from keras import layers, losses, metrics, optimizers

from fixture import Random, number, tensors

SAMPLES = 18


def regression():
    return keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="tanh"), layers.Dense(1)])


def classifier():
    return keras.Sequential(
        [keras.Input((3,)), layers.Dense(4, activation="tanh"), layers.Dense(3, activation="softmax")]
    )


def two_outputs(as_dict=False):
    inputs = keras.Input((3,))
    hidden = layers.Dense(4, activation="tanh")(inputs)
    a = layers.Dense(1, name="a")(hidden)
    b = layers.Dense(3, activation="softmax", name="b")(hidden)
    return keras.Model(inputs, {"a": a, "b": b} if as_dict else [a, b])


MODELS = {
    "regression": regression,
    "classifier": classifier,
    "two_outputs": two_outputs,
    "two_named": lambda: two_outputs(True),
}


class Counter(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.steps = []

    def on_epoch_begin(self, epoch, logs=None):
        self.steps.append(0)

    def on_train_batch_end(self, batch, logs=None):
        self.steps[-1] += 1


class Case:
    """One case: a model with drawn weights, its data, and what was recorded."""

    def __init__(self, name, model, samples=SAMPLES):
        random = Random(name)
        self.random, self.model = random, MODELS[model]()
        weights = [random.values(array.shape, 0.6) for array in self.model.get_weights()]
        self.model.set_weights(weights)
        self.x = random.values((samples, 3))
        self.number = np.float32(np.round(self.x.sum(-1, keepdims=True) + 0.3, 4))
        self.label = random.whole((samples, 1), 0, 3)
        self.one_hot = np.eye(3, dtype="float32")[self.label[:, 0].astype(int)]
        self.w = np.round(random.uniform((samples,), 0.0, 2.0), 2)
        self.v = np.round(random.uniform((samples,), 0.0, 2.0), 2)
        arrays = [self.x, self.number, self.label, self.w, self.v]
        self.case = {
            "name": name,
            "model": model,
            "data": tensors(arrays),
            "initial_weights": tensors(weights),
        }

    def sgd(self, *rest, **arguments):
        self.model.compile(optimizers.SGD(0.05), *rest, **arguments)
        return self

    def fit(self, x, y=None, **arguments):
        counter = Counter()
        history = self.model.fit(x, y, verbose=0, shuffle=False, callbacks=[counter], **arguments)
        self.case["history"] = logs_of(history.history)
        self.case["epochs"] = history.epoch
        self.case["steps"] = counter.steps
        return self

    def evaluate(self, x, y, **arguments):
        self.case["evaluate"] = logs_of(self.model.evaluate(x, y, verbose=0, return_dict=True, **arguments))
        return self

    def done(self):
        self.case["final_weights"] = tensors(self.model.get_weights())
        return self.case


def logs_of(logs):
    return {
        key: [number(each) for each in value] if isinstance(value, list) else number(value)
        for key, value in logs.items()
    }


def plain():
    case = Case("plain", "regression").sgd("mse", metrics=["mae"])
    case.fit(case.x, case.number, epochs=2, batch_size=5)
    return case.evaluate(case.x, case.number, batch_size=7).done()


def targets_of_rank_one():
    case = Case("targets_of_rank_one", "regression").sgd("mae", metrics=["mse"])
    return case.fit(case.x, case.number[:, 0], epochs=2).done()


def initial_epoch():
    case = Case("initial_epoch", "regression").sgd("mse")
    return case.fit(case.x, case.number, epochs=3, initial_epoch=1, batch_size=4).done()


def nothing_to_do():
    case = Case("nothing_to_do", "regression").sgd("mse")
    return case.fit(case.x, case.number, epochs=2, initial_epoch=2).done()


def steps_go_on():
    case = Case("steps_go_on", "regression").sgd("mse", metrics=["mae"])
    return case.fit(case.x, case.number, epochs=4, batch_size=4, steps_per_epoch=3).done()


def more_steps_than_batches():
    case = Case("more_steps_than_batches", "regression").sgd("mse")
    return case.fit(case.x, case.number, epochs=2, batch_size=4, steps_per_epoch=8).done()


def batches_of(case, count):
    """Batches of two samples, one after the other."""
    for at in range(count):
        rows = slice(2 * at, 2 * at + 2)
        yield case.x[rows], case.number[rows]


def an_iterator():
    case = Case("an_iterator", "regression").sgd("mse")
    return case.fit(batches_of(case, 7), epochs=2).done()


def steps_of_an_iterator():
    case = Case("steps_of_an_iterator", "regression").sgd("mse")
    return case.fit(batches_of(case, 7), epochs=4, steps_per_epoch=3).done()


def validation_steps():
    case = Case("validation_steps", "regression").sgd("mse", metrics=["mae"])
    validation = (case.x[10:], case.number[10:])
    return case.fit(
        case.x[:10],
        case.number[:10],
        epochs=3,
        batch_size=4,
        validation_data=validation,
        validation_steps=2,
        validation_batch_size=3,
    ).done()


def validation_freq():
    case = Case("validation_freq", "regression").sgd("mse")
    validation = (case.x[10:], case.number[10:], case.w[10:])
    return case.fit(
        case.x, case.number, epochs=4, initial_epoch=1, validation_data=validation, validation_freq=2
    ).done()


def validation_in_some_epochs():
    case = Case("validation_in_some_epochs", "regression").sgd("mse")
    return case.fit(case.x, case.number, epochs=4, validation_split=0.3, validation_freq=[1, 4]).done()


def sample_weights():
    case = Case("sample_weights", "regression")
    case.sgd("mse", metrics=["mse"], weighted_metrics=["mse", "mae"])
    case.fit(case.x, case.number, epochs=2, batch_size=4, sample_weight=case.w, validation_split=0.25)
    return case.evaluate(case.x, case.number, sample_weight=case.v, batch_size=4, steps=3).done()


def class_weights_of_labels():
    case = Case("class_weights_of_labels", "classifier")
    case.sgd("sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy"])
    return case.fit(case.x, case.label, epochs=2, batch_size=4, class_weight={0: 0.5, 2: 3.0}).done()


def class_weights_of_probabilities():
    case = Case("class_weights_of_probabilities", "classifier")
    case.sgd("categorical_crossentropy", metrics=["acc"])
    return case.fit(case.x, case.one_hot, epochs=2, batch_size=4, class_weight={0: 0.5, 1: 2.0}).done()


def names_of_metrics():
    case = Case("names_of_metrics", "regression")
    chosen = ["mse", "mse", "MSE", "mean_squared_error", metrics.MeanSquaredError()]
    return case.sgd("mse", metrics=chosen).fit(case.x, case.number, epochs=1).done()


def names_of_weighted_metrics():
    case = Case("names_of_weighted_metrics", "two_outputs")
    case.sgd(
        ["mse", "sparse_categorical_crossentropy"],
        metrics={"a": ["mse", "mse"], "b": "acc"},
        weighted_metrics={"a": ["mse", "mse", "mae"], "b": "acc"},
    )
    return case.fit(case.x, [case.number, case.label], sample_weight=[case.w, case.v], epochs=1).done()


def metrics_of_every_kind():
    """A loss counts once for each batch, a metric for each sample."""
    case = Case("metrics_of_every_kind", "regression")
    names = ["log_cosh_error", "mape", "msle", "r2_score", "poisson", "hinge", "RootMeanSquaredError"]
    chosen = [losses.MeanSquaredError(), losses.Huber(name="huber"), metrics.MeanSquaredError(name="per_sample")]
    along_samples = [metrics.PearsonCorrelation(axis=0), metrics.CosineSimilarity(axis=0)]
    case.sgd("mse", metrics=[*chosen, *names, *along_samples])
    case.fit(case.x, case.number, epochs=2, batch_size=4)
    return case.evaluate(case.x, case.number, batch_size=7).done()


def metrics_of_classes():
    case = Case("metrics_of_classes", "classifier")
    names = ["kl_divergence", "categorical_hinge", "cosine_similarity", "pearson_correlation", "squared_hinge", "auc"]
    chosen = [
        metrics.AUC(curve="PR", name="pr"),
        metrics.F1Score(average="macro"),
        metrics.OneHotMeanIoU(3, name="iou", dtype="float32"),
        metrics.Precision(top_k=1, name="precise"),
        metrics.RecallAtPrecision(0.4, name="recalled"),
    ]
    case.sgd("categorical_crossentropy", metrics=[*names, *chosen], weighted_metrics=[*names, "precision"])
    case.fit(case.x, case.one_hot, epochs=2, batch_size=4, sample_weight=case.w)
    return case.evaluate(case.x, case.one_hot, batch_size=7, sample_weight=case.v).done()


def losses_of_two_outputs():
    case = Case("losses_of_two_outputs", "two_outputs")
    case.sgd(
        {"b": "categorical_crossentropy", "a": "mae"},
        loss_weights={"a": 2.0, "b": 0.5},
        metrics={"a": "mae", "b": ["acc", "mse"]},
        weighted_metrics={"b": "mse"},
    )
    case.fit(case.x, [case.number, case.one_hot], epochs=2, batch_size=4, sample_weight=case.w)
    return case.evaluate(case.x, [case.number, case.one_hot], batch_size=4).done()


def weights_of_two_outputs():
    case = Case("weights_of_two_outputs", "two_outputs")
    case.sgd(["mse", "categorical_crossentropy"], loss_weights=[1.0, 3.0])
    targets = [case.number, case.one_hot]
    return case.fit(case.x, targets, epochs=2, batch_size=4, sample_weight=[case.w, case.v]).done()


def one_loss_of_two():
    case = Case("one_loss_of_two", "two_named")
    case.sgd({"a": "mse"}, metrics={"b": ["mse"]})
    return case.fit(case.x, {"a": case.number, "b": case.one_hot}, epochs=2, batch_size=4).done()


def several_steps_in_one():
    case = Case("several_steps_in_one", "regression")
    case.sgd("mse", metrics=["mae"], steps_per_execution=3)
    return case.fit(case.x, case.number, epochs=2, batch_size=4).done()


def compiled_again():
    """Another loss and learning rate, the old metrics; then the same optimizer, with what it remembers."""
    case = Case("compiled_again", "regression")
    case.model.compile(optimizers.SGD(0.05, momentum=0.9), "mse", metrics=["mae"])
    case.model.fit(case.x, case.number, epochs=1, verbose=0, shuffle=False)
    case.model.compile(optimizers.SGD(0.02, momentum=0.9), "mae")
    case.model.fit(case.x, case.number, epochs=1, verbose=0, shuffle=False)
    case.model.compile(case.model.optimizer, None, metrics=["mse"])
    return case.fit(case.x, case.number, epochs=2, batch_size=5).done()


def one_batch_at_a_time():
    """The loss and the metrics of each batch alone, and weights of classes and of samples."""
    case = Case("one_batch_at_a_time", "classifier")
    case.sgd("sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy"])
    model, values = case.model, []
    for rows in (slice(0, 5), slice(5, 12)):
        logs = model.train_on_batch(
            case.x[rows], case.label[rows], sample_weight=case.w[rows], return_dict=True
        )
        values.append(logs_of(logs))
    values.append(logs_of(model.train_on_batch(case.x, case.label, class_weight={1: 2.5}, return_dict=True)))
    values.append(logs_of(model.test_on_batch(case.x, case.label, sample_weight=case.v, return_dict=True)))
    values.append(logs_of(model.test_on_batch(case.x, case.label, return_dict=True)))
    case.case["values"] = values
    return case.done()


def predictions():
    """The first steps alone, and several outputs."""
    case = Case("predictions", "two_outputs")
    a, b = case.model.predict(case.x, batch_size=4, steps=2, verbose=0)
    case.case["values"] = tensors([a, b])
    return case.done()


def cases():
    functions = [
        plain,
        targets_of_rank_one,
        initial_epoch,
        nothing_to_do,
        steps_go_on,
        more_steps_than_batches,
        an_iterator,
        steps_of_an_iterator,
        validation_steps,
        validation_freq,
        validation_in_some_epochs,
        sample_weights,
        class_weights_of_labels,
        class_weights_of_probabilities,
        names_of_metrics,
        names_of_weighted_metrics,
        metrics_of_every_kind,
        metrics_of_classes,
        losses_of_two_outputs,
        weights_of_two_outputs,
        one_loss_of_two,
        several_steps_in_one,
        compiled_again,
        one_batch_at_a_time,
        predictions,
    ]
    return [function() for function in functions]
