"""traces.json: what real Keras tells its callbacks, and what these say and decide, in whole calls.

{"name", "method": "fit" | "evaluate" | "predict",
"arguments": {epochs, initial_epoch, batch_size, steps_per_epoch, validation_split, validation_batch_size,
  validation_steps, validation_freq, class_weight: [[class, weight]], steps, verbose, "validation": bool},
"compile": {"metrics": [name], "steps_per_execution": number},
"samples": number, "validation_samples": number,
"callbacks": [{"class", arguments ..}], those before the diary,
"overwrite": {log: [value of each epoch]}: a callback before all others writes these into the epoch's logs,
"stop": {"flag": "stop_training" | .., "at": line of the diary}: the diary sets the flag there,
"diary": [line] or null: the hooks in their order, as "hook number {log,log}"; with "params" for set_params,
"said": [{"printed": text} | {"warned": text}], with the directory of files as "DIR",
"files": [name], "history": {log: number of values}, "epochs": [number], "learning_rates": [number] or null,
"error": text or null, "rows": rows of predict's result or null}
"""

import io
import os
import tempfile
import warnings
from contextlib import redirect_stdout

import keras
import numpy as np
from keras import callbacks

from fixture import number

HOOKS = [
    "train_begin", "train_end", "epoch_begin", "epoch_end", "train_batch_begin", "train_batch_end", "test_begin",
    "test_end", "test_batch_begin", "test_batch_end", "predict_begin", "predict_end", "predict_batch_begin",
    "predict_batch_end",
]


class Diary(callbacks.Callback):
    def __init__(self, stop):
        super().__init__()
        self.lines, self.stop = [], stop

    def write(self, line):
        self.lines.append(line)
        if self.stop and line == self.stop["at"]:
            setattr(self.model, self.stop["flag"], True)

    def set_model(self, model):
        super().set_model(model)
        self.write("set_model")

    def set_params(self, params):
        super().set_params(params)
        self.write("set_params " + ",".join(f"{key}={params[key]}" for key in ["verbose", "epochs", "steps"]))


def hook(name):
    def numbered(self, at, logs=None):
        self.write(f"{name} {at} {{{','.join(logs)}}}")

    def plain(self, logs=None):
        self.write(f"{name} {{{','.join(logs)}}}")

    return numbered if "epoch" in name or "batch" in name else plain


for each in HOOKS:
    setattr(Diary, f"on_{each}", hook(each))


class Overwrite(callbacks.Callback):
    """Puts given values into the logs, so that decisions are about known numbers."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        for key, values in self.values.items():
            if values[epoch] is None:
                logs.pop(key, None)
            else:
                logs[key] = float(np.float32(values[epoch]))


class Rates(callbacks.Callback):
    """The learning rate after each epoch."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def on_epoch_end(self, epoch, logs=None):
        self.rates.append(number(float(self.model.optimizer.learning_rate)))


SCHEDULES = {"halve": lambda epoch, rate: rate * 0.5, "written": lambda epoch, rate: [0.1, 0.01, 0.001][epoch]}


def made(described, directory):
    """A callback from its description."""
    arguments = dict(described)
    kind = arguments.pop("class")
    if "schedule" in arguments:
        arguments["schedule"] = SCHEDULES[arguments["schedule"]]
    for path in ["filepath", "filename"]:
        if path in arguments:
            arguments[path] = os.path.join(directory, arguments[path])
    if "initial" in arguments:  # what the file has before
        with open(arguments["filename"], "w", newline="") as file:
            file.write(arguments.pop("initial"))
    return getattr(callbacks, kind)(**arguments)


def data(samples):
    x = np.linspace(-1.0, 1.0, samples, dtype="float32").reshape(samples, 1)
    return x, 2.0 * x + 1.0


def plain(value):
    return None if value is None else value if isinstance(value, (int, str, bool)) else number(value)


def case(name, method="fit", samples=8, used=(), overwrite=None, stop=None, metrics=("mae",), steps_per_execution=1,
         validation_samples=None, times=1, nan=False, **arguments):
    keras.utils.clear_session()
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones", name="dense")])
    model.compile(keras.optimizers.SGD(0.125), "mse", metrics=list(metrics), steps_per_execution=steps_per_execution)
    x, y = data(samples)
    if nan:
        y[:] = np.nan
    given = {"batch_size": 2, "verbose": 0, **arguments}
    if validation_samples is not None:
        given["validation_data"] = data(validation_samples)
    diary, rates, printed = Diary(stop), Rates(), io.StringIO()
    said, error, history, rows, files, contents = [], None, None, None, [], {}

    def flush():
        text = printed.getvalue()
        printed.seek(0)
        printed.truncate()
        if text:
            said.append({"printed": text})

    with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings(), redirect_stdout(printed):
        def warned(message, category, *rest, **named):
            if not issubclass(category, UserWarning):
                return
            flush()
            said.append({"warned": str(message)})

        warnings.simplefilter("always")
        warnings.showwarning = warned
        try:
            before = [Overwrite(overwrite)] if overwrite else []
            chosen = [*before, *(made(each, directory) for each in used), rates, diary]
            for _ in range(times):
                if method == "fit":
                    history = model.fit(x, y, shuffle=False, callbacks=chosen, **given)
                elif method == "evaluate":
                    model.evaluate(x, y, callbacks=chosen, **given)
                else:
                    rows = len(model.predict(x, callbacks=chosen, **given))
        except Exception as raised:
            error = str(raised.args[0]).replace(directory, "DIR")
        flush()
        for root, _, names in os.walk(directory):
            for each in names:
                path = os.path.join(root, each)
                files.append(os.path.relpath(path, directory))
                if each.endswith((".csv", ".tsv")):
                    with open(path, newline="") as file:
                        contents[each] = file.read()
        for each in said:
            for key, text in each.items():
                each[key] = text.replace(directory, "DIR")
    return {
        "name": name,
        "method": method,
        "arguments": {
            **{key: value for key, value in given.items() if key not in ["validation_data", "class_weight"]},
            **({"class_weight": sorted(given["class_weight"].items())} if "class_weight" in given else {}),
            "validation": validation_samples is not None,
        },
        "compile": {"metrics": list(metrics), "steps_per_execution": steps_per_execution},
        "samples": samples,
        "validation_samples": validation_samples,
        "times": times,
        "nan": nan,
        "callbacks": [{key: plain(value) for key, value in each.items()} for each in used],
        "overwrite": {key: [plain(value) for value in values] for key, values in (overwrite or {}).items()},
        "stop": stop,
        "diary": None if used else diary.lines,
        "said": said,
        "files": sorted(files),
        "contents": contents,
        "history": None if history is None else {key: len(values) for key, values in history.history.items()},
        "epochs": None if history is None else history.epoch,
        "learning_rates": rates.rates,
        "error": error,
        "rows": rows,
    }


S = [1, 0.9, 0.8, 0.85, 0.84, 0.83, 0.7, 0.9, 0.9, 0.9, 0.9]


def early(name, values=S, **arguments):
    """A decision of EarlyStopping about given losses; the epochs of the history say where it stopped."""
    log = arguments.get("monitor", "loss")
    return case(
        f"early_stopping_{name}", samples=2, epochs=len(values), overwrite={log: values}, metrics=(),
        used=[{"class": "EarlyStopping", "monitor": log, "verbose": 1, **arguments}],
    )


def checkpoint(name, values=None, epochs=3, samples=6, **arguments):
    fit = {key: arguments.pop(key) for key in ["steps_per_execution", "validation_samples", "metrics", "times"] if key in arguments}
    arguments = {"filepath": "{epoch:02d}.keras", "verbose": 1, **arguments}
    return case(
        f"checkpoint_{name}", samples=samples, epochs=len(values) if values else epochs,
        overwrite=values and {arguments.get("monitor", "val_loss"): values},
        used=[{"class": "ModelCheckpoint", **arguments}], **fit,
    )


def plateau(name, values, **arguments):
    return case(
        f"plateau_{name}", samples=2, epochs=len(values), overwrite={"loss": values}, metrics=(),
        used=[{"class": "ReduceLROnPlateau", "monitor": "loss", "verbose": 1, **arguments}],
    )


def calls():
    def stopped(flag, at, **arguments):
        return case(f"{flag} at {at} {arguments.get('method', 'fit')}", stop={"flag": flag, "at": at}, **arguments)

    both = {"validation_samples": 4, "epochs": 3}
    return [
        case("fit"),
        case("fit_epochs_and_validation", **both),
        case("fit_from_epoch", initial_epoch=1, **both),
        case("fit_no_epochs", epochs=0),
        case("fit_from_the_last_epoch", epochs=2, initial_epoch=2),
        case("fit_short_batch", samples=7, epochs=2),
        case("fit_one_batch", samples=3, batch_size=32),
        case("fit_validation_freq", validation_freq=2, initial_epoch=1, **both),
        case("fit_validation_batch_size", validation_batch_size=3, validation_samples=7),
        case("fit_validation_steps", validation_steps=1, validation_samples=6, epochs=2),
        case("fit_validation_split", validation_split=0.25, epochs=2),
        case("fit_steps_per_epoch", steps_per_epoch=2, epochs=2),
        case("fit_steps_per_execution", samples=10, steps_per_execution=3, validation_samples=10, epochs=2),
        case("fit_long_execution", samples=10, steps_per_execution=10),
        case("fit_no_metrics", metrics=(), validation_samples=2),
        case("fit_metrics_in_order_of_names", metrics=("mse", "acc", "mae")),
        case("fit_twice", times=2, epochs=2),
        stopped("stop_training", "train_begin {}", **both),
        stopped("stop_training", "epoch_begin 1 {}", **both),
        stopped("stop_training", "train_batch_begin 1 {}", **both),
        stopped("stop_training", "train_batch_end 1 {loss,mae}", **both),
        stopped("stop_training", "test_begin {}", **both),
        stopped("stop_training", "test_batch_end 0 {loss,mae}", **both),
        stopped("stop_training", "epoch_end 1 {loss,mae,val_loss,val_mae}", **both),
        stopped("stop_evaluating", "test_batch_end 0 {loss,mae}", **both),
        stopped("stop_predicting", "train_batch_end 0 {loss,mae}", **both),
        case("evaluate", method="evaluate"),
        case("evaluate_steps_per_execution", method="evaluate", samples=10, steps_per_execution=3),
        stopped("stop_evaluating", "test_batch_begin 1 {}", method="evaluate"),
        stopped("stop_training", "test_batch_end 1 {loss,mae}", method="evaluate"),
        case("predict", method="predict"),
        case("predict_short_batch", method="predict", samples=5),
        case("predict_steps_per_execution", method="predict", samples=10, steps_per_execution=3),
        stopped("stop_predicting", "predict_batch_end 1 {outputs}", method="predict"),
        stopped("stop_training", "predict_batch_end 1 {outputs}", method="predict"),
    ]


def more_calls():
    """What `calls` leaves out: data that ends too early, lists of epochs, weights of classes, executions that are cut."""

    def stopped(flag, at, name, **arguments):
        return case(name, stop={"flag": flag, "at": at}, **arguments)

    both = {"validation_samples": 4, "epochs": 3}
    three = {"samples": 10, "steps_per_execution": 3}
    return [
        case("fit_steps_go_on", samples=10, steps_per_epoch=3, epochs=4),
        case("fit_runs_out", steps_per_epoch=8, epochs=2),
        case("fit_validation_freq_list", validation_freq=[1, 3], **both),
        case("fit_validation_runs_out", validation_steps=9, **both),
        case("fit_validation_short_batch", validation_samples=5, epochs=1),
        case("fit_class_weight", class_weight={0: 2.0, 1: 0.5}, epochs=2),
        case("fit_split_and_class_weight", class_weight={1: 0.5}, validation_split=0.5),
        case("fit_steps_of_executions", steps_per_epoch=4, epochs=2, **three),
        case("fit_executions_run_out", steps_per_epoch=8, epochs=1, **three),
        stopped("stop_training", "train_batch_begin 0 {}", "stop_before_an_execution", epochs=2, **three),
        stopped("stop_training", "train_batch_end 2 {loss,mae}", "stop_after_an_execution", epochs=2, **three),
        stopped("stop_training", "train_batch_end 3 {loss,mae}", "stop_after_the_last_batch", **both),
        stopped("stop_training", "test_end {loss,mae}", "stop_after_validation", **both),
        stopped("stop_training", "epoch_begin 0 {}", "stop_before_the_first_batch", **both),
        stopped("stop_evaluating", "test_begin {}", "stop_evaluating_before_validation", **both),
        case("fit_short_batch_in_validation_split", samples=7, validation_split=0.4, epochs=2),
        case("evaluate_steps", method="evaluate", steps=2),
        case("evaluate_runs_out", method="evaluate", steps=9),
        case("evaluate_twice", method="evaluate", times=2),
        case("evaluate_no_metrics", method="evaluate", metrics=()),
        stopped("stop_evaluating", "test_begin {}", "stop_evaluating_at_once", method="evaluate"),
        stopped("stop_evaluating", "test_batch_end 2 {loss,mae}", "stop_evaluating_executions", method="evaluate", **three),
        case("predict_steps", method="predict", steps=2),
        case("predict_runs_out", method="predict", steps=9),
        stopped("stop_predicting", "predict_begin {}", "stop_predicting_at_once", method="predict"),
        stopped("stop_predicting", "predict_batch_begin 1 {}", "stop_predicting_before_a_batch", method="predict"),
        case("evaluate_with_callbacks", method="evaluate", used=[
            {"class": "EarlyStopping", "monitor": "loss", "verbose": 1},
            {"class": "ReduceLROnPlateau", "monitor": "loss", "verbose": 1},
            {"class": "ModelCheckpoint", "filepath": "{epoch}.keras", "verbose": 1},
        ]),
        case("predict_with_callbacks", method="predict", used=[
            {"class": "EarlyStopping", "monitor": "loss", "verbose": 1},
            {"class": "ModelCheckpoint", "filepath": "{epoch}.keras", "save_freq": 1, "verbose": 1},
        ]),
        case("scheduler_from_epoch", epochs=3, initial_epoch=1, used=[{"class": "LearningRateScheduler", "schedule": "written", "verbose": 1}]),
        case("several_callbacks", samples=2, epochs=5, metrics=(), overwrite={"loss": [1.0, 0.5, 0.5, 0.5, 0.5]}, used=[
            {"class": "ReduceLROnPlateau", "monitor": "loss", "patience": 1, "verbose": 1},
            {"class": "ModelCheckpoint", "filepath": "{epoch}.keras", "monitor": "loss", "save_best_only": True, "verbose": 1},
            {"class": "EarlyStopping", "monitor": "loss", "patience": 2, "verbose": 1, "restore_best_weights": True},
            {"class": "CSVLogger", "filename": "log.csv"},
        ]),
    ]


def early_stopping():
    nan = float("nan")
    cases = [early(f"patience_{patience}", patience=patience) for patience in [0, 1, 2, 3, 4]]
    return cases + [
        early("restore", patience=20, restore_best_weights=True),
        early("restore_stopped", patience=2, restore_best_weights=True),
        early("silent", patience=2, verbose=0, restore_best_weights=True),
        early("min_delta", patience=1, min_delta=0.05),
        early("min_delta_negative", patience=1, min_delta=-0.05),
        early("min_delta_exact", patience=1, min_delta=0.1),
        early("min_delta_large", patience=2, min_delta=0.2),
        early("max", patience=1, mode="max"),
        early("baseline_missed", patience=2, baseline=0.5),
        early("baseline_beaten", patience=4, baseline=0.75),
        early("baseline_beaten_late", patience=6, baseline=0.75),
        early("baseline_at_once", patience=2, baseline=0.95),
        early("baseline_high", patience=2, baseline=2.0),
        early("baseline_equal", [0.5] * 4, patience=2, baseline=0.5),
        early("from_epoch", start_from_epoch=3),
        early("from_epoch_patience", start_from_epoch=3, patience=2),
        early("from_epoch_never", start_from_epoch=50, restore_best_weights=True),
        early("constant", [1.0] * 5, patience=3),
        early("constant_no_patience", [1.0] * 5),
        early("falling_above_baseline", [0.9, 0.8, 0.7, 0.75, 0.6], patience=1, baseline=0.1),
        early("nan_first", [nan, 1.0, 0.5, 0.4], patience=2, restore_best_weights=True),
        early("nan_later", [1.0, 0.5, nan, nan, 0.1], patience=2, restore_best_weights=True),
        early("tiny_improvements", [1.0, 1.0 - 1e-9, 1.0 - 2e-9, 0.5], patience=2),
        early("min_delta_double", [1.0, 0.99999994, 0.9999999, 0.9999998], patience=1, min_delta=3e-8),
        early("missing_epochs", [1.0, None, 0.9, None, 0.95, None, 0.95, 0.95], monitor="val_x", mode="min", patience=2),
        early("unknown_mode", mode="bogus", patience=2),
        early("unknown_metric", monitor="val_fn"),
        case("early_stopping_not_available", epochs=2, used=[{"class": "EarlyStopping", "monitor": "mse", "mode": "min"}]),
        case("early_stopping_auto_up", epochs=3, metrics=("acc",), samples=2, overwrite={"acc": [0.5, 0.75, 0.6]},
             used=[{"class": "EarlyStopping", "monitor": "acc", "patience": 1, "verbose": 1}]),
        case("early_stopping_twice", epochs=4, times=2, samples=2, overwrite={"loss": [0.5, 0.25, 0.5, 0.5]},
             used=[{"class": "EarlyStopping", "monitor": "loss", "patience": 1, "verbose": 1}]),
    ]


def checkpoints():
    down = [0.5, 0.4, 0.45, 0.4, 0.39]
    best = {"save_best_only": True}
    nan = float("nan")
    return [
        checkpoint("every_epoch"),
        checkpoint("fields", filepath="a/b/{epoch:02d}-{val_loss:.2f}.keras", values=[0.15, 0.149999]),
        checkpoint("braces", filepath="{{{epoch}}}{loss:e}.keras", monitor="loss", values=[0.5, 0.25]),
        checkpoint("weights", filepath="{epoch}.weights.h5", save_weights_only=True),
        checkpoint("silent", verbose=0),
        checkpoint("best", values=down, **best),
        checkpoint("best_one_file", filepath="best.keras", values=down, **best),
        checkpoint("best_max", values=down, mode="max", **best),
        checkpoint("best_threshold", values=down, initial_value_threshold=0.42, **best),
        checkpoint("best_equal", values=[0.5, 0.5], **best),
        checkpoint("freq_execution_overshoot", filepath="e{epoch}-b{batch}.keras", samples=10, save_freq=2, steps_per_execution=3),
        checkpoint("best_nan", values=[nan, 0.5, 0.4], **best),
        checkpoint("best_twice", values=[0.5, 0.4], times=2, **best),
        checkpoint("best_validation", filepath="best.keras", validation_samples=4, verbose=0, **best),
        checkpoint("freq_2", filepath="e{epoch}-b{batch}.keras", save_freq=2),
        checkpoint("freq_5", filepath="e{epoch}-b{batch}.keras", save_freq=5),
        checkpoint("freq_1", filepath="e{epoch}-b{batch}.keras", save_freq=1, epochs=1),
        checkpoint("freq_0", filepath="e{epoch}-b{batch}.keras", save_freq=0, epochs=1),
        checkpoint("freq_executions", filepath="e{epoch}-b{batch}.keras", save_freq=2, steps_per_execution=2),
        checkpoint("freq_val_loss", filepath="{val_loss}.keras", save_freq=2, validation_samples=4),
        checkpoint("unknown_field", filepath="{nope:.2f}.keras"),
        checkpoint("batch_of_an_epoch", filepath="{batch}.keras"),
        checkpoint("wrong_type", filepath="{loss:02d}.keras"),
        checkpoint("unknown_metric", monitor="val_fn"),
        checkpoint("extension", filepath="a"),
        checkpoint("extension_of_weights", filepath="a.keras", save_weights_only=True),
        checkpoint("freq_word", save_freq="batch"),
    ]


def rates():
    constant = [1.0] * 8
    return [
        plateau("constant", constant, patience=2),
        plateau("patience_0", [1.0, 0.5, 0.5, 0.5], patience=0),
        plateau("factor", constant, patience=1, factor=0.5),
        plateau("cooldown", constant, patience=1, cooldown=2),
        plateau("min_lr", constant, patience=1, min_lr=0.01),
        plateau("min_delta", [1.0, 0.99995, 0.9999, 0.9998, 0.9997], patience=2),
        plateau("improving", [1.0, 0.9, 0.8, 0.85, 0.9, 0.95, 0.7], patience=2),
        plateau("max", [1.0, 1.1, 1.2, 1.2, 1.2, 1.2], patience=2, mode="max"),
        plateau("factor_1", constant, factor=1.0),
        case("plateau_not_available", used=[{"class": "ReduceLROnPlateau", "monitor": "mse", "mode": "min"}]),
        case("scheduler", epochs=3, used=[{"class": "LearningRateScheduler", "schedule": "halve"}]),
        case("scheduler_verbose", epochs=3, used=[{"class": "LearningRateScheduler", "schedule": "written", "verbose": 1}]),
    ]


def files():
    values = {"loss": [0.5, 0.25, 1e-7], "mae": [0.1, 1e16, 0.0]}
    def csv(name, filename="log.csv", **arguments):
        logger = {"class": "CSVLogger", "filename": filename}
        for key in ["separator", "append", "initial"]:
            if key in arguments:
                logger[key] = arguments.pop(key)
        return case(f"csv_{name}", samples=2, epochs=3, used=[logger], overwrite=values, **arguments)
    return [
        csv("new"),
        csv("separator", filename="log.tsv", separator="\t"),
        csv("twice", times=2),
        csv("append", append=True, times=2),
        csv("append_to", append=True, initial="epoch,loss\r\n0,1.0\r\n"),
        csv("append_to_nothing", append=True, initial=""),
        case("csv_missing", samples=2, epochs=3, overwrite={"val_x": [0.5, None, 0.25], "loss": [1.0, 0.5, 0.25], "mae": [1.0, 0.5, 0.25]},
             used=[{"class": "CSVLogger", "filename": "log.csv"}]),
        case("nan", nan=True, epochs=2, used=[{"class": "TerminateOnNaN"}]),
        case("nan_raised", nan=True, epochs=2, used=[{"class": "TerminateOnNaN", "raise_error": True}]),
    ]


def cases():
    return [*calls(), *early_stopping(), *checkpoints(), *rates(), *files(), *more_calls()]
