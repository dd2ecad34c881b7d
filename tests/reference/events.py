"""events.json: what keras.callbacks.TensorBoard writes, as TensorBoard itself reads it.

    python events.py            writes the fixture
    python events.py check DIR  holds what the Rust test has left in DIR against it, through TensorBoard's own reader

This needs TensorFlow and TensorBoard, and so an environment of its own: `pip install keras==3.15.1 tensorflow-cpu
tensorboard`. The Rust test leaves its files where the variable KERAS_EVENTS says.

{"name", "arguments" of TensorBoard, "fit": {..}, "evaluate": whether evaluate is called after fit,
"runs": {run: [{"tag", "step", "plugin", "value": number, or [[left, right, count] of each bucket], or null where it
depends on the clock}]}}
"""

import json
import os
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import numpy as np  # noqa: E402
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402
from tensorboard.util import tensor_util  # noqa: E402

FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures", "events.json")
KERNEL = [[-1.0, 0.0, 0.5], [0.25, 0.26, 2.0]]


def number(value):
    return float(f"{float(value):.6g}")


def read(directory):
    """The tensors of every run, in the order of their tags and steps."""
    runs = {}
    for run in sorted(os.listdir(directory)):
        accumulator = EventAccumulator(os.path.join(directory, run), size_guidance={"tensors": 0})
        accumulator.Reload()
        found = []
        for tag in accumulator.Tags()["tensors"]:
            plugin = accumulator.SummaryMetadata(tag).plugin_data.plugin_name
            if plugin == "graph_keras_model":
                continue
            for event in accumulator.Tensors(tag):
                value = tensor_util.make_ndarray(event.tensor_proto)
                if "steps_per_second" in tag:
                    assert value > 0
                    value = None
                elif plugin == "histograms":
                    value = [[number(edge) for edge in bucket] for bucket in value]
                else:
                    value = number(value)
                found.append({"tag": tag, "step": event.step, "plugin": plugin, "value": value})
        runs[run] = sorted(found, key=lambda event: (event["tag"], event["step"]))
    return runs


def case(name, evaluate=False, fit=None, **arguments):
    keras.utils.clear_session()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="dense")])
    model.set_weights([np.float32(KERNEL), np.zeros(3, "float32")])
    # Weights that stay as they are: histograms and losses of known numbers.
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mae"])
    x = np.float32([[1, 0], [0, 1], [1, 1], [2, -1], [0.5, 0.5]])
    y = np.zeros((5, 3), "float32")
    fit = {"epochs": 2, "batch_size": 2, **(fit or {})}
    with tempfile.TemporaryDirectory() as directory:
        tensorboard = keras.callbacks.TensorBoard(directory, **arguments)
        given = {key: value for key, value in fit.items() if key != "validation"}
        if fit.get("validation"):
            given["validation_data"] = (x[:2], y[:2])
        model.fit(x, y, shuffle=False, verbose=0, callbacks=[tensorboard], **given)
        if evaluate:
            model.evaluate(x, y, batch_size=2, verbose=0, callbacks=[tensorboard])
        runs = read(directory)
    return {"name": name, "arguments": arguments, "fit": fit, "evaluate": evaluate, "runs": runs}


def cases():
    return [
        case("epochs"),
        case("validation", fit={"validation": True}),
        case("batches", update_freq="batch"),
        # The last batch of each epoch: Keras leaves out epochs that end at a batch that is not written.
        case("every_third_batch", update_freq=3),
        case("histograms", histogram_freq=2, fit={"epochs": 3}),
        case("speed", write_steps_per_second=True, update_freq="batch"),
        case("evaluated", evaluate=True, write_graph=False),
    ]


def check(directory):
    with open(FIXTURE, encoding="utf-8") as file:
        expected = {each["name"]: each["runs"] for each in json.load(file)["cases"]}
    for name, runs in expected.items():
        found = read(os.path.join(directory, name))
        # An empty run is one whose directory Keras makes for the graph alone.
        runs, found = ({run: events for run, events in each.items() if events} for each in (runs, found))
        assert wanted(runs) == wanted(found), f"{name}\n{runs}\n{found}"
        train = EventAccumulator(os.path.join(directory, name, "train"))
        train.Reload()
        if name != "evaluated":
            nodes = {node.name: (node.op, list(node.input)) for node in train.Graph().node}
            assert nodes["dense"][0] == "Dense", nodes
    print(f"{len(expected)} cases are as Keras wrote them")


def wanted(runs):
    """Without what depends on rounding: the Rust test compares the values."""
    return {
        run: [(event["tag"], event["step"], event["plugin"]) for event in events] for run, events in runs.items()
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(sys.argv[2])
    else:
        lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in cases())
        with open(FIXTURE, "w", encoding="utf-8") as file:
            file.write(f'{{"cases":[\n{lines}\n]}}\n')
