"""weights.json and the files in `fixtures/weights/`: files of weights as Keras and h5py write them.

"cases": what is in the `.weights.h5` of a model after `STEPS` steps with an optimizer, in the order of h5py's walk:
{"name", "class", "config" of the optimizer, "weights": [T] at first, "x": T, "y": T, "steps",
"objects": [{"path", "name": attribute of a group}, {"path", "shape", "values"}]}

"models": a model, its files after an epoch, and what Keras does with it then:
{"name", "optimizer", "x": [T], "y": [T], "predictions": [T], "losses": [number; a step of the next epoch]};
`fixtures/weights/NAME.weights.h5` is the file; `NAME.hdf5`, where it is, has the weights in Keras 2's layout,
`NAME.safetensors` by the names of the layers

"files": {"name", "datasets": {path: T}} of files with all that a dataset may be, or {"name", "error"} of what is refused.
"""

import h5py
import keras
import ml_dtypes
import numpy as np
from keras import layers, optimizers
from keras.src.legacy.saving import legacy_h5_format

from fixture import DIRECTORY, Random, number, tensor, tensors

try:
    from safetensors.numpy import save_file
except ImportError:  # whoever only checks files does without
    save_file = None

FILES = DIRECTORY / "weights"
STEPS = 3
BATCH = 4
LOSS = "mean_squared_error"


def cases():
    FILES.mkdir(exist_ok=True)
    return {"cases": optimizer_cases(), "models": model_cases(), "files": file_cases()}


def objects(path):
    """Everything that is in a file."""
    found = []

    def visit(name, node):
        if isinstance(node, h5py.Dataset):
            found.append({"path": name, **tensor(np.float32(node[()]))})
        else:
            found.append({"path": name, "name": node.attrs.get("name")})

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def optimizer_cases():
    plain = [
        ("sgd", "SGD", {"learning_rate": 0.1}),
        ("sgd_momentum", "SGD", {"learning_rate": 0.1, "momentum": 0.9}),
        ("rmsprop", "RMSprop", {"learning_rate": 0.01}),
        ("rmsprop_centered", "RMSprop", {"learning_rate": 0.01, "momentum": 0.9, "centered": True}),
        ("adam", "Adam", {"learning_rate": 0.01}),
        ("adam_amsgrad", "Adam", {"learning_rate": 0.01, "amsgrad": True}),
        ("adam_average", "Adam", {"learning_rate": 0.01, "use_ema": True, "gradient_accumulation_steps": 2}),
        ("adamw", "AdamW", {"learning_rate": 0.01}),
        ("adadelta", "Adadelta", {"learning_rate": 0.5}),
        ("adafactor", "Adafactor", {"learning_rate": 0.01}),
        ("adagrad", "Adagrad", {"learning_rate": 0.1}),
        ("adamax", "Adamax", {"learning_rate": 0.01}),
        ("ftrl", "Ftrl", {"learning_rate": 0.1}),
        ("lamb", "Lamb", {"learning_rate": 0.01}),
        ("lion", "Lion", {"learning_rate": 0.01}),
        ("muon", "Muon", {"learning_rate": 0.01}),
        ("nadam", "Nadam", {"learning_rate": 0.01}),
        ("schedule_free_adamw", "ScheduleFreeAdamW", {"learning_rate": 0.01}),
    ]
    made = [case(name, getattr(optimizers, of)(**config), of, config) for name, of, config in plain]
    made.append(case("untrained", optimizers.Adam(0.01), "Adam", {"learning_rate": 0.01}, steps=0))
    decay = {"initial_learning_rate": 0.01, "decay_steps": 2, "decay_rate": 0.5}
    schedule = optimizers.schedules.ExponentialDecay(**decay)
    config = {"learning_rate": {"class": "ExponentialDecay", "config": decay}}
    made.append(case("schedule", optimizers.Adam(schedule), "Adam", config))
    config = {"inner": {"class": "Adam", "config": {"learning_rate": 0.01}}, "initial_scale": 8.0}
    for name, steps in [("loss_scale", STEPS), ("loss_scale_untrained", 0)]:
        scaled = optimizers.LossScaleOptimizer(optimizers.Adam(0.01), initial_scale=8.0)
        made.append(case(name, scaled, "LossScaleOptimizer", config, steps))
    return made


def case(name, optimizer, of, config, steps=STEPS):
    keras.utils.clear_session()
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, activation="tanh", name="zebra"),
            layers.BatchNormalization(),
            layers.Dropout(0.0),
            layers.Dense(2),
        ],
        name="small",
    )
    random = Random(name)
    model.compile(optimizer, LOSS)
    model.set_weights([random.uniform(weight.shape, 0.1, 0.9) for weight in model.get_weights()])
    weights = tensors(model.get_weights())
    x, y = random.values((BATCH, 4)), random.values((BATCH, 2))
    for _ in range(steps):
        model.train_on_batch(x, y)
    path = FILES / "case.weights.h5"
    model.save_weights(path)
    written = {
        "name": name,
        "class": of,
        "config": config,
        "weights": weights,
        "x": tensor(x),
        "y": tensor(y),
        "steps": steps,
        "objects": objects(path),
    }
    path.unlink()
    return written


OPTIMIZERS = {
    "momentum": lambda: optimizers.SGD(0.05, momentum=0.9),
    "adam": lambda: optimizers.Adam(0.01),
    "rmsprop": lambda: optimizers.RMSprop(0.01),
}


def mlp():
    keras.utils.clear_session()
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, activation="relu"),
            layers.Dense(8, activation="tanh"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def convnet():
    keras.utils.clear_session()
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )


def two_inputs():
    keras.utils.clear_session()
    first, second = keras.Input((5,), name="first"), keras.Input((4,), name="second")
    a = layers.Dense(6, activation="tanh")(first)
    b = layers.Dense(6, activation="relu")(second)
    joined = layers.Concatenate()([a, b])
    return keras.Model([first, second], layers.Dense(2)(layers.Dense(5, activation="tanh")(joined)))


class Own(keras.Model):
    """Attributes before and after `layers`, and a private one."""

    def __init__(self):
        super().__init__()
        self.zed = layers.Dense(5, activation="tanh")
        self.abc = layers.Dense(4, activation="relu")
        self.norm = layers.BatchNormalization()
        self._last = layers.Dense(2)

    def call(self, inputs, training=None):
        return self._last(self.norm(self.zed(self.abc(inputs)), training=training))


def own():
    keras.utils.clear_session()
    model = Own()
    model.build((None, 6))
    return model


MODELS = {
    "mlp": (mlp, [(6,)], (3,)),
    "convnet": (convnet, [(6, 6, 1)], (3,)),
    "two_inputs": (two_inputs, [(5,), (4,)], (2,)),
    "own": (own, [(6,)], (2,)),
}


def model_cases():
    made = []
    for of, (build, inputs, output) in MODELS.items():
        for optimizer, make in OPTIMIZERS.items():
            name = f"{of}_{optimizer}"
            random = Random(name)
            keras.utils.set_random_seed(len(made))
            model = build()
            model.compile(make(), LOSS)
            x = [random.values((2 * BATCH, *shape)) for shape in inputs]
            y = random.values((2 * BATCH, *output))
            given = x[0] if len(x) == 1 else x
            fit = {"batch_size": BATCH, "shuffle": False, "verbose": 0}
            model.fit(given, y, epochs=1, **fit)
            model.save_weights(FILES / f"{name}.weights.h5")
            if optimizer == "adam":
                with h5py.File(FILES / f"{name}.hdf5", "w") as file:
                    legacy_h5_format.save_weights_to_hdf5_group(file, model)
                by_name = {
                    f"{layer.name}/{weight.name}": np.asarray(weight)
                    for layer in model.layers
                    for weight in layer.weights
                }
                if of != "own":
                    save_file(by_name, FILES / f"{name}.safetensors")
            predictions = model.predict(given, verbose=0)
            losses = []
            for start in range(0, 2 * BATCH, BATCH):
                batch = [array[start : start + BATCH] for array in x]
                model.reset_metrics()
                batch = batch[0] if len(batch) == 1 else batch
                losses.append(number(model.train_on_batch(batch, y[start : start + BATCH])))
            made.append(
                {
                    "name": name,
                    "optimizer": optimizer,
                    "x": tensors(x),
                    "y": tensors([y]),
                    "predictions": tensors([predictions]),
                    "losses": losses,
                }
            )
    keras.utils.set_random_seed(len(made))
    model = mlp()
    model.compile(OPTIMIZERS["adam"](), LOSS)
    random = Random("whole")
    x, y = random.values((2 * BATCH, 6)), random.values((2 * BATCH, 3))
    model.fit(x, y, epochs=1, batch_size=BATCH, shuffle=False, verbose=0)
    model.save(FILES / "whole.h5")
    predictions = tensors([model.predict(x, verbose=0)])
    made.append({"name": "whole", "optimizer": "adam", "x": tensors([x]), "y": tensors([y]), "predictions": predictions})
    return made


def file_cases():
    return [types(), many(), *refused()]


def types():
    random = Random("types")
    values = {
        "f16": np.float16(random.values((3, 2))),
        "f32": random.values((2, 3)),
        "f64": np.float64(random.values((4,))),
        "i8": np.int8([-128, 0, 127]),
        "i16": np.int16([-300, 300]),
        "i32": np.int32([[-70000], [70000]]),
        "i64": np.int64(-(2**40)),
        "u8": np.uint8([0, 255]),
        "u16": np.uint16([65535]),
        "u32": np.uint32([2**31]),
        "u64": np.uint64([2**40]),
        "empty": np.zeros((0, 3), "float32"),
        "scalar": np.float32(0.5),
        "deep/er/group": np.float32([1.5]),
    }
    with h5py.File(FILES / "types.h5", "w") as file:
        for path, value in values.items():
            file[path] = value
        values["bfloat16"] = random.values((2, 2)).astype(ml_dtypes.bfloat16)
        file["bfloat16"] = values["bfloat16"]
        file["bfloat16"].attrs["dtype"] = "bfloat16"
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        compact.set_obj_track_times(False)
        values["compact"] = np.float32([1, 2, 3])
        space = h5py.h5s.create_simple((3,))
        dataset = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, compact)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, values["compact"])
    return {"name": "types.h5", "datasets": {path: tensor(np.float32(value)) for path, value in values.items()}}


def many():
    """A group whose B-tree has more than one level."""
    values = {f"g/{name}": np.float32(name) for name in range(260)}
    with h5py.File(FILES / "many.h5", "w") as file:
        for path, value in values.items():
            file[path] = value
    return {"name": "many.h5", "datasets": {path: tensor(value) for path, value in values.items()}}


def refused():
    def chunks(file):
        file.create_dataset("x", data=np.zeros((8, 8), "float32"), chunks=(4, 4), compression="gzip")

    def unwritten(file):
        file.create_dataset("x", (1 << 40,), "float32")

    def big_endian(file):
        file["x"] = np.zeros(3, ">f4")

    def text(file):
        file["x"] = "a text"

    def soft(file):
        file["x"] = h5py.SoftLink("/elsewhere")

    def cycle(file):
        file.create_group("x")["back"] = file["/"]

    def plain(file):
        file["x"] = np.float32(1)

    cases = [
        ("chunks", chunks, None, "Expected a contiguous dataset. Received: one in chunks, perhaps compressed"),
        ("unwritten", unwritten, None, "Expected a dataset with values. Received: one without"),
        ("big_endian", big_endian, None, "Expected a dataset of floats or integers. Received: one of another type"),
        ("text", text, None, "Expected a dataset of floats or integers. Received: one of another type"),
        ("soft", soft, None, "Not allowed: H5 file with SoftLink"),
        ("cycle", cycle, None, "Received: a link to an object that has one"),
        ("latest", plain, "latest", "Received: one of version 3"),
    ]
    made = []
    for name, fill, version, error in cases:
        with h5py.File(FILES / f"{name}.h5", "w", libver=version) as file:
            fill(file)
        made.append({"name": f"{name}.h5", "error": error})
    return made
