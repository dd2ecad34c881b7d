"""Progress bars at given times.

"cases", a bar driven by hand, which shows values as they are, as in fit:
{"name", "target": number or null, "verbose", "updates": [{"current", "values": [[name, value]], "finalize": bool,
"now": seconds since the bar was made}], "frames": all that is printed}

"fits", the output of fit, evaluate and predict, and the bars that it is made of:
{"name", "method", "arguments", "bars": [{"target", "updates"}], "text"}
An update with a "target" sets it first.

All times are multiples of 1/512 s: such numbers, and their differences, are exact in binary and in nanoseconds.
"""

import contextlib
import io
import math
import types

import keras
import numpy as np
from keras.src.utils import progbar

from fixture import Random

START = float(2**20)
TICK = 1 / 512


class Clock:
    """Stands for the module `time` of Keras' progress bar."""

    def __init__(self, step=0.0):
        self.now = START
        self.step = step

    def time(self):
        self.now += self.step
        return self.now


@contextlib.contextmanager
def recorded(clock):
    """What is printed while the progress bars look at `clock`."""
    real, printed = progbar.time, io.StringIO()
    progbar.time = types.SimpleNamespace(time=clock.time)
    try:
        with contextlib.redirect_stdout(printed):
            yield printed
    finally:
        progbar.time = real


def value(number):
    """A number of the logs, as JSON has it."""
    if math.isnan(number):
        return "NaN"
    return number if math.isfinite(number) else "Infinity" if number > 0 else "-Infinity"


def seconds(time):
    return round(time / TICK) * TICK


def bar(name, target, verbose, updates):
    """`updates`: (current, time in seconds, {name: value}, finalize)."""
    clock = Clock()
    described = []
    with recorded(clock) as printed:
        made = keras.utils.Progbar(target, verbose=verbose, stateless_metrics=set())
        for current, time, values, finalize in updates:
            clock.now = START + seconds(time)
            made.update(current, list(values.items()), finalize=finalize)
            described.append({
                "current": current,
                "values": [[key, value(number)] for key, number in values.items()],
                "finalize": finalize,
                "now": seconds(time),
            })  # fmt: skip
    return {"name": name, "target": target, "verbose": verbose, "updates": described, "frames": printed.getvalue()}


def run(target, step, values=lambda at: {"loss": 1.0 / at}, last=None):
    """All steps, `step` seconds each, and the final frame with the values `last`."""
    made = [(at, at * step, values(at), False) for at in range(1, target + 1)]
    return [*made, (target, target * step + 0.1, values(target) if last is None else last, True)]


def bars():
    validated = {"loss": 0.25, "mae": 0.125, "val_loss": 0.5, "val_mae": 0.375}
    sizes = [1.0, 12345.678, 0.001, 0.0010001, 0.00099, 1e-5, 0.0, -0.5, -1e-5, 1e10, 99.99995, 0.00005, 1e-30, 3.0]
    odd = [{"loss": number} for number in [1.5, math.nan, math.inf, -math.inf, 0.5]]
    shrinking = [{"loss": 10.123, "mae": 100.0}, {"loss": 1.5e-5, "mae": 9.0}, {"loss": 1.0, "mae": 1.0}]

    def one_by_one(values, step=0.1):
        updates = [(at + 1, (at + 1) * step, each, False) for at, each in enumerate(values)]
        return [*updates, (len(values), (len(values) + 1) * step, values[-1], True)]

    def minus(at):
        return {"loss": -1.0 / at, "score": 0.0005 * at}

    made = []
    for verbose in [1, 2, 0]:
        suffix = f"_verbose_{verbose}"
        made += [
            bar(f"three_steps{suffix}", 3, verbose, run(3, 0.25)),
            bar(f"validation{suffix}", 4, verbose, run(4, 0.1, lambda at: {"loss": 1 / at, "mae": 2 / at}, validated)),
            bar(f"negative{suffix}", 3, verbose, run(3, 0.1, minus)),
            bar(f"hours{suffix}", 20, verbose, run(20, 700.0)),
            bar(f"only_the_end{suffix}", 10, verbose, [(10, 0.75, {"loss": 1.0785}, True)]),
        ]
    made += [
        bar("one_step", 1, 1, run(1, 0.5)),
        bar("no_values", 5, 1, run(5, 0.2, lambda at: {})),
        bar("minutes", 10, 1, run(10, 45.0)),
        bar("a_minute", 13, 1, run(13, 5.0)),
        bar("an_hour", 5, 1, run(5, 900.0)),
        bar("seconds_per_step", 4, 1, run(4, 2.5)),
        bar(
            "microseconds_per_step", 2000, 1, [(at, at / 3200, {"loss": 0.5}, at == 2000) for at in [1, 200, 900, 2000]]
        ),
        bar("often", 60, 1, run(60, 6 * TICK)),
        bar(
            "many_steps",
            1000,
            1,
            [(at, at * 0.015625, {"loss": 3 / at}, at == 1000) for at in [1, 9, 10, 99, 100, 999, 1000]],
        ),
        bar("several_at_once", 10, 1, [(at, at * 0.25, {"loss": 1 / at}, at == 10) for at in [3, 6, 9, 10]]),
        bar("no_time", 2, 1, [(1, 0.0, {"loss": 1.0}, False), (2, 0.0, {"loss": 0.5}, True)]),
        bar("no_time_verbose_2", 2, 2, [(2, 0.0, {"loss": 0.5}, True)]),
        bar(
            "cut_short",
            10,
            1,
            [(1, 0.5, {"loss": 1.0}, False), (2, 1.0, {"loss": 0.5}, False), (10, 1.25, {"loss": 0.5}, True)],
        ),
        bar("shrinking", 3, 1, one_by_one(shrinking)),
        bar("sizes", len(sizes), 1, one_by_one([{"loss": size} for size in sizes])),
        bar("not_a_number", 5, 1, one_by_one(odd)),
        bar("not_a_number_verbose_2", 1, 2, [(1, 0.25, {"a": math.nan, "b": math.inf, "c": -math.inf}, True)]),
        bar("unknown_target", None, 1, [(at, at * 0.125, {"loss": 1 / at}, False) for at in range(1, 13)]),
        bar("unknown_target_ended", None, 1, [(at, at * 0.125, {"loss": 1 / at}, at == 3) for at in range(1, 4)]),
        bar("unknown_target_slow", None, 1, [(at, at * 100.0, {}, False) for at in range(1, 3)]),
    ]
    # Halves are rounded to even numbers of seconds.
    for half in [0.5, 1.5, 2.5]:
        made.append(bar(f"halves_{half}", 2, 1, [(1, half / 2, {}, False), (2, half, {}, True)]))
        made.append(bar(f"halves_{half}_verbose_2", 1, 2, [(1, half, {"loss": 0.5}, True)]))
    return made


class Recorder(keras.utils.Progbar):
    """A bar that notes how it is driven."""

    log = []

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.log.append({"target": self.target, "updates": []})

    def update(self, current, values=None, finalize=None):
        drawn = {"current": current, "values": [[key, value(number)] for key, number in values], "finalize": finalize}
        self.log[-1]["updates"].append(drawn)
        if self.target != self.log[-1]["target"]:  # it was unknown until the end of the epoch
            drawn["target"] = self.target
        super().update(current, values, finalize)
        drawn["now"] = progbar.time.time.__self__.now - self._start


class InOrder(keras.callbacks.Callback):
    """Keeps Keras from calling the callbacks of several batches at once, on threads."""

    def on_train_batch_end(self, batch, logs=None):
        pass

    on_test_batch_end = on_predict_batch_end = on_train_batch_end


def fits():
    random = Random("fits")
    x, y = random.values((20, 3)), random.values((20, 2))

    def batches():
        for at in range(0, 20, 8):
            yield x[at : at + 8], y[at : at + 8]

    def text(name, method, *data, step=0.125, **arguments):
        keras.utils.clear_session()
        keras.utils.set_random_seed(0)  # fit shuffles
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")])
        model.set_weights([Random(name).values((3, 2)), np.zeros(2, "float32")])
        model.compile("sgd", "mse", metrics=["mae"])
        Recorder.log = []
        module = keras.src.callbacks.progbar_logger
        module.Progbar, real = Recorder, module.Progbar
        try:
            with recorded(Clock(step)) as printed:
                getattr(model, method)(*data, callbacks=[InOrder()], **arguments)
        finally:
            module.Progbar = real
        described = {key: argument for key, argument in arguments.items() if key != "validation_data"}
        return {
            "name": name,
            "method": method,
            "arguments": {**described, "validation": "validation_data" in arguments},
            "bars": Recorder.log,
            "text": printed.getvalue(),
        }

    return [
        text("fit_one_epoch", "fit", x, y, batch_size=8),
        text("fit", "fit", x, y, batch_size=8, epochs=3, validation_data=(x, y)),
        text("fit_verbose_2", "fit", x, y, batch_size=8, epochs=2, verbose=2, validation_data=(x, y)),
        text("fit_verbose_0", "fit", x, y, batch_size=8, epochs=2, verbose=0),
        text("fit_often", "fit", x, y, batch_size=1, epochs=2, step=8 * TICK),
        text("fit_from_epoch_3", "fit", x, y, batch_size=8, epochs=4, initial_epoch=3),
        text("fit_unknown_length", "fit", batches(), epochs=1),
        text("evaluate", "evaluate", x, y, batch_size=8),
        text("evaluate_verbose_2", "evaluate", x, y, batch_size=8, verbose=2),
        text("predict", "predict", x, batch_size=8),
        text("predict_verbose_2", "predict", x, batch_size=8, verbose=2),
    ]
