"""Summaries.

"summaries": {"name", "model": the model's name, "rows": [{"name", "class", "output_shape", "params": number or null
before it is built, "connected_to": [text]}], "is_graph": whether there is the column "Connected to", "trainable",
"non_trainable": numbers of weights, "optimizer": null or {"count", "bytes"}, "text"}; cases with arguments have
"options", and with `show_trainable` the rows have "trained", "Y", "N" or "-"
"""

import os
from unittest import mock

import keras
import numpy as np
import rich.table
import rich.text
from keras import layers


def case(name, model, **options):
    # The rows on their way into the table, without their colours.
    rows = []
    add_row = rich.table.Table.add_row

    def note(table, *cells):
        rows.append([rich.text.Text.from_markup(cell).plain for cell in cells])
        add_row(table, *cells)

    printed = []
    # Rich cuts what is wider than its console.
    columns = str(max(80, options.get("line_length", 0)))
    with mock.patch.object(rich.table.Table, "add_row", note), mock.patch.dict(os.environ, COLUMNS=columns):
        model.summary(print_fn=lambda text, line_break=False: printed.append(text), **options)

    def count(variables):
        return sum(int(np.prod(variable.shape)) for variable in variables)

    def row(named, output_shape, params, *more):
        layer, _, kind = named.rpartition(" (")
        trained = {"trained": more[-1]} if options.get("show_trainable") else {}
        connected_to = more[0] if len(more) > len(trained) else None
        return trained | {
            "name": layer,
            "class": kind[:-1],
            "output_shape": output_shape,
            "params": None if params == "0 (unbuilt)" else int(params.replace(",", "")),
            "connected_to": [] if connected_to in (None, "-") else connected_to.split(", "),
        }

    optimizer = getattr(model, "optimizer", None)
    optimizer = optimizer if optimizer is not None and optimizer.built else None
    return {
        "name": name,
        "model": model.name,
        "rows": [row(*cells) for cells in rows],
        "is_graph": any(len(cells) == (5 if options.get("show_trainable") else 4) for cells in rows),
        "trainable": count(model.trainable_weights),
        "non_trainable": count(model.non_trainable_weights),
        # Four bytes each: the steps are counted in int32 here, in int64 with TensorFlow.
        "optimizer": optimizer and {"count": count(optimizer.variables), "bytes": 4 * count(optimizer.variables)},
        "text": "".join(printed),
    } | ({"options": options} if options else {})


def cases():
    makers = [
        convnet,
        convnet_trained,
        two_in_two_out,
        chain,
        full_model,
        frozen,
        before_build,
        partly_built,
        empty,
        long_names,
        long_connections,
        large,
        nested,
        subclassed,
        subclassed_before_build,
        deep_shapes,
    ]
    made = []
    for maker in makers:
        keras.utils.clear_session()  # automatic names start anew
        made.append(case(maker.__name__, maker()))
    arguments = [
        ("frozen_trainable", frozen, {"show_trainable": True}),
        ("frozen_narrow", frozen, {"line_length": 50}),
        ("two_in_two_out_trainable", two_in_two_out, {"show_trainable": True}),
        ("two_in_two_out_wide", two_in_two_out, {"show_trainable": True, "line_length": 120}),
        ("convnet_wide", convnet, {"line_length": 100}),
    ]
    for name, maker, options in arguments:
        keras.utils.clear_session()
        made.append(case(name, maker(), **options))
    return made


def convnet():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(),
            layers.Conv2D(64, kernel_size=3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax", name="probs"),
        ],
        name="convnet",
    )


def convnet_trained():
    model = convnet()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.train_on_batch(np.zeros((1, 28, 28, 1), "float32"), np.zeros((1,), "float32"))
    return model


def two_in_two_out():
    image, meta = keras.Input((28, 28, 1), name="image"), keras.Input((4,), name="meta")
    shared = layers.Dense(32, activation="relu", name="shared")
    a, b = shared(layers.Flatten()(image)), shared(layers.Dense(784)(meta))
    joined = layers.Concatenate()([a, b])
    outputs = {
        "class": layers.Dense(10, activation="softmax", name="class")(joined),
        "score": layers.Dense(1, name="score")(layers.Add()([a, b])),
    }
    return keras.Model([image, meta], outputs, name="two_heads")


def chain():
    inputs = keras.Input((3,))
    hidden = layers.Dense(4, activation="relu")(inputs)
    return keras.Model(inputs, layers.Dense(5, activation="softmax")(hidden))


def full_model():
    inputs = keras.Input((None, None, 3))
    processed = layers.RandomCrop(32, 32)(inputs)
    conv = layers.Conv2D(2, 3)(processed)
    pooling = layers.GlobalAveragePooling2D()(conv)
    return keras.Model(inputs, layers.Dense(10)(pooling), name="full_model")


def frozen():
    hidden = layers.Dense(16, activation="relu", trainable=False)
    return keras.Sequential([keras.Input((8,)), hidden, layers.BatchNormalization(), layers.Dense(1)])


def before_build():
    return keras.Sequential([layers.Dense(64, activation="relu"), layers.Dropout(0.5), layers.Dense(10)])


def partly_built():
    model = keras.Sequential([layers.Flatten(), layers.Dense(4)])
    model.layers[1].build((None, 7))
    return model


def empty():
    return keras.Sequential()


def long_names():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(2, 3, name="a_name_that_is_longer_than_its_column_and_goes_on"),
            layers.GlobalAveragePooling2D(name="global_average_pooling_of_everything"),
            layers.BatchNormalization(name="normalization_of_it"),
            layers.Dense(1, name="d"),
        ],
        name="a_model_whose_name_is_longer_than_the_table_is_wide_which_wraps_at_eighty_columns_somewhere",
    )


def long_connections():
    inputs = [keras.Input((4,), name=name) for name in ("first", "second_of_the_inputs", "third")]
    hidden = [layers.Dense(4, name=f"dense_of_the_input_number_{at}")(x) for at, x in enumerate(inputs)]
    total = layers.Average()(hidden)
    return keras.Model(inputs, [layers.Multiply()([total, hidden[0]]), total])


def large():
    return keras.Sequential([keras.Input((1000,)), layers.Dense(10_000), layers.Dense(1)])


def nested():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)], name="inner")
    inputs = keras.Input((4,), name="inputs")
    return keras.Model(inputs, layers.Dense(1)(inner(inputs)), name="outer")


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense1 = layers.Dense(4, activation="relu")
        self.dense2 = layers.Dense(5, activation="softmax")
        self.dropout = layers.Dropout(0.5)

    def call(self, inputs, training=False):
        x = self.dense1(inputs)
        return self.dense2(self.dropout(x, training=training) if training else x)


def subclassed():
    model = Classifier()
    model(np.zeros((1, 3), "float32"))
    return model


def subclassed_before_build():
    return Classifier()


def deep_shapes():
    inputs = keras.Input((1024, 1024, 16, 3), name="video")
    return keras.Model(inputs, layers.Reshape((1024, 1024, 48))(inputs), name="wide_shapes")
